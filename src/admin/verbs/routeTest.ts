/**
 * `hauspost route test SENDER RECIPIENT`: what would become of a message, and why.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ExplainedReply } from '../../transfer/explain.ts';
import type { Refusal, Step } from '../../transfer/plan/findings.ts';
import type { RouteBar } from '../../transfer/plan/routes.ts';
import { MESSAGE_START_LIMIT_OCTETS, type RouteTestReport } from '../routeTesting.ts';
import { visibleText } from '../table.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { given, textOption } from './read.ts';

/** The verb that explains routing. */
export const ROUTE_TEST_VERB: Verb = {
  words: ['route', 'test'],
  usage: 'SENDER RECIPIENT',
  summary: 'Says what would become of a message, and why; stores nothing.',
  options: {
    as: { type: 'string' },
    range: { type: 'string' },
    pickup: { type: 'string' },
    message: { type: 'string' },
  },
  optionHelp: {
    as: 'Address of the account that has logged in to submit it; nobody has unless given.',
    range: 'IP range whose clients need not log in to submit it.',
    pickup: 'Pickup directory that it is a file of.',
    message: 'File with the message, for rules that look into it; its header and size count.',
  },
  run: async (invocation) => {
    const [sender, recipient] = invocation.args;
    const [account, range] = [textOption(invocation, 'as'), textOption(invocation, 'range')];
    const pickup = textOption(invocation, 'pickup');
    if ([account, range, pickup].filter((each) => each !== undefined).length > 1)
      throw new UsageError('--as, --range and --pickup exclude each other');
    const input = {
      sender,
      recipient,
      ...given('account', account),
      ...given('range', range),
      ...given('pickup', pickup),
      ...given('message', messageOption(invocation)),
    };
    const report = (await invocation.call('route.test', input)) as RouteTestReport;
    invocation.answer(report, showReport);
    return report.recipientReply.code < 400 && report.dataReply.code < 400 ? EXIT.ok : EXIT.failed;
  },
};

function messageOption(
  invocation: Invocation,
): { readonly start: string; readonly octets: number } | undefined {
  const file = textOption(invocation, 'message');
  if (file === undefined) return undefined;
  try {
    const descriptor = openSync(file, 'r');
    try {
      const start = Buffer.alloc(MESSAGE_START_LIMIT_OCTETS);
      const length = readSync(descriptor, start);
      return { start: start.subarray(0, length).toString('base64'), octets: fstatSync(descriptor).size };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new UsageError(`--message: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function showReport(report: RouteTestReport): string {
  const { sender, recipient, by, steps, recipientReply, dataReply, events, openRules, warnings } = report;
  const lines = [
    `A message from <${sender}> to <${recipient}>, handed over by ${by}.`,
    '',
    ...telling(steps).map((step, index) => `${`${index + 1}.`.padEnd(4)}${stepText(step)}`),
    '',
    `RCPT is answered ${replyText(recipientReply)}`,
    ...(recipientReply.code < 400 ? [`The message is answered ${replyText(dataReply)}`, ''] : []),
    ...outcomeLines(report),
    ...warnings.map((warning) => `warning: it would wait for ${warning}`),
    ...events
      .filter(({ kind }) => kind !== 'routed')
      .map(({ kind, fields }) => `  ${eventText(kind, fields)}`),
    ...(openRules.length === 0 || recipientReply.code >= 400
      ? []
      : [
          '',
          `These rules look into the message (--message FILE says what they do): ${openRules.join('; ')}.`,
        ]),
  ];
  return visibleText(`${lines.join('\n')}\n`);
}

/** That a smarthost's route leaves our own addresses alone is told once. */
function telling(steps: readonly Step[]): readonly Step[] {
  return steps.filter((step) => {
    const isOfOurs = step.kind === 'routePassedOver' && step.bar === 'ours';
    return !isOfOurs || step.address === steps[0]?.address;
  });
}

function replyText({ code, status, text, reason }: ExplainedReply): string {
  return `${code} ${status} ${text}${reason === undefined ? '' : ` (${reason})`}`;
}

function outcomeLines({ recipientReply, dataReply, copies, queued }: RouteTestReport): string[] {
  if (recipientReply.code >= 400 || dataReply.code >= 400) return [];
  if (copies.length === 0 && queued.length === 0) return ['Nothing is stored and nothing goes on.'];
  return [
    ...copies.map(({ account, mailbox, flags }) => {
      const marks = [...flags.keywords, ...(flags.system === 0 ? [] : [`flags ${flags.system}`])];
      return `A copy for ${account} in ${mailbox.join('/')}${marks.length === 0 ? '' : `, marked ${marks.join(' ')}`}.`;
    }),
    ...queued.map(({ recipient, nextHop, reversePath, forwardedFor }) => {
      const hop =
        nextHop.kind === 'relay' ? `the relay ${nextHop.name}` : `the drop directory ${nextHop.name}`;
      const onBehalf = forwardedFor === undefined ? '' : `, sent on for ${forwardedFor}`;
      return `To <${recipient}> by ${hop}, from <${reversePath}>${onBehalf}.`;
    }),
  ];
}

function stepText(step: Step): string {
  const { address } = step;
  switch (step.kind) {
    case 'routePassedOver':
      return `${address}: the route ${step.route} means it, but ${BARS[step.bar]}`;
    case 'routeTaken':
      return `${address}: the route ${step.route} (position ${step.position}) takes it: ${targetText(step.target)}`;
    case 'directoryRelay':
      return `${address}: not ours, so the relay ${step.relay} of the pickup directory ${step.directory} takes it`;
    case 'account': {
      const detail = step.detail === undefined ? '' : `, with the detail “${step.detail}”`;
      return `${address}: the account ${step.account}${detail}`;
    }
    case 'alias':
      return `${address}: the alias ${step.alias} for ${step.targets.join(', ')}`;
    case 'list':
      return `${address}: the list ${step.list} with ${step.members} members`;
    case 'catchAll':
      return `${address}: nobody's, so the domain's catch-all ${step.target}`;
    case 'rewrittenSender':
      return `${address}: stands for ${step.target}, whose mail was forwarded (SRS)`;
    case 'postmaster':
      return `${address}: nobody's, so server.postmaster or the postmaster of the default domain, ${step.target}`;
    case 'refused':
      return `${address}: ${refusalText(step.refusal)}`;
  }
}

const BARS: Readonly<Record<RouteBar, string>> = {
  submittersOnly: 'it is open to submitters only, and the sender has not logged in',
  senderRouted: 'the local part names a further way, and the sender has not logged in',
  ours: 'the address is ours: a route for * leads outside only what is not',
  relayRoutesOff: 'transfer.relayRoutes is off',
};

function targetText(target: Extract<Step, { kind: 'routeTaken' }>['target']): string {
  switch (target.kind) {
    case 'local':
      return `to ${target.address} here`;
    case 'relay':
      return `to the relay ${target.relay}`;
    case 'drop':
      return `to the drop directory ${target.directory}`;
    case 'refuse':
      return `refused${target.text === undefined ? '' : `, “${target.text}”`}`;
  }
}

function refusalText(refusal: Refusal): string {
  switch (refusal.reason) {
    case 'unknown':
      return "nobody's, refused";
    case 'disabled':
      return 'switched off, refused';
    case 'foreign':
      return 'not ours and no route takes it, refused';
    case 'relayRoutesOff':
      return 'only a route takes it that transfer.relayRoutes = "off" keeps from doing so, refused';
    case 'routeRefuses':
      return `refused by the route ${refusal.route}`;
    case 'mayNotPost':
      return `the list does not take ${refusal.bar}, refused`;
    case 'notForDirectory':
      return `not among the recipients of the pickup directory ${refusal.directory}, refused`;
  }
}

function eventText(kind: string, fields: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${kind} ${words.join(' ')}`;
}

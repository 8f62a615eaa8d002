/**
 * `hauspost relay list|show|test|login|hold|release|secret`: the next hops of mail that leaves (docs/SENDING.md).
 */

import { text } from 'node:stream/consumers';

import type { RelayCheck } from '../../transfer/relay.ts';
import type { LoginBegun, LoginState } from '../relayLogin.ts';
import type { RelaySecretReport } from '../relayOperations.ts';
import type { RelayReport } from '../relayReport.ts';
import type { RelayTrial } from '../relayTrial.ts';
import { relayFields, relayTable } from '../relayText.ts';
import { tellTrace } from '../traceStory.ts';
import { EXIT, type ExitCode, type Invocation, UsageError, type Verb } from '../verb.ts';
import { given, textOption } from './read.ts';

/** The verbs about relays. */
export const RELAY_VERBS: readonly Verb[] = [
  {
    words: ['relay', 'list'],
    usage: '',
    summary: 'Lists the relays: how each stands, what waits for it, and what it has taken today.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const reports = (await invocation.call('server.relay.list', {})) as readonly RelayReport[];
      invocation.answer(reports, relayTable);
      return EXIT.ok;
    },
  },
  {
    words: ['relay', 'show'],
    usage: 'NAME',
    summary: 'Shows a relay: how it is set up, how it stands and why, its limits, and what ends soon.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const report = (await invocation.call('server.relay.show', named(invocation))) as RelayReport;
      invocation.answer(report, relayFields);
      return EXIT.ok;
    },
  },
  {
    words: ['relay', 'test'],
    usage: 'NAME',
    summary:
      'Connects to a relay and logs in as for a message, without one, and tells each step; with --to a small real message goes by it.',
    options: { to: { type: 'string' }, from: { type: 'string' } },
    optionHelp: {
      to: 'Sends a message there by this relay, whatever routes say, and waits for what becomes of it.',
      from: 'Its sender; the mailbox that the relay logs in as unless given.',
    },
    run: async (invocation) => {
      const [to, from] = [textOption(invocation, 'to'), textOption(invocation, 'from')];
      if (to !== undefined) {
        const input = { ...named(invocation), to, ...given('from', from) };
        const trial = (await invocation.call('server.relay.try', input)) as RelayTrial;
        invocation.answer(trial, showTrial);
        return trial.outcome === 'relayed' ? EXIT.ok : EXIT.failed;
      }
      if (from !== undefined) throw new UsageError('--from needs --to');
      const check = (await invocation.call('server.relay.test', named(invocation))) as RelayCheck;
      invocation.answer(check, showCheck);
      return check.isReady ? EXIT.ok : EXIT.failed;
    },
  },
  {
    words: ['relay', 'login'],
    usage: 'NAME',
    summary:
      'Lets somebody log in for a relay with grant = "deviceCode": shows a page and a code to enter there, and waits.',
    options: {},
    optionHelp: {},
    run: logIn,
  },
  {
    words: ['relay', 'hold'],
    usage: 'NAME',
    summary: 'Holds a relay: what is for it waits and does not expire, until it is released.',
    options: { reason: { type: 'string' } },
    optionHelp: { reason: 'Why, for whoever looks at status.' },
    run: async (invocation) => {
      const input = { ...named(invocation), ...given('reason', textOption(invocation, 'reason')) };
      await invocation.call('relay.hold', input);
      invocation.answer({ ...input, isHeld: true }, ({ name }) => `${name} is held; mail for it waits.\n`);
      return EXIT.ok;
    },
  },
  {
    words: ['relay', 'release'],
    usage: 'NAME',
    summary: 'Lets a relay go on that is held, by an administrator or for its trouble, and tries it at once.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = named(invocation);
      await invocation.call('relay.release', input);
      invocation.answer({ ...input, isHeld: false }, ({ name }) => `${name} goes on.\n`);
      return EXIT.ok;
    },
  },
  {
    words: ['relay', 'secret'],
    usage: 'NAME',
    summary:
      'Reads the password or client secret of a relay from standard input and seals it in the store, for a relay that has none in a file.',
    options: { remove: { type: 'boolean' } },
    optionHelp: { remove: 'Takes it away.' },
    run: async (invocation) => {
      const input = named(invocation);
      const report =
        invocation.options.remove === true
          ? await invocation.call('relay.secret.remove', input)
          : await invocation.call('relay.secret.set', { ...input, secret: await readSecret(invocation) });
      invocation.answer(report as RelaySecretReport, ({ name, what, isSet }) =>
        isSet
          ? `The ${what} of ${name} is sealed in the store. \`hauspost relay test ${name}\` tries it.\n`
          : `${name} has no ${what} any more.\n`,
      );
      return EXIT.ok;
    },
  },
];

function named(invocation: Invocation): { readonly name: string } {
  return { name: (invocation.args[0] ?? '').toLowerCase() };
}

async function logIn(invocation: Invocation): Promise<ExitCode> {
  const input = named(invocation);
  const begun = (await invocation.call('server.relay.login', input)) as LoginBegun | LoginState;
  let state: LoginState = begun.kind === 'begun' ? { kind: 'pending' } : begun;
  if (begun.kind === 'begun')
    invocation.io.err.write(
      `Open ${begun.verificationUri} and enter ${begun.userCode}. Waiting for the login.\n`,
    );
  while (state.kind === 'pending')
    state = (await invocation.call('server.relay.login.state', input)) as LoginState;
  invocation.answer(state, showLogin);
  return state.kind === 'loggedIn' ? EXIT.ok : EXIT.failed;
}

function showLogin(state: LoginState): string {
  switch (state.kind) {
    case 'loggedIn':
      return `${state.user ?? 'Somebody'} has logged in; the login is sealed in the store.\n`;
    case 'refused':
      return `No login: ${state.reason}.\nTo do: ${state.advice}\n`;
    case 'unavailable':
      return `No login: ${state.reason}.\n`;
    case 'pending':
    case 'none':
      return 'No login is under way any more.\n';
  }
}

async function readSecret({ io }: Invocation): Promise<string> {
  if (io.in.isTTY === true) io.err.write('The secret, then Enter and Ctrl-D (it is shown as you type):\n');
  const secret = (await text(io.in)).split(/\r?\n/)[0] ?? '';
  if (secret === '') throw new UsageError('standard input has no secret in its first line');
  return secret;
}

function showTrial({ outcome, trace, standing }: RelayTrial): string {
  const reason = 'reason' in standing ? [standing.reason] : [];
  const advice = 'advice' in standing && standing.advice !== undefined ? [`To do: ${standing.advice}`] : [];
  const ends = {
    relayed: 'The relay has taken it.',
    failed: 'The relay has refused it.',
    waits: 'It waits in the queue, and leaves when the relay takes it.',
  };
  return `${tellTrace(trace)}${[...reason, ...advice, ends[outcome]].join('\n')}\n`;
}

/** The steps of a try, and whether it went well. */
export function showCheck({ isReady, steps, trouble }: RelayCheck): string {
  const advice = trouble !== undefined && 'advice' in trouble ? [`To do: ${trouble.advice}`] : [];
  const reason = trouble === undefined || steps.includes(trouble.reason) ? [] : [trouble.reason];
  const end = isReady ? 'It is ready to take mail.' : 'It is not ready.';
  return `${[...steps, ...reason, ...advice, end].join('\n')}\n`;
}

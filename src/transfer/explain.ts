/**
 * What would become of a message, and why: `route test`. Asks the code that RCPT and the end of the data ask, and nothing else,
 * so that what it says is what happens; it only listens to each step and stores nothing.
 *
 * Without a message at hand, rules are asked of one that has an empty header and no octets; which of them look into the
 * message is told, since they may decide otherwise about a real one. Called by admin.
 */

import type { UnixMs } from '../base/clock.ts';
import { asMailError, type MailError } from '../base/error.ts';
import type { AccountId } from '../base/ids.ts';
import { type MessageHeader, parseMessageHeader } from '../wire/mime/messageHeader.ts';
import type { MailboxName } from '../store/contract/mailboxes.ts';
import type { PlannedQueueItem } from '../store/contract/queue.ts';
import { checkRecipient } from './checkRecipient.ts';
import type { Submitter } from './contract.ts';
import type { Step } from './plan/findings.ts';
import { type Plan, plan } from './plan/plan.ts';
import type { PlanSurroundings } from './plan/surroundings.ts';

/** Whose message to whom. */
export interface RouteQuestion {
  /** Without angle brackets; empty for the null path. */
  readonly sender: string;
  readonly recipient: string;
  readonly submitter: Submitter;
  /** A message at hand: the octets that begin with its header, and how many it has in all. */
  readonly message?: { readonly start: Buffer; readonly octets: number } | undefined;
}

/** A reply as the other side would have it. */
export interface ExplainedReply {
  readonly code: number;
  readonly status: string;
  readonly text: string;
  /** For the administrator; absent where all is well. */
  readonly reason?: string;
}

/** What would happen. */
export interface RouteExplanation {
  /** RCPT's. */
  readonly recipientReply: ExplainedReply;
  /** On the way from the recipient of the envelope, in order. */
  readonly steps: readonly Step[];
  /** What the end of the data would be answered with. */
  readonly dataReply: ExplainedReply;
  readonly copies: readonly ExplainedCopy[];
  readonly queued: readonly PlannedQueueItem[];
  /** Rules that fit, forwards that are made or not, as the trace would tell them. */
  readonly events: readonly { readonly kind: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** Rules that look into the message, where none was given. */
  readonly openRules: readonly string[];
}

/** A copy that would be stored. */
export interface ExplainedCopy {
  readonly account: string;
  readonly mailbox: MailboxName;
  readonly flags: { readonly system: number; readonly keywords: readonly string[] };
}

/** Explains. Errors: the store's. */
export async function explain(
  surroundings: PlanSurroundings,
  question: RouteQuestion,
  at: UnixMs,
): Promise<RouteExplanation> {
  const { sender: reversePath, recipient, submitter, message } = question;
  const octets = message?.octets ?? 0;
  const verdict = await checkRecipient(surroundings, async () => undefined, recipient, {
    reversePath,
    submitter,
    octets,
  });
  const steps: Step[] = [];
  const watched = watch(surroundings);
  const planned = await attempt(() =>
    plan(watched.surroundings, {
      envelope: { reversePath, recipients: [recipient] },
      submitter,
      header: headerOf(message?.start),
      octets,
      at,
      onStep: (step) => steps.push(step),
    }),
  );
  const recipientReply =
    verdict.kind === 'accepted' ? reply(250, '2.1.5', 'Recipient ok') : refusal(verdict.error);
  const isPlanned = !(planned instanceof Error);
  return {
    recipientReply,
    steps,
    dataReply: isPlanned ? reply(250, '2.0.0', 'Queued') : refusal(planned),
    copies: isPlanned ? copiesOf(planned, watched.addresses) : [],
    queued: isPlanned ? planned.queued : [],
    events: isPlanned ? planned.events.map(({ kind, fields }) => ({ kind, fields })) : [],
    openRules: message === undefined ? await openRulesOf(surroundings, watched.addresses) : [],
  };
}

async function attempt(run: () => Promise<Plan>): Promise<Plan | MailError> {
  try {
    return await run();
  } catch (error) {
    return asMailError(error);
  }
}

function headerOf(start: Buffer | undefined): MessageHeader {
  return parseMessageHeader(start ?? Buffer.from('\r\n'), true);
}

/** The same surroundings, and the addresses of the accounts that were looked at. */
function watch(surroundings: PlanSurroundings) {
  const addresses = new Map<AccountId, string>();
  const directory: PlanSurroundings['directory'] = {
    domains: () => surroundings.directory.domains(),
    findDomain: (name) => surroundings.directory.findDomain(name),
    async resolve(address) {
      const found = await surroundings.directory.resolve(address);
      if (found.kind === 'account') addresses.set(found.account.id, found.account.address);
      return found;
    },
  };
  return { addresses, surroundings: { ...surroundings, directory } };
}

function copiesOf({ copies }: Plan, addresses: ReadonlyMap<AccountId, string>): ExplainedCopy[] {
  return copies.map(({ accountId, mailbox, flags }) => ({
    account: addresses.get(accountId) ?? '',
    mailbox: mailbox ?? ['INBOX'],
    flags: flags ?? { system: 0, keywords: [] },
  }));
}

async function openRulesOf(
  { tables, routing }: PlanSurroundings,
  addresses: ReadonlyMap<AccountId, string>,
): Promise<string[]> {
  const { globalRules } = await tables();
  const rules = [...globalRules];
  for (const id of addresses.keys()) rules.push(...(await routing.rules(id)));
  return rules
    .filter(({ isEnabled, conditions }) => isEnabled && conditions.length > 0)
    .map(({ name, account }) => (account === undefined ? name : `${account}: ${name}`));
}

function reply(code: number, status: string, text: string): ExplainedReply {
  return { code, status, text };
}

function refusal(error: MailError): ExplainedReply {
  const { smtp, publicText } = error.reply;
  return { ...reply(smtp.code, smtp.status, publicText), reason: error.message };
}

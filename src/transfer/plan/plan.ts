/**
 * The plan of a message: who gets a copy, what goes to next hops, what the trace is to tell. Made once, at the end of the data,
 * with the directory as it is then.
 *
 * Global rules come first, then each recipient of the envelope (expansion.ts), then rules and forward of each account that it
 * reaches (deliveries.ts), then quota (quota.ts). A recipient that leads to nobody any more gets nothing, of which the sender is
 * told; when that is so for all of them, the message is refused. That rules delete it is no refusal.
 */

import type { UnixMs } from '../../base/clock.ts';
import { MailError } from '../../base/error.ts';
import { yieldTurn } from '../../base/pacer.ts';
import type { MessageHeader } from '../../wire/mime/messageHeader.ts';
import type { PlannedCopy } from '../../store/contract/deliveries.ts';
import type { PlannedQueueItem } from '../../store/contract/queue.ts';
import type { TraceEvent } from '../../store/contract/trace.ts';
import { parseAddress } from '../../accounts/address.ts';
import type { Envelope, Submitter } from '../contract.ts';
import { deliveredTo } from '../loops.ts';
import {
  type DeliveredMessage,
  type Deliveries,
  follow,
  isFulfilled,
  noDeliveries,
  type WayOutcome,
} from './deliveries.ts';
import { directoryBar, type RefusedRecipient, refusedForAll } from './directories.ts';
import { createDomainNames } from './domainNames.ts';
import { type Refusal, refusalError, type Step, worstOf } from './findings.ts';
import { factsOf } from './messageFacts.ts';
import { findFull, type UndeliveredRecipient } from './quota.ts';
import { askRules, type RuleOutcome } from './rules.ts';
import { createSender } from './sender.ts';
import type { PlanSurroundings } from './surroundings.ts';

/** Recipients in one turn of the event loop, some milliseconds. */
const RECIPIENTS_PER_TURN = 50;

/** Targets that lead to nobody and are logged, of one recipient: a list may have thousands. */
const DANGLING_LOG_LIMIT = 10;

/** What is known of a message at the end of its data. */
export interface MessageToPlan {
  readonly envelope: Envelope;
  readonly submitter: Submitter;
  /** Whether this server itself wrote it, and routes take it as they take what administrators have sent on. */
  readonly isOfHouse?: boolean;
  /** Whether a copy stays where a forward would leave none. */
  readonly keepsCopies?: boolean;
  /** As it is stored. */
  readonly header: MessageHeader;
  /** Of the message as it came. */
  readonly octets: number;
  readonly at: UnixMs;
  /** Hears each step, for whoever wants to know why. */
  readonly onStep?: (step: Step) => void;
}

/** What is to be done with a message. */
export interface Plan {
  /** One for each account at most; those of full recipients among them. */
  readonly copies: readonly PlannedCopy[];
  readonly queued: readonly PlannedQueueItem[];
  readonly events: readonly TraceEvent[];
  /** Recipients that cannot have the message, whom the sender is to be told of. */
  readonly undelivered: readonly UndeliveredRecipient[];
  /** Recipients that have it, of which the sender wants to be told (NOTIFY=SUCCESS), and no next hop tells. */
  readonly delivered: readonly { readonly recipient: string; readonly isExpanded: boolean }[];
}

/** Plans a message. Errors: `mailLoop`, a recipient's refusal when none is left, `overQuota` when all are full, the store's. */
export async function plan(surroundings: PlanSurroundings, planned: MessageToPlan): Promise<Plan> {
  const message = await messageOf(surroundings, planned);
  await refuseBarred(message, planned);
  const deliveries = noDeliveries();
  noteRules(message.global, deliveries);
  const undelivered: UndeliveredRecipient[] = [];
  if (!(await isDeletedByGlobalRules(message, deliveries, planned))) {
    const refused: RefusedRecipient[] = [];
    for (const [index, recipient] of planned.envelope.recipients.entries()) {
      if (index % RECIPIENTS_PER_TURN === RECIPIENTS_PER_TURN - 1) await yieldTurn();
      message.refuseLoop(recipient);
      const refusal = await deliverTo(message, deliveries, recipient, planned.isOfHouse === true);
      if (refusal === undefined) continue;
      refused.push({ recipient, refusal });
      undelivered.push({ recipient, error: refusalError(refusal), accounts: new Set() });
    }
    const worst = worstOf(refused.map(({ refusal }) => refusal));
    if (worst !== undefined && refused.length === planned.envelope.recipients.length)
      throw planned.submitter.kind === 'directory' ? refusedForAll(refused) : refusalError(worst);
    undelivered.push(...(await findFull(surroundings, deliveries, planned)));
  }
  return {
    copies: [...deliveries.copies.values()].map(({ copy }) => copy),
    queued: [...deliveries.queued.values()],
    events: deliveries.events.map((event) => ({ ...event, at: planned.at })),
    undelivered,
    delivered: successesOf(planned.envelope, deliveries, undelivered),
  };
}

/** A file none of whose recipients its directory may send to goes nowhere, not where a rule for all mail would send it either. */
async function refuseBarred(
  message: DeliveredMessage,
  { envelope, submitter }: MessageToPlan,
): Promise<void> {
  if (submitter.kind !== 'directory') return;
  const { surroundings, domainNames } = message;
  const refused: RefusedRecipient[] = [];
  for (const recipient of envelope.recipients) {
    const refusal = await directoryBar(surroundings, domainNames, submitter.directory, recipient);
    if (refusal === undefined) return;
    refused.push({ recipient, refusal });
  }
  for (const { refusal } of refused) message.onStep?.({ kind: 'refused', address: refusal.address, refusal });
  throw refusedForAll(refused);
}

/** RFC 3461 sections 5.2.2 and 5.2.7: what is delivered here, and aliases that lead to several. */
function successesOf(
  { recipients, dsn }: Envelope,
  { ways }: Deliveries,
  undelivered: readonly UndeliveredRecipient[],
): Plan['delivered'] {
  if (dsn === undefined) return [];
  return recipients.flatMap((recipient) => {
    const way = ways.get(recipient);
    const isWanted = dsn.recipients.get(recipient)?.notify?.includes('SUCCESS') === true;
    if (!isWanted || way === undefined || !isFulfilled(way) || way.isSuccessPassedOn) return [];
    if (undelivered.some((other) => other.recipient === recipient)) return [];
    return [{ recipient, isExpanded: way.isQueued }];
  });
}

async function messageOf(surroundings: PlanSurroundings, planned: MessageToPlan): Promise<DeliveredMessage> {
  const { envelope, submitter, header, octets, onStep } = planned;
  const { reversePath } = envelope;
  const tables = await surroundings.tables();
  const domainNames = createDomainNames(surroundings.directory);
  const facts = factsOf(header, reversePath, octets);
  const before = new Set(deliveredTo(header).map(normalized));
  return {
    surroundings,
    tables,
    domainNames,
    sender: createSender(surroundings, domainNames, { reversePath, submitter }),
    followed: new Map(),
    facts,
    global: askRules(tables.globalRules, facts),
    dsn: envelope.dsn,
    isSmtpUtf8: envelope.isSmtpUtf8 === true,
    isSubmitted: submitter.kind !== 'anyone',
    keepsCopies: planned.keepsCopies === true,
    ...(onStep === undefined ? {} : { onStep }),
    refuseLoop(address) {
      if (before.size > 0 && before.has(normalized(address)))
        throw new MailError('mailLoop', `it was delivered to ${address} before (Delivered-To)`);
    },
  };
}

function noteRules({ fitting, failed }: RuleOutcome, { events }: Deliveries): void {
  for (const rule of fitting) events.push({ kind: 'ruled', fields: { rule } });
  for (const { rule, reason } of failed) events.push({ kind: 'ruled', fields: { rule, failed: reason } });
}

/** Forwards what the global rules want forwarded; answers whether nothing else is to be done. */
async function isDeletedByGlobalRules(
  message: DeliveredMessage,
  deliveries: Deliveries,
  { envelope }: MessageToPlan,
): Promise<boolean> {
  const { global, sender } = message;
  const { reversePath } = sender;
  let isForwarded = true;
  for (const { rule, address } of global.forwards) {
    const way = { key: `> ${address}`, path: address, isOfHouse: true, reversePath, dsn: 'none' } as const;
    const outcome = await follow(message, deliveries, way, envelope.recipients[0] ?? address);
    const reason = worstOf(outcome.refusals)?.reason ?? 'loop';
    const fields = { target: address, rule };
    isForwarded &&= isFulfilled(outcome);
    deliveries.events.push(
      isFulfilled(outcome)
        ? { kind: 'forwarded', fields }
        : { kind: 'notForwarded', fields: { ...fields, reason } },
    );
  }
  return global.deletedBy !== undefined && isForwarded;
}

async function deliverTo(
  message: DeliveredMessage,
  deliveries: Deliveries,
  recipient: string,
  isOfHouse: boolean,
): Promise<Refusal | undefined> {
  const { reversePath } = message.sender;
  const way = { key: recipient, path: recipient, isOfHouse, reversePath, dsn: 'all' } as const;
  const outcome = await follow(message, deliveries, way, recipient);
  logDangling(message, recipient, outcome);
  if (isFulfilled(outcome)) return undefined;
  const refusal = worstOf(outcome.refusals) ?? { address: recipient, reason: 'unknown' };
  deliveries.events.push({ kind: 'refused', fields: { recipient, reason: refusal.reason } });
  return refusal;
}

/** Targets of aliases and members of lists that nobody receives: the administrator's to mend, the others have their copy. */
function logDangling({ surroundings }: DeliveredMessage, recipient: string, { refusals }: WayOutcome): void {
  const dangling = refusals.filter(({ address }) => address !== normalized(recipient));
  for (const { address, reason } of dangling.slice(0, DANGLING_LOG_LIMIT))
    surroundings.log.warn('transfer.alias.dangling', { recipient, target: address, reason });
}

function normalized(address: string): string {
  const parsed = parseAddress(address);
  return parsed.kind === 'address' ? parsed.address : address.toLowerCase();
}

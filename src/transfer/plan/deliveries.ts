/**
 * What becomes of a message at each account that it reaches: rules, then the forward, then the copy; and what goes to next hops.
 *
 * Invariants: an account is reached once, whatever leads to it, and has one copy at most. NEVER LOSE A MESSAGE: a copy is left out
 * only where a rule deletes it or where everything that was to go on instead did; a loop, a chain that is too long, a forward
 * that cannot be relayed or leads back to the sender leave the copy where it is.
 * RFC 5321 section 3.9.1: what is forwarded keeps its reverse path, unless senders are rewritten (senderRewriting.ts).
 */

import type { AccountId } from '../../base/ids.ts';
import type { Account } from '../../store/contract/directory.ts';
import type { PlannedCopy } from '../../store/contract/deliveries.ts';
import type { PlannedQueueItem } from '../../store/contract/queue.ts';
import type { TraceEvent } from '../../store/contract/trace.ts';
import { expand, type ExpandedMessage, type Way } from './expansion.ts';
import { type Finding, type Passed, type Refusal, worstOf } from './findings.ts';
import type { MessageFacts } from './messageFacts.ts';
import { parsePath } from './parsePath.ts';
import { type QueuedMessage, queueItem } from './queueItem.ts';
import { askRules, mergeFlags, NO_RULES, type RuleOutcome } from './rules.ts';

/** Forwards in a row; more are a loop that nothing else has found. */
export const FORWARD_DEPTH_LIMIT = 10;

/** Addresses of one alias or list that are told of when they have nothing; the last one counts the others. */
const MISSED_LIMIT = 5;

/** What happened, without its time. */
export type PlanEvent = Omit<TraceEvent, 'at'>;

/** What a way came to. */
export interface WayOutcome {
  /** Accounts that it led to. */
  readonly accounts: Set<AccountId>;
  /** Something of it goes to a next hop. */
  isQueued: boolean;
  /** A next hop has been asked to tell of success. */
  isSuccessPassedOn: boolean;
  /** It has been followed to its end. */
  isOver: boolean;
  /** Some of it came back to an account that it was forwarded by, or to an alias or list that is being followed. */
  isLoop: boolean;
  readonly refusals: Refusal[];
}

/** What was planned so far. */
export interface Deliveries {
  readonly copies: Map<AccountId, { readonly account: Account; readonly copy: PlannedCopy }>;
  /** By recipient and reverse path. */
  readonly queued: Map<string, PlannedQueueItem>;
  readonly events: PlanEvent[];
  /** By key of the way. */
  readonly ways: Map<string, WayOutcome>;
  /** Accounts whose copy stands for that of another, which passed it on. */
  readonly heirs: Set<AccountId>;
  /** Accounts whose rules are asked or whose forward is followed, and those that are done. */
  readonly reached: Map<AccountId, 'under way' | 'done'>;
}

/** The message that is delivered. */
export interface DeliveredMessage extends ExpandedMessage, QueuedMessage {
  readonly facts: MessageFacts;
  /** What the global rules want. */
  readonly global: RuleOutcome;
  /** Whether a copy stays where a forward would leave none. */
  readonly keepsCopies: boolean;
  /** Told of every account that is reached. Errors: a mail loop. */
  refuseLoop(address: string): void;
}

/** Nothing yet. */
export function noDeliveries(): Deliveries {
  return {
    copies: new Map(),
    queued: new Map(),
    events: [],
    ways: new Map(),
    heirs: new Set(),
    reached: new Map(),
  };
}

/** Mail under way: from which recipient of the envelope, and through which accounts it was forwarded. */
interface Passage {
  readonly recipient: string;
  readonly forwardedBy: readonly Account[];
}

/** Follows a recipient of the envelope, or a forward of the global rules. Errors: the store's, `internal`, a mail loop. */
export async function follow(
  message: DeliveredMessage,
  planned: Deliveries,
  way: Way,
  recipient: string,
): Promise<WayOutcome> {
  return followWay(message, planned, way, { recipient, forwardedBy: [] });
}

async function followWay(
  message: DeliveredMessage,
  planned: Deliveries,
  way: Way,
  passage: Passage,
): Promise<WayOutcome> {
  const known = planned.ways.get(way.key);
  if (known !== undefined) return known;
  const outcome: WayOutcome = {
    accounts: new Set(),
    isQueued: false,
    isSuccessPassedOn: false,
    isOver: false,
    isLoop: false,
    refusals: [],
  };
  planned.ways.set(way.key, outcome);
  for await (const found of expand(message, way)) await take(message, planned, outcome, found, passage);
  outcome.isOver = true;
  noteMissed(planned, outcome, passage);
  return outcome;
}

/** Tells of those of an alias or list that have nothing while others of it have the message: nobody else hears of them. */
function noteMissed({ events }: Deliveries, outcome: WayOutcome, { recipient }: Passage): void {
  const { refusals } = outcome;
  if (!isFulfilled(outcome) || refusals.length === 0) return;
  for (const { address, reason } of refusals.slice(0, MISSED_LIMIT))
    events.push({ kind: 'notForwarded', fields: { recipient, target: address, reason } });
  const more = refusals.length - MISSED_LIMIT;
  const last = events.at(-1);
  if (more > 0 && last !== undefined)
    events.splice(-1, 1, { ...last, fields: { ...last.fields, moreTargets: more } });
}

async function take(
  message: DeliveredMessage,
  planned: Deliveries,
  outcome: WayOutcome,
  found: Finding,
  passage: Passage,
): Promise<void> {
  switch (found.kind) {
    case 'account':
      if (await reach(message, planned, found, passage)) outcome.accounts.add(found.account.id);
      else outcome.isLoop = true;
      return;
    case 'nextHop': {
      const forwardedFor = passage.forwardedBy.at(-1)?.address;
      const reversePath = await senderOf(message, found, forwardedFor);
      const item = queueItem(message, { ...found, reversePath }, passage.recipient, forwardedFor);
      const key = `${item.recipient} ${item.reversePath}`;
      if (!planned.queued.has(key)) {
        planned.queued.set(key, item);
        const { recipient } = passage;
        const to = recipient === item.recipient ? {} : { to: item.recipient };
        planned.events.push({ kind: 'routed', fields: { recipient, ...to, ...found.chosenBy } });
      }
      outcome.isQueued = true;
      outcome.isSuccessPassedOn ||= found.dsn === 'all';
      return;
    }
    case 'sameAs': {
      const same = planned.ways.get(found.key);
      for (const id of same?.accounts ?? []) outcome.accounts.add(id);
      outcome.isLoop ||= same?.isOver !== true;
      outcome.isQueued ||= same?.isQueued === true;
      outcome.isSuccessPassedOn ||= same?.isSuccessPassedOn === true;
      return;
    }
    case 'refusal':
      outcome.refusals.push(found.refusal);
      return;
    case 'list':
      return;
  }
}

/** RFC 5321 section 3.9.1 keeps it; where senders are rewritten, a foreign one that is forwarded to another server gets ours. */
async function senderOf(
  { surroundings: { senderRewriting, directory } }: DeliveredMessage,
  { nextHop, reversePath }: Extract<Finding, { kind: 'nextHop' }>,
  forwardedFor: string | undefined,
): Promise<string> {
  const parsed = parsePath(reversePath);
  if (senderRewriting === undefined || forwardedFor === undefined) return reversePath;
  if (nextHop.kind !== 'relay' || parsed.kind !== 'address') return reversePath;
  if ((await directory.findDomain(parsed.domain)) !== undefined) return reversePath;
  return senderRewriting.rewrite(reversePath, forwardedFor);
}

/** Whether the message is in good hands at the account: false only where it is on its way through it already. */
async function reach(
  message: DeliveredMessage,
  planned: Deliveries,
  { account, reversePath, dsn }: Extract<Finding, { kind: 'account' }>,
  passage: Passage,
): Promise<boolean> {
  const { reached, heirs, copies, events } = planned;
  if (passage.forwardedBy.length > 0) heirs.add(account.id);
  const before = reached.get(account.id);
  if (before !== undefined) return before === 'done';
  message.refuseLoop(account.address);
  reached.set(account.id, 'under way');
  const wanted = await rulesOf(message, account, passage.recipient, events);
  if (!(await isPassedOn(message, planned, { account, reversePath, dsn, passage }, wanted))) {
    const { mailbox, flags } = wanted;
    const isFlagged = flags.system !== 0 || flags.keywords.length > 0;
    const copy: PlannedCopy = {
      accountId: account.id,
      recipient: passage.recipient,
      ...(mailbox === undefined ? {} : { mailbox }),
      ...(isFlagged ? { flags } : {}),
    };
    copies.set(account.id, { account, copy });
  }
  reached.set(account.id, 'done');
  return true;
}

/** What the account's rules want, and the global ones where the account's want nothing else. */
async function rulesOf(
  { surroundings, facts, global }: DeliveredMessage,
  { id, address }: Account,
  recipient: string,
  events: PlanEvent[],
): Promise<RuleOutcome> {
  if (global.isEnded) return { ...global, forwards: [], deletedBy: undefined };
  const rules = await surroundings.routing.rules(id);
  const own = rules.length === 0 ? NO_RULES : askRules(rules, facts);
  for (const rule of own.fitting)
    events.push({ kind: 'ruled', fields: { recipient, rule, account: address } });
  for (const { rule, reason } of own.failed)
    events.push({ kind: 'ruled', fields: { recipient, rule, account: address, failed: reason } });
  return { ...own, mailbox: own.mailbox ?? global.mailbox, flags: mergeFlags(global.flags, own.flags) };
}

/** A message at an account, about to be passed on. */
interface Arrival extends Passed {
  readonly account: Account;
  readonly passage: Passage;
}

/** Where an account's mail goes on to. */
interface Onward {
  readonly target: string;
  readonly rule?: string;
  /** Nothing else becomes of the message here (RFC 3461 section 5.2.7.2). */
  readonly isOnly: boolean;
}

/** Forwards as rules and the account's forward say; answers whether no copy is to be kept. */
async function isPassedOn(
  message: DeliveredMessage,
  planned: Deliveries,
  arrival: Arrival,
  { forwards, deletedBy }: RuleOutcome,
): Promise<boolean> {
  const byRules = forwards.map(({ address, rule }) => ({ target: address, rule, isOnly: false }));
  const isForwarded = await areForwarded(message, planned, arrival, byRules);
  if (deletedBy !== undefined) return isForwarded;
  const forward = await message.surroundings.routing.forwardOf(arrival.account.id);
  if (forward === undefined || !forward.isEnabled || forward.targets.length === 0) return false;
  const isOnly = forward.targets.length === 1 && !forward.keepsCopy;
  const targets = forward.targets.map((target) => ({ target, isOnly }));
  return (
    (await areForwarded(message, planned, arrival, targets)) && !forward.keepsCopy && !message.keepsCopies
  );
}

/** Forwards to each; answers whether it could be done with all. */
async function areForwarded(
  message: DeliveredMessage,
  planned: Deliveries,
  arrival: Arrival,
  targets: readonly Onward[],
): Promise<boolean> {
  let isForwarded = true;
  for (const target of targets)
    isForwarded = (await forwardTo(message, planned, arrival, target)) && isForwarded;
  return isForwarded;
}

async function forwardTo(
  message: DeliveredMessage,
  planned: Deliveries,
  { account, reversePath, dsn, passage }: Arrival,
  { target, rule, isOnly }: Onward,
): Promise<boolean> {
  const fields = {
    recipient: passage.recipient,
    account: account.address,
    target,
    ...(rule === undefined ? {} : { rule }),
  };
  const fail = (reason: string) => {
    planned.events.push({ kind: 'notForwarded', fields: { ...fields, reason } });
    return false;
  };
  const bar = await forwardBar(message, target, passage.forwardedBy.length);
  if (bar !== undefined) return fail(bar);
  const way: Way = {
    key: `${account.address} > ${target}`,
    path: target,
    isOfHouse: true,
    reversePath,
    dsn: dsn === 'all' && !isOnly ? 'withoutSuccess' : dsn,
  };
  const outcome = await followWay(message, planned, way, {
    recipient: passage.recipient,
    forwardedBy: [...passage.forwardedBy, account],
  });
  if (!outcome.isOver || !isFulfilled(outcome)) return fail(worstOf(outcome.refusals)?.reason ?? 'loop');
  planned.events.push({ kind: 'forwarded', fields });
  // Whoever is among those that an own forward leads to is meant too, and has nothing but the copy.
  return !outcome.isLoop;
}

/** Whether a way led anywhere. */
export function isFulfilled({ accounts, isQueued }: WayOutcome): boolean {
  return accounts.size > 0 || isQueued;
}

async function forwardBar(
  { sender, domainNames }: DeliveredMessage,
  target: string,
  depth: number,
): Promise<string | undefined> {
  if (depth >= FORWARD_DEPTH_LIMIT) return 'chainTooLong';
  const to = parsePath(target);
  const from = parsePath(sender.reversePath);
  if (to.kind !== 'address' || from.kind !== 'address') return undefined;
  const isBack = to.localPart === from.localPart && (await domainNames(to.domain)).includes(from.domain);
  return isBack ? 'backToSender' : undefined;
}

/**
 * One attempt: a transaction is made ready, goes through the relay once, and its outcomes become results for the queue.
 *
 * It always ends: the relay is told to stop at the deadline and at the server's end, and one that does not even then is given up.
 * Never rejects, and settles nothing itself: the scheduler commits the results right after it.
 */

import type { Clock, Timer, UnixMs } from '../base/clock.ts';
import { asMailError, MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { MINUTE_MS } from '../base/units.ts';
import type { Contents } from '../store/contract/contents.ts';
import type { NextHop } from '../store/contract/queue.ts';
import type { HopTrouble, RecipientOutcome, Relay, RelayedMessage, RelayResult } from '../transfer/relay.ts';
import { type ContentFault, prepareDeparture } from './departure.ts';
import type { Transaction } from './grouping.ts';
import { ABORT_GRACE_MS, ATTEMPT_DEADLINE_MS } from './limits.ts';
import { resultOf, type Undecided } from './outcome.ts';
import type { RetrySchedule } from './schedule.ts';
import type { ItemResult } from './settling.ts';

/** What an attempt needs. */
export interface AttemptSurroundings {
  readonly nextHop: NextHop;
  readonly contents: Pick<Contents, 'open'>;
  readonly schedule: RetrySchedule;
  readonly random: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

/** How an attempt ended. */
export interface AttemptEnd {
  /** One for each item of the transaction. */
  readonly results: readonly ItemResult[];
  /** Recipients that the hop has taken. */
  readonly relayed: number;
  readonly trouble: HopTrouble | undefined;
  /** Whether the hop said something of the message. */
  readonly isAnswered: boolean;
  readonly endedAt: UnixMs;
}

/** Tries once. `closing` ends it because the server ends. */
export async function attempt(
  surroundings: AttemptSurroundings,
  relay: Relay,
  transaction: Transaction,
  closing: AbortSignal,
): Promise<AttemptEnd> {
  const { clock, nextHop, schedule, random } = surroundings;
  const departure = await prepareDeparture(surroundings.contents, transaction);
  const { message, items, stopped } = departure;
  const trial: Trial =
    message === undefined
      ? { result: { outcomes: [] }, isLate: false }
      : await relayOnce(surroundings, relay, message, closing);
  const { outcomes, trouble } = trial.result;
  const fault = departure.fault();
  if (fault?.kind === 'damaged')
    surroundings.log.error('outbound.content.damaged', { trace: transaction.items[0]?.traceId, ...fault });
  const endedAt = clock.now();
  // One draw for all: who was deferred together leaves together again. Graph carries a message only for all whom its header names.
  const draw = random();
  const undecided = undecidedBy(fault, trial, closing);
  const facts = { nextHop, endedAt, schedule, random: () => draw, undecided };
  const byItem = new Map(items.map(({ id }, index) => [id, outcomes[index]]));
  const results = transaction.items.map((item) => {
    const said = stopped.get(item.id) ?? byItem.get(item.id) ?? { kind: 'untried' };
    return resultOf(item, fault === undefined ? said : withoutContent(said, fault), facts);
  });
  return {
    results,
    relayed: outcomes.filter(({ kind }) => kind === 'relayed').length,
    trouble: fault === undefined ? trouble : undefined,
    isAnswered: outcomes.some(({ kind }) => kind !== 'untried' && kind !== 'held'),
    endedAt,
  };
}

interface Trial {
  readonly result: RelayResult;
  /** Whether it was ended by the deadline. */
  readonly isLate: boolean;
}

async function relayOnce(
  { clock, log, nextHop }: AttemptSurroundings,
  relay: Relay,
  message: RelayedMessage,
  closing: AbortSignal,
): Promise<Trial> {
  const ending = new AbortController();
  const givenUp = Promise.withResolvers<never>();
  let grace: Timer | undefined;
  const end = () => {
    ending.abort();
    grace ??= clock.after(ABORT_GRACE_MS, () =>
      givenUp.reject(
        new MailError('deadlineExceeded', `${relay.name} did not end an attempt that was ended`),
      ),
    );
  };
  let isLate = false;
  const deadline = clock.after(ATTEMPT_DEADLINE_MS, () => {
    isLate = true;
    end();
  });
  closing.addEventListener('abort', end, { once: true });
  if (closing.aborted) end();
  try {
    const result = await Promise.race([relay.relay(message, ending.signal), givenUp.promise]);
    return { result, isLate };
  } catch (error) {
    // A relay never rejects and always ends; one that does otherwise has a fault, and what became of the message is unknown.
    log.error('outbound.relay.fault', { [nextHop.kind]: nextHop.name, trace: message.traceId, error });
    const reply = `The relay failed: ${asMailError(error).message}`;
    const outcome: RecipientOutcome = { kind: 'deferred', status: '4.3.0', reply };
    return { result: { outcomes: message.recipients.map(() => outcome) }, isLate };
  } finally {
    deadline.clear();
    grace?.clear();
    closing.removeEventListener('abort', end);
  }
}

function undecidedBy(
  fault: ContentFault | undefined,
  { result, isLate }: Trial,
  closing: AbortSignal,
): Undecided {
  if (fault !== undefined) return { kind: 'ownFault', reason: fault.reason };
  if (result.trouble !== undefined) return { kind: 'trouble', trouble: result.trouble };
  if (isLate) return { kind: 'deadline', minutes: ATTEMPT_DEADLINE_MS / MINUTE_MS };
  return closing.aborted ? { kind: 'closing' } : { kind: 'noReason' };
}

/** A damaged copy will not be better the next time; whoever has the message already has it. */
function withoutContent(outcome: RecipientOutcome, { kind, reason }: ContentFault): RecipientOutcome {
  if (outcome.kind === 'relayed' || outcome.kind === 'failed') return outcome;
  return kind === 'damaged' ? { kind: 'held', reason } : { kind: 'untried' };
}

/**
 * Messages within a minute: for each submitter the times of those that it has handed over, in memory.
 *
 * A place is taken when a message begins, so that many sessions at once do not get more than is allowed, and given back when
 * the message is refused: nothing counts twice. A restart forgets, which lets through a minute's worth at most.
 * Bounded: some times for each submitter, of whom there are as many as accounts and ranges; who was silent is forgotten.
 */

import type { Clock } from '../../base/clock.ts';
import { MailError } from '../../base/error.ts';
import { MINUTE_MS } from '../../base/units.ts';
import type { SubmissionPolicy } from './policy.ts';

/** How many submitters there are before those are looked for who were silent for a minute. */
const SWEEP_AT = 1000;

/** A place taken. */
export interface RatePlace {
  /** The message was refused; may be called once. */
  giveBack(): void;
}

/** Counts messages. */
export interface Rates {
  /** Refuses a submitter that has no place left. Errors: `sendingLimit`. */
  check(policy: SubmissionPolicy): void;
  /** Takes a place. Errors: `sendingLimit`. */
  take(policy: SubmissionPolicy): RatePlace;
}

/** Counts by this clock. */
export function createRates(clock: Pick<Clock, 'monotonic'>): Rates {
  /** Times of places taken, the oldest first. */
  const taken = new Map<string, number[]>();
  let sweepAt = SWEEP_AT;
  const recent = (name: string): number[] => {
    const since = clock.monotonic() - MINUTE_MS;
    const times = (taken.get(name) ?? []).filter((at) => at > since);
    if (times.length === 0) taken.delete(name);
    else taken.set(name, times);
    return times;
  };
  const check = ({ name, publicName, messagesPerMinuteLimit: limit }: SubmissionPolicy): void => {
    if (limit === 0 || recent(name).length < limit) return;
    throw new MailError('sendingLimit', `${name} has sent ${limit} messages within a minute`, {
      publicText: `More than ${limit} messages within a minute by ${publicName}, please try again later`,
    });
  };
  return {
    check,
    take(policy) {
      check(policy);
      if (policy.messagesPerMinuteLimit === 0) return { giveBack: () => {} };
      const at = clock.monotonic();
      const times = taken.get(policy.name) ?? [];
      times.push(at);
      taken.set(policy.name, times);
      if (taken.size > sweepAt) {
        for (const name of [...taken.keys()]) recent(name);
        sweepAt = Math.max(SWEEP_AT, 2 * taken.size);
      }
      return {
        giveBack() {
          const now = taken.get(policy.name);
          const index = now?.indexOf(at) ?? -1;
          if (index >= 0) now?.splice(index, 1);
        },
      };
    },
  };
}

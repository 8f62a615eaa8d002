/**
 * Whether the store has room for a message, as it was a moment ago: a message to a thousand recipients asks a thousand times.
 *
 * Asked before the data: the reserve stays free, and twice the message fits beside it, so that a message that is let in does not
 * fail for its own size. One that does not say how large it is may be as large as any.
 */

import type { Clock } from '../base/clock.ts';
import type { MailErrorCode } from '../base/error.ts';
import { SECOND_MS } from '../base/units.ts';
import type { Store, StoreHealth } from '../store/contract/store.ts';

/** How old an answer may be. A disk that has room again is noticed in no more time. */
const ANSWER_AGE_MS = SECOND_MS;
/** Room asked for per octet of a message: it is written to the log of the database first, then to its place. */
const ROOM_FACTOR = 2;

/** What is known of the room. */
export interface FreeSpaceOptions {
  readonly store: Pick<Store, 'health'>;
  readonly clock: Clock;
  /** Octets that stay free; the store reports itself unhealthy below. */
  readonly reserveOctets: number;
  /** Octets of the largest message. */
  readonly sizeLimitOctets: number;
}

/** Looks at the room for a message of `octets`, of unknown size where that is 0; answers the code of a refusal, or undefined where there is room. */
export type FreeSpace = (octets: number) => Promise<MailErrorCode | undefined>;

/** Looks at the store at most once in ANSWER_AGE_MS, however often it is asked. */
export function createFreeSpace(options: FreeSpaceOptions): FreeSpace {
  const { store, clock, reserveOctets, sizeLimitOctets } = options;
  let answer: Promise<StoreHealth> | undefined;
  let askedMs = 0;
  return async (octets) => {
    const nowMs = clock.monotonic();
    if (answer === undefined || nowMs - askedMs >= ANSWER_AGE_MS) {
      answer = store.health();
      askedMs = nowMs;
      answer.catch(() => {
        answer = undefined;
      });
    }
    const health = await answer;
    // What makes a store unhealthy is above all a disk without room; for the sender 452 means the same as 451.
    if (health.kind === 'unhealthy') return 'diskFull';
    const roomOctets = reserveOctets + ROOM_FACTOR * (octets || sizeLimitOctets);
    return health.freeOctets < roomOctets ? 'diskFull' : undefined;
  };
}

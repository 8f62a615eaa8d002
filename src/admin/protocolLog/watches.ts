/**
 * The watches that are on: whose sessions are written down, and until when. They are kept in memory alone: after a restart all
 * are off.
 */

import type { Clock, Timer, UnixMs } from '../../base/clock.ts';
import { MailError } from '../../base/error.ts';
import { AddressRanges } from '../../net/addressRange.ts';
import type { TappedSession } from '../../net/sessionTap.ts';
import { WATCH_LIMIT } from './limits.ts';

/** Whose sessions are meant. */
export type WatchSubject =
  | { readonly kind: 'account'; readonly address: string }
  /** An address or a range. */
  | { readonly kind: 'address'; readonly range: string }
  | { readonly kind: 'all' };

/** A watch as it was asked for. */
export interface WatchRequest {
  readonly subject: WatchSubject;
  /** Absent for all of them. */
  readonly protocols?: readonly TappedSession['protocol'][] | undefined;
  readonly durationMs: number;
  /** Who switches it on, as the caller says. */
  readonly by: string;
}

/** A watch that is on. */
export interface Watch extends Omit<WatchRequest, 'durationMs'> {
  readonly id: number;
  readonly startedAt: UnixMs;
  readonly endsAt: UnixMs;
}

/** What is known of a session. */
type Heard = Pick<TappedSession, 'protocol' | 'remoteAddress'>;

interface OpenWatch {
  readonly watch: Watch;
  readonly ranges: AddressRanges | undefined;
  readonly timer: Timer;
}

/** All watches of a server. */
export class Watches {
  readonly #clock: Clock;
  readonly #onEnd: (watch: Watch) => void;
  readonly #open = new Map<number, OpenWatch>();
  #lastId = 0;

  /** `onEnd` hears of watches whose time is over. */
  constructor(clock: Clock, onEnd: (watch: Watch) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  /** Those that are on, oldest first. */
  list(): readonly Watch[] {
    return [...this.#open.values()].map(({ watch }) => watch);
  }

  /** Switches one on, in place of the one that means the same. Errors: `invalid` for a range that is none, `limit`. */
  add({ durationMs, ...request }: WatchRequest): Watch {
    const { subject } = request;
    const ranges = subject.kind === 'address' ? new AddressRanges([subject.range]) : undefined;
    for (const { id, ...other } of this.list()) if (isSame(other, request)) this.remove(id);
    if (this.#open.size >= WATCH_LIMIT)
      throw new MailError('limit', `${WATCH_LIMIT} watches are on; switch one off first`);
    this.#lastId += 1;
    const id = this.#lastId;
    const startedAt = this.#clock.now();
    const watch: Watch = { ...request, id, startedAt, endsAt: (startedAt + durationMs) as UnixMs };
    const timer = this.#clock.after(durationMs, () => {
      this.remove(id);
      this.#onEnd(watch);
    });
    this.#open.set(id, { watch, ranges, timer });
    return watch;
  }

  /** Switches one off; undefined where there is none of this number. */
  remove(id: number): Watch | undefined {
    const found = this.#open.get(id);
    found?.timer.clear();
    this.#open.delete(id);
    return found?.watch;
  }

  /** Whether a session is wanted whoever it is, or only if it turns out to be a watched account's. */
  wants(session: Heard): 'now' | 'perhaps' | 'no' {
    let wanted: 'perhaps' | 'no' = 'no';
    for (const { watch, ranges } of this.#open.values()) {
      if (watch.protocols?.includes(session.protocol) === false) continue;
      if (watch.subject.kind === 'account') wanted = 'perhaps';
      else if (ranges === undefined || ranges.includes(session.remoteAddress)) return 'now';
    }
    return wanted;
  }

  /** Whether a session is wanted because it is this account's. */
  wantsAccount({ protocol }: Heard, address: string): boolean {
    for (const { watch } of this.#open.values()) {
      const isMeant = watch.subject.kind === 'account' && watch.subject.address === address;
      if (isMeant && watch.protocols?.includes(protocol) !== false) return true;
    }
    return false;
  }
}

function isSame(
  one: Pick<Watch, 'subject' | 'protocols'>,
  other: Pick<Watch, 'subject' | 'protocols'>,
): boolean {
  const keyOf = ({ subject, protocols }: Pick<Watch, 'subject' | 'protocols'>) =>
    JSON.stringify([subject, [...(protocols ?? [])].sort()]);
  return keyOf(one) === keyOf(other);
}

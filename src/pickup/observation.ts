/**
 * What is known of a file over time, and whether it is finished. Pure: looks come in, a standing comes out.
 *
 * Whoever writes into a directory does not say when he is done. So a file is finished when it was moved in whole, or when it has
 * been still for a set time. Stillness is measured from look to look on our own monotonic clock, and file times are only compared
 * with each other: a share has a clock of its own, and ours may jump. The inode does not count, since some shares make up a new one
 * at each look; a file in whose place another is put has other times.
 */

import type { UnixMs } from '../base/clock.ts';
import { MOVED_IN_STILL_MS } from './limits.ts';

/** Nanoseconds of a millisecond. */
export const MS_NS = 1_000_000n;

/** What one look at a file tells. */
export interface Look {
  readonly form: 'file' | 'link' | 'directory' | 'other';
  readonly inode: bigint;
  readonly octets: number;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
  /** 0 where the file system does not know it. */
  readonly bornNs: bigint;
  readonly links: number;
}

/** A file that has been looked at. */
export interface Observation {
  readonly look: Look;
  /** Monotonic, as `stillSinceMs`. */
  readonly firstSeenMs: number;
  /** By the calendar, to be shown. */
  readonly firstSeenAt: UnixMs;
  /** Since when every look was the same. */
  readonly stillSinceMs: number;
  /** Whether it is known to have come by a rename, and nobody has been seen to write to it since. */
  readonly isMovedIn: boolean;
}

/** A moment in both times. */
export interface Moment {
  readonly ms: number;
  readonly at: UnixMs;
}

/** How a file stands. `lookMs`: when there may be news. */
export type Standing =
  /** Never taken: no regular file. */
  | { readonly kind: 'leftAlone' }
  /** Has no octets yet. */
  | { readonly kind: 'empty' }
  /** Has another name as well, by which it may be written. */
  | { readonly kind: 'linked' }
  | { readonly kind: 'unfinished'; readonly lookMs: number }
  /** Came whole. */
  | { readonly kind: 'movedIn' }
  /** Has been still for `stillMs`; finished if its header is. */
  | { readonly kind: 'still'; readonly stillMs: number };

/** The first look at a file. */
export function observe(look: Look, { ms, at }: Moment, isMovedIn: boolean): Observation {
  return { look, firstSeenMs: ms, firstSeenAt: at, stillSinceMs: ms, isMovedIn };
}

/** A further look. */
export function observeAgain(before: Observation, look: Look, ms: number): Observation {
  if (isSame(before.look, look) && before.look.changedNs === look.changedNs) return { ...before, look };
  return { ...before, look, stillSinceMs: ms, isMovedIn: false };
}

/** Somebody was seen to write to it, whatever looks say. */
export function observeWrite(before: Observation, ms: number): Observation {
  return { ...before, stillSinceMs: ms, isMovedIn: false };
}

/** How a file stands at `ms`. */
export function standingOf(
  { look, stillSinceMs, isMovedIn }: Observation,
  ms: number,
  settleMs: number,
): Standing {
  if (look.form !== 'file') return { kind: 'leftAlone' };
  if (look.links > 1) return { kind: 'linked' };
  if (look.octets === 0) return { kind: 'empty' };
  const stillMs = ms - stillSinceMs;
  if (isMovedIn && stillMs >= MOVED_IN_STILL_MS) return { kind: 'movedIn' };
  if (stillMs >= settleMs) return { kind: 'still', stillMs };
  return { kind: 'unfinished', lookMs: stillSinceMs + (isMovedIn ? MOVED_IN_STILL_MS : settleMs) };
}

/** Whether nobody has written between two looks. A rename may change `changedNs`. */
export function isSame(one: Look, other: Look): boolean {
  return one.form === other.form && one.octets === other.octets && one.modifiedNs === other.modifiedNs;
}

/**
 * Whether a file under a new name is the one that was seen under the name of an unfinished one. An inode alone is no proof: it is
 * given to the next file as soon as the first is deleted.
 */
export function isRenamed(before: Look, now: Look): boolean {
  if (before.inode !== now.inode || before.inode === 0n || now.form !== 'file') return false;
  const hasBirth = now.bornNs !== 0n && now.bornNs !== now.changedNs;
  return (hasBirth && before.bornNs === now.bornNs) || (isSame(before, now) && before.octets > 0);
}

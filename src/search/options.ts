/**
 * What the search room is handed: settings for the configuration to compose, and the neighbours that main gives.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { MIB } from '../base/units.ts';
import type { ChangeFeed } from '../store/contract/feed.ts';

/** Characters of a message's text that are indexed unless set: a thousand pages of writing. */
export const DEFAULT_INDEXED_TEXT_LIMIT_CHARS = 2 * MIB;

/** What an administrator may set. */
export interface SearchSettings {
  /** Whether an index of texts is kept; true by default. Without it every search reads every message. */
  readonly isIndexed?: boolean;
  /** Characters of a message's text that are indexed; messages with more are read at each search. */
  readonly indexedTextLimitChars?: number;
}

/** All that the room is handed. */
export interface SearchOptions extends SearchSettings {
  /** The store's data directory; the index stands beside the store's database. */
  readonly directory: string;
  /** Octets of the disk that the index leaves free, as the store does for mail. */
  readonly reserveOctets: number;
  readonly feed: ChangeFeed;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What the store is opened with, for the server and for verbs that open it themselves: the same limits and retention; and
 * what search is opened with beside it.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { DAY_MS } from '../base/units.ts';
import type { StoreOptions } from '../store/sqlite/open.ts';
import { createRetentionPolicy } from '../accounts/retention.ts';
import type { SearchOptions } from '../search/options.ts';
import type { Config } from '../config/schema.ts';

/** The store's options of a configuration. */
export function storeOptions({ server, store, pop3 }: Config, clock: Clock, log: Log): StoreOptions {
  return {
    directory: server.dataDirectory,
    clock,
    log,
    reserveOctets: store.freeReserveOctets,
    traceAgeMs: store.traceRetentionDays * DAY_MS,
    mailboxesPerAccountLimit: store.mailboxesPerAccountLimit,
    retentionPolicy: createRetentionPolicy(pop3),
  };
}

/** What search is opened with beside its neighbours. */
export function searchOptions({
  search,
  server,
  store,
}: Config): Omit<SearchOptions, 'clock' | 'feed' | 'log'> {
  return {
    directory: server.dataDirectory,
    reserveOctets: store.freeReserveOctets,
    isIndexed: search.index === 'on',
    indexedTextLimitChars: search.indexedTextLimitCharacters,
  };
}

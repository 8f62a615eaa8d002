/**
 * Opens the SQLite store of a data directory and puts its views together: the door of this folder.
 *
 * In the directory: hauspost.db with its -wal and -shm, hauspost.lock and hauspost.pid (lock.ts), and copies that migrations
 * made. Order of opening: lock, writer thread (which opens and migrates), reader; closing goes the other way, so that the
 * writer's close is the last and leaves no log behind.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { DAY_MS, MIB } from '../../base/units.ts';
import type { RetentionPolicy } from '../contract/retention.ts';
import type { Store } from '../contract/store.ts';
import { ChunkWindow } from './chunkWindow.ts';
import { createContents } from './contents.ts';
import { createDeliveries } from './deliveries.ts';
import { Derived } from './derived.ts';
import { createDirectory } from './directory.ts';
import { Drafts } from './drafts.ts';
import { Feed } from './feed.ts';
import { FreeSpace } from './freeSpace.ts';
import { checkHealth } from './health.ts';
import { Holds } from './holds.ts';
import { Lifetime } from './lifetime.ts';
import { lockDirectory } from './lock.ts';
import { createMailboxes } from './mailboxes.ts';
import { Maintenance } from './maintenance.ts';
import { createQueue } from './queue.ts';
import { Reader } from './reader.ts';
import { Relief } from './relief.ts';
import { createSealing } from './sealing.ts';
import { createSecrets } from './secrets.ts';
import { createTrace } from './trace.ts';
import { startWriter, type Writer } from './writer/client.ts';

/** What an administrator may set, and what main hands in. */
export interface StoreOptions {
  /** Path of the data directory; made when it is missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Octets of the disk that are kept free: below, no mail is taken in. 64 MiB by default. */
  readonly reserveOctets?: number;
  /** How long traces of messages are kept. 30 days by default. */
  readonly traceAgeMs?: number;
  /** How long messages stay that POP3 has fetched or deleted. For ever, or not at all, by default. */
  readonly retentionPolicy?: RetentionPolicy;
  /** Mailboxes that one account may have. 10,000 by default. */
  readonly mailboxesPerAccountLimit?: number;
  /** Hears once that the writer has died and the store takes nothing any more: only a new start helps. */
  readonly onDeath?: () => void;
}

/** A Store, and what only this implementation can do. */
export interface SqliteStore extends Store {
  /** Drops all derived data and makes it anew from the contents; answers of how many. */
  rebuildDerived(): Promise<number>;
  /** Tidies up now instead of within seconds; resolves when that is done. */
  maintain(): Promise<void>;
}

const RESERVE_BYTES = 64 * MIB;
const TRACE_AGE_MS = 30 * DAY_MS;
const NO_RETENTION: RetentionPolicy = () => ({ retentionDays: 0, deleteAfterFetchDays: 0 });

/** Opens the store. Errors: `cannot` (in use by another process, newer schema), `storeUnavailable`, `diskFull`. */
export async function openStore(options: StoreOptions): Promise<SqliteStore> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(options.directory);
  let writer: Writer | undefined;
  try {
    const { clock, log } = options;
    const path = join(options.directory, 'hauspost.db');
    const feed = new Feed(log);
    const window = new ChunkWindow();
    writer = await startWriter({
      path,
      clock,
      log,
      mailboxesPerAccountLimit: options.mailboxesPerAccountLimit,
      onChanges: (changes) => feed.publish(changes),
      ...(options.onDeath === undefined ? {} : { onDeath: options.onDeath }),
      onBuffers: (buffers) => window.giveBuffers(buffers),
    });
    return assemble(options, writer, new Reader(path), window, feed, () => lock.release());
  } catch (error) {
    await writer?.close();
    lock.release();
    throw error;
  }
}

function assemble(
  options: StoreOptions,
  writer: Writer,
  reader: Reader,
  window: ChunkWindow,
  feed: Feed,
  unlock: () => void,
): SqliteStore {
  const { directory, clock, log } = options;
  const lifetime = new Lifetime();
  const space = new FreeSpace(directory, options.reserveOctets ?? RESERVE_BYTES, clock);
  const relief = new Relief();
  const drafts = new Drafts(writer, space, window, relief, clock);
  const holds = new Holds(clock, () => writer.lastBatch);
  const derived = new Derived(reader, writer, relief, log);
  const trace = createTrace(reader, writer, clock, log);
  const traceAgeMs = options.traceAgeMs ?? TRACE_AGE_MS;
  const retentionPolicy = options.retentionPolicy ?? NO_RETENTION;
  const maintenance = new Maintenance({
    clock,
    log,
    reader,
    writer,
    drafts,
    holds,
    trace,
    traceAgeMs,
    retentionPolicy,
  });
  return {
    directory: createDirectory(reader, writer),
    secrets: createSecrets(reader, writer, createSealing(directory)),
    contents: createContents(reader, drafts, derived, lifetime, holds, relief, log),
    mailboxes: createMailboxes({ reader, writer, drafts, holds, lifetime }),
    deliveries: createDeliveries(writer, reader, drafts, lifetime),
    queue: createQueue(reader, writer),
    trace,
    feed,
    health: () => checkHealth(directory, writer, space),
    rebuildDerived: () => lifetime.run(() => derived.rebuild()),
    maintain: () => maintenance.run(),
    close: async () => {
      await lifetime.end();
      await maintenance.end();
      await trace.flush();
      reader.close();
      await writer.close();
      unlock();
    },
  };
}

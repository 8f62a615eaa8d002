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
import type { Store } from '../contract/store.ts';
import { createDirectory } from './directory.ts';
import { Feed } from './feed.ts';
import { lockDirectory } from './lock.ts';
import { Reader } from './reader.ts';
import { createTrace } from './trace.ts';
import { startWriter } from './writer/client.ts';

/** What an administrator may set, and what main hands in. */
export interface StoreOptions {
  /** Path of the data directory; made when it is missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens the store. Errors: `cannot` (in use by another process, newer schema), `storeUnavailable`, `diskFull`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(options.directory);
  try {
    const path = join(options.directory, 'hauspost.db');
    const feed = new Feed(options.log);
    const writer = await startWriter({
      path,
      clock: options.clock,
      log: options.log,
      onChanges: (changes) => feed.publish(changes),
      onBuffers: () => {},
    });
    const reader = new Reader(path);
    const trace = createTrace(reader, writer, options.clock, options.log);
    const close = async () => {
      await trace.flush();
      reader.close();
      await writer.close();
      lock.release();
    };
    return { directory: createDirectory(reader, writer), trace, feed, close } as unknown as Store;
  } catch (error) {
    lock.release();
    throw error;
  }
}

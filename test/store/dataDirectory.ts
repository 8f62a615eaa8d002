/**
 * A data directory for tests that close and open its store, or change the database behind the store's back.
 */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Test } from 'tap';

import { silentLog } from '../../src/base/log.ts';
import { openStore, type SqliteStore, type StoreOptions } from '../../src/store/sqlite/open.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';

/** A store in a directory of its own, which may be closed and opened again. */
export interface DataDirectory {
  readonly directory: string;
  readonly clock: TestClock;
  open(options?: Partial<StoreOptions>): Promise<SqliteStore>;
  /** Asks the database, the store being open or not. */
  ask(sql: string): unknown;
  /** Changes the database behind the store's back. */
  tamper(sql: string, ...values: readonly unknown[]): void;
}

/** A directory of `t`; its stores are closed when `t` ends. */
export function createDataDirectory(t: Test, name = 'data'): DataDirectory {
  const directory = join(t.testdir(), name);
  const clock = createTestClock();
  const path = join(directory, 'hauspost.db');
  const house: DataDirectory = {
    directory,
    clock,
    open: async (options = {}) => {
      const store = await openStore({ ...optionsOf(house), ...options });
      t.teardown(() => store.close());
      return store;
    },
    ask: (sql) => {
      const db = new Sqlite(path, { readonly: true });
      const value = db.prepare(sql).pluck().get();
      db.close();
      return value;
    },
    tamper: (sql, ...values) => {
      const db = new Sqlite(path);
      db.prepare(sql).run(...values);
      db.close();
    },
  };
  return house;
}

/** What opens its store. */
export function optionsOf({ directory, clock }: DataDirectory): StoreOptions {
  return { directory, clock, log: silentLog };
}

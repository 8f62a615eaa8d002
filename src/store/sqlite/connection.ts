/**
 * One connection to the database, with its pragmas and its prepared statements.
 *
 * better-sqlite3 is built with synchronous=NORMAL for WAL, silently: acknowledged mail would be lost by a power cut. So FULL
 * is set after journal_mode on every connection, and `assertDurable` is called after the first write, because on a new
 * database the pragma tells the truth only then. Statements are prepared once per SQL text; SQL is always a constant.
 * The writer thread owns the one connection that writes; everybody else reads, in statements that end before they return.
 */

import { closeSync, openSync } from 'node:fs';

import Database from 'better-sqlite3';

import { MailError } from '../../base/error.ts';
import { BUSY_LIMIT_MS, CHECKPOINT_PAGES, PAGE_SIZE_BYTES, READ_BUSY_LIMIT_MS } from './limits.ts';

/** What can be bound to a statement. Numbers must be safe integers. */
export type SqlValue = number | string | Uint8Array | null;

const SYNCHRONOUS_FULL = 2;

/** A database connection. Not for two threads. */
export class Connection {
  readonly #database: Database.Database;
  readonly #rowStatements = new Map<string, Database.Statement>();
  readonly #tupleStatements = new Map<string, Database.Statement>();
  readonly #valueStatements = new Map<string, Database.Statement>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Whether a transaction is open. SQLite ends one by itself on a full disk and some I/O errors. */
  get isInTransaction(): boolean {
    return this.#database.inTransaction;
  }

  /** Runs a statement; answers how many rows it changed. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return this.#rowStatement(sql).run(...values).changes;
  }

  /** The first row, as an object of its columns. */
  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#rowStatement(sql).get(...values) as Row | undefined;
  }

  /** All rows, as objects of their columns. The statement must be bounded by a LIMIT or by what it asks for. */
  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[] {
    return this.#rowStatement(sql).all(...values) as Row[];
  }

  /** All rows, as arrays of their columns: quicker than objects where there are many. */
  tuples<Tuple extends readonly unknown[]>(sql: string, ...values: readonly SqlValue[]): Tuple[] {
    return prepared(this.#tupleStatements, sql, () => this.#database.prepare(sql).raw()).all(
      ...values,
    ) as Tuple[];
  }

  /** The first column of the first row. */
  value<Value>(sql: string, ...values: readonly SqlValue[]): Value | undefined {
    return this.#valueStatement(sql).get(...values) as Value | undefined;
  }

  /** The first column of all rows. */
  column<Value>(sql: string, ...values: readonly SqlValue[]): Value[] {
    return this.#valueStatement(sql).all(...values) as Value[];
  }

  /** Runs several statements that take no values and answer nothing: a schema step. */
  script(sql: string): void {
    this.#database.exec(sql);
  }

  /** Reads with several statements that all see the same state. */
  snapshot<Value>(read: () => Value): Value {
    this.run('BEGIN');
    try {
      return read();
    } finally {
      if (this.isInTransaction) this.run('COMMIT');
    }
  }

  close(): void {
    this.#database.close();
  }

  #rowStatement(sql: string): Database.Statement {
    return prepared(this.#rowStatements, sql, () => this.#database.prepare(sql));
  }

  #valueStatement(sql: string): Database.Statement {
    return prepared(this.#valueStatements, sql, () => this.#database.prepare(sql).pluck());
  }
}

/** The connection that writes; the file is made when it is missing, readable by its owner only. */
export function openForWriting(path: string): Connection {
  closeSync(openSync(path, 'a', 0o600));
  const connection = new Connection(new Database(path, { timeout: BUSY_LIMIT_MS }));
  connection.script(`PRAGMA page_size = ${PAGE_SIZE_BYTES}`);
  const mode = connection.value<string>('PRAGMA journal_mode = WAL');
  if (mode !== 'wal') throw new MailError('storeUnavailable', `journal_mode is ${mode} instead of wal`);
  connection.script(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  setCommonPragmas(connection);
  return connection;
}

/**
 * A connection that writes a database which can be made anew at any time: a commit may be lost by a power cut, but the file
 * stays sound. Never for mail.
 */
export function openRebuildable(path: string): Connection {
  closeSync(openSync(path, 'a', 0o600));
  const connection = new Connection(new Database(path, { timeout: BUSY_LIMIT_MS }));
  try {
    connection.script(`PRAGMA page_size = ${PAGE_SIZE_BYTES}`);
    connection.script('PRAGMA journal_mode = WAL');
    connection.script(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    setCommonPragmas(connection);
    connection.script('PRAGMA synchronous = NORMAL');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** A connection that can only read. The database must be there. */
export function openForReading(path: string): Connection {
  const connection = new Connection(new Database(path, { readonly: true, timeout: READ_BUSY_LIMIT_MS }));
  connection.script('PRAGMA query_only = ON');
  setCommonPragmas(connection);
  return connection;
}

/** Throws unless a commit of this connection is on disk when it returns. To be asked after the first write. */
export function assertDurable(connection: Connection): void {
  const mode = connection.value<string>('PRAGMA journal_mode');
  const synchronous = connection.value<number>('PRAGMA synchronous');
  if (mode === 'wal' && synchronous === SYNCHRONOUS_FULL) return;
  throw new MailError(
    'storeUnavailable',
    `commits would not be durable: journal_mode is ${mode}, synchronous is ${synchronous}`,
  );
}

function setCommonPragmas(connection: Connection): void {
  connection.script('PRAGMA synchronous = FULL');
  connection.script('PRAGMA foreign_keys = ON');
  connection.script('PRAGMA trusted_schema = OFF');
  connection.script('PRAGMA cell_size_check = ON');
  connection.script('PRAGMA temp_store = MEMORY');
}

function prepared(
  statements: Map<string, Database.Statement>,
  sql: string,
  prepare: () => Database.Statement,
): Database.Statement {
  let statement = statements.get(sql);
  if (statement === undefined) {
    statement = prepare();
    statements.set(sql, statement);
  }
  return statement;
}

/**
 * Brings a database to the schema that this program knows.
 *
 * Steps are the files schema/NNN-name.sql, numbered from 001 without gaps and never edited once landed; PRAGMA user_version
 * counts those taken. A newer database is refused, since an older program would break it; an older one is copied aside
 * first (VACUUM INTO, then fsync) and takes all its steps in one transaction. Called by the writer before anything else.
 */

import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { MailError } from '../../base/error.ts';
import type { Connection } from './connection.ts';

/** One schema step. */
export interface SchemaStep {
  readonly number: number;
  readonly sql: string;
}

/** `PRAGMA application_id` of our databases: HPST in ASCII. */
export const APPLICATION_ID = 0x48505354;

/** The steps in schema/, in order. */
export function readSchemaSteps(): readonly SchemaStep[] {
  const folder = new URL('./schema/', import.meta.url);
  const names = readdirSync(folder)
    .filter((name) => /^\d{3}-[a-z0-9-]+\.sql$/.test(name))
    .sort();
  return names.map((name) => ({
    number: Number(name.slice(0, 3)),
    sql: readFileSync(new URL(name, folder), 'utf8'),
  }));
}

/**
 * Takes the steps that `connection`'s database at `path` lacks. Answers where the copy of the older database is, when one
 * was made. Errors: `cannot` for a newer schema or a foreign file.
 */
export function migrate(
  connection: Connection,
  path: string,
  steps: readonly SchemaStep[],
): string | undefined {
  const version = connection.value<number>('PRAGMA user_version') ?? 0;
  const newest = steps.at(-1)?.number ?? 0;
  refuseForeign(connection, path, version);
  if (version > newest) throw new MailError('cannot', newerText(path, version, newest));
  if (version === newest) return undefined;
  const copy = version === 0 ? undefined : copyAside(connection, path, version);
  connection.run('BEGIN IMMEDIATE');
  try {
    for (const step of steps) if (step.number > version) connection.script(step.sql);
    connection.script(`PRAGMA user_version = ${newest}; PRAGMA application_id = ${APPLICATION_ID}`);
    connection.run('COMMIT');
  } catch (error) {
    if (connection.isInTransaction) connection.run('ROLLBACK');
    throw error;
  }
  return copy;
}

function refuseForeign(connection: Connection, path: string, version: number): void {
  const tables = connection.value<number>('SELECT count(*) FROM sqlite_schema') ?? 0;
  const application = connection.value<number>('PRAGMA application_id');
  if (tables === 0 || (version > 0 && application === APPLICATION_ID)) return;
  throw new MailError('cannot', `${path} is a database of another program`);
}

function newerText(path: string, version: number, newest: number): string {
  return (
    `${path} has schema ${version}, and this version of Hauspost knows schemas up to ${newest}: ` +
    'start the newer version that wrote it, or restore the copy that was made before that upgrade'
  );
}

function copyAside(connection: Connection, path: string, version: number): string {
  const copy = join(dirname(path), `hauspost-before-schema-${version + 1}.db`);
  rmSync(copy, { force: true });
  // VACUUM would make it readable by everybody: it holds all mail and every password's hash.
  closeSync(openSync(copy, 'wx', 0o600));
  connection.run('VACUUM INTO ?', copy);
  const file = openSync(copy, 'r+');
  fsyncSync(file);
  closeSync(file);
  return copy;
}

/**
 * What is asked of the tables of IP ranges, by the Directory view and by the writer's jobs alike.
 *
 * They are few (the accounts room sees to that) and asked for once at a start and after each change of the directory, so all
 * are read at once.
 */

import type {
  IpRange,
  IpRangeProtocol,
  IpRangeSettingTexts,
  IpRangeSubmission,
} from '../contract/directory.ts';
import type { Connection } from './connection.ts';

/** All ranges, the one that counts first. */
export function selectIpRanges(db: Connection): IpRange[] {
  return db
    .all<IpRangeRow>(
      `SELECT name, priority, has_smtp, has_pop3, has_imap, needs_tls, is_trusted, submission, is_built_in
       FROM ip_range
       ORDER BY priority DESC, name`,
    )
    .map((row) => rangeOf(db, row));
}

/** The range of this name, in any case. */
export function selectIpRange(db: Connection, name: string): IpRange | undefined {
  const row = db.get<IpRangeRow>(
    `SELECT name, priority, has_smtp, has_pop3, has_imap, needs_tls, is_trusted, submission, is_built_in
     FROM ip_range
     WHERE name = ?`,
    name,
  );
  return row && rangeOf(db, row);
}

interface IpRangeRow {
  readonly name: string;
  readonly priority: number;
  readonly has_smtp: number;
  readonly has_pop3: number;
  readonly has_imap: number;
  readonly needs_tls: number;
  readonly is_trusted: number;
  readonly submission: IpRangeSubmission;
  readonly is_built_in: number;
}

function rangeOf(db: Connection, row: IpRangeRow): IpRange {
  return {
    name: row.name,
    priority: row.priority,
    addresses: selectAddresses(db, row.name),
    protocols: protocolsOf(row),
    needsTls: row.needs_tls === 1,
    isTrusted: row.is_trusted === 1,
    submission: row.submission,
    settings: selectSettings(db, row.name),
    isBuiltIn: row.is_built_in === 1,
  };
}

function protocolsOf({ has_smtp, has_pop3, has_imap }: IpRangeRow): IpRangeProtocol[] {
  const all: readonly [IpRangeProtocol, number][] = [
    ['smtp', has_smtp],
    ['pop3', has_pop3],
    ['imap', has_imap],
  ];
  return all.filter(([, has]) => has === 1).map(([protocol]) => protocol);
}

function selectAddresses(db: Connection, name: string): string[] {
  return db.column('SELECT addresses FROM ip_range_address WHERE range_name = ? ORDER BY position', name);
}

function selectSettings(db: Connection, name: string): IpRangeSettingTexts {
  return Object.fromEntries(
    db
      .all<{ readonly name: string; readonly value: string }>(
        'SELECT name, value FROM ip_range_setting WHERE range_name = ? ORDER BY name',
        name,
      )
      .map((row) => [row.name, row.value]),
  );
}

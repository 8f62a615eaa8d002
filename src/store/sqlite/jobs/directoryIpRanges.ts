/**
 * Jobs that change IP ranges. What their addresses mean is net's concern, and the accounts room's to check.
 */

import { MailError } from '../../../base/error.ts';
import type { IpRange, IpRangeChanges, NewIpRange } from '../../contract/directory.ts';
import type { Connection } from '../connection.ts';
import { selectIpRange } from '../ipRangeQueries.ts';
import type { JobContext } from './context.ts';

/** Jobs by name. */
export const IP_RANGE_JOBS = {
  addIpRange(db: Connection, range: NewIpRange, context: JobContext): IpRange {
    if (selectIpRange(db, range.name) !== undefined) {
      throw new MailError('conflict', `The IP range “${range.name}” exists already.`);
    }
    insertRange(db, range);
    insertAddresses(db, range.name, range.addresses);
    setSettings(db, range.name, range.settings ?? {});
    context.publish({ kind: 'directory' });
    return requireRange(db, range.name);
  },

  setIpRange(
    db: Connection,
    { name, changes }: { readonly name: string; readonly changes: IpRangeChanges },
    context: JobContext,
  ): IpRange {
    const range = requireRange(db, name);
    const { settings = {}, ...columns } = changes;
    updateRange(db, { ...range, ...columns });
    setSettings(db, range.name, settings);
    if (changes.addresses !== undefined) {
      if (range.isBuiltIn) throw new MailError('cannot', `The addresses of “${range.name}” are fixed.`);
      deleteAddresses(db, range.name);
      insertAddresses(db, range.name, changes.addresses);
    }
    context.publish({ kind: 'directory' });
    return requireRange(db, range.name);
  },

  removeIpRange(db: Connection, name: string, context: JobContext): void {
    const range = requireRange(db, name);
    if (range.isBuiltIn) {
      throw new MailError('cannot', `“${range.name}” is always there; what it allows can be changed.`);
    }
    deleteRange(db, range.name);
    context.publish({ kind: 'directory' });
  },
} as const;

function requireRange(db: Connection, name: string): IpRange {
  const range = selectIpRange(db, name);
  if (range === undefined) throw new MailError('notFound', `There is no IP range “${name}”.`);
  return range;
}

function insertAddresses(db: Connection, name: string, addresses: readonly string[]): void {
  if (addresses.length === 0) throw new MailError('invalid', 'An IP range has one address at least.');
  [...new Set(addresses)].forEach((text, position) => {
    insertAddress(db, name, position, text);
  });
}

function setSettings(db: Connection, name: string, settings: Readonly<Record<string, string | null>>): void {
  for (const [setting, value] of Object.entries(settings)) {
    if (value === null) deleteSetting(db, name, setting);
    else upsertSetting(db, name, setting, value);
  }
}

function insertRange(db: Connection, range: NewIpRange): void {
  db.run(
    `INSERT INTO ip_range (name, priority, has_smtp, has_pop3, has_imap, needs_tls, is_trusted, submission, is_built_in)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
    range.name,
    ...columnsOf(range),
  );
}

function updateRange(db: Connection, range: NewIpRange): void {
  db.run(
    `UPDATE ip_range
     SET priority = ?, has_smtp = ?, has_pop3 = ?, has_imap = ?, needs_tls = ?, is_trusted = ?, submission = ?
     WHERE name = ?`,
    ...columnsOf(range),
    range.name,
  );
}

/** Priority, the three protocols, TLS, trust, submission. */
function columnsOf(range: NewIpRange): (number | string)[] {
  const { priority, protocols, needsTls, isTrusted, submission } = range;
  const speaks = (['smtp', 'pop3', 'imap'] as const).map((protocol) => protocols.includes(protocol));
  return [priority, ...[...speaks, needsTls, isTrusted].map(Number), submission];
}

function deleteAddresses(db: Connection, name: string): void {
  db.run('DELETE FROM ip_range_address WHERE range_name = ?', name);
}

function insertAddress(db: Connection, name: string, position: number, text: string): void {
  db.run(
    'INSERT INTO ip_range_address (range_name, position, addresses) VALUES (?, ?, ?)',
    name,
    position,
    text,
  );
}

function deleteRange(db: Connection, name: string): void {
  db.run('DELETE FROM ip_range WHERE name = ?', name);
}

function upsertSetting(db: Connection, name: string, setting: string, value: string): void {
  db.run(
    `INSERT INTO ip_range_setting (range_name, name, value) VALUES (?, ?, ?)
     ON CONFLICT (range_name, name) DO UPDATE SET value = excluded.value`,
    name,
    setting,
    value,
  );
}

function deleteSetting(db: Connection, name: string, setting: string): void {
  db.run('DELETE FROM ip_range_setting WHERE range_name = ? AND name = ?', name, setting);
}

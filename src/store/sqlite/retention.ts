/**
 * The part of the Mailboxes view that is about retention: reads in the main thread, changes as jobs of the writer.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId, MailboxId, Uid } from '../../base/ids.ts';
import { yieldTurn } from '../../base/pacer.ts';
import type { RetainedEntry, Retention } from '../contract/retention.ts';
import type { Connection } from './connection.ts';
import type { Lifetime } from './lifetime.ts';
import { ENTRY_SLICE_ROWS } from './limits.ts';
import { orderedRanges } from './ranges.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer/client.ts';

/** What it works with. */
export interface RetentionOptions {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly lifetime: Lifetime;
}

/** Retention in an open store. */
export function createRetention({ reader, writer, lifetime }: RetentionOptions): Retention {
  return {
    retain: (from, ranges, fields) =>
      lifetime.run(() => writer.run('retain', { from, ranges: orderedRanges(ranges), fields })),
    markFetched: (mailboxId, ranges) =>
      lifetime.run(() => writer.run('markFetched', { mailboxId, ranges: orderedRanges(ranges) })),
    retainedEntries: async (mailboxId, since, limit) =>
      reader.read((db) => readRetainedEntries(db, mailboxId, since, limit)),
    retainedUids: (mailboxId, since) => lifetime.run(() => readAllRetainedUids(reader, mailboxId, since)),
    retained: async (accountId) =>
      reader.read((db) => (accountId === undefined ? sumRetained(db) : sumRetainedOf(db, accountId))),
  };
}

async function readAllRetainedUids(reader: Reader, mailboxId: MailboxId, since: UnixMs): Promise<Uid[]> {
  const uids: Uid[] = [];
  let after = 0;
  for (;;) {
    const behind = after;
    const slice = reader.read((db) => readRetainedUids(db, mailboxId, since, behind));
    for (const uid of slice) uids.push(uid);
    if (slice.length < ENTRY_SLICE_ROWS) return uids;
    after = slice.at(-1) ?? behind;
    await yieldTurn();
  }
}

function readRetainedEntries(
  db: Connection,
  mailboxId: MailboxId,
  since: UnixMs,
  limit: number,
): readonly RetainedEntry[] {
  return db.all(
    `SELECT uid, content_id AS contentId, octets, internal_at AS internalAt, retained_at AS retainedAt
     FROM entry WHERE mailbox_id = ? AND retained_at IS NOT NULL AND retained_at >= ?
     ORDER BY retained_at DESC, uid DESC LIMIT ?`,
    mailboxId,
    since,
    limit,
  );
}

function readRetainedUids(db: Connection, mailboxId: MailboxId, since: UnixMs, after: number): Uid[] {
  return db.column(
    `SELECT uid FROM entry WHERE mailbox_id = ? AND uid > ? AND retained_at >= ?
     ORDER BY uid LIMIT ?`,
    mailboxId,
    after,
    since,
    ENTRY_SLICE_ROWS,
  );
}

/** The index of retaining mailboxes answers it: there are few, whatever the number of mailboxes. */
function sumRetained(db: Connection): { readonly octets: number; readonly messages: number } {
  const sums = db.get<{ readonly octets: number; readonly messages: number }>(
    `SELECT coalesce(sum(retained_octets), 0) AS octets, coalesce(sum(retained), 0) AS messages
     FROM mailbox WHERE retained > 0`,
  );
  return sums ?? { octets: 0, messages: 0 };
}

function sumRetainedOf(
  db: Connection,
  accountId: AccountId,
): { readonly octets: number; readonly messages: number } {
  const sums = db.get<{ readonly octets: number; readonly messages: number }>(
    `SELECT coalesce(sum(retained_octets), 0) AS octets, coalesce(sum(retained), 0) AS messages
     FROM mailbox WHERE account_id = ? AND retained > 0`,
    accountId,
  );
  return sums ?? { octets: 0, messages: 0 };
}

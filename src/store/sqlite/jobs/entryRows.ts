/**
 * Entries as rows: what deliveries and appends have in common. Writer thread only.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { MailboxId, ModSeq, Uid } from '../../../base/ids.ts';
import type { InternalDate } from '../../contract/mailboxes.ts';
import type { Connection } from '../connection.ts';
import type { KeywordBits } from '../keywordBits.ts';
import type { SealedContent } from '../writer/contentWriting.ts';

/** Where an entry goes. */
export interface EntryPlace {
  readonly mailboxId: MailboxId;
  readonly uid: Uid;
  readonly modSeq: ModSeq;
}

/** An entry's flags as they are stored. */
export interface FlagBits extends KeywordBits {
  readonly system: number;
}

/** Puts a content into a mailbox; the mailbox's counters are the caller's care. */
export function insertEntry(
  db: Connection,
  place: EntryPlace,
  content: SealedContent,
  flags: FlagBits,
  internalDate: InternalDate,
  savedAt: UnixMs,
): void {
  db.run(
    `INSERT INTO entry (mailbox_id, uid, content_id, modseq, flags, keywords_low, keywords_high,
       internal_at, zone_minutes, octets, pop3_octets, saved_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    place.mailboxId,
    place.uid,
    content.id,
    place.modSeq,
    flags.system,
    flags.low,
    flags.high,
    internalDate.at,
    internalDate.zoneMinutes,
    content.octets,
    content.pop3Octets,
    savedAt,
  );
}

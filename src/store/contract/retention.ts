/**
 * Retention: what POP3's clients delete stays for some days in a mailbox of the account, and what they leave goes some days
 * after they have fetched it.
 *
 * A retained entry is one that was moved there by `retain` or by the store's own expiry; it ends by itself, and is not counted
 * against the quota. Moved or copied to wherever else, it is an entry like any other (that restores it). What a client puts into that
 * mailbox by itself never expires. Part of the Mailboxes view.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId, ContentId, MailboxId, Uid } from '../../base/ids.ts';

/** The mailbox of what POP3 has deleted. One level, so that it is the same with every delimiter; made when it is needed. */
export const FETCHED_MAILBOX: readonly string[] = ['Fetched'];

/** As UidRange in mailboxes.ts, which knows this file. */
interface UidSpan {
  readonly first: number;
  readonly last: number;
}

/** Days; 0 is off. */
export interface RetentionDays {
  /** How long a retained entry stays; with 0 nothing is retained, and what already is stays as it is. */
  readonly retentionDays: number;
  /** How long after its first fetch a message stays in the INBOX; it is retained then, or expunged where nothing is retained. */
  readonly deleteAfterFetchDays: number;
}

/** What holds for an account with these settings (AccountSettingTexts in directory.ts, which knows this file); asked anew each time. */
export type RetentionPolicy = (settings: Readonly<Record<string, string>>) => RetentionDays;

/** An entry that ends by itself. */
export interface RetainedEntry {
  readonly uid: Uid;
  readonly contentId: ContentId;
  readonly octets: number;
  readonly internalAt: UnixMs;
  readonly retainedAt: UnixMs;
}

/** Retention, as sessions and the administration see it. */
export interface Retention {
  /**
   * Moves entries to the account's FETCHED_MAILBOX, all or none in one transaction, with an event `retained` in their traces that
   * has `fields`; answers the UIDs that were still there, in order. The limit of mailboxes does not count for that one.
   * Errors: `limit` (keywords, UIDs).
   */
  retain(
    from: MailboxId,
    ranges: readonly UidSpan[],
    fields: Readonly<Record<string, string>>,
  ): Promise<readonly Uid[]>;
  /** Remembers that entries were fetched now, those that never were before. Entries that are gone are left out. */
  markFetched(mailboxId: MailboxId, ranges: readonly UidSpan[]): Promise<void>;
  /** Retained entries of a mailbox since a time, the newest first, at most `limit` (1 to 1000). */
  retainedEntries(mailboxId: MailboxId, since: UnixMs, limit: number): Promise<readonly RetainedEntry[]>;
  /** UIDs of all of them, in order. */
  retainedUids(mailboxId: MailboxId, since: UnixMs): Promise<readonly Uid[]>;
  /** What is retained of one account, or of all. */
  retained(accountId?: AccountId): Promise<{ readonly octets: number; readonly messages: number }>;
}

/**
 * Mailboxes: what IMAP and POP3 sessions see and change.
 *
 * Names are lists of components, so that the delimiter is a matter of the session; the INBOX is `['INBOX']` in this very
 * case. UIDs only grow. Every change of an entry raises the mailbox's mod-sequence, and every parent of a mailbox is a real
 * mailbox. Counters are kept, not counted.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId, ContentId, MailboxId, ModSeq, Uid } from '../../base/ids.ts';
import type { ContentDraft } from './contents.ts';
import type { Retention } from './retention.ts';

/** System flags as bits (RFC 3501 section 2.3.2); \Recent is not stored with the entry. */
export const FLAG = { seen: 1, answered: 2, flagged: 4, deleted: 8, draft: 16 } as const;
/** All system flags. */
export const ALL_FLAGS = 31;

/** Special-use attributes without the backslash (RFC 6154 section 2). */
export const SPECIAL_USES = ['All', 'Archive', 'Drafts', 'Flagged', 'Junk', 'Sent', 'Trash'] as const;
export type SpecialUse = (typeof SPECIAL_USES)[number];

/** A mailbox's name, one string per level of the hierarchy. */
export type MailboxName = readonly string[];

/** System flag bits and keywords, as an entry has them or a STORE names them. Keywords keep the case of their first use in the mailbox. */
export interface Flags {
  readonly system: number;
  readonly keywords: readonly string[];
}

/** A date with the zone that it was given in (RFC 3501 section 2.3.3). */
export interface InternalDate {
  readonly at: UnixMs;
  /** Offset from UTC in minutes, -1439 to 1439. */
  readonly zoneMinutes: number;
}

/** What of an entry may change, and which one it is. */
export interface EntryFlags {
  readonly uid: Uid;
  readonly flags: Flags;
  readonly modSeq: ModSeq;
}

/** A content in a mailbox. */
export interface Entry extends EntryFlags {
  readonly contentId: ContentId;
  readonly internalDate: InternalDate;
  readonly octets: number;
  readonly pop3Octets: number;
  /** When it came into this mailbox (RFC 8514 section 3); undefined where it came before that was kept. */
  readonly savedAt: UnixMs | undefined;
}

/** A mailbox as LIST needs it. */
export interface Mailbox {
  readonly id: MailboxId;
  readonly accountId: AccountId;
  readonly name: MailboxName;
  readonly specialUse: SpecialUse | undefined;
  readonly uidValidity: number;
  /** 32 hexadecimal digits that no other mailbox of any store ever has; renaming keeps them (RFC 8474 section 4). */
  readonly objectId: string;
}

/** A mailbox's kept counters. */
export interface MailboxStatus {
  readonly mailbox: Mailbox;
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  readonly octets: number;
  readonly pop3Octets: number;
  readonly uidNext: Uid;
  readonly uidValidity: number;
  readonly highestModSeq: ModSeq;
  /** Entries with this UID or a higher one have not been seen by any read-write session: they are \Recent. */
  readonly firstRecentUid: Uid;
  /** Keywords in use or once used here, in order of first use. */
  readonly keywords: readonly string[];
}

/** UIDs from `first` to `last`, both included. */
export interface UidRange {
  readonly first: number;
  readonly last: number;
}

/** What changed after a mod-sequence value. */
export interface MailboxChanges {
  /** Entries added or changed since, in UID order, as they are now. */
  readonly changed: readonly EntryFlags[];
  /** UIDs expunged since, in UID order; meaningless when `isComplete` is false. */
  readonly expunged: readonly Uid[];
  /** The mailbox's mod-sequence that this answer reaches up to. */
  readonly highestModSeq: ModSeq;
  /** False when expunges that old are no longer remembered: compare the UIDs instead. */
  readonly isComplete: boolean;
}

/** How STORE combines flags (RFC 3501 section 6.4.6). */
export type FlagOperation = 'add' | 'remove' | 'replace';

/** The outcome of a flag change. */
export interface FlagOutcome {
  /** Entries that differ from before, as they are now; one that somebody else changed in the same moment may be there as well. */
  readonly changed: readonly EntryFlags[];
  /** UIDs left alone because their mod-sequence is above `unchangedSince` (RFC 7162 section 3.1.3). */
  readonly modified: readonly Uid[];
}

/** A message to be appended. */
export interface Appendix {
  readonly draft: ContentDraft;
  readonly flags: Flags;
  readonly internalDate: InternalDate;
}

/** UIDs given to appended, copied or moved entries: `from[i]` became `to[i]`; after an append `from` is empty. */
export interface CopyOutcome {
  readonly uidValidity: number;
  readonly from: readonly Uid[];
  readonly to: readonly Uid[];
}

/** While it lives, contents that were visible at its last renewal can be read, expunged or not. */
export interface Hold {
  /** Lets go of what was expunged before now. */
  renew(): void;
  release(): void;
}

/** The mailboxes of all accounts. Methods that name a MailboxId reject with `mailboxMissing` when it is gone. */
export interface Mailboxes extends Retention {
  /** Keywords that one mailbox can have; one more is `limit`. A keyword that was used once stays known. */
  readonly keywordLimit: number;
  /** All mailboxes of an account, INBOX first, then by name. */
  list(accountId: AccountId): Promise<readonly Mailbox[]>;
  /** The mailbox of this exact name. */
  find(accountId: AccountId, name: MailboxName): Promise<Mailbox | undefined>;
  /**
   * Creates a mailbox and its missing parents. Errors: `mailboxExists`, `limit` (depth, name length, mailboxes per account),
   * `invalid` (a part of the name is empty), `notFound` (the account is gone).
   */
  create(accountId: AccountId, name: MailboxName, specialUse?: SpecialUse): Promise<Mailbox>;
  /** Removes a mailbox and its entries. Errors: `mailboxMissing`, `mailboxHasChildren`, `cannot` for the INBOX. */
  remove(accountId: AccountId, name: MailboxName): Promise<void>;
  /**
   * Renames a mailbox with its children, creating missing parents; UIDs and UIDVALIDITY stay. Renaming the INBOX moves its
   * messages to a new mailbox and leaves it empty (RFC 3501 section 6.3.5). Errors: `mailboxMissing`, `mailboxExists`, `cannot`
   * (below itself), `limit` and `invalid` as for create.
   */
  rename(accountId: AccountId, from: MailboxName, to: MailboxName): Promise<void>;
  /** Subscribed names, which need not exist. */
  subscriptions(accountId: AccountId): Promise<readonly MailboxName[]>;
  /** Adds or takes away a subscription; both may be repeated. Errors: `limit`, `invalid`, `notFound` as for create. */
  setSubscribed(accountId: AccountId, name: MailboxName, isSubscribed: boolean): Promise<void>;

  /** The counters. */
  status(mailboxId: MailboxId): Promise<MailboxStatus>;
  /** The counters as they were, while all entries that are \Recent become this caller's: the next asker sees none of them. */
  claimRecent(mailboxId: MailboxId): Promise<MailboxStatus>;
  /** Entries within `range` in UID order, in slices; each slice is one short read. */
  entries(mailboxId: MailboxId, range: UidRange): AsyncIterable<readonly Entry[]>;
  /** The same without what never changes: for whoever looks at the flags of whole mailboxes, in half the time. */
  flags(mailboxId: MailboxId, range: UidRange): AsyncIterable<readonly EntryFlags[]>;
  /** What changed after `since` (0 for all). */
  changes(mailboxId: MailboxId, since: number): Promise<MailboxChanges>;
  /** UIDs of the entries added or changed after `since`, in order; the entries themselves may be too many to hold at once. */
  changedUids(mailboxId: MailboxId, since: number): Promise<readonly Uid[]>;
  /** UIDs expunged after `since`, in order, with `isComplete` as in MailboxChanges. */
  expungedUids(mailboxId: MailboxId, since: number): Promise<Pick<MailboxChanges, 'expunged' | 'isComplete'>>;
  /** Octets and messages of all mailboxes of an account, as its quota counts them: what is retained is left out. */
  usage(accountId: AccountId): Promise<{ readonly octets: number; readonly messages: number }>;

  /** Appends all or none, at least one; the drafts are sealed. Errors: `overQuota`, `limit` (keywords per mailbox), `cannot` as for deliver. */
  append(mailboxId: MailboxId, appendices: readonly Appendix[]): Promise<CopyOutcome>;
  /**
   * Changes flags of the entries within `ranges`. An `unchangedSince` of 0 lets only those pass that have none of the flags
   * named, of which system flags are always there (RFC 7162 section 3.1.3). Errors: `limit` (keywords per mailbox).
   */
  setFlags(
    mailboxId: MailboxId,
    ranges: readonly UidRange[],
    operation: FlagOperation,
    flags: Flags,
    unchangedSince?: number,
  ): Promise<FlagOutcome>;
  /** Removes the entries within `ranges` (all by default), only those flagged \Deleted if `onlyDeleted`; answers their UIDs in order. */
  expunge(
    mailboxId: MailboxId,
    ranges: readonly UidRange[] | undefined,
    onlyDeleted: boolean,
  ): Promise<readonly Uid[]>;
  /** Copies all or none, with flags and internal dates. Errors: `overQuota`, `limit`. */
  copy(from: MailboxId, ranges: readonly UidRange[], to: MailboxId): Promise<CopyOutcome>;
  /** Moves all or none; within one transaction (RFC 6851). Errors: `limit`, and `overQuota` for retained entries: they count again. */
  move(from: MailboxId, ranges: readonly UidRange[], to: MailboxId): Promise<CopyOutcome>;

  /** Keeps what is visible now readable until released, or for a day at most. */
  hold(): Hold;
}

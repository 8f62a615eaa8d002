/**
 * The maildrop: an account's INBOX as one POP3 session sees it (RFC 1939 section 3).
 *
 * A snapshot taken at login: numbers, sizes and unique ids do not change while the session lasts, whatever others do.
 * Deviates from RFC 1939 section 4, which asks for an exclusive lock, unless set otherwise: see docs/ARCHITECTURE.md. Deleting
 * only marks; the marks become expunges at QUIT. Several sessions may have the same maildrop at once.
 * The unique id is the entry's UID as a plain decimal, as hMailServer's, so that migrated mailboxes keep theirs.
 */

import { MailError } from '../base/error.ts';
import type { AccountId, ContentId, MailboxId, Uid } from '../base/ids.ts';
import type { Pacer } from '../base/pacer.ts';
import type { Hold, Mailboxes, UidRange } from '../store/contract/mailboxes.ts';
import { Snapshot } from './snapshot.ts';

/** Numbers looked at between two looks at the time: far below a millisecond. */
const NUMBERS_PER_BREATH = 1000;

/** A message of the maildrop. */
export interface MaildropMessage {
  /** From 1, in order of arrival. */
  readonly number: number;
  readonly uid: Uid;
  readonly contentId: ContentId;
  /** Octets as they are sent, before dot-stuffing. */
  readonly octets: number;
}

/** One session's maildrop. Its owner calls `close`. */
export class Maildrop {
  readonly #mailboxes: Mailboxes;
  readonly #hold: Hold;
  readonly #snapshot: Snapshot;
  readonly #unlock: () => void;
  /** Message numbers. */
  readonly #deleted = new Set<number>();
  #deletedOctets = 0;
  readonly mailboxId: MailboxId;

  private constructor(
    mailboxes: Mailboxes,
    mailboxId: MailboxId,
    hold: Hold,
    snapshot: Snapshot,
    unlock: () => void,
  ) {
    this.#mailboxes = mailboxes;
    this.mailboxId = mailboxId;
    this.#hold = hold;
    this.#snapshot = snapshot;
    this.#unlock = unlock;
  }

  /** Takes the snapshot. `unlock` is called when it is closed, or cannot be taken. Errors: `mailboxMissing`. */
  static async open(mailboxes: Mailboxes, accountId: AccountId, unlock = () => {}): Promise<Maildrop> {
    let hold: Hold | undefined;
    try {
      hold = mailboxes.hold();
      const inbox = await mailboxes.find(accountId, ['INBOX']);
      if (inbox === undefined) throw new MailError('mailboxMissing', `account ${accountId} has no INBOX`);
      const snapshot = new Snapshot();
      for await (const slice of mailboxes.entries(inbox.id, { first: 1, last: UID_MAX })) {
        for (const { uid, contentId, pop3Octets } of slice) snapshot.add(uid, contentId, pop3Octets);
      }
      return new Maildrop(mailboxes, inbox.id, hold, snapshot, unlock);
    } catch (error) {
      hold?.release();
      unlock();
      throw error;
    }
  }

  /** Messages at login. */
  get countAtLogin(): number {
    return this.#snapshot.length;
  }

  /** Their octets. */
  get octetsAtLogin(): number {
    return this.#snapshot.totalOctets;
  }

  /** Messages that are not marked as deleted. */
  get count(): number {
    return this.countAtLogin - this.#deleted.size;
  }

  /** Their octets. */
  get octets(): number {
    return this.octetsAtLogin - this.#deletedOctets;
  }

  /** The message of this number, unless there is none or it is marked as deleted. */
  find(number: number): MaildropMessage | undefined {
    const isThere = number >= 1 && number <= this.countAtLogin && !this.#deleted.has(number);
    return isThere ? this.#messageOf(number) : undefined;
  }

  /** The messages that are not marked as deleted, in order. */
  *remaining(): Generator<MaildropMessage> {
    for (let number = 1; number <= this.countAtLogin; number += 1) {
      if (!this.#deleted.has(number)) yield this.#messageOf(number);
    }
  }

  /** Marks a message that `find` answered. */
  markDeleted(message: MaildropMessage): void {
    if (this.#deleted.has(message.number)) return;
    this.#deleted.add(message.number);
    this.#deletedOctets += message.octets;
  }

  /** Whether the message is marked as deleted. */
  isMarked(message: MaildropMessage): boolean {
    return this.#deleted.has(message.number);
  }

  /** Takes all marks away. */
  unmarkAll(): void {
    this.#deleted.clear();
    this.#deletedOctets = 0;
  }

  /** Expunges what is marked; answers the UIDs that were removed by this call, in order (others may have been quicker). */
  async expungeMarked(pacer: Pacer): Promise<readonly Uid[]> {
    if (this.#deleted.size === 0) return [];
    return this.#mailboxes.expunge(this.mailboxId, await this.#markedRanges(pacer), false);
  }

  /** The same, but they are retained, all or none; `fields` are for their traces. */
  async retainMarked(pacer: Pacer, fields: Readonly<Record<string, string>>): Promise<readonly Uid[]> {
    if (this.#deleted.size === 0) return [];
    return this.#mailboxes.retain(this.mailboxId, await this.#markedRanges(pacer), fields);
  }

  /** The messages of `uids`, which are in order and were there at login. */
  *messagesOf(uids: readonly Uid[]): Generator<MaildropMessage> {
    let number = 1;
    for (const uid of uids) {
      while (this.#snapshot.uidAt(number - 1) !== uid) number += 1;
      yield this.#messageOf(number);
    }
  }

  /** Lets go of the contents, and of the lock. */
  close(): void {
    this.#hold.release();
    this.#unlock();
  }

  /** What is marked, as ranges of UIDs; neighbours in the snapshot with neighbouring UIDs share one. */
  async #markedRanges(pacer: Pacer): Promise<readonly UidRange[]> {
    const ranges: { first: number; last: number }[] = [];
    for (let number = 1; number <= this.countAtLogin; number += 1) {
      if (number % NUMBERS_PER_BREATH === 0) await pacer.breathe();
      if (!this.#deleted.has(number)) continue;
      const uid = this.#snapshot.uidAt(number - 1);
      const open = ranges.at(-1);
      if (open !== undefined && open.last + 1 === uid) open.last = uid;
      else ranges.push({ first: uid, last: uid });
    }
    return ranges;
  }

  #messageOf(number: number): MaildropMessage {
    const position = number - 1;
    return {
      number,
      uid: this.#snapshot.uidAt(position),
      contentId: this.#snapshot.contentIdAt(position),
      octets: this.#snapshot.octetsAt(position),
    };
  }
}

const UID_MAX = 4_294_967_295;

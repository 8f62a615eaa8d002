/**
 * The maildrop: an account's INBOX as one POP3 session sees it (RFC 1939 section 3).
 *
 * A snapshot taken at login: numbers, sizes and unique ids do not change while the session lasts, whatever others do.
 * Deviates from RFC 1939 section 4, which asks for an exclusive lock: see docs/ARCHITECTURE.md. Deleting only marks; the marks become expunges at QUIT. Several sessions may have the same maildrop at once.
 * The unique id is the entry's UID as a plain decimal, as hMailServer's, so that migrated mailboxes keep theirs.
 */

import { MailError } from '../base/error.ts';
import type { AccountId, ContentId, MailboxId, Uid } from '../base/ids.ts';
import type { Hold, Mailboxes, UidRange } from '../store/contract/mailboxes.ts';

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
  readonly #messages: readonly MaildropMessage[];
  readonly #deleted = new Set<number>();
  readonly #octets: number;
  #deletedOctets = 0;
  readonly mailboxId: MailboxId;

  private constructor(
    mailboxes: Mailboxes,
    mailboxId: MailboxId,
    hold: Hold,
    messages: readonly MaildropMessage[],
  ) {
    this.#mailboxes = mailboxes;
    this.mailboxId = mailboxId;
    this.#hold = hold;
    this.#messages = messages;
    this.#octets = messages.reduce((sum, message) => sum + message.octets, 0);
  }

  /** Takes the snapshot. Errors: `mailboxMissing`. */
  static async open(mailboxes: Mailboxes, accountId: AccountId): Promise<Maildrop> {
    const hold = mailboxes.hold();
    try {
      const inbox = await mailboxes.find(accountId, ['INBOX']);
      if (inbox === undefined) throw new MailError('mailboxMissing', `account ${accountId} has no INBOX`);
      const messages: MaildropMessage[] = [];
      for await (const slice of mailboxes.entries(inbox.id, { first: 1, last: UID_MAX })) {
        for (const { uid, contentId, pop3Octets } of slice) {
          messages.push({ number: messages.length + 1, uid, contentId, octets: pop3Octets });
        }
      }
      return new Maildrop(mailboxes, inbox.id, hold, messages);
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  /** Messages that are not marked as deleted. */
  get count(): number {
    return this.#messages.length - this.#deleted.size;
  }

  /** Their octets. */
  get octets(): number {
    return this.#octets - this.#deletedOctets;
  }

  /** The message of this number, unless there is none or it is marked as deleted. */
  find(number: number): MaildropMessage | undefined {
    return this.#deleted.has(number) ? undefined : this.#messages[number - 1];
  }

  /** The messages that are not marked as deleted, in order. */
  *remaining(): Generator<MaildropMessage> {
    for (const message of this.#messages) if (!this.#deleted.has(message.number)) yield message;
  }

  /** Marks a message that `find` answered. */
  markDeleted(message: MaildropMessage): void {
    if (this.#deleted.has(message.number)) return;
    this.#deleted.add(message.number);
    this.#deletedOctets += message.octets;
  }

  /** Takes all marks away. */
  unmarkAll(): void {
    this.#deleted.clear();
    this.#deletedOctets = 0;
  }

  /** Expunges what is marked; answers the messages that were removed by this call (others may have been quicker). */
  async expungeMarked(): Promise<readonly MaildropMessage[]> {
    if (this.#deleted.size === 0) return [];
    const marked = this.#messages.filter((message) => this.#deleted.has(message.number));
    const removed = new Set(await this.#mailboxes.expunge(this.mailboxId, rangesOf(marked), false));
    return marked.filter((message) => removed.has(message.uid));
  }

  /** Lets go of the contents. */
  close(): void {
    this.#hold.release();
  }
}

const UID_MAX = 4_294_967_295;

/** The messages' UIDs as ranges; neighbours in the snapshot with neighbouring UIDs share one. */
function rangesOf(messages: readonly MaildropMessage[]): UidRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const { uid } of messages) {
    const open = ranges.at(-1);
    if (open !== undefined && open.last + 1 === uid) open.last = uid;
    else ranges.push({ first: uid, last: uid });
  }
  return ranges;
}

/**
 * \Recent: whose session hears first of a new message (RFC 3501 section 2.3.2).
 *
 * The store hands the \Recent messages of a mailbox to the first read-write session that asks, which is a write. Sessions
 * of this server that wait on the same mailbox hear of a message at the same moment, so they share one asking: the first
 * has the message, the others know without a write that it is somebody's.
 */

import type { MailboxId } from '../base/ids.ts';
import type { MailboxStatus, Mailboxes } from '../store/contract/mailboxes.ts';

/** Mailboxes whose last claim is remembered. Forgetting one costs its next asker a write, nothing else. */
const REMEMBERED_LIMIT = 10_000;

/** Shared by all sessions of a server. */
export class RecentClaims {
  readonly #mailboxes: Pick<Mailboxes, 'claimRecent'>;
  /** By mailbox: the UIDs below this one have been claimed. */
  readonly #claimedBelow = new Map<MailboxId, number>();
  readonly #asking = new Map<MailboxId, Promise<unknown>>();

  constructor(mailboxes: Pick<Mailboxes, 'claimRecent'>) {
    this.#mailboxes = mailboxes;
  }

  /** Claims what is \Recent for a session that selects the mailbox; answers the counters as they were. */
  async claimAll(mailboxId: MailboxId): Promise<MailboxStatus> {
    const asking = this.#mailboxes.claimRecent(mailboxId);
    this.#asking.set(mailboxId, asking);
    try {
      const status = await asking;
      this.#remember(mailboxId, status.uidNext);
      return status;
    } finally {
      if (this.#asking.get(mailboxId) === asking) this.#asking.delete(mailboxId);
    }
  }

  /** Claims new messages up to `lastUid` for a session; answers the first UID that is its own, Infinity when none is. */
  async claimNew(mailboxId: MailboxId, lastUid: number): Promise<number> {
    for (let asking = this.#asking.get(mailboxId); asking !== undefined; asking = this.#asking.get(mailboxId))
      await asking.catch(() => {});
    if ((this.#claimedBelow.get(mailboxId) ?? 0) > lastUid) return Number.POSITIVE_INFINITY;
    return (await this.claimAll(mailboxId)).firstRecentUid;
  }

  #remember(mailboxId: MailboxId, uidNext: number): void {
    const before = this.#claimedBelow.get(mailboxId) ?? 0;
    this.#claimedBelow.delete(mailboxId);
    this.#claimedBelow.set(mailboxId, Math.max(before, uidNext));
    if (this.#claimedBelow.size <= REMEMBERED_LIMIT) return;
    const [oldest] = this.#claimedBelow.keys();
    if (oldest !== undefined) this.#claimedBelow.delete(oldest);
  }
}

/**
 * Deliveries: a planned message becomes local copies, queue items and trace events, in one transaction.
 *
 * `deliver` is what stands behind the 250: its promise resolves after the sync.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId, ContentId, MailboxId, QueueId, TraceId, Uid } from '../../base/ids.ts';
import type { Duplicate, PlannedClaim } from './claims.ts';
import type { ContentDraft } from './contents.ts';
import type { Flags, MailboxName } from './mailboxes.ts';
import type { PlannedQueueItem } from './queue.ts';
import type { HopUse, QueueSettlement } from './queueWork.ts';
import type { PlannedSendingUse, SendingSubject, SendingUse } from './sendingUse.ts';
import type { MessageNames, TraceEvent } from './trace.ts';

/** One local copy to make. */
export interface PlannedCopy {
  readonly accountId: AccountId;
  /** The recipient as it stood in the envelope, for the trace. */
  readonly recipient: string;
  /**
   * INBOX unless said. Made if missing, with its parents, and subscribed. Where it cannot be made (its name, or
   * too many mailboxes), the copy goes to the INBOX, which its `stored` event tells.
   */
  readonly mailbox?: MailboxName | undefined;
  /** Flags that the copy has from the start; none unless said. Keywords beyond the mailbox's limit are left out. */
  readonly flags?: Flags | undefined;
}

/** A message as transfer planned it. */
export interface PlannedDelivery extends MessageNames {
  readonly traceId: TraceId;
  /** The whole message, our trace fields in front. Sealed by this call. */
  readonly draft: ContentDraft;
  /** Length of the leading Return-Path line with its CRLF. */
  readonly returnPathOctets: number;
  /** When the end of data came; the copies' internal date. */
  readonly acceptedAt: UnixMs;
  /** The server's offset from UTC in minutes at that time, for INTERNALDATE. */
  readonly zoneMinutes: number;
  /** Reverse path without angle brackets; empty for the null path. */
  readonly reversePath: string;
  /** Forward paths without angle brackets, as they were accepted. */
  readonly recipients: readonly string[];
  /** One for each account and mailbox; may be none. */
  readonly copies: readonly PlannedCopy[];
  /** What goes on to next hops, one for each recipient and reverse path. */
  readonly queued?: readonly PlannedQueueItem[] | undefined;
  /**
   * Events that ride in the same transaction. `accepted` (at `acceptedAt`, without fields) is put in front when it is not among
   * them; one `stored` for each copy (recipient, account, mailbox, uid) and one `queued` for each item (recipient, hop, name,
   * queueId; to, where the recipient of the envelope is not the item's; from, where the reverse path is not the message's) is
   * added behind.
   */
  readonly events: readonly TraceEvent[];
  /**
   * What makes the message come once only. For a recipient of whom a claim is held nothing is stored, and its events but
   * `accepted` are left out; both traces get a `duplicate` that names the other one.
   */
  readonly claims?: readonly PlannedClaim[];
  /** What is counted for whoever submitted it. */
  readonly sendingUse?: PlannedSendingUse | undefined;
  /** Items of the queue that this message is the report of: settled by the same commit, whatever becomes of its copies. */
  readonly settled?: SettledItems | undefined;
}

/** What became of items of the queue, and what it counts for their hop. */
export interface SettledItems {
  readonly settlements: readonly QueueSettlement[];
  readonly use?: HopUse | undefined;
}

/** Where a copy went. */
export interface DeliveredCopy {
  readonly accountId: AccountId;
  readonly mailboxId: MailboxId;
  readonly uid: Uid;
}

/** What a delivery did. Copies for accounts that were removed meanwhile are missing from `copies`. */
export interface DeliveryOutcome {
  readonly contentId: ContentId;
  readonly copies: readonly DeliveredCopy[];
  /** Ids of the queue items, in the order of the plan. */
  readonly queued: readonly QueueId[];
  /** Recipients for whom nothing was stored, because it had been. When nothing is left of a message, its content is an orphan. */
  readonly duplicates: readonly Duplicate[];
}

/** The MDA's view of the store. */
export interface Deliveries {
  /**
   * Seals the draft and makes the copies; nothing of it is visible when it rejects, and the draft can then only be discarded.
   * Quota is not asked: it was, at RCPT. Errors: `cannot` (a draft of another store, sealed, discarded or still written),
   * `recipientUnknown` when none of the accounts of the plan is left and nothing is queued, `sendingLimit`.
   */
  deliver(planned: PlannedDelivery): Promise<DeliveryOutcome>;
  /** Whether a claim of this key is held at `now`: a look beforehand, the delivery itself decides. */
  isClaimed(key: string, now: UnixMs): Promise<boolean>;
  /**
   * The message that holds the claim of this key, which is held until `expiresAt` at least from then on; undefined where none does.
   * Answers after the deliveries that were asked for before.
   */
  renewClaim(key: string, expiresAt: UnixMs): Promise<TraceId | undefined>;
  /** What a submitter has sent on a day (days since 1970-01-01 in the server's zone). */
  sendingUse(subject: SendingSubject, day: number): Promise<SendingUse>;
}

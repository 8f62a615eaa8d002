/**
 * Deliveries: a planned message becomes local copies and trace events, in one transaction.
 *
 * `deliver` is what stands behind the 250: its promise resolves after the sync. (Queue rows and settled queue ids join the
 * same transaction when the queue arrives.)
 */

import type { UnixMs } from '../../base/clock.ts';
import type { AccountId, ContentId, MailboxId, TraceId, Uid } from '../../base/ids.ts';
import type { ContentDraft } from './contents.ts';
import type { TraceEvent } from './trace.ts';

/** One local copy to make: into the account's INBOX. */
export interface PlannedCopy {
  readonly accountId: AccountId;
  /** The recipient as it stood in the envelope, for the trace. */
  readonly recipient: string;
}

/** A message as transfer planned it. */
export interface PlannedDelivery {
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
  /** An account is named at most once: one copy each. */
  readonly copies: readonly PlannedCopy[];
  /**
   * Events that ride in the same transaction. `accepted` (at `acceptedAt`, without fields) is put in front when it is not among
   * them; one `stored` for each copy (recipient, account, mailbox, uid) is added behind.
   */
  readonly events: readonly TraceEvent[];
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
}

/** The MDA's view of the store. */
export interface Deliveries {
  /**
   * Seals the draft and makes the copies; nothing of it is visible when it rejects, and the draft can then only be discarded.
   * Quota is not asked: it was, at RCPT. Errors: `cannot` (a draft of another store, sealed, discarded or still written),
   * `recipientUnknown` when none of the accounts of the plan is left.
   */
  deliver(planned: PlannedDelivery): Promise<DeliveryOutcome>;
}

/**
 * What submitters have sent on one day, for limits per day. Counted in the transaction that stores the message, so that nothing
 * counts that was refused, and nothing is forgotten that was acknowledged.
 */

import type { AccountId } from '../../base/ids.ts';

/** Who is counted. */
export type SendingSubject =
  | { readonly kind: 'account'; readonly accountId: AccountId }
  /** All clients of an IP range that have not logged in, together. */
  | { readonly kind: 'range'; readonly name: string };

/** What was sent. */
export interface SendingUse {
  readonly messages: number;
  /** Recipients of their envelopes. */
  readonly recipients: number;
}

/** What a message adds. */
export interface PlannedSendingUse {
  readonly subject: SendingSubject;
  /** Days since 1970-01-01 in the server's zone. */
  readonly day: number;
  /** Recipients of the envelope; those that had the message before are not counted. */
  readonly recipients: number;
  /** The delivery is refused as `sendingLimit` when the day's recipients would be more. */
  readonly recipientsPerDayLimit?: number | undefined;
}

/**
 * What a report tells: values that its three parts are written from (RFC 3464 sections 2.2 and 2.3).
 */

import type { Returned } from './returnedPart.ts';
import type { ReportedAction } from './texts/reportTexts.ts';

/** What became of one recipient. */
export interface ReportedRecipient {
  /** Forward path as it was given. */
  readonly address: string;
  readonly action: ReportedAction;
  /** RFC 3463, as 5.2.2. */
  readonly status: string;
  /** What the next hop answered, or our own reason. */
  readonly reply: string;
  /** The next hop that answered; undefined where we decided ourselves. */
  readonly server?: string | undefined;
  /** ORCPT, decoded: `rfc822;a@example.org`. */
  readonly originalRecipient?: string | undefined;
  /** date-time of RFC 5322. */
  readonly lastAttemptAt?: string | undefined;
  /** When it is given up, as date-time; for `delayed`. */
  readonly willRetryUntil?: string | undefined;
}

/** Who reads the report. */
export type ReportAudience =
  | { readonly kind: 'sender' }
  /** `address` passes its mail on; the sender is not told. */
  | { readonly kind: 'forwarder'; readonly address: string }
  /** `sender` is empty for the null path. */
  | { readonly kind: 'postmaster'; readonly sender: string };

/** Languages of reports, the first one on top. */
export type ReportLanguages = 'en' | 'de' | 'both';

/** A report. */
export interface DeliveryReport {
  /** Who writes it: a host name. */
  readonly reportingServer: string;
  readonly from: string;
  readonly to: string;
  /** date-time of RFC 5322, of the report and of the arrival. */
  readonly date: string;
  readonly arrivedAt: string;
  /** Of the report: makes Message-ID and boundary. */
  readonly id: string;
  /** Our id of the message that is reported about. */
  readonly messageTrace: string;
  /** ENVID, decoded. */
  readonly envelopeId?: string | undefined;
  /** One or more. */
  readonly recipients: readonly ReportedRecipient[];
  readonly audience: ReportAudience;
  readonly languages: ReportLanguages;
  /** What the message is called: Message-ID without brackets, decoded subject. */
  readonly messageId?: string | undefined;
  readonly subject?: string | undefined;
  readonly returned: Returned;
  /** Whether the report may have UTF-8 outside of its parts' text (RFC 6531): only where `to` needs it anyway. */
  readonly isSmtpUtf8: boolean;
}

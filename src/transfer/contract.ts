/**
 * What whoever hands messages over knows of transfer: envelopes, verdicts, acceptances, the door itself; and what transfer is
 * handed. transfer.ts opens the door.
 */

import type { Clock } from '../base/clock.ts';
import type { MailError, MailErrorCode } from '../base/error.ts';
import type { TraceId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Store } from '../store/contract/store.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Origin } from './traceFields.ts';

/** An envelope: paths without angle brackets (RFC 5321 section 4.1.1). */
export interface Envelope {
  /** Empty for the null path. */
  readonly reversePath: string;
  /** Forward paths that `checkRecipient` accepted; at least one. */
  readonly recipients: readonly string[];
  /** Whether MAIL had SMTPUTF8 (RFC 6531 section 3.4). */
  readonly isSmtpUtf8?: boolean;
}

/** What RCPT is answered with. */
export type RecipientVerdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: MailErrorCode };

/** How an acceptance ended. */
export type Acceptance =
  | { readonly kind: 'accepted'; readonly traceId: TraceId }
  | { readonly kind: 'refused'; readonly traceId: TraceId; readonly error: MailError };

/** What the room is handed. */
export interface TransferOptions {
  readonly store: Pick<Store, 'contents' | 'deliveries' | 'health' | 'trace'>;
  readonly accounts: Pick<Accounts, 'isOverQuota' | 'resolveRecipient'>;
  /** Names us in Received fields. */
  readonly serverName: string;
  /** Octets of the largest message, our trace fields not counted. */
  readonly sizeLimitOctets: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The door. */
export interface Transfer {
  /** Whether a forward path (without angle brackets) is ours and has room for `octets` more (0: unknown). Errors: the store's. */
  checkRecipient(path: string, octets: number): Promise<RecipientVerdict>;
  /**
   * Takes a message. Stops reading `message` once it is refused. Never rejects: an error that `message` throws is a refusal
   * too, and whatever was not the other side's fault is a temporary one.
   */
  accept(envelope: Envelope, message: AsyncIterable<Buffer>, origin: Origin): Promise<Acceptance>;
}

/**
 * Claims: what a delivery takes for itself in its own transaction, so that the same message is stored once for a recipient
 * although it is handed over twice (RFC 5321 section 4.5.4.2), also at the same moment.
 *
 * A claim outlives what was stored: a message that was fetched and deleted meanwhile is not delivered again.
 */

import type { UnixMs } from '../../base/clock.ts';
import type { TraceId } from '../../base/ids.ts';

/** Octets of a claim's key: enough that two messages never share one by accident. */
export const CLAIM_KEY_OCTETS = 16;

/**
 * What makes a second copy one: the same envelope and octets, the ids that Exchange gives a message, the same file; or that an account
 * has answered its recipient by itself already. The claim of a file (`pickup`) is one for all of its recipients, and names the message
 * that took it, whoever has the others.
 */
export type DuplicateKind = 'resend' | 'exchange' | 'pickup' | 'vacation';

/** One claim of one recipient; a recipient may have one of each kind. */
export interface PlannedClaim {
  readonly kind: DuplicateKind;
  /** As in the envelope. What is planned for it is left out when the claim is held already. */
  readonly recipient: string;
  /** CLAIM_KEY_OCTETS octets in hexadecimal digits. */
  readonly key: string;
  readonly expiresAt: UnixMs;
}

/** A recipient for whom nothing was stored, and the message that was stored before. */
export interface Duplicate {
  readonly recipient: string;
  readonly kind: DuplicateKind;
  readonly of: TraceId;
}

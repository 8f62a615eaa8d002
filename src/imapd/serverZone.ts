/**
 * Moments that no client gave a zone: they are told in the server's own (RFC 3501 section 2.3.3, RFC 8514 section 4.2).
 */

import type { UnixMs } from '../base/clock.ts';
import type { InternalDate } from '../store/contract/mailboxes.ts';

/** `at` in the zone that the server has at that moment. */
export function inServerZone(at: UnixMs): InternalDate {
  return { at, zoneMinutes: -new Date(at).getTimezoneOffset() };
}

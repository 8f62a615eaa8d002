/**
 * What of a relay ends by the calendar: the certificate that it shows, the certificate or the secret that proves its application.
 */

import { type UnixMs, unixMs } from '../base/clock.ts';
import { DAY_MS } from '../base/units.ts';
import type { RelayConfig } from '../config/relayKeys.ts';
import type { RelayFiles } from './relayOptions.ts';

/** Days before the end on which it is said anew, the first of them first. */
export const EXPIRY_STEPS_DAYS = [30, 14, 3] as const;

/** Something that ends. */
export interface RelayExpiry {
  readonly what: 'client certificate' | 'application certificate' | 'client secret';
  readonly endsAt: UnixMs;
}

/** What of a relay ends. */
export function expiriesOf(relay: RelayConfig, files: RelayFiles): readonly RelayExpiry[] {
  const secretEndsAt =
    relay.secretExpires === undefined ? undefined : unixMs(Date.parse(relay.secretExpires));
  const all: readonly (readonly [RelayExpiry['what'], UnixMs | undefined])[] = [
    ['client certificate', files.clientCertificateEndsAt],
    ['application certificate', files.applicationCertificateEndsAt],
    ['client secret', secretEndsAt],
  ];
  return all.flatMap(([what, endsAt]) => (endsAt === undefined ? [] : [{ what, endsAt }]));
}

/** Which step has been reached: undefined before the first, 0 for what has ended. */
export function expiryStep({ endsAt }: RelayExpiry, now: UnixMs): number | undefined {
  if (endsAt <= now) return 0;
  return EXPIRY_STEPS_DAYS.findLast((days) => endsAt - now <= days * DAY_MS);
}

/** The sentence for an administrator, from the first step on. */
export function expiryWarning(name: string, expiry: RelayExpiry, now: UnixMs): string | undefined {
  if (expiryStep(expiry, now) === undefined) return undefined;
  const day = new Date(expiry.endsAt).toISOString().slice(0, 10);
  const days = Math.floor((expiry.endsAt - now) / DAY_MS);
  return expiry.endsAt <= now
    ? `relay ${name}: its ${expiry.what} ended on ${day}: nothing goes by it until there is a new one`
    : `relay ${name}: its ${expiry.what} ends in ${days} ${days === 1 ? 'day' : 'days'}, on ${day}`;
}

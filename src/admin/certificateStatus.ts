/**
 * What status and warnings say of the certificates in use.
 */

import type { UnixMs } from '../base/clock.ts';
import { DAY_MS } from '../base/units.ts';
import type { ListenerCertificate } from './listenerCertificate.ts';

/** How long before its end a certificate is warned about: what renews by itself does so 30 days before. */
export const EXPIRY_WARNING_MS = 21 * DAY_MS;
/** A certificate as status shows it. */
export interface CertificateStatus {
  readonly file: string;
  /** The listeners that show it. */
  readonly listeners: readonly string[];
  readonly subject: string;
  /** `DNS:mail.example.com, IP Address:127.0.0.1`; empty where it names none. */
  readonly alternativeNames: string;
  readonly validTo: UnixMs;
  /** SHA-256 in hexadecimal with colons. */
  readonly fingerprint: string;
  /** Why the files as they are now are not in use; null when they are. */
  readonly problem: string | null;
}

/** One for each certificate and file, whatever TLS allows with it. */
export function statusOf(opened: readonly ListenerCertificate[]): readonly CertificateStatus[] {
  const grouped = new Map<string, { status: CertificateStatus; listeners: string[] }>();
  for (const { listener, contexts, files, problem = null } of opened) {
    const { subject, alternativeNames, validTo, fingerprint } = contexts.certificate;
    const file = files.certificateFile;
    const key = JSON.stringify([file, fingerprint, problem]);
    const listeners = grouped.get(key)?.listeners ?? [];
    listeners.push(listener.name);
    const status = { file, listeners, subject, alternativeNames, validTo, fingerprint, problem };
    grouped.set(key, { status, listeners });
  }
  return [...grouped.values()].map(({ status }) => status);
}

/** What an administrator should know of a certificate before its clients do. */
export function warningsOf({ file, validTo, problem }: CertificateStatus, now: UnixMs): readonly string[] {
  const days = Math.floor((validTo - now) / DAY_MS);
  const end = isoDate(validTo);
  const refused = problem === null ? [] : [`the certificate in use is an older one: ${problem}`];
  if (validTo <= now) return [...refused, `the certificate ${file} ended on ${end}: clients refuse it`];
  if (validTo - now >= EXPIRY_WARNING_MS) return refused;
  return [...refused, `the certificate ${file} ends in ${days} ${days === 1 ? 'day' : 'days'}, on ${end}`];
}

/** A moment as text. */
export function isoDate(when: UnixMs): string {
  return new Date(when).toISOString();
}

/**
 * Root certificates that certificates of others are held against: Node's own bundle, and what an administrator adds.
 *
 * The system's store is not asked: on an old system it lacks roots that Microsoft has moved to (DigiCert Global Root G2).
 * Reading the bundle takes some 20 ms, so it is read when it is first needed.
 */

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';

import { MailError } from '../base/error.ts';
import { MIB } from '../base/units.ts';

/** A file of roots larger than this is another file. */
const FILE_LIMIT_OCTETS = 16 * MIB;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Certificates that are trusted. */
export interface TrustRoots {
  /** Whether this very certificate is one of them. */
  includes(certificate: X509Certificate): boolean;
  /** Those that may have issued a certificate, by their name. */
  issuersOf(certificate: X509Certificate): readonly X509Certificate[];
}

/** Node's roots and those of `file` (PEM), read once. Errors: `invalid`, naming the file. */
export async function openTrustRoots(file: string | undefined): Promise<TrustRoots> {
  const added = file === undefined ? [] : await readRoots(file);
  let bySubject: Map<string, X509Certificate[]> | undefined;
  const find = (subject: string) => {
    bySubject ??= index([...rootCertificates.map((pem) => new X509Certificate(pem)), ...added]);
    return bySubject.get(subject) ?? [];
  };
  return {
    includes: ({ subject, fingerprint256 }) =>
      find(subject).some((root) => root.fingerprint256 === fingerprint256),
    issuersOf: ({ issuer }) => find(issuer),
  };
}

async function readRoots(file: string): Promise<X509Certificate[]> {
  try {
    const text = await readFile(file, 'latin1');
    const found = text.length > FILE_LIMIT_OCTETS ? [] : (text.match(PEM) ?? []);
    if (found.length === 0) throw new Error('holds no certificate in PEM form');
    return found.map((pem) => new X509Certificate(pem));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MailError('invalid', `file of root certificates ${file}: ${reason}`, { cause: error });
  }
}

function index(certificates: readonly X509Certificate[]): Map<string, X509Certificate[]> {
  const bySubject = new Map<string, X509Certificate[]>();
  for (const certificate of certificates) {
    const alike = bySubject.get(certificate.subject);
    if (alike === undefined) bySubject.set(certificate.subject, [certificate]);
    else alike.push(certificate);
  }
  return bySubject;
}

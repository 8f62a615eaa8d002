/**
 * Whether the certificate that a client presented in its handshake is of one of these names, and a chain leads to a trusted root.
 *
 * Done by hand and not by OpenSSL, whose check wants clientAuth among the purposes: public authorities issue no such certificates
 * any more (since 2026), so a right one would be refused as INVALID_PURPOSE. RFC 5280 section 6.1 as far as Node shows it: name,
 * validity, issuer, signature, CA flag; revocation, path length and name constraints are not looked at.
 * Trust: nothing; CHAIN_LIMIT certificates are looked at. Texts from a certificate are made printable and short.
 */

import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

import type { UnixMs } from '../base/clock.ts';
import type { TrustRoots } from './trustRoots.ts';

/** Certificates of a chain; public ones have three or four. */
const CHAIN_LIMIT = 8;
const TEXT_LIMIT_CHARS = 80;
/** Extended key usages of TLS: server, client, any (RFC 5280 section 4.2.1.12). */
const TLS_USES: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0']);
const WEAK_SIGNATURE = /md[245]|sha-?1(?!\d)/i;

/** What was found. Texts are for an administrator. */
export type PresentedCertificate =
  | { readonly kind: 'absent' }
  | { readonly kind: 'proved'; readonly name: string }
  | { readonly kind: 'otherName'; readonly subject: string }
  | { readonly kind: 'unproved'; readonly why: string };

/** What a chain is held against. */
export interface CertificateDemand {
  readonly names: readonly string[];
  readonly roots: TrustRoots;
  readonly now: UnixMs;
}

/** The chain that the client presented on `socket`, its own certificate first; empty when it presented none. */
export function presentedChain(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: Partial<DetailedPeerCertificate> | null = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && chain.length < CHAIN_LIMIT) {
    const certificate = new X509Certificate(next.raw);
    if (chain.at(-1)?.fingerprint256 === certificate.fingerprint256) break;
    chain.push(certificate);
    next = next.issuerCertificate ?? null;
  }
  return chain;
}

/** Holds a chain against what is demanded. */
export function checkCertificate(
  chain: readonly X509Certificate[],
  { names, roots, now }: CertificateDemand,
): PresentedCertificate {
  const [own] = chain;
  if (own === undefined) return { kind: 'absent' };
  const name = names.find((wanted) => own.checkHost(wanted) !== undefined);
  if (name === undefined) return { kind: 'otherName', subject: describe(own) };
  const why = usageFault(own) ?? chainFault(own, chain, roots, now);
  return why === undefined ? { kind: 'proved', name } : { kind: 'unproved', why };
}

function usageFault({ keyUsage: uses }: X509Certificate): string | undefined {
  if (uses === undefined || uses.some((use) => TLS_USES.has(use))) return undefined;
  return 'it is not a certificate for TLS';
}

function chainFault(
  own: X509Certificate,
  chain: readonly X509Certificate[],
  roots: TrustRoots,
  now: UnixMs,
): string | undefined {
  let current = own;
  for (let depth = 0; depth < CHAIN_LIMIT; depth += 1) {
    const which = depth === 0 ? 'it' : `its issuer (${describe(current)})`;
    if (current.validToDate.getTime() < now) return `${which} has expired on ${dayOf(current.validToDate)}`;
    if (current.validFromDate.getTime() > now)
      return `${which} is not valid before ${dayOf(current.validFromDate)}`;
    if (roots.includes(current)) return undefined;
    if (WEAK_SIGNATURE.test(current.signatureAlgorithm ?? ''))
      return `${which} is signed with a weak algorithm`;
    if (roots.issuersOf(current).some((root) => root.ca && isIssuer(root, current) && isValidAt(root, now)))
      return undefined;
    const issuer = chain.find((candidate) => candidate.ca && isIssuer(candidate, current));
    if (issuer === undefined || issuer === current)
      return `no certificate that is trusted here has issued ${which === 'it' ? 'it' : describe(current)}`;
    current = issuer;
  }
  return 'its chain is too long';
}

function isIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key of a kind that OpenSSL does not know.
    return false;
  }
}

function isValidAt({ validFromDate, validToDate }: X509Certificate, now: UnixMs): boolean {
  return validFromDate.getTime() <= now && now <= validToDate.getTime();
}

/** Its first names, or its subject. */
function describe({ subject, subjectAltName }: X509Certificate): string {
  const names = (subjectAltName ?? '').split(', ').flatMap((name) => /^DNS:(.+)$/.exec(name)?.[1] ?? []);
  const text = names.length > 0 ? names.slice(0, 2).join(', ') : subject.split('\n').join(', ');
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, TEXT_LIMIT_CHARS);
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

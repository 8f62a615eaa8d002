/**
 * A forward or reverse path as routing sees it: the accounts room's one form of an address, beside the octets as they came.
 *
 * RFC 5321 section 2.3.11: what stands before the @ is the business of whoever has the domain, so for others' domains it is kept
 * as it was written, odd ones too, and is never taken for a route. A domain that is no domain name (an address literal, a final
 * dot, hidden characters) is nobody's, and nothing is relayed to it.
 * Trust: paths are the other side's; wire/smtp has checked their grammar.
 */

import { parseAddress, parseDomain } from '../../accounts/address.ts';

/** What a path is. */
export type ParsedPath =
  | {
      readonly kind: 'address';
      /** In the one form; of a loose address the local part is only in lower case. */
      readonly address: string;
      readonly localPart: string;
      readonly domain: string;
      /** The local part as it was written, the domain in its one form: what a next hop is given. */
      readonly written: string;
      /** The domain is one, the local part is no valid one here: none of ours, perhaps somebody's elsewhere. */
      readonly isLoose: boolean;
    }
  /** `<postmaster>` without a domain. */
  | { readonly kind: 'postmaster' }
  | { readonly kind: 'noAddress' };

/** Takes a path without angle brackets apart. */
export function parsePath(path: string): ParsedPath {
  if (path.toLowerCase() === 'postmaster') return { kind: 'postmaster' };
  const at = path.lastIndexOf('@');
  const local = path.slice(0, Math.max(at, 0));
  const parsed = parseAddress(path);
  if (parsed.kind === 'address') return { ...parsed, written: `${local}@${parsed.domain}`, isLoose: false };
  const domain = parseDomain(path.slice(at + 1));
  if (local === '' || domain.kind === 'invalid') return { kind: 'noAddress' };
  const localPart = local.toLowerCase();
  return {
    kind: 'address',
    address: `${localPart}@${domain.domain}`,
    localPart,
    domain: domain.domain,
    written: `${local}@${domain.domain}`,
    isLoose: true,
  };
}

/**
 * Whether a local part asks whoever takes it to send it on: user%remote, remote!user, "user@remote". Servers of old still do,
 * and would so be an open relay behind us.
 */
export function isSenderRouted(localPart: string): boolean {
  return /[%!@]/.test(localPart);
}

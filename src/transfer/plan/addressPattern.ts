/**
 * Patterns of routes: which addresses they mean (store/contract/routing.ts, AddressPattern).
 *
 * `a@example.org` is one address, `example.org` a domain, `*.example.org` every domain below it, `*` every address, `<>` the
 * null reverse path. Both sides are in the accounts room's one form, so comparing is comparing. An address of a domain that
 * has other names is met by all of them.
 * Trust: addresses are the other side's, but only parsed ones come here; patterns are the administrator's.
 */

import type { AddressPattern } from '../../store/contract/routing.ts';

/** An address as patterns are held against it. */
export interface MatchedAddress {
  readonly localPart: string;
  /** The domain as it was written and, for a domain of ours, all its names. */
  readonly domains: readonly string[];
}

/** An address of a domain with these names. */
export function matchedAddress(localPart: string, domains: readonly string[]): MatchedAddress {
  return { localPart, domains };
}

/** Whether one of `patterns` means the address; undefined is the null path. */
export function isMeant(patterns: readonly AddressPattern[], address: MatchedAddress | undefined): boolean {
  return patterns.some((pattern) => matches(pattern, address));
}

function matches(pattern: AddressPattern, address: MatchedAddress | undefined): boolean {
  if (address === undefined) return pattern === '<>';
  if (pattern === '*') return true;
  if (pattern.startsWith('*.')) return address.domains.some((domain) => domain.endsWith(pattern.slice(1)));
  const at = pattern.lastIndexOf('@');
  const isMeantDomain = address.domains.includes(pattern.slice(at + 1));
  return isMeantDomain && (at < 0 || pattern.slice(0, at) === address.localPart);
}

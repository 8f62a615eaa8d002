/**
 * SRS: a reverse path of ours in place of a foreign one, from which the foreign one can be had back (Sender Rewriting Scheme, SRS0 and
 * SRS1 of its specification of 2004; there is no RFC).
 *
 * `SRS0=hash=day=domain=local@ours` for a plain path, `SRS1=hash=forwarder==rest@ours` for one that another forwarder has rewritten. The
 * hash is an HMAC in base32, so that it outlives servers that fold case, and compared in constant time. Pure: the key and the day are
 * handed in.
 * Trust: none in a path that comes back. Only what we hashed with our key is restored.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';

/** RFC 5321 section 4.5.3.1.1. */
const LOCAL_PART_LIMIT_OCTETS = 64;
/** How long a path can be had back, as in the specification: bounces come within days. */
export const SRS_LIFETIME_DAYS = 21;
/** Forty bits: who guesses has to ask a million millions of times, and each guess is a refused recipient. */
const HASH_CHARS = 8;
/** Days are counted modulo this: two characters. */
const DAY_MODULUS = 1024;

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** RFC 5321 Dot-string. */
const DOT_STRING = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN = /^[A-Za-z0-9.-]+$/;

/** An address in two parts. */
export interface SrsAddress {
  readonly localPart: string;
  readonly domain: string;
}

/** What a path of ours came from. */
export type SrsRestored =
  | { readonly kind: 'restored'; readonly address: SrsAddress }
  /** `forged`: not made by us. `expired`: made too long ago. */
  | { readonly kind: 'forged' | 'expired' };

/** Whether a local part is one of SRS, ours or another forwarder's. */
export function isSrs(localPart: string): boolean {
  return /^SRS[01][=+-]/i.test(localPart);
}

/**
 * The local part that stands for `address` until SRS_LIFETIME_DAYS after `day` (days since 1970-01-01). Undefined where none can: it
 * would be longer than a local part may be, or the address needs quotes.
 */
export function rewriteSrs(address: SrsAddress, key: string, day: number): string | undefined {
  const { localPart, domain } = address;
  if (!DOT_STRING.test(localPart) || !DOMAIN.test(domain)) return undefined;
  const rewritten = isSrs(localPart) ? again(address, key) : first(address, key, day);
  return rewritten !== undefined && rewritten.length <= LOCAL_PART_LIMIT_OCTETS ? rewritten : undefined;
}

function first({ localPart, domain }: SrsAddress, key: string, day: number): string {
  const stamp = stampOf(day);
  return `SRS0=${hashOf(key, [stamp, domain, localPart])}=${stamp}=${domain}=${localPart}`;
}

/** Another forwarder's: its own path is kept, so that a bounce goes to that forwarder and not around all of them. */
function again({ localPart, domain }: SrsAddress, key: string): string | undefined {
  if (/^SRS0/i.test(localPart)) {
    const rest = localPart.slice(4);
    return `SRS1=${hashOf(key, [domain, rest])}=${domain}=${rest}`;
  }
  const parts = /^SRS1[=+-][^=]+=([^=]+)=([=+-].+)$/i.exec(localPart);
  if (parts === null) return undefined;
  const [, forwarder = '', rest = ''] = parts;
  return `SRS1=${hashOf(key, [forwarder, rest])}=${forwarder}=${rest}`;
}

/** What a local part of ours stands for on a day. */
export function restoreSrs(localPart: string, key: string, day: number): SrsRestored {
  const plain = /^SRS0=([^=]+)=([^=]{2})=([^=]+)=(.+)$/i.exec(localPart);
  if (plain !== null) {
    const [, hash = '', stamp = '', domain = '', local = ''] = plain;
    if (!isEqual(hash, hashOf(key, [stamp, domain, local]))) return { kind: 'forged' };
    const age = ageOf(stamp, day);
    if (age === undefined || age > SRS_LIFETIME_DAYS) return { kind: 'expired' };
    return { kind: 'restored', address: { localPart: local, domain } };
  }
  const twice = /^SRS1=([^=]+)=([^=]+)=([=+-].+)$/i.exec(localPart);
  if (twice === null) return { kind: 'forged' };
  const [, hash = '', forwarder = '', rest = ''] = twice;
  if (!isEqual(hash, hashOf(key, [forwarder, rest]))) return { kind: 'forged' };
  return { kind: 'restored', address: { localPart: `SRS0${rest}`, domain: forwarder } };
}

/** Case does not count: servers on the way may fold it. Parts are framed by their lengths. */
function hashOf(key: string, parts: readonly string[]): string {
  const text = parts.map((part) => `${part.length}:${part.toLowerCase()}`).join('');
  const digest = createHmac('sha256', key).update(text).digest();
  let hash = '';
  for (const octet of digest.subarray(0, HASH_CHARS)) hash += BASE32[octet & 31];
  return hash;
}

function isEqual(given: string, wanted: string): boolean {
  const [left, right] = [Buffer.from(given.toLowerCase()), Buffer.from(wanted)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function stampOf(day: number): string {
  const rest = ((day % DAY_MODULUS) + DAY_MODULUS) % DAY_MODULUS;
  return `${BASE32[rest >> 5]}${BASE32[rest & 31]}`;
}

/** Days since the stamp was made; a day in the future, of a clock that was set back, counts as none. */
function ageOf(stamp: string, day: number): number | undefined {
  const [high, low] = [...stamp.toLowerCase()].map((character) => BASE32.indexOf(character));
  if (high === undefined || low === undefined || high < 0 || low < 0) return undefined;
  const age = (((day - (high * 32 + low)) % DAY_MODULUS) + DAY_MODULUS) % DAY_MODULUS;
  return age === DAY_MODULUS - 1 ? 0 : age;
}

/**
 * Addresses, domains and login names in the one form in which they are compared and stored.
 *
 * RFC 5321 sections 4.1.2 (Mailbox, Dot-string, Quoted-string) and 4.5.3.1 (sizes), RFC 6531 section 3.3 (UTF-8 local parts),
 * RFC 5890 (A-labels), UTS #46 by `url.domainToASCII`. A domain becomes lower-case A-labels, a local part and a login name NFC
 * and lower case, a quoted local part loses its quotes where it can. Every parser here is idempotent.
 * Trust: none. These are the strict validators at the border of the house: control and invisible characters, mixed scripts
 * and everything beyond the sizes is refused, nothing is repaired. Called by accounts, administration and transfer.
 */

import { domainToASCII, domainToUnicode } from 'node:url';
import { isOfOneScript } from './scripts.ts';

/** RFC 5321 section 4.5.3.1.1. */
export const LOCAL_PART_LIMIT_OCTETS = 64;
/** RFC 5321 section 4.5.3.1.2; RFC 1035 leaves 253 of them for a name as it is written. */
export const DOMAIN_LIMIT_OCTETS = 253;
/** RFC 1035 section 2.3.4. */
export const LABEL_LIMIT_OCTETS = 63;
/** Our own: the longest address with a separator and some more, for forms like DOMAIN\user\alias. */
export const LOGIN_NAME_LIMIT_OCTETS = 320;

/** What was wrong, as the end of the sentence "… is not a usable address: ". */
interface Invalid {
  readonly kind: 'invalid';
  readonly reason: string;
}

/** An address in its one form; `address` is `localPart@domain`. */
export interface ValidAddress {
  readonly kind: 'address';
  readonly address: string;
  /** Quoted only where it can't do without. */
  readonly localPart: string;
  readonly domain: string;
}

/** What `parseAddress` found. */
export type ParsedAddress = ValidAddress | Invalid;

/** What `parseDomain` found. */
export type ParsedDomain = { readonly kind: 'domain'; readonly domain: string } | Invalid;

/** What `parseLoginName` found. */
export type ParsedLoginName = { readonly kind: 'loginName'; readonly loginName: string } | Invalid;

/** An RFC 5321 Mailbox with a domain name (address literals are invalid here). */
export function parseAddress(text: string): ParsedAddress {
  const at = text.lastIndexOf('@');
  if (at < 0) return invalid('it has no @');
  const domain = parseDomain(text.slice(at + 1));
  if (domain.kind === 'invalid') return domain;
  const local = parseLocalPart(text.slice(0, at));
  if (local.kind === 'invalid') return local;
  const { localPart } = local;
  return { kind: 'address', address: `${localPart}@${domain.domain}`, localPart, domain: domain.domain };
}

/** A domain name of one or more labels, in any case and in U-labels or A-labels. */
export function parseDomain(text: string): ParsedDomain {
  // domainToASCII alone is no check: it decodes %41, drops tabs and cuts at a slash, as a URL's host allows.
  if (!/^[A-Za-z0-9.\u0080-\u{10ffff}-]+$/u.test(text))
    return invalid('its domain is empty or has a character that no domain has');
  const domain = domainToASCII(text);
  const labels = domain.split('.');
  if (domain.length > DOMAIN_LIMIT_OCTETS)
    return invalid(`its domain is longer than ${DOMAIN_LIMIT_OCTETS} octets`);
  if (!labels.every(isLabel)) return invalid('its domain is not a valid domain name');
  if (/^\d+$/.test(labels.at(-1) ?? '')) return invalid('its domain is an IP address');
  const readable = domainToUnicode(domain);
  if (domainToASCII(readable) !== domain || readable.split('.').some((label) => label.startsWith('xn--'))) {
    return invalid('its domain has a label that does not decode');
  }
  if (!readable.split('.').every(isOfOneScript))
    return invalid('its domain mixes writing systems within a label');
  return { kind: 'domain', domain };
}

/** A name to log in with: an address in its one form, or any other visible text, NFC and lower case. */
export function parseLoginName(text: string): ParsedLoginName {
  if (Buffer.byteLength(text) > LOGIN_NAME_LIMIT_OCTETS)
    return invalid(`it is longer than ${LOGIN_NAME_LIMIT_OCTETS} octets`);
  const parsed = parseAddress(text);
  if (parsed.kind === 'address') return { kind: 'loginName', loginName: parsed.address };
  const loginName = folded(text);
  if (loginName === '' || loginName.trim() !== loginName)
    return invalid('it is empty or has blanks at an end');
  if (hasHiddenCharacter(loginName)) return invalid('it has a control or invisible character');
  if (!segments(loginName).every(isOfOneScript)) return invalid('it mixes writing systems within a word');
  return { kind: 'loginName', loginName };
}

type ParsedLocalPart = { readonly kind: 'localPart'; readonly localPart: string } | Invalid;

function parseLocalPart(text: string): ParsedLocalPart {
  if (text === '') return invalid('it has nothing before the @');
  const content = folded(isQuoted(text) ? unquoted(text) : text);
  if (hasHiddenCharacter(content)) return invalid('its local part has a control or invisible character');
  if (!segments(content).every(isOfOneScript))
    return invalid('its local part mixes writing systems within a word');
  const isBare = DOT_STRING.test(content);
  if (!isBare && !isQuoted(text)) return invalid('its local part has a character that must be quoted');
  const localPart = isBare ? content : `"${content.replace(/["\\]/g, '\\$&')}"`;
  if (Buffer.byteLength(localPart) > LOCAL_PART_LIMIT_OCTETS) {
    return invalid(`its local part is longer than ${LOCAL_PART_LIMIT_OCTETS} octets`);
  }
  return { kind: 'localPart', localPart };
}

/** Dot-string of atext, which RFC 6531 extends by all non-ASCII. */
const DOT_STRING = /^[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+(\.[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+)*$/u;

/** Quoted-string: DQUOTE *QcontentSMTP DQUOTE. */
function isQuoted(text: string): boolean {
  return /^"([^"\\]|\\[\x20-\x7e])*"$/u.test(text);
}

function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/gu, '$1');
}

function folded(text: string): string {
  return text.normalize('NFC').toLowerCase().normalize('NFC');
}

/** Controls, format characters, unassigned and private ones, separators other than the ASCII space, and the invisible. */
function hasHiddenCharacter(text: string): boolean {
  return /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u.test(text);
}

/** The words between the ASCII punctuation that people put names together with. */
function segments(text: string): string[] {
  return text.split(/[\x20-\x2f:-@[-`{-~]/);
}

function isLabel(label: string): boolean {
  return label.length <= LABEL_LIMIT_OCTETS && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label);
}

function invalid(reason: string): Invalid {
  return { kind: 'invalid', reason };
}

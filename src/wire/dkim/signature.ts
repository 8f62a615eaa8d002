/**
 * The value of a DKIM-Signature field, checked as far as that needs no key and no message.
 *
 * RFC 6376 sections 3.5 and 6.1.1; RFC 8301 (rsa-sha1 is no signature any more); RFC 8463 (ed25519-sha256).
 * A signature with `l=` is read but says so: whatever stands behind that many octets is not signed, so who relies on a signature
 * does not rely on such a one (RFC 6376 section 8.2).
 * Trust: nothing; whatever is odd makes the signature invalid.
 */

import { parseBase64, parseTagList, type TagList, withoutSpace } from './tagList.ts';

/** Names in `h=` of one signature; Exchange Online has some ten, mass mailers thirty. */
const SIGNED_NAME_LIMIT = 200;

const ALGORITHMS: ReadonlySet<string> = new Set(['rsa-sha256', 'ed25519-sha256']);
const DOMAIN = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$/;
const SELECTOR = /^(?=.{1,190}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/** How octets are brought into one form before they are signed (RFC 6376 section 3.4). */
export type Canonicalization = 'simple' | 'relaxed';

/** A signature that can be verified. */
export interface DkimSignature {
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  /** `d=`, lower case. */
  readonly domain: string;
  /** `s=`, lower case. */
  readonly selector: string;
  /** `h=`, lower case, in its order. */
  readonly signedNames: readonly string[];
  readonly headerForm: Canonicalization;
  readonly bodyForm: Canonicalization;
  /** `bh=`: SHA-256 of the body. */
  readonly bodyHash: Buffer;
  /** `b=`. */
  readonly signature: Buffer;
  /** Whether `l=` leaves some of the body unsigned, or could. */
  readonly isBodyLimited: boolean;
  /** The part of `i=` behind the @, lower case; `domain` without `i=`. */
  readonly identityDomain: string;
  /** `x=` in seconds since 1970; undefined for no end. */
  readonly expiresAtSeconds: number | undefined;
}

/** A signature, or why it is none, in words for an administrator. */
export type ReadSignature =
  | { readonly kind: 'signature'; readonly signature: DkimSignature }
  | { readonly kind: 'invalid'; readonly why: string };

/** Reads the value of a DKIM-Signature field. */
export function parseSignature(value: string): ReadSignature {
  const tags = parseTagList(value);
  if (tags === undefined) return invalid('it is no list of tags');
  const missing = ['v', 'a', 'b', 'bh', 'd', 'h', 's'].find((name) => (tags.get(name) ?? '') === '');
  if (missing !== undefined) return invalid(`it lacks ${missing}=`);
  if (tags.get('v') !== '1') return invalid('its version is not 1');
  const algorithm = tags.get('a') ?? '';
  if (!ALGORITHMS.has(algorithm)) return invalid('its algorithm is not taken');
  if (!(tags.get('q') ?? 'dns/txt').split(':').some((method) => method.trim() === 'dns/txt'))
    return invalid('its key is not in the DNS');
  const [headerForm = '', bodyForm = 'simple'] = (tags.get('c') ?? 'simple').split('/');
  if (!isForm(headerForm) || !isForm(bodyForm)) return invalid('its canonicalization is not known');
  const read = readValues(tags);
  if (read === undefined) return invalid('a value of it is malformed');
  if (!read.signedNames.includes('from')) return invalid('it does not sign From');
  const { identityDomain, domain } = read;
  if (identityDomain !== domain && !identityDomain.endsWith(`.${domain}`))
    return invalid('i= is not of the domain that signs');
  return {
    kind: 'signature',
    signature: { ...read, algorithm: algorithm as DkimSignature['algorithm'], headerForm, bodyForm },
  };
}

type Values = Omit<DkimSignature, 'algorithm' | 'headerForm' | 'bodyForm'>;

function readValues(tags: TagList): Values | undefined {
  const domain = lower(tags.get('d'));
  const selector = lower(tags.get('s'));
  const signedNames = withoutSpace(lower(tags.get('h'))).split(':');
  const bodyHash = parseBase64(tags.get('bh') ?? '');
  const signature = parseBase64(tags.get('b') ?? '');
  const identity = withoutSpace(lower(tags.get('i') ?? `@${domain}`));
  const [signedAt, expiresAt, bodyLimit] = ['t', 'x', 'l'].map((name) => tags.get(name));
  if (!DOMAIN.test(domain) || !SELECTOR.test(selector) || bodyHash === undefined || signature === undefined)
    return undefined;
  if (signedNames.length > SIGNED_NAME_LIMIT || signedNames.includes('')) return undefined;
  if ([signedAt, expiresAt].some((seconds) => seconds !== undefined && !/^\d{1,12}$/.test(seconds)))
    return undefined;
  if (bodyLimit !== undefined && !/^\d{1,76}$/.test(bodyLimit)) return undefined;
  // RFC 6376 section 3.5: x= is later than t= where both stand.
  if (signedAt !== undefined && expiresAt !== undefined && Number(expiresAt) <= Number(signedAt))
    return undefined;
  return {
    domain,
    selector,
    signedNames,
    bodyHash,
    signature,
    isBodyLimited: bodyLimit !== undefined,
    identityDomain: identity.slice(identity.lastIndexOf('@') + 1),
    expiresAtSeconds: expiresAt === undefined ? undefined : Number(expiresAt),
  };
}

function isForm(text: string): text is Canonicalization {
  return text === 'simple' || text === 'relaxed';
}

function lower(text = ''): string {
  return text.toLowerCase();
}

function invalid(why: string): ReadSignature {
  return { kind: 'invalid', why };
}

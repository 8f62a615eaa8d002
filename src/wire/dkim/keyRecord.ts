/**
 * The record of a public key, as `<selector>._domainkey.<domain>` has it in the DNS.
 *
 * RFC 6376 section 3.6.1; RFC 8463 section 3 (Ed25519: the 32 octets of the key themselves).
 * Trust: whoever runs the DNS zone; a record that is odd is no key.
 */

import { parseBase64, parseTagList, withoutSpace } from './tagList.ts';

/** Octets of an Ed25519 public key. */
const ED25519_OCTETS = 32;

/** A key. */
export interface DkimKey {
  readonly type: 'rsa' | 'ed25519';
  /** RSA: SubjectPublicKeyInfo in DER. Ed25519: the key's octets. */
  readonly octets: Buffer;
  /** Whether `i=` has to be the domain itself and not one below it (flag `s`). */
  readonly isStrict: boolean;
  /** Whether the domain says that it only tries DKIM out (flag `y`). */
  readonly isTesting: boolean;
}

/** A key, or why the record holds none, in words for an administrator. */
export type ReadKey =
  | { readonly kind: 'key'; readonly key: DkimKey }
  | { readonly kind: 'invalid'; readonly why: string };

/** Reads the text of a TXT record, its strings joined. */
export function parseKeyRecord(text: string): ReadKey {
  const tags = parseTagList(text);
  if (tags === undefined) return invalid('the key record is no list of tags');
  // RFC 6376 section 3.6.1: where v= stands, it is the first tag and DKIM1.
  if (tags.has('v') && (tags.get('v') !== 'DKIM1' || tags.keys().next().value !== 'v'))
    return invalid('the key record is of another version');
  const type = tags.get('k') ?? 'rsa';
  if (type !== 'rsa' && type !== 'ed25519') return invalid('the key is of an unknown type');
  if (!listOf(tags.get('h') ?? 'sha256').includes('sha256')) return invalid('the key is not for SHA-256');
  if (!listOf(tags.get('s') ?? '*').some((service) => service === '*' || service === 'email'))
    return invalid('the key is not for mail');
  const written = withoutSpace(tags.get('p') ?? '');
  if (written === '') return invalid('the key has been revoked');
  const octets = parseBase64(written);
  if (octets === undefined || (type === 'ed25519' && octets.length !== ED25519_OCTETS))
    return invalid('the key is malformed');
  const flags = listOf(tags.get('t') ?? '');
  return {
    kind: 'key',
    key: { type, octets, isStrict: flags.includes('s'), isTesting: flags.includes('y') },
  };
}

function listOf(value: string): string[] {
  return withoutSpace(value).toLowerCase().split(':');
}

function invalid(why: string): ReadKey {
  return { kind: 'invalid', why };
}

/**
 * Whether a message bears a DKIM signature of one of the tenant's domains, found out while it passes.
 *
 * RFC 6376 sections 3.7 and 6, RFC 8301 (RSA keys of 1024 bits at least), RFC 8463. Stricter than the RFC, because a signature
 * opens the door here: no l=, no key in testing, and a field that a message has once must not stand there once more than signed.
 * Invariants: a body of any size costs one block of memory; each form of it is hashed once, however many signatures there are.
 * Trust: nothing. SIGNATURE_LIMIT signatures of these domains are looked at; others' cost nothing.
 */

import { createHash, createPublicKey, type Hash, type KeyObject, verify } from 'node:crypto';

import type { Clock } from '../base/clock.ts';
import { SECOND_MS } from '../base/units.ts';
import { type CanonicalBody, createCanonicalBody } from '../wire/dkim/canonicalBody.ts';
import { addedField, signedHeader } from '../wire/dkim/canonicalHeader.ts';
import type { DkimKey } from '../wire/dkim/keyRecord.ts';
import { type Canonicalization, type DkimSignature, parseSignature } from '../wire/dkim/signature.ts';
import type { MessageField, MessageHeader } from '../wire/mime/messageHeader.ts';
import { findKey, type KeyResolver } from './dkimKeys.ts';

/** Signatures of the tenant's domains that are looked at; Exchange Online adds one. */
export const SIGNATURE_LIMIT = 5;
/** RFC 8301 section 3.2. */
const RSA_BITS_MIN = 1024;
/** What stands in front of an Ed25519 key's octets in SubjectPublicKeyInfo (RFC 8410 section 4). */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** What was found; words are for an administrator. */
export type DkimVerdict =
  | { readonly kind: 'pass'; readonly domain: string }
  /** The DNS did not say whether it is one. */
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string }
  /** No signature of these domains; `others` are domains that have signed, as they say. */
  | { readonly kind: 'absent'; readonly others: readonly string[] };

/** What it needs. */
export interface DkimOptions {
  /** Lower case, in ASCII. */
  readonly domains: ReadonlySet<string>;
  readonly resolver: KeyResolver;
  readonly clock: Clock;
}

/** The verification of one message. */
export interface DkimVerification {
  /** The octets behind the header, as they came. */
  push(block: Buffer): void;
  /** The message is over. Never rejects. */
  end(): Promise<DkimVerdict>;
}

/** Begins with the header of a message. */
export function beginDkimVerification(options: DkimOptions, header: MessageHeader): DkimVerification {
  const { candidates, others, faults } = readSignatures(options, header);
  const bodies = new Map<Canonicalization, { readonly body: CanonicalBody; readonly hash: Hash }>();
  for (const { signature } of candidates) {
    if (bodies.has(signature.bodyForm)) continue;
    const hash = createHash('sha256');
    const body = createCanonicalBody(signature.bodyForm, (octets) => hash.update(octets));
    bodies.set(signature.bodyForm, { body, hash });
  }
  return {
    push(block) {
      for (const { body } of bodies.values()) body.push(block);
    },
    async end() {
      const hashes = new Map<Canonicalization, Buffer>();
      for (const [form, { body, hash }] of bodies) {
        body.end();
        hashes.set(form, hash.digest());
      }
      const verdicts: DkimVerdict[] = [...faults];
      for (const candidate of candidates) {
        const verdict = await verifySignature(options, header, candidate, hashes);
        if (verdict.kind === 'pass') return verdict;
        verdicts.push(verdict);
      }
      return verdicts.find(({ kind }) => kind === 'unknown') ?? verdicts.at(-1) ?? { kind: 'absent', others };
    },
  };
}

interface Candidate {
  readonly signature: DkimSignature;
  readonly field: MessageField;
}

function readSignatures({ domains, clock }: DkimOptions, header: MessageHeader) {
  const candidates: Candidate[] = [];
  const others: string[] = [];
  const faults: DkimVerdict[] = [];
  const fail = (why: string) => faults.push({ kind: 'failed', why });
  for (const field of header.fields) {
    if (field.name !== 'dkim-signature' || faults.length + candidates.length >= SIGNATURE_LIMIT) continue;
    const read = parseSignature(rawValue(field));
    const claimed = /(?:^|;)\s*d\s*=\s*([^;\s]{1,253})/.exec(field.value)?.[1]?.toLowerCase() ?? '';
    if (!domains.has(claimed)) {
      if (others.length < SIGNATURE_LIMIT) others.push(claimed);
    } else if (read.kind === 'invalid') fail(`the signature of ${claimed}: ${read.why}`);
    else {
      const fault = faultOf(read.signature, header, clock);
      if (fault === undefined) candidates.push({ signature: read.signature, field });
      else fail(`the signature of ${claimed}: ${fault}`);
    }
  }
  return { candidates, others, faults };
}

/** The value with its folds, as the canonical forms need it. */
function rawValue({ octets }: MessageField): string {
  const text = octets.toString('latin1');
  return text.slice(text.indexOf(':') + 1);
}

/** Why a signature does not count, whatever its key says. */
function faultOf(signature: DkimSignature, header: MessageHeader, clock: Clock): string | undefined {
  if (!header.isWhole) return 'the header is too long';
  if (signature.isBodyLimited) return 'it leaves part of the body unsigned (l=)';
  const { expiresAtSeconds } = signature;
  if (expiresAtSeconds !== undefined && expiresAtSeconds * SECOND_MS < clock.now()) return 'it has expired';
  const added = addedField(header.fields, signature.signedNames);
  return added === undefined ? undefined : `there are more ${added} fields than it signs`;
}

async function verifySignature(
  { resolver, clock }: DkimOptions,
  header: MessageHeader,
  { signature, field }: Candidate,
  bodyHashes: ReadonlyMap<Canonicalization, Buffer>,
): Promise<DkimVerdict> {
  const { domain, selector } = signature;
  const failed = (why: string): DkimVerdict => ({
    kind: 'failed',
    why: `the signature of ${domain}: ${why}`,
  });
  if (bodyHashes.get(signature.bodyForm)?.equals(signature.bodyHash) !== true)
    return failed('the body was changed behind it');
  const found = await findKey(resolver, clock, domain, selector);
  if (found.kind === 'unknown') return found;
  if (found.kind === 'invalid') return failed(found.why);
  const { key } = found;
  if (key.isTesting) return failed('its key is being tried out (t=y)');
  if (key.isStrict && signature.identityDomain !== domain) return failed('its key is not for i=');
  const publicKey = publicKeyOf(key, signature);
  if (publicKey === undefined) return failed('its key is of another kind, or too short');
  const octets = signedHeader(header.fields, signature, field);
  return isSigned(octets, signature, publicKey)
    ? { kind: 'pass', domain }
    : failed('the header was changed behind it, or another key signed');
}

function publicKeyOf({ type, octets }: DkimKey, { algorithm }: DkimSignature): KeyObject | undefined {
  if (algorithm !== `${type}-sha256`) return undefined;
  const der = type === 'rsa' ? octets : Buffer.concat([ED25519_PREFIX, octets]);
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    const isFit =
      key.asymmetricKeyType === type &&
      (key.asymmetricKeyDetails?.modulusLength ?? RSA_BITS_MIN) >= RSA_BITS_MIN;
    return isFit ? key : undefined;
  } catch {
    return undefined;
  }
}

function isSigned(octets: Buffer, { algorithm, signature }: DkimSignature, key: KeyObject): boolean {
  if (algorithm === 'rsa-sha256') return verify('sha256', octets, key, signature);
  // RFC 8463 section 3: PureEd25519 over the hash of what is signed.
  return verify(null, createHash('sha256').update(octets).digest(), key, signature);
}

/**
 * A certificate authority of the test's own: roots, authorities below them, and certificates of whatever kind a test needs.
 */

import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';

import { systemClock } from '../../src/base/clock.ts';
import { DAY_MS } from '../../src/base/units.ts';
import { loadX509 } from '../../src/net/x509Library.ts';

/** A certificate with its key. */
export interface Issued {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly keyPem: string;
}

/** What a certificate may have otherwise. */
export interface Order {
  readonly commonName: string;
  readonly names?: readonly string[];
  /** Extended key usages; none of that extension when empty. */
  readonly uses?: readonly ('serverAuth' | 'clientAuth' | 'emailProtection')[];
  readonly isAuthority?: boolean;
  /** Of its own key; ECDSA unless given. */
  readonly algorithm?: 'ECDSA' | 'RSA';
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** Who issues certificates. */
export interface Authority extends Issued {
  issue(order: Order): Promise<Issued>;
  /** An authority that this one has issued a certificate for. */
  authority(commonName: string): Promise<Authority>;
  /** A certificate of an authority that is none: it lacks the CA flag. */
  pretend(issued: Issued): Authority;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
  hash: 'SHA-256',
};

/** A root. */
export async function createAuthority(commonName: string): Promise<Authority> {
  return authorityOf(await make({ commonName, isAuthority: true }, undefined));
}

type Made = Issued & { readonly keys: webcrypto.CryptoKeyPair; readonly commonName: string };

function authorityOf(made: Made): Authority {
  return {
    ...made,
    issue: (order) => make(order, made),
    authority: async (commonName) => authorityOf(await make({ commonName, isAuthority: true }, made)),
    pretend: (issued) => authorityOf(issued as Made),
  };
}

async function make(order: Order, issuer: Made | undefined): Promise<Made> {
  const { commonName, names = [], uses = [], isAuthority = false } = order;
  const x509 = await loadX509();
  const algorithm = order.algorithm === 'RSA' ? RSA : ALGORITHM;
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const now = systemClock.now();
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: `40${randomBytes(8).toString('hex')}`,
    subject: [{ CN: [commonName] }],
    issuer: [{ CN: [issuer?.commonName ?? commonName] }],
    notBefore: order.notBefore ?? new Date(now - DAY_MS),
    notAfter: order.notAfter ?? new Date(now + 30 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      ...(uses.length > 0
        ? [new x509.ExtendedKeyUsageExtension(uses.map((use) => x509.ExtendedKeyUsage[use]))]
        : []),
      ...(names.length > 0
        ? [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))]
        : []),
    ],
  });
  const pem = `${made.toString('pem')}\n`;
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const keyPem = key.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { certificate: new X509Certificate(pem), pem, keyPem, keys, commonName };
}

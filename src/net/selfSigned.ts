/**
 * The self-signed certificate of the first start, so that TLS works before anybody has installed a certificate.
 *
 * RSA 2048, not ECDSA: the clients that make this product necessary (TLS 1.0, RSA key exchange, AES-CBC) know no ECDSA, and
 * 2048 bits are enough until 2030 (NIST SP 800-57). Valid for ten years: it is trusted by being imported by hand into each
 * application, nothing renews it, and an expiry would stop the mail on a day that nobody remembers; the 398 days of the public
 * authorities do not bind a certificate that no authority signed. No keyUsage: OpenSSL before 1.1 takes a self-signed
 * certificate as its own issuer only if keyUsage is absent or has keyCertSign, which RFC 5280 section 4.2.1.3 keeps for CAs.
 */

import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

import { type Clock, type UnixMs, unixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { DAY_MS } from '../base/units.ts';
import { loadX509 } from './x509Library.ts';

/** How long the certificate is valid. */
export const SELF_SIGNED_VALIDITY_MS = 3650 * DAY_MS;
/** How far before now its validity begins: clients have wrong clocks. */
export const SELF_SIGNED_BACKDATE_MS = DAY_MS;
/** The longest common name (RFC 5280 appendix A.1, ub-common-name). */
const COMMON_NAME_LIMIT = 64;
const SERIAL_BYTES = 16;

/** Where it goes and whom it names. */
export interface SelfSignedOptions {
  /** The data directory; it exists. */
  readonly directory: string;
  /** File names in it. */
  readonly certificateName?: string;
  readonly keyName?: string;
  /** The host name or address by which clients reach this server; localhost, 127.0.0.1 and ::1 are named as well. */
  readonly hostName: string;
  readonly clock: Clock;
}

/** The pair of files. `made` says that it is new, and why: there was none, it had expired, or it could not be used. */
export type SelfSigned = {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly validTo: UnixMs;
  /** SHA-256 in hexadecimal with colons, as clients show it. */
  readonly fingerprint: string;
  /** Whether it names options.hostName. A certificate whose host was renamed is kept, because clients have imported it. */
  readonly isForHost: boolean;
} & (
  | { readonly kind: 'reused' }
  | { readonly kind: 'made'; readonly because: 'missing' | 'expired' | 'unusable' }
);

/** The self-signed certificate in the data directory, made when there is none that can be used. */
export async function ensureSelfSigned(options: SelfSignedOptions): Promise<SelfSigned> {
  const { directory, certificateName = 'self-signed.crt', keyName = 'self-signed.key' } = options;
  const certificateFile = join(directory, certificateName);
  const keyFile = join(directory, keyName);
  const found = await findPair(certificateFile, keyFile, options.clock);
  if (found.kind === 'usable')
    return { kind: 'reused', ...summary(found.certificate, options), certificateFile, keyFile };
  const { certificate, key } = await makePair(options);
  // The key first: a start that died between the two finds no pair that fits and makes one anew.
  await writeAtomically(keyFile, key, 0o600);
  await writeAtomically(certificateFile, certificate, 0o644);
  const made = new X509Certificate(certificate);
  return { kind: 'made', because: found.kind, ...summary(made, options), certificateFile, keyFile };
}

type FoundPair =
  | { readonly kind: 'usable'; readonly certificate: X509Certificate }
  | { readonly kind: 'missing' | 'expired' | 'unusable' };

async function findPair(certificateFile: string, keyFile: string, clock: Clock): Promise<FoundPair> {
  const certificatePem = await readIfThere(certificateFile);
  const keyPem = await readIfThere(keyFile);
  if (certificatePem === undefined || keyPem === undefined) return { kind: 'missing' };
  try {
    const certificate = new X509Certificate(certificatePem);
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) return { kind: 'unusable' };
    if (unixMs(certificate.validToDate) <= clock.now()) return { kind: 'expired' };
    return { kind: 'usable', certificate };
  } catch {
    return { kind: 'unusable' };
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new MailError('invalid', `the self-signed certificate's file ${path} cannot be read`, {
      cause: error,
    });
  }
}

function summary(
  certificate: X509Certificate,
  options: SelfSignedOptions,
): Pick<SelfSigned, 'validTo' | 'fingerprint' | 'isForHost'> {
  const { hostName } = options;
  return {
    validTo: unixMs(certificate.validToDate),
    fingerprint: certificate.fingerprint256,
    isForHost:
      (isIP(hostName) ? certificate.checkIP(hostName) : certificate.checkHost(hostName)) !== undefined,
  };
}

async function makePair(options: SelfSignedOptions): Promise<{ certificate: string; key: string }> {
  const x509 = await loadX509();
  const { hostName, clock } = options;
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: positiveSerial(),
    name: [{ CN: [hostName.length <= COMMON_NAME_LIMIT ? hostName : 'localhost'] }],
    notBefore: new Date(clock.now() - SELF_SIGNED_BACKDATE_MS),
    notAfter: new Date(clock.now() + SELF_SIGNED_VALIDITY_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternativeNames(hostName)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

/** A random serial number, as hexadecimal of a positive DER integer without padding (RFC 5280 section 4.1.2.2). */
function positiveSerial(): string {
  const octets = randomBytes(SERIAL_BYTES);
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40;
  return octets.toString('hex');
}

function alternativeNames(hostName: string): { type: 'dns' | 'ip'; value: string }[] {
  const names = new Set([hostName, 'localhost', '127.0.0.1', '::1']);
  return [...names].map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }));
}

/** Writes a file that is there whole or not at all. On Windows the mode means nothing: the directory's rights hold. */
async function writeAtomically(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new MailError('cannot', `the self-signed certificate cannot be written to ${path}`, {
      cause: error,
    });
  }
}

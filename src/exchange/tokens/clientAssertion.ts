/**
 * A client assertion: the JWT by which an application shows that it has the key of its certificate.
 *
 * RFC 7523 sections 2.2 and 3, RFC 7515 (JWS); header and claims as Microsoft asks for them: `x5t#S256` is the SHA-256 of the
 * certificate, PS256 by default. Each one has an id of its own and is good for ten minutes.
 */

import { constants, createPrivateKey, type KeyObject, randomUUID, sign, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';

import { MailError } from '../../base/error.ts';
import { SECOND_MS } from '../../base/units.ts';
import { ASSERTION_LIFETIME_MS, PEM_LIMIT_OCTETS } from './limits.ts';

/** A certificate and its key, which belong together. */
export interface ClientCertificate {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/**
 * Reads both files (PEM; of a chain the first certificate counts). Errors: `invalid`, with the file and what is wrong with it, and
 * nothing of the key or the passphrase.
 */
export async function readClientCertificate(
  certificateFile: string,
  keyFile: string,
  passphrase: string | undefined,
): Promise<ClientCertificate> {
  const certificate = await readCertificate(certificateFile);
  const pem = await readPem(keyFile);
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    const isEncrypted = /ENCRYPTED/.test(pem);
    const why = isEncrypted
      ? `its key is encrypted, and the passphrase is ${passphrase === undefined ? 'missing' : 'wrong'}`
      : `it holds no private key in PEM form${codeOf(error)}`;
    throw new MailError('invalid', `${keyFile}: ${why}`);
  }
  if (key.asymmetricKeyType !== 'rsa')
    throw new MailError('invalid', `${keyFile}: the key has to be RSA, as Microsoft Entra takes no other`);
  if (!certificate.checkPrivateKey(key))
    throw new MailError('invalid', `${certificateFile} and ${keyFile} do not belong together`);
  return { certificate, key };
}

/** The (first) certificate of a PEM file. Errors: `invalid`, naming the file. */
export async function readCertificate(file: string): Promise<X509Certificate> {
  const pem = await readPem(file);
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new MailError('invalid', `${file} holds no certificate in PEM form${codeOf(error)}`);
  }
}

/** A new assertion of `clientId` for `audience` (the token endpoint). `now` is the endpoint's calendar. */
export function signAssertion(
  { certificate, key }: ClientCertificate,
  algorithm: 'PS256' | 'RS256',
  clientId: string,
  audience: string,
  now: number,
): string {
  const seconds = Math.floor(now / SECOND_MS);
  const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  const header = { alg: algorithm, typ: 'JWT', 'x5t#S256': thumbprint };
  const claims = {
    aud: audience,
    iss: clientId,
    sub: clientId,
    jti: randomUUID(),
    iat: seconds,
    nbf: seconds,
    exp: seconds + ASSERTION_LIFETIME_MS / SECOND_MS,
  };
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const padding =
    algorithm === 'PS256'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { padding: constants.RSA_PKCS1_PADDING };
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, ...padding }).toString('base64url')}`;
}

async function readPem(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > PEM_LIMIT_OCTETS) throw new Error(`it is larger than ${PEM_LIMIT_OCTETS} octets`);
    return await file.readFile('latin1');
  } catch (error) {
    const why = error instanceof Error && !('code' in error) ? `: ${error.message}` : codeOf(error);
    throw new MailError('invalid', `${path} cannot be read${why}`);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
}

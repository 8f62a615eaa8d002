/**
 * DKIM signatures by others than us: nodemailer's signer and dkimpy; and a resolver that knows their keys.
 */

import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import { createTransport } from 'nodemailer';

import type { KeyResolver } from '../../src/exchange/dkimKeys.ts';
import { runProgram } from './peers.ts';

/** A key with its place in the DNS. */
export interface SigningKey {
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: KeyObject;
  /** The text of its TXT record. */
  readonly record: string;
}

/** Makes a key. RSA has 1024 bits unless given: tests make many. */
export function makeSigningKey(
  domain: string,
  selector = 'selector1',
  kind: 'rsa' | 'ed25519' = 'rsa',
  bits = 1024,
): SigningKey {
  const { privateKey, publicKey } =
    kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: bits }) : generateKeyPairSync('ed25519');
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const octets = kind === 'rsa' ? der : der.subarray(-32);
  const record = `v=DKIM1; k=${kind}; p=${octets.toString('base64')}`;
  return { domain, selector, privateKey, record };
}

/** A DNS of these records by name, and how often it was asked. A record may be an error code in place of a text. */
export interface TestResolver extends KeyResolver {
  readonly asked: string[];
  readonly records: Map<string, string | { readonly code: string }>;
}

/** A resolver that knows these keys. */
export function createTestResolver(...keys: readonly SigningKey[]): TestResolver {
  const records = new Map<string, string | { readonly code: string }>();
  for (const { domain, selector, record } of keys) records.set(`${selector}._domainkey.${domain}`, record);
  const asked: string[] = [];
  return {
    asked,
    records,
    async resolveTxt(name) {
      asked.push(name);
      const record = records.get(name) ?? { code: 'ENOTFOUND' };
      if (typeof record !== 'string') throw Object.assign(new Error('no answer'), record);
      // The DNS cuts texts into strings of 255 octets.
      return [record.match(/.{1,255}/gs) ?? []];
    },
  };
}

/** `message` with a signature of nodemailer (relaxed/relaxed, rsa-sha256) in front. */
export async function signByNodemailer(message: Buffer, key: SigningKey, names?: string): Promise<Buffer> {
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    dkim: {
      domainName: key.domain,
      keySelector: key.selector,
      privateKey: pemOf(key),
      ...(names === undefined ? {} : { headerFieldNames: names }),
    },
  });
  const sent = await transport.sendMail({
    envelope: { from: 'a@b.example', to: ['c@d.example'] },
    raw: message,
  });
  return sent.message as Buffer;
}

/** What dkimpy is asked for. */
export interface DkimpyOrder {
  readonly key: SigningKey;
  readonly headerForm: 'simple' | 'relaxed';
  readonly bodyForm: 'simple' | 'relaxed';
  readonly message: Buffer;
  readonly names?: readonly string[];
  /** Adds l=. */
  readonly isLimited?: boolean;
}

/** Debian's dkimpy has its module in Debian's Python alone; `dkimsign` is what tells that it is there. */
export const DKIMPY = 'dkimsign';

const SIGN = `
import base64, json, sys, dkim
signed = []
for order in json.load(sys.stdin):
    message = base64.b64decode(order['message'])
    names = order['names']
    key = base64.b64decode(order['key'])
    field = dkim.sign(message, order['selector'].encode(), order['domain'].encode(), key,
        canonicalize=(order['headerForm'].encode(), order['bodyForm'].encode()),
        signature_algorithm=order['algorithm'].encode(), length=order['length'],
        include_headers=None if names is None else [name.encode() for name in names])
    signed.append(base64.b64encode(field + message).decode())
json.dump(signed, sys.stdout)
`;

/** Messages with dkimpy's signatures in front. */
export async function signByDkimpy(orders: readonly DkimpyOrder[]): Promise<Buffer[]> {
  const input = orders.map(({ key, headerForm, bodyForm, message, names, isLimited }) => {
    const isRsa = key.privateKey.asymmetricKeyType === 'rsa';
    // Ed25519: dkimpy takes the seed in base64.
    const seed = isRsa ? '' : key.privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32);
    const secret = isRsa ? pemOf(key) : seed.toString('base64');
    return {
      message: message.toString('base64'),
      key: Buffer.from(secret).toString('base64'),
      names: names ?? null,
      selector: key.selector,
      domain: key.domain,
      headerForm,
      bodyForm,
      length: isLimited === true,
      algorithm: isRsa ? 'rsa-sha256' : 'ed25519-sha256',
    };
  });
  const result = await runProgram('/usr/bin/python3', ['-c', SIGN], { stdin: JSON.stringify(input) });
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  const signed: string[] = JSON.parse(result.stdout.toString());
  return signed.map((text) => Buffer.from(text, 'base64'));
}

function pemOf({ privateKey }: SigningKey): string {
  const type = privateKey.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'pkcs8';
  return privateKey.export({ type, format: 'pem' }).toString();
}

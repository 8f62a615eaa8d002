/**
 * Seals secrets: AES-256-GCM with a key of this data directory (NIST SP 800-38D).
 *
 * The key is 32 random octets in `hauspost.key`, mode 0600, made whole and synced before the first secret is sealed with it and
 * never changed after. A sealed secret is a version, a random nonce, the ciphertext and the tag; what it belongs to goes in as
 * additional data. Losing the key loses the secrets and nothing else. Nonces are random: 2^32 of them per key are safe, and an
 * administrator sets some dozen.
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { MailError } from '../../base/error.ts';
import { syncDirectory } from './syncDirectory.ts';

/** The name of the key's file in the data directory. */
export const KEY_FILE = 'hauspost.key';

const ALGORITHM = 'aes-256-gcm';
const KEY_OCTETS = 32;
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
const VERSION = 1;

/** Seals and opens; `owner` says what a secret belongs to. */
export interface Sealing {
  /** Whether there is a key, and so perhaps something to open. */
  readonly hasKey: boolean;
  /** Makes the key when there is none. */
  seal(secret: string, owner: string): Uint8Array;
  /** Errors: `cannot` when the key is missing, or another one, or the secret is another owner's. */
  open(sealed: Uint8Array, owner: string): string;
}

/** The sealing of a data directory that this process has locked. */
export function createSealing(directory: string): Sealing {
  const path = join(directory, KEY_FILE);
  let known: Buffer | undefined;
  const key = () => {
    known ??= readKey(path);
    return known;
  };
  return {
    get hasKey() {
      return key() !== undefined;
    },
    seal(secret, owner) {
      known = key() ?? makeKey(path, directory);
      const nonce = randomBytes(NONCE_OCTETS);
      const cipher = createCipheriv(ALGORITHM, known, nonce, { authTagLength: TAG_OCTETS });
      cipher.setAAD(Buffer.from(owner));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, text, cipher.getAuthTag()]);
    },
    open(sealed, owner) {
      const found = key();
      if (found === undefined)
        throw new MailError('cannot', `the key of the sealed secrets, ${path}, is missing`);
      return unseal(Buffer.from(sealed), owner, found, path);
    },
  };
}

function unseal(sealed: Buffer, owner: string, key: Buffer, path: string): string {
  const text = 1 + NONCE_OCTETS;
  const tag = sealed.length - TAG_OCTETS;
  try {
    if (sealed[0] !== VERSION || tag < text) throw new Error('it is of no known form');
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(1, text), {
      authTagLength: TAG_OCTETS,
    });
    decipher.setAAD(Buffer.from(owner));
    decipher.setAuthTag(sealed.subarray(tag));
    return Buffer.concat([decipher.update(sealed.subarray(text, tag)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new MailError(
      'cannot',
      `a sealed secret cannot be opened: ${path} is another key, or the secret was changed`,
      {
        cause: error,
      },
    );
  }
}

/** Undefined where there is none. Errors: `cannot` where it cannot be read or is no key. */
function readKey(path: string): Buffer | undefined {
  let key: Buffer;
  try {
    key = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new MailError('cannot', `the key of the sealed secrets, ${path}, cannot be read`, { cause: error });
  }
  if (key.length !== KEY_OCTETS) throw new MailError('cannot', `${path} is no key of ${KEY_OCTETS} octets`);
  return key;
}

/** The file is there whole or not at all, and outlives a power cut before anything is sealed with it. */
function makeKey(path: string, directory: string): Buffer {
  const key = randomBytes(KEY_OCTETS);
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, key);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncDirectory(directory);
  return key;
}

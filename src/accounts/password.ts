/**
 * Passwords: hashing, verifying, rules and generation.
 *
 * argon2id with the parameters of OWASP's cheat sheet (19 MiB, 2 passes: 25 ms on one core here), verified also as scrypt for
 * migrated accounts; comparison in constant time; a dummy hash for names that don't exist, so that they take as long.
 * Passwords are NFC with non-ASCII blanks as blanks (RFC 8265 section 4.2, OpaqueString), so that two clients that compose
 * umlauts differently agree.
 * Trust: none in the password (bounded length), little in the hash (phc.ts). Called by accounts.ts and administration.
 */

import { argon2, randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { SECOND_MS } from '../base/units.ts';
import { formatPasswordHash, type PasswordHash, parsePasswordHash } from './phc.ts';
import { createTurnstile } from './turnstile.ts';

/** Longest password, in octets of UTF-8: AUTH PLAIN's response stays within a command line of any protocol. */
export const PASSWORD_LIMIT_OCTETS = 1024;
/** Hashes at one time: half of libuv's pool where it has no more than its usual four threads; the rest is free for files and name look-ups. */
export const HASHING_LIMIT = 2;
/** Hashes waiting: some seconds of work, as when all applications come back after a restart. */
export const HASHING_WAITING_LIMIT = 256;
/** How long a check may wait for its turn. */
export const HASHING_WAIT_LIMIT_MS = 20 * SECOND_MS;

/** What a new hash costs. */
export interface HashCost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** OWASP Password Storage Cheat Sheet, second configuration for argon2id. */
export const DEFAULT_HASH_COST: HashCost = { memoryKib: 19_456, passes: 2, parallelism: 1 };

/** Hashes and verifies. Both reject with `tooBusy` when too many hashes are waiting already. */
export interface PasswordHasher {
  /** A PHC string of a new hash. Errors: `invalid` for a password that breaks the rules. */
  hash(password: string): Promise<string>;
  /** Whether `verify` can read a stored hash. */
  isReadable(passwordHash: string): boolean;
  /** Whether `password` belongs to `passwordHash`. Errors: `internal` when the hash can't be read. */
  verify(password: string, passwordHash: string): Promise<boolean>;
  /** Takes as long as `verify` and answers false. */
  refuse(password: string): Promise<false>;
}

/** A hasher with its own turnstile. `cost` is for tests, which hash often. */
export function createPasswordHasher(options: {
  readonly clock: Clock;
  readonly cost?: HashCost;
}): PasswordHasher {
  const cost = options.cost ?? DEFAULT_HASH_COST;
  const dummy = newHash(cost);
  const turnstile = createTurnstile({
    clock: options.clock,
    runningLimit: HASHING_LIMIT,
    waitingLimit: HASHING_WAITING_LIMIT,
    waitLimitMs: HASHING_WAIT_LIMIT_MS,
  });
  const matches = (password: string, hash: PasswordHash) => {
    if (Buffer.byteLength(password) > PASSWORD_LIMIT_OCTETS) return Promise.resolve(false);
    return turnstile.pass(async () => timingSafeEqual(await tagOf(password, hash), hash.tag));
  };
  return {
    async hash(password) {
      const problem = passwordProblem(password);
      if (problem !== undefined) throw new MailError('invalid', problem);
      const hash = newHash(cost);
      return formatPasswordHash({ ...hash, tag: await turnstile.pass(() => tagOf(password, hash)) });
    },
    isReadable: (passwordHash) => parsePasswordHash(passwordHash) !== undefined,
    async verify(password, passwordHash) {
      const hash = parsePasswordHash(passwordHash);
      if (hash === undefined) throw new MailError('internal', 'a stored password hash is of no known form');
      return matches(password, hash);
    },
    async refuse(password) {
      await matches(password, dummy);
      return false;
    },
  };
}

/** What is wrong with a new password, as a sentence, or undefined. Clients can't send NUL, CR or LF in one. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'The password is empty.';
  if (Buffer.byteLength(password) > PASSWORD_LIMIT_OCTETS) {
    return `The password is longer than ${PASSWORD_LIMIT_OCTETS} octets.`;
  }
  if (/[\0\r\n]/.test(password))
    return 'The password has a NUL or a line break, which no mail client can send.';
  return undefined;
}

/** No 0/O, 1/l/I: it will be typed off a screen. */
const GENERATED_ALPHABET = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const GENERATED_CHARS = 20;

/** A random password of 20 characters that can't be mistaken for each other (116 bits). */
export function generatePassword(): string {
  return Array.from({ length: GENERATED_CHARS }, () =>
    GENERATED_ALPHABET.charAt(randomInt(GENERATED_ALPHABET.length)),
  ).join('');
}

const SALT_OCTETS = 16;
const TAG_OCTETS = 32;

function newHash(cost: HashCost): PasswordHash {
  return { kind: 'argon2id', ...cost, salt: randomBytes(SALT_OCTETS), tag: randomBytes(TAG_OCTETS) };
}

/** RFC 8265 section 4.2.1, rules 2 and 4. */
function opaque(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}

function tagOf(password: string, hash: PasswordHash): Promise<Buffer> {
  const message = Buffer.from(opaque(password));
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null, tag: Buffer) => (error === null ? resolve(tag) : reject(error));
    switch (hash.kind) {
      case 'argon2id': {
        const { memoryKib: memory, passes, parallelism, salt: nonce, tag } = hash;
        argon2('argon2id', { message, nonce, memory, passes, parallelism, tagLength: tag.length }, settle);
        break;
      }
      case 'scrypt': {
        const { logCost, blockSize, parallelism, salt, tag } = hash;
        const cost = { N: 2 ** logCost, r: blockSize, p: parallelism };
        // Node's own ceiling is 32 MiB; scrypt needs 128 N r octets and a little more.
        const maxmem = 128 * cost.r * (cost.N + cost.p + 2) + 1024;
        scrypt(message, salt, tag.length, { ...cost, maxmem }, settle);
        break;
      }
    }
  });
}

/**
 * Password hashes as text, in the PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`, `$scrypt$ln=17,r=8,p=1$salt$tag`.
 *
 * RFC 9106 (Argon2, version 0x13), RFC 7914 (scrypt); salt and tag in base64 without padding.
 * Trust: hashes come from our own store and from migrations. Parameters beyond the limits are refused, so that no stored text
 * can claim gigabytes or minutes at a login. Called by password.ts.
 */

/** What a verification needs, by algorithm. */
export type PasswordHash =
  | {
      readonly kind: 'argon2id';
      readonly memoryKib: number;
      readonly passes: number;
      readonly parallelism: number;
      readonly salt: Buffer;
      readonly tag: Buffer;
    }
  | {
      readonly kind: 'scrypt';
      /** Base-2 logarithm of the cost. */
      readonly logCost: number;
      readonly blockSize: number;
      readonly parallelism: number;
      readonly salt: Buffer;
      readonly tag: Buffer;
    };

/** Most memory that a stored hash may ask for at each login. */
export const HASH_MEMORY_LIMIT_KIB = 256 * 1024;
/** Most passes (argon2id) and lanes (both) that a stored hash may ask for. */
export const HASH_WORK_LIMIT = 64;
/** Salt and tag lengths that are taken; RFC 9106 section 3.1 asks for 8 and 4 at least, NIST SP 800-132 for 16 of salt. */
const SALT_OCTETS = { least: 8, most: 64 };
const TAG_OCTETS = { least: 16, most: 128 };

const ARGON2ID =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** The hash that `text` holds, or undefined when it is of no known form or beyond the limits. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  return parseArgon2id(text) ?? parseScrypt(text);
}

/** The PHC string of a hash. */
export function formatPasswordHash(hash: PasswordHash): string {
  const end = `${base64(hash.salt)}$${base64(hash.tag)}`;
  switch (hash.kind) {
    case 'argon2id':
      return `$argon2id$v=19$m=${hash.memoryKib},t=${hash.passes},p=${hash.parallelism}$${end}`;
    case 'scrypt':
      return `$scrypt$ln=${hash.logCost},r=${hash.blockSize},p=${hash.parallelism}$${end}`;
  }
}

function parseArgon2id(text: string): PasswordHash | undefined {
  const parts = fields(ARGON2ID, text);
  if (parts === undefined) return undefined;
  const { numbers, salt, tag } = parts;
  const [memoryKib, passes, parallelism] = numbers;
  const isBounded =
    memoryKib >= 8 * parallelism &&
    memoryKib <= HASH_MEMORY_LIMIT_KIB &&
    isWork(passes) &&
    isWork(parallelism);
  return isBounded ? { kind: 'argon2id', memoryKib, passes, parallelism, salt, tag } : undefined;
}

function parseScrypt(text: string): PasswordHash | undefined {
  const parts = fields(SCRYPT, text);
  if (parts === undefined) return undefined;
  const { numbers, salt, tag } = parts;
  const [logCost, blockSize, parallelism] = numbers;
  const memoryKib = (128 * 2 ** logCost * blockSize) / 1024;
  const isBounded =
    logCost >= 1 && blockSize >= 1 && memoryKib <= HASH_MEMORY_LIMIT_KIB && isWork(parallelism);
  return isBounded ? { kind: 'scrypt', logCost, blockSize, parallelism, salt, tag } : undefined;
}

interface Fields {
  readonly numbers: readonly [number, number, number];
  readonly salt: Buffer;
  readonly tag: Buffer;
}

function fields(form: RegExp, text: string): Fields | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const [, first, second, third, saltText = '', tagText = ''] = match;
  const salt = Buffer.from(saltText, 'base64');
  const tag = Buffer.from(tagText, 'base64');
  if (salt.length < SALT_OCTETS.least || salt.length > SALT_OCTETS.most) return undefined;
  if (tag.length < TAG_OCTETS.least || tag.length > TAG_OCTETS.most) return undefined;
  return { numbers: [Number(first), Number(second), Number(third)], salt, tag };
}

function isWork(count: number): boolean {
  return count >= 1 && count <= HASH_WORK_LIMIT;
}

function base64(octets: Buffer): string {
  return octets.toString('base64').replace(/=+$/, '');
}

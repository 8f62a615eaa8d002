/** Passwords: hashes in PHC form, rules, the turnstile in front of hashing, and what is remembered. */

import { scryptSync } from 'node:crypto';
import t from 'tap';
import {
  createPasswordHasher,
  DEFAULT_HASH_COST,
  generatePassword,
  HASHING_LIMIT,
  HASHING_WAIT_LIMIT_MS,
  HASHING_WAITING_LIMIT,
  PASSWORD_LIMIT_OCTETS,
} from '../../src/accounts/password.ts';
import { formatPasswordHash, parsePasswordHash } from '../../src/accounts/phc.ts';
import { createTurnstile } from '../../src/accounts/turnstile.ts';
import {
  createVerifiedCache,
  VERIFIED_LIFETIME_MS,
  VERIFIED_LIMIT,
} from '../../src/accounts/verifiedCache.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createTestClock } from '../support/clock.ts';

const QUICK = { memoryKib: 64, passes: 1, parallelism: 1 };
const hasher = createPasswordHasher({ clock: systemClock, cost: QUICK });

t.test('a password is known again by its hash, and no other one', async (t) => {
  const hash = await hasher.hash('correct horse');
  t.match(hash, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  t.not(await hasher.hash('correct horse'), hash, 'each hash has a salt of its own');
  t.equal(await hasher.verify('correct horse', hash), true);
  for (const other of ['Correct horse', 'correct horse ', ' correct horse', '', 'correct']) {
    t.equal(await hasher.verify(other, hash), false, JSON.stringify(other));
  }
  t.equal(await hasher.refuse('correct horse'), false);
});

t.test('the default cost is that of the OWASP cheat sheet', async (t) => {
  t.same(DEFAULT_HASH_COST, { memoryKib: 19_456, passes: 2, parallelism: 1 });
  const hash = await createPasswordHasher({ clock: systemClock }).hash('x');
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});

t.test('hashes made elsewhere are verified: the reference argon2id, and scrypt', async (t) => {
  // From the tests of the reference implementation: password, somesalt, t=2, m=2^16, p=1.
  const argon2 = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  t.equal(await hasher.verify('password', argon2), true);
  t.equal(await hasher.verify('passwort', argon2), false);
  const salt = Buffer.from('0123456789abcdef');
  const scrypt = formatPasswordHash({
    kind: 'scrypt',
    logCost: 10,
    blockSize: 8,
    parallelism: 2,
    salt,
    tag: scryptSync('Füße', salt, 32, { N: 1024, r: 8, p: 2 }),
  });
  t.match(scrypt, /^\$scrypt\$ln=10,r=8,p=2\$/);
  t.equal(await hasher.verify('Füße', scrypt), true);
  t.equal(await hasher.verify('Fu\u0308ße', scrypt), true, 'composed or not');
  t.equal(await hasher.verify('Fuße', scrypt), false);
  const large = scrypt.replace('ln=10', 'ln=17');
  t.equal(await hasher.verify('Füße', large), false, '128 MiB are within the limit');
});

t.test('a hash of another form or beyond the limits is not read', async (t) => {
  const good = await hasher.hash('x');
  t.equal(
    formatPasswordHash(parsePasswordHash(good) as NonNullable<ReturnType<typeof parsePasswordHash>>),
    good,
  );
  const scrypt = '$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg';
  t.ok(parsePasswordHash(scrypt));
  const bad = [
    '',
    'x',
    good.replace('argon2id', 'argon2i'),
    good.replace('v=19', 'v=16'),
    good.replace('m=64', 'm=9999999'),
    good.replace('m=64', 'm=7'),
    good.replace('t=1', 't=0'),
    good.replace('t=1', 't=65'),
    good.replace('p=1', 'p=0'),
    `${good}=`,
    `${good}\n`,
    good.slice(0, -40),
    scrypt.replace('ln=10', 'ln=0'),
    scrypt.replace('ln=10', 'ln=30'),
    scrypt.replace('r=8', 'r=0'),
    scrypt.replace('p=1', 'p=999'),
  ];
  for (const text of bad) {
    t.equal(hasher.isReadable(text), false, text);
    await t.rejects(hasher.verify('x', text), { code: 'internal' });
  }
});

t.test('a new password keeps the rules', async (t) => {
  await t.resolves(hasher.hash('ü'.repeat(PASSWORD_LIMIT_OCTETS / 2)));
  for (const password of [
    '',
    'x'.repeat(PASSWORD_LIMIT_OCTETS + 1),
    'ü'.repeat(513),
    'a\0b',
    'a\rb',
    'a\nb',
  ]) {
    await t.rejects(hasher.hash(password), { code: 'invalid', message: /^The password / });
  }
  t.equal(await hasher.verify('x'.repeat(PASSWORD_LIMIT_OCTETS + 1), await hasher.hash('x')), false);
});

t.test('a generated password has 20 characters that are told apart', async (t) => {
  const passwords = new Set(Array.from({ length: 200 }, generatePassword));
  t.equal(passwords.size, 200);
  for (const password of passwords) t.match(password, /^[a-km-zA-HJ-NP-Z2-9]{20}$/);
});

/** A job that ends when it is told to. */
function jobs() {
  const ends: (() => void)[] = [];
  const job = () => new Promise<void>((resolve) => void ends.push(resolve));
  return { job, ends };
}

t.test('so many run at a time, the others wait in order, and too many are sent away', async (t) => {
  const clock = createTestClock();
  const turnstile = createTurnstile({ clock, runningLimit: 2, waitingLimit: 2, waitLimitMs: 1000 });
  const { job, ends } = jobs();
  const order: string[] = [];
  const passed = ['a', 'b', 'c', 'd'].map((name) => turnstile.pass(job).then(() => order.push(name)));
  await t.rejects(turnstile.pass(job), { code: 'tooBusy' });
  t.equal(ends.length, 2);
  ends[1]?.();
  await passed[1];
  await new Promise(setImmediate);
  t.equal(ends.length, 3, 'the place goes to the next');
  const last = turnstile.pass(job);
  ends[0]?.();
  ends[2]?.();
  await Promise.all([passed[0], passed[2]]);
  await new Promise(setImmediate);
  ends[3]?.();
  ends[4]?.();
  await Promise.all([...passed, last]);
  t.same(order, ['b', 'a', 'c', 'd']);
  t.equal(clock.pendingTimers, 0);
});

t.test('who waits too long is sent away, and a job that fails makes room', async (t) => {
  const clock = createTestClock();
  const turnstile = createTurnstile({ clock, runningLimit: 1, waitingLimit: 1, waitLimitMs: 1000 });
  const { job, ends } = jobs();
  const first = turnstile.pass(job);
  const late = turnstile.pass(job);
  clock.advance(999);
  clock.advance(1);
  await t.rejects(late, { code: 'tooBusy' });
  const failing = turnstile.pass(() => Promise.reject(new Error('broken')));
  ends[0]?.();
  await first;
  await t.rejects(failing, { message: 'broken' });
  t.equal(await turnstile.pass(async () => 'free again'), 'free again');
});

t.test('hashing beyond its limits is refused as too busy, whatever the name', async (t) => {
  const busy = createPasswordHasher({ clock: createTestClock(), cost: QUICK });
  const waiting = Array.from({ length: HASHING_LIMIT + HASHING_WAITING_LIMIT }, () => busy.refuse('x'));
  await t.rejects(busy.refuse('x'), { code: 'tooBusy' });
  await t.rejects(busy.hash('x'), { code: 'tooBusy' });
  t.same(new Set(await Promise.all(waiting)), new Set([false]));
  t.ok(HASHING_WAIT_LIMIT_MS < 60_000);
});

t.test('a good verification is remembered for its time, for this hash and password only', async (t) => {
  const clock = createTestClock();
  const cache = createVerifiedCache(clock);
  const attempt = { subject: 'account 1', passwordHash: 'hash', password: 'secret' };
  const key = cache.keyOf(attempt);
  t.equal(cache.has(key), false);
  cache.add(key);
  t.equal(cache.has(cache.keyOf({ ...attempt })), true);
  t.equal(cache.has(cache.keyOf({ ...attempt, password: 'Secret' })), false);
  t.equal(cache.has(cache.keyOf({ ...attempt, passwordHash: 'hashs', password: 'ecret' })), false);
  t.equal(cache.has(cache.keyOf({ ...attempt, passwordHash: 'another' })), false);
  t.equal(cache.has(cache.keyOf({ ...attempt, subject: 'account 2' })), false);
  t.notOk(key.includes('secret'));
  t.not(createVerifiedCache(clock).keyOf(attempt), key, 'the secret is of this cache');
  clock.advance(VERIFIED_LIFETIME_MS - 1);
  t.equal(cache.has(key), true);
  clock.advance(1);
  t.equal(cache.has(key), false);
});

t.test('the oldest verifications make room for new ones', async (t) => {
  const cache = createVerifiedCache(createTestClock());
  cache.add('first');
  for (let index = 0; index < VERIFIED_LIMIT - 1; index += 1) cache.add(String(index));
  t.equal(cache.has('first'), true);
  cache.add('last');
  t.equal(cache.has('first'), false);
  t.equal(cache.has('0'), true);
  t.equal(cache.has('last'), true);
});

/** The throttle by itself with a clock that is moved by hand: delays, bans, whom they never reach, and its memory. */

import fc from 'fast-check';
import t from 'tap';

import { FailureMemory } from '../../src/accounts/failureMemory.ts';
import type { LoginThrottleOptions } from '../../src/accounts/failedLogins.ts';
import { DEFAULT_LOGIN_THROTTLE, LoginThrottle, PAIR_LIMIT } from '../../src/accounts/loginThrottle.ts';
import { ADDRESS_GRACE_MS, GOOD_LOGIN_MS } from '../../src/accounts/suspectAddresses.ts';
import { createTestClock } from '../support/clock.ts';

const MINUTE_MS = 60_000;

function openThrottle(options: Partial<LoginThrottleOptions> = {}) {
  const clock = createTestClock();
  const throttle = new LoginThrottle(clock, { ...DEFAULT_LOGIN_THROTTLE, ...options });
  clock.advance(ADDRESS_GRACE_MS);
  const admit = (loginName: string, address: string, passwordKey: string) =>
    throttle.admit({ loginName, address, protocol: 'imap', passwordKey });
  /** The wait of one attempt from beginning to end, or 'refused'. */
  const attempt = (
    loginName: string,
    address: string,
    isGood = false,
    passwordKey = isGood ? 'good' : 'bad',
  ) => {
    const admitted = admit(loginName, address, passwordKey);
    if (admitted.kind === 'refused') return 'refused';
    clock.advance(admitted.waitMs);
    const mayGoOn = admitted.mayGoOn();
    if (mayGoOn) admitted.settle(isGood);
    admitted.leave();
    return mayGoOn ? admitted.waitMs : 'refused';
  };
  return { clock, throttle, admit, attempt };
}

t.test(
  'the first three failures are free, then each attempt waits twice as long, then there is a ban',
  async (t) => {
    const { clock, throttle, attempt } = openThrottle();
    const waits = Array.from({ length: 12 }, () => attempt('anna@a.example', '192.0.2.1'));
    t.same(waits, [0, 0, 0, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 'refused', 'refused']);
    t.equal(attempt('anna@a.example', '192.0.2.1', true), 'refused', 'the right password is not looked at');
    t.match(throttle.bans, [
      {
        kind: 'nameAndAddress',
        loginName: 'anna@a.example',
        address: '192.0.2.1',
        protocol: 'imap',
        failures: 10,
      },
    ]);
    clock.advance(DEFAULT_LOGIN_THROTTLE.banMs - 1);
    t.equal(attempt('anna@a.example', '192.0.2.1', true), 'refused');
    clock.advance(1);
    t.equal(attempt('anna@a.example', '192.0.2.1'), 0, 'after the ban everything begins anew');
    t.same(throttle.bans, []);
  },
);

t.test(
  'the longest wait is admitted at any moment, fractions of a millisecond and powers of two included',
  async (t) => {
    const { clock, admit, attempt } = openThrottle();
    clock.advance(2 ** 28 - clock.monotonic() - 10_000);
    for (let failure = 0; failure < 7; failure += 1) {
      const admitted = admit('anna@a.example', '192.0.2.1', 'bad');
      if (admitted.kind !== 'admitted') throw new Error('refused');
      admitted.settle(false);
      admitted.leave();
    }
    for (let step = 0; step < 50; step += 1) {
      clock.advance(0.1);
      const admitted = admit('anna@a.example', '192.0.2.1', 'good');
      t.equal(admitted.kind, 'admitted', `${clock.monotonic()}`);
      if (admitted.kind === 'admitted') admitted.leave();
    }
    t.ok(Number(attempt('anna@a.example', '192.0.2.1', true)) > 14_999);
  },
);

t.test('success resets the count, and so does time', async (t) => {
  const { clock, attempt } = openThrottle();
  const name = 'anna@a.example';
  const fail = (times: number) => Array.from({ length: times }, () => attempt(name, '192.0.2.1')).at(-1);
  t.equal(fail(5), 2000);
  t.equal(attempt(name, '192.0.2.1', true), 4000, 'the right password waits as a wrong one would');
  t.equal(attempt(name, '192.0.2.1', true), 0);
  t.equal(fail(4), 1000);
  clock.advance(DEFAULT_LOGIN_THROTTLE.windowMs);
  for (let day = 0; day < 20; day += 1) {
    t.equal(fail(3), 0, 'three failures each half hour, as after a changed password, never ban');
    clock.advance(DEFAULT_LOGIN_THROTTLE.windowMs);
  }
});

t.test('waits and bans can be set, and turned off', async (t) => {
  const patient = openThrottle({ delayLimitMs: 0, banAfterFailures: 0, banAddressAfterNames: 0 });
  for (let count = 0; count < 100; count += 1) t.equal(patient.attempt(`n${count % 30}`, '192.0.2.1'), 0);
  const strict = openThrottle({ delayLimitMs: 0, banAfterFailures: 2, banMs: MINUTE_MS });
  t.same(
    [1, 2, 3].map(() => strict.attempt('anna', '192.0.2.1')),
    [0, 0, 'refused'],
  );
  t.match(strict.throttle.bans, [{ remainingMs: MINUTE_MS }]);
  strict.clock.advance(MINUTE_MS);
  t.equal(strict.attempt('anna', '192.0.2.1'), 0);
  strict.throttle.setOptions({ ...DEFAULT_LOGIN_THROTTLE, banAfterFailures: 50 });
  const waits = Array.from({ length: 40 }, () => strict.attempt('anna', '192.0.2.1'));
  t.equal(waits.at(-1), 15_000, 'a reload counts from the next attempt on');
});

t.test(
  'attempts at one moment with other passwords count as failed, with the same one they do not',
  async (t) => {
    const { clock, admit, attempt } = openThrottle();
    const waitOf = (admitted: ReturnType<typeof admit>) =>
      admitted.kind === 'refused' ? 'refused' : admitted.waitMs;
    const same = Array.from({ length: 16 }, () => admit('anna', '192.0.2.1', 'good'));
    t.same(new Set(same.map(waitOf)), new Set([0]), 'an application that opens sixteen sessions at once');
    for (const admitted of same) {
      if (admitted.kind === 'refused') continue;
      admitted.settle(true);
      admitted.leave();
      admitted.leave();
    }
    for (let count = 0; count < 4; count += 1) attempt('anna', '192.0.2.1');
    const after = Array.from({ length: 16 }, () => admit('anna', '192.0.2.1', 'good'));
    t.same(new Set(after.map(waitOf)), new Set([2000]), 'after failures they wait together, not in a row');
    clock.advance(500);
    t.equal(waitOf(admit('anna', '192.0.2.1', 'good')), 1500);
    for (const admitted of after) {
      if (admitted.kind === 'admitted') admitted.settle(true);
      if (admitted.kind === 'admitted') admitted.leave();
    }
    const guesses = Array.from({ length: 8 }, (_, count) => admit('ben', '192.0.2.1', `guess ${count}`));
    t.same(guesses.map(waitOf), [0, 0, 0, 1000, 3000, 7000, 15_000, 'refused']);
    for (const guess of guesses) if (guess.kind === 'admitted') guess.leave();
    t.equal(attempt('ben', '192.0.2.1'), 0, 'what was given up counts for nothing');
  },
);

t.test(
  'one wrong password from many sessions at one moment is one failure, and the next is another',
  async (t) => {
    const { throttle, admit, attempt } = openThrottle();
    const failTogether = () => {
      const sessions = Array.from({ length: 16 }, () => admit('erp', '192.0.2.1', 'old'));
      for (const session of sessions)
        if (session.kind === 'admitted' && session.mayGoOn()) session.settle(false);
      const late = admit('erp', '192.0.2.1', 'old');
      for (const session of sessions) if (session.kind === 'admitted') session.leave();
      return late;
    };
    const late = failTogether();
    t.same(
      throttle.bans,
      [],
      'an application with sixteen sessions and an old password is not banned at once',
    );
    if (late.kind === 'admitted') late.settle(false);
    if (late.kind === 'admitted') late.leave();
    t.equal(attempt('erp', '192.0.2.1'), 0);
    t.equal(
      attempt('erp', '192.0.2.1'),
      1000,
      'three failures until then: who comes after the answer is not one of them',
    );
    t.match(failTogether(), { kind: 'admitted', waitMs: 4000 });
  },
);

t.test('an attempt that waits when a ban comes is refused, and no ban begins twice', async (t) => {
  const { throttle, admit } = openThrottle({ banAfterFailures: 4, banAddressAfterNames: 2 });
  const four = ['a', 'b', 'c', 'd'].map((password) => admit('anna', '192.0.2.1', password));
  t.equal(admit('anna', '192.0.2.1', 'e').kind, 'refused', 'a fifth guess is not looked at either');
  const others = ['ben', 'carl'].map((name) => admit(name, '192.0.2.1', 'x'));
  const late = four.pop();
  const begun = [...others, ...four].map((admitted) => {
    if (admitted.kind === 'refused') throw new Error('refused');
    return admitted.settle(false).length;
  });
  t.same(begun, [0, 1, 0, 0, 0]);
  if (late?.kind !== 'admitted') throw new Error('refused');
  t.equal(late.mayGoOn(), false);
  t.match(late.settle(false), [{ kind: 'nameAndAddress' }]);
  t.same(late.settle(false), [], 'a failure during a ban begins none');
  t.equal(throttle.bans.length, 2);
});

t.test(
  'an address is banned as a whole only after many names, and never within a day of a good login',
  async (t) => {
    const { clock, throttle, attempt } = openThrottle();
    const spray = (address: string, count: number) =>
      Array.from({ length: count }, (_, index) => attempt(`name ${index}`, address)).at(-1);
    t.equal(spray('192.0.2.1', 20), 0);
    t.equal(spray('192.0.2.1', 21), 'refused');
    t.equal(attempt('somebody', '192.0.2.1', true), 'refused');
    t.match(throttle.bans, [{ kind: 'address', address: '192.0.2.1', failures: 20 }]);
    t.equal(spray('192.0.2.2', 19), 0);
    t.equal(attempt('name 3', '192.0.2.2'), 0, 'the same name again is no further one');
    t.equal(attempt('somebody', '192.0.2.2', true), 0);
    t.equal(spray('192.0.2.2', 500), 0, 'somebody is at home there');
    clock.advance(GOOD_LOGIN_MS - 1);
    t.equal(spray('192.0.2.2', 30), 0);
    clock.advance(1);
    t.equal(spray('192.0.2.2', 30), 'refused', 'a day later it is an address like any other');
  },
);

t.test('in the first hour after a start no address is banned as a whole', async (t) => {
  const clock = createTestClock();
  const throttle = new LoginThrottle(clock, { ...DEFAULT_LOGIN_THROTTLE, windowMs: 10 * ADDRESS_GRACE_MS });
  const fail = (loginName: string) => {
    const admitted = throttle.admit({ loginName, address: '192.0.2.1', protocol: 'pop3', passwordKey: 'x' });
    if (admitted.kind === 'admitted') admitted.settle(false);
    if (admitted.kind === 'admitted') admitted.leave();
    return admitted.kind;
  };
  for (let count = 0; count < 100; count += 1) t.equal(fail(`name ${count}`), 'admitted');
  clock.advance(ADDRESS_GRACE_MS);
  t.equal(fail('one more'), 'admitted');
  t.equal(fail('and another'), 'refused');
});

t.test('lifting a ban forgets what led to it, and touches no other', async (t) => {
  const { throttle, attempt } = openThrottle({ delayLimitMs: 0 });
  for (const name of ['anna', 'ben']) for (let count = 0; count < 10; count += 1) attempt(name, '192.0.2.1');
  t.equal(throttle.bans.length, 2);
  t.match(
    throttle.lift(({ loginName }) => loginName === 'anna'),
    [{ loginName: 'anna' }],
  );
  t.equal(attempt('anna', '192.0.2.1'), 0);
  t.equal(attempt('ben', '192.0.2.1'), 'refused');
  t.same(
    throttle.bans.map(({ loginName }) => loginName),
    ['ben'],
  );
});

const anyName = fc.constantFrom('anna', 'ben', 'cleo', 'nobody', '');
const anyStep = fc.record({
  loginName: fc.oneof(anyName, fc.string({ maxLength: 3 })),
  passwordKey: fc.constantFrom('x', 'y', 'z'),
  waitMs: fc.constantFrom(0, 500, 20_000, 40 * MINUTE_MS),
  isGivenUp: fc.boolean(),
});

t.test('whatever fails from one address, nobody is refused or delayed at another one', async (t) => {
  const run = (
    steps: readonly { loginName: string; passwordKey: string; waitMs: number; isGivenUp: boolean }[],
  ) => {
    const { clock, admit } = openThrottle({ banAddressAfterNames: 3 });
    for (const { loginName, passwordKey, waitMs, isGivenUp } of steps) {
      const admitted = admit(loginName, '192.0.2.66', passwordKey);
      clock.advance(waitMs);
      if (admitted.kind === 'admitted' && !isGivenUp) admitted.settle(false);
      if (admitted.kind === 'admitted' && !isGivenUp) admitted.leave();
      for (const name of ['anna', 'ben']) {
        const right = admit(name, '192.0.2.1', 'right');
        if (right.kind === 'refused' || right.waitMs > 0) return false;
        right.leave();
      }
    }
    return true;
  };
  fc.assert(fc.property(fc.array(anyStep, { maxLength: 60 }), run), { numRuns: 300, seed: 7 });
  t.pass();
});

t.test(
  'whatever fails behind one address, who logs in well there is neither refused nor delayed',
  async (t) => {
    const run = (
      steps: readonly { loginName: string; passwordKey: string; waitMs: number; isGivenUp: boolean }[],
    ) => {
      const { clock, admit, attempt } = openThrottle({ banAddressAfterNames: 3 });
      if (attempt('well', '192.0.2.66', true) !== 0) return false;
      for (const { loginName, passwordKey, waitMs, isGivenUp } of steps) {
        if (loginName === 'well') continue;
        const admitted = admit(loginName, '192.0.2.66', passwordKey);
        clock.advance(waitMs);
        if (admitted.kind === 'admitted' && !isGivenUp) admitted.settle(false);
        if (admitted.kind === 'admitted' && !isGivenUp) admitted.leave();
        if (attempt('well', '192.0.2.66', true) !== 0) return false;
      }
      return true;
    };
    fc.assert(fc.property(fc.array(anyStep, { maxLength: 60 }), run), { numRuns: 300, seed: 7 });
    t.pass();
  },
);

t.test('a full memory forgets the mildest, the oldest of them, and never the newest', async (t) => {
  const memory = new FailureMemory<{ failures: number }>(3);
  memory.put('a', { failures: 2 });
  memory.put('b', { failures: 1 });
  memory.put('c', { failures: 1 });
  memory.put('d', { failures: 1 });
  t.same(
    [...memory.entries()].map(([key]) => key),
    ['a', 'c', 'd'],
  );
  memory.put('c', { failures: 9 });
  memory.put('d', { failures: 9 });
  memory.put('e', { failures: 1 });
  t.same(
    [...memory.entries()].map(([key]) => key),
    ['c', 'd', 'e'],
    'all others are worse than the newest',
  );
  memory.delete('e');
  memory.delete('nobody');
  t.equal(memory.size, 2);
});

t.test('who fails with very many names does not wash the name that he wants', async (t) => {
  const { clock, attempt } = openThrottle({ banAddressAfterNames: 0, delayLimitMs: 0 });
  for (let count = 0; count < 9; count += 1) attempt('victim', '192.0.2.1');
  for (let count = 0; count < PAIR_LIMIT + 100; count += 1) attempt(`junk ${count}`, '192.0.2.1');
  attempt('victim', '192.0.2.1');
  t.equal(attempt('victim', '192.0.2.1'), 'refused');
  clock.advance(DEFAULT_LOGIN_THROTTLE.windowMs);
  attempt('somebody', '192.0.2.9');
  t.equal(attempt('victim', '192.0.2.1'), 'refused', 'the sweep of what is over spares what holds');
});

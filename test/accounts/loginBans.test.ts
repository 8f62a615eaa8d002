/** Throttled logins on real sessions: what each protocol is told, what never counts, who is never kept waiting, equal times. */

import { Writable } from 'node:stream';
import t, { type Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { MailError } from '../../src/base/error.ts';
import { createLog, silentLog } from '../../src/base/log.ts';
import { createAccounts } from '../../src/accounts/accounts.ts';
import { DEFAULT_LOGIN_THROTTLE } from '../../src/accounts/loginThrottle.ts';
import { ADDRESS_GRACE_MS } from '../../src/accounts/suspectAddresses.ts';
import { createPasswordHasher } from '../../src/accounts/password.ts';
import { networkAddresses } from '../../src/admin/networkAddresses.ts';
import { type AccessSite, type AccessSiteOptions, openAccessSite } from '../support/accessSite.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { openRoomSite } from '../support/site.ts';
import { secureClient } from '../support/sockets.ts';
import { parseTranscript, playTranscript, readTranscript } from '../support/transcript.ts';

const TICKET = 'ticket@app.example.com';
const OTHER = 'other@app.example.com';
/** No waits, and the third failure bans. */
const STRICT = { ...DEFAULT_LOGIN_THROTTLE, delayLimitMs: 0, banAfterFailures: 3 };
/** The first failure bans, so that a test sees at once what counts. */
const AT_ONCE = { ...STRICT, banAfterFailures: 1 };

/** A site on which addresses of this machine are as any others. */
async function openStrange(t: Test, options: AccessSiteOptions): Promise<AccessSite> {
  const access = await openAccessSite(t, options);
  const { administration } = access.site;
  await administration.ipRanges.set('My computer', { isTrusted: false });
  await access.site.addAccount(TICKET);
  await access.site.addAccount(OTHER);
  return access;
}

/** What LOGIN or PASS is answered. */
async function logIn(
  t: Test,
  { reach }: AccessSite,
  protocol: 'imap' | 'pop3',
  address: string,
  name: string,
  password: string,
): Promise<string> {
  const client = await reach(t, protocol, address);
  await client.until(/\n/);
  if (protocol === 'imap') client.send(`a LOGIN ${name} ${password}\r\n`);
  else client.send(`USER ${name}\r\nPASS ${password}\r\n`);
  const answer = protocol === 'imap' ? /^a .*\r\n/m : /^(?:[^\n]*\n){2}([^\n]*\n)/;
  const found = answer.exec(await client.until(answer));
  client.socket.destroy();
  return (found?.[1] ?? found?.[0] ?? '').trimEnd();
}

/** Resolves once so many logins wait. */
async function untilWaiting(clock: TestClock, logins: number): Promise<void> {
  while (clock.pendingTimers < logins) await new Promise(setImmediate);
}

t.test('a ban refuses one name from one address by every protocol, and nothing else', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const access = await openStrange(t, {
    log: createLog(stream, 'warn'),
    accountsOptions: { loginThrottle: STRICT },
  });
  for (const name of [TICKET, 'nobody@app.example.com']) {
    const wrong = (protocol: 'imap' | 'pop3') => logIn(t, access, protocol, '127.0.0.2', name, 'wrong');
    t.equal(await wrong('imap'), 'a NO [AUTHENTICATIONFAILED] Authentication failed');
    t.equal(await wrong('pop3'), '-ERR [AUTH] Authentication failed');
    t.equal(await wrong('imap'), 'a NO [AUTHENTICATIONFAILED] Authentication failed');
    t.equal(await wrong('imap'), 'a NO [UNAVAILABLE] Too many failed logins, please try again later');
    t.equal(await wrong('pop3'), '-ERR [SYS/TEMP] Too many failed logins, please try again later');
  }
  const right = (protocol: 'imap' | 'pop3', address: string, name: string) =>
    logIn(t, access, protocol, address, name, 'secret');
  t.match(await right('imap', '127.0.0.2', TICKET), /^a NO \[UNAVAILABLE\]/, 'a right password as well');
  t.match(await right('pop3', '127.0.0.2', TICKET.toUpperCase()), /SYS.TEMP/, 'in any spelling');
  t.match(await right('imap', '127.0.0.2', `CORP/${TICKET}`), /UNAVAILABLE/, 'and in any form');
  t.match(await right('imap', '127.0.0.2', OTHER), /^a OK/, 'another account behind the same address');
  t.match(await right('pop3', '127.0.0.3', TICKET), /^\+OK/, 'the same account from another address');
  t.match(await right('imap', '::1', TICKET), /^a OK/);
  const begun = lines.filter(({ event }) => event === 'accounts.ban.begun');
  t.match(begun, [
    { loginName: TICKET, address: '127.0.0.2', protocol: 'imap', failures: 3 },
    { loginName: 'nobody@app.example.com', address: '127.0.0.2' },
  ]);
  t.equal(begun.length, 2, 'each is logged once');
  const { bans } = access.site.accounts;
  t.equal(bans.count, 2);
  t.match(bans.remove(TICKET), [{ loginName: TICKET }]);
  t.match(await right('imap', '127.0.0.2', TICKET), /^a OK/, 'the administrator has lifted it');
  t.throws(() => bans.remove(TICKET), { code: 'notFound' });
  t.match(bans.remove('127.0.0.2'), [{ loginName: 'nobody@app.example.com' }]);
  t.same(bans.list(), []);
});

t.test('from a trusted range nothing is counted, and a change of trust counts at once', async (t) => {
  const access = await openStrange(t, { accountsOptions: { loginThrottle: AT_ONCE } });
  await access.site.administration.ipRanges.set('My computer', { isTrusted: true });
  const wrong = () => logIn(t, access, 'imap', '127.0.0.2', TICKET, 'wrong');
  for (let count = 0; count < 3; count += 1) t.match(await wrong(), /AUTHENTICATIONFAILED/);
  await access.site.administration.ipRanges.set('My computer', { isTrusted: false });
  t.match(await wrong(), /AUTHENTICATIONFAILED/);
  t.match(await wrong(), /UNAVAILABLE/);
  await access.site.administration.ipRanges.set('My computer', { isTrusted: true });
  t.match(await logIn(t, access, 'imap', '127.0.0.2', TICKET, 'secret'), /^a OK/);
});

t.test('what is no failed login never counts, though the first that is one bans', async (t) => {
  const access = await openStrange(t, { accountsOptions: { loginThrottle: AT_ONCE } });
  const { site, reach } = access;
  const play = async (protocol: 'imap' | 'pop3', text: string) => {
    const client = await reach(t, protocol, '127.0.0.2');
    await playTranscript(client, parseTranscript(text));
    client.socket.destroy();
  };
  for (let count = 0; count < 3; count += 1) {
    await playTranscript(await reach(t, 'imap', '127.0.0.2'), readTranscript('access/s22'));
  }
  await play('imap', `S: * OK *\nC: a AUTHENTICATE PLAIN\nS: + *\nC: *\nS: a BAD *`);
  await play('imap', `S: * OK *\nC: a AUTHENTICATE PLAIN\nS: + *\nC: ?not base64?\nS: a BAD *`);
  await play('imap', `S: * OK *\nC: a XYZZY\nS: a BAD *\nC: a LOGIN ${TICKET}\nS: a BAD *`);
  await play('pop3', `S: +OK *\nC: AUTH CRAM-MD5\nS: -ERR *\nC: AUTH PLAIN\nS: + *\nC: *\nS: -ERR *`);
  await play(
    'pop3',
    `S: +OK *\nC: XYZZY\nS: -ERR *\nC: PASS wrong\nS: -ERR *\nC: APOP ${TICKET} 0\nS: -ERR *`,
  );
  await site.administration.ipRanges.set('My computer', { needsTls: true });
  await play('imap', `S: * OK *\nC: a LOGIN ${TICKET} wrong\nS: a NO [PRIVACYREQUIRED] *`);
  await play('pop3', `S: +OK *\nC: USER ${TICKET}\nS: * *`);
  await site.administration.ipRanges.set('My computer', { needsTls: false });
  await site.administration.accounts.set(TICKET, { settings: { 'imap.sessionLimit': '1' } });
  const first = await reach(t, 'imap', '127.0.0.2');
  first.send(`a LOGIN ${TICKET} secret\r\n`);
  await first.until(/^a OK/m);
  t.match(await logIn(t, access, 'imap', '127.0.0.2', TICKET, 'secret'), /^a NO \[LIMIT\]/);
  const secure = await secureClient(t, (await reach(t, 'imap', '127.0.0.2', 'implicit')).socket);
  secure.send('\0\x01\xff junk\r\n');
  await secure.until(/BAD/);
  t.same(site.accounts.bans.list(), []);
  t.match(await logIn(t, access, 'pop3', '127.0.0.2', TICKET, 'secret'), /^\+OK/);
  t.match(await logIn(t, access, 'pop3', '127.0.0.2', TICKET, 'wrong'), /AUTH/);
  t.equal(site.accounts.bans.count, 1, 'this one counted');
  // A program that takes USER for a login says its password there: no list shows it.
  await logIn(t, access, 'pop3', '127.0.0.2', `${OTHER} hunter2`, '');
  t.same(
    site.accounts.bans.list().map((ban) => ban.kind === 'nameAndAddress' && ban.loginName),
    [TICKET, OTHER],
  );
});

t.test('a login that waits keeps nobody else waiting, and comes to its end', async (t) => {
  const loginClock = createTestClock();
  const access = await openStrange(t, {
    loginClock,
    accountsOptions: { loginThrottle: { ...DEFAULT_LOGIN_THROTTLE, delayLimitMs: 1000 } },
  });
  const { site, reach } = access;
  for (let count = 0; count < 3; count += 1) await logIn(t, access, 'imap', '127.0.0.2', TICKET, 'wrong');
  const waiting = await reach(t, 'imap', '127.0.0.2');
  waiting.send(`a LOGIN ${TICKET} secret\r\nb NOOP\r\n`);
  await untilWaiting(loginClock, 1);
  t.match(await logIn(t, access, 'imap', '127.0.0.2', OTHER, 'secret'), /^a OK/, 'while time stands still');
  t.match(await logIn(t, access, 'pop3', '127.0.0.3', TICKET, 'secret'), /^\+OK/);
  loginClock.advance(999);
  t.match(await logIn(t, access, 'pop3', '127.0.0.3', TICKET, 'secret'), /^\+OK/);
  t.notMatch(waiting.received, /^a /m);
  loginClock.advance(1);
  t.match(await waiting.until(/^b OK/m), /^a OK .*\r\nb OK/m, 'the right password is let in after its wait');
  t.equal(site.accounts.bans.count, 0);
});

t.test('a server that stops ends the logins that wait, each in its protocol’s words', async (t) => {
  const loginClock = createTestClock();
  const loginThrottle = { ...DEFAULT_LOGIN_THROTTLE, delayLimitMs: 0 };
  const access = await openStrange(t, { loginClock, accountsOptions: { loginThrottle } });
  for (let count = 0; count < 5; count += 1) await logIn(t, access, 'imap', '127.0.0.2', TICKET, 'wrong');
  access.site.accounts.setOptions({});
  const imap = await access.reach(t, 'imap', '127.0.0.2');
  const pop3 = await access.reach(t, 'pop3', '127.0.0.2');
  await imap.until(/\n/);
  imap.send(`b LOGIN ${TICKET} secret\r\n`);
  pop3.send(`USER ${TICKET}\r\n`);
  await pop3.until(/^\+OK[^\n]*\n\+OK/);
  pop3.send('PASS secret\r\n');
  await untilWaiting(loginClock, 2);
  // Their time never comes.
  const closed = access.close(60_000);
  t.match(await imap.closed(), /^b NO \[UNAVAILABLE\] The server is shutting down.*\r\n\* BYE /m);
  t.match(await pop3.closed(), /^-ERR \[SYS\/TEMP\] The server is shutting down/m);
  imap.socket.destroy();
  pop3.socket.destroy();
  await closed;
});

t.test('what cannot be decided counts for nothing: too many hashes, a store that fails', async (t) => {
  const site = await openRoomSite(t);
  await site.addAccount(TICKET);
  const hasher = createPasswordHasher({
    clock: systemClock,
    cost: { memoryKib: 8, passes: 1, parallelism: 1 },
  });
  await site.store.directory.setAccount(TICKET, { passwordHash: await hasher.hash('secret') });
  const failure: { code: 'tooBusy' | 'storeUnavailable' | undefined } = { code: 'tooBusy' };
  const failing = async <Value>(value: () => Promise<Value>) => {
    if (failure.code !== undefined) throw new MailError(failure.code);
    return value();
  };
  const { store, ipRanges } = site;
  const accounts = createAccounts({
    directory: {
      ...store.directory,
      findCredentials: (...names) =>
        failure.code === 'tooBusy'
          ? store.directory.findCredentials(...names)
          : failing(() => store.directory.findCredentials(...names)),
    },
    mailboxes: store.mailboxes,
    secrets: store.secrets,
    passwords: { ...hasher, verify: (...args) => failing(() => hasher.verify(...args)) },
    clock: createTestClock(),
    log: silentLog,
    ipRanges,
    addresses: networkAddresses,
    options: { loginThrottle: AT_ONCE },
  });
  const logInWith = (password: string) =>
    accounts.authenticate({ loginName: TICKET, password, protocol: 'pop3', remoteAddress: '192.0.2.1' });
  for (const code of ['tooBusy', 'storeUnavailable'] as const) {
    failure.code = code;
    for (let count = 0; count < 5; count += 1) await t.rejects(logInWith(`wrong ${count}`), { code });
  }
  failure.code = undefined;
  t.match(await logInWith('secret'), { kind: 'authenticated' });
  t.same(await logInWith('wrong'), { kind: 'refused' });
  t.same(await logInWith('wrong'), { kind: 'throttled' });
});

/** Accounts on which anna fails from an address that others share; its function answers how a login from there ended. */
async function openNeighbours(t: Test) {
  const options = { defaultDomain: 'app.example.com', loginThrottle: STRICT };
  const site = await openRoomSite(t, systemClock, undefined, options);
  await site.addAccount('anna@app.example.com');
  await site.addAccount(OTHER);
  await site.administration.accounts.set(OTHER, { loginNames: [String.raw`OLD\anna`, 'erp@*'] });
  const logInBy = async (loginName: string, password: string, remoteAddress = '192.0.2.9') =>
    (await site.accounts.authenticate({ loginName, password, protocol: 'pop3', remoteAddress })).kind;
  return { site, logInBy };
}

t.test(
  'a password that was right from an address within a day goes on logging in, whatever fails there',
  async (t) => {
    const { site, logInBy } = await openNeighbours(t);
    t.equal(await logInBy(String.raw`OLD\anna`, 'secret'), 'authenticated');
    for (let count = 0; count < 3; count += 1)
      t.equal(await logInBy('anna@app.example.com', `guess ${count}`), 'refused');
    t.equal(await logInBy('anna', 'secret'), 'throttled', 'nobody has shown that it is right from here');
    t.equal(
      await logInBy(String.raw`OLD\anna`, 'secret'),
      'authenticated',
      'another account that counts as the same name',
    );
    t.equal(
      await logInBy(String.raw`OLD\anna`, 'guess'),
      'throttled',
      'who has no password for it stays banned',
    );
    t.equal(await logInBy('anna', 'secret', '192.0.2.10'), 'authenticated');
    t.equal(await logInBy('anna', 'secret'), 'throttled', 'right from elsewhere is not right from here');
    await site.administration.accounts.setPassword(OTHER, 'another password');
    t.equal(await logInBy(String.raw`OLD\anna`, 'secret'), 'throttled', 'an old password proves nothing');
  },
);

t.test('guesses at an extra login name for any domain are one count, whatever the domain', async (t) => {
  const { logInBy } = await openNeighbours(t);
  const ends = [];
  for (let count = 0; count < 6; count += 1)
    ends.push(await logInBy(`erp@x${count}.example`, `guess ${count}`));
  t.same(ends, ['refused', 'refused', 'refused', 'throttled', 'throttled', 'throttled']);
});

t.test('a known name and an unknown one wait, are refused and cost alike at each step', async (t) => {
  const site = await openRoomSite(t);
  await site.addAccount(TICKET);
  const clock = createTestClock();
  let hashes = 0;
  const hasher = createPasswordHasher({
    clock: systemClock,
    cost: { memoryKib: 4096, passes: 1, parallelism: 1 },
  });
  await site.store.directory.setAccount(TICKET, { passwordHash: await hasher.hash('secret') });
  const passwords: typeof hasher = {
    ...hasher,
    verify: (...args) => {
      hashes += 1;
      return hasher.verify(...args);
    },
    refuse: (password) => {
      hashes += 1;
      return hasher.refuse(password);
    },
  };
  const { directory, mailboxes, secrets } = site.store;
  const { ipRanges } = site;
  const accounts = createAccounts({
    ...{ directory, mailboxes, secrets, passwords, clock, log: silentLog, ipRanges },
    addresses: networkAddresses,
    options: { loginThrottle: { ...DEFAULT_LOGIN_THROTTLE, banAddressAfterNames: 0 } },
  });
  clock.advance(ADDRESS_GRACE_MS);
  const once = async (loginName: string, remoteAddress: string) => {
    const before = { hashes, waits: clock.pendingTimers, ms: performance.now() };
    const ended = accounts.authenticate({ loginName, password: 'wrong', protocol: 'imap', remoteAddress });
    await new Promise(setImmediate);
    const isWaiting = clock.pendingTimers > before.waits;
    if (isWaiting) clock.advance(DEFAULT_LOGIN_THROTTLE.delayLimitMs);
    const { kind } = await ended;
    return { step: [kind, isWaiting, hashes - before.hashes], ms: performance.now() - before.ms };
  };
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let round = 0; round < 12; round += 1) {
    for (let count = 0; count < 12; count += 1) {
      const known = await once(TICKET, `192.0.2.${round}`);
      const unknown = await once('nobody@app.example.com', `192.0.2.${round}`);
      t.same(unknown.step, known.step, `attempt ${count + 1}: ${known.step}`);
      t.equal(known.step[2], count < 10 ? 1 : 0, 'a ban costs no hash');
      if (count >= 10) continue;
      times.known.push(known.ms);
      times.unknown.push(unknown.ms);
    }
  }
  // The quickest of each: on a busy machine half of them have waited for a processor, of the one more than of the other.
  const ratio = Math.min(...times.known) / Math.min(...times.unknown);
  t.ok(ratio > 0.7 && ratio < 1.4, `known takes ${ratio.toFixed(2)} times as long as unknown`);
});

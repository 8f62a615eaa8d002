/** Logging in and resolving recipients, on the real store. */

import { Writable } from 'node:stream';
import t from 'tap';
import { type Accounts, createAccounts } from '../../src/accounts/accounts.ts';
import type { LoginRequest } from '../../src/accounts/login.ts';
import { createPasswordHasher, type PasswordHasher } from '../../src/accounts/password.ts';
import { VERIFIED_LIFETIME_MS } from '../../src/accounts/verifiedCache.ts';
import { createLog } from '../../src/base/log.ts';
import type { Directory } from '../../src/store/contract/directory.ts';
import type { Store } from '../../src/store/contract/store.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { networkAddresses } from '../../src/admin/networkAddresses.ts';
import { createTestClock } from '../support/clock.ts';
import { TRUST_EVERYBODY } from '../support/trust.ts';

const clock = createTestClock();
const lines: Record<string, unknown>[] = [];
const log = createLog(
  new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  }),
  'debug',
);

/** A quick hasher that counts what it computes. */
const hashes = { verified: 0, refused: 0 };
const quick = createPasswordHasher({ clock, cost: { memoryKib: 64, passes: 1, parallelism: 1 } });
const passwords: PasswordHasher = {
  ...quick,
  verify(password, hash) {
    hashes.verified += 1;
    return quick.verify(password, hash);
  },
  refuse(password) {
    hashes.refused += 1;
    return quick.refuse(password);
  },
};

let store: Store;
let directory: Directory;
let accounts: Accounts;

t.before(async () => {
  store = await openStore({ directory: t.testdir(), clock, log });
  directory = store.directory;
  accounts = createAccounts({
    directory,
    mailboxes: store.mailboxes,
    secrets: store.secrets,
    passwords,
    clock,
    log,
    addresses: networkAddresses,
    ipRanges: TRUST_EVERYBODY,
    options: { defaultDomain: 'App.Example' },
  });
  await directory.addDomain('app.example', { aliases: ['xn--bcher-kva.example'] });
  await addAccount('anna@app.example', 'secret', ['app\\anna', 'old@elsewhere.example']);
  await addAccount('ben@app.example', ' with blanks ');
});
t.teardown(() => store.close());
t.beforeEach(() => {
  lines.length = 0;
  hashes.verified = 0;
  hashes.refused = 0;
});

async function addAccount(address: string, password: string, loginNames: string[] = []) {
  return directory.addAccount({ address, passwordHash: await quick.hash(password), loginNames });
}

function logIn(loginName: string, password: string, more: Partial<LoginRequest> = {}) {
  return accounts.authenticate({
    loginName,
    password,
    protocol: 'pop3',
    remoteAddress: '127.0.0.1',
    ...more,
  });
}

async function whoLogsIn(...request: Parameters<typeof logIn>): Promise<string> {
  const outcome = await logIn(...request);
  return outcome.kind === 'authenticated' ? outcome.account.address : outcome.kind;
}

t.test('an account logs in by address, domain alias, extra name and bare name, in any case', async (t) => {
  const names = [
    'anna@app.example',
    'ANNA@App.Example',
    'anna@bücher.example',
    'anna@XN--BCHER-KVA.example',
    'APP\\Anna',
    'old@elsewhere.example',
    'Anna',
  ];
  for (const name of names) t.equal(await whoLogsIn(name, 'secret'), 'anna@app.example', name);
  t.equal(await whoLogsIn('ben', ' with blanks '), 'ben@app.example', 'blanks belong to the password');
  t.equal(await whoLogsIn('ben', 'with blanks'), 'refused');
});

t.test('every refusal looks alike and costs one hash; the reason stands in the log alone', async (t) => {
  await addAccount('off@app.example', 'secret');
  await directory.setAccount('off@app.example', { isEnabled: false });
  await directory.addDomain('off.example', {});
  await addAccount('x@off.example', 'secret');
  await directory.setDomain('off.example', { isEnabled: false });
  const cases: [name: string, password: string, reason: string][] = [
    ['anna@app.example', 'wrong', 'wrongPassword'],
    ['anna@app.example', '', 'wrongPassword'],
    ['nobody@app.example', 'secret', 'unknownName'],
    ['anna@foreign.example', 'secret', 'unknownName'],
    ['nobody', 'secret', 'unknownName'],
    ['', 'secret', 'unknownName'],
    ['an\0na@app.example', 'secret', 'unknownName'],
    // As a program that takes USER for a login sends it: what stands behind the blank is its password.
    ['anna@app.example secret', '', 'unknownName'],
    ['\u0430nna@app.example', 'secret', 'unknownName'],
    ['off@app.example', 'secret', 'accountDisabled'],
    ['off@app.example', 'wrong', 'wrongPassword'],
    ['x@off.example', 'secret', 'domainDisabled'],
  ];
  for (const [name, password, reason] of cases) {
    hashes.verified = 0;
    hashes.refused = 0;
    lines.length = 0;
    t.same(await logIn(name, password), { kind: 'refused' }, JSON.stringify([name, reason]));
    t.equal(hashes.verified + hashes.refused, 1, 'one hash');
    t.match(lines, [
      {
        event: 'accounts.login.refused',
        level: 'warn',
        reason,
        protocol: 'pop3',
        remoteAddress: '127.0.0.1',
      },
    ]);
    t.notOk(JSON.stringify(lines).includes('secret'));
  }
  hashes.verified = 0;
  await logIn('off@app.example', 'secret');
  await logIn('off@app.example', 'secret');
  t.equal(
    hashes.verified,
    2,
    'a right password of a disabled account is not remembered: its time would tell',
  );
});

t.test('without a default domain a bare name is nobody, unless it is an extra login name', async (t) => {
  await directory.setAccount('ben@app.example', { loginNames: ['anna'] });
  t.equal(
    await whoLogsIn('anna', ' with blanks '),
    'ben@app.example',
    'the extra name wins over the default domain',
  );
  accounts.setOptions({});
  t.equal(await whoLogsIn('anna', ' with blanks '), 'ben@app.example');
  t.equal(await whoLogsIn('ben', ' with blanks '), 'refused');
  t.throws(() => accounts.setOptions({ defaultDomain: 'a b' }), { code: 'invalid' });
  t.throws(() => accounts.setOptions({ postmaster: 'anna' }), { code: 'invalid' });
  accounts.setOptions({ defaultDomain: 'app.example' });
  await directory.setAccount('ben@app.example', { loginNames: [] });
});

t.test('who polls each minute is hashed once in five minutes', async (t) => {
  const costs: number[] = [];
  clock.advance(VERIFIED_LIFETIME_MS);
  for (let minute = 0; minute < 10; minute += 1) {
    hashes.verified = 0;
    t.equal(await whoLogsIn('anna@bücher.example', 'secret'), 'anna@app.example');
    costs.push(hashes.verified);
    clock.advance(VERIFIED_LIFETIME_MS / 5);
  }
  t.equal(
    costs.reduce((sum, cost) => sum + cost),
    2,
    costs.join(),
  );
});

t.test('a changed password, a disabled account and a removed one count at once', async (t) => {
  await addAccount('carl@app.example', 'before');
  t.equal(await whoLogsIn('carl', 'before'), 'carl@app.example');
  await directory.setAccount('carl@app.example', { passwordHash: await quick.hash('after') });
  t.equal(await whoLogsIn('carl', 'before'), 'refused');
  t.equal(await whoLogsIn('carl', 'after'), 'carl@app.example');
  await directory.setAccount('carl@app.example', { isEnabled: false });
  t.equal(await whoLogsIn('carl', 'after'), 'refused');
  await directory.setAccount('carl@app.example', { isEnabled: true });
  t.equal(await whoLogsIn('carl', 'after'), 'carl@app.example');
  await directory.removeAccount('carl@app.example');
  t.equal(await whoLogsIn('carl', 'after'), 'refused');
});

t.test('one name in many spellings at the same moment costs as many hashes, known or not', async (t) => {
  for (const who of ['ben', 'nobody']) {
    hashes.verified = 0;
    hashes.refused = 0;
    const names = [`${who}@app.example`, `${who.toUpperCase()}@app.example`, `X\\${who}`, who];
    await Promise.all([...names, ...names].map((name) => logIn(name, 'wrong')));
    t.equal(hashes.verified + hashes.refused, names.length, who);
  }
});

t.test('the same attempt made often at the same moment costs one hash, known name or not', async (t) => {
  for (const name of ['anna@app.example', 'nobody@app.example']) {
    hashes.verified = 0;
    hashes.refused = 0;
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => whoLogsIn(name, 'guess')));
    t.same(new Set(outcomes), new Set(['refused']));
    t.equal(hashes.verified + hashes.refused, 1, name);
  }
});

t.test(
  'an authorization identity is another name of the same account, or the login is refused',
  async (t) => {
    const as = (authorizationIdentity: string) => whoLogsIn('anna', 'secret', { authorizationIdentity });
    t.equal(await as(''), 'anna@app.example');
    t.equal(await as('ANNA@bücher.example'), 'anna@app.example');
    t.equal(await as('ben@app.example'), 'refused');
    t.equal(await as('nobody'), 'refused');
    t.match(lines.at(-1), { reason: 'otherIdentity' });
  },
);

t.test('a hash that cannot be read refuses the login like any other, and the log says so', async (t) => {
  await directory.addAccount({ address: 'odd@app.example', passwordHash: '$1$md5$crypt' });
  t.same(await logIn('odd@app.example', 'secret'), { kind: 'refused' });
  t.equal(hashes.refused, 1);
  t.match(lines[0], { event: 'accounts.password.unreadable', account: 'odd@app.example' });
});

async function whoReceives(path: string): Promise<string> {
  const found = await accounts.resolveRecipient(path);
  return found.kind === 'accounts' ? found.accounts.map(({ address }) => address).join() : found.kind;
}

async function addAlias(address: string, ...targets: string[]) {
  await directory.addAlias({ address, targets, isEnabled: true });
}

t.test('a recipient is an account in any spelling, unknown, or not ours', async (t) => {
  t.equal(await whoReceives('Anna@APP.example'), 'anna@app.example');
  t.equal(await whoReceives('"anna"@bücher.example'), 'anna@app.example');
  t.equal(await whoReceives('nobody@app.example'), 'unknown');
  t.equal(await whoReceives('an na@app.example'), 'unknown', 'no address, but in a domain of ours');
  t.equal(await whoReceives('an na@foreign.example'), 'foreign');
  t.equal(await whoReceives('off@app.example'), 'disabled');
  t.equal(await whoReceives('anyone@off.example'), 'disabled');
  for (const path of ['', 'anna', 'anna@', 'anna@[127.0.0.1]', 'anna@sub.app.example', '\0']) {
    t.equal(await whoReceives(path), 'foreign', JSON.stringify(path));
  }
});

t.test('percent sign, bang and quoted @ are no routes', async (t) => {
  for (const path of [
    'anna%foreign.example@app.example',
    'foreign.example!anna@app.example',
    '"anna@foreign.example"@app.example',
  ]) {
    t.equal(await whoReceives(path), 'unknown', path);
  }
  t.equal(await whoReceives('anna%app.example@foreign.example'), 'foreign');
  t.equal(await whoReceives('@app.example:anna@foreign.example'), 'foreign');
});

t.test('aliases lead to many, through one another, each account once', async (t) => {
  await addAlias('one@app.example', 'anna@app.example');
  await addAlias(
    'all@app.example',
    'ben@app.example',
    'one@app.example',
    'anna@app.example',
    'two@app.example',
  );
  await addAlias('two@app.example', 'one@app.example', 'ben@app.example');
  t.equal(await whoReceives('ALL@bücher.example'), 'ben@app.example,anna@app.example');
});

t.test('a loop ends, and those beside it receive', async (t) => {
  await addAlias('ring1@app.example', 'ring2@app.example');
  await addAlias('ring2@app.example', 'ring3@app.example', 'anna@app.example');
  await addAlias('ring3@app.example', 'ring1@app.example', 'ring3@app.example');
  t.equal(await whoReceives('ring1@app.example'), 'anna@app.example');
  await directory.setAlias('ring2@app.example', { targets: ['ring3@app.example'] });
  t.equal(await whoReceives('ring1@app.example'), 'unknown');
});

t.test(
  'ten aliases in a row are followed; eleven are a temporary failure, since the fault is ours',
  async (t) => {
    for (let depth = 1; depth <= 11; depth += 1) {
      await addAlias(
        `deep${depth}@app.example`,
        depth === 1 ? 'anna@app.example' : `deep${depth - 1}@app.example`,
      );
    }
    t.equal(await whoReceives('deep10@app.example'), 'anna@app.example');
    await t.rejects(accounts.resolveRecipient('deep11@app.example'), { code: 'internal', message: /deep11/ });
  },
);

t.test(
  'a target that is gone is told to the log; disabled and unknown ones leave the others their copy',
  async (t) => {
    await addAlias(
      'mixed@app.example',
      'gone@app.example',
      'off@app.example',
      'x@foreign.example',
      'anna@app.example',
    );
    t.equal(await whoReceives('mixed@app.example'), 'anna@app.example');
    t.match(lines, [
      { event: 'accounts.alias.dangling', address: 'mixed@app.example', target: 'gone@app.example' },
      { event: 'accounts.alias.dangling', target: 'x@foreign.example', reason: 'foreignDomain' },
    ]);
    await directory.setAlias('mixed@app.example', { targets: ['gone@app.example', 'off@app.example'] });
    t.equal(await whoReceives('mixed@app.example'), 'disabled');
    await directory.setAlias('mixed@app.example', { targets: ['gone@app.example', 'x@foreign.example'] });
    t.equal(await whoReceives('mixed@app.example'), 'unknown');
  },
);

t.test('a catch-all takes what nobody else does', async (t) => {
  await directory.addDomain('catch.example', { catchAll: 'one@app.example' });
  await addAccount('real@catch.example', 'x');
  t.equal(await whoReceives('any.thing@catch.example'), 'anna@app.example');
  t.equal(await whoReceives('real@catch.example'), 'real@catch.example');
  t.equal(await whoReceives('an na@catch.example'), 'unknown', 'but nothing that is no address');
  await directory.setDomain('catch.example', { catchAll: 'missing@catch.example' });
  t.equal(await whoReceives('any@catch.example'), 'unknown', 'a catch-all that leads to itself ends');
});

t.test('postmaster is an account, an alias or the catch-all, else who is configured', async (t) => {
  await directory.addDomain('post.example', {});
  t.equal(await whoReceives('Postmaster'), 'unknown');
  t.equal(await whoReceives('postmaster@post.example'), 'unknown');
  accounts.setOptions({ postmaster: 'Anna@App.example', defaultDomain: 'post.example' });
  t.equal(await whoReceives('POSTMASTER'), 'anna@app.example');
  t.equal(await whoReceives('PostMaster@post.example'), 'anna@app.example');
  t.equal(await whoReceives('postmaster@foreign.example'), 'foreign');
  await addAlias('postmaster@post.example', 'ben@app.example');
  t.equal(await whoReceives('postmaster@post.example'), 'ben@app.example');
  accounts.setOptions({ defaultDomain: 'post.example' });
  t.equal(await whoReceives('postmaster'), 'ben@app.example', 'the one of the default domain');
  accounts.setOptions({ postmaster: 'x@foreign.example' });
  t.equal(await whoReceives('postmaster'), 'ben@app.example', 'of the first domain that has one; no relay');
  accounts.setOptions({ defaultDomain: 'app.example' });
});

t.test('an account is over quota when what comes does not fit', async (t) => {
  const account = await addAccount('quota@app.example', 'x');
  t.equal(await accounts.isOverQuota(account, 1e15), false, 'no quota, no limit');
  const limited = await directory.setAccount('quota@app.example', { quotaOctets: 1000 });
  t.equal(await accounts.isOverQuota(limited, 1000), false);
  t.equal(await accounts.isOverQuota(limited, 1001), true);
  const inbox = await store.mailboxes.find(account.id, ['INBOX']);
  const draft = store.contents.begin();
  await draft.write(Buffer.alloc(1000, 'x'));
  const internalDate = { at: clock.now(), zoneMinutes: 0 };
  if (inbox === undefined) throw new Error('no INBOX');
  await store.mailboxes.append(inbox.id, [{ draft, flags: { system: 0, keywords: [] }, internalDate }]);
  t.equal(await accounts.isOverQuota(limited, 0), true, 'full: nothing at all fits');
  t.same(await accounts.quotaOf(account), { usedOctets: 1000, limitOctets: 1000 }, 'as it is now');
  await directory.setAccount('quota@app.example', { quotaOctets: null });
  t.same(await accounts.quotaOf(limited), { usedOctets: 1000, limitOctets: undefined });
  await directory.removeAccount('quota@app.example');
  await t.rejects(accounts.quotaOf(limited), { code: 'notFound' });
  await addAccount('quota@app.example', 'x');
  await t.rejects(accounts.quotaOf(limited), { code: 'notFound' }, 'another account of that name');
});

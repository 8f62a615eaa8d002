/** Which account a login name means: every form, the order of readings, what is refused, and any bytes at all. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Accounts, createAccounts } from '../../src/accounts/accounts.ts';
import { type Administration, createAdministration } from '../../src/accounts/administration.ts';
import { documentLoginForms } from '../../src/accounts/documentLogins.ts';
import { findByLoginName, type LoginReading } from '../../src/accounts/findByLoginName.ts';
import { LOGIN_FORMS } from '../../src/accounts/loginForms.ts';
import { createPasswordHasher, type PasswordHasher } from '../../src/accounts/password.ts';
import { readLoginName } from '../../src/accounts/readLoginName.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Directory } from '../../src/store/contract/directory.ts';
import type { Store } from '../../src/store/contract/store.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { createSentToday } from '../../src/accounts/sendingDay.ts';
import { networkAddresses } from '../../src/admin/networkAddresses.ts';
import { createTestClock } from '../support/clock.ts';
import { TRUST_EVERYBODY } from '../support/trust.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import { threadMs } from '../support/threadTime.ts';

const clock = createTestClock();
const hashes = { count: 0 };
const quick = createPasswordHasher({ clock, cost: { memoryKib: 64, passes: 1, parallelism: 1 } });
const passwords: PasswordHasher = {
  ...quick,
  verify(password, hash) {
    hashes.count += 1;
    return quick.verify(password, hash);
  },
  refuse(password) {
    hashes.count += 1;
    return quick.refuse(password);
  },
};

let store: Store;
let accounts: Accounts;
let administration: Administration;
let questions = 0;

/** The store's directory, with what it is asked at a login counted. */
function counted(directory: Directory): Directory {
  return {
    ...directory,
    findCredentials: (...names) => {
      questions += 1;
      return directory.findCredentials(...names);
    },
    findDomain: (name) => {
      questions += 1;
      return directory.findDomain(name);
    },
  };
}

t.before(async () => {
  store = await openStore({ directory: t.testdir(), clock, log: silentLog });
  const directory = counted(store.directory);
  const shared = {
    directory,
    mailboxes: store.mailboxes,
    secrets: store.secrets,
    passwords,
    clock,
    log: silentLog,
  };
  const access = { addresses: networkAddresses, ipRanges: TRUST_EVERYBODY };
  accounts = createAccounts({ ...shared, ...access, options: { defaultDomain: 'app.example' } });
  administration = createAdministration({
    ...shared,
    imapCapabilities: [],
    pop3Capabilities: [],
    addresses: networkAddresses,
    sentToday: createSentToday(store.deliveries, clock),
    defaultDomain: accounts.defaultDomain,
  });
  await administration.domains.add({ name: 'app.example', aliases: ['bücher.example', 'corpnet'] });
  await administration.domains.add({ name: 'b.example' });
  await add('erp@app.example');
  await add('anna@app.example');
  await add('anna@b.example');
  await add('bea@b.example');
  await add('shared@app.example', String.raw`*\anna\shared`, String.raw`bea@*\shared`);
  await add('wild@app.example', String.raw`*\sap`, 'sap@*', 'OLD/zoe', String.raw`*\x@y.example`);
  await add('exact@app.example', String.raw`OTHER\sap`, 'sap@known.example', String.raw`FOREIGN\anna`);
});
t.teardown(() => store.close());

/** Each account's password is its own address. */
async function add(address: string, ...loginNames: string[]): Promise<void> {
  await administration.accounts.add({ address, password: address, loginNames });
}

async function meaning(name: string): Promise<string> {
  const { account, reading } = await administration.logins.test(name);
  return account === null ? 'nobody' : `${account} ${reading}`;
}

const MEANINGS: readonly [name: string, account: string, reading?: LoginReading][] = [
  // Full address: any case, any name of the domain, U-labels and A-labels, blanks around.
  ['erp@app.example', 'erp@app.example', 'address'],
  ['ERP@Bücher.Example', 'erp@app.example', 'address'],
  ['erp@xn--bcher-kva.example', 'erp@app.example', 'address'],
  [' \terp@app.example\t ', 'erp@app.example', 'address'],
  ['erp@elsewhere.example', 'nobody'],
  ['sap@known.example', 'exact@app.example', 'loginName'],
  ['sap@corp.local', 'wild@app.example', 'wildcard'],
  // Bare name.
  ['Erp', 'erp@app.example', 'defaultDomain'],
  [' erp ', 'erp@app.example', 'defaultDomain'],
  ['bea', 'nobody'],
  ['sap', 'nobody'],
  // Domain and user.
  [String.raw`CORP\erp`, 'erp@app.example', 'defaultDomain'],
  ['corp/ERP', 'erp@app.example', 'defaultDomain'],
  [String.raw`CORP\\erp`, 'erp@app.example', 'defaultDomain'],
  [String.raw`corp.local\erp`, 'erp@app.example', 'defaultDomain'],
  [String.raw`.\erp`, 'erp@app.example', 'defaultDomain'],
  [String.raw`B.example\anna`, 'anna@b.example', 'namedDomain'],
  [String.raw`BÜCHER.example\anna`, 'anna@app.example', 'namedDomain'],
  [String.raw`CORPNET\anna`, 'anna@app.example', 'namedDomain'],
  [String.raw`b.example\erp`, 'nobody'],
  [String.raw`CORP\sap`, 'wild@app.example', 'wildcard'],
  ['CORP/sap', 'wild@app.example', 'wildcard'],
  ['Other/SAP', 'exact@app.example', 'loginName'],
  [String.raw`old\zoe`, 'wild@app.example', 'loginName'],
  [String.raw`OLDER\zoe`, 'nobody'],
  [String.raw`FOREIGN\anna`, 'exact@app.example', 'loginName'],
  // Domain and address.
  [String.raw`CORP\anna@b.example`, 'anna@b.example', 'addressAtItsEnd'],
  ['CORP/anna@b.example', 'anna@b.example', 'addressAtItsEnd'],
  ['CORP/x@y.example', 'wild@app.example', 'wildcard'],
  // Domain, user and alias.
  [String.raw`CORP\erp\erp`, 'erp@app.example', 'defaultDomain'],
  ['CORP/erp/ERP', 'erp@app.example', 'defaultDomain'],
  [String.raw`CORP\sap\wild`, 'wild@app.example', 'defaultDomain'],
  [String.raw`b.example\anna\anna`, 'anna@b.example', 'namedDomain'],
  [String.raw`CORP\anna\erp`, 'nobody'],
  [String.raw`CORP\nobody\erp`, 'nobody'],
  [String.raw`CORP\anna\shared`, 'shared@app.example', 'wildcard'],
  [String.raw`CORP\bea\shared`, 'nobody'],
  // Address and alias.
  ['erp@corp.example/erp', 'erp@app.example', 'defaultDomain'],
  [String.raw`erp@corp.example\erp`, 'erp@app.example', 'defaultDomain'],
  ['anna@b.example/anna', 'anna@b.example', 'namedDomain'],
  ['sap@corp.example/wild', 'wild@app.example', 'defaultDomain'],
  ['bea@b.example/shared', 'shared@app.example', 'wildcard'],
  ['anna@b.example/shared', 'nobody'],
  // Delegates.
  ['CORP/anna/shared@app.example', 'nobody'],
  ['CORP/shared/shared@app.example', 'shared@app.example', 'addressAtItsEnd'],
  ['CORP/anna/anna@b.example', 'nobody'],
  ['anna@app.example/shared@app.example', 'nobody'],
  ['anna@corpnet/anna@bücher.example', 'anna@app.example', 'addressAtItsEnd'],
  // No form.
  ['', 'nobody'],
  [' ', 'nobody'],
  [String.raw`\erp`, 'nobody'],
  [String.raw`erp\ `.trim(), 'nobody'],
  [String.raw`a\b\c\erp`, 'nobody'],
  ['@app.example', 'nobody'],
  [String.raw`*\erp`, 'erp@app.example', 'defaultDomain'],
  ['er\0p', 'nobody'],
];

t.test('a login name means one account, by the first of its readings, or nobody', async (t) => {
  for (const [name, account, reading] of MEANINGS) {
    t.equal(
      await meaning(name),
      reading === undefined ? 'nobody' : `${account} ${reading}`,
      JSON.stringify(name),
    );
  }
});

t.test('an account logs in by each of its names with its own password, and with no other', async (t) => {
  for (const [loginName, account, reading] of MEANINGS) {
    const asked = { loginName, protocol: 'imap', remoteAddress: '127.0.0.1' };
    for (const password of ['erp@app.example', 'anna@app.example', 'shared@app.example', account]) {
      const outcome = await accounts.authenticate({ ...asked, password });
      const isRight = reading !== undefined && password === account;
      t.equal(outcome.kind, isRight ? 'authenticated' : 'refused', JSON.stringify([loginName, password]));
      if (outcome.kind === 'authenticated') t.equal(outcome.account.address, account);
    }
  }
});

t.test('each form stands in the table once, reads its own examples, and has them documented', (t) => {
  t.equal(new Set(LOGIN_FORMS.map(({ name }) => name)).size, LOGIN_FORMS.length);
  for (const form of LOGIN_FORMS) {
    t.equal(readLoginName(form.example)?.form, form);
    t.equal(readLoginName(form.example)?.wildcard, form.wildcardExample);
  }
  const text = readFileSync(new URL('../../docs/LOGIN.md', import.meta.url), 'utf8');
  t.ok(text.includes(documentLoginForms()), 'run `npm run docs` and commit the result');
  t.end();
});

t.test(
  'what a name costs depends on its form alone: one hash, and as many questions for anybody',
  async (t) => {
    const pairs: readonly [taken: string, free: string][] = [
      ['anna@app.example', 'anne@app.example'],
      ['anna', 'anne'],
      [String.raw`CORP\anna`, String.raw`CORP\anne`],
      [String.raw`CORP\sap`, String.raw`CORP\sep`],
      [String.raw`OTHER\sap`, String.raw`OTHER\sep`],
      [String.raw`b.example\anna`, String.raw`c.example\anna`],
      [String.raw`CORP\anna\anna`, String.raw`CORP\anne\anne`],
      [String.raw`CORP\anna\shared`, String.raw`CORP\anne\shored`],
      ['anna@b.example/shared', 'anne@c.example/shored'],
      ['CORP/anna/anna@app.example', 'CORP/anne/anne@app.example'],
      ['anna@b.example/anna@b.example', 'anne@c.example/anne@b.example'],
    ];
    for (const pair of pairs) {
      const costs: number[][] = [];
      for (const loginName of pair) {
        questions = 0;
        hashes.count = 0;
        const asked = { loginName, protocol: 'imap', remoteAddress: '127.0.0.1' };
        t.same(await accounts.authenticate({ ...asked, password: 'wrong' }), { kind: 'refused' });
        costs.push([hashes.count, questions]);
      }
      t.same(costs[0], costs[1], pair.join());
      t.equal(costs[0]?.[0], 1, 'one hash');
      t.ok((costs[0]?.[1] ?? 0) <= 6, `${costs[0]?.[1]} questions`);
    }
    questions = 0;
    await meaning('anna@app.example');
    t.equal(questions, 1, 'one question for a full address');
  },
);

t.test('extra login names that clash, shadow another account or say nothing are refused', async (t) => {
  const give = (...loginNames: string[]) => administration.accounts.set('bea@b.example', { loginNames });
  const refused = (name: string, code: string, message: RegExp) =>
    t.rejects(give(name), { code, message }, name);
  for (const name of [
    'anna',
    String.raw`*\anna`,
    '*/ANNA',
    String.raw`*\anna\anna`,
    String.raw`corpnet\anna`,
  ]) {
    await refused(name, 'conflict', /take a login away from the account “anna@app\.example”/);
  }
  await refused(String.raw`*\erp@app.example`, 'conflict', /“erp@app\.example”/);
  await refused('*/sap', 'conflict', /logs in to another account already/);
  await refused('other/sap', 'conflict', /logs in to another account already/);
  await refused('anna@bücher.example', 'conflict', /logs in to another account already/);
  for (const name of [
    '*',
    String.raw`OLD\*`,
    String.raw`*\*`,
    '*@*',
    String.raw`O*\bea`,
    String.raw`*\a\*`,
    'bea*',
  ]) {
    await refused(name, 'invalid', /an asterisk stands only for the whole domain/);
  }
  const { loginNames } = await give(
    'Bea',
    'OLD/Anna',
    '*/bea',
    'bea@*',
    String.raw`bea@*\bea`,
    String.raw`*\bea\shared`,
  );
  t.same(loginNames, [
    String.raw`*\bea`,
    String.raw`*\bea\shared`,
    'bea',
    'bea@*',
    String.raw`bea@*\bea`,
    String.raw`old\anna`,
  ]);
  t.equal(
    await meaning(String.raw`OLD\anna`),
    'bea@b.example loginName',
    'a foreign domain may be said to differ',
  );
  t.equal(await meaning(String.raw`NEW\anna`), 'anna@app.example defaultDomain');
  t.equal(await meaning('bea'), 'bea@b.example loginName');
  await add('bea@app.example');
  t.equal(await meaning('bea'), 'bea@b.example loginName', 'an account added later takes no login name away');
  t.equal(await meaning('bea@app.example'), 'bea@app.example address');
  await give();
  t.equal(await meaning('bea'), 'bea@app.example defaultDomain');
});

t.test('without a default domain a name of this server means somebody, and any other nobody', async (t) => {
  accounts.setOptions({});
  t.equal(await meaning('erp'), 'nobody');
  t.equal(await meaning(String.raw`CORP\erp`), 'nobody');
  t.equal(await meaning(String.raw`app.example\erp`), 'erp@app.example namedDomain');
  t.equal(await meaning(String.raw`CORP\sap`), 'wild@app.example wildcard');
  accounts.setOptions({ defaultDomain: 'app.example' });
});

t.test('names of a disabled domain and account mean them still, and log nobody in', async (t) => {
  await administration.domains.set('b.example', { isEnabled: false });
  const report = await administration.logins.test(String.raw`b.example\anna`);
  t.match(report, { account: 'anna@b.example', isEnabled: false, form: 'domain and user' });
  const asked = { protocol: 'imap', remoteAddress: '127.0.0.1', password: 'anna@b.example' };
  const outcome = await accounts.authenticate({ ...asked, loginName: String.raw`b.example\anna` });
  t.equal(outcome.kind, 'refused');
  await administration.domains.set('b.example', { isEnabled: true });
});

t.test('whatever comes as a name means one account or nobody, at once, and throws nothing', async (t) => {
  const seed = 20_261;
  t.comment(`seed ${seed}`);
  const number = randomNumbers(seed);
  const pieces = [
    'erp',
    'anna',
    '\\',
    '/',
    '@',
    'app.example',
    '*',
    '"',
    ' ',
    '\t',
    'CORP',
    '.',
    '\0',
    'ü',
    '\ud800',
    '\u200b',
    '🙂',
    'xn--',
    '%41',
    '\u0430',
  ];
  const known = new Set((await administration.accounts.list()).map(({ address }) => address));
  const surroundings = { directory: store.directory, defaultDomain: accounts.defaultDomain };
  let found = 0;
  for (let count = 0; count < 20_000; count += 1) {
    const name = Array.from({ length: 1 + number(6) }, () => pieces[number(pieces.length)]).join('');
    const login = await findByLoginName(surroundings, name);
    if (login === undefined) continue;
    found += 1;
    t.ok(known.has(login.credentials.account.address), JSON.stringify(name));
  }
  t.ok(found > 20, `${found} of them somebody's`);
  const long = ['a', ' ', '\\', '@', '/a', '*\\', '"', '.'].map((text) => `x${text.repeat(1_000_000)}x`);
  const start = threadMs();
  for (const name of long) t.equal(await findByLoginName(surroundings, name), undefined);
  const took = threadMs() - start;
  t.ok(took < 1000, `${long.length} names of a million characters take ${Math.round(took)} ms`);
});

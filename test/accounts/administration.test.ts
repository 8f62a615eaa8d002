/** What the administrator's verbs take, refuse and answer, on the real store. */

import t from 'tap';
import { readAccountSettings } from '../../src/accounts/accountSettings.ts';
import { type Administration, createAdministration } from '../../src/accounts/administration.ts';
import { createPasswordHasher } from '../../src/accounts/password.ts';
import { createSentToday } from '../../src/accounts/sendingDay.ts';
import { networkAddresses } from '../../src/admin/networkAddresses.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Store } from '../../src/store/contract/store.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { createTestClock } from '../support/clock.ts';

const clock = createTestClock();
const passwords = createPasswordHasher({ clock, cost: { memoryKib: 64, passes: 1, parallelism: 1 } });

let store: Store;
let administration: Administration;

t.before(async () => {
  store = await openStore({ directory: t.testdir(), clock, log: silentLog });
  const { directory, mailboxes, secrets } = store;
  administration = createAdministration({
    directory,
    mailboxes,
    secrets,
    passwords,
    imapCapabilities: ['IDLE', 'THREAD=REFERENCES'],
    pop3Capabilities: ['SASL', 'UTF8'],
    addresses: networkAddresses,
    sentToday: createSentToday(store.deliveries, clock),
    defaultDomain: () => 'app.example',
  });
});
t.teardown(() => store.close());

t.test('domains are added, listed, shown, set and removed in their one form', async (t) => {
  const { domains } = administration;
  const added = await domains.add({
    name: 'BÜCHER.example',
    aliases: ['Livres.Example', 'livres.example'],
    catchAll: 'Rest@bücher.example',
  });
  const report = {
    name: 'xn--bcher-kva.example',
    isEnabled: true,
    aliases: ['livres.example'],
    catchAll: 'rest@xn--bcher-kva.example',
    plusSeparator: '+',
  };
  t.strictSame(added, report);
  t.strictSame(await domains.list(), [report]);
  t.strictSame(await domains.show('LIVRES.example'), report);
  const changed = await domains.set('bücher.example', { isEnabled: false, aliases: [], catchAll: null });
  t.strictSame(changed, { ...report, isEnabled: false, aliases: [], catchAll: null });
  t.strictSame(await domains.set('bücher.example', {}), changed, 'what is absent stays');
  await domains.remove('Bücher.example');
  t.strictSame(await domains.list(), []);
});

t.test('a domain is refused with a sentence that helps', async (t) => {
  const { domains } = administration;
  await domains.add({ name: 'app.example', aliases: ['app2.example'] });
  const refused = async (job: Promise<unknown>, code: string, message: RegExp) =>
    t.rejects(job, { code, message });
  await refused(
    domains.add({ name: 'app_x.example' }),
    'invalid',
    /“app_x.example” cannot be used as a domain: .*character/,
  );
  await refused(domains.add({ name: '127.0.0.1' }), 'invalid', /IP address/);
  await refused(domains.add({ name: 'app.example' }), 'conflict', /“app.example” is a domain already/);
  await refused(
    domains.add({ name: 'app2.example' }),
    'conflict',
    /another name of the domain “app.example”/,
  );
  await refused(
    domains.set('app.example', { catchAll: 'x@foreign.example' }),
    'cannot',
    /not a domain of this server/,
  );
  await refused(domains.set('app.example', { catchAll: 'nobody' }), 'invalid', /no @/);
  await refused(domains.show('none.example'), 'notFound', /no domain “none.example”/);
  await refused(domains.remove('none.example'), 'notFound', /no domain “none.example”/);
  await refused(
    domains.set('app.example', { aliases: Array(1001).fill('a.example') }),
    'invalid',
    /1000 at most/,
  );
});

t.test('accounts are added, listed, shown, set and removed, and no answer has a hash', async (t) => {
  const { accounts } = administration;
  const added = await accounts.add({
    address: 'Anna@App2.example',
    password: 'secret',
    quotaOctets: 1_000_000,
    loginNames: ['APP\\anna', 'anna@app.example', 'Old@Elsewhere.example'],
  });
  const report = {
    address: 'anna@app.example',
    isEnabled: true,
    quotaOctets: 1_000_000,
    loginNames: ['app\\anna', 'old@elsewhere.example'],
    settings: {},
    createdAt: '2026-01-15T10:00:00.000Z',
  };
  t.strictSame(added, report, 'under the own name of the domain, without the address among its login names');
  t.strictSame(await accounts.list(), [report]);
  t.strictSame(await accounts.list('app2.example'), [report]);
  t.strictSame(await accounts.show('ANNA@app.example'), {
    ...report,
    usedOctets: 0,
    messages: 0,
    retainedOctets: 0,
    retainedMessages: 0,
    hasCramMd5: false,
    sentToday: { messages: 0, recipients: 0 },
  });
  const changed = await accounts.set('anna@app2.example', {
    isEnabled: false,
    quotaOctets: null,
    loginNames: [],
  });
  t.strictSame(changed, { ...report, isEnabled: false, quotaOctets: null, loginNames: [] });
  t.strictSame(await accounts.setPassword('anna@app.example', 'another'), changed);
  const hash = (await store.directory.findCredentials('anna@app.example'))?.passwordHash ?? '';
  t.equal(await passwords.verify('another', hash), true);
  t.notOk(JSON.stringify([added, changed, await accounts.list()]).includes('$'));
  await accounts.remove('anna@app2.example');
  t.strictSame(await accounts.list(), []);
});

t.test('an account is refused with a sentence that helps', async (t) => {
  const { accounts } = administration;
  const refused = async (job: Promise<unknown>, code: string, message: RegExp) =>
    t.rejects(job, { code, message });
  const add = (address: string, more = {}) => accounts.add({ address, password: 'secret', ...more });
  await add('ben@app.example', { loginNames: ['benny'] });
  await refused(add('ben'), 'invalid', /“ben” cannot be used as an address: it has no @/);
  await refused(add('b n@app.example'), 'invalid', /must be quoted/);
  await refused(
    add('ben@none.example'),
    'notFound',
    /no domain “none.example” here; it would have to be added first/,
  );
  await refused(add('ben@app2.example'), 'conflict', /account “ben@app2?.example” exists already/);
  await refused(
    add('carl@app.example', { loginNames: ['BENNY'] }),
    'conflict',
    /“benny” logs in to another account/,
  );
  await refused(
    add('carl@app.example', { loginNames: ['a\nb'] }),
    'invalid',
    /cannot be used as a login name/,
  );
  await refused(add('carl@app.example', { password: '' }), 'invalid', /password is empty/);
  for (const quotaOctets of [0, -1, 1.5, Number.NaN, 2 ** 60]) {
    await refused(add('carl@app.example', { quotaOctets }), 'invalid', /whole number above 0/);
  }
  await refused(accounts.setPassword('ben@app.example', 'a\nb'), 'invalid', /line break/);
  await refused(accounts.set('nobody@app.example', {}), 'notFound', /no account “nobody@app.example”/);
  await refused(accounts.remove('nobody@app.example'), 'notFound', /no account/);
  await refused(accounts.list('none.example'), 'notFound', /no domain/);
  t.equal((await accounts.list()).length, 1, 'nothing was left by what was refused');
});

t.test(
  'aliases are added, listed, shown, set and removed, and name targets that nobody receives',
  async (t) => {
    const { aliases, accounts } = administration;
    const added = await aliases.add({
      address: 'Info@App2.example',
      targets: ['BEN@app.example', 'ben@app2.example', 'later@app.example'],
    });
    const report = {
      address: 'info@app.example',
      targets: ['ben@app.example', 'later@app.example'],
      isEnabled: true,
      danglingTargets: ['later@app.example'],
    };
    t.strictSame(added, report);
    t.strictSame(await aliases.list('app2.example'), [report]);
    await accounts.add({ address: 'later@app.example', password: 'x' });
    t.strictSame((await aliases.show('INFO@app.example')).danglingTargets, []);
    await accounts.set('later@app.example', { isEnabled: false });
    t.strictSame((await aliases.list())[0]?.danglingTargets, ['later@app.example']);
    t.strictSame(await aliases.set('info@app.example', { isEnabled: false, targets: ['ben@app.example'] }), {
      address: 'info@app.example',
      targets: ['ben@app.example'],
      isEnabled: false,
      danglingTargets: [],
    });
    await aliases.remove('info@app2.example');
    t.strictSame(await aliases.list(), []);
  },
);

t.test('an alias that leads away, in a ring or nowhere is refused with a sentence that helps', async (t) => {
  const { aliases } = administration;
  const refused = async (job: Promise<unknown>, code: string, message: RegExp) =>
    t.rejects(job, { code, message });
  const add = (address: string, ...targets: string[]) => aliases.add({ address, targets });
  await refused(
    add('a@app.example', 'x@foreign.example'),
    'cannot',
    /“foreign.example” is not a domain of this server/,
  );
  await refused(add('a@app.example'), 'invalid', /one target at least/);
  await refused(add('a@app.example', 'x'), 'invalid', /no @/);
  await refused(add('a@none.example', 'ben@app.example'), 'notFound', /no domain/);
  await refused(add('ben@app.example', 'later@app.example'), 'conflict', /is an account already/);
  await refused(add('a@app.example', 'a@app2.example'), 'cannot', /a@app.example → a@app.example\./);
  await add('a@app.example', 'ben@app.example', 'b@app.example');
  await add('b@app.example', 'c@app.example');
  await refused(
    add('c@app.example', 'ben@app.example', 'a@app.example'),
    'cannot',
    /c@app.example → a@app.example → b@app.example → c@app.example\./,
  );
  await refused(
    aliases.set('b@app.example', { targets: ['a@app2.example'] }),
    'cannot',
    /b@app.example → a@app.example → b@/,
  );
  for (let depth = 1; depth <= 10; depth += 1) {
    await add(`n${depth}@app.example`, depth === 1 ? 'ben@app.example' : `n${depth - 1}@app.example`);
  }
  await refused(add('n11@app.example', 'n10@app.example'), 'cannot', /deeper than 10/);
  await refused(add('d@app.example', ...Array(1001).fill('ben@app.example')), 'invalid', /1000 at most/);
  await refused(aliases.remove('n11@app.example'), 'notFound', /no alias/);
});

t.test('an alias to a thousand accounts is taken in turns', async (t) => {
  const { aliases } = administration;
  const targets = Array.from({ length: 1000 }, (_, index) => `m${index}@app.example`);
  const report = await aliases.add({ address: 'many@app.example', targets });
  t.strictSame(report.targets, targets);
  t.equal(report.danglingTargets.length, 1000);
});

t.test(
  'settings of an account are written in their one form, and refused with what is allowed',
  async (t) => {
    const { accounts, domains } = administration;
    await domains.add({ name: 'set.example' });
    const address = 'a@set.example';
    const added = await accounts.add({
      address,
      password: 'secret',
      settings: { 'imap.hiddenCapabilities': ' idle, thread=references ,IDLE', 'imap.delimiter': null },
    });
    t.strictSame(added.settings, { 'imap.hiddenCapabilities': 'IDLE,THREAD=REFERENCES' });
    const set = (settings: Record<string, string | null>) => accounts.set(address, { settings });
    const refused: readonly [string, string, RegExp][] = [
      ['imap.delimiter', '\\', /^imap\.delimiter cannot be “\\”; allowed: \/ or \.\.$/],
      ['imap.hiddenCapabilities', 'IDEL', /cannot be “IDEL”; allowed: IDLE, THREAD=REFERENCES\./],
      ['imap.hiddenCapabilities', 'IDLE,IMAP4rev1', /cannot be “IDLE,IMAP4rev1”/],
      ['imap.hiddenCapabilities', ' , ', /cannot be “ , ”/],
      ['imap.sessionLimit', '0', /allowed: a whole number from 1 to 100000\./],
      ['imap.sessionLimit', '1e3', /allowed: a whole number/],
      [
        'imap.limiter',
        '.',
        /^“imap\.limiter” is no setting of an account; those are: profile, imap\.delimiter, /,
      ],
      ['constructor', '.', /is no setting/],
    ];
    for (const [name, value, message] of refused) {
      await t.rejects(set({ 'imap.sessionLimit': '7', [name]: value }), { code: 'invalid', message });
    }
    t.strictSame((await accounts.show(address)).settings, added.settings, 'a refusal changes nothing');
    const changed = await set({ 'imap.hiddenCapabilities': null, 'imap.sessionLimit': '007' });
    t.strictSame(changed.settings, { 'imap.sessionLimit': '7' });
  },
);

t.test('what an account’s settings mean is read, and what nobody here understands counts as not set', (t) => {
  t.strictSame(
    readAccountSettings({
      'imap.delimiter': '.',
      'imap.hiddenCapabilities': 'IDLE,ID',
      'imap.sessionLimit': '12',
    }),
    { 'imap.delimiter': '.', 'imap.hiddenCapabilities': ['IDLE', 'ID'], 'imap.sessionLimit': 12 },
  );
  t.strictSame(
    readAccountSettings({ 'imap.delimiter': '|', 'imap.sessionLimit': 'all', 'new.one': 'x' }),
    {},
  );
  t.end();
});

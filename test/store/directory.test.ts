/**
 * The directory of the real store: domains, accounts, aliases and what stands for whom, one step at a time.
 */

import t from 'tap';
import { silentLog } from '../../src/base/log.ts';
import type { Directory } from '../../src/store/contract/directory.ts';
import type { Change } from '../../src/store/contract/feed.ts';
import type { Store } from '../../src/store/contract/store.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { createTestClock } from '../support/clock.ts';

const HASH = '$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

let store: Store;
let directory: Directory;

t.before(async () => {
  store = await openStore({ directory: t.testdir(), clock: createTestClock(), log: silentLog });
  directory = store.directory;
});
t.teardown(() => store.close());

t.test('a domain is found by its name and by its other names, each of which stands once', async (t) => {
  const added = await directory.addDomain('one.example', { aliases: ['eins.example', 'uno.example'] });
  t.match(added, { name: 'one.example', isEnabled: true, aliases: ['eins.example', 'uno.example'] });
  t.equal(added.catchAll, undefined);
  t.same(await directory.findDomain('uno.example'), added);
  t.equal(await directory.findDomain('two.example'), undefined);
  for (const name of ['one.example', 'eins.example']) {
    await t.rejects(directory.addDomain(name, {}), { code: 'conflict' });
  }
  await t.rejects(directory.addDomain('two.example', { aliases: ['one.example'] }), { code: 'conflict' });
  t.equal(await directory.findDomain('two.example'), undefined, 'a refused job leaves nothing behind');
});

t.test('setting a domain changes what is named and nothing else', async (t) => {
  await directory.addDomain('set.example', { aliases: ['other.example'], catchAll: 'all@set.example' });
  t.match(await directory.setDomain('set.example', { isEnabled: false }), {
    isEnabled: false,
    aliases: ['other.example'],
    catchAll: 'all@set.example',
  });
  const changed = await directory.setDomain('other.example', {
    isEnabled: true,
    aliases: ['other.example', 'third.example'],
  });
  t.same(changed.aliases, ['other.example', 'third.example']);
  t.equal((await directory.setDomain('set.example', { catchAll: null })).catchAll, undefined);
  await t.rejects(directory.setDomain('none.example', {}), { code: 'notFound' });
});

t.test('a domain with accounts or aliases is not removed, nor by one of its other names', async (t) => {
  await directory.addDomain('full.example', { aliases: ['voll.example'] });
  await directory.addAccount({ address: 'anna@full.example', passwordHash: HASH });
  await directory.addAlias({ address: 'info@full.example', targets: ['anna@full.example'], isEnabled: true });
  await t.rejects(directory.removeDomain('full.example'), {
    code: 'cannot',
    message: /1 account and 1 alias;/,
  });
  await directory.removeAccount('anna@full.example');
  await directory.removeAlias('info@full.example');
  await t.rejects(directory.removeDomain('voll.example'), { code: 'cannot' });
  await directory.removeDomain('full.example');
  t.equal(await directory.findDomain('voll.example'), undefined);
  await t.rejects(directory.removeDomain('full.example'), { code: 'notFound' });
});

t.test(
  'an account comes with INBOX and four subscribed special-use mailboxes, and goes with them',
  async (t) => {
    await directory.addDomain('box.example', {});
    const account = await directory.addAccount({
      address: 'ben@box.example',
      passwordHash: HASH,
      quotaOctets: 1000,
      loginNames: ['ben', 'benny'],
    });
    t.match(account, {
      address: 'ben@box.example',
      isEnabled: true,
      quotaOctets: 1000,
      loginNames: ['ben', 'benny'],
    });
    const boxes = await store.mailboxes.list(account.id);
    t.same(
      boxes.map(({ name, specialUse }) => [name.join('/'), specialUse]),
      [
        ['INBOX', undefined],
        ['Drafts', 'Drafts'],
        ['Junk', 'Junk'],
        ['Sent', 'Sent'],
        ['Trash', 'Trash'],
      ],
    );
    t.equal((await store.mailboxes.subscriptions(account.id)).length, 5);
    await directory.removeAccount('ben@box.example');
    t.same(await store.mailboxes.list(account.id), []);
    t.equal(await directory.findCredentials('benny'), undefined);
    await t.rejects(directory.removeAccount('ben@box.example'), { code: 'notFound' });
  },
);

t.test('an address is an account, an alias or a login name, never two of them', async (t) => {
  await directory.addDomain('taken.example', { aliases: ['belegt.example'] });
  await directory.addAccount({
    address: 'a@taken.example',
    passwordHash: HASH,
    loginNames: ['b@belegt.example', 'bare'],
  });
  await directory.addAlias({ address: 'c@taken.example', targets: ['a@taken.example'], isEnabled: true });
  const account = (address: string, loginNames: string[] = []) =>
    directory.addAccount({ address, passwordHash: HASH, loginNames });
  await t.rejects(account('a@taken.example'), { code: 'conflict' }, 'an account');
  await t.rejects(
    account('a@belegt.example'),
    { code: 'conflict' },
    'the same by another name of the domain',
  );
  await t.rejects(account('b@taken.example'), { code: 'conflict' }, 'a login name');
  await t.rejects(account('c@taken.example'), { code: 'conflict' }, 'an alias');
  await t.rejects(account('d@taken.example', ['bare']), { code: 'conflict' });
  await t.rejects(account('d@taken.example', ['a@belegt.example']), { code: 'conflict' });
  await t.rejects(account('d@foreign.example'), { code: 'notFound' });
  const alias = (address: string) =>
    directory.addAlias({ address, targets: ['a@taken.example'], isEnabled: true });
  await t.rejects(alias('a@taken.example'), { code: 'conflict' });
  await t.rejects(alias('c@belegt.example'), { code: 'conflict' });
  t.equal(await directory.findAccount('d@taken.example'), undefined);
});

t.test('a login is found by address, by another name of the domain and by extra names', async (t) => {
  await directory.addDomain('login.example', { aliases: ['anmeldung.example'] });
  const account = await directory.addAccount({
    address: 'eva@login.example',
    passwordHash: HASH,
    loginNames: ['app\\eva'],
  });
  for (const name of ['eva@login.example', 'eva@anmeldung.example', 'app\\eva']) {
    t.same(await directory.findCredentials('nobody', name), {
      account,
      loginName: name,
      isDomainEnabled: true,
      passwordHash: HASH,
    });
  }
  t.equal(await directory.findCredentials('eva'), undefined);
  await directory.setDomain('login.example', { isEnabled: false });
  t.match(await directory.findCredentials('app\\eva'), { isDomainEnabled: false });
  const changed = await directory.setAccount('eva@login.example', {
    isEnabled: false,
    quotaOctets: 5,
    loginNames: ['eva'],
    passwordHash: `${HASH}A`,
  });
  t.match(changed, { isEnabled: false, quotaOctets: 5, loginNames: ['eva'] });
  t.equal(await directory.findCredentials('app\\eva'), undefined);
  t.match(await directory.findCredentials('eva'), { passwordHash: `${HASH}A` });
  t.equal((await directory.setAccount('eva@login.example', { quotaOctets: null })).quotaOctets, undefined);
});

t.test(
  'settings of an account are kept by name, come with it wherever it is found, and go with it',
  async (t) => {
    await directory.addDomain('setting.example', {});
    const address = 'a@setting.example';
    const settings = { 'imap.delimiter': '.', 'another.thing': 'ä' };
    const account = await directory.addAccount({
      address,
      passwordHash: HASH,
      loginNames: ['setting'],
      settings,
    });
    t.same(account.settings, settings);
    t.same(await directory.findCredentials('setting'), {
      loginName: 'setting',
      account,
      isDomainEnabled: true,
      passwordHash: HASH,
    });
    t.same(await directory.accounts('setting.example'), [account]);
    t.same(await directory.resolve(address), { kind: 'account', account });
    const changed = await directory.setAccount(address, {
      settings: { 'imap.delimiter': '/', 'another.thing': null, 'never.set': null },
    });
    t.same(changed.settings, { 'imap.delimiter': '/' });
    t.same((await directory.setAccount(address, { quotaOctets: 5 })).settings, { 'imap.delimiter': '/' });
    await directory.removeAccount(address);
    t.same((await directory.addAccount({ address, passwordHash: HASH })).settings, {});
  },
);

t.test('one step of resolution says what an address is', async (t) => {
  await directory.addDomain('step.example', { aliases: ['schritt.example'] });
  const account = await directory.addAccount({ address: 'x@step.example', passwordHash: HASH });
  const targets = ['x@step.example', 'a@step.example'];
  const alias = await directory.addAlias({ address: 'y@step.example', targets, isEnabled: true });
  t.same(alias.targets, targets, 'in the order given');
  t.same(await directory.resolve('x@schritt.example'), { kind: 'account', account });
  t.same(await directory.resolve('y@step.example'), { kind: 'alias', alias });
  t.same(await directory.resolve('z@step.example'), { kind: 'unknownAddress' });
  t.same(await directory.resolve('x@foreign.example'), { kind: 'foreignDomain' });
  t.same(await directory.resolve('x'), { kind: 'foreignDomain' });
  await directory.setDomain('step.example', { catchAll: 'x@step.example' });
  t.same(await directory.resolve('z@schritt.example'), { kind: 'catchAll', target: 'x@step.example' });
  await directory.setAlias('y@step.example', { isEnabled: false, targets: ['x@step.example'] });
  t.same(
    await directory.resolve('y@step.example'),
    { kind: 'disabled' },
    'rather than caught by the catch-all',
  );
  await directory.setAccount('x@step.example', { isEnabled: false });
  t.same(await directory.resolve('x@step.example'), { kind: 'disabled' });
  await directory.setDomain('step.example', { isEnabled: false });
  t.same(await directory.resolve('z@step.example'), { kind: 'disabled' });
});

t.test('lists are in order of address, in slices, of one domain or of all', async (t) => {
  await directory.addDomain('list.example', {});
  const numbers = Array.from({ length: 401 }, (_, index) => String(index).padStart(3, '0'));
  await Promise.all(
    numbers.map((number) =>
      directory.addAlias({
        address: `n${number}@list.example`,
        targets: ['x@step.example'],
        isEnabled: true,
      }),
    ),
  );
  await directory.addAccount({ address: 'z@list.example', passwordHash: HASH });
  await directory.addAccount({ address: 'a@list.example', passwordHash: HASH });
  const aliases = await directory.aliases('list.example');
  t.same(
    aliases.map(({ address }) => address),
    numbers.map((number) => `n${number}@list.example`),
  );
  t.same(
    (await directory.accounts('list.example')).map(({ address }) => address),
    ['a@list.example', 'z@list.example'],
  );
  t.same(await directory.accounts('foreign.example'), []);
  t.ok((await directory.accounts()).length > 2);
  t.equal((await directory.aliases()).length, 403);
  const names = (await directory.domains()).map(({ name }) => name);
  t.same(names, [...names].sort());
  await t.rejects(directory.setAlias('n000@list.example', { targets: [] }), { code: 'invalid' });
});

t.test('IP ranges come the one that counts first on top, and two are there from the start', async (t) => {
  const builtIn = await directory.ipRanges();
  t.match(builtIn, [
    {
      name: 'My computer',
      priority: 30,
      addresses: ['127.0.0.0/8', '::1'],
      isTrusted: true,
      submission: 'trusted',
      isBuiltIn: true,
    },
    {
      name: 'Internet',
      priority: 10,
      addresses: ['0.0.0.0/0', '::/0'],
      isTrusted: false,
      submission: 'login',
      isBuiltIn: true,
    },
  ]);
  t.same(builtIn[1]?.protocols, ['smtp', 'pop3', 'imap']);
  const range = {
    addresses: ['10.0.0.0/8'],
    protocols: ['imap'],
    needsTls: true,
    isTrusted: false,
    submission: 'login',
  } as const;
  const added = await directory.addIpRange({ ...range, name: 'Office', priority: 20 });
  t.same(added, { ...range, name: 'Office', priority: 20, settings: {}, isBuiltIn: false });
  await directory.addIpRange({ ...range, name: 'Annexe', priority: 20 });
  await t.rejects(directory.addIpRange({ ...range, name: 'OFFICE', priority: 1 }), { code: 'conflict' });
  await t.rejects(directory.addIpRange({ ...range, name: 'None', priority: 1, addresses: [] }), {
    code: 'invalid',
  });
  const names = async () => (await directory.ipRanges()).map(({ name }) => name);
  t.same(await names(), ['My computer', 'Annexe', 'Office', 'Internet']);
  t.same(await directory.findIpRange('office'), added);
  t.equal(await directory.findIpRange('None'), undefined, 'a refused job leaves nothing behind');
  t.same(await directory.setIpRange('office', { isTrusted: true }), { ...added, isTrusted: true });
  const changes = {
    priority: 5,
    addresses: ['::1', '10.0.0.1'],
    protocols: [],
    needsTls: false,
    submission: 'trusted',
  } as const;
  t.same(await directory.setIpRange('Office', changes), { ...added, ...changes, isTrusted: true });
  await t.rejects(directory.setIpRange('Internet', { addresses: ['::1'] }), { code: 'cannot' });
  await t.rejects(directory.removeIpRange('my computer'), { code: 'cannot' });
  await t.rejects(directory.setIpRange('None', {}), { code: 'notFound' });
  await t.rejects(directory.removeIpRange('None'), { code: 'notFound' });
  for (const name of ['office', 'annexe']) await directory.removeIpRange(name);
  t.same(await directory.ipRanges(), builtIn);
});

t.test('each change is told by the feed, a refused one is not', async (t) => {
  const heard: Change[] = [];
  const leave = store.feed.subscribe((change) => heard.push(change));
  await directory.addDomain('told.example', {});
  await directory.addDomain('told.example', {}).catch(() => {});
  await directory.addAccount({ address: 'a@told.example', passwordHash: HASH });
  heard.splice(1);
  await directory.setAccount('a@told.example', { settings: { 'imap.delimiter': '.' } });
  await directory.setAccount('b@told.example', { settings: {} }).catch(() => {});
  leave();
  t.same(heard, [{ kind: 'directory' }, { kind: 'directory' }]);
});

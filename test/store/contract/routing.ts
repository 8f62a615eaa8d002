/**
 * Routing objects of the directory: routes, distribution lists, forwards and rules, and what an address is with them.
 */

import { unixMs } from '../../../src/base/clock.ts';
import { newTraceId } from '../../../src/base/ids.ts';
import type { Change } from '../../../src/store/contract/feed.ts';
import { FLAG } from '../../../src/store/contract/mailboxes.ts';
import type { NewRoute, NewRule } from '../../../src/store/contract/routing.ts';
import type { Store } from '../../../src/store/contract/store.ts';
import { AT, addTenant, type ContractTests } from './house.ts';

/** The suite of routing objects. */
export const ROUTING_TESTS: ContractTests = {
  'routes come back as they were set, in an order without gaps': async (t, { storeOf }) => {
    const { directory } = await storeOf();
    const routes = [
      route('first', { target: { kind: 'local', address: 'in@app.example' } }),
      route('second', { target: { kind: 'drop', directory: 'files' }, isEnabled: false }),
      route('third', { target: { kind: 'refuse', text: 'Not here' }, senders: ['<>', '*.example.net'] }),
      route('fourth', {
        target: { kind: 'refuse' },
        isOpenTo: 'anyone',
        recipients: ['a@b.example', 'c.example'],
      }),
    ];
    for (const [index, each] of routes.entries())
      t.same(await directory.addRoute(each), { ...each, position: index + 1 });
    t.same(
      await directory.routes(),
      routes.map((each, index) => ({ ...each, position: index + 1 })),
    );
    await directory.addRoute(route('in between', { position: 2 }));
    await t.rejects(directory.addRoute(route('FIRST')), { code: 'conflict' });
    t.same(await orderOf(directory.routes()), ['1 first', '2 in between', '3 second', '4 third', '5 fourth']);
    t.match(await directory.setRoute('Fourth', { position: 1 }), { name: 'fourth', position: 1 });
    await directory.setRoute('first', { position: 99 });
    t.same(await orderOf(directory.routes()), ['1 fourth', '2 in between', '3 second', '4 third', '5 first']);
    await directory.removeRoute('second');
    t.same(await orderOf(directory.routes()), ['1 fourth', '2 in between', '3 third', '4 first']);
    await t.rejects(directory.removeRoute('second'), { code: 'notFound' });
    await t.rejects(directory.setRoute('second', {}), { code: 'notFound' });
    for (const { name } of await directory.routes()) await directory.removeRoute(name);
  },

  'setting a route changes what is named and nothing else': async (t, { storeOf }) => {
    const { directory } = await storeOf();
    const added = await directory.addRoute(route('r', { senders: ['a@b.example'], isOpenTo: 'anyone' }));
    const changed = await directory.setRoute('r', { target: { kind: 'relay', relay: 'other' } });
    t.same(changed, { ...added, target: { kind: 'relay', relay: 'other' } });
    const emptied = await directory.setRoute('r', { senders: [], isEnabled: false });
    t.same(emptied, { ...changed, senders: [], isEnabled: false });
    await t.rejects(directory.setRoute('r', { recipients: [] }), { code: 'invalid' });
    for (const recipients of [['*'], ['example.org', '*.com']])
      await t.rejects(directory.setRoute('r', { recipients, isOpenTo: 'anyone' }), { code: 'cannot' });
    await t.rejects(directory.addRoute(route('s', { recipients: ['*'], isOpenTo: 'anyone' })), {
      code: 'cannot',
    });
    t.same(await directory.routes(), [emptied], 'a refused job leaves all as it was');
    await directory.removeRoute('r');
  },

  'a distribution list keeps its members, each once, and counts them': async (t, { storeOf }) => {
    const { directory } = await storeOf();
    const domain = await addDomain(directory, { aliases: ['other'] });
    const address = `team@${domain}`;
    const list = { address, isEnabled: true, posters: { kind: 'members' } } as const;
    const members = ['c@example.org', 'a@example.org', 'b@example.org', 'a@example.org'];
    t.same(await directory.addList({ ...list, members }), { ...list, memberCount: 3 });
    const sorted = ['a@example.org', 'b@example.org', 'c@example.org'];
    t.same(await directory.findList(address), { ...list, memberCount: 3, members: sorted });
    t.match(await directory.findList(`team@other.${domain}`), { address, memberCount: 3 });
    t.ok(await directory.isListMember(address, 'b@example.org'));
    t.notOk(await directory.isListMember(address, 'd@example.org'));
    t.notOk(await directory.isListMember(`none@${domain}`, 'b@example.org'));
    const changes = {
      addedMembers: ['d@example.org', 'a@example.org'],
      removedMembers: ['b@example.org', 'x@y.example'],
    };
    t.equal((await directory.setList(address, changes)).memberCount, 3);
    t.same((await directory.findList(address))?.members, ['a@example.org', 'c@example.org', 'd@example.org']);
    const posters = { kind: 'addresses', addresses: ['boss@example.org', 'ceo@example.org'] } as const;
    t.same(await directory.setList(address, { posters, members: ['z@example.org'], isEnabled: false }), {
      address,
      isEnabled: false,
      posters,
      memberCount: 1,
    });
    t.same(await directory.lists(domain), [{ address, isEnabled: false, posters, memberCount: 1 }]);
    t.equal((await directory.setList(address, { posters: { kind: 'anyone' } })).posters.kind, 'anyone');
    await directory.removeList(address);
    t.equal(await directory.findList(address), undefined);
    t.same(await directory.lists(domain), []);
    await t.rejects(directory.removeList(address), { code: 'notFound' });
  },

  'a list of 10,000 members is read whole, and asked for one of them': async (t, { storeOf }) => {
    const { directory } = await storeOf();
    const domain = await addDomain(directory);
    const members = Array.from(
      { length: 10_000 },
      (_none, index) => `m${String(index).padStart(5, '0')}@example.org`,
    );
    const address = `all@${domain}`;
    await directory.addList({ address, isEnabled: true, posters: { kind: 'anyone' }, members });
    const list = await directory.findList(address);
    t.equal(list?.memberCount, 10_000);
    t.strictSame(list?.members, members);
    t.ok(await directory.isListMember(address, 'm09999@example.org'));
  },

  'accounts, aliases and lists share one space of addresses': async (t, { storeOf }) => {
    const { directory } = await storeOf();
    const domain = await addDomain(directory);
    const list = { isEnabled: true, posters: { kind: 'anyone' }, members: [] } as const;
    await directory.addAccount({ address: `account@${domain}`, passwordHash: '$x$' });
    await directory.addAlias({ address: `alias@${domain}`, targets: ['x@y.example'], isEnabled: true });
    await directory.addList({ ...list, address: `list@${domain}` });
    for (const taken of ['account', 'alias', 'list'].map((name) => `${name}@${domain}`)) {
      await t.rejects(directory.addAccount({ address: taken, passwordHash: '$x$' }), { code: 'conflict' });
      await t.rejects(directory.addAlias({ address: taken, targets: ['x@y.example'], isEnabled: true }), {
        code: 'conflict',
      });
      await t.rejects(directory.addList({ ...list, address: taken }), { code: 'conflict' });
    }
    await t.rejects(directory.removeDomain(domain), {
      code: 'cannot',
      message: /1 account and 1 alias and 1 distribution list;/,
    });
    await directory.removeAccount(`account@${domain}`);
    await directory.removeAlias(`alias@${domain}`);
    await t.rejects(directory.removeDomain(domain), {
      code: 'cannot',
      message: /still has 1 distribution list;/,
    });
    await directory.removeList(`list@${domain}`);
    await directory.removeDomain(domain);
    await t.rejects(directory.addList({ ...list, address: `list@${domain}` }), { code: 'notFound' });
  },

  'an account has one forward, which goes with it': async (t, { storeOf }) => {
    const store = await storeOf();
    const { directory } = store;
    const { address, accountId } = await addTenant(store);
    const domain = address.slice(3);
    t.equal(await directory.forwardOf(accountId), undefined);
    const forward = {
      account: address,
      targets: ['b@example.org', 'a@example.org'],
      keepsCopy: true,
      isEnabled: true,
    };
    t.same(await directory.addForward(forward), forward);
    await t.rejects(directory.addForward(forward), { code: 'conflict' });
    await t.rejects(directory.addForward({ ...forward, account: `none@${domain}` }), { code: 'notFound' });
    await t.rejects(directory.setForward(address, { targets: [] }), { code: 'invalid' });
    t.same(await directory.forwardOf(accountId), forward);
    const changed = { ...forward, targets: ['c@example.org'], keepsCopy: false };
    t.same(await directory.setForward(address, { targets: ['c@example.org'], keepsCopy: false }), changed);
    t.same(await directory.setForward(address, { isEnabled: false }), { ...changed, isEnabled: false });
    t.same(await directory.forwards(domain), [{ ...changed, isEnabled: false }]);
    t.ok((await directory.forwards()).some(({ account }) => account === address));
    await directory.removeForward(address);
    await t.rejects(directory.removeForward(address), { code: 'notFound' });
    await directory.addForward(forward);
    await directory.removeAccount(address);
    t.equal(await directory.forwardOf(accountId), undefined);
    t.same(await directory.forwards(domain), []);
  },

  'an account has one vacation, which is set whole and goes with it': async (t, { storeOf }) => {
    const store = await storeOf();
    const { directory } = store;
    const { address, accountId } = await addTenant(store);
    const domain = address.slice(3);
    const vacation = { account: address, isEnabled: true, text: 'away – ä', daysBetween: 7 };
    t.equal(await directory.vacationOf(accountId), undefined);
    await t.rejects(directory.removeVacation(address), { code: 'notFound' });
    await t.rejects(directory.setVacation({ ...vacation, account: `none@${domain}` }), { code: 'notFound' });
    const full = { ...vacation, subject: 'Fort', startsAt: unixMs(1), endsAt: unixMs(2) };
    t.strictSame(await directory.setVacation(full), full);
    t.strictSame(await directory.setVacation({ ...vacation, isEnabled: false }), {
      ...vacation,
      isEnabled: false,
    });
    t.strictSame(await directory.vacations(domain), [{ ...vacation, isEnabled: false }]);
    await directory.removeVacation(address);
    t.strictSame(await directory.vacations(domain), []);
    await directory.setVacation(full);
    t.ok((await directory.vacations()).some(({ account }) => account === address));
    await directory.removeAccount(address);
    t.equal(await directory.vacationOf(accountId), undefined);
  },

  'rules come back as they were set, those of an account apart from those for all': async (
    t,
    { newStore },
  ) => {
    const store = await newStore();
    const { directory } = store;
    const { address, accountId } = await addTenant(store);
    const full: NewRule = {
      ...rule('Full', address),
      matches: 'any',
      endsRules: true,
      conditions: [
        { kind: 'header', field: 'list-id', match: 'wildcard', text: '*dev*', isNegated: false },
        { kind: 'subject', match: 'contains', text: 'Rechnung “ä”', isNegated: true },
        { kind: 'sender', match: 'is', text: 'a@b.example', isNegated: false },
        { kind: 'size', comparison: 'over', octets: 10_485_760 },
      ],
      actions: [
        { kind: 'fileInto', mailbox: ['Archive', '2026'] },
        { kind: 'forward', address: 'x@example.org' },
        { kind: 'flag', flags: { system: FLAG.seen, keywords: ['$Done'] } },
        { kind: 'delete' },
      ],
    };
    t.same(await directory.addRule(full), { ...full, position: 1 });
    await directory.addRule(rule('Second', address));
    await directory.addRule(rule('Zeroth', address, 1));
    await directory.addRule(rule('Full', undefined));
    await t.rejects(directory.addRule(rule('FULL', address)), { code: 'conflict' });
    await t.rejects(directory.addRule(rule('full', undefined)), { code: 'conflict' });
    t.same(await orderOf(directory.rules(accountId)), ['1 Zeroth', '2 Full', '3 Second']);
    t.same(await directory.rules(), [{ ...rule('Full', undefined), position: 1 }]);
    t.notOk('account' in ((await directory.rules())[0] ?? {}));
    await directory.setRule(address, 'second', { position: 1, isEnabled: false });
    t.match(await directory.rules(accountId), [
      { name: 'Second', isEnabled: false },
      { name: 'Zeroth', isEnabled: true },
      { ...full, position: 3 },
    ]);
    await directory.removeRule(address, 'zeroth');
    t.same(await orderOf(directory.rules(accountId)), ['1 Second', '2 Full']);
    await t.rejects(directory.removeRule(address, 'zeroth'), { code: 'notFound' });
    await t.rejects(directory.setRule(undefined, 'Second', {}), { code: 'notFound' });
    t.same(await directory.accountsWithRules(), [address]);
    await directory.removeAccount(address);
    t.same(await directory.rules(accountId), []);
    t.same(await directory.accountsWithRules(), []);
    t.equal((await directory.rules()).length, 1, 'those for all stay');
    await directory.removeRule(undefined, 'full');
  },

  'an address with a detail is its account, alias or list, unless somebody has the whole of it': async (
    t,
    { storeOf },
  ) => {
    const { directory } = await storeOf();
    const domain = await addDomain(directory, { aliases: ['other'], catchAll: 'rest' });
    const add = (name: string) => directory.addAccount({ address: `${name}@${domain}`, passwordHash: '$x$' });
    await add('anna');
    await add('anna+own');
    await add('off');
    await directory.setAccount(`off@${domain}`, { isEnabled: false });
    await directory.addAlias({ address: `info@${domain}`, targets: [`anna@${domain}`], isEnabled: true });
    await directory.addList({
      address: `team@${domain}`,
      isEnabled: true,
      posters: { kind: 'anyone' },
      members: [],
    });
    const table = {
      anna: `account anna`,
      'anna+news': `account anna news`,
      'anna+': `account anna `,
      'anna+own': `account anna+own`,
      'anna+own+x': `account anna+own x`,
      'anna+a+b': `account anna a+b`,
      'anna+a+b+c+d+e+f+g+h+i+j+k+l+m': 'account anna a+b+c+d+e+f+g+h+i+j+k+l+m',
      'anna+own+a+b+c+d+e+f+g': 'account anna+own a+b+c+d+e+f+g',
      'info+x': `alias info x`,
      'team+x': `list team x`,
      'off+x': 'disabled',
      '+anna': 'catchAll',
      'nobody+x': 'catchAll',
      '"an na+x"': 'catchAll',
    };
    for (const [localPart, expected] of Object.entries(table))
      t.equal(await describe(directory, `${localPart}@${domain}`), expected, localPart);
    t.equal(await describe(directory, `anna+news@other.${domain}`), 'account anna news');
    await directory.setDomain(domain, { plusSeparator: '-' });
    t.equal(await describe(directory, `anna+news@${domain}`), 'catchAll');
    t.equal(await describe(directory, `anna-news@${domain}`), 'account anna news');
    await directory.setDomain(domain, { plusSeparator: null });
    t.equal(await describe(directory, `anna-news@${domain}`), 'catchAll');
    t.equal((await directory.findDomain(domain))?.plusSeparator, undefined);
    await directory.setList(`team@${domain}`, { isEnabled: false });
    t.equal(await describe(directory, `team@${domain}`), 'disabled');
  },

  'every change of routing is heard as a change of the directory': async (t, { storeOf }) => {
    const store = await storeOf();
    const { directory } = store;
    const { address } = await addTenant(store);
    const list = {
      address: `l@${address.slice(3)}`,
      isEnabled: true,
      posters: { kind: 'anyone' },
      members: [],
    } as const;
    const forward = { account: address, targets: ['a@example.org'], keepsCopy: true, isEnabled: true };
    const changes: readonly (() => Promise<unknown>)[] = [
      () => directory.addRoute(route('r')),
      () => directory.setRoute('r', { isEnabled: false }),
      () => directory.removeRoute('r'),
      () => directory.addList(list),
      () => directory.setList(list.address, { isEnabled: false }),
      () => directory.removeList(list.address),
      () => directory.addForward(forward),
      () => directory.setForward(address, { isEnabled: false }),
      () => directory.removeForward(address),
      () => directory.setVacation({ account: address, isEnabled: true, text: 'x', daysBetween: 7 }),
      () => directory.removeVacation(address),
      () => directory.addRule(rule('r', address)),
      () => directory.setRule(address, 'r', { isEnabled: false }),
      () => directory.removeRule(address, 'r'),
    ];
    for (const [index, change] of changes.entries())
      t.same(await heardWhile(store, change), [{ kind: 'directory' }], String(index));
  },
};

function route(name: string, rest: Partial<NewRoute> = {}): NewRoute {
  return {
    name,
    isEnabled: true,
    recipients: ['example.org'],
    senders: [],
    isOpenTo: 'submitters',
    target: { kind: 'relay', relay: 'exchange' },
    ...rest,
  };
}

function rule(name: string, account: string | undefined, position?: number): NewRule {
  return {
    name,
    ...(account === undefined ? {} : { account }),
    ...(position === undefined ? {} : { position }),
    isEnabled: true,
    matches: 'all',
    conditions: [],
    actions: [{ kind: 'delete' }],
    endsRules: false,
  };
}

/** A domain of a new name; its other names and catch-all are given relative to it. */
async function addDomain(
  directory: Store['directory'],
  { aliases = [], catchAll }: { readonly aliases?: readonly string[]; readonly catchAll?: string } = {},
): Promise<string> {
  const name = `${newTraceId(AT).toLowerCase()}.example`;
  await directory.addDomain(name, {
    aliases: aliases.map((alias) => `${alias}.${name}`),
    ...(catchAll === undefined ? {} : { catchAll: `${catchAll}@${name}` }),
  });
  return name;
}

async function orderOf(
  found: Promise<readonly { readonly position: number; readonly name: string }[]>,
): Promise<readonly string[]> {
  return (await found).map(({ position, name }) => `${position} ${name}`);
}

async function describe(directory: Store['directory'], address: string): Promise<string> {
  const found = await directory.resolve(address);
  switch (found.kind) {
    case 'account':
      return words('account', found.account.address, found.detail);
    case 'alias':
      return words('alias', found.alias.address, found.detail);
    case 'list':
      return words('list', found.list.address, found.detail);
    default:
      return found.kind;
  }
}

function words(kind: string, address: string, detail: string | undefined): string {
  return [kind, address.slice(0, address.lastIndexOf('@')), ...(detail === undefined ? [] : [detail])].join(
    ' ',
  );
}

async function heardWhile(store: Store, change: () => Promise<unknown>): Promise<readonly Change[]> {
  const heard: Change[] = [];
  const end = store.feed.subscribe((each) => heard.push(each));
  await change();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  end();
  return heard;
}

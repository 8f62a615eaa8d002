/** What the administrator's verbs for routes, lists, forwards and rules take, refuse and answer, on the real store. */

import t from 'tap';
import { type Administration, createAdministration } from '../../src/accounts/administration.ts';
import type { RuleSettings } from '../../src/accounts/administerRules.ts';
import type { RouteGiven } from '../../src/accounts/administerRoutes.ts';
import { createPasswordHasher } from '../../src/accounts/password.ts';
import { createSentToday } from '../../src/accounts/sendingDay.ts';
import { networkAddresses } from '../../src/admin/networkAddresses.ts';
import { silentLog } from '../../src/base/log.ts';
import { FLAG } from '../../src/store/contract/mailboxes.ts';
import type { RuleAction, RuleCondition } from '../../src/store/contract/routing.ts';
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
    imapCapabilities: [],
    pop3Capabilities: [],
    addresses: networkAddresses,
    sentToday: createSentToday(store.deliveries, clock),
    defaultDomain: () => undefined,
  });
  await administration.domains.add({ name: 'app.example', aliases: ['bücher.example'] });
  for (const name of ['in', 'out', 'off']) {
    const address = `${name}@app.example`;
    await administration.accounts.add({ address, password: 'a long password' });
  }
  await administration.accounts.set('off@app.example', { isEnabled: false });
});
t.teardown(() => store.close());

/** Expects a refusal with this code and a sentence that fits. */
function refusal(code: string, message: RegExp) {
  return { code, message };
}

t.test('a route is kept in its one form, and told of when nobody receives what it leads to', async (t) => {
  const { routes } = administration;
  const added = await routes.add({
    name: '  Exchange ',
    recipients: ['User@BÜCHER.example', '*@Partner.Example', '*.Sub.example', 'partner.example'],
    senders: ['<>', '*', 'In@App.Example'],
    target: { kind: 'relay', relay: 'Exchange-1' },
  });
  t.strictSame(added, {
    name: 'Exchange',
    position: 1,
    isEnabled: true,
    recipients: ['user@xn--bcher-kva.example', 'partner.example', '*.sub.example'],
    senders: ['<>', '*', 'in@app.example'],
    isOpenTo: 'submitters',
    target: { kind: 'relay', relay: 'exchange-1' },
    danglingTarget: null,
  });
  t.strictSame(await routes.show('EXCHANGE'), added);
  const local = await routes.set('exchange', { target: { kind: 'local', address: 'In@bücher.example' } });
  t.strictSame([local.target, local.danglingTarget], [{ kind: 'local', address: 'in@app.example' }, null]);
  for (const address of ['nobody@app.example', 'off@app.example']) {
    const { danglingTarget } = await routes.set('exchange', { target: { kind: 'local', address } });
    t.equal(danglingTarget, address);
  }
  t.strictSame(
    (await routes.list()).map(({ name }) => name),
    ['Exchange'],
  );
  await routes.remove('exchange');
  await t.rejects(routes.show('exchange'), refusal('notFound', /no route “exchange”/));
  await t.rejects(routes.remove('exchange'), refusal('notFound', /no route/));
});

t.test('a route that would make an open relay is refused, when it is added and when it is set', async (t) => {
  const { routes } = administration;
  const open = { name: 'open', isOpenTo: 'anyone', target: { kind: 'relay', relay: 'x' } } as const;
  for (const wide of ['*', '*.com', 'com', 'user@localhost', '*@com']) {
    const recipients = ['partner.example', wide];
    await t.rejects(
      routes.add({ ...open, recipients }),
      refusal('cannot', /cannot be open to anyone.*whole world/),
    );
  }
  await routes.add({ ...open, recipients: ['partner.example', '*.partner.example', 'a@b.example'] });
  await t.rejects(routes.set('open', { recipients: ['*'] }), refusal('cannot', /“\*” cannot be open/));
  await routes.set('open', { recipients: ['*'], isOpenTo: 'submitters' });
  await t.rejects(routes.set('open', { isOpenTo: 'anyone' }), refusal('cannot', /“\*” cannot be open/));
  await routes.remove('open');
});

t.test('a domain that a route leads to is not removed', async (t) => {
  const { domains, routes } = administration;
  await domains.add({ name: 'target.example' });
  await routes.add({
    name: 'there',
    recipients: ['old.example'],
    target: { kind: 'local', address: 'a@target.example' },
  });
  await t.rejects(
    domains.remove('Target.example'),
    refusal('cannot', /route “there” leads to the domain “target.example”/),
  );
  // By whatever way it went: the route tells of it.
  await store.directory.removeDomain('target.example');
  t.equal((await routes.show('there')).danglingTarget, 'a@target.example');
  await routes.remove('there');
});

t.test('a route is refused with a sentence that helps', async (t) => {
  const { routes } = administration;
  const good: RouteGiven = { name: 'r', recipients: ['*'], target: { kind: 'refuse' } };
  const wrong: readonly (readonly [Partial<RouteGiven>, string, RegExp])[] = [
    [{ name: ' ' }, 'invalid', /cannot name a route; allowed: 1 to 64/],
    [{ name: 'a\u0007' }, 'invalid', /cannot name a route/],
    [{ recipients: [] }, 'invalid', /needs one recipient or pattern/],
    [{ recipients: ['a b@c.example'] }, 'invalid', /“a b@c.example” is no address or pattern/],
    [{ recipients: ['*x.example'] }, 'invalid', /allowed: a@example.org, example.org, \*.example.org or \*/],
    [{ recipients: ['<>'] }, 'invalid', /“<>” is no pattern/],
    [{ recipients: ['[127.0.0.1]'] }, 'invalid', /is no pattern/],
    [{ senders: ['a.*.example'] }, 'invalid', /is no pattern/],
    [
      { recipients: Array.from({ length: 1001 }, (_none, index) => `d${index}.example`) },
      'invalid',
      /1001 patterns/,
    ],
    [{ target: { kind: 'local', address: 'a@elsewhere.example' } }, 'cannot', /not a domain of this server/],
    [{ target: { kind: 'relay', relay: '../x' } }, 'invalid', /cannot name a relay/],
    [{ target: { kind: 'drop', directory: '/tmp' } }, 'invalid', /cannot name a drop directory/],
    [{ target: { kind: 'drop', directory: '..' } }, 'invalid', /cannot name a drop directory/],
    [{ target: { kind: 'refuse', text: 'two\r\nlines' } }, 'invalid', /text of a refusal/],
    [{ target: { kind: 'refuse', text: 'ä' } }, 'invalid', /characters of ASCII/],
    [{ position: 0 }, 'invalid', /position cannot be 0/],
    [{ position: 1.5 }, 'invalid', /position cannot be 1.5/],
  ];
  for (const [part, code, message] of wrong)
    await t.rejects(
      routes.add({ ...good, ...part }),
      refusal(code, message),
      JSON.stringify(part).slice(0, 60),
    );
  t.strictSame(await routes.list(), []);
  await routes.add(good);
  await t.rejects(routes.add({ ...good, name: 'R' }), refusal('conflict', /exists already/));
  await routes.remove('r');
});

t.test('a list has members here and elsewhere, and tells of those that nobody receives', async (t) => {
  const { lists } = administration;
  const added = await lists.add({
    address: 'Team@bücher.example',
    members: ['In@App.example', 'x@Elsewhere.example', 'nobody@app.example', 'in@bücher.example'],
  });
  t.strictSame(added, {
    address: 'team@app.example',
    isEnabled: true,
    memberCount: 3,
    posters: { kind: 'members' },
    members: ['in@app.example', 'nobody@app.example', 'x@elsewhere.example'],
    danglingMembers: ['nobody@app.example'],
  });
  const set = await lists.set('team@app.example', {
    addedMembers: ['Out@app.example'],
    removedMembers: ['Nobody@app.example'],
    posters: { kind: 'addresses', addresses: ['Boss@app.example', 'boss@bücher.example'] },
    isEnabled: false,
  });
  t.match(set, {
    isEnabled: false,
    members: ['in@app.example', 'out@app.example', 'x@elsewhere.example'],
    posters: { kind: 'addresses', addresses: ['boss@app.example'] },
    danglingMembers: [],
  });
  t.strictSame((await lists.set('team@app.example', { members: [] })).members, []);
  t.strictSame(
    (await lists.list('bücher.example')).map(({ address, memberCount }) => [address, memberCount]),
    [['team@app.example', 0]],
  );
  const nobody = { kind: 'addresses', addresses: [] } as const;
  const wrong: readonly (readonly [() => Promise<unknown>, string, RegExp])[] = [
    [() => lists.add({ address: 'in@app.example', members: [] }), 'conflict', /is an account already/],
    [() => lists.add({ address: 'team@app.example', members: [] }), 'conflict', /exists already/],
    [
      () => lists.add({ address: 'x@elsewhere.example', members: [] }),
      'notFound',
      /no domain “elsewhere.example” here/,
    ],
    [() => lists.add({ address: 'x@app.example', members: ['X@app.example'] }), 'cannot', /member of itself/],
    [
      () => lists.add({ address: 'x@app.example', members: ['no address'] }),
      'invalid',
      /cannot be used as an address/,
    ],
    [
      () => lists.set('team@app.example', { removedMembers: ['a@b.example'] }),
      'notFound',
      /“a@b.example” is no member of/,
    ],
    [() => lists.set('team@app.example', { posters: nobody }), 'invalid', /Nobody could post/],
    [() => lists.set('none@app.example', {}), 'notFound', /no distribution list/],
    [() => lists.list('elsewhere.example'), 'notFound', /no domain/],
    [
      () => administration.aliases.add({ address: 'team@app.example', targets: ['in@app.example'] }),
      'conflict',
      /is a distribution list already/,
    ],
    [
      () => administration.accounts.add({ address: 'team@app.example', password: 'a long password' }),
      'conflict',
      /distribution list already/,
    ],
  ];
  for (const [job, code, message] of wrong) await t.rejects(job(), refusal(code, message));
  const many = Array.from({ length: 10_000 }, (_none, index) => `m${index}@elsewhere.example`);
  await t.rejects(
    lists.set('team@app.example', { members: [...many, 'one@more.example'] }),
    refusal('limit', /10001 members/),
  );
  t.equal((await lists.set('team@app.example', { members: many })).memberCount, 10_000);
  await t.rejects(
    lists.set('team@app.example', { addedMembers: ['one@more.example'] }),
    refusal('limit', /10001/),
  );
  const swapped = { addedMembers: ['one@more.example'], removedMembers: ['m0@elsewhere.example'] };
  t.equal((await lists.set('team@app.example', swapped)).memberCount, 10_000);
  await lists.remove('TEAM@app.example');
  await t.rejects(lists.show('team@app.example'), refusal('notFound', /no distribution list/));
});

t.test('an account forwards here or elsewhere, never to itself, and the forward goes with it', async (t) => {
  const { forwards } = administration;
  const given = {
    account: 'In@bücher.example',
    targets: ['Out@app.example', 'x@Elsewhere.example', 'off@app.example'],
  };
  const added = await forwards.add(given);
  t.strictSame(added, {
    account: 'in@app.example',
    targets: ['out@app.example', 'x@elsewhere.example', 'off@app.example'],
    keepsCopy: true,
    isEnabled: true,
    danglingTargets: ['off@app.example'],
  });
  t.match(await forwards.set('in@app.example', { keepsCopy: false, targets: ['y@elsewhere.example'] }), {
    keepsCopy: false,
    targets: ['y@elsewhere.example'],
    isEnabled: true,
  });
  t.strictSame(
    (await forwards.list('app.example')).map(({ account }) => account),
    ['in@app.example'],
  );
  await administration.aliases.add({ address: 'alias@app.example', targets: ['in@app.example'] });
  const wrong: readonly (readonly [() => Promise<unknown>, string, RegExp])[] = [
    [() => forwards.add(given), 'conflict', /forwards its mail already/],
    [() => forwards.add({ account: 'none@app.example', targets: ['x@y.example'] }), 'notFound', /no account/],
    [
      () => forwards.add({ account: 'alias@app.example', targets: ['x@y.example'] }),
      'notFound',
      /is an alias: its targets/,
    ],
    [() => forwards.set('in@app.example', { targets: [] }), 'invalid', /one target/],
    [
      () => forwards.set('in@app.example', { targets: ['IN@bücher.example'] }),
      'cannot',
      /cannot forward to itself/,
    ],
    [() => forwards.show('out@app.example'), 'notFound', /does not forward/],
    [() => forwards.list('none.example'), 'notFound', /no domain/],
  ];
  for (const [job, code, message] of wrong) await t.rejects(job(), refusal(code, message));
  await administration.accounts.remove('in@app.example');
  t.strictSame(await forwards.list(), []);
  await administration.accounts.add({ address: 'in@app.example', password: 'a long password' });
  await t.rejects(forwards.show('in@app.example'), refusal('notFound', /does not forward/));
});

t.test('a rule is kept as it is meant, of an account or for all', async (t) => {
  const { rules } = administration;
  const conditions: readonly RuleCondition[] = [
    { kind: 'header', field: 'List-Id:', match: 'contains', text: 'e\u0301', isNegated: false },
    { kind: 'size', comparison: 'over', octets: 10 },
  ];
  const actions: readonly RuleAction[] = [
    { kind: 'fileInto', mailbox: ['inbox', 'Lists '] },
    { kind: 'forward', address: 'Off@bücher.example' },
    { kind: 'flag', flags: { system: FLAG.seen, keywords: ['$Done'] } },
  ];
  const added = await rules.add({ name: 'Lists', account: 'In@bücher.example', conditions, actions });
  t.strictSame(added, {
    name: 'Lists',
    account: 'in@app.example',
    position: 1,
    isEnabled: true,
    matches: 'all',
    conditions: [
      { kind: 'header', field: 'list-id', match: 'contains', text: '\u00e9', isNegated: false },
      { kind: 'size', comparison: 'over', octets: 10 },
    ],
    actions: [
      { kind: 'fileInto', mailbox: ['INBOX', 'Lists'] },
      { kind: 'forward', address: 'off@app.example' },
      { kind: 'flag', flags: { system: FLAG.seen, keywords: ['$Done'] } },
    ],
    endsRules: false,
    danglingTargets: ['off@app.example'],
  });
  await rules.add({ name: 'Lists', actions: [{ kind: 'delete' }] });
  t.strictSame(
    (await rules.list()).map(({ name, account }) => [name, account]),
    [
      ['Lists', undefined],
      ['Lists', 'in@app.example'],
    ],
  );
  t.strictSame((await rules.list('in@app.example')).length, 1);
  const changed = await rules.set('in@app.example', 'LISTS', {
    conditions: [],
    endsRules: true,
    isEnabled: false,
  });
  t.strictSame(changed, { ...added, conditions: [], endsRules: true, isEnabled: false });
  t.match(await rules.show(undefined, 'lists'), { actions: [{ kind: 'delete' }] });
  await rules.remove(undefined, 'lists');
  await t.rejects(rules.show(undefined, 'lists'), refusal('notFound', /no rule “lists” for all accounts/));
  await t.rejects(rules.show('out@app.example', 'lists'), refusal('notFound', /of “out@app.example”/));
  await t.rejects(rules.list('none@app.example'), refusal('notFound', /no account/));
  await administration.accounts.remove('in@app.example');
  t.strictSame(await rules.list(), [], 'it goes with its account');
  await administration.accounts.add({ address: 'in@app.example', password: 'a long password' });
});

t.test('a rule is refused with a sentence that helps', async (t) => {
  const { rules } = administration;
  const subject = { kind: 'subject', match: 'is', isNegated: false } as const;
  const wrong: readonly (readonly [RuleSettings, string, RegExp])[] = [
    [{ actions: [] }, 'invalid', /one action at least/],
    [{ actions: [{ kind: 'fileInto', mailbox: ['a', ''] }] }, 'invalid', /a part of it is empty/],
    [{ actions: [{ kind: 'fileInto', mailbox: [] }] }, 'invalid', /cannot name a mailbox/],
    [{ actions: [{ kind: 'fileInto', mailbox: ['a*'] }] }, 'invalid', /wildcard or an invisible/],
    [
      { actions: [{ kind: 'fileInto', mailbox: Array.from({ length: 17 }, () => 'a') }] },
      'invalid',
      /16 levels/,
    ],
    [{ actions: [{ kind: 'forward', address: 'x' }] }, 'invalid', /cannot be used as an address/],
    [{ actions: [{ kind: 'forward', address: 'OUT@bücher.example' }] }, 'cannot', /cannot forward to itself/],
    [{ actions: [{ kind: 'flag', flags: { system: 0, keywords: [] } }] }, 'invalid', /\\Seen, \\Answered/],
    [{ actions: [{ kind: 'flag', flags: { system: 64, keywords: [] } }] }, 'invalid', /\\Seen, \\Answered/],
    [
      { actions: [{ kind: 'flag', flags: { system: 0, keywords: ['a b'] } }] },
      'invalid',
      /“a b” cannot be a keyword/,
    ],
    [{ actions: [{ kind: 'flag', flags: { system: 0, keywords: ['ä'] } }] }, 'invalid', /keyword/],
    [
      { actions: [{ kind: 'delete' }, { kind: 'fileInto', mailbox: ['a'] }] },
      'cannot',
      /neither filed nor flagged/,
    ],
    [
      {
        actions: [
          { kind: 'fileInto', mailbox: ['b'] },
          { kind: 'fileInto', mailbox: ['a'] },
        ],
      },
      'cannot',
      /one mailbox/,
    ],
    [{ conditions: [{ ...subject, text: 'a\nb' }] }, 'invalid', /cannot be compared with/],
    [{ conditions: [{ ...subject, text: 'x'.repeat(501) }] }, 'invalid', /up to 500/],
    [
      { conditions: [{ ...subject, kind: 'header', field: 'x y', text: '' }] },
      'invalid',
      /cannot name a header field/,
    ],
    [{ conditions: [{ kind: 'size', comparison: 'over', octets: -1 }] }, 'invalid', /size cannot be -1/],
    [{ position: -1 }, 'invalid', /position cannot be/],
  ];
  const good = { name: 'r', account: 'out@app.example', actions: [{ kind: 'delete' }] as const };
  for (const [part, code, message] of wrong)
    await t.rejects(
      rules.add({ ...good, ...part } as typeof good),
      refusal(code, message),
      JSON.stringify(part),
    );
  await t.rejects(rules.add({ ...good, account: 'none@app.example' }), refusal('notFound', /no account/));
  t.strictSame(await rules.list(), []);
});

t.test('a domain has one character that separates details, or none', async (t) => {
  const { domains } = administration;
  t.equal((await domains.show('app.example')).plusSeparator, '+');
  for (const separator of ['-', '=', '.', null, '+'])
    t.equal((await domains.set('app.example', { plusSeparator: separator })).plusSeparator, separator);
  for (const separator of ['', '++', 'a', '@', ' ', '"', 'é'])
    await t.rejects(
      domains.set('app.example', { plusSeparator: separator }),
      refusal('invalid', /cannot separate/),
    );
});

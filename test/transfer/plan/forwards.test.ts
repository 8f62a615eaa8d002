/** Forwards and rules at the accounts, global rules, full mailboxes: what is kept, what goes on, and that nothing is lost. */

import t from 'tap';
import type { Forward, RuleAction } from '../../../src/store/contract/routing.ts';
import { outcomeIn, planIn, type TestMessage, verdictIn } from '../../support/planned.ts';
import { route, rule, type RoutingWorld } from '../../support/routingWorld.ts';

const WORLD: RoutingWorld = {
  domains: [{ name: 'app.example', aliases: ['alias.example'], plusSeparator: '+' }],
  accounts: ['a', 'b', 'c', 'd'].map((name) => ({ address: `${name}@app.example` })),
  routes: [
    route({ name: 'partner', recipients: ['partner.example'], target: { kind: 'relay', relay: 'p' } }),
    route({ name: 'refused', recipients: ['no.example'], target: { kind: 'refuse' } }),
  ],
};
const A = 'a@app.example:INBOX';
const B = 'b@app.example:INBOX';
const C = 'c@app.example:INBOX';
const OUT = 'x@partner.example via relay p from s@sender.example for a@app.example';

function forward(account: string, targets: readonly string[], keepsCopy = false): Forward {
  return { account: `${account}@app.example`, targets, keepsCopy, isEnabled: true };
}

function outcome(
  forwards: readonly Forward[],
  message: Partial<TestMessage> = {},
): Promise<readonly string[]> {
  return outcomeIn({ ...WORLD, forwards }, { to: ['a@app.example'], ...message });
}

t.test('a forward leads on with a copy or without', async (t) => {
  t.same(await outcome([forward('a', ['x@partner.example'], true)]), [A, OUT]);
  t.same(await outcome([forward('a', ['x@partner.example'])]), [OUT]);
  t.same(await outcome([forward('a', ['b@alias.example', 'x@partner.example'])]), [B, OUT]);
  t.same(await outcome([{ ...forward('a', ['x@partner.example']), isEnabled: false }]), [A]);
  t.same(await outcome([forward('a', ['x@partner.example'])], { from: '' }), [
    'x@partner.example via relay p from  for a@app.example',
  ]);
});

t.test('a forward that cannot be made keeps the copy, and the trace says why', async (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['x@nowhere.example', 'foreign'],
    ['x@no.example', 'routeRefuses'],
    ['nobody@app.example', 'unknown'],
    ['a@app.example', 'loop'],
    ['s@sender.example', 'backToSender'],
  ];
  for (const [target, reason] of table) {
    const forwards = [forward('a', [target])];
    t.same(await outcome(forwards), [A], target);
    const { events } = await planIn({ ...WORLD, forwards }, { to: ['a@app.example'] });
    t.match(events, [{ kind: 'notForwarded', fields: { account: 'a@app.example', target, reason } }], target);
  }
  t.same(await outcome([forward('a', ['x@partner.example', 'x@nowhere.example'])]), [A, OUT]);
  const world = { ...WORLD, forwards: [forward('a', ['x@partner.example'])], isRelaying: false };
  t.same(await outcomeIn(world, { to: ['a@app.example'] }), [A]);
  t.match((await planIn(world, { to: ['a@app.example'] })).events, [
    { kind: 'notForwarded', fields: { reason: 'relayRoutesOff' } },
  ]);
});

t.test('a forward back to the sender is known by all names of a domain', async (t) => {
  const forwards = [forward('a', ['b@alias.example'])];
  t.same(await outcome(forwards, { from: 'b@app.example' }), [A]);
  t.same(await outcome(forwards, { from: 'c@app.example' }), [B]);
});

t.test('chains of forwards lead to their end; where they run in a circle the copy stays', async (t) => {
  t.same(await outcome([forward('a', ['b@app.example']), forward('b', ['c@app.example'])]), [C]);
  t.same(await outcome([forward('a', ['b@app.example'], true), forward('b', ['c@app.example'], true)]), [
    A,
    B,
    C,
  ]);
  const circle = [forward('a', ['b@app.example']), forward('b', ['a@app.example'])];
  t.same(await outcome(circle), [B]);
  t.same(await outcome(circle, { to: ['a@app.example', 'b@app.example'] }), [B]);
  t.same(await outcome(circle, { to: ['b@app.example', 'a@app.example'] }), [A]);
  t.same(
    await outcome([forward('a', ['a@alias.example', 'b@app.example'])]),
    [A, B],
    'itself among the targets',
  );
  const out = [forward('a', ['b@app.example']), forward('b', ['x@partner.example'])];
  t.same(await outcome(out), ['x@partner.example via relay p from s@sender.example for b@app.example']);
});

t.test(
  'who forwards to an alias or list that he is on himself keeps his copy, whoever else is on it',
  async (t) => {
    const forwards = [forward('a', ['team@app.example'])];
    for (const targets of [
      ['a@app.example', 'b@app.example'],
      ['b@app.example', 'a@app.example'],
    ]) {
      const alias = { ...WORLD, forwards, aliases: [{ address: 'team@app.example', targets }] };
      const listed = { ...WORLD, forwards, lists: [{ address: 'team@app.example', members: targets }] };
      for (const world of [alias, listed])
        for (const to of ['a@app.example', 'team@app.example'])
          t.same(await outcomeIn(world, { to: [to] }), [A, B], `${to} with ${targets.join(' and ')}`);
    }
    const deletes: RuleAction[] = [{ kind: 'forward', address: 'team@app.example' }, { kind: 'delete' }];
    const aliases = [{ address: 'team@app.example', targets: ['b@app.example', 'a@app.example'] }];
    const rules = [rule({ name: 'r', account: 'a@app.example', actions: deletes })];
    t.same(await outcomeIn({ ...WORLD, aliases, rules }, { to: ['a@app.example'] }), [A, B]);
  },
);

t.test('a chain that is too long ends where it is, with a copy', async (t) => {
  const accounts = Array.from({ length: 15 }, (_, index) => ({ address: `n${index}@app.example` }));
  const forwards = accounts.slice(1).map((_, index) => forward(`n${index}`, [`n${index + 1}@app.example`]));
  const world = { ...WORLD, accounts, forwards };
  t.same(await outcomeIn(world, { to: ['n0@app.example'] }), ['n10@app.example:INBOX']);
  t.same(await outcomeIn(world, { to: ['n5@app.example'] }), ['n14@app.example:INBOX']);
});

t.test('rules of an account file, flag, forward and delete', async (t) => {
  const of = (...actions: readonly RuleAction[]): RoutingWorld => ({
    ...WORLD,
    rules: [rule({ name: 'r', account: 'a@app.example', actions })],
  });
  const to = ['a@app.example', 'b@app.example'];
  const file: RuleAction = { kind: 'fileInto', mailbox: ['Alarms', 'Red'] };
  const flag: RuleAction = { kind: 'flag', flags: { system: 4, keywords: ['Alarm'] } };
  t.same(await outcomeIn(of(file, flag), { to }), ['a@app.example:Alarms/Red Alarm 4', B]);
  t.same(await outcomeIn(of({ kind: 'delete' }), { to }), [B]);
  t.same(await outcomeIn(of({ kind: 'delete' }), { to: ['a@app.example'] }), []);
  t.same(await outcomeIn(of({ kind: 'forward', address: 'c@app.example' }), { to }), [A, B, C]);
  t.same(await outcomeIn(of({ kind: 'forward', address: 'c@app.example' }, { kind: 'delete' }), { to }), [
    B,
    C,
  ]);
  t.same(await outcomeIn(of({ kind: 'forward', address: 'x@nowhere.example' }, { kind: 'delete' }), { to }), [
    A,
    B,
  ]);
  t.match((await planIn(of(file), { to })).events, [
    { kind: 'ruled', fields: { rule: 'r', account: 'a@app.example' } },
  ]);
});

t.test('what a rule deletes is not forwarded by the account', async (t) => {
  const rules = [rule({ name: 'junk', account: 'a@app.example', actions: [{ kind: 'delete' }] })];
  t.same(
    await outcomeIn(
      { ...WORLD, rules, forwards: [forward('a', ['b@app.example'])] },
      { to: ['a@app.example'] },
    ),
    [],
  );
});

t.test('global rules come first and hold for all recipients', async (t) => {
  const global = (actions: readonly RuleAction[], more: object = {}) => rule({ name: 'g', actions, ...more });
  const own = rule({
    name: 'o',
    account: 'a@app.example',
    actions: [{ kind: 'fileInto', mailbox: ['Own'] }],
  });
  const to = ['a@app.example', 'b@app.example', 'x@partner.example'];
  const open = [
    route({
      name: 'open',
      recipients: ['partner.example'],
      isOpenTo: 'anyone',
      target: { kind: 'relay', relay: 'p' },
    }),
  ];
  const world = { ...WORLD, routes: open };
  const direct = 'x@partner.example via relay p from s@sender.example';
  const all = { kind: 'fileInto', mailbox: ['All'] } as const;
  const flag = { kind: 'flag', flags: { system: 1, keywords: [] } } as const;
  t.same(await outcomeIn({ ...world, rules: [global([all, flag]), own] }, { to }), [
    'a@app.example:Own 1',
    'b@app.example:All 1',
    direct,
  ]);
  t.same(await outcomeIn({ ...world, rules: [global([all], { endsRules: true }), own] }, { to }), [
    'a@app.example:All',
    'b@app.example:All',
    direct,
  ]);
  t.same(await outcomeIn({ ...world, rules: [global([{ kind: 'delete' }]), own] }, { to }), []);
  const copy = { kind: 'forward', address: 'c@app.example' } as const;
  t.same(await outcomeIn({ ...world, rules: [global([copy])] }, { to }), [A, B, C, direct]);
  t.same(await outcomeIn({ ...world, rules: [global([copy, { kind: 'delete' }])] }, { to }), [C]);
  const lost = { kind: 'forward', address: 'x@nowhere.example' } as const;
  t.same(await outcomeIn({ ...world, rules: [global([lost, { kind: 'delete' }])] }, { to }), [A, B, direct]);
});

t.test('a full mailbox: one of several is told of, the only one waits at its sender', async (t) => {
  const accounts = [
    { address: 'a@app.example', quotaOctets: 1500, usedOctets: 1000 },
    { address: 'b@app.example' },
    { address: 'c@app.example', quotaOctets: 1500, usedOctets: 1000 },
  ];
  const world: RoutingWorld = {
    ...WORLD,
    accounts,
    aliases: [
      { address: 'both@app.example', targets: ['a@app.example', 'b@app.example'] },
      { address: 'full@app.example', targets: ['a@app.example', 'c@app.example'] },
    ],
  };
  const full = '452 4.2.2 The mailbox is over its quota';
  t.same(await outcomeIn(world, { to: ['a@app.example'] }), [full]);
  t.same(await outcomeIn(world, { to: ['a@app.example'], octets: 500 }), [A]);
  t.same(await outcomeIn(world, { to: ['a@app.example', 'c@app.example', 'full@app.example'] }), [full]);
  t.same(await outcomeIn(world, { to: ['both@app.example'] }), [A, B], 'an archive behind an alias');
  const { undelivered, copies } = await planIn(world, { to: ['a@app.example', 'b@app.example'] });
  t.match(undelivered, [{ recipient: 'a@app.example', error: { code: 'overQuota' } }]);
  t.same([...(undelivered[0]?.accounts ?? [])], [copies[0]?.accountId]);
  t.same(
    (await planIn(world, { to: ['a@app.example', 'both@app.example'] })).undelivered,
    [],
    'it has its copy by the other',
  );
  const forwarded = { ...world, forwards: [forward('b', ['a@app.example'])] };
  t.same(
    (await planIn(forwarded, { to: ['a@app.example', 'b@app.example', 'c@app.example'] })).undelivered.length,
    1,
  );
  const onward = { ...world, forwards: [forward('a', ['x@partner.example'])] };
  t.same(await outcomeIn(onward, { to: ['a@app.example'] }), [OUT], 'what keeps no copy needs no room');
  t.equal(await verdictIn(onward, 'a@app.example'), 'accepted');
  t.equal(await verdictIn(world, 'a@app.example'), full);
  t.equal(await verdictIn(world, 'both@app.example'), 'accepted');
  t.equal(await verdictIn(world, 'full@app.example'), full);
});

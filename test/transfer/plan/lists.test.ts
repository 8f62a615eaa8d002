/** Distribution lists: who gets a copy, who may post, what becomes of reports, and lists within lists. */

import t from 'tap';
import type { ListPosters } from '../../../src/store/contract/routing.ts';
import { loggedIn, outcomeIn, planIn, type TestMessage, verdictIn } from '../../support/planned.ts';
import { route, type RoutingWorld } from '../../support/routingWorld.ts';

const WORLD: RoutingWorld = {
  domains: [{ name: 'app.example', aliases: ['alias.example'], plusSeparator: '+' }],
  accounts: [
    { address: 'a@app.example' },
    { address: 'b@app.example' },
    { address: 'c@app.example' },
    { address: 'outsider@app.example' },
    { address: 'gone@app.example', isEnabled: false },
  ],
  aliases: [
    { address: 'bee@app.example', targets: ['b@app.example'] },
    { address: 'team@app.example', targets: ['list@app.example'] },
  ],
  lists: [
    {
      address: 'list@app.example',
      members: [
        'a@app.example',
        'bee@app.example',
        'b@app.example',
        'gone@app.example',
        'm@partner.example',
        'nested@app.example',
      ],
    },
    {
      address: 'nested@app.example',
      members: ['c@app.example', 'list@app.example', 'n@far.example'],
      posters: { kind: 'members' },
    },
    { address: 'off@app.example', members: ['a@app.example'], isEnabled: false },
    { address: 'empty@app.example', members: [] },
    { address: 'dead@app.example', members: ['nobody@app.example', 'x@nowhere.example'] },
  ],
  routes: [
    route({
      name: 'partner',
      recipients: ['partner.example', 'far.example'],
      target: { kind: 'relay', relay: 'p' },
    }),
  ],
};
const ALL = [
  'a@app.example:INBOX',
  'b@app.example:INBOX',
  'c@app.example:INBOX',
  'm@partner.example via relay p from postmaster@app.example',
  'n@far.example via relay p from postmaster@app.example',
];

t.setTimeout(300_000);

t.test('everybody on a list gets one copy, by whatever name it is addressed, and loops end', async (t) => {
  for (const to of ['list@app.example', 'LIST@alias.example', 'list+x@app.example', 'team@app.example'])
    t.same(await outcomeIn(WORLD, { to: [to] }), ALL, to);
  t.same(await outcomeIn(WORLD, { to: ['list@app.example', 'team@app.example', 'a@app.example'] }), ALL);
});

t.test(
  'errors of members outside go to the administrator, and a report has no errors of its own',
  async (t) => {
    const { queued } = await planIn(WORLD, {
      to: ['list@app.example'],
      from: '',
      submitter: loggedIn(WORLD, 'a@app.example'),
    });
    t.same(
      queued.map(({ reversePath }) => reversePath),
      ['', ''],
    );
  },
);

t.test('a list that is off, empty or leads to nobody takes nothing', async (t) => {
  t.equal(
    await verdictIn(WORLD, 'off@app.example'),
    '550 5.2.1 The recipient is disabled and does not accept messages',
  );
  t.equal(await verdictIn(WORLD, 'empty@app.example'), '550 5.1.1 No such recipient here');
  // RCPT does not go through ten thousand members; the plan does.
  t.equal(await verdictIn(WORLD, 'dead@app.example'), 'accepted');
  t.same(await outcomeIn(WORLD, { to: ['dead@app.example'] }), ['550 5.1.1 No such recipient here']);
});

t.test('who may post is asked of the list that was addressed', async (t) => {
  const taken = 'accepted';
  const refused = (whom: string) => `550 5.7.1 This list does not take ${whom}`;
  const login = (address: string, from: string): Partial<TestMessage> => ({
    submitter: loggedIn(WORLD, address),
    from,
  });
  const table: readonly (readonly [ListPosters, Partial<TestMessage>, string])[] = [
    [{ kind: 'anyone' }, { from: 'x@y.example' }, taken],
    [{ kind: 'anyone' }, { from: '' }, refused('reports')],
    [{ kind: 'anyone' }, login('outsider@app.example', ''), taken],
    [{ kind: 'submitters' }, { from: 'a@app.example' }, refused('mail without a login')],
    [{ kind: 'submitters' }, login('outsider@app.example', 'x@y.example'), taken],
    [{ kind: 'members' }, { from: 'a@app.example' }, taken],
    [{ kind: 'members' }, { from: 'A+tag@alias.example' }, taken],
    [{ kind: 'members' }, { from: 'm@partner.example' }, taken],
    [{ kind: 'members' }, { from: 'outsider@app.example' }, refused('non-members')],
    [{ kind: 'members' }, { from: '' }, refused('reports')],
    [{ kind: 'members' }, { from: 'c@app.example' }, taken],
    [{ kind: 'members' }, { from: 'n@far.example' }, taken],
    // What is only written is no proof for somebody who has logged in.
    [{ kind: 'members' }, login('outsider@app.example', 'a@app.example'), refused('non-members')],
    [{ kind: 'members' }, login('outsider@app.example', 'm@partner.example'), refused('non-members')],
    [{ kind: 'members' }, login('a@app.example', 'x@y.example'), taken],
    [{ kind: 'members' }, login('b@app.example', 'bee@app.example'), taken],
    [{ kind: 'addresses', addresses: ['chef@boss.example'] }, { from: 'Chef@Boss.example' }, taken],
    [
      { kind: 'addresses', addresses: ['chef@boss.example'] },
      { from: 'a@app.example' },
      refused('mail of this sender'),
    ],
    [
      { kind: 'addresses', addresses: ['bee@app.example'] },
      login('b@app.example', 'bee@alias.example'),
      taken,
    ],
    [
      { kind: 'addresses', addresses: ['bee@app.example'] },
      login('a@app.example', 'bee@app.example'),
      refused('mail of this sender'),
    ],
  ];
  for (const [posters, message, expected] of table) {
    const lists = WORLD.lists?.map((list) =>
      list.address === 'list@app.example' ? { ...list, posters } : list,
    );
    const world = { ...WORLD, ...(lists && { lists }) };
    const name = `${posters.kind} ${message.submitter?.kind ?? 'anyone'} ${message.from}`;
    for (const to of ['list@app.example', 'team@app.example']) {
      t.equal(await verdictIn(world, to, message), expected, name);
      const outcome = await outcomeIn(world, { ...message, to: [to] });
      if (expected === taken) t.ok(outcome.length === 5, name);
      else t.same(outcome, [expected], name);
    }
  }
});

t.test('a list with ten thousand members is planned in turns, and once only for all its names', async (t) => {
  const members = Array.from({ length: 10_000 }, (_, index) => `user${index}@catch.example`);
  const world: RoutingWorld = {
    domains: [
      { name: 'app.example', plusSeparator: '+' },
      { name: 'catch.example', catchAll: 'a@app.example' },
    ],
    accounts: [{ address: 'a@app.example' }],
    lists: [{ address: 'big@app.example', members }],
  };
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await planIn(world, { to: ['big@app.example'] });
  isOver = true;
  t.ok(turns > 100, `${turns} turns`);
  let members2 = 0;
  const to = Array.from({ length: 100 }, (_, index) => `big+${index}@app.example`);
  const big = {
    address: 'big@app.example',
    get members() {
      members2 += 1;
      return members;
    },
  };
  t.same(await outcomeIn({ ...world, lists: [big] }, { to }), ['a@app.example:INBOX']);
  t.ok(members2 < 20, `members were read ${members2} times`);
});

t.test('the trace names who of a list or alias has nothing while others have the message', async (t) => {
  const missed = Array.from({ length: 7 }, (_, index) => `x${index}@nowhere.example`);
  const named = async (world: Partial<RoutingWorld>, to: readonly string[]) =>
    (await planIn({ domains: WORLD.domains, accounts: WORLD.accounts, ...world }, { to })).events
      .filter(({ kind }) => kind === 'notForwarded')
      .map(({ fields }) => [fields.recipient, fields.target, fields.reason, fields.moreTargets]);
  const list = { address: 'all@app.example', members: ['a@app.example', 'gone@app.example'] };
  t.strictSame(await named({ lists: [list] }, ['all@app.example', 'b@app.example']), [
    ['all@app.example', 'gone@app.example', 'disabled', undefined],
  ]);
  const alias = { address: 'both@app.example', targets: ['a@app.example', ...missed] };
  const told = await named({ aliases: [alias] }, ['both@app.example']);
  t.equal(told.length, 5, 'some of many');
  t.strictSame(told.at(-1), ['both@app.example', 'x4@nowhere.example', 'foreign', 2]);
  t.strictSame(await named({ lists: [list] }, ['a@app.example']), []);
});

t.test('who is looked for on many lists within lists keeps nobody waiting', async (t) => {
  const lists = Array.from({ length: 60 }, (_, index) => ({
    address: `l${index}@app.example`,
    members: [`l${index + 1}@app.example`],
    posters: { kind: 'members' } as const,
  }));
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const world = { ...WORLD, lists };
  t.match(await verdictIn(world, 'l0@app.example', { from: 'stranger@sender.example' }), /^550 5\.7\.1 /);
  isOver = true;
  t.ok(turns > 10, `${turns} turns`);
});

/** The table of routing decisions: what RCPT answers and what the plan does, by routes, our own domains and refusals. */

import t from 'tap';
import { silentLog } from '../../../src/base/log.ts';
import type { Submitter } from '../../../src/transfer/contract.ts';
import { ANYONE, loggedIn, outcomeIn, planIn, type TestMessage, verdictIn } from '../../support/planned.ts';
import { planningIn, route, type RoutingWorld } from '../../support/routingWorld.ts';

const DENIED = '550 5.7.1 Relaying denied';
const UNKNOWN = '550 5.1.1 No such recipient here';
const DISABLED = '550 5.2.1 The recipient is disabled and does not accept messages';

const WORLD: RoutingWorld = {
  domains: [
    { name: 'app.example', aliases: ['alias.example'], plusSeparator: '+' },
    { name: 'catch.example', catchAll: 'all@catch.example' },
    { name: 'off.example', isEnabled: false },
  ],
  accounts: [
    { address: 'a@app.example' },
    { address: 'b@app.example' },
    { address: 'a+exact@app.example' },
    { address: 'gone@app.example', isEnabled: false },
    { address: 'all@catch.example' },
    { address: 'x@catch.example' },
    { address: 'x@off.example' },
    { address: 'odd%name@app.example' },
  ],
  aliases: [
    { address: 'both@app.example', targets: ['a@app.example', 'b@app.example'] },
    { address: 'dead@app.example', targets: ['nobody@app.example'] },
    { address: 'out@app.example', targets: ['friend@partner.example'] },
    { address: 'loop1@app.example', targets: ['loop2@app.example'] },
    { address: 'loop2@app.example', targets: ['loop1@app.example', 'b@app.example'] },
    { address: 'nothing@app.example', targets: ['nothing2@app.example'] },
    { address: 'nothing2@app.example', targets: ['nothing@app.example'] },
  ],
  postmaster: 'b@app.example',
  defaultDomain: 'app.example',
};

const ROUTED: RoutingWorld = {
  ...WORLD,
  routes: [
    route({
      name: 'blocked',
      recipients: ['*'],
      senders: ['evil.example', 'rogue@app.example'],
      target: { kind: 'refuse', text: 'Go away' },
    }),
    route({ name: 'bounces', recipients: ['b@app.example'], senders: ['<>'], target: { kind: 'refuse' } }),
    route({
      name: 'paper',
      recipients: ['fax.example', '*.fax.example'],
      target: { kind: 'drop', directory: 'fax' },
    }),
    route({
      name: 'open',
      recipients: ['partner.example'],
      isOpenTo: 'anyone',
      target: { kind: 'relay', relay: 'partner' },
    }),
    route({
      name: 'moved',
      recipients: ['old@elsewhere.example', 'moved@app.example'],
      target: { kind: 'local', address: 'b@app.example' },
    }),
    route({ name: 'off', isEnabled: false, recipients: ['*'], target: { kind: 'refuse' } }),
    route({
      name: 'split',
      recipients: ['a@app.example'],
      senders: ['split.example'],
      target: { kind: 'relay', relay: 'split' },
    }),
    route({
      name: 'archive',
      recipients: ['app.example'],
      senders: ['b@app.example'],
      target: { kind: 'local', address: 'both@app.example' },
    }),
    route({ name: 'rest', recipients: ['*'], target: { kind: 'relay', relay: 'm365' } }),
  ],
};
const AS_A: Partial<TestMessage> = { submitter: loggedIn(WORLD, 'a@app.example'), from: 'a@app.example' };
const AS_B: Partial<TestMessage> = { submitter: loggedIn(WORLD, 'b@app.example'), from: 'x@sender.example' };

async function holds(
  t: { same(a: unknown, b: unknown, message: string): unknown },
  world: RoutingWorld,
  recipient: string,
  expected: string | readonly string[],
  message: Partial<TestMessage> = {},
): Promise<void> {
  const name = `${recipient} ${message.submitter?.kind ?? ''} ${message.from ?? ''}`;
  const verdict = await verdictIn(world, recipient, message);
  const outcome = await outcomeIn(world, { ...message, to: [recipient] });
  if (typeof expected === 'string') t.same([verdict, outcome], [expected, [expected]], name);
  else t.same([verdict, outcome], ['accepted', expected], name);
}

t.test('without routes only our own addresses are taken', async (t) => {
  const table: readonly (readonly [string, string | readonly string[]])[] = [
    ['a@app.example', ['a@app.example:INBOX']],
    ['A@APP.Example', ['a@app.example:INBOX']],
    ['a@alias.example', ['a@app.example:INBOX']],
    ['a+news@app.example', ['a@app.example:INBOX']],
    ['a+news+more@alias.example', ['a@app.example:INBOX']],
    ['a+exact@app.example', ['a+exact@app.example:INBOX']],
    ['both+x@app.example', ['a@app.example:INBOX', 'b@app.example:INBOX']],
    ['nobody+x@app.example', UNKNOWN],
    ['+x@app.example', UNKNOWN],
    ['a-news@app.example', UNKNOWN],
    ['x@catch.example', ['x@catch.example:INBOX']],
    ['anything@catch.example', ['all@catch.example:INBOX']],
    ['x+y@catch.example', ['all@catch.example:INBOX']],
    ['gone@app.example', DISABLED],
    ['gone+x@app.example', DISABLED],
    ['x@off.example', DISABLED],
    ['dead@app.example', UNKNOWN],
    ['out@app.example', DENIED],
    ['loop1@app.example', ['b@app.example:INBOX']],
    ['nothing@app.example', UNKNOWN],
    ['postmaster', ['b@app.example:INBOX']],
    ['postmaster@app.example', ['b@app.example:INBOX']],
    ['postmaster@catch.example', ['all@catch.example:INBOX']],
    ['friend@partner.example', DENIED],
    ['a@app.example.', DENIED],
    ['a@[127.0.0.1]', DENIED],
    ['a%partner.example@app.example', UNKNOWN],
    ['odd%name@app.example', ['odd%name@app.example:INBOX']],
    ['"a@partner.example"@app.example', UNKNOWN],
    ['"a"@app.example', ['a@app.example:INBOX']],
    ['a..b@app.example', UNKNOWN],
    ['a..b@partner.example', DENIED],
  ];
  for (const [recipient, expected] of table) await holds(t, WORLD, recipient, expected);
  for (const [recipient, expected] of table) await holds(t, WORLD, recipient, expected, AS_A);
});

t.test('routes come first, in their order, for whoever may use them', async (t) => {
  const m365 = (recipient: string, from: string) => [`${recipient} via relay m365 from ${from}`];
  const s = 's@sender.example';
  await holds(t, ROUTED, 'a@app.example', '550 5.7.1 Go away', { from: 'x@evil.example' });
  await holds(t, ROUTED, 'a@app.example', '550 5.7.1 Go away', { from: 'rogue@alias.example' });
  await holds(t, ROUTED, 'b@app.example', '550 5.7.1 This recipient does not take your message', {
    from: '',
  });
  await holds(t, ROUTED, 'a@app.example', ['a@app.example:INBOX'], { from: '' });
  // For whoever has not logged in only what is open to anyone leads outside.
  await holds(t, ROUTED, 'x@fax.example', DENIED);
  await holds(t, ROUTED, 'x@anywhere.example', DENIED);
  await holds(t, ROUTED, 'x@partner.example', [`x@partner.example via relay partner from ${s}`]);
  await holds(t, ROUTED, 'X.y@PARTNER.example', [`X.y@partner.example via relay partner from ${s}`]);
  await holds(t, ROUTED, 'a..b@partner.example', [`a..b@partner.example via relay partner from ${s}`]);
  await holds(t, ROUTED, 'x@sub.partner.example', DENIED);
  for (const trick of [
    'x%evil.example@partner.example',
    'evil.example!x@partner.example',
    '"x@evil.example"@partner.example',
  ])
    await holds(t, ROUTED, trick, DENIED);
  await holds(t, ROUTED, 'old@elsewhere.example', ['b@app.example:INBOX']);
  await holds(t, ROUTED, 'moved+x@alias.example', UNKNOWN);
  await holds(t, ROUTED, 'moved@alias.example', ['b@app.example:INBOX']);
  await holds(t, ROUTED, 'a@app.example', ['a@app.example:INBOX'], { from: 'x@split.example' });
  // Submitters.
  await holds(t, ROUTED, 'x@fax.example', ['x@fax.example via drop fax from a@app.example'], AS_A);
  await holds(
    t,
    ROUTED,
    'x@deep.sub.fax.example',
    ['x@deep.sub.fax.example via drop fax from a@app.example'],
    AS_A,
  );
  await holds(t, ROUTED, 'x@anywhere.example', m365('x@anywhere.example', 'a@app.example'), AS_A);
  await holds(
    t,
    ROUTED,
    'x%y@partner.example',
    ['x%y@partner.example via relay partner from a@app.example'],
    AS_A,
  );
  // The smarthost's route does not carry away our own mail; a route that names it does.
  await holds(t, ROUTED, 'b@app.example', ['b@app.example:INBOX'], AS_A);
  await holds(t, ROUTED, 'nobody@app.example', UNKNOWN, AS_A);
  await holds(t, ROUTED, 'a@app.example', ['a@app.example via relay split from x@split.example'], {
    ...AS_A,
    from: 'x@split.example',
  });
  // The account counts as a sender whatever the reverse path is.
  await holds(t, ROUTED, 'anything@app.example', ['a@app.example:INBOX', 'b@app.example:INBOX'], AS_B);
  // An address literal is never routed, not even by *.
  await holds(t, ROUTED, 'x@[192.0.2.1]', DENIED, AS_A);
  await holds(t, ROUTED, 'x@anywhere.example.', DENIED, AS_A);
});

t.test('what the administrator set goes out as mail of the house', async (t) => {
  await holds(t, ROUTED, 'out@app.example', [
    'friend@partner.example via relay partner from s@sender.example',
  ]);
  const world = { ...ROUTED, aliases: [{ address: 'far@app.example', targets: ['x@fax.example'] }] };
  await holds(t, world, 'far@app.example', ['x@fax.example via drop fax from s@sender.example']);
});

t.test(
  'with relaying switched off, what only such a route would take is refused, and the rest stays',
  async (t) => {
    const world = { ...ROUTED, isRelaying: false };
    await holds(t, world, 'x@partner.example', DENIED);
    await holds(t, world, 'x@anywhere.example', DENIED, AS_A);
    await holds(t, world, 'nobody@app.example', UNKNOWN, AS_A);
    await holds(t, world, 'a@app.example', ['a@app.example:INBOX'], { ...AS_A, from: 'x@split.example' });
    await holds(t, world, 'a@app.example', ['a@app.example:INBOX'], AS_A);
    await holds(t, world, 'out@app.example', DENIED);
    await holds(t, world, 'old@elsewhere.example', ['b@app.example:INBOX']);
    await holds(t, world, 'a@app.example', '550 5.7.1 Go away', { from: 'x@evil.example' });
  },
);

t.test('an account gets one copy, and one queue item is made for each address outside', async (t) => {
  const to = [
    'a@app.example',
    'A@alias.example',
    'both@app.example',
    'x@fax.example',
    'x@FAX.example',
    'y@fax.example',
  ];
  t.same(await outcomeIn(ROUTED, { ...AS_A, to }), [
    'a@app.example:INBOX',
    'b@app.example:INBOX',
    'x@fax.example via drop fax from a@app.example',
    'y@fax.example via drop fax from a@app.example',
  ]);
});

t.test('who is gone at the end of the data is told of as long as somebody is left', async (t) => {
  const { copies, undelivered, events } = await planIn(WORLD, {
    to: ['a@app.example', 'gone@app.example', 'x@far.example'],
  });
  t.equal(copies.length, 1);
  t.match(undelivered, [
    { recipient: 'gone@app.example', error: { code: 'recipientDisabled' } },
    { recipient: 'x@far.example', error: { code: 'relayingDenied' } },
  ]);
  t.match(events, [
    { kind: 'refused', fields: { recipient: 'gone@app.example', reason: 'disabled' } },
    { kind: 'refused' },
  ]);
  t.same(await outcomeIn(WORLD, { to: ['nobody@app.example', 'gone@app.example'] }), [DISABLED]);
});

t.test('targets that nobody receives are logged, and the others have their copy', async (t) => {
  const world = {
    ...WORLD,
    aliases: [
      { address: 'some@app.example', targets: ['a@app.example', 'nobody@app.example', 'x@far.example'] },
    ],
  };
  const logged: unknown[] = [];
  const log = {
    ...silentLog,
    warn: (event: string, fields?: object) => void logged.push({ event, ...fields }),
  };
  const { copies } = await planIn(world, { to: ['some@app.example'] }, { ...planningIn(world), log });
  t.equal(copies.length, 1);
  const event = 'transfer.alias.dangling';
  t.match(logged, [
    { event, recipient: 'some@app.example', target: 'nobody@app.example', reason: 'unknown' },
    { event, recipient: 'some@app.example', target: 'x@far.example', reason: 'foreign' },
  ]);
});

t.test('aliases that nest too deep are a fault of ours, so the message waits at its sender', async (t) => {
  const aliases = Array.from({ length: 12 }, (_, index) => ({
    address: `deep${index}@app.example`,
    targets: [index === 11 ? 'a@app.example' : `deep${index + 1}@app.example`],
  }));
  const world = { ...WORLD, aliases };
  const waits = '451 4.3.0 Temporary server error, please try again later';
  await holds(t, world, 'deep0@app.example', waits);
  await holds(t, world, 'deep2@app.example', ['a@app.example:INBOX']);
});

t.test('a message that was delivered to a recipient before is a loop', async (t) => {
  const loop = '554 5.4.6 Too many hops: this message is in a mail loop';
  const header = 'Delivered-To: A@App.example\r\n';
  t.same(await outcomeIn(WORLD, { to: ['a@app.example'], header }), [loop]);
  t.same(await outcomeIn(WORLD, { to: ['both@app.example'], header }), [loop]);
  t.same(await outcomeIn(WORLD, { to: ['b@app.example'], header }), ['b@app.example:INBOX']);
});

t.test('DSN parameters go on by the rules of RFC 3461 section 5.2.7', async (t) => {
  const world: RoutingWorld = {
    ...ROUTED,
    aliases: [
      { address: 'one@app.example', targets: ['one@partner.example'] },
      { address: 'two@app.example', targets: ['two@partner.example', 'a@app.example'] },
    ],
    lists: [{ address: 'list@app.example', members: ['member@partner.example'] }],
  };
  const to = ['direct@partner.example', 'one@app.example', 'two@app.example', 'list@app.example'];
  const asked = { notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;o+1@x.example' } as const;
  const dsn = { ret: 'HDRS', envid: 'id=1', recipients: new Map(to.map((path) => [path, asked])) } as const;
  const { queued } = await planIn(world, { to, dsn });
  const all = {
    notify: ['SUCCESS', 'FAILURE'],
    orcpt: 'rfc822;o+2B1@x.example',
    ret: 'HDRS',
    envid: 'id+3D1',
  };
  const none = { notify: undefined, orcpt: undefined, ret: undefined, envid: undefined };
  t.same(
    queued.map(({ recipient, notify, orcpt, ret, envid }) => ({ recipient, notify, orcpt, ret, envid })),
    [
      { recipient: 'direct@partner.example', ...all },
      { recipient: 'one@partner.example', ...all },
      { recipient: 'two@partner.example', ...all, notify: ['FAILURE'] },
      { ...none, recipient: 'member@partner.example' },
    ],
  );
});

t.test(
  'an item tells whether its sender may be told what became of it: who logged in, or need not',
  async (t) => {
    const world: RoutingWorld = {
      ...ROUTED,
      aliases: [{ address: 'one@app.example', targets: ['one@partner.example'] }],
    };
    const range = { kind: 'range', range: { name: 'Office' } } as unknown as Submitter;
    for (const [submitter, isSubmitted] of [
      [ANYONE, undefined],
      [loggedIn(world, 'a@app.example'), true],
      [range, true],
    ] as const)
      t.match((await planIn(world, { to: ['one@app.example'], submitter })).queued, [
        { recipient: 'one@partner.example', isSubmitted },
      ]);
  },
);

t.test('planning a thousand recipients lets others have their turn', async (t) => {
  const to = Array.from({ length: 1000 }, (_, index) => `user${index}@catch.example`);
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await planIn(WORLD, { to });
  isOver = true;
  t.ok(turns >= 10, `${turns} turns`);
  t.ok(planningIn(WORLD).isRelaying() && ANYONE.kind === 'anyone');
});

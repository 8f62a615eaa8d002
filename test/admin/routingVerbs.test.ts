/** The verbs about routing and the queue without a server: what they hand to their operations, what they refuse, what they show. */

import { PassThrough } from 'node:stream';
import t from 'tap';
import { runCli } from '../../src/admin/cli.ts';
import type { QueueReport } from '../../src/admin/queueOperations.ts';
import { FORWARD_VERBS } from '../../src/admin/verbs/forward.ts';
import { LIST_VERBS } from '../../src/admin/verbs/list.ts';
import { QUEUE_VERBS } from '../../src/admin/verbs/queue.ts';
import { ROUTE_VERBS } from '../../src/admin/verbs/route.ts';
import { RULE_VERBS } from '../../src/admin/verbs/rule.ts';
import { VACATION_VERBS } from '../../src/admin/verbs/vacation.ts';

const VERBS = [
  ...ROUTE_VERBS,
  ...LIST_VERBS,
  ...FORWARD_VERBS,
  ...VACATION_VERBS,
  ...RULE_VERBS,
  ...QUEUE_VERBS,
];

/** Runs a verb whose operation answers `result`. */
async function run(argv: readonly string[], result: unknown = []) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const input = new PassThrough();
  input.end();
  const calls: (readonly [string, unknown])[] = [];
  const call = async (operation: string, given: unknown) => {
    calls.push([operation, given]);
    return result;
  };
  const exitCode = await runCli(argv, VERBS, { call }, { out, err, in: input, environment: {} });
  return { exitCode, calls, out: out.read()?.toString() ?? '', err: err.read()?.toString() ?? '' };
}

t.test('options become the input of operations', async (t) => {
  const table: readonly (readonly [string[], string, unknown])[] = [
    [
      ['route', 'add', 'r', '*', '--to', 'refuse:no: never', '--senders', '', '--open-to', 'submitters'],
      'route.add',
      {
        name: 'r',
        recipients: ['*'],
        target: { kind: 'refuse', text: 'no: never' },
        senders: [],
        isOpenTo: 'submitters',
      },
    ],
    [
      ['route', 'set', 'r', '--to', 'refuse', '--position', '7'],
      'route.set',
      { name: 'r', target: { kind: 'refuse' }, position: 7 },
    ],
    [
      ['route', 'set', 'r', 'a', 'b', '--to', 'local:a@b'],
      'route.set',
      { name: 'r', recipients: ['a', 'b'], target: { kind: 'local', address: 'a@b' } },
    ],
    [
      ['list', 'add', 'l@a', '--posters', 'submitters'],
      'list.add',
      { address: 'l@a', members: [], posters: { kind: 'submitters' } },
    ],
    [
      [
        'list',
        'set',
        'l@a',
        '--posters',
        'a@b, c@d',
        '--add-member',
        'x',
        '--add-member',
        'y',
        '--remove-member',
        'z',
      ],
      'list.set',
      {
        address: 'l@a',
        posters: { kind: 'addresses', addresses: ['a@b', 'c@d'] },
        addedMembers: ['x', 'y'],
        removedMembers: ['z'],
      },
    ],
    [['forward', 'set', 'a@b', '--keep-copy', 'no'], 'forward.set', { account: 'a@b', keepsCopy: false }],
    [
      [
        'vacation',
        'set',
        'a@b',
        '--text',
        'x',
        '--from',
        '2026-12-24',
        '--until',
        '2026-12-31',
        '--days',
        '3',
      ],
      'vacation.set',
      {
        account: 'a@b',
        text: 'x',
        startsAt: new Date(2026, 11, 24).getTime(),
        endsAt: new Date(2027, 0, 1).getTime(),
        daysBetween: 3,
      },
    ],
    [
      ['vacation', 'set', 'a@b', '--subject', 'none', '--until', 'none', '--disable'],
      'vacation.set',
      { account: 'a@b', subject: null, endsAt: null, isEnabled: false },
    ],
    [
      ['rule', 'set', 'r', '--if', 'Always', '--ends-rules', 'no'],
      'rule.set',
      { name: 'r', conditions: [], endsRules: false },
    ],
    [
      ['rule', 'set', 'r', '--then', 'delete', '--account', 'a@b'],
      'rule.set',
      { name: 'r', account: 'a@b', actions: [{ kind: 'delete' }] },
    ],
    [['rule', 'list', 'a@b'], 'rule.list', { account: 'a@b' }],
    [
      [
        'queue',
        'list',
        '--hop',
        'drop:Files',
        '--state',
        'held',
        '--after',
        '9',
        '--limit',
        '5',
        '--trace',
        'X',
        '--json',
      ],
      'queue.list',
      { nextHop: { kind: 'drop', name: 'files' }, state: 'held', after: 9, limit: 5, traceId: 'X' },
    ],
    [['queue', 'show', '7'], 'queue.show', { id: 7 }],
    [['queue', 'hold', '7', '9'], 'queue.change', { ids: [7, 9], change: { kind: 'hold' } }],
    [['queue', 'retry', '--all'], 'queue.change', { change: { kind: 'retry' } }],
    [
      ['queue', 'release', '7', '--from', '<a@b.example>', '--recipient', '@C.example', '--older-than', '2h'],
      'queue.change',
      {
        reversePath: 'a@b.example',
        recipient: '@C.example',
        olderThanMs: 7_200_000,
        ids: [7],
        change: { kind: 'release' },
      },
    ],
    [
      ['queue', 'delete', '--from', '<>'],
      'queue.change',
      { reversePath: '<>', change: { kind: 'delete' }, most: 10 },
    ],
    [
      ['queue', 'delete', '--from', '<>', '--yes'],
      'queue.change',
      { reversePath: '<>', change: { kind: 'delete' } },
    ],
    [['queue', 'delete', '7'], 'queue.change', { ids: [7], change: { kind: 'delete' } }],
    [
      ['queue', 'reroute', '--hop', 'relay:a', '--to', 'drop:B'],
      'queue.change',
      {
        nextHop: { kind: 'relay', name: 'a' },
        change: { kind: 'reroute', nextHop: { kind: 'drop', name: 'b' } },
      },
    ],
    [
      ['queue', 'prioritize', '7', '--priority=-3'],
      'queue.change',
      { ids: [7], change: { kind: 'prioritize', priority: -3 } },
    ],
  ];
  for (const [argv, operation, input] of table) {
    const { calls } = await run([...argv, '--json']);
    t.strictSame(calls, [[operation, input]], argv.join(' '));
  }
});

t.test('wrong options are refused before any operation runs, with what is allowed', async (t) => {
  const table: readonly (readonly [string[], RegExp])[] = [
    [['route', 'add', 'r', 'a.example'], /--to is missing/],
    [['route', 'add', 'r'], /RECIPIENTS is missing/],
    [
      ['route', 'add', 'r', 'a', '--to', 'smtp:x'],
      /--to: found "smtp:x"; allowed: local:ADDRESS, relay:NAME/,
    ],
    [['route', 'add', 'r', 'a', '--to', 'relay:'], /--to: found "relay:"/],
    [['route', 'set', 'r', '--position', '0'], /--position: found "0"; allowed: a whole number from 1/],
    [['route', 'set', 'r', '--open-to', 'all'], /--open-to: found "all"; allowed: submitters or anyone/],
    [
      ['list', 'set', 'l', '--posters', 'everybody'],
      /--posters: found "everybody"; allowed: anyone, members, submitters or/,
    ],
    [['list', 'set', 'l', '--posters', 'anyone,a@b'], /--posters: found "anyone"/],
    [['list', 'set', 'l', '--posters', ''], /--posters: found ""/],
    [['list', 'add', 'l', '--members-file', '/nowhere/at/all'], /--members-file: ENOENT/],
    [['forward', 'set', 'a', '--keep-copy', 'maybe'], /--keep-copy: found "maybe"; allowed: yes or no/],
    [['rule', 'add', 'r', '--if', 'size over 1MB'], /--then is missing/],
    [
      ['rule', 'add', 'r', '--if', 'body is x', '--then', 'delete'],
      /--if "body is x": found "body"; allowed: subject/,
    ],
    [['rule', 'add', 'r', '--if', 'always', '--if', 'size over 1', '--then', 'delete'], /stands alone/],
    [['queue', 'list', '--hop', 'smtp:x'], /--hop: found "smtp:x"; allowed: relay:NAME or drop:NAME/],
    [['queue', 'list', '--limit', '1001'], /--limit: found "1001"; allowed: a whole number from 1 to 1000/],
    [['queue', 'list', '--from', 'me'], /--from: found "me"; allowed: an address, @DOMAIN or <>/],
    [['queue', 'list', '--older-than', '2'], /--older-than: found "2"; allowed: a time like 30m, 2h or 1d/],
    [['queue', 'show', 'x'], /"x" is no id of an item/],
    [['queue', 'hold'], /say which: ids of `hauspost queue list`, conditions like --hop, or --all/],
    [['queue', 'delete', '--yes'], /say which/],
    [['queue', 'hold', '--all', '--state', 'held'], /--all means everything/],
    [['queue', 'hold', '0'], /"0" is no id of an item/],
    [['queue', 'reroute', '--all'], /--to is missing: relay:NAME or drop:NAME/],
    [['queue', 'prioritize', '--all'], /--priority is missing: a whole number from -10 to 10/],
    [['queue', 'prioritize', '7', '--priority', '11'], /--priority: found "11"; allowed/],
  ];
  for (const [argv, message] of table) {
    const { exitCode, calls, err } = await run(argv);
    t.match({ exitCode, err }, { exitCode: 2, err: message }, argv.join(' '));
    t.strictSame(calls, []);
  }
});

t.test('the queue is shown a line for each item, and counted', async (t) => {
  const report = {
    items: [
      {
        id: 7,
        traceId: '01ARZ3NDEKTSV4RRFFQ6',
        contentId: 1,
        octets: 2048,
        reversePath: '',
        recipient: 'x@elsewhere.example',
        nextHop: { kind: 'relay', name: 'exchange' },
        isSmtpUtf8: false,
        priority: 0,
        state: 'waiting',
        attempts: 2,
        createdAt: Date.UTC(2026, 0, 1),
        nextAttemptAt: Date.UTC(2026, 0, 2),
        leasedUntil: undefined,
        lastReply: '451 later\u001b[2J',
      },
    ],
    counts: [{ nextHop: { kind: 'relay', name: 'exchange' }, state: 'waiting', items: 12 }],
    holds: [
      {
        nextHop: { kind: 'relay', name: 'exchange' },
        by: 'trouble',
        reason: 'Wrong password.',
        since: Date.UTC(2026, 0, 1),
      },
    ],
  } as unknown as QueueReport;
  const { out } = await run(['queue', 'list'], report);
  t.match(
    out,
    /^ID +TRACE.*\n7 +01ARZ3NDEKTSV4RRFFQ6 +waiting +relay:exchange +<> +x@elsewhere\.example +2 KB +2026-01-01T00:00:00\.000Z +2 +2026-01-02T00:00:00\.000Z +451 later\\u\{1b\}\[2J\nIn all waiting for relay:exchange: 12\nrelay:exchange is held by its own trouble since 2026-01-01T00:00:00\.000Z: Wrong password\.\n$/,
  );
  t.match(
    (await run(['queue', 'list'], { items: [], counts: [], holds: [] })).out,
    /^Nothing waits in the queue\.\n$/,
  );
  t.match(
    (await run(['queue', 'list'], { ...report, items: [] })).out,
    /^Nothing of that waits in the queue\.\nIn all/,
  );
});

t.test('verbs that change the queue tell what was changed and what was spared', async (t) => {
  const told = async (...argv: readonly string[]) =>
    (await run(['queue', ...argv], { changed: 2, spared: 1 })).out;
  t.equal(
    await told('hold', '--all'),
    'Held 2 items.\nSpared 1 item, since an attempt is being made: try again in a moment.\n',
  );
  t.match(await told('reroute', '--all', '--to', 'relay:b'), /^Sent on to relay:b: 2 items\.\n/);
  t.match(await told('prioritize', '--all', '--priority', '5'), /^Given the priority 5: 2 items\.\n/);
  t.equal(
    (await run(['queue', 'retry', '1'], { changed: 0, spared: 0 })).out,
    'Nothing was there to change.\n',
  );
});

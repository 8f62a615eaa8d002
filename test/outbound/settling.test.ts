/** What senders are told of items that left, failed or wait, and that a report is one commit with its items. */

import t from 'tap';
import { MailError } from '../../src/base/error.ts';
import { newTraceId, type TraceId } from '../../src/base/ids.ts';
import type { DsnCondition, QueueItem } from '../../src/store/contract/queue.ts';
import type { MessageTrace } from '../../src/store/contract/trace.ts';
import { tellTrace } from '../../src/admin/traceStory.ts';
import type { ItemResult } from '../../src/outbound/settling.ts';
import { failed, openSettlingSite, relayed } from './settlingSite.ts';

const FROM = 'sender@app.example';

t.test('one report tells of all failed recipients of a message, and ends their items', async (t) => {
  const site = await openSettlingSite(t);
  const recipients = ['a@far.example', 'b@far.example', 'c@far.example'];
  const [a, b, c] = (await site.queue({ reversePath: FROM, recipients })) as [
    QueueItem,
    QueueItem,
    QueueItem,
  ];
  await site.settling.settle([
    failed(a),
    relayed(b),
    failed(c, { status: '5.2.2', reply: '552 5.2.2 full' }),
  ]);
  t.strictSame(await site.items(), []);
  const [report = '', ...more] = await site.inbox(site.sender);
  t.equal(more.length, 0);
  t.match(report, /^Return-Path: <>\r\nReceived: by mail\.example\.com id \w{20}/);
  t.match(report, /\r\nFrom: Mail delivery <postmaster@app\.example>\r\nTo: <sender@app\.example>\r\n/);
  t.match(report, /\r\nIn-Reply-To: <1@app\.example>\r\n/);
  t.match(
    report,
    /Final-Recipient: rfc822; a@far\.example\r\nAction: failed\r\nStatus: 5\.1\.1\r\nRemote-MTA: dns; mx\.example\r\nDiagnostic-Code: smtp; 550 5\.1\.1 unknown\r\nLast-Attempt-Date: .*\r\n\r\nFinal-Recipient: rfc822; c@far\.example\r\n/,
  );
  t.notMatch(report, /b@far\.example/, 'who has the message is not told of');
  t.match(
    report,
    /Content-Type: text\/rfc822-headers\r\n[^\0]*\r\n\r\nReceived: from [^\0]*Subject: to be told\r\n/,
  );
  t.notMatch(report, /\r\nbody\r\n/);
  t.strictSame((await site.events(a)).toSorted(), [
    'failed a@far.example',
    'failed c@far.example',
    'relayed b@far.example',
    'reported a@far.example',
    'reported c@far.example',
  ]);
  const events = (await site.site.store.trace.find(a.traceId))?.events ?? [];
  const reported = events.find(({ kind }) => kind === 'reported');
  const ofReport = await site.site.store.trace.find(reported?.fields.report as TraceId);
  t.match(
    tellTrace(ofReport as MessageTrace),
    new RegExp(`Z {2}written by this server, a report about ${a.traceId}\n`),
    'the trace of the report names the message',
  );
});

t.test('NOTIFY says who hears what', async (t) => {
  const site = await openSettlingSite(t);
  const cases: readonly (readonly [DsnCondition[] | undefined, string])[] = [
    [undefined, 'failed delayed'],
    [['NEVER'], ''],
    [['SUCCESS'], 'relayed'],
    [['FAILURE'], 'failed'],
    [['DELAY'], 'delayed'],
    [['SUCCESS', 'FAILURE', 'DELAY'], 'failed delayed relayed'],
  ];
  let before = 0;
  for (const [notify, expected] of cases) {
    const told: string[] = [];
    for (const action of ['failed', 'delayed', 'relayed'] as const) {
      const dsn = {
        envid: 'QQ 1',
        recipients: new Map([
          ['a@far.example', { orcpt: 'rfc822;x+y@far.example', ...(notify === undefined ? {} : { notify }) }],
        ]),
      };
      const [item] = (await site.queue({ reversePath: FROM, recipients: ['a@far.example'], dsn })) as [
        QueueItem,
      ];
      const until = { willRetryUntil: site.clock.now() };
      const result: ItemResult =
        action === 'delayed'
          ? {
              ...failed(item, { action, status: '4.4.1', ...until }),
              settlement: { id: item.id, kind: 'delayTold' },
            }
          : action === 'failed'
            ? failed(item)
            : relayed(item);
      await site.settling.settle([result]);
      const reports = await site.inbox(site.sender);
      if (reports.length === before) continue;
      before = reports.length;
      const report = reports.at(-1) ?? '';
      t.match(report, /Original-Envelope-Id: QQ 1\r\n/);
      t.match(
        report,
        new RegExp(
          `Original-Recipient: rfc822; x\\+y@far\\.example\\r\\nFinal-Recipient: rfc822; a@far\\.example\\r\\nAction: ${action}\\r\\n`,
        ),
      );
      t.equal(/Will-Retry-Until: /.test(report), action === 'delayed');
      told.push(action);
    }
    t.equal(told.join(' '), expected, `NOTIFY=${notify}`);
  }
  const left = await site.items();
  t.equal(left.length, cases.length, 'what is only late stays in the queue');
});

t.test('RET=FULL brings a small message back whole, a large one as its header', async (t) => {
  const site = await openSettlingSite(t);
  const dsn = { ret: 'FULL', recipients: new Map() } as const;
  const envelope = { reversePath: FROM, recipients: ['a@far.example'], dsn };
  for (const [lines, type] of [
    [1, 'message/rfc822'],
    [5000, 'text/rfc822-headers'],
  ] as const) {
    const [item] = (await site.queue(
      envelope,
      undefined,
      `Subject: x\r\n\r\n${`${'body '.repeat(12)}\r\n`.repeat(lines)}`,
    )) as [QueueItem];
    await site.settling.settle([failed(item)]);
    const report = (await site.inbox(site.sender)).at(-1) ?? '';
    t.match(report, `Content-Type: ${type}\r\n`);
    t.equal(report.includes('body body'), type === 'message/rfc822');
    t.notMatch(report.slice(20), /Return-Path/);
  }
});

t.test(
  'when the store takes no report, what failed stays; when the door refuses it, the trace says so',
  async (t) => {
    let code: 'diskFull' | 'relayingDenied' = 'diskFull';
    const site = await openSettlingSite(t, {}, (options) => ({
      ...options,
      transfer: {
        accept: async () => ({
          kind: 'refused',
          traceId: newTraceId(options.clock.now()),
          error: new MailError(code),
        }),
      },
    }));
    const day = { nextHop: { kind: 'relay', name: 'm365' }, day: 1, messages: 1, recipients: 2 } as const;
    const envelope = { reversePath: FROM, recipients: ['a@far.example', 'b@far.example'] };
    const [item, other] = (await site.queue(envelope)) as [QueueItem, QueueItem];
    const results = [failed(item), relayed(other)];
    await t.rejects(site.settling.settle(results, day), { code: 'storeUnavailable' });
    const left = await site.items();
    t.strictSame(
      left.map(({ id }) => id),
      [item.id],
      'who has the message is settled, whatever becomes of the report',
    );
    code = 'relayingDenied';
    await site.settling.settle(results, day);
    t.strictSame(await site.items(), []);
    t.strictSame((await site.events(item)).toSorted(), [
      'dsnDue a@far.example relayingDenied',
      'failed a@far.example',
      'relayed b@far.example',
    ]);
    t.match(await site.site.store.queue.use(day.nextHop, 1), { messages: 1, recipients: 2 }, 'counted once');
  },
);

t.test('a report and the end of its items are one commit', async (t) => {
  // The store refuses the commit that has both: nothing of either is there.
  const site = await openSettlingSite(t);
  const [item] = (await site.queue({ reversePath: FROM, recipients: ['a@far.example'] })) as [QueueItem];
  const bad = {
    ...failed(item),
    settlement: { ...failed(item).settlement, event: { at: Number.NaN } },
  } as unknown as ItemResult;
  await site.settling.settle([bad]).catch(() => {});
  t.equal((await site.inbox(site.sender)).length, 0);
  t.equal((await site.items()).length, 1);
  await site.settling.settle([failed(item)]);
  t.equal((await site.inbox(site.sender)).length, 1);
  t.equal((await site.items()).length, 0);
});

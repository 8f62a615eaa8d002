/** Answers for accounts whose owners are away: what is answered, once, by the one door; and what never is (RFC 3834). */

import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { systemClock, type UnixMs, unixMs } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { DAY_MS } from '../../src/base/units.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { Vacation } from '../../src/store/contract/vacation.ts';
import type { Origin } from '../../src/transfer/contract.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import { isAway, messageSilence } from '../../src/transfer/vacation/silence.ts';
import { parseMessageHeader } from '../../src/wire/mime/messageHeader.ts';
import { createTestClock } from '../support/clock.ts';
import { openRoomSite } from '../support/site.ts';

const ORIGIN: Origin = {
  kind: 'smtp',
  listener: 'smtp',
  remoteAddress: '192.0.2.1',
  heloName: 'client.example.org',
  isExtended: true,
  tls: undefined,
  role: 'relayIn',
  submitter: { kind: 'anyone' },
};

const PATH = 'sender@example.org';

t.test('messages that programs and lists send are not answered', (t) => {
  const table: readonly (readonly [path: string, fields: string, silence: string | undefined])[] = [
    [PATH, 'Subject: x', undefined],
    ['', 'Subject: x', 'nullPath'],
    ['MAILER-DAEMON@example.org', '', 'systemSender'],
    ['postmaster', '', 'systemSender'],
    ['Postmaster@example.org', '', 'systemSender'],
    ['listserv@example.org', '', 'systemSender'],
    ['owner-dev@example.org', '', 'systemSender'],
    ['dev-owner@example.org', '', 'systemSender'],
    ['dev-request@example.org', '', 'systemSender'],
    ['owner@example.org', '', undefined],
    ['requests@example.org', '', undefined],
    [PATH, 'Auto-Submitted: auto-replied', 'automatic'],
    [PATH, 'auto-submitted: Auto-Generated; type=x', 'automatic'],
    [PATH, 'Auto-Submitted:', 'automatic'],
    [PATH, 'Auto-Submitted: No (a person)', undefined],
    [PATH, 'Auto-Submitted: no\r\nAuto-Submitted: auto-notified', 'automatic'],
    [PATH, 'Precedence: Bulk', 'list'],
    [PATH, 'Precedence: list', 'list'],
    [PATH, 'Precedence: junk', 'list'],
    [PATH, 'Precedence: first-class', undefined],
    [PATH, 'List-Id: <dev.example.org>', 'list'],
    [PATH, 'LIST-UNSUBSCRIBE: <mailto:x@example.org>', 'list'],
    [PATH, 'X-Auto-Response-Suppress: DR, OOF', 'suppressed'],
    [PATH, 'X-Auto-Response-Suppress: all', 'suppressed'],
    [PATH, 'X-Auto-Response-Suppress: AutoReply', 'suppressed'],
    [PATH, 'X-Auto-Response-Suppress: DR, RN', undefined],
  ];
  for (const [path, fields, silence] of table) {
    const header = parseMessageHeader(Buffer.from(`${fields}\r\n\r\n`), true);
    t.equal(messageSilence(path, header), silence, `<${path}> ${fields}`);
  }
  t.equal(messageSilence(PATH, parseMessageHeader(Buffer.from('Subject: x\r\n'), false)), 'headerTooLong');
  t.end();
});

t.test('an account is away between its days alone', (t) => {
  const vacation: Vacation = { account: 'a@app.example', isEnabled: true, text: 'x', daysBetween: 7 };
  const bounded = { ...vacation, startsAt: unixMs(10), endsAt: unixMs(20) };
  t.ok(isAway(vacation, unixMs(0)));
  t.notOk(isAway({ ...vacation, isEnabled: false }, unixMs(0)));
  t.strictSame(
    [9, 10, 19, 20].map((at) => isAway(bounded, unixMs(at))),
    [false, true, true, false],
  );
  t.end();
});

async function openDoor(t: Test) {
  const site = await openRoomSite(t);
  const { store, accounts } = site;
  const told: string[] = [];
  const asked: string[] = [];
  const anna = await site.addAccount('anna@app.example');
  const bert = await site.addAccount('bert@app.example');
  const clock = createTestClock(systemClock.now());
  const transfer = createTransfer({
    store: {
      ...store,
      deliveries: {
        ...store.deliveries,
        isClaimed(key, now) {
          asked.push(key);
          return store.deliveries.isClaimed(key, now);
        },
      },
      trace: { ...store.trace, note: (_, { kind }) => told.push(kind) },
    },
    accounts,
    serverName: 'mail.example.com',
    sizeLimitOctets: 100_000,
    isRelaying: () => true,
    clock,
    log: silentLog,
  });
  return {
    store,
    anna,
    bert,
    clock,
    asked,
    away: (account: Account, more: Partial<Vacation> = {}) =>
      store.directory.setVacation({
        account: account.address,
        isEnabled: true,
        text: 'I am away – until Monday.\nBye',
        daysBetween: 7,
        ...more,
      }),
    /** Answers the kinds of events of the message. */
    async accept(from: string, to: string, fields = `To: ${to}\r\nSubject: hello\r\nMessage-ID: <1@x>`) {
      async function* message() {
        yield Buffer.from(`${fields}\r\n\r\nbody\r\n`);
      }
      told.length = 0;
      const { traceId } = await transfer.accept({ reversePath: from, recipients: [to] }, message(), ORIGIN);
      const events = (await store.trace.find(traceId))?.events ?? [];
      return [...events.map(({ kind }) => kind), ...told];
    },
    async inbox({ id }: Account): Promise<string[]> {
      const inbox = await store.mailboxes.find(id, ['INBOX']);
      const messages: string[] = [];
      if (inbox === undefined) return messages;
      for await (const slice of store.mailboxes.entries(inbox.id, { first: 1, last: 2 ** 32 - 1 })) {
        for (const { contentId } of slice) {
          const content = await store.contents.open(contentId);
          messages.push((await buffer(content.read(0, content.octets))).toString('latin1'));
        }
      }
      return messages;
    },
  };
}

t.test('a sender is answered once within the days, and told anew when the text changes', async (t) => {
  const door = await openDoor(t);
  await door.accept('bert@app.example', 'anna@app.example');
  t.equal((await door.inbox(door.bert)).length, 0, 'nobody is answered unless it is set');
  await door.away(door.anna);
  t.strictSame(await door.accept('bert@app.example', 'anna@app.example'), ['accepted', 'stored', 'replied']);
  const [answer = ''] = await door.inbox(door.bert);
  t.match(answer, /^Return-Path: <>\r\nReceived: by mail\.example\.com id /);
  t.match(answer, /\r\nFrom: <anna@app\.example>\r\nTo: <bert@app\.example>\r\nSubject: Auto: hello\r\n/);
  t.match(answer, /\r\nIn-Reply-To: <1@x>\r\nReferences: <1@x>\r\nAuto-Submitted: auto-replied\r\n/);
  t.match(answer, /\r\nX-Auto-Response-Suppress: All\r\n/);
  t.match(answer, /\r\n\r\nI am away =E2=80=93 until Monday\.\r\nBye\r\n$/);
  t.notMatch(answer, /Precedence/i);
  t.strictSame(await door.accept('Bert@APP.example', 'anna@app.example'), ['accepted', 'stored']);
  t.equal((await door.inbox(door.bert)).length, 1);
  await door.away(door.anna, { subject: 'Fort\r\nX-Evil: 1', text: 'until Tuesday' });
  await door.accept('bert@app.example', 'anna@app.example');
  const [, second = ''] = await door.inbox(door.bert);
  t.match(second, /\r\nSubject: Fort X-Evil: 1\r\n/);
  const later = async (ms: number) =>
    door.store.deliveries.isClaimed(door.asked.at(-1) ?? '', (door.clock.now() + ms) as UnixMs);
  t.ok(await later(7 * DAY_MS - 1));
  t.notOk(await later(7 * DAY_MS + 1), 'the next one is answered again');
});

t.test('two accounts that are away answer each other once at most', async (t) => {
  const door = await openDoor(t);
  await door.away(door.anna);
  await door.away(door.bert);
  await door.accept('bert@app.example', 'anna@app.example');
  t.equal((await door.inbox(door.bert)).length, 1, 'the answer');
  t.equal((await door.inbox(door.anna)).length, 1, 'what is answered, and no answer of the answer');
});

t.test(
  'an account answers what is addressed to it, not itself, lists, nor what it does not keep',
  async (t) => {
    const door = await openDoor(t);
    const { directory } = door.store;
    await door.away(door.anna);
    await directory.addAlias({ address: 'info@app.example', targets: ['anna@app.example'], isEnabled: true });
    const list = { address: 'all@app.example', members: ['anna@app.example'], isEnabled: true };
    await directory.addList({ ...list, posters: { kind: 'anyone' } });
    const isAnswered = async (...message: Parameters<typeof door.accept>) =>
      (await door.accept(...message)).includes('replied');
    t.notOk(await isAnswered('bert@app.example', 'anna@app.example', 'To: bert@app.example'), 'Bcc');
    t.notOk(await isAnswered('bert@app.example', 'anna@app.example', 'Subject: nobody is named'));
    t.notOk(await isAnswered('bert@app.example', 'all@app.example'), 'a list of ours');
    t.notOk(await isAnswered('all@app.example', 'anna@app.example'), 'in the name of a list');
    t.notOk(await isAnswered('nobody@app.example', 'anna@app.example'), 'in the name of nobody');
    t.notOk(await isAnswered('info@app.example', 'anna@app.example'), 'itself');
    t.notOk(await isAnswered('bert@app.example', 'anna@app.example', 'To: anna@app.example\r\nList-Id: <x>'));
    const forward = { account: 'anna@app.example', targets: ['bert@app.example'], isEnabled: true };
    await directory.addForward({ ...forward, keepsCopy: false });
    t.notOk(await isAnswered('sender@app.example', 'anna@app.example'), 'no copy');
    await directory.removeForward('anna@app.example');
    t.equal((await door.inbox(door.bert)).filter((message) => message.includes('auto-replied')).length, 0);
    t.ok(
      await isAnswered('bert@app.example', 'info@app.example', 'Cc: x@y.example,\r\n "A" <INFO@app.example>'),
    );
  },
);

t.test('an answer leaves the house only by a route that the account may use', async (t) => {
  const door = await openDoor(t);
  await door.away(door.anna);
  t.strictSame(await door.accept(PATH, 'anna@app.example'), ['accepted', 'stored'], 'no route');
  await door.store.directory.addRoute({
    name: 'out',
    isEnabled: true,
    recipients: ['*'],
    senders: ['bert@app.example'],
    isOpenTo: 'submitters',
    target: { kind: 'relay', relay: 'exchange' },
  });
  t.strictSame(await door.accept(PATH, 'anna@app.example'), ['accepted', 'stored'], 'the route of another');
  await door.store.directory.setRoute('out', { senders: ['anna@app.example'] });
  t.strictSame(await door.accept(PATH, 'anna@app.example'), ['accepted', 'stored', 'replied']);
  t.strictSame(await door.accept(PATH, 'anna@app.example'), ['accepted', 'stored'], 'once');
});

/** Reports to senders through the one door: full mailboxes, NOTIFY, whom nobody can reach, and that nothing is lost. */

import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { silentLog } from '../../src/base/log.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { Envelope, EnvelopeDsn, Origin } from '../../src/transfer/contract.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
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

async function openDoor(t: Test) {
  const site = await openRoomSite(t);
  const { store, accounts } = site;
  const sender = await site.addAccount('sender@app.example');
  const full = await site.addAccount('full@app.example', 1);
  const free = await site.addAccount('free@app.example');
  const transfer = createTransfer({
    store,
    accounts,
    serverName: 'mail.example.com',
    sizeLimitOctets: 100_000,
    clock: createTestClock(),
    log: silentLog,
  });
  return {
    site,
    sender,
    full,
    free,
    async accept(envelope: Envelope) {
      async function* message() {
        yield Buffer.from('Subject: to be told\r\nX-Mine: yes\r\n\r\nbody is not told\r\n');
      }
      const { kind, traceId } = await transfer.accept(envelope, message(), ORIGIN);
      const events = (await store.trace.find(traceId))?.events ?? [];
      return {
        kind,
        events: events.map((event) => [event.kind, event.fields.recipient, event.fields.reason]),
      };
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

const BOTH = ['full@app.example', 'free@app.example'];

t.test('the sender is told of one full mailbox of several, and nothing is stored there', async (t) => {
  const door = await openDoor(t);
  const { kind, events } = await door.accept({ reversePath: 'sender@app.example', recipients: BOTH });
  t.equal(kind, 'accepted');
  t.strictSame(events, [
    ['accepted', undefined, undefined],
    ['withheld', 'full@app.example', 'overQuota'],
    ['reported', 'full@app.example', undefined],
    ['stored', 'free@app.example', undefined],
  ]);
  t.equal((await door.inbox(door.full)).length, 0);
  t.equal((await door.inbox(door.free)).length, 1);
  const [report = ''] = await door.inbox(door.sender);
  t.match(report, /^Return-Path: <>\r\nReceived: by mail\.example\.com id \w{20}/);
  t.match(report, /\r\nFrom: Mail delivery <postmaster@app\.example>\r\nTo: <sender@app\.example>\r\n/);
  t.match(report, /Final-Recipient: rfc822; full@app\.example\r\nAction: failed\r\nStatus: 5\.2\.2\r\n/);
  t.match(report, /X-Mine: yes/);
  t.notMatch(report, /body is not told/);
});

t.test('of a report, or where none is wanted, only the trace tells', async (t) => {
  const door = await openDoor(t);
  const null_ = await door.accept({ reversePath: '', recipients: BOTH });
  t.strictSame(null_.events[1], ['withheld', 'full@app.example', 'overQuota']);
  t.equal(null_.events.length, 3);
  const dsn: EnvelopeDsn = { recipients: new Map([['full@app.example', { notify: ['NEVER'] }]]) };
  const never = await door.accept({ reversePath: 'sender@app.example', recipients: BOTH, dsn });
  t.equal(never.events.length, 3);
  t.equal((await door.inbox(door.full)).length + (await door.inbox(door.sender)).length, 0);
});

t.test('where the sender cannot be told, the copy is stored, over quota or not', async (t) => {
  const door = await openDoor(t);
  for (const reversePath of ['somebody@elsewhere.example', 'nobody@app.example', 'full@app.example']) {
    const { kind, events } = await door.accept({ reversePath, recipients: BOTH });
    t.equal(kind, 'accepted');
    t.strictSame(events[1], ['dsnDue', 'full@app.example', 'overQuota'], reversePath);
  }
  t.equal((await door.inbox(door.full)).length, 3);
});

t.test('who is gone since RCPT is reported; success is where it was asked for', async (t) => {
  const door = await openDoor(t);
  const recipients = ['gone@app.example', 'free@app.example'];
  const dsn: EnvelopeDsn = {
    envid: 'E1',
    recipients: new Map([['free@app.example', { notify: ['SUCCESS'] }]]),
  };
  const { events } = await door.accept({ reversePath: 'sender@app.example', recipients, dsn });
  t.strictSame(
    events.map(([kind, recipient]) => [kind, recipient]),
    [
      ['accepted', undefined],
      ['refused', 'gone@app.example'],
      ['reported', 'gone@app.example'],
      ['stored', 'free@app.example'],
    ],
  );
  const [failed = '', delivered = ''] = await door.inbox(door.sender);
  t.match(failed, /gone@app\.example\r\nAction: failed\r\nStatus: 5\.1\.1\r\n/);
  t.match(delivered, /Original-Envelope-Id: E1\r\n/);
  // Mail programs and Exchange hide the second message of the same id.
  const idOf = (report: string) => /\r\nMessage-ID: <([^>]+)@mail\.example\.com>\r\n/.exec(report)?.[1];
  const boundaryOf = (report: string) => /boundary="report-(\w+)"/.exec(report)?.[1];
  t.equal(idOf(failed), boundaryOf(failed));
  t.not(idOf(failed), idOf(delivered));
  t.match(delivered, /free@app\.example\r\nAction: delivered\r\nStatus: 2\.0\.0\r\n/);
});

t.test('when all are full the sender keeps the message', async (t) => {
  const door = await openDoor(t);
  const { kind } = await door.accept({ reversePath: 'sender@app.example', recipients: ['full@app.example'] });
  t.equal(kind, 'refused');
  t.equal((await door.inbox(door.full)).length + (await door.inbox(door.sender)).length, 0);
});

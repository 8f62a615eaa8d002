/** The one door on its own: trace fields, the watch over the header, plans, refusals, and what is left when a message breaks off. */

import fc from 'fast-check';
import t, { type Test } from 'tap';
import { unixMs } from '../../src/base/clock.ts';
import { MailError } from '../../src/base/error.ts';
import type { TraceId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { MIB, MINUTE_MS } from '../../src/base/units.ts';
import {
  formatMessageHeader,
  type MessageHeader,
  valuesOf,
  withoutFields,
} from '../../src/wire/mime/messageHeader.ts';
import type { StoreHealth } from '../../src/store/contract/store.ts';
import { deliveredTo } from '../../src/transfer/loops.ts';
import { readHeader } from '../../src/transfer/readHeader.ts';
import type { Inspection, Origin, RecipientQuestion } from '../../src/transfer/contract.ts';
import { formatDate, formatReceived, formatReturnPath } from '../../src/transfer/traceFields.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import { createTestClock } from '../support/clock.ts';
import { openRoomSite } from '../support/site.ts';

const ORIGIN: Origin = {
  kind: 'smtp',
  listener: 'smtp',
  remoteAddress: '2001:db8::1',
  heloName: 'client.example.org',
  isExtended: true,
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  role: 'relayIn',
  submitter: { kind: 'anyone' },
};

/** What is known at RCPT of a message of so many octets. */
function question(octets: number): RecipientQuestion {
  return { octets, reversePath: 'a@sender.example', submitter: { kind: 'anyone' } };
}

async function openDoor(t: Test, sizeLimitOctets = 1000) {
  const site = await openRoomSite(t);
  const { store, accounts } = site;
  const clock = createTestClock();
  const notes: unknown[] = [];
  const trace = { ...store.trace, noteRefusal: (refusal: unknown) => void notes.push(refusal) };
  const transfer = createTransfer({
    store: { ...store, trace },
    accounts,
    serverName: 'mail.example.com',
    sizeLimitOctets,
    clock,
    log: silentLog,
  });
  return { site, transfer, clock, notes };
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

t.test('dates carry the zone they were given in', async (t) => {
  const at = unixMs(Date.UTC(2026, 10, 23, 23, 30, 5));
  t.equal(formatDate(at, 0), 'Mon, 23 Nov 2026 23:30:05 +0000');
  t.equal(formatDate(at, 60), 'Tue, 24 Nov 2026 00:30:05 +0100');
  t.equal(formatDate(at, -210), 'Mon, 23 Nov 2026 20:00:05 -0330');
});

t.test('a Received field tells one recipient, never several, and how TLS was', async (t) => {
  const input = {
    serverName: 'mail.example.com',
    traceId: '0123456789ABCDEFGHJK' as TraceId,
    reversePath: 'a@b',
    now: unixMs(0),
    zoneMinutes: 0,
  };
  const single = formatReceived({ ...input, origin: ORIGIN, recipients: ['x@y'] }).toString();
  t.equal(
    single,
    'Received: from client.example.org ([IPv6:2001:db8::1]) by mail.example.com\r\n with ESMTPS id 0123456789ABCDEFGHJK (TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n for <x@y>;\r\n Thu, 01 Jan 1970 00:00:00 +0000\r\n',
  );
  t.notMatch(formatReceived({ ...input, origin: ORIGIN, recipients: ['x@y', 'z@y'] }).toString(), /for </);
  t.match(
    formatReceived({
      ...input,
      origin: { ...ORIGIN, isExtended: false, tls: undefined },
      recipients: [],
    }).toString(),
    /with SMTP id/,
  );
  t.equal(formatReturnPath('').toString(), 'Return-Path: <>\r\n');
});

t.test('no value from outside becomes a header line, a comment or a path of its own', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const origin = { ...ORIGIN, heloName: text, tls: text, remoteAddress: text };
      const input = {
        origin,
        serverName: 's',
        traceId: 'T' as TraceId,
        reversePath: text,
        recipients: [text],
        now: unixMs(0),
        zoneMinutes: 0,
      };
      const fields = formatReturnPath(text).toString() + formatReceived(input).toString();
      const lines = fields.split('\r\n');
      return (
        /^Return-Path: <[^<>\r\n]*>$/.test(lines[0] ?? '') &&
        /^Received: from (\S+ \(|\[)/.test(lines[1] ?? '') &&
        lines.slice(2, -1).every((line) => line.startsWith(' ')) &&
        !/\r(?!\n)|(?<!\r)\n/.test(fields)
      );
    }),
    { numRuns: 5_000 },
  );
  t.pass('5,000 runs');
});

t.test('a header is read in any pieces, and not an octet is lost or looked at beyond it', async (t) => {
  const header =
    'Received: a\r\nRECEIVED : b\n  folded Received: no\r\nX-Received: no\r\nDelivered-To: <A@b.example>\r\n\r\n';
  const message = `${header}Received: body\r\n`;
  for (let cut = 0; cut <= message.length; cut += 1) {
    const read = await readHeader(pieces(message.slice(0, cut), message.slice(cut)), MIB);
    t.equal(read.octets.toString(), header, String(cut));
    t.ok(message.slice(header.length).startsWith(read.rest.toString()));
    t.strictSame(valuesOf(read.header, 'received'), ['a', 'b folded Received: no']);
    t.strictSame(deliveredTo(read.header), ['a@b.example']);
    t.equal(formatMessageHeader(read.header).toString(), header);
  }
});

t.test('a header without an end is read up to a limit', async (t) => {
  const shortLines = await readHeader(pieces('r\n'.repeat(10_000), 'Received: beyond\r\n\r\n'), MIB);
  t.equal(shortLines.header.isWhole, false);
  t.strictSame(valuesOf(shortLines.header, 'received'), []);
  const long = await readHeader(pieces(...Array.from({ length: 50 }, () => 'x'.repeat(100_000))), 2 * MIB);
  t.equal(long.header.isWhole, false);
  t.ok(long.octets.length < 1_200_000);
  t.strictSame(await readHeader(pieces(), MIB), {
    header: { fields: [], blankLine: Buffer.alloc(0), isWhole: true },
    octets: Buffer.alloc(0),
    rest: Buffer.alloc(0),
  });
});

t.test('any octets are put together again as they came', async (t) => {
  const octet = fc.constantFrom('\r', '\n', ':', ' ', 'a', 'B', '\t', '\0', 'é');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: octet, maxLength: 30 }), { maxLength: 5 }), async (texts) => {
      const read = await readHeader(pieces(...texts), MIB);
      const all = Buffer.from(texts.join(''));
      return all.subarray(0, read.octets.length).equals(formatMessageHeader(read.header));
    }),
    { numRuns: 3_000 },
  );
  t.pass('3,000 runs');
});

t.test('an inspection may change the header and refuse at each step, and sees every octet', async (t) => {
  const { site, transfer } = await openDoor(t);
  const account = await site.addAccount('seen@app.example.com');
  const envelope = { reversePath: '', recipients: ['seen@app.example.com'] };
  const message = () => pieces('X-Secret: s\r\nSub', 'ject: x\r\n\r\n', 'bo', 'dy\r\n');
  const seen: string[] = [];
  const inspection: Inspection = {
    header: (header) => withoutFields(header, new Set(['x-secret'])),
    octets: (block) => void seen.push(block.toString()),
  };
  t.match(await transfer.accept(envelope, message(), ORIGIN, inspection), { kind: 'accepted' });
  t.equal(seen.join(''), 'X-Secret: s\r\nSubject: x\r\n\r\nbody\r\n');
  const [stored] = await site.inbox(account);
  t.match(stored?.toString(), /\r\nSubject: x\r\n\r\nbody\r\n$/);
  t.notMatch(stored?.toString(), /Secret/);
  const refusal = new MailError('policyRefused', 'in the log', {
    publicText: 'The secret is missing\r\n250 ok',
  });
  const refused = { kind: 'refused', error: { code: 'policyRefused' } };
  const atHeader = { header: () => refusal };
  const atEnd = { header: (header: MessageHeader) => header, end: async () => refusal };
  t.match(await transfer.accept(envelope, message(), ORIGIN, atHeader), refused);
  t.match(await transfer.accept(envelope, message(), ORIGIN, atEnd), refused);
  t.equal((await site.inbox(account)).length, 1);
  t.equal(refusal.reply.publicText, 'The secret is missing??250 ok');
});

t.test('a message that breaks off is not stored, and the refusal names why', async (t) => {
  const { site, transfer, notes } = await openDoor(t);
  const account = await site.addAccount('a@app.example.com');
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('x');
    throw new MailError('connectionLost');
  }
  const envelope = { reversePath: '', recipients: ['a@app.example.com'] };
  t.match(await transfer.accept(envelope, broken(), ORIGIN), {
    kind: 'refused',
    error: { code: 'connectionLost' },
  });
  t.match(notes, [{ event: { kind: 'refused', fields: { reason: 'connectionLost' } } }]);
  t.equal((await site.store.mailboxes.usage(account.id)).messages, 0);
});

t.test('a refused message is read no further, and the refusal is noted for the trace', async (t) => {
  const { site, transfer, notes } = await openDoor(t);
  await site.addAccount('a@app.example.com');
  let blocks = 0;
  let isLetGo = false;
  async function* large(): AsyncGenerator<Buffer> {
    try {
      for (; blocks < 5; blocks += 1) yield Buffer.alloc(500, 'x');
    } finally {
      isLetGo = true;
    }
  }
  const acceptance = await transfer.accept(
    { reversePath: 'b@example.org', recipients: ['a@app.example.com'] },
    large(),
    ORIGIN,
  );
  t.match(acceptance, { kind: 'refused', error: { code: 'messageTooLarge' } });
  t.equal(blocks, 2);
  t.equal(isLetGo, true);
  t.match(notes, [
    { reversePath: 'b@example.org', event: { kind: 'refused', fields: { reason: 'messageTooLarge' } } },
  ]);
});

t.test(
  'a recipient that went meanwhile costs the others nothing; when all went, the message is refused',
  async (t) => {
    const { site, transfer } = await openDoor(t);
    const account = await site.addAccount('stays@app.example.com');
    const both = { reversePath: '', recipients: ['gone@app.example.com', 'stays@app.example.com'] };
    const { kind, traceId } = await transfer.accept(both, pieces('x\r\n'), ORIGIN);
    t.equal(kind, 'accepted');
    const { events = [] } = (await site.store.trace.find(traceId)) ?? {};
    t.strictSame(
      events.map((event) => [event.kind, event.fields.recipient ?? '']),
      [
        ['accepted', ''],
        ['refused', 'gone@app.example.com'],
        ['stored', 'stays@app.example.com'],
      ],
    );
    t.equal((await site.store.mailboxes.usage(account.id)).messages, 1);
    const none = { reversePath: '', recipients: ['gone@app.example.com'] };
    t.match(await transfer.accept(none, pieces('x\r\n'), ORIGIN), {
      kind: 'refused',
      error: { code: 'recipientUnknown' },
    });
  },
);

t.test('RCPT is answered from the directory: unknown, disabled, foreign, full, fine', async (t) => {
  const { site, transfer } = await openDoor(t);
  await site.addAccount('fine@app.example.com', 1000);
  await site.addAccount('off@app.example.com');
  await site.administration.accounts.set('off@app.example.com', { isEnabled: false });
  const cases: [string, number, object][] = [
    ['fine@app.example.com', 10, { kind: 'accepted' }],
    ['fine@app.example.com', 1001, { kind: 'refused', error: { code: 'overQuota' } }],
    ['nobody@app.example.com', 0, { kind: 'refused', error: { code: 'recipientUnknown' } }],
    ['off@app.example.com', 0, { kind: 'refused', error: { code: 'recipientDisabled' } }],
    ['a@example.net', 0, { kind: 'refused', error: { code: 'relayingDenied' } }],
  ];
  for (const [path, octets, expected] of cases)
    t.match(await transfer.checkRecipient(path, question(octets)), expected, path);
});

t.test('what the store does wrong is temporary, whatever it calls it, and leaves no draft', async (t) => {
  const { site } = await openDoor(t);
  await site.addAccount('a@app.example.com');
  const envelope = { reversePath: '', recipients: ['a@app.example.com'] };
  const failures: [unknown, string][] = [
    [new MailError('cannot', 'the draft is sealed'), '451 4.3.0'],
    [new MailError('diskFull'), '452 4.3.1'],
    [new MailError('shuttingDown'), '421 4.3.2'],
    [new TypeError('a bug'), '451 4.3.0'],
  ];
  for (const [failure, expected] of failures) {
    for (const place of ['begin', 'write', 'deliver'] as const) {
      const log: string[] = [];
      const transfer = createTransfer({
        store: failingStore(site.store, place, () => Promise.reject(failure), log),
        accounts: site.accounts,
        serverName: 'mail.example.com',
        sizeLimitOctets: 1000,
        clock: createTestClock(),
        log: silentLog,
      });
      const acceptance = await transfer.accept(envelope, pieces('x'), ORIGIN);
      const { smtp } =
        acceptance.kind === 'refused' ? acceptance.error.reply : { smtp: { code: 250, status: '' } };
      // A begin that fails has no message of its own: it is a promise, which cannot be begun with.
      t.equal(
        `${smtp.code} ${smtp.status}`,
        place === 'begin' ? '451 4.3.0' : expected,
        `${place} ${failure}`,
      );
      t.equal(log.join(), place === 'begin' ? 'noted' : 'noted,discarded');
    }
  }
});

t.test('a commit, or a write, that takes too long is told as temporary', async (t) => {
  const { site } = await openDoor(t);
  await site.addAccount('a@app.example.com');
  for (const place of ['write', 'deliver'] as const) {
    const clock = createTestClock();
    const { promise: stuck, resolve: isStuck } = Promise.withResolvers<void>();
    const hang = () => {
      isStuck();
      return new Promise<never>(() => {});
    };
    const transfer = createTransfer({
      store: failingStore(site.store, place, hang, []),
      accounts: site.accounts,
      serverName: 'mail.example.com',
      sizeLimitOctets: 1000,
      clock,
      log: silentLog,
    });
    const envelope = { reversePath: '', recipients: ['a@app.example.com'] };
    const accepting = transfer.accept(envelope, pieces('x'), ORIGIN);
    await stuck;
    clock.advance(5 * MINUTE_MS);
    t.match(await accepting, { kind: 'refused', error: { code: 'deadlineExceeded' } }, place);
  }
});

type DoorStore = Parameters<typeof createTransfer>[0]['store'];

/** The store, but for one place where it does what `fail` does; `log` hears of notes and of drafts that are given up. */
function failingStore(
  store: DoorStore,
  place: 'begin' | 'write' | 'deliver',
  fail: () => Promise<never>,
  log: string[],
): DoorStore {
  const begin = () => {
    if (place === 'begin') throw new TypeError('no draft can be begun');
    const draft = store.contents.begin();
    return {
      octets: 0,
      write: (chunk: Uint8Array) => (place === 'write' ? fail() : draft.write(chunk)),
      discard: () => {
        log.push('discarded');
        draft.discard();
      },
    };
  };
  return {
    ...store,
    health: () => store.health(),
    contents: { ...store.contents, begin },
    deliveries: { ...store.deliveries, deliver: fail },
    trace: { ...store.trace, noteRefusal: () => void log.push('noted') },
  };
}

t.test(
  'an alias is refused for quota only when all behind it are full; then each has its copy',
  async (t) => {
    const { site, transfer } = await openDoor(t);
    const full = await site.addAccount('full@app.example.com', 1);
    const free = await site.addAccount('free@app.example.com');
    const add = (name: string, ...targets: string[]) =>
      site.administration.aliases.add({ address: `${name}@app.example.com`, targets });
    await add('both', full.address, free.address);
    await add('none', full.address);
    t.match(await transfer.checkRecipient('none@app.example.com', question(2)), {
      error: { code: 'overQuota' },
    });
    t.match(await transfer.checkRecipient('both@app.example.com', question(100)), { kind: 'accepted' });
    const recipients = ['both@app.example.com', full.address, 'BOTH@app.example.com'];
    t.match(await transfer.accept({ reversePath: '', recipients }, pieces('x'), ORIGIN), {
      kind: 'accepted',
    });
    for (const { id } of [full, free]) t.equal((await site.store.mailboxes.usage(id)).messages, 1);
  },
);

t.test(
  'a disk without room for twice the message beside the reserve refuses it at RCPT, and is looked at once in a second',
  async (t) => {
    const { site } = await openDoor(t);
    const account = await site.addAccount('a@app.example.com');
    const clock = createTestClock();
    let looks = 0;
    let freeOctets = 1300;
    const health = async (): Promise<StoreHealth> => {
      looks += 1;
      if (freeOctets > 0) return { kind: 'healthy', freeOctets };
      return { kind: 'unhealthy', freeOctets, problem: 'full' };
    };
    const transfer = createTransfer({
      store: { ...site.store, health },
      accounts: site.accounts,
      serverName: 'mail.example.com',
      sizeLimitOctets: 1000,
      reserveOctets: 300,
      clock,
      log: silentLog,
    });
    const check = (octets: number) => transfer.checkRecipient(account.address, question(octets));
    t.match(await check(500), { kind: 'accepted' });
    t.match(await check(501), { error: { code: 'diskFull' } });
    t.match(await check(0), { error: { code: 'diskFull' } }, 'one of unknown size may be as large as any');
    t.match(await transfer.checkRecipient('x@elsewhere.example', question(501)), {
      error: { code: 'relayingDenied' },
    });
    t.equal(looks, 1);
    freeOctets = 0;
    clock.advance(1000);
    t.match(await check(0), { error: { code: 'diskFull' } });
    freeOctets = 2300;
    clock.advance(1000);
    t.match(await check(0), { kind: 'accepted' });
  },
);

t.test('Delivered-To is compared as addresses are, with recipients and with what they lead to', async (t) => {
  const { site, transfer } = await openDoor(t);
  await site.addAccount('a@app.example.com');
  await site.administration.aliases.add({ address: 'list@app.example.com', targets: ['a@app.example.com'] });
  const send = (header: string, to: string) =>
    transfer.accept({ reversePath: '', recipients: [to] }, pieces(header, '\r\n\r\nbody'), ORIGIN);
  const loop = { kind: 'refused', error: { code: 'mailLoop' } };
  const accepted = { kind: 'accepted' };
  t.match(await send('Delivered-To: LIST@App.Example.Com', 'list@app.example.com'), loop);
  t.match(await send('delivered-to : <a@app.example.com>', 'list@app.example.com'), loop);
  t.match(await send('Delivered-To: a@elsewhere.example', 'a@app.example.com'), accepted);
  t.match(await send('X: y\r\n\r\nDelivered-To: a@app.example.com', 'a@app.example.com'), accepted);
});

t.test('a message that was here four times before goes round, whoever else has stamped it', async (t) => {
  const { site, transfer } = await openDoor(t, 100_000);
  await site.addAccount('a@app.example.com');
  const stamp = (serverName: string, id = '0123456789ABCDEFGHJK') =>
    formatReceived({
      ...{ origin: ORIGIN, serverName, traceId: id as TraceId, recipients: ['a@app.example.com'] },
      now: unixMs(0),
      zoneMinutes: 0,
    }).toString();
  const own = stamp('MAIL.example.com');
  const foreign = stamp('mail.example.org') + stamp('mail.example.com', 'not-one-of-ours');
  // A field that only looks like two of ours counts once.
  const longWinded = own.replace(';', ` (${own.slice(10).replaceAll('\r\n', '')});`);
  const send = (header: string) =>
    transfer.accept(
      { reversePath: '', recipients: ['a@app.example.com'] },
      pieces(header, 'Subject: x\r\n\r\n'),
      ORIGIN,
    );
  t.match(await send((own + foreign).repeat(3)), { kind: 'accepted' });
  t.match(await send(longWinded.repeat(3)), { kind: 'accepted' });
  t.match(await send(`X: y\r\n\r\n${own.repeat(5)}`), { kind: 'accepted' }, 'what the text quotes is none');
  t.match(await send((own + foreign).repeat(4)), {
    kind: 'refused',
    error: { code: 'mailLoop', message: /here 4 times/ },
  });
});

t.test('an account that goes between the plan and the commit leaves no 250 behind', async (t) => {
  const { site } = await openDoor(t);
  const account = await site.addAccount('goes@app.example.com');
  const removed = site.administration.accounts.remove('goes@app.example.com');
  await removed;
  await t.rejects(site.deliver('x\r\n', account), { code: 'recipientUnknown' });
});

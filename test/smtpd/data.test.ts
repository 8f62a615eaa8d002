/** The data phase: smuggling, un-stuffing, sizes, bare line ends, back-pressure, deadlines that dribbling does not reset. */

import fc from 'fast-check';
import t from 'tap';

import { MailError } from '../../src/base/error.ts';
import { KIB, MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import type { SessionDoor } from '../../src/smtpd/context.ts';
import { MessageBody } from '../../src/smtpd/engine/messageBody.ts';
import { ACCEPT_DEADLINE_MS, BODY_WINDOW_OCTETS } from '../../src/smtpd/limits.ts';
import { createTestClock } from '../support/clock.ts';
import type { Client } from '../support/sockets.ts';
import {
  ask,
  asSent,
  begin,
  DOMAIN,
  dribble,
  handOver,
  openSmtpSite,
  type SmtpServer,
  turns,
} from './harness.ts';

const site = await openSmtpSite(t);
const { tickets } = site;

/** A client that has been told to go ahead. */
async function inData(server: SmtpServer): Promise<Client> {
  const client = await server.greeted();
  await begin(client);
  return client;
}

/** What came after the go-ahead. */
const afterGoAhead = (received: string) =>
  received.slice(received.lastIndexOf('354 ')).replace(/^354 .*\r\n/, '');

t.test('no mixture of CR, LF and dots ends the data, in one segment or octet by octet', async (t) => {
  const server = await site.serve(t);
  const ends = ['\r\n', '\n', '\r', '\n\r', '\r\r\n', '\n\n', '\r\0\n'];
  const before = (await site.inbox(tickets)).length;
  const sent: string[] = [];
  for (const start of ends) {
    for (const end of ends) {
      for (const dots of ['.', '..']) {
        if (start.endsWith('\r\n') && dots === '.' && end.startsWith('\r\n')) continue;
        const tail = `${start}${dots}${end}MAIL FROM:<evil@x.example>\r\nRCPT TO:<tickets@${DOMAIN}>\r\nDATA\r\nevil`;
        sent.push(`Subject: smuggled\r\n\r\nfirst${tail}`);
      }
    }
  }
  for (const [index, message] of sent.entries()) {
    const client = await inData(server);
    const data = Buffer.from(`${message}\r\n.\r\n`);
    if (index % 2 === 0) client.send(data);
    else await dribble(client, data);
    client.send('QUIT\r\n');
    t.match(afterGoAhead(await client.closed()), /^250 2.0.0 Queued as \w+\r\n221 2.0.0 Bye\r\n$/);
  }
  const stored = (await site.inbox(tickets))
    .slice(before)
    .map((message) => asSent(message).toString('latin1'));
  t.equal(stored.length, sent.length, 'as many messages as were sent');
  const expected = sent.map((message) => `${unstuffed(message)}\r\n`);
  t.strictSame([...stored].sort(), expected.sort());
});

/** A dot after CRLF goes, no other. */
const unstuffed = (message: string) => message.replace(/\r\n\./g, '\r\n');

t.test('any octets handed over with stuffed dots are stored as they were', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  const before = (await site.inbox(tickets)).length;
  const piece = fc.constantFrom(
    '\r\n',
    '.',
    '\r',
    '\n',
    'a',
    '\0',
    '\xff',
    '\r\n.',
    '\r\n..\r\n',
    'x'.repeat(5000),
  );
  const samples = fc.sample(fc.array(piece, { maxLength: 12 }), { numRuns: 90, seed: 20261123 });
  const messages = samples.map((pieces) => `${pieces.join('')}\r\n`);
  for (const message of messages) {
    const stuffed = `\r\n${message}`.replace(/\r\n\./g, '\r\n..').slice(2);
    // A client that pipelines beyond what RFC 2920 allows: the message in one segment with DATA.
    client.send(`MAIL FROM:<a@sender.example>\r\nRCPT TO:<tickets@${DOMAIN}>\r\nDATA\r\n`);
    client.send(Buffer.from(`${stuffed}.\r\n`, 'latin1'));
  }
  client.send('QUIT\r\n');
  t.equal((await client.closed()).match(/Queued as/g)?.length, messages.length);
  const stored = (await site.inbox(tickets)).slice(before);
  t.strictSame(
    stored.map((message) => asSent(message).toString('latin1')),
    messages,
  );
});

t.test('odd octets are stored as they came', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  const messages = [
    '',
    'no header',
    '\0\x01\xff\x80\r\n',
    '.\r\n..\r\n',
    'a\rb\nc\n\nd\r',
    `${'x'.repeat(10_000)}`,
    '\r\n\r\n',
  ];
  for (const message of messages) {
    await begin(client);
    const stuffed = message.replace(/^\.|\r\n\./g, '$&.');
    await ask(client, Buffer.from(stuffed === '' ? '.\r\n' : `${stuffed}\r\n.\r\n`, 'latin1'), '250');
    const stored = asSent((await site.inbox(tickets)).at(-1) ?? Buffer.alloc(0)).toString('latin1');
    t.equal(stored, message === '' ? '' : `${message}\r\n`);
  }
});

t.test('bare line ends are refused where that is set, wherever the segments end', async (t) => {
  const server = await site.serve(t, { bareLineFeed: 'refuse' });
  const before = (await site.inbox(tickets)).length;
  for (const [text, isFine] of [
    ['fine\r\nlines', true],
    ['a\nb', false],
    ['a\rb', false],
    ['a\r', false],
    ['a\n', false],
    ['a\r\r\nb', false],
    ['a\n\r\nb', false],
  ] as const) {
    for (const isDribbled of [false, true]) {
      const client = await inData(server);
      const data = Buffer.from(`Subject: x\r\n\r\n${text}\r\n.\r\n`);
      if (isDribbled) await dribble(client, data);
      else client.send(data);
      const expected = isFine ? '250 2.0.0 Queued' : '550 5.6.0 The message has a CR or LF';
      t.match(afterGoAhead(await client.until(/354 .*\r\n.*\r\n/)), expected, JSON.stringify(text));
    }
  }
  t.equal((await site.inbox(tickets)).length, before + 2);
});

t.test('a message beyond the size is read to its end, refused, and the session goes on', async (t) => {
  const server = await site.serve(t, { sizeLimitOctets: 64 * KIB });
  const before = (await site.inbox(tickets)).length;
  const client = await inData(server);
  client.send(`${'x'.repeat(64 * KIB - 2)}\r\n.\r\n`);
  t.match(afterGoAhead(await client.until(/354 .*\r\n.*\r\n/)), '250 2.0.0', 'the limit itself is fine');
  await begin(client);
  t.match(
    await ask(client, `${'x'.repeat(100 * KIB)}\r\n.\r\nNOOP\r\n`, '250'),
    /^552 5.3.4 The message is larger than this server accepts\r\n250 2.0.0 OK/,
  );
  t.equal((await site.inbox(tickets)).length, before + 1);
});

t.test('a client that does not stop is told so and cut', async (t) => {
  const server = await site.serve(t, { sizeLimitOctets: 64 * KIB });
  const client = await inData(server);
  const block = Buffer.alloc(64 * KIB, 'x\r\n');
  client.socket.on('error', () => {});
  let sent = 0;
  while (sent < 4096 && !client.socket.destroyed && !/\r\n552 /.test(client.received)) {
    await new Promise<void>((done) => client.socket.write(block, () => done()));
    sent += 1;
  }
  t.match(await client.closed(), /\r\n552 5.3.4 [^\r]*\r\n$/);
  t.ok(sent < 4096, `cut after ${sent} blocks`);
});

t.test('20 MB of dot lines cost little CPU and no memory to speak of', async (t) => {
  let octets = 0;
  const transfer: SessionDoor = {
    checkSender: async () => ({ kind: 'accepted' }),
    note: () => {},
    checkRecipient: async () => ({ kind: 'accepted' }),
    async accept(_envelope, message) {
      for await (const block of message) octets += block.length;
      return { kind: 'refused', traceId: '' as never, error: new MailError('mailLoop') };
    },
  };
  const server = await site.serve(t, { transfer });
  const block = Buffer.from('..\r\n'.repeat(16 * KIB));
  const costs: { readonly cpuMs: number; readonly grownKib: number }[] = [];
  const isCheap = ({ cpuMs, grownKib }: (typeof costs)[number]) => cpuMs < 2000 && grownKib < 64 * KIB;
  // A loaded machine keeps the collector's threads waiting: what is dead is in memory still, 80 MB of it.
  for (let tries = 0; tries < 4 && !costs.some(isCheap); tries += 1) {
    octets = 0;
    const client = await inData(server);
    const beganRss = process.memoryUsage.rss();
    const before = process.cpuUsage();
    for (let sent = 0; sent < 20_000_000; sent += block.length)
      await new Promise<void>((done) => client.socket.write(block, () => done()));
    client.send('.\r\n');
    t.match(afterGoAhead(await client.until(/354 .*\r\n.*\r\n/)), '554 5.4.6');
    t.equal(octets, 15_040_512);
    const { user, system } = process.cpuUsage(before);
    costs.push({
      cpuMs: (user + system) / 1000,
      grownKib: (process.memoryUsage.rss() - beganRss) / KIB,
    });
  }
  // The figures of the audit of smtp-server, which took 1.1 GB; the client's part is in them. What was taken once is not taken again.
  t.ok(costs.some(isCheap), JSON.stringify(costs));
  t.ok(
    costs.every(({ grownKib }) => grownKib < 256 * KIB),
    JSON.stringify(costs),
  );
});

t.test('a body holds its parser back, and small pieces cost no more than their octets', async (t) => {
  const clock = createTestClock();
  const body = new MessageBody(clock, 1000);
  let pushed = 0;
  let isHeld = false;
  const before = process.memoryUsage().arrayBuffers;
  while (!isHeld) {
    body.push(Buffer.from('x'));
    pushed += 1;
    let isOn = false;
    body.whenRoom(() => {
      isOn = true;
    });
    isHeld = !isOn;
  }
  t.equal(pushed, BODY_WINDOW_OCTETS);
  t.ok(process.memoryUsage().arrayBuffers - before < 4 * BODY_WINDOW_OCTETS);
  clock.advance(7000);
  t.equal(body.heldMs, 7000, 'the time in which we keep the client waiting is known');
  const blocks: number[] = [];
  const reading = (async () => {
    for await (const block of body) blocks.push(block.length);
  })();
  body.end();
  await reading;
  t.equal(
    blocks.reduce((sum, length) => sum + length, 0),
    pushed,
  );
  t.ok(blocks.length <= 4, `${blocks.length} blocks`);
});

t.test('a body gives what was pushed, in order, whatever the sizes and whenever it is read', async () => {
  const step = fc.oneof(
    fc.record({ push: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 4000, max: 70_000 })) }),
    fc.constant({ push: 0 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const body = new MessageBody(createTestClock(), 0);
      const reader = body[Symbol.asyncIterator]();
      const pushed: Buffer[] = [];
      const read: Buffer[] = [];
      for (const { push } of steps) {
        if (push > 0) {
          const octets = Buffer.alloc(push, pushed.length + 1);
          pushed.push(Buffer.from(octets));
          body.push(octets);
        } else if (Buffer.concat(read).length < Buffer.concat(pushed).length) {
          const { value } = await reader.next();
          read.push(Buffer.from(value ?? ''));
        }
      }
      body.end();
      // What fails after the end changes nothing: the message is whole.
      body.fail(new MailError('connectionLost'));
      for await (const block of { [Symbol.asyncIterator]: () => reader }) read.push(Buffer.from(block));
      return Buffer.concat(read).equals(Buffer.concat(pushed));
    }),
    { numRuns: 200, seed: 20261124 },
  );
});

t.test('a reader that leaves lets the rest pass', async (t) => {
  const body = new MessageBody(createTestClock(), 10 * BODY_WINDOW_OCTETS);
  body.push(Buffer.from('first'));
  for await (const block of body) {
    t.equal(block.toString(), 'first');
    break;
  }
  body.push(Buffer.alloc(2 * BODY_WINDOW_OCTETS));
  let isOn = false;
  body.whenRoom(() => {
    isOn = true;
  });
  t.ok(isOn);
});

t.test('a body that failed gives no end, however much of it had come', async (t) => {
  const body = new MessageBody(createTestClock(), 1000);
  body.push(Buffer.from('half'));
  body.fail(new MailError('connectionLost'));
  await t.rejects(
    (async () => {
      for await (const block of body) t.fail(`got ${block}`);
    })(),
    { code: 'connectionLost' },
  );
  await body.over;
  t.notOk(body.hasEnded);
});

t.test('dribbling does not extend the time for a command', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  client.send('NO');
  for (let elapsed = 0; elapsed < 5 * MINUTE_MS - SECOND_MS; elapsed += 30 * SECOND_MS) {
    server.clock.advance(30 * SECOND_MS - (elapsed === 0 ? SECOND_MS : 0));
    await new Promise<void>((done) => client.socket.write('O', () => done()));
    t.notMatch(client.received, '421');
  }
  server.clock.advance(SECOND_MS);
  t.match(await client.closed(), /\r\n421 4.4.2 Too long without a command\r\n$/);
});

t.test('commands alone do not hold a session for ever, messages do', async (t) => {
  const server = await site.serve(t);
  const [idle, busy] = [await server.greeted(), await inData(server)];
  busy.send('x\r\n.\r\n');
  await busy.until(/Queued/);
  for (let minute = 0; minute < 15; minute += 3) {
    server.clock.advance(3 * MINUTE_MS);
    if (minute === 12) break;
    await ask(idle, 'NOOP\r\n', '250');
    await handOver(busy, 'x');
  }
  t.match(await idle.closed(), /\r\n421 4.4.2 Too long without a message\r\n$/);
  busy.send('QUIT\r\n');
  t.match(await busy.closed(), /221 2.0.0 Bye\r\n$/);
});

t.test('data that dribbles is cut off and stores nothing; data at a fair pace is not', async (t) => {
  const server = await site.serve(t);
  const before = (await site.inbox(tickets)).length;
  const [slow, fair] = [await inData(server), await inData(server)];
  const minute = Buffer.alloc(40_000, 'x\r\n');
  for (let elapsed = 0; elapsed < 5; elapsed += 1) {
    t.notMatch(slow.received, '421');
    await new Promise<void>((done) => slow.socket.write('x', () => done()));
    await new Promise<void>((done) => fair.socket.write(minute, () => done()));
    await turns();
    server.clock.advance(MINUTE_MS);
  }
  // Five octets at 500 a second.
  t.notMatch(slow.received, '421');
  server.clock.advance(10);
  t.match(await slow.closed(), /\r\n421 4.4.2 The message comes too slowly\r\n$/);
  fair.send('\r\n.\r\n');
  t.match(await fair.until(/354 .*\r\n.*\r\n/), /250 2.0.0 Queued/);
  t.equal((await site.inbox(tickets)).length, before + 1);
});

t.test('a client that sends much at once may not rest on it', async (t) => {
  let octets = 0;
  const transfer: SessionDoor = {
    ...site.createTransfer(),
    note: () => {},
    checkRecipient: async () => ({ kind: 'accepted' }),
    async accept(_envelope, message) {
      for await (const block of message) octets += block.length;
      return { kind: 'accepted', traceId: 'X' as never };
    },
  };
  const server = await site.serve(t, { transfer });
  const client = await inData(server);
  client.send(Buffer.alloc(10_000_000, 'x'));
  while (octets < 10_000_000) await turns();
  server.clock.advance(9 * MINUTE_MS);
  t.notMatch(client.received, '421');
  server.clock.advance(MINUTE_MS);
  t.match(await client.closed(), /\r\n421 4.4.2 The message comes too slowly\r\n$/);
});

t.test('a client is not blamed for the time in which the store keeps it waiting', async (t) => {
  let goOn = () => {};
  const transfer: SessionDoor = {
    checkSender: async () => ({ kind: 'accepted' }),
    note: () => {},
    checkRecipient: async () => ({ kind: 'accepted' }),
    async accept(_envelope, message) {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      for await (const _block of message);
      return { kind: 'refused', traceId: '' as never, error: new MailError('storeUnavailable') };
    },
  };
  const server = await site.serve(t, { transfer });
  const client = await inData(server);
  let isTaken = false;
  const all = new Promise<void>((done) => {
    client.socket.write(Buffer.alloc(64_000_000, 'x\r\n'), () => {
      isTaken = true;
      done();
    });
  });
  await turns();
  t.notOk(isTaken, 'nobody reads, so it stays with the client');
  server.clock.advance(60 * MINUTE_MS);
  t.notMatch(client.received, '421');
  goOn();
  await all;
  client.send('\r\n.\r\n');
  t.match(await client.until(/354 .*\r\n.*\r\n/), /451 4.3.0/);
});

t.test('nobody is blamed for the time of the commit, and closing waits for it', async (t) => {
  const commits = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const [commit, commitOfCut] = commits;
  const waiting = [...commits];
  const reached = Promise.withResolvers<void>();
  const transfer: SessionDoor = {
    checkSender: async () => ({ kind: 'accepted' }),
    note: () => {},
    checkRecipient: async () => ({ kind: 'accepted' }),
    async accept(_envelope, message) {
      for await (const _block of message);
      const own = waiting.shift()?.promise;
      if (waiting.length === 0) reached.resolve();
      await own;
      return { kind: 'accepted', traceId: 'X' as never };
    },
  };
  const server = await site.serve(t, { transfer });
  const [patient, cut] = [await inData(server), await inData(server)];
  patient.send('x\r\n.\r\n');
  while (waiting.length === 2) await turns();
  cut.send('x\r\n.\r\n');
  await reached.promise;
  await turns();
  server.clock.advance(8 * MINUTE_MS);
  t.notMatch(patient.received, '421');
  cut.socket.resetAndDestroy();
  let isClosed = false;
  const closing = server.close(600 * MINUTE_MS).then(() => {
    isClosed = true;
  });
  commit?.resolve();
  t.match(await patient.closed(), /\r\n250 2.0.0 Queued as X\r\n421 4.3.2 /);
  patient.socket.destroy();
  while (server.connections > 0) await turns();
  await turns();
  t.notOk(isClosed, 'the commit of the client that is gone is under way');
  commitOfCut?.resolve();
  await closing;
});

t.test('a message that nobody decides about is answered in time, as our fault', async (t) => {
  const transfer: SessionDoor = {
    checkSender: async () => ({ kind: 'accepted' }),
    note: () => {},
    checkRecipient: async () => ({ kind: 'accepted' }),
    async accept(_envelope, message) {
      for await (const _block of message);
      return new Promise(() => {});
    },
  };
  const server = await site.serve(t, { transfer });
  const client = await inData(server);
  client.send('x\r\n.\r\nNOOP\r\n');
  await turns();
  server.clock.advance(ACCEPT_DEADLINE_MS - 1);
  await turns();
  t.notMatch(client.received, '451');
  server.clock.advance(1);
  t.match(
    await client.until(/OK/),
    /354 .*\r\n451 4.4.2 The operation took too long[^\r]*\r\n250 2.0.0 OK\r\n$/,
  );
});

t.test('whoever hands over hears why a message broke off', async (t) => {
  const codes: string[] = [];
  const transfer: SessionDoor = {
    checkSender: async () => ({ kind: 'accepted' }),
    note: () => {},
    checkRecipient: async () => ({ kind: 'accepted' }),
    async accept(_envelope, message) {
      let error = new MailError('internal');
      try {
        for await (const _block of message);
      } catch (caught) {
        error = caught as MailError;
      }
      codes.push(error.code);
      return { kind: 'refused', traceId: '' as never, error };
    },
  };
  const server = await site.serve(t, { transfer });
  const [slow, gone] = [await inData(server), await inData(server)];
  gone.socket.resetAndDestroy();
  while (codes.length === 0) await turns();
  server.clock.advance(5 * MINUTE_MS);
  await slow.closed();
  while (codes.length === 1) await turns();
  t.strictSame(codes, ['connectionLost', 'deadlineExceeded']);
});

t.test('a client that does not close after QUIT is closed, and no timer is left', async (t) => {
  const server = await site.serve(t);
  const [polite, stuck] = [await server.greeted(), await server.greeted()];
  for (const client of [polite, stuck]) {
    client.send('QUIT\r\n');
    await client.closed();
  }
  polite.socket.end();
  while (server.connections === 2) await turns();
  t.equal(server.clock.pendingTimers, 1);
  server.clock.advance(4999);
  await turns();
  t.equal(server.connections, 1);
  server.clock.advance(1);
  while (server.connections === 1) await turns();
  t.equal(server.clock.pendingTimers, 0);
});

t.test('no session lasts longer than six hours, not even with data at a fair pace', async (t) => {
  const server = await site.serve(t);
  const client = await inData(server);
  for (let minute = 0; minute < 360; minute += 4) {
    t.notMatch(client.received, '421');
    await new Promise<void>((done) => client.socket.write(Buffer.alloc(120_000, 'x\r\n'), () => done()));
    await turns();
    server.clock.advance(4 * MINUTE_MS);
  }
  t.match(await client.closed(), /\r\n421 4.4.2 The session has lasted too long\r\n$/);
});

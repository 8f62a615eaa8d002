/**
 * Connection and LineReader over real sockets on 127.0.0.1, deadlines by a clock that the test moves.
 */

import { randomBytes } from 'node:crypto';
import { getEventListeners, once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex, duplexPair } from 'node:stream';
import { constants, deflateRawSync } from 'node:zlib';

import t, { type Test } from 'tap';

import { silentLog } from '../../src/base/log.ts';
import { compressSocket, INFLATE_FREE_OCTETS } from '../../src/net/compression.ts';
import { Connection, LINGER_MS } from '../../src/net/connection.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import { LINE_DEADLINE_MS, type Line, LineReader } from '../../src/net/lineReader.ts';
import { openListener } from '../../src/net/listener.ts';
import { RECEIVED_LIMIT_BYTES } from '../../src/net/octetReader.ts';
import { FLUSH_MARK_BYTES, WRITE_DEADLINE_MS } from '../../src/net/octetWriter.ts';
import type { SessionTap } from '../../src/net/sessionTap.ts';
import { HANDSHAKE_DEADLINE_MS } from '../../src/net/tlsUpgrade.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { deflatedSocket } from '../support/deflatedSocket.ts';
import { type Client, clientOn, connectClient, createCertificate, secureClient } from '../support/sockets.ts';

const { contexts } = await createCertificate(t);
const IDLE_MS = 600_000;
const DEADLINE = { name: 'MailError', code: 'deadlineExceeded' };
const LOST = { name: 'MailError', code: 'connectionLost' };

interface Pair {
  readonly clock: TestClock;
  readonly socket: Socket;
  readonly connection: Connection;
  readonly client: Client;
}

/** Both ends of a connection. A timer that is left at the end of the test fails it. */
async function open(t: Test, tap?: SessionTap): Promise<Pair> {
  const clock = createTestClock();
  const accepted = Promise.withResolvers<Socket>();
  const listener = await openListener(
    {
      name: 'test',
      address: '127.0.0.1',
      port: 0,
      tls: 'starttls',
      caps: new ConnectionCaps({ total: 10, perAddress: 10 }),
      clock,
      log: silentLog,
    },
    accepted.resolve,
  );
  const client = await connectClient(t, listener.port);
  const socket = await accepted.promise;
  const connection = new Connection(socket, { clock, tap });
  t.teardown(async () => {
    connection.destroy();
    await listener.close(0);
    if (clock.pendingTimers > 0) throw new Error(`${clock.pendingTimers} timers are left`);
  });
  return { clock, socket, connection, client };
}

/** Lets the event loop turn; sockets on loopback move in a few turns. For showing that nothing happens, not for waiting. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const text = (octets: Buffer | undefined) => octets?.toString('latin1');
const lineText = (line: Line | undefined) => (line?.kind === 'line' ? text(line.octets) : line?.kind);

t.test('input comes as it was sent and ends where the peer ended', async (t) => {
  const { connection, client } = await open(t);
  t.equal(connection.remoteAddress, '127.0.0.1');
  t.equal(connection.remotePort, client.socket.localPort);
  t.equal(connection.localPort, client.socket.remotePort);
  t.equal(connection.isSecure, false);
  client.send('one');
  t.equal(text(await connection.read(IDLE_MS)), 'one');
  client.socket.end('two');
  t.equal(text(await connection.read(IDLE_MS)), 'two');
  t.equal(await connection.read(IDLE_MS), undefined);
  t.equal(await connection.read(IDLE_MS), undefined, 'and stays at its end');
  connection.write('still ');
  connection.write(Buffer.from('answered'));
  await connection.flush();
  t.equal(connection.signal.aborted, false, 'a peer that has only stopped sending is not gone');
  await connection.close();
  t.equal(await client.closed(), 'still answered');
  t.equal(connection.signal.aborted, true);
});

t.test('silence ends at the deadline, and an aborted wait loses nothing', async (t) => {
  const { connection, client, clock } = await open(t);
  const silent = connection.read(IDLE_MS);
  clock.advance(IDLE_MS - 1);
  t.equal(clock.pendingTimers, 1);
  clock.advance(1);
  await t.rejects(silent, DEADLINE);

  const stopping = new AbortController();
  const stopped = connection.read({ deadlineMs: IDLE_MS, signal: stopping.signal });
  stopping.abort(new Error('shutting down'));
  await t.rejects(stopped, { message: 'shutting down' });
  t.equal(getEventListeners(stopping.signal, 'abort').length, 0);
  await t.rejects(connection.read({ deadlineMs: IDLE_MS, signal: stopping.signal }), {
    message: 'shutting down',
  });

  const unstopped = new AbortController();
  const late = connection.read({ deadlineMs: IDLE_MS, signal: unstopped.signal });
  client.send('late');
  t.equal(text(await late), 'late');
  t.equal(getEventListeners(unstopped.signal, 'abort').length, 0, 'a signal that lives on is let go of');
});

t.test('two waits at one time are a mistake of the session', async (t) => {
  const { connection, client } = await open(t);
  const first = connection.read(IDLE_MS);
  await t.rejects(connection.read(IDLE_MS), { code: 'internal' });
  client.send('x');
  t.equal(text(await first), 'x');
});

t.test('a peer that nobody reads from is held back', async (t) => {
  const { connection, client, socket } = await open(t);
  const total = 32 * 1024 * 1024;
  client.send(Buffer.alloc(total, 'x'));
  await turns(300);
  t.ok(socket.bytesRead <= 4 * RECEIVED_LIMIT_BYTES, `${socket.bytesRead} octets were read unasked`);
  while (connection.peek().length < RECEIVED_LIMIT_BYTES) await connection.receive(IDLE_MS);
  await t.rejects(connection.receive(IDLE_MS), { code: 'limit' });
  let length = 0;
  while (length < total) length += (await connection.read(IDLE_MS))?.length ?? total;
  t.equal(length, total);
});

t.test('a half line does not keep the memory of the large chunk that it came with', async (t) => {
  const { connection, client } = await open(t);
  const sent = 'x'.repeat(20_000);
  client.send(sent);
  while (connection.peek().length < sent.length) await connection.receive(IDLE_MS);
  connection.consume(sent.length - 5);
  const waiting = connection.receive(IDLE_MS);
  t.ok(connection.peek().buffer.byteLength <= 16, `${connection.peek().buffer.byteLength} octets`);
  client.send('yz');
  t.equal(await waiting, true);
  t.equal(text(connection.peek()), 'xxxxxyz');
});

t.test('replies that were gathered leave as one', async (t) => {
  const { connection, client, socket } = await open(t);
  let segments = 0;
  client.socket.on('data', () => {
    segments += 1;
  });
  for (let reply = 0; reply < 50; reply += 1)
    connection.write(reply % 2 ? '+OK\r\n' : Buffer.from('+OK\r\n'));
  t.equal(socket.bytesWritten, 0, 'nothing leaves before flush()');
  t.equal(connection.isFlushDue, false);
  await connection.flush();
  t.equal((await client.until(/(\+OK\r\n){50}/)).length, 250);
  t.equal(segments, 1);
  connection.write('x'.repeat(FLUSH_MARK_BYTES));
  t.equal(connection.isFlushDue, true);
  await connection.flush();
  t.equal(connection.isFlushDue, false);
});

t.test('a reader that stalls is cut off at its deadline, a slow one is waited for', async (t) => {
  for (const isStalled of [true, false]) {
    const { connection, client, clock } = await open(t);
    client.socket.pause();
    const megabytes = 16;
    connection.write(Buffer.alloc(megabytes * 1024 * 1024, 'x'));
    const flushed = connection.flush();
    const settled = flushed.then(
      () => 'sent',
      (error: { code: string }) => error.code,
    );
    await turns(20);
    clock.advance(WRITE_DEADLINE_MS + megabytes * 1024 * 1000 - 1);
    t.equal(connection.isGone, false);
    if (isStalled) {
      clock.advance(1);
      t.equal(await settled, 'deadlineExceeded');
      t.equal(connection.isGone, true);
      await t.rejects(connection.flush(), LOST);
      await turns(2);
      t.match(connection.signal.reason, LOST);
    } else {
      client.socket.resume();
      t.equal(await settled, 'sent');
    }
  }
});

t.test('close() delivers the last reply although the peer goes on talking', async (t) => {
  const { connection, client } = await open(t);
  client.send('QUIT\r\n');
  t.equal(text(await connection.read(IDLE_MS)), 'QUIT\r\n');
  client.send('x'.repeat(1_000_000));
  connection.write('+OK bye\r\n');
  const closing = connection.close();
  t.equal(connection.close(), closing, 'once');
  const ended = once(client.socket, 'end');
  await ended;
  t.equal(client.received, '+OK bye\r\n');
  client.socket.end();
  await closing;
  t.equal(connection.isGone, true);
  await connection.close();
});

t.test('close() does not wait for ever for a peer that keeps its side open', async (t) => {
  const { connection, client, clock } = await open(t);
  const closing = connection.close();
  await once(client.socket, 'end');
  await turns(5);
  t.equal(connection.isGone, false);
  clock.advance(LINGER_MS);
  await closing;
  t.equal(connection.isGone, true);
});

/** A tap that writes down what it hears, and a promise of its end. */
function hearingTap() {
  const heard: string[] = [];
  const end = Promise.withResolvers<string>();
  const tap: SessionTap = {
    asked: (line) => heard.push(`asked ${line}`),
    added: (line) => heard.push(`added ${line}`),
    sent: (data) => heard.push(`S: ${typeof data === 'string' ? data : Buffer.from(data).toString()}`),
    secured: ({ protocol }) => heard.push(protocol),
    compressed: () => heard.push('compressed'),
    loggedIn: (address) => heard.push(address),
    loginRefused: (name) => heard.push(name),
    closed: end.resolve,
  };
  return { tap, heard, closed: end.promise };
}

t.test('a tap hears what is sent, TLS and compression, and nothing that is received', async (t) => {
  const { tap, heard, closed } = hearingTap();
  const { connection, client } = await open(t, tap);
  client.send('NOOP');
  await connection.read(IDLE_MS);
  connection.write('+OK');
  const upgraded = connection.startTls(contexts.current());
  await client.until(/OK/);
  await secureClient(t, client.socket);
  await upgraded;
  await connection.compress(Buffer.alloc(0));
  connection.destroy();
  t.equal(await closed, 'by the server');
  t.same(heard, ['S: +OK', 'TLSv1.3', 'compressed']);
});

t.test('a tap hears who closed the connection, and why', async (t) => {
  const ended = hearingTap();
  const { connection, client } = await open(t, ended.tap);
  client.socket.end();
  t.equal(await connection.read(IDLE_MS), undefined);
  await connection.close();
  t.equal(await ended.closed, 'by the client');
  const reset = hearingTap();
  const pair = await open(t, reset.tap);
  const input = pair.connection.read(IDLE_MS);
  pair.client.socket.resetAndDestroy();
  await input;
  t.match(await reset.closed, /^lost: .*ECONNRESET/);
  const unready = hearingTap();
  const { connection: plain, client: other } = await open(t, unready.tap);
  plain.write('+OK');
  const failure = t.rejects(plain.startTls(contexts.current()), LOST);
  await other.until(/OK/);
  other.send('CAPA\r\nUSER tim\r\nPASS secret\r\n');
  await failure;
  t.match(await unready.closed, /^TLS failed: /);
});

t.test('STARTTLS: the session goes on encrypted, and what was injected in plain text is gone', async (t) => {
  const injections = ['', 'NOOP injected\r\n', `${'NOOP injected\r\n'.repeat(300)}half a li`];
  for (const injected of injections) {
    const { connection, client } = await open(t);
    const lines = new LineReader(connection, 255);
    client.send(`STLS\r\n${injected}`);
    t.equal(lineText(await lines.readLine(IDLE_MS)), 'STLS');
    t.equal(lines.hasLine(), injected !== '');
    connection.write('+OK\r\n');
    const upgraded = connection.startTls(contexts.current());
    await client.until(/OK\r\n/);
    const secure = await secureClient(t, client.socket);
    await upgraded;
    t.equal(connection.isSecure, true);
    t.match(connection.tls, { protocol: 'TLSv1.3', cipher: /^TLS_/ });
    t.equal(lines.hasLine(), false);
    secure.send('CAPA\r\n');
    t.equal(lineText(await lines.readLine(IDLE_MS)), 'CAPA');
    connection.write('+OK secret\r\n');
    await connection.flush();
    t.equal(await secure.until(/secret\r\n/), '+OK secret\r\n');
    await t.rejects(connection.startTls(contexts.current()), { code: 'cannot' });
    secure.socket.end();
    t.equal((await lines.readLine(IDLE_MS)).kind, 'end');
    await connection.close();
  }
});

t.test('STARTTLS: plain text after the go-ahead fails the handshake and reaches nobody', async (t) => {
  const { connection, client } = await open(t);
  connection.write('+OK\r\n');
  const upgraded = connection.startTls(contexts.current());
  await client.until(/OK\r\n/);
  client.send('NOOP injected\r\n');
  await t.rejects(upgraded, { code: 'connectionLost', message: /something else than TLS/ });
  await client.closed();
  t.equal(connection.isGone, true);
  t.equal(connection.isSecure, false);
  t.equal(await connection.read(IDLE_MS), undefined);
  await t.rejects(connection.flush(), LOST);
  await connection.close();
});

t.test('STARTTLS: a handshake has a deadline, and a peer that leaves ends it', async (t) => {
  const slow = await open(t);
  const timedOut = slow.connection.startTls(contexts.current());
  await turns(5);
  slow.clock.advance(HANDSHAKE_DEADLINE_MS);
  await t.rejects(timedOut, DEADLINE);
  await slow.client.closed();

  const gone = await open(t);
  const left = gone.connection.startTls(contexts.current());
  gone.client.socket.end();
  await t.rejects(left, LOST);

  const before = await open(t);
  before.client.socket.destroy();
  t.equal(await before.connection.read(IDLE_MS), undefined);
  before.connection.destroy();
  await t.rejects(before.connection.startTls(contexts.current()), LOST);
});

t.test('TLS: a slow reader meets the write deadline as well', async (t) => {
  const { connection, client, clock } = await open(t);
  const upgraded = connection.startTls(contexts.current());
  const secure = await secureClient(t, client.socket);
  await upgraded;
  secure.socket.pause();
  const megabytes = 16;
  connection.write(Buffer.alloc(megabytes * 1024 * 1024, 'x'));
  const flushed = t.rejects(connection.flush(), DEADLINE);
  await turns(20);
  clock.advance(WRITE_DEADLINE_MS + megabytes * 1024 * 1000);
  await flushed;
  t.equal(connection.isGone, true);
});

t.test('a reset at any moment ends the connection and nothing else', async (t) => {
  const moments: Record<string, (pair: Pair) => Promise<unknown>> = {
    'before anything': async () => undefined,
    'in a wait for input': ({ connection }) => connection.read(IDLE_MS),
    'in a wait for a line': ({ connection, client }) => {
      client.send('half a li');
      return new LineReader(connection, 255).readLine(IDLE_MS);
    },
    'with output on its way': async ({ connection, client }) => {
      client.socket.pause();
      connection.write(Buffer.alloc(16 * 1024 * 1024));
      await connection.flush();
    },
    'at the beginning of a handshake': ({ connection }) => connection.startTls(contexts.current()),
    'in the middle of a handshake': async ({ connection, client }) => {
      const upgraded = connection.startTls(contexts.current());
      client.send(Buffer.from('160301020001000', 'hex'));
      await upgraded;
    },
    'while it closes': ({ connection, client }) => {
      client.socket.pause();
      connection.write(Buffer.alloc(16 * 1024 * 1024));
      return connection.close();
    },
  };
  for (const [moment, run] of Object.entries(moments)) {
    const pair = await open(t);
    const { connection, client } = pair;
    const { signal } = connection;
    const outcome = run(pair).then(
      () => 'fine',
      (error: { code: string }) => error.code,
    );
    await turns(5);
    client.socket.resetAndDestroy();
    t.match(await outcome, /^(fine|connectionLost)$/, moment);
    if (!signal.aborted) await once(signal, 'abort');
    t.equal(connection.isGone, true, moment);
    connection.write('never read');
    await t.rejects(connection.flush(), LOST, moment);
    connection.consume(RECEIVED_LIMIT_BYTES);
    t.equal(await connection.read(IDLE_MS), undefined, moment);
    await connection.close();
  }
});

t.test('TLS: a reset and a corrupt record end the connection', async (t) => {
  for (const ending of ['reset', 'corrupt'] as const) {
    const { connection, client } = await open(t);
    const upgraded = connection.startTls(contexts.current());
    const { socket: raw } = client;
    // The client's TLS runs over a copy of the raw socket's octets, so that garbage can be put between them.
    const between = new Duplex({
      read() {},
      write: (chunk, _encoding, done) => {
        raw.write(chunk, () => done());
      },
    });
    raw.on('data', (chunk) => between.push(chunk));
    const secure = await secureClient(t, between as unknown as Socket);
    await upgraded;
    secure.send('ping');
    t.equal(text(await connection.read(IDLE_MS)), 'ping');
    if (ending === 'reset') raw.resetAndDestroy();
    else raw.write('garbage where a record should be');
    t.equal(await connection.read(IDLE_MS), undefined, ending);
    if (!connection.signal.aborted) await once(connection.signal, 'abort');
    t.equal(connection.isGone, true, ending);
  }
});

t.test('lines come whole whatever the split, with CRLF or LF', async (t) => {
  const sent = 'STAT\r\nNOOP\n\r\n\n a b \r\r\nlast';
  const right = ['STAT', 'NOOP', '', '', ' a b \r', 'end'];
  for (const size of [1, 2, 3, 7, sent.length]) {
    const { connection, client } = await open(t);
    const lines = new LineReader(connection, 255);
    const found: (string | undefined)[] = [];
    const reading = (async () => {
      do found.push(lineText(await lines.readLine(IDLE_MS)));
      while (found.at(-1) !== 'end');
    })();
    for (let at = 0; at < sent.length; at += size) {
      client.send(sent.slice(at, at + size));
      await turns(2);
    }
    client.socket.end();
    await reading;
    t.same(found, right, `in pieces of ${size}`);
  }
});

t.test('what has arrived is taken without waiting', async (t) => {
  const { connection, client } = await open(t);
  const lines = new LineReader(connection, 255);
  t.equal(lines.hasLine(), false);
  t.equal(lines.takeLine(), undefined);
  client.send('ONE\r\nTWO\r\nTHR');
  t.equal(lineText(await lines.readLine(IDLE_MS)), 'ONE');
  t.equal(lines.hasLine(), true);
  t.equal(lineText(lines.takeLine()), 'TWO');
  t.equal(lines.hasLine(), false);
  t.equal(lines.takeLine(), undefined);
  client.send('EE\r\n');
  t.equal(lineText(await lines.readLine(IDLE_MS)), 'THREE');
});

t.test('a line beyond the limit is reported once, and the next line is whole again', async (t) => {
  const limit = 16;
  const fits = 'x'.repeat(limit - 2);
  const table: [sent: string, right: string[]][] = [
    [`${fits}\r\nA\r\n`, [fits, 'A', 'end']],
    [`${fits}x\r\nA\r\n`, ['tooLong', 'A', 'end']],
    [`${'x'.repeat(limit)}\nA\r\n`, ['tooLong', 'A', 'end']],
    [`${'x'.repeat(300_000)}\r\nA\r\n${'x'.repeat(17)}\r\n\r\n`, ['tooLong', 'A', 'tooLong', '', 'end']],
    ['x'.repeat(300_000), ['end']],
  ];
  for (const [sent, right] of table) {
    const { connection, client } = await open(t);
    const lines = new LineReader(connection, limit);
    const found: (string | undefined)[] = [];
    client.socket.end(sent);
    do found.push(lineText(await lines.readLine(IDLE_MS)));
    while (found.at(-1) !== 'end');
    t.same(found, right, `${sent.length} octets`);
  }
});

t.test('one line may be longer when the session asks so', async (t) => {
  const { connection, client } = await open(t);
  const lines = new LineReader(connection, 16);
  const response = 'x'.repeat(1000);
  client.send(`${response}\r\n`);
  t.equal(lineText(await lines.readLine(IDLE_MS, 12_288)), response);
});

t.test('a line that trickles in has a deadline from its first octet on', async (t) => {
  const { connection, client, clock } = await open(t);
  const lines = new LineReader(connection, 255);
  const trickle = lines.readLine(IDLE_MS);
  clock.advance(IDLE_MS - 1);
  client.send('N');
  while (connection.peek().length < 1) await turns(1);
  await turns(2);
  for (let octet = 0; octet < 4; octet += 1) {
    clock.advance(LINE_DEADLINE_MS / 4 - 1);
    client.send('O');
    while (connection.peek().length < 2 + octet) await turns(1);
    await turns(2);
  }
  clock.advance(4);
  await t.rejects(trickle, DEADLINE);
});

/** A connection that compresses, and its client, whose answers are inflated. */
async function openCompressed(t: Test, unread: string | Buffer = ''): Promise<Pair> {
  const pair = await open(t);
  pair.connection.write('go\r\n');
  await pair.connection.compress(Buffer.from(unread));
  t.equal(await pair.client.until(/\n/), 'go\r\n');
  t.equal(pair.connection.isCompressed, true);
  return { ...pair, client: clientOn(t, deflatedSocket(pair.client.socket)) };
}

function deflated(octets: string | Buffer): Buffer {
  return deflateRawSync(octets, { finishFlush: constants.Z_SYNC_FLUSH });
}

t.test(
  'compression: both directions, from the octet after the go-ahead, each flush readable at once',
  async (t) => {
    const { connection, client, clock } = await openCompressed(t, deflated('sent before '));
    t.equal(text(await connection.read(IDLE_MS)), 'sent before ');
    await t.rejects(connection.compress(Buffer.alloc(0)), { code: 'cannot' });
    await t.rejects(connection.startTls(contexts.current()), { code: 'cannot' });
    for (const word of ['one', 'two', 'three']) {
      connection.write(word);
      connection.write(Buffer.from('!'));
      await connection.flush();
      await client.until(new RegExp(`${word}!$`));
    }
    const silent = connection.read(IDLE_MS);
    clock.advance(IDLE_MS);
    await t.rejects(silent, DEADLINE);
    client.socket.end('last');
    t.equal(text(await connection.read(IDLE_MS)), 'last');
    t.equal(await connection.read(IDLE_MS), undefined);
    connection.write('bye');
    await connection.close();
    t.equal(await client.closed(), 'one!two!three!bye');
    t.equal(connection.isGone, true);
  },
);

t.test('compression: input that nobody reads is not inflated', async (t) => {
  const { connection, client } = await open(t);
  connection.write('go\r\n');
  await connection.compress(Buffer.alloc(0));
  const bomb = deflated(Buffer.alloc(INFLATE_FREE_OCTETS - 1, 'x'));
  t.ok(bomb.length < RECEIVED_LIMIT_BYTES);
  const [end] = duplexPair();
  const { source } = compressSocket(end as Socket, bomb, () => {});
  source.on('readable', () => {});
  await once(source, 'readable');
  await turns(5000);
  t.ok(source.readableLength < RECEIVED_LIMIT_BYTES, `${source.readableLength} octets are inflated`);
  end.destroy();
  client.send(bomb);
  let length = 0;
  while (length < INFLATE_FREE_OCTETS - 1)
    length += (await connection.read(IDLE_MS))?.length ?? INFLATE_FREE_OCTETS;
  t.equal(length, INFLATE_FREE_OCTETS - 1);
  client.send(deflated(Buffer.alloc(INFLATE_FREE_OCTETS, 'x')));
  await t.rejects(
    async () => {
      while ((await connection.read(IDLE_MS)) !== undefined);
    },
    { code: 'limit' },
    'beyond the free octets an octet stands for so many and no more',
  );
});

t.test('compression: damaged input is an error, and the output still works', async (t) => {
  const { connection, client } = await open(t);
  connection.write('go\r\n');
  await connection.compress(Buffer.alloc(0));
  await client.until(/go/);
  const inflated = clientOn(t, deflatedSocket(client.socket));
  client.socket.write('plain text');
  await t.rejects(connection.read(IDLE_MS), { name: 'MailError', code: 'invalid' });
  connection.write('sorry');
  const closing = connection.close();
  t.equal(await inflated.closed(), 'sorry');
  inflated.socket.end();
  await closing;
});

t.test('compression: a reader that stalls is cut off, a slow one gets all of the last reply', async (t) => {
  const noise = randomBytes(16 * 1024 * 1024);
  for (const isStalled of [true, false]) {
    const { connection, client, clock } = await openCompressed(t);
    client.socket.pause();
    connection.write(noise);
    const flushed = connection.flush().then(
      () => 'sent',
      (error: { code: string }) => error.code,
    );
    await turns(20);
    if (isStalled) {
      clock.advance(WRITE_DEADLINE_MS + noise.length);
      t.equal(await flushed, 'deadlineExceeded');
      t.equal(connection.isGone, true);
      await t.rejects(connection.flush(), LOST);
    } else {
      connection.write('the end');
      const closing = connection.close();
      client.socket.resume();
      t.equal(await flushed, 'sent');
      const got = await client.closed();
      t.equal(got.length, noise.length + 7);
      t.ok(got.endsWith('the end'));
      client.socket.end();
      await closing;
    }
  }
});

t.test('compression: a reset ends the connection, whatever is under way', async (t) => {
  for (const state of ['idle', 'reading', 'writing'] as const) {
    const { connection, client } = await openCompressed(t);
    const { signal } = connection;
    const lost = once(signal, 'abort');
    const reading = state === 'reading' ? connection.read(IDLE_MS) : undefined;
    connection.write(randomBytes(8 * 1024 * 1024));
    const writing = state === 'writing' ? connection.flush() : Promise.resolve();
    const outcome = writing.then(
      () => 'sent',
      (error: { code: string }) => error.code,
    );
    client.socket.resetAndDestroy();
    await lost;
    t.equal(await reading, undefined);
    t.match(await outcome, state === 'writing' ? /sent|connectionLost/ : 'sent');
    t.equal(connection.isGone, true);
    await t.rejects(connection.flush(), LOST);
    await connection.close();
  }
});

/**
 * Listeners on loopback: what they report, refuse, log and close; TLS from the first octet.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { Worker } from 'node:worker_threads';

import t, { type Test } from 'tap';

import { createLog, type Log, silentLog } from '../../src/base/log.ts';
import { Connection } from '../../src/net/connection.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import { WARNING_PERIOD_MS } from '../../src/net/floodWarning.ts';
import {
  type Listener,
  type ListenerOptions,
  type OnConnection,
  openListener,
} from '../../src/net/listener.ts';
import { ADDRESSES_LIMIT, OLD_TLS_PERIOD_MS, OldTlsClients } from '../../src/net/oldTls.ts';
import { REFUSED_LINGER_MS } from '../../src/net/refusals.ts';
import { TLS_PROFILES, TlsContexts } from '../../src/net/tlsContext.ts';
import { HANDSHAKE_DEADLINE_MS } from '../../src/net/tlsUpgrade.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { connectClient, createCertificate, secureClient } from '../support/sockets.ts';

const { contexts, source, pem } = await createCertificate(t);

/** A log whose lines can be looked at and waited for. */
function createHeardLog(): {
  log: Log;
  lines: Record<string, unknown>[];
  until(event: string): Promise<unknown>;
} {
  const lines: Record<string, unknown>[] = [];
  const waiting = new Map<string, (line: unknown) => void>();
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      const line = JSON.parse(String(chunk));
      lines.push(line);
      waiting.get(line.event)?.(line);
      done();
    },
  });
  const until = (event: string) =>
    new Promise((resolve) => {
      const line = lines.find((heard) => heard.event === event);
      if (line === undefined) waiting.set(event, resolve);
      else resolve(line);
    });
  return { log: createLog(stream, 'debug'), lines, until };
}

async function open(
  t: Test,
  options: Partial<ListenerOptions> = {},
  onConnection: OnConnection = (socket) => void socket.resume(),
): Promise<Listener & { clock: TestClock }> {
  const clock = createTestClock();
  const listener = await openListener(
    {
      name: 'test',
      address: '127.0.0.1',
      port: 0,
      tls: 'none',
      caps: new ConnectionCaps({ total: 100, perAddress: 100 }),
      clock,
      log: silentLog,
      ...options,
    },
    onConnection,
  );
  t.teardown(async () => {
    await listener.close(0);
    if (clock.pendingTimers > 0) throw new Error(`${clock.pendingTimers} timers are left`);
  });
  return Object.assign(listener, { clock });
}

/** One turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test('a listener reports where it listens, on IPv4 and IPv6', async (t) => {
  for (const address of ['127.0.0.1', '::1']) {
    const { log, lines } = createHeardLog();
    const accepted = Promise.withResolvers<Socket>();
    const listener = await open(t, { address, log, tls: 'starttls' }, accepted.resolve);
    t.equal(listener.address, address);
    t.ok(listener.port > 0);
    t.same([listener.name, listener.tls], ['test', 'starttls']);
    t.match(lines[0], { event: 'net.listener.opened', listener: 'test', address, port: listener.port });
    const client = await connectClient(t, listener.port, address);
    const connection = new Connection(await accepted.promise, { clock: listener.clock });
    t.equal(connection.remoteAddress, address);
    t.equal(listener.connections, 1);
    client.socket.resetAndDestroy();
    await once(connection.signal, 'abort');
    t.equal(listener.connections, 0);
  }
});

t.test('a listener asks the system for a long queue, so that a burst pushes nobody out', async (t) => {
  const systemLimit = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  if (systemLimit < 1000) return t.comment(`skipped: this system's queues hold ${systemLimit}`);
  const blocked = new SharedArrayBuffer(4);
  const worker = new Worker(new URL('../support/blockedListener.ts', import.meta.url), {
    workerData: blocked,
  });
  const ended = once(worker, 'exit');
  const [port] = (await once(worker, 'message')) as [number];
  // Node's own 511 would leave the last of these outside for as long as nobody accepts.
  await Promise.all(Array.from({ length: 900 }, () => connectClient(t, port)));
  Atomics.store(new Int32Array(blocked), 0, 1);
  Atomics.notify(new Int32Array(blocked), 0);
  await ended;
  return undefined;
});

t.test('an IPv4 client of a listener for both families has its IPv4 address', async (t) => {
  const accepted = Promise.withResolvers<Socket>();
  const listener = await open(t, { address: '::' }, accepted.resolve);
  await connectClient(t, listener.port, '127.0.0.1');
  const socket = await accepted.promise;
  t.equal(socket.remoteAddress, '::ffff:127.0.0.1', 'as Node has it');
  t.equal(new Connection(socket, { clock: listener.clock }).remoteAddress, '127.0.0.1');
});

t.test('an address that cannot be listened on is an error that names it', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => void other.close());
  const { port } = other.address() as { port: number };
  const caps = new ConnectionCaps({ total: 1, perAddress: 1 });
  const options = { name: 'pop3', address: '127.0.0.1', port, tls: 'none', caps, log: silentLog } as const;
  const clock = createTestClock();
  await t.rejects(
    openListener({ ...options, clock }, () => {}),
    {
      name: 'MailError',
      code: 'cannot',
      message: new RegExp(`cannot listen on 127\\.0\\.0\\.1 port ${port}: the port is in use`),
    },
  );
  await t.rejects(
    openListener({ ...options, clock, address: '192.0.2.1' }, () => {}),
    {
      code: 'cannot',
      message: /192\.0\.2\.1 port \d+: this machine has no such address/,
    },
  );
  await t.rejects(
    openListener({ ...options, clock, tls: 'implicit' }, () => {}),
    { code: 'invalid' },
  );
});

t.test('beyond its cap a client is told so and closed, and there is room again later', async (t) => {
  const { log, lines } = createHeardLog();
  const caps = new ConnectionCaps({ total: 10, perAddress: 2 });
  const onRefused = (socket: Socket) => void socket.write('-ERR [SYS/TEMP] too many connections\r\n');
  const listener = await open(t, { caps, log, onRefused }, (socket, place) => {
    place.keep();
    socket.write('+OK\r\n');
  });
  const first = await connectClient(t, listener.port);
  const second = await connectClient(t, listener.port);
  await Promise.all([first.until(/OK/), second.until(/OK/)]);
  for (let count = 0; count < 3; count += 1) {
    const refused = await connectClient(t, listener.port);
    refused.send('x'.repeat(100_000));
    t.equal(await refused.closed(), '-ERR [SYS/TEMP] too many connections\r\n');
    refused.socket.end();
  }
  // Who takes the goodbye and leaves is let go of at once.
  while (listener.clock.pendingTimers > 0) await turn();
  const warnings = () => lines.filter(({ event }) => event === 'net.connection.refused');
  t.match(warnings(), [{ level: 'warn', remoteAddress: '127.0.0.1', cap: 'perAddress', times: 1 }]);
  listener.clock.advance(WARNING_PERIOD_MS);
  const stubborn = await connectClient(t, listener.port);
  await stubborn.closed();
  t.match(warnings(), [{ times: 1 }, { times: 3 }], 'a flood is two lines, not four');
  t.equal(listener.clock.pendingTimers, 1);
  listener.clock.advance(REFUSED_LINGER_MS);
  t.equal(listener.clock.pendingTimers, 0);
  while (!stubborn.socket.destroyed) {
    stubborn.send('still talking');
    await turn();
  }
  t.match(stubborn.socket.errored, { code: /ECONNRESET|EPIPE/ }, 'who stays is closed');

  first.socket.destroy();
  while (caps.total > 1) await turn();
  const third = await connectClient(t, listener.port);
  t.equal(await third.until(/OK/), '+OK\r\n');
});

t.test('a full listener tells who makes room for a stranger, and logs a flood once', async (t) => {
  const { log, lines } = createHeardLog();
  const caps = new ConnectionCaps({ total: 2, perAddress: 2 });
  const onRefused = (socket: Socket) => void socket.write('421 too many connections\r\n');
  const listener = await open(t, { address: '0.0.0.0', caps, log, onRefused }, (socket) => {
    socket.resume();
    socket.write('220 hello\r\n');
  });
  const flood = [await connectClient(t, listener.port), await connectClient(t, listener.port)];
  await Promise.all(flood.map((client) => client.until(/220/)));
  const refused = await connectClient(t, listener.port);
  t.equal(await refused.closed(), '421 too many connections\r\n', 'the flood itself gets no more');
  for (const address of ['127.0.0.2', '127.0.0.3']) {
    const stranger = await connectClient(t, listener.port, '127.0.0.1', address);
    t.equal(await stranger.until(/220/), '220 hello\r\n');
  }
  t.match(await flood[0]?.closed(), '220 hello\r\n421 too many connections\r\n');
  t.equal(caps.countOf('127.0.0.1'), 0, 'the second stranger takes the flood`s last place');
  const evictions = lines.filter(({ event }) => event === 'net.connection.evicted');
  t.match(evictions, [{ level: 'warn', remoteAddress: '127.0.0.1', octets: 0, times: 1 }]);
  t.equal(listener.connections, 2);
});

t.test('below TLS nothing is said to who makes room', async (t) => {
  const caps = new ConnectionCaps({ total: 1, perAddress: 1 });
  const onRefused = () => t.fail('plain text below TLS');
  const options = { address: '0.0.0.0', tls: 'implicit', tlsContexts: contexts, caps, onRefused } as const;
  const listener = await open(t, options, (socket) => void socket.write('220 hello\r\n'));
  const first = await secureClient(t, (await connectClient(t, listener.port)).socket);
  await first.until(/220/);
  const handshaking = await connectClient(t, listener.port, '127.0.0.1', '127.0.0.2');
  t.equal(await first.closed(), '220 hello\r\n');
  const stranger = await connectClient(t, listener.port, '127.0.0.1', '127.0.0.3');
  await handshaking.closed();
  await (await secureClient(t, stranger.socket)).until(/220/);
});

t.test('a refusal that throws and resets before it are nobody`s end', async (t) => {
  const { log, until } = createHeardLog();
  const caps = new ConnectionCaps({ total: 0, perAddress: 0 });
  const onRefused = () => {
    throw new Error('mistake in the goodbye');
  };
  const listener = await open(t, { caps, log, onRefused });
  const client = await connectClient(t, listener.port);
  await until('net.connection.failed');
  await client.closed();
  (await connectClient(t, listener.port)).socket.resetAndDestroy();
  t.equal(listener.connections, 0);
});

t.test('a reset is no error of the process, even where no session listens', async (t) => {
  for (const tls of ['none', 'implicit'] as const) {
    const accepted = Promise.withResolvers<Socket>();
    const listener = await open(t, { tls, tlsContexts: contexts }, accepted.resolve);
    const client = await connectClient(t, listener.port);
    if (tls === 'implicit') await secureClient(t, client.socket);
    const socket = await accepted.promise;
    const isClosed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(Buffer.alloc(16 * 1024 * 1024));
    client.socket.resetAndDestroy();
    await isClosed;
    t.equal(socket.errored === null, false, 'there was an error');
  }
});

t.test('a session that throws or rejects is logged, and its socket closed', async (t) => {
  const mistakes: ((socket: Socket) => void | Promise<void>)[] = [
    () => {
      throw new Error('mistake');
    },
    () => Promise.reject(new Error('mistake')),
  ];
  for (const mistake of mistakes) {
    const { log, until } = createHeardLog();
    const listener = await open(t, { log }, mistake);
    const client = await connectClient(t, listener.port);
    t.match(await until('net.connection.failed'), { level: 'error', error: { message: 'mistake' } });
    await client.closed();
  }
});

t.test('TLS from the first octet: the session gets a socket that is ready', async (t) => {
  const accepted = Promise.withResolvers<Socket>();
  const listener = await open(t, { tls: 'implicit', tlsContexts: contexts }, accepted.resolve);
  const raw = await connectClient(t, listener.port);
  const client = await secureClient(t, raw.socket, { ca: pem, servername: 'mail.example.com' });
  t.equal(client.socket.authorized, true, 'trusted where the certificate has been imported');
  const socket = await accepted.promise;
  t.ok(socket instanceof TLSSocket);
  const connection = new Connection(socket, { clock: listener.clock });
  t.equal(connection.isSecure, true);
  client.send('CAPA\r\n');
  t.equal((await connection.read(1000))?.toString(), 'CAPA\r\n');
  connection.write('+OK\r\n');
  const closing = connection.close();
  t.equal(await client.closed(), '+OK\r\n');
  client.socket.end();
  await closing;
});

t.test('TLS from the first octet: who fails the handshake is logged with what it means', async (t) => {
  const { log, until } = createHeardLog();
  const options = { tls: 'implicit', tlsContexts: contexts, log } as const;
  const listener = await open(t, options, () => void t.fail('no session without TLS'));
  const plain = await connectClient(t, listener.port);
  plain.send('USER app\r\nPASS secret\r\n');
  await plain.closed();
  const line = await until('net.tls.failed');
  t.match(line, {
    level: 'info',
    remoteAddress: '127.0.0.1',
    reason: /plain text or STARTTLS on a port with TLS/,
  });
  t.notMatch(JSON.stringify(line), /secret/);

  const silent = await connectClient(t, listener.port);
  while (listener.clock.pendingTimers === 0) await turn();
  listener.clock.advance(HANDSHAKE_DEADLINE_MS);
  await silent.closed();

  const reset = await connectClient(t, listener.port);
  reset.socket.resetAndDestroy();
  const leaving = await connectClient(t, listener.port);
  leaving.socket.end();
  await leaving.closed();
  t.equal(listener.connections, 0);
});

t.test('a client that speaks only TLS 1.0 needs the legacy profile, and is told so in the log', async (t) => {
  const old = {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1',
    ciphers: 'AES128-SHA@SECLEVEL=0',
    rejectUnauthorized: false,
  } as const;
  const { log, until } = createHeardLog();
  const modern = await open(t, { tls: 'implicit', tlsContexts: contexts, log });
  const refused = await connectClient(t, modern.port);
  await t.rejects(secureClient(t, refused.socket, old));
  t.match(await until('net.tls.failed'), { reason: /legacy TLS profile would take it/ });

  const legacyContexts = await TlsContexts.open(source, TLS_PROFILES.legacy);
  const accepted = Promise.withResolvers<Socket>();
  const legacy = await open(t, { tls: 'implicit', tlsContexts: legacyContexts }, accepted.resolve);
  const client = await secureClient(t, (await connectClient(t, legacy.port)).socket, old);
  const connection = new Connection(await accepted.promise, { clock: legacy.clock });
  t.same(connection.tls, { protocol: 'TLSv1', cipher: 'TLS_RSA_WITH_AES_128_CBC_SHA' });
  client.socket.destroy();
  const today = await secureClient(t, (await connectClient(t, legacy.port)).socket);
  t.equal(today.socket.getProtocol(), 'TLSv1.3', 'who can do better does');
});

/** A ClientHello in the form of SSL 2 for TLS 1.0 with RSA and AES-CBC-SHA (RFC 5246 appendix E.2), as Java 6 sends it. */
const SSL2_CLIENT_HELLO = Buffer.concat([
  Buffer.from([0x80, 47, 1, 3, 1, 0, 6, 0, 0, 0, 32]),
  Buffer.from([0, 0, 0x2f, 0, 0, 0x35]),
  Buffer.alloc(32, 7),
]);

t.test(
  'a handshake that begins in the form of SSL 2 goes on as TLS 1.0 with the legacy profile alone',
  async (t) => {
    const tlsContexts = await TlsContexts.open(source, TLS_PROFILES.legacy);
    const legacy = await connectClient(t, (await open(t, { tls: 'implicit', tlsContexts })).port);
    legacy.send(SSL2_CLIENT_HELLO);
    t.match(await legacy.until(/^.{11}/s), /^\x16\x03\x01..\x02...\x03\x01/s, 'a ServerHello of TLS 1.0');
    const modern = await connectClient(t, (await open(t, { tls: 'implicit', tlsContexts: contexts })).port);
    modern.send(SSL2_CLIENT_HELLO);
    t.match(await modern.closed(), /^(\x15\x03.\x00\x02\x02.)?$/s, 'an alert at most');
  },
);

t.test(
  'an address that speaks TLS 1.0 is in the log once a day, by STARTTLS as from the first octet',
  async (t) => {
    const tlsContexts = await TlsContexts.open(source, TLS_PROFILES.legacy);
    const old = { maxVersion: 'TLSv1', minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0' } as const;
    for (const tls of ['implicit', 'starttls'] as const) {
      const { log, lines } = createHeardLog();
      const listener = await open(t, { tls, tlsContexts, log }, async (socket) => {
        const connection = new Connection(socket, { clock: listener.clock });
        if (tls === 'starttls') await connection.startTls(tlsContexts.current());
      });
      const told = () => lines.filter(({ event }) => event === 'net.tls.old');
      const speak = async (options: object) => {
        const plain = await connectClient(t, listener.port);
        const client = await secureClient(t, plain.socket, { rejectUnauthorized: false, ...options });
        client.socket.destroy();
      };
      await speak({});
      t.same(told(), [], 'TLS 1.3 is no news');
      await speak(old);
      await speak(old);
      t.match(told(), [{ listener: 'test', remoteAddress: '127.0.0.1', version: 'TLSv1' }]);
      listener.clock.advance(OLD_TLS_PERIOD_MS);
      await speak(old);
      t.equal(told().length, 2, tls);
    }
  },
);

t.test('addresses that speak TLS 1.0 are remembered up to a limit, the oldest are forgotten', async (t) => {
  const { log, lines } = createHeardLog();
  const clients = new OldTlsClients(createTestClock(), log);
  const socket = { getProtocol: () => 'TLSv1.1', getCipher: () => undefined } as unknown as TLSSocket;
  for (let number = 0; number <= ADDRESSES_LIMIT; number += 1) clients.note(socket, `address ${number}`);
  clients.note(socket, 'address 1');
  t.equal(lines.length, ADDRESSES_LIMIT + 1);
  clients.note(socket, 'address 0');
  t.equal(lines.length, ADDRESSES_LIMIT + 2, 'told again');
});

t.test('closing: nobody new, those who are there may end, and at the deadline they are ended', async (t) => {
  const connections: Connection[] = [];
  const upgrades: Promise<unknown>[] = [];
  const listener = await open(t, {}, async (socket) => {
    const connection = new Connection(socket, { clock: listener.clock });
    connections.push(connection);
    connection.write('+OK\r\n');
    if (connections.length > 1) upgrades.push(t.rejects(connection.startTls(contexts.current())));
    else await connection.flush();
  });
  const polite = await connectClient(t, listener.port);
  await polite.until(/OK/);
  const inHandshake = await connectClient(t, listener.port);
  await inHandshake.until(/OK/);
  const { port } = listener;
  let isClosed = false;
  const closing = listener.close(5000).then(() => {
    isClosed = true;
  });
  await t.rejects(connectClient(t, port), { code: 'ECONNREFUSED' });
  polite.socket.end();
  await connections[0]?.close();
  t.equal(isClosed, false);
  listener.clock.advance(5000);
  await closing;
  await Promise.all(upgrades);
  await inHandshake.closed();
  t.equal(listener.connections, 0);
  await listener.close(0);
});

t.test('a listener that is closed at once is gone at once', async (t) => {
  const listener = await open(t);
  const client = await connectClient(t, listener.port);
  while (listener.connections === 0) await turn();
  await listener.close(0);
  await client.closed();
});

t.test('closing waits for no handshake of an implicit listener', async (t) => {
  const listener = await open(t, { tls: 'implicit', tlsContexts: contexts }, () => {
    t.fail('nobody was served');
  });
  const silent = await connectClient(t, listener.port);
  // A second connection that was served to its end shows that the first was accepted: they are taken in order.
  const junk = await connectClient(t, listener.port);
  junk.send('no handshake at all\r\n');
  await junk.closed();
  await listener.close(60_000);
  await silent.closed();
  t.equal(listener.connections, 0);
});

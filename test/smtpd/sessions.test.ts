/** Relay-in over real sockets and the real store: transcripts, who may relay, TLS, pipelining, limits, drops, faults, the end. */

import { copyFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { Writable } from 'node:stream';
import t from 'tap';

import { MailError } from '../../src/base/error.ts';
import type { TraceId } from '../../src/base/ids.ts';
import { createLog, silentLog } from '../../src/base/log.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import type { SessionDoor } from '../../src/smtpd/context.ts';
import type { RecipientVerdict } from '../../src/transfer/contract.ts';
import { EngineServer } from '../../src/smtpd/engine/server.ts';
import { COMMAND_LIMIT, FAILED_LOGIN_LIMIT, PLACE_KEPT_MS } from '../../src/smtpd/limits.ts';
import { SessionTally } from '../../src/smtpd/tally.ts';
import { createTestClock } from '../support/clock.ts';
import { type Client, connectClient, createCertificate, secureClient } from '../support/sockets.ts';
import { playTranscript, readTranscript } from '../support/transcript.ts';
import { ask, asSent, begin, DOMAIN, handOver, openSmtpSite, turns } from './harness.ts';

const site = await openSmtpSite(t);
const { tickets, archive } = site;
const TICKETS = `tickets@${DOMAIN}`;

const lastMessage = async (account = tickets) => (await site.inbox(account)).at(-1) ?? Buffer.alloc(0);
const countOf = async (account = tickets) => (await site.inbox(account)).length;
const withoutId = (message: Buffer) => message.toString().replace(/id [0-9A-Z]{20}/, 'id X');

t.test('a whole session goes as RFC 5321 says', async (t) => {
  const server = await site.serve(t);
  await playTranscript(await server.connect(), readTranscript('smtp/session'));
  const [one, two] = (await site.inbox(tickets)).map(withoutId);
  const received = 'Received: from client.example.org ([127.0.0.1]) by mail.example.com with ESMTP\r\n';
  t.match(one, `Return-Path: <>\r\n${received} id X for <${TICKETS}>;\r\n`);
  t.match(two, `Return-Path: <a@sender.example>\r\n${received} id X;\r\n`, 'no Bcc is told');
  t.match(one, /\r\n [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 2026 \d\d:\d\d:00 [+-]\d{4}\r\nSubject: one/);
  t.match(one, /\r\nSubject: one\r\n\r\n\.dot\r\n\.\.two\r\n\.\r\n$/);
  t.equal(await countOf(archive), 1, 'an alias leads to both accounts');
  t.equal(await countOf(), 2, 'and an account that is addressed twice has one copy');
});

t.test('what a client gets wrong is told, and the session goes on', async (t) => {
  const server = await site.serve(t);
  await playTranscript(await server.connect(), readTranscript('smtp/wrong'));
  t.match(withoutId(await lastMessage()), 'with UTF8SMTP id X', 'SMTPUTF8 is in the Received field');
});

t.test('a session cut at every octet of its input is answered the same', async (t) => {
  const server = await site.serve(t);
  const input = Buffer.from(
    `EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<${TICKETS}>\r\nDATA\r\nx\r\n.\r\nNOOP\r\nQUIT\r\n`,
  );
  const whole = await server.connect();
  whole.send(input);
  const expected = (await whole.closed()).replace(/as \w{20}/, '');
  const pieces = await server.connect();
  for (const octet of input)
    await new Promise<void>((done) => pieces.socket.write(Buffer.of(octet), () => done()));
  t.equal((await pieces.closed()).replace(/as \w{20}/, ''), expected);
  t.match(expected, /354 .*\r\n250 2.0.0 Queued .*\r\n250 2.0.0 OK\r\n221 2.0.0 Bye\r\n$/);
});

t.test('it is no open relay, whatever a path looks like', async (t) => {
  const server = await site.serve(t, { isLenient: true });
  const client = await server.greeted();
  await ask(client, `EHLO ${DOMAIN}\r\n`, '250 ');
  await ask(client, `MAIL FROM:<${TICKETS}>\r\n`, '250');
  for (const [path, expected] of RELAY_TABLE) {
    const reply = await ask(client, `RCPT TO:${path}\r\n`, '\\d');
    t.equal(reply.slice(0, expected.length), expected, path);
    // Nothing but a refusal may be counted into the session's errors here.
    if (reply.startsWith('501')) await handOverReset(client);
  }
});

/** Accepts a message, so that the counts of errors begin anew, and begins the next transaction. */
async function handOverReset(client: Client): Promise<void> {
  await ask(client, `RSET\r\n`, '250');
  await handOver(client, 'x');
  await ask(client, `MAIL FROM:<${TICKETS}>\r\n`, '250');
}

const DENIED = '550 5.7.1 Relaying denied';
const UNKNOWN = '550 5.1.1 ';
const RELAY_TABLE: readonly (readonly [path: string, reply: string])[] = [
  ['<someone@elsewhere.example>', DENIED],
  ['someone@elsewhere.example', DENIED],
  ['<someone@ELSEWHERE.example>', DENIED],
  [`<someone%elsewhere.example@${DOMAIN}>`, UNKNOWN],
  [`<elsewhere.example!someone@${DOMAIN}>`, UNKNOWN],
  [`<${DOMAIN}!someone@elsewhere.example>`, DENIED],
  [`<someone%elsewhere.example%${DOMAIN}@elsewhere.example>`, DENIED],
  ['<elsewhere.example!someone>', '501 5.1.3'],
  ['<someone%elsewhere.example>', '501 5.1.3'],
  [`<@${DOMAIN}:someone@elsewhere.example>`, DENIED],
  [`<@elsewhere.example,@${DOMAIN}:someone@elsewhere.example>`, DENIED],
  [`<@${DOMAIN}>`, '501 5.1.3'],
  [`<"someone@elsewhere.example"@${DOMAIN}>`, UNKNOWN],
  [`<"someone%elsewhere.example"@${DOMAIN}>`, UNKNOWN],
  ['<"someone@elsewhere.example">', '501 5.1.3'],
  [`<"${TICKETS}"@elsewhere.example>`, DENIED],
  [`<"x> RCPT TO:<y"@elsewhere.example>`, DENIED],
  [`<someone@elsewhere.example@${DOMAIN}>`, '501 5.1.3'],
  [`<${TICKETS}@elsewhere.example>`, '501 5.1.3'],
  ['<someone@[127.0.0.1]>', DENIED],
  ['<tickets@[127.0.0.1]>', DENIED],
  ['<tickets@[IPv6:::1]>', DENIED],
  ['<tickets@127.0.0.1>', DENIED],
  ['<tickets@localhost>', DENIED],
  ['<tickets@mail.example.com>', DENIED],
  ['<tickets@example.com>', DENIED],
  [`<tickets@sub.${DOMAIN}>`, DENIED],
  [`<tickets@${DOMAIN}.elsewhere.example>`, DENIED],
  [`<tickets@elsewhere.example.${DOMAIN}>`, DENIED],
  [`<tickets@x${DOMAIN}>`, DENIED],
  ['<tickets@\u0430pp.example.com>', DENIED],
  [`<someone@elsewhere.example\0${DOMAIN}>`, '501 5.1.3'],
  [`<someone@elsewhere.example(@${DOMAIN})>`, '501 5.1.3'],
  [`<someone@elsewhere.example,${TICKETS}>`, '501 5.1.3'],
  [`<someone@elsewhere.example> <${TICKETS}>`, '501 5.5.4'],
  [`<someone@elsewhere.example> ORCPT=rfc822;${TICKETS}`, '555 5.5.4'],
  [`<@elsewhere.example:${TICKETS}>`, '250'],
  ['<postmaster>', UNKNOWN],
];

t.test('STARTTLS forgets all that was said before, and gives its place back at the end', async (t) => {
  const caps = new ConnectionCaps({ total: 1, perAddress: 1 });
  const server = await site.serve(t, { caps });
  for (const round of [1, 2]) {
    const plain = await server.greeted();
    await ask(plain, 'MAIL FROM:<a@sender.example>\r\n', '250');
    await ask(plain, 'STARTTLS now\r\n', '501 5.5.4');
    await ask(plain, 'STARTTLS\r\n', '220 2.0.0');
    const client = await secureClient(t, plain.socket);
    t.match(await ask(client, `RCPT TO:<${TICKETS}>\r\n`, '\\d'), /^503 5.5.1 .*EHLO first/);
    t.notMatch(await ask(client, 'EHLO client.example.org\r\n', '250 '), 'STARTTLS');
    t.match(await ask(client, `RCPT TO:<${TICKETS}>\r\n`, '\\d'), '503 5.5.1 MAIL comes first');
    t.match(await handOver(client, `Subject: secure ${round}`), '250 2.0.0 Queued as ');
    t.match(await ask(client, 'STARTTLS\r\n', '\\d'), '503 5.5.1');
    t.match(withoutId(await lastMessage()), / with ESMTPS id X \(TLSv1\.3 TLS_\w+\)\r\n for /);
    client.send('QUIT\r\n');
    await client.closed();
    plain.socket.destroy();
    await until(() => server.connections === 0);
  }
});

t.test('what is sent in clear behind STARTTLS is dropped or ends the session, and never runs', async (t) => {
  const server = await site.serve(t);
  const before = await countOf();
  const evil = `MAIL FROM:<evil@x.example>\r\nRCPT TO:<${TICKETS}>\r\nDATA\r\nevil\r\n.\r\n`;
  for (const injected of [evil, evil.repeat(20), 'NOOP\r\n'.repeat(300)]) {
    const plain = await server.greeted();
    const answer = await ask(plain, `STARTTLS\r\n${injected}`, '220');
    t.equal(answer, '220 2.0.0 Ready to start TLS\r\n');
    const client = await secureClient(t, plain.socket).catch(() => undefined);
    if (client !== undefined) t.match(await ask(client, 'NOOP\r\n', '\\d'), /^250 2.0.0 OK\r\n$/);
  }
  t.equal(await countOf(), before);
});

t.test('where TLS is required nothing of value is said in clear', async (t) => {
  const server = await site.serve(t, { tls: 'required' });
  const plain = await server.greeted();
  for (const line of [
    'MAIL FROM:<a@b.example>',
    'RCPT TO:<x@y.example>',
    'DATA',
    'RSET',
    'VRFY x',
    'HELP',
    'JUNK',
  ])
    t.equal(
      await ask(plain, `${line}\r\n`, '\\d'),
      '530 5.7.0 Must issue a STARTTLS command first\r\n',
      line,
    );
  t.match(await ask(plain, 'NOOP\r\nHELO x\r\n', '250 mail'), /^250 2.0.0 OK\r\n250 mail/);
  await ask(plain, 'STARTTLS\r\n', '220');
  const client = await secureClient(t, plain.socket);
  await ask(client, 'EHLO client.example.org\r\n', '250 ');
  t.match(await handOver(client, 'x'), '250 2.0.0');
});

t.test(
  'trace fields stand in front and take no line from outside; the trace has accepted and stored',
  async (t) => {
    const server = await site.serve(t);
    const client = await server.connect();
    await client.until(/^220/);
    await ask(client, 'EHLO (evil)\\r\\nX-Evil:\u00fc\r\n', '250 ');
    const reply = await handOver(client, 'Subject: traced');
    const [, traceId = ''] = /Queued as (\w{20})/.exec(reply) ?? [];
    const latest = await site.site.store.trace.find(traceId as TraceId);
    t.strictSame(
      latest?.events.map(({ kind }) => kind),
      ['accepted', 'stored'],
    );
    t.match(latest?.events[0]?.fields, { protocol: 'smtp', listener: 'smtp', remote: '127.0.0.1' });
    const message = (await lastMessage()).toString();
    t.match(
      message,
      `Received: from [127.0.0.1] ([127.0.0.1]) by mail.example.com with ESMTP\r\n id ${traceId} for <`,
    );
    t.notMatch(message, 'vil');
  },
);

t.test('a message that goes in a circle is refused', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  t.match(await handOver(client, 'Received: from a by b\r\n'.repeat(51)), '554 5.4.6');
  t.match(await handOver(client, `Delivered-To: <Tickets@${DOMAIN}>\r\n`), '554 5.4.6');
  t.match(await handOver(client, `${'Received: x\r\n'.repeat(50)}\r\nReceived: in the body`), '250 2.0.0');
});

t.test('TLS from the first octet, and none at all, offer no STARTTLS', async (t) => {
  const implicit = await site.serve(t, { tls: 'implicit' });
  const client = await secureClient(t, (await connectClient(t, implicit.port)).socket);
  await client.until(/^220 mail.example.com ESMTP Hauspost\r\n/);
  t.notMatch(await ask(client, 'EHLO client.example.org\r\n', '250 '), 'STARTTLS');
  t.match(await handOver(client, 'x'), '250 2.0.0');
  t.match((await lastMessage()).toString(), ' with ESMTPS');
  const none = await site.serve(t, { tls: 'none' });
  const plain = await none.greeted();
  t.notMatch(plain.received, 'STARTTLS');
  t.match(await ask(plain, 'STARTTLS\r\n', '\\d'), '500 5.5.2');
});

t.test('a new certificate serves new sessions, and a failed handshake harms nobody', async (t) => {
  const { source, contexts } = await createCertificate(t);
  const server = await site.serve(t, { tlsContexts: contexts });
  const old = await startTls(t, await server.greeted());
  const first = old.socket.getPeerCertificate().fingerprint256;
  const renewed = (await createCertificate(t)).source;
  copyFileSync(renewed.certificateFile, source.certificateFile);
  copyFileSync(renewed.keyFile, source.keyFile);
  await contexts.reload();
  const fresh = await startTls(t, await server.greeted());
  t.not(fresh.socket.getPeerCertificate().fingerprint256, first);
  const broken = await server.greeted();
  await ask(broken, 'STARTTLS\r\n', '220');
  broken.send('this is no handshake\r\n');
  await broken.closed();
  t.match(await ask(old, 'NOOP\r\n', '\\d'), '250');
});

async function startTls(t: Parameters<typeof secureClient>[0], plain: Client) {
  await ask(plain, 'STARTTLS\r\n', '220');
  return secureClient(t, plain.socket);
}

t.test('a client that has closed its sending side gets all replies', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  await begin(client);
  client.send('Subject: half\r\n\r\nclosed\r\n.\r\nNOOP\r\nNOO');
  client.socket.end();
  t.match(await client.closed(), /250 2.0.0 Queued as \w{20}\r\n250 2.0.0 OK\r\n$/, 'half a command is none');
  t.equal(asSent(await lastMessage()).toString(), 'Subject: half\r\n\r\nclosed\r\n');
});

t.test('a pipelined batch is answered in one write', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  let segments = 0;
  client.socket.on('data', () => {
    segments += 1;
  });
  const rcpts = `RCPT TO:<${TICKETS}>\r\nRCPT TO:<nobody@${DOMAIN}>\r\n`.repeat(20);
  await ask(client, `MAIL FROM:<a@sender.example>\r\n${rcpts}DATA\r\n`, '354');
  t.equal(segments, 1);
});

t.test('the greeting waits for no timer', async (t) => {
  const server = await site.serve(t);
  const original = globalThis.setTimeout;
  const timers: string[] = [];
  const watched = (...args: Parameters<typeof setTimeout>) => {
    const { stack = '' } = new Error();
    if (stack.includes('smtp-server')) timers.push(stack);
    return original(...args);
  };
  globalThis.setTimeout = Object.assign(watched, original);
  const client = await server.connect();
  await client.until(/^220 /).finally(() => {
    globalThis.setTimeout = original;
  });
  t.strictSame(timers, []);
  t.equal(server.clock.monotonic(), 0);
});

t.test('early talkers are tolerated, or refused by setting', async (t) => {
  const tolerant = await site.serve(t);
  const patient = await tolerant.connect();
  patient.send('EHLO client.example.org\r\nQUIT\r\n');
  t.match(await patient.closed(), /^220 .*\r\n(250-.*\r\n)+250 SIZE \d+\r\n221 2.0.0 Bye\r\n$/);
  const engine = new EngineServer({
    ...{
      listener: 'smtp',
      role: 'relayIn',
      tls: 'none',
      serverName: 'mail.example.com',
      earlyTalkers: 'refuse',
    },
    ...{ sizeLimitOctets: 1000, recipientLimit: 10, bareLineFeed: 'keep' },
    ...{ tlsContexts: site.site.tlsContexts, transfer: site.createTransfer() },
    ...{ accounts: site.site.accounts, ipRanges: site.site.ipRanges },
    ...{ clock: createTestClock(), log: silentLog },
  });
  let isEarly = true;
  const listener = createServer((socket) => {
    // The early one is handed over when its octets are there, the polite one at once.
    if (isEarly) socket.once('readable', () => engine.connect(socket));
    else engine.connect(socket);
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  t.teardown(() => listener.close());
  const { port } = listener.address() as AddressInfo;
  const early = await connectClient(t, port);
  early.send('EHLO client.example.org\r\n');
  t.equal(await early.closed(), '554 5.5.0 A client speaks after the greeting\r\n');
  isEarly = false;
  const polite = await connectClient(t, port);
  t.match(await polite.until(/\r\n/), /^220 /);
  polite.send('QUIT\r\n');
  await polite.closed();
});

t.test('refused recipients do not cut off a message to the one that is there', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  const unknown = Array.from({ length: 999 }, (_, index) => `RCPT TO:<gone${index}@${DOMAIN}>\r\n`).join('');
  const replies = await ask(
    client,
    `MAIL FROM:<a@sender.example>\r\n${unknown}RCPT TO:<${TICKETS}>\r\nDATA\r\n`,
    '354',
  );
  t.equal(replies.match(/^550 5.1.1 /gm)?.length, 999);
  t.match(await ask(client, 'for one of a thousand\r\n.\r\n', '\\d'), '250 2.0.0 Queued');
  const harvest = await ask(client, `MAIL FROM:<>\r\n${unknown}RCPT TO:<x@y.example>\r\nNOOP\r\n`, '421');
  t.match(harvest, /421 4.7.0 Too many refused recipients\r\n$/);
  await client.closed();
});

t.test('more recipients than the limit are answered 452, and the others get the message', async (t) => {
  const server = await site.serve(t, { recipientLimit: 2 });
  const client = await server.greeted();
  const [first, second, third] = [TICKETS, `archive@${DOMAIN}`, `all@${DOMAIN}`].map(
    (to) => `RCPT TO:<${to}>\r\n`,
  );
  const replies = await ask(client, `MAIL FROM:<>\r\n${first}${second}${third}${first}DATA\r\n`, '354');
  t.match(replies, /250 2.1.5 .*\r\n250 2.1.5 .*\r\n452 4.5.3 Too many recipients\r\n250 2.1.5 /);
});

t.test(
  'errors and commands that lead nowhere end a session; an accepted message starts the counts anew',
  async (t) => {
    const server = await site.serve(t);
    const wrong = await server.greeted();
    await ask(wrong, 'MAIL FROM:<\r\n'.repeat(19), '501(?:[^]*501){18}');
    t.match(await handOver(wrong, 'x'), '250');
    wrong.send('MAIL FROM:<\r\n'.repeat(30));
    const replies = await wrong.closed();
    t.equal(replies.match(/^501 /gm)?.length, 39);
    t.match(replies, /421 4.7.0 Too many errors\r\n$/);
    const idle = await server.greeted();
    idle.send('NOOP\r\n'.repeat(150));
    t.match(
      await idle.closed(),
      /(250 2.0.0 OK\r\n){99,101}421 4.7.0 Too many commands without a message\r\n$/,
    );
    const junk = await server.greeted();
    junk.send('\x80\x81\r\nFOO\r\n'.repeat(10));
    t.match(await junk.closed(), /421 .*\r\n$/);
    const web = await server.connect();
    web.send('POST / HTTP/1.1\r\nHost: x\r\n\r\n');
    t.match(await web.closed(), /\r\n421 .*\r\n$/);
  },
);

t.test('transactions that come to nothing end a session at its limit of commands', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  // The RSET of each transaction would be a junk command: 452 is none, and no error.
  client.send(`MAIL FROM:<>\r\n${`RCPT TO:<${TICKETS}>\r\n`.repeat(COMMAND_LIMIT - 3)}NOOP\r\nNOOP\r\n`);
  t.match(
    await client.closed(),
    /250 2.1.5 [^\r]*\r\n250 2.0.0 OK\r\n250 [^\r]*\r\n421 4.7.0 Too many commands\r\n$/,
  );
});

t.test('failed logins are counted over all messages of a session', async (t) => {
  const tally = new SessionTally();
  for (let count = 1; count < FAILED_LOGIN_LIMIT; count += 1) {
    tally.noteFailedLogin();
    tally.noteAccepted();
  }
  t.equal(tally.excess, undefined);
  tally.noteFailedLogin();
  t.equal(tally.excess, 'failed logins');
});

t.test('who has had a message accepted keeps the place for a minute, who only talks does not', async (t) => {
  const server = await site.serve(t, { caps: new ConnectionCaps({ total: 2, perAddress: 2 }) });
  const [sender, talker] = [await server.greeted(), await server.greeted()];
  await handOver(sender, 'x');
  await ask(talker, 'NOOP\r\n', '250');
  const guest = await connectClient(t, server.port, '127.0.0.1', '127.0.0.2');
  t.match(await talker.closed(), /\r\n421 mail.example.com Too many connections[^\r]*\r\n$/);
  await ask(guest, 'EHLO client.example.org\r\n', '250 ');
  server.clock.advance(PLACE_KEPT_MS);
  await handOver(guest, 'x');
  await connectClient(t, server.port, '127.0.0.1', '127.0.0.3');
  t.match(await sender.closed(), /\r\n421 mail.example.com Too many connections[^\r]*\r\n$/);
  t.match(await handOver(guest, 'y'), '250');
});

t.test('a line without an end is refused for good, and costs one session', async (t) => {
  const server = await site.serve(t);
  const other = await server.greeted();
  const client = await server.greeted();
  client.send(Buffer.alloc(70_000, 'x'));
  t.match(
    await client.closed(),
    /\r\n500 5.5.2 Line too long\r\n421 4.7.0 A line was too long, closing\r\n$/,
  );
  t.match(await ask(other, 'NOOP\r\n', '\\d'), '250');
});

t.test('the rest of a line that is too long is no command, whatever lay ready behind it', async (t) => {
  const verdict = Promise.withResolvers<RecipientVerdict>();
  const transfer: SessionDoor = { ...site.createTransfer(), checkRecipient: () => verdict.promise };
  const server = await site.serve(t, { transfer });
  const client = await server.greeted();
  client.socket.setNoDelay(true);
  // The segments lie ready when the line is found too long.
  client.send(`MAIL FROM:<a@sender.example>\r\nRCPT TO:<${TICKETS}>\r\n`);
  for (const segment of ['x'.repeat(3000), 'x'.repeat(3000), '\r\nRSET\r\n']) {
    await turns();
    client.send(segment);
  }
  await turns();
  verdict.resolve(ACCEPTED);
  t.match(
    await client.closed(),
    /250 2.1.5 .*\r\n500 5.5.2 Line too long\r\n421 4.7.0 A line was too long, closing\r\n$/,
  );
});

t.test('connections beyond the cap are told to come again', async (t) => {
  const server = await site.serve(t, { caps: new ConnectionCaps({ total: 1, perAddress: 1 }) });
  const first = await server.greeted();
  const second = await server.connect();
  t.equal(await second.closed(), '421 mail.example.com Too many connections, please try again later\r\n');
  first.send('QUIT\r\n');
  await first.closed();
  first.socket.destroy();
  await until(() => server.connections === 0);
  t.match((await server.greeted()).received, /^220 /);
});

t.test('two sessions do not know of each other', async (t) => {
  const server = await site.serve(t);
  const [one, two] = [await server.greeted(), await server.greeted()];
  await begin(one);
  one.send('Subject: one\r\n\r\n');
  t.match(await ask(two, `RCPT TO:<${TICKETS}>\r\n`, '\\d'), '503');
  t.match(await handOver(two, 'Subject: two', `archive@${DOMAIN}`), '250');
  t.match(await ask(one, 'the end\r\n.\r\n', '\\d'), '250');
  t.equal(asSent(await lastMessage()).toString(), 'Subject: one\r\n\r\nthe end\r\n');
  t.equal(asSent(await lastMessage(archive)).toString(), 'Subject: two\r\n');
});

t.test('a reset inside the data stores nothing, and the server goes on', async (t) => {
  const server = await site.serve(t);
  const other = await server.greeted();
  const before = await countOf();
  for (const input of ['Subject: gone\r\n', `${'x'.repeat(300_000)}\r\n`, '\r\n.\r', '']) {
    const client = await server.greeted();
    await begin(client);
    await new Promise<void>((done) => client.socket.write(input, () => done()));
    client.socket.resetAndDestroy();
  }
  const cut = await server.greeted();
  await begin(cut);
  cut.send('Subject: gone\r\n.');
  cut.socket.end();
  await cut.closed();
  t.match(await handOver(other, 'Subject: here'), '250');
  await until(() => server.connections === 1);
  t.equal(await countOf(), before + 1);
});

t.test('a fault of ours is a 4yz, and the session goes on', async (t) => {
  const late = Promise.withResolvers<RecipientVerdict>();
  const faults: (() => Promise<RecipientVerdict>)[] = [
    () => Promise.reject(new TypeError('planted')),
    () => Promise.reject(new MailError('storeUnavailable')),
    () => late.promise,
  ];
  const transfer: SessionDoor = {
    checkSender: async () => ({ kind: 'accepted' }),
    note: () => {},
    checkRecipient: (path) =>
      path === 'fail@x.example' ? (faults.shift() ?? faulty)() : Promise.resolve(ACCEPTED),
    accept: faulty,
  };
  const server = await site.serve(t, { transfer });
  const client = await server.greeted();
  await ask(client, 'MAIL FROM:<>\r\n', '250');
  t.match(await ask(client, 'RCPT TO:<fail@x.example>\r\n', '\\d'), '451 4.3.0 Temporary server error');
  t.match(await ask(client, 'RCPT TO:<fail@x.example>\r\n', '\\d'), '451 4.3.0 The message store is not');
  client.send('RCPT TO:<fail@x.example>\r\n');
  await until(() => faults.length === 0);
  server.clock.advance(30_000);
  await client.until(/\r\n451 4.4.2 The operation took too long[^\r]*\r\n$/);
  late.resolve(ACCEPTED);
  t.match(await ask(client, 'DATA\r\n', '\\d'), '503', 'who was answered too late is no recipient');
  t.match(await ask(client, 'RCPT TO:<good@x.example>\r\nDATA\r\n', '354'), '250 2.1.5');
  t.match(await ask(client, 'x\r\n.\r\n', '\\d'), '451 4.3.0');
  t.match(await ask(client, 'NOOP\r\n', '\\d'), '250');
});

const ACCEPTED = { kind: 'accepted' } as const;
const faulty = (): Promise<never> => Promise.reject(new TypeError('planted'));

t.test('closing says 421 to who waits, and lets a message finish that is under way', async (t) => {
  const server = await site.serve(t);
  const [idle, busy] = [await server.greeted(), await server.greeted()];
  await begin(busy);
  busy.send('Subject: last\r\n\r\n');
  await until(() => server.connections === 2);
  const closed = server.close(15_000);
  t.match(await idle.closed(), /421 4.3.2 The server is shutting down[^\r]*\r\n$/);
  t.match(await ask(busy, 'words\r\n.\r\n', '421'), /^250 2.0.0 Queued as \w+\r\n421 4.3.2 /);
  idle.socket.destroy();
  busy.socket.destroy();
  await closed;
  t.equal(asSent(await lastMessage()).toString(), 'Subject: last\r\n\r\nwords\r\n');
  await t.rejects(connectClient(t, server.port));
});

t.test('what is open at the deadline is cut', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  await begin(client);
  const closed = server.close(15_000);
  server.clock.advance(15_000);
  await client.closed();
  await closed;
  t.equal(server.clock.pendingTimers, 0, 'no timer is left');
});

t.test('the log names sessions and refusals, and no secret', async (t) => {
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const server = await site.serve(t, { log: createLog(sink, 'debug') });
  const client = await server.greeted();
  client.send('AUTH PLAIN AHVzZXIAc2VjcmV0\r\n AUTH LOGIN\r\nc2VjcmV0\r\nMAIL FROM:<a@sender.example>\r\n');
  client.send(`RCPT TO:<someone@elsewhere.example>\r\nRCPT TO:<${TICKETS}>\r\nDATA\r\n`);
  client.send('the body is a secret\r\n.\r\n');
  await client.until(/Queued/);
  const secure = await startTls(t, client);
  secure.send('QUIT\r\n');
  await secure.closed();
  client.socket.destroy();
  await until(() => lines.some((line) => line.includes('session.close')));
  const events = lines.map((line) => JSON.parse(line).event);
  t.equal(events.filter((event) => event === 'smtpd.session.close').length, 1);
  for (const event of ['open', 'close']) t.ok(events.includes(`smtpd.session.${event}`));
  t.ok(events.includes('smtpd.recipient.refused'));
  t.notMatch(lines.join(''), /secret|AHVz|c2Vj/);
});

/** Turns the event loop until `isTrue`; the test's own time-out is the limit. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

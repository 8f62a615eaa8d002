/** SMTP relay-in over real sockets and the real store: transcripts, smuggling, no open relay, deadlines, TLS, drops, limits. */

import fc from 'fast-check';
import { createTransport } from 'nodemailer';
import t, { type Test } from 'tap';
import { MailError } from '../../src/base/error.ts';
import { silentLog } from '../../src/base/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import type { TlsMode } from '../../src/net/listener.ts';
import { DEADLINE_PERIOD_MS } from '../../src/smtpd/limits.ts';
import { openSmtpd, type SmtpdOptions } from '../../src/smtpd/smtpd.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { openRoomSite, type RoomSite } from '../support/site.ts';
import { type Client, connectClient, secureClient } from '../support/sockets.ts';
import { playTranscript, readTranscript } from '../support/transcript.ts';

const SIZE_LIMIT = 1_000_000;
const HEAD =
  'EHLO client.example.org\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<ticket@app.example.com>\r\nDATA\r\n';

interface Server {
  readonly site: RoomSite;
  readonly clock: TestClock;
  readonly port: number;
  readonly caps: ConnectionCaps;
  connect(): Promise<Client>;
  close(deadlineMs: number): Promise<void>;
  /** Messages in ticket's INBOX, without our two trace fields. */
  messages(): Promise<string[]>;
}

async function openServer(
  t: Test,
  changes: Partial<SmtpdOptions> = {},
  tls: TlsMode = 'starttls',
): Promise<Server> {
  const site = await openRoomSite(t);
  const ticket = await site.addAccount('ticket@app.example.com');
  const { store, accounts, tlsContexts } = site;
  const clock = createTestClock();
  const caps = new ConnectionCaps({ total: 60, perAddress: 60 });
  const common = { serverName: 'mail.example.com', clock, log: silentLog };
  const smtpd = await openSmtpd({
    ...common,
    sizeLimitOctets: SIZE_LIMIT,
    recipientLimit: 100,
    bareLineFeed: 'keep',
    transfer: createTransfer({ ...common, store, accounts, sizeLimitOctets: SIZE_LIMIT }),
    listeners: [
      {
        name: 'smtp',
        address: '127.0.0.1',
        port: 0,
        tls,
        tlsContexts,
        caps,
      },
    ],
    ...changes,
  });
  t.teardown(() => smtpd.close(0));
  const port = smtpd.listeners[0]?.port ?? 0;
  const messages = async () => {
    const inbox = await store.mailboxes.find(ticket.id, ['INBOX']);
    const found: string[] = [];
    if (inbox === undefined) return found;
    for await (const slice of store.mailboxes.entries(inbox.id, { first: 1, last: 2 ** 32 - 1 })) {
      for (const { contentId } of slice) {
        const content = await store.contents.open(contentId);
        const chunks: Buffer[] = [];
        for await (const chunk of content.read(0, content.octets)) chunks.push(chunk);
        found.push(
          Buffer.concat(chunks)
            .toString('latin1')
            .replace(/^Return-Path: [^\r]*\r\nReceived: (?:[^\r]*\r\n )*[^\r]*\r\n/, ''),
        );
      }
    }
    return found;
  };
  return {
    site,
    clock,
    port,
    caps,
    connect: () => connectClient(t, port),
    close: (ms) => smtpd.close(ms),
    messages,
  };
}

t.test('a session goes as RFC 5321 says, with per-recipient answers and enhanced status codes', async (t) => {
  const server = await openServer(t);
  await server.site.addAccount('off@app.example.com');
  await server.site.administration.accounts.set('off@app.example.com', { isEnabled: false });
  await server.site.addAccount('full@app.example.com', 10);
  await playTranscript(await server.connect(), readTranscript('smtp/session'));
  t.strictSame(await server.messages(), ['Subject: hello\r\n\r\n.\r\n', '']);
});

t.test(
  'the trace fields stand in front, folded, and take nothing from outside as a line of their own',
  async (t) => {
    const { site, connect } = await openServer(t);
    const client = await connect();
    client.send(
      'EHLO (evil)\\nX-Evil:\u00fc\r\nMAIL FROM:<"a(b"@example.org>\r\nRCPT TO:<ticket@app.example.com>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n',
    );
    const [, traceId = ''] = /Queued as ([0-9A-Z]{20})\r\n/.exec(await client.closed()) ?? [];
    const [trace] = await site.store.trace.findByAddress('ticket@app.example.com', 10);
    t.equal(trace?.traceId, traceId);
    t.strictSame(
      trace?.events.map(({ kind }) => kind),
      ['accepted', 'stored'],
    );
    const account = await site.store.directory.findAccount('ticket@app.example.com');
    const inbox = account && (await site.store.mailboxes.find(account.id, ['INBOX']));
    const head: string[] = [];
    if (inbox !== undefined) {
      for await (const [entry] of site.store.mailboxes.entries(inbox.id, { first: 1, last: 1 })) {
        if (entry === undefined) continue;
        const content = await site.store.contents.open(entry.contentId);
        for await (const chunk of content.read(0, content.octets)) head.push(chunk.toString());
        t.equal(content.returnPathOctets, head.join('').indexOf('\r\n') + 2);
      }
    }
    t.match(
      head.join(''),
      /^Return-Path: <"a\(b"@example\.org>\r\nReceived: from \?evil\?\?nx-evil:ü \(\[127\.0\.0\.1\]\) by mail\.example\.com with ESMTP\r\n id [0-9A-Z]{20} for <ticket@app\.example\.com>;\r\n [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\nSubject: x\r\n\r\n$/,
    );
  },
);

t.test('only CRLF.CRLF ends a message, wherever the input is cut: nothing can be smuggled', async (t) => {
  const server = await openServer(t);
  const ends = [
    '\n.\n',
    '\n.\r\n',
    '\r\n.\n',
    '\r.\r',
    '\r\n.\r',
    '\r.\r\n',
    '\n\n.\n\n',
    '\r\n\0.\r\n',
    '\r\n .\r\n',
  ];
  const smuggled =
    'MAIL FROM:<evil@example.org>\r\nRCPT TO:<ticket@app.example.com>\r\nDATA\r\nsmuggled\r\n.\r\n';
  for (const end of ends) {
    const before = (await server.messages()).length;
    const client = await server.connect();
    client.send(HEAD);
    await client.until(/354 /);
    for (const piece of [`body${end}`, smuggled]) client.send(piece);
    client.send('QUIT\r\n');
    t.equal((await client.closed()).match(/Queued as/g)?.length, 1, JSON.stringify(end));
    const messages = await server.messages();
    t.equal(messages.length, before + 1);
    t.equal(messages.at(-1), `body${end}${smuggled.slice(0, -3)}`.replace(/\r\n\.(?!\r\n$)/g, '\r\n'));
  }
});

t.test('bare line ends are refused where that is set, after the whole message was read', async (t) => {
  const server = await openServer(t, { bareLineFeed: 'refuse' });
  const client = await server.connect();
  client.send(
    `${HEAD}a\nb\r\n.\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<ticket@app.example.com>\r\nDATA\r\ngood\r\n.\r\nQUIT\r\n`,
  );
  t.match(await client.closed(), /550 5\.6\.0 The message has a CR or LF[\s\S]*250 2\.0\.0 Queued as/);
  t.strictSame(await server.messages(), ['good\r\n']);
});

t.test('nobody outside our domains is ever accepted, however the address is dressed up', async (t) => {
  const { connect } = await openServer(t);
  const paths = [
    'a@example.net',
    'a%example.net@app.example.com',
    'a@example.net@app.example.com',
    '"a@example.net"@app.example.com',
    'example.net!a@app.example.com',
    '@app.example.com:a@example.net',
    '@app.example.com,@b.example:a@example.net',
    'a@[127.0.0.1]',
    'a@[IPv6:::1]',
    'ticket@app.example.com.example.net',
    'ticket@example.net app.example.com',
    'a@xn--app-example-com',
    '"ticket@app.example.com"@example.net',
    'ticket@app.example.com@example.net',
    'a',
    '',
    'ticket@app.example.com\0@example.net',
    'ticket@APP.EXAMPLE.COM.',
    'ticket@sub.app.example.com',
  ];
  const client = await connect();
  client.send('EHLO x\r\nMAIL FROM:<ticket@app.example.com>\r\n');
  await client.until(/2\.1\.0/);
  for (const path of paths) {
    const before = client.received.length;
    client.send(`RCPT TO:<${path}>\r\n`);
    const reply = (await client.until(new RegExp(`^[^]{${before}}[^]*\\r\\n$`))).slice(before);
    t.match(reply, /^5\d\d 5\./, path);
  }
});

t.test(
  'a message that is too large is refused with 552 after it was read, and the session goes on',
  async (t) => {
    const server = await openServer(t);
    const client = await server.connect();
    client.send(`${HEAD}${'x'.repeat(999_999)}\r\n.\r\n${HEAD.replace(/^.*\r\n/, '')}small\r\n.\r\nQUIT\r\n`);
    t.match(await client.closed(), /552 5\.3\.4 The message is larger[\s\S]*250 2\.0\.0 Queued as/);
    t.strictSame(await server.messages(), ['small\r\n']);
  },
);

t.test('a message that goes in a circle is refused', async (t) => {
  const server = await openServer(t);
  const client = await server.connect();
  const again = HEAD.replace(/^.*\r\n/, '');
  client.send(
    `${HEAD}${'Received: from a by b\r\n'.repeat(51)}\r\n.\r\n${again}Delivered-To: <Ticket@app.example.com>\r\n\r\n.\r\n${again}${'Received: x\r\n'.repeat(50)}\r\nReceived: in the body\r\n.\r\nQUIT\r\n`,
  );
  t.match(await client.closed(), /554 5\.4\.6 [\s\S]*554 5\.4\.6 [\s\S]*250 2\.0\.0 Queued as/);
  t.equal((await server.messages()).length, 1);
});

t.test('one copy for each account, whatever addresses lead to it', async (t) => {
  const server = await openServer(t);
  await server.site.administration.aliases.add({
    address: 'info@app.example.com',
    targets: ['ticket@app.example.com'],
  });
  const client = await server.connect();
  client.send(
    'EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<info@app.example.com>\r\nRCPT TO:<ticket@app.example.com>\r\nRCPT TO:<TICKET@app.example.com>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n',
  );
  t.match(await client.closed(), /250 2\.0\.0 Queued as/);
  t.equal((await server.messages()).length, 1);
});

t.test('a session cut at every octet stores the same message', async (t) => {
  const server = await openServer(t);
  const client = await server.connect();
  for (const octet of Buffer.from(`${HEAD}..a\r\n.b\r\n..\r\n\r\n.\r\nQUIT\r\n`)) {
    await new Promise<void>((resolve) => client.socket.write(Buffer.of(octet), () => resolve()));
  }
  t.match(await client.closed(), /Queued as/);
  t.strictSame(await server.messages(), ['.a\r\nb\r\n.\r\n\r\n']);
});

t.test('any octets handed over with stuffed dots are stored as they were', async (t) => {
  const server = await openServer(t);
  const client = await server.connect();
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
  client.send('EHLO x\r\n');
  for (const message of messages) {
    const stuffed = `\r\n${message}`.replace(/\r\n\./g, '\r\n..').slice(2);
    client.send(
      Buffer.from(
        `MAIL FROM:<a@example.org>\r\nRCPT TO:<ticket@app.example.com>\r\nDATA\r\n${stuffed}.\r\n`,
        'latin1',
      ),
    );
  }
  client.send('QUIT\r\n');
  t.equal((await client.closed()).match(/Queued as/g)?.length, messages.length);
  t.strictSame(await server.messages(), messages);
});

t.test('a client that goes away inside a message leaves nothing behind, and others are served', async (t) => {
  const server = await openServer(t);
  for (const end of ['destroy', 'resetAndDestroy'] as const) {
    const client = await server.connect();
    client.send(HEAD);
    await client.until(/354 /);
    client.send('x'.repeat(300_000));
    client.socket[end]();
    await client.closed().catch(() => {});
  }
  const client = await server.connect();
  client.send(`${HEAD}whole\r\n.\r\nQUIT\r\n`);
  t.match(await client.closed(), /Queued as/);
  t.strictSame(await server.messages(), ['whole\r\n']);
});

t.test(
  'a dribbling client meets its deadline between commands, in the data and over the whole session',
  async (t) => {
    const { connect, clock } = await openServer(t);
    const advance = (ms: number) => {
      for (let passed = 0; passed < ms; passed += DEADLINE_PERIOD_MS) clock.advance(DEADLINE_PERIOD_MS);
    };
    const idle = await connect();
    await idle.until(/220 /);
    idle.send('EHLO with-no-end');
    advance(6 * MINUTE_MS);
    t.match(await idle.closed(), /421 4\.4\.2 Too long without a command/);
    const slow = await connect();
    slow.send(HEAD);
    await slow.until(/354 /);
    advance(DEADLINE_PERIOD_MS);
    slow.send('drip\r\n');
    advance(4 * MINUTE_MS);
    t.match(await slow.closed(), /421 4\.4\.2 The message arrives too slowly/);
    const busy = await connect();
    await busy.until(/220 /);
    for (let minute = 0; minute < 61; minute += 4) {
      const before = busy.received.length;
      busy.send('NOOP\r\n');
      await busy.until(new RegExp(`^[^]{${before}}[^]*\\r\\n`));
      advance(4 * MINUTE_MS);
    }
    t.match(await busy.closed(), /421 4\.4\.2 Too long without a message/);
  },
);

t.test('junk ends in errors and then in the end of that session alone', async (t) => {
  const server = await openServer(t);
  const canary = await server.connect();
  await canary.until(/220 /);
  const junk = await server.connect();
  junk.send(Buffer.from('\x16\x03\x01\0\r\n'.repeat(50), 'latin1'));
  t.match(await junk.closed(), /(500 5\.5\.2 [\s\S]*){9}421/);
  const long = await server.connect();
  long.send(`EHLO ${'x'.repeat(100_000)}`);
  t.match(await long.closed(), /421 5\.5\.2 Command line too long/);
  const guesser = await server.connect();
  guesser.send('EHLO x\r\nMAIL FROM:<a@example.org>\r\n');
  for (let index = 0; index < 150; index += 1) guesser.send(`RCPT TO:<guess${index}@app.example.com>\r\n`);
  t.match(await guesser.closed(), /421 4\.7\.0 Too many errors/);
  const web = await server.connect();
  web.send('POST / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(await web.closed(), /421/);
  canary.send(`${HEAD}still here\r\n.\r\nQUIT\r\n`);
  t.match(await canary.closed(), /Queued as/);
});

t.test(
  'a listener that demands TLS takes nothing before it, and nothing sent in plain text survives STARTTLS',
  async (t) => {
    const server = await openServer(t, {}, 'required');
    const client = await server.connect();
    client.send('EHLO x\r\nMAIL FROM:<a@example.org>\r\n');
    await client.until(/530 5\.7\.0 Must issue a STARTTLS command first/);
    client.send('STARTTLS\r\nMAIL FROM:<injected@example.org>\r\n');
    await client.until(/\r\n220 [^\r]*\r\n/);
    const secure = await secureClient(t, client.socket);
    secure.send(`RCPT TO:<ticket@app.example.com>\r\n${HEAD}x\r\n.\r\nQUIT\r\n`);
    const heard = await secure.closed();
    t.match(heard, /^503 [\s\S]*Queued as/);
    t.notMatch(heard, /STARTTLS/);
    await server.close(10_000);
    t.equal(server.caps.total, 0, 'the connection gave its place back');
  },
);

t.test(
  'what is our fault is temporary: a store that fails, a handler that hangs, a commit that does not come',
  async (t) => {
    const answers: [Partial<SmtpdOptions['transfer']>, RegExp, number][] = [
      [
        { checkRecipient: () => Promise.reject(new MailError('storeUnavailable')) },
        /451 4\.3\.0 The message store/,
        0,
      ],
      [
        { checkRecipient: () => Promise.reject(new TypeError('a bug')) },
        /451 4\.3\.0 Temporary server error/,
        0,
      ],
      [{ checkRecipient: () => new Promise(() => {}) }, /451 4\.4\.2 /, 31 * SECOND_MS],
      [{ accept: () => Promise.reject(new Error('a bug')) }, /451 4\.3\.0 Temporary server error/, 0],
    ];
    for (const [broken, expected, waitMs] of answers) {
      const transfer = {
        checkRecipient: async () => ({ kind: 'accepted' as const }),
        accept: async () => ({
          kind: 'refused' as const,
          traceId: '' as never,
          error: new MailError('diskFull'),
        }),
        ...broken,
      };
      const { connect, clock } = await openServer(t, { transfer });
      const client = await connect();
      client.send('EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<ticket@app.example.com>\r\n');
      await client.until(/2\.1\.0/);
      if (waitMs > 0) {
        // The handler has begun when a later connection was greeted: sockets are served in order.
        await (await connect()).until(/220 /);
        clock.advance(waitMs);
      }
      client.send('DATA\r\nx\r\n.\r\n');
      t.match(await client.until(expected), expected);
    }
  },
);

t.test('the greeting waits for no timer', async (t) => {
  const { connect, clock } = await openServer(t);
  const before = clock.pendingTimers;
  t.match(await (await connect()).until(/220 mail\.example\.com ESMTP/), /^220/);
  t.equal(clock.pendingTimers, before);
});

t.test('closing tells idle sessions and lets a message that is arriving be finished', async (t) => {
  const server = await openServer(t);
  const idle = await server.connect();
  await idle.until(/220 /);
  idle.socket.on('end', () => idle.socket.end());
  const busy = await server.connect();
  busy.socket.on('end', () => busy.socket.end());
  busy.send(HEAD);
  await busy.until(/354 /);
  const closed = server.close(10_000);
  t.match(await idle.closed(), /421 4\.3\.2 /);
  busy.send('last\r\n.\r\nNOOP\r\n');
  t.match(await busy.closed(), /Queued as [0-9A-Z]{20}\r\n421 4\.3\.2 /);
  await closed;
  t.strictSame(await server.messages(), ['last\r\n']);
});

t.test('nodemailer hands over by STARTTLS with a certificate that it trusts', async (t) => {
  const server = await openServer(t);
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.port,
    requireTLS: true,
    tls: { rejectUnauthorized: false },
  });
  const info = await transport.sendMail({
    from: 'a@example.org',
    to: 'ticket@app.example.com',
    subject: 'ü',
    text: '.\n..\n',
  });
  transport.close();
  t.match(info.response, /^250 2\.0\.0 Queued as/);
  t.equal((await server.messages()).length, 1);
});

t.test('postmaster is reached without a domain where somebody is it', async (t) => {
  const server = await openServer(t);
  const client = await server.connect();
  client.send('EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\n');
  t.match(await client.until(/2\.1\.0[\s\S]*\r\n.*\r\n/), /\r\n550 5\.1\.1 /);
  server.site.accounts.setOptions({ postmaster: 'ticket@app.example.com' });
  client.send('RCPT TO:<POSTMASTER>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n');
  t.match(await client.closed(), /250 2\.1\.5 [\s\S]*Queued as/);
  t.strictSame(await server.messages(), ['x\r\n']);
});

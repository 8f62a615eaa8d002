/** CHUNKING (RFC 3030) with a raw client: every odd BDAT in one segment and octet by octet, limits, deadlines, faults. */

import fc from 'fast-check';
import t from 'tap';

import { MailError } from '../../src/base/error.ts';
import { KIB, MINUTE_MS } from '../../src/base/units.ts';
import type { Transfer } from '../../src/transfer/contract.ts';
import { FREE_CHUNKS } from '../../src/smtpd/limits.ts';
import { type Client, secureClient } from '../support/sockets.ts';
import { ask, asSent, DOMAIN, dribble, openSmtpSite, type SmtpServer, turns } from './harness.ts';

t.setTimeout(300_000);
const site = await openSmtpSite(t);
const { tickets } = site;

const MAIL = 'MAIL FROM:<a@sender.example>\r\n';
const RCPT = `RCPT TO:<tickets@${DOMAIN}>\r\n`;
const NOBODY = `RCPT TO:<nobody@${DOMAIN}>\r\n`;
const BEGUN = MAIL + RCPT;
const OK = ['250 2.1.0', '250 2.1.5'];
const QUEUED = '250 2.0.0 Queued';
const BYE = '221 2.0.0';
const TOO_LARGE = '552 5.3.4';
const LIMIT = 1000;

/** A chunk with its command. */
const chunk = (text: string, isLast = false) => `BDAT ${text.length}${isLast ? ' LAST' : ''}\r\n${text}`;
const last = (text: string) => chunk(text, true);
const received = (octets: number) => `250 2.0.0 ${octets} octets received`;
const x = (octets: number) => 'x'.repeat(octets);

interface Dialogue {
  readonly name: string;
  /** All that the client says behind EHLO, QUIT excepted. */
  readonly input: string;
  /** How each reply line begins. */
  readonly replies: readonly string[];
  /** The messages that are stored of it. */
  readonly stored?: readonly string[];
  /** Whether the server ends the session itself. */
  readonly isCut?: boolean;
}

const DIALOGUES: readonly Dialogue[] = [
  {
    name: 'one chunk, stored byte for byte without a final line end',
    input: BEGUN + last('Subject: x\r\n\r\nno end'),
    replies: [...OK, QUEUED],
    stored: ['Subject: x\r\n\r\nno end'],
  },
  {
    name: 'several chunks, cut anywhere',
    input: BEGUN + chunk('Sub') + chunk('ject: x\r') + chunk('\n') + last('\r\nend\r\n'),
    replies: [...OK, received(3), received(8), received(1), QUEUED],
    stored: ['Subject: x\r\n\r\nend\r\n'],
  },
  { name: 'an empty message', input: `${BEGUN}BDAT 0 LAST\r\n`, replies: [...OK, QUEUED], stored: [''] },
  {
    name: 'an empty last chunk',
    input: `${BEGUN}${chunk('words')}BDAT 0 LAST\r\n`,
    replies: [...OK, received(5), QUEUED],
    stored: ['words'],
  },
  {
    name: 'empty chunks between',
    input: `${BEGUN}BDAT 0\r\n${chunk('a')}BDAT 0\r\n${last('b')}`,
    replies: [...OK, received(0), received(1), received(0), QUEUED],
    stored: ['ab'],
  },
  {
    name: 'leading zeros, lower case, more blanks',
    input: `${BEGUN}bdat  00000000000000000000000005 last \r\nwords`,
    replies: [...OK, QUEUED],
    stored: ['words'],
  },
  {
    name: 'tabs in place of blanks: what comes behind them is a chunk and no command',
    input: `${BEGUN}BDAT\t6\tLAST\r\nRSET\r\nNOOP\t\r\n`,
    replies: [...OK, QUEUED, '250 2.0.0 OK'],
    stored: ['RSET\r\n'],
  },
  {
    name: 'dots stay as they are, and end nothing',
    input: BEGUN + chunk('..\r\n.\r\n.') + last('\r\n.\r\nQUIT\r\n.\r\n'),
    replies: [...OK, received(8), QUEUED],
    stored: ['..\r\n.\r\n.\r\n.\r\nQUIT\r\n.\r\n'],
  },
  {
    name: 'bare line ends, NUL and any octet are kept',
    input: BEGUN + last('a\nb\rc\0\xff\x80\n.\n\r\r\n\n'),
    replies: [...OK, QUEUED],
    stored: ['a\nb\rc\0\xff\x80\n.\n\r\r\n\n'],
  },
  {
    name: 'commands within a chunk are not run',
    input: BEGUN + chunk(`RSET\r\n${MAIL}`) + last('BDAT 9 LAST\r\n'),
    replies: [...OK, received(6 + MAIL.length), QUEUED],
    stored: [`RSET\r\n${MAIL}BDAT 9 LAST\r\n`],
  },
  ...['', ' ', ' -1', ' 0x10', ' 10h', ' 1e1', ' five', ' LAST', ' 5 FIRST', ' 5 LAST 5', ' 5LAST'].map(
    (argument) => ({
      name: `"BDAT${argument}": without a size nobody knows where commands go on`,
      input: `${BEGUN}${chunk('words')}BDAT${argument}\r\nRSET\r\n${BEGUN}${last('smuggled')}`,
      replies: [...OK, received(5), '501 5.5.4 Syntax error: expected', '421 4.7.0'],
      isCut: true,
    }),
  ),
  {
    name: '2^64 octets, and more digits than a number has, are not waited for',
    input: `${BEGUN}BDAT 18446744073709551616\r\n${RCPT}${last('smuggled')}`,
    replies: [...OK, TOO_LARGE],
    isCut: true,
  },
  {
    name: 'an infinite size without a transaction',
    input: `BDAT ${'9'.repeat(400)} LAST\r\n${BEGUN}${last('smuggled')}`,
    replies: ['503 5.5.1 MAIL comes first'],
    isCut: true,
  },
  { name: 'the limit itself', input: BEGUN + last(x(LIMIT)), replies: [...OK, QUEUED], stored: [x(LIMIT)] },
  {
    name: 'one chunk beyond the limit is dropped, and the session goes on',
    input: `${BEGUN}${last(x(LIMIT + 1))}NOOP\r\n${BEGUN}${last('fits')}`,
    replies: [...OK, TOO_LARGE, '250 2.0.0 OK', ...OK, QUEUED],
    stored: ['fits'],
  },
  {
    name: 'chunks that are too large together, and those behind them, have one answer',
    input: BEGUN + chunk(x(600)) + chunk(x(600)) + chunk('more') + last('end') + BEGUN + last('fits'),
    replies: [...OK, received(600), TOO_LARGE, TOO_LARGE, TOO_LARGE, ...OK, QUEUED],
    stored: ['fits'],
  },
  {
    name: 'what is beyond twice the limit in all is not waited for',
    input: BEGUN + chunk(x(LIMIT)) + chunk(x(LIMIT)) + chunk('x') + BEGUN + last('smuggled'),
    replies: [...OK, received(LIMIT), TOO_LARGE, TOO_LARGE],
    isCut: true,
  },
  {
    name: 'RSET after a failed chunk ends it: what comes then has no transaction',
    input: `${BEGUN}${chunk(x(LIMIT + 1))}RSET\r\n${last('late')}${BEGUN}${last('fits')}`,
    replies: [...OK, TOO_LARGE, '250 2.0.0 Flushed', '503 5.5.1 MAIL comes first', ...OK, QUEUED],
    stored: ['fits'],
  },
  {
    name: 'a new transaction after a failed chunk needs no RSET, and its message is its own',
    input: `${BEGUN}${chunk(x(LIMIT + 1))}${chunk('more')}${BEGUN}${chunk('fi')}${last('ts')}`,
    replies: [...OK, TOO_LARGE, TOO_LARGE, ...OK, received(2), QUEUED],
    stored: ['fits'],
  },
  {
    name: 'RSET between chunks drops what has come',
    input: `${BEGUN}${chunk('given up')}RSET\r\n${last('late')}${BEGUN}${last('kept')}`,
    replies: [...OK, received(8), '250 2.0.0 Flushed', '503 5.5.1 MAIL comes first', ...OK, QUEUED],
    stored: ['kept'],
  },
  {
    name: 'HELO and EHLO drop it, too',
    input: `${BEGUN}${chunk('one')}HELO c.example\r\n${BEGUN}${chunk('two')}HELO c.example\r\n${last('x')}`,
    replies: [...OK, received(3), '250 mail', ...OK, received(3), '250 mail', '503 5.5.1'],
  },
  {
    name: 'DATA, MAIL and RCPT behind a chunk are out of order, and change nothing',
    input: `${BEGUN}${chunk('one')}DATA\r\n${MAIL}RCPT TO:<archive@${DOMAIN}>\r\n${last('two')}`,
    replies: [
      ...OK,
      received(3),
      '503 5.5.1 The message has',
      '503 5.5.1 Nested',
      '503 5.5.1 The message',
      QUEUED,
    ],
    stored: ['onetwo'],
  },
  {
    name: 'BDAT after DATA is the next transaction, and has none',
    input: `${BEGUN}DATA\r\nSubject: x\r\n\r\n..\r\n.\r\n${last('late')}${BEGUN}${last('.')}`,
    replies: [...OK, '354 ', QUEUED, '503 5.5.1 MAIL comes first', ...OK, QUEUED],
    stored: ['Subject: x\r\n\r\n.\r\n', '.'],
  },
  {
    name: 'BDAT after the last chunk is out of order',
    input: BEGUN + last('one') + last('two') + chunk('three'),
    replies: [...OK, QUEUED, '503 5.5.1 MAIL comes first', '503 5.5.1 MAIL comes first'],
    stored: ['one'],
  },
  {
    name: 'NOOP, VRFY, HELP and junk between chunks',
    input: `${BEGUN}${chunk('one')}NOOP\r\nVRFY x\r\nHELP\r\nJUNK\r\n${last('two')}`,
    replies: [...OK, received(3), '250 2.0.0', '252 2.0.0', '214-2.0.0', '214 2.0.0', '500 5.5.2', QUEUED],
    stored: ['onetwo'],
  },
  {
    name: 'chunks without MAIL or RCPT are dropped',
    input: `${last(BEGUN)}${MAIL}${chunk(RCPT)}BDAT 0\r\n${RCPT}${last('words')}`,
    replies: [
      '503 5.5.1 MAIL comes first',
      OK[0] ?? '',
      '503 5.5.1 RCPT',
      '503 5.5.1 RCPT',
      OK[1] ?? '',
      QUEUED,
    ],
    stored: ['words'],
  },
  {
    name: 'chunks whose recipients were all refused are dropped',
    input: `${MAIL}${NOBODY}${chunk(RCPT)}${last(RCPT)}RSET\r\n${BEGUN}${last('words')}`,
    replies: ['250 2.1.0', '550 5.1.1', '554 5.5.1', '554 5.5.1', '250 2.0.0 Flushed', ...OK, QUEUED],
    stored: ['words'],
  },
  {
    name: 'one of two recipients gets the message',
    input: MAIL + NOBODY + RCPT + chunk('wor') + last('ds'),
    replies: ['250 2.1.0', '550 5.1.1', '250 2.1.5', received(3), QUEUED],
    stored: ['words'],
  },
  {
    name: 'transactions in a row',
    input: (BEGUN + last('one') + BEGUN + chunk('t') + last('wo')).repeat(2),
    replies: [...OK, QUEUED, ...OK, received(1), QUEUED, ...OK, QUEUED, ...OK, received(1), QUEUED],
    stored: ['one', 'two', 'one', 'two'],
  },
  {
    name: 'QUIT behind a chunk that is not the last',
    input: BEGUN + chunk('half'),
    replies: [...OK, received(4)],
  },
];

let known = 0;

/** Plays `input` behind EHLO; answers the reply lines, and what has been stored meanwhile. */
async function play(
  server: SmtpServer,
  input: Buffer,
  send: (client: Client, input: Buffer) => Promise<void>,
): Promise<{ lines: string[]; stored: string[] }> {
  const client = await server.greeted();
  const from = client.received.length;
  await send(client, input);
  const replies = (await client.closed()).slice(from);
  client.socket.destroy();
  while (server.connections > 0) await turns();
  // Nothing is ever expunged, so that UIDs count the messages.
  const stored = (await site.site.inbox(tickets, known)).map((message) => asSent(message).toString('latin1'));
  known += stored.length;
  return { lines: replies.split('\r\n').slice(0, -1), stored };
}

const atOnce = async (client: Client, input: Buffer) => client.send(input);

for (const [how, send] of [
  ['in one segment', atOnce],
  ['octet by octet', dribble],
] as const) {
  t.test(`each odd dialogue is answered as RFC 3030 says, ${how}`, async (t) => {
    const server = await site.serve(t, { sizeLimitOctets: LIMIT });
    for (const { name, input, replies, stored = [], isCut = false } of DIALOGUES) {
      const told = await play(server, Buffer.from(`${input}QUIT\r\n`, 'latin1'), send);
      const expected = isCut ? replies : [...replies, BYE];
      t.strictSame(
        told.lines.map((line, index) => line.slice(0, expected[index]?.length ?? line.length)),
        expected,
        name,
      );
      t.strictSame(told.stored, stored, `${name}: what is stored`);
    }
  });
}

t.test('chunks cut anywhere are answered and stored alike', async (t) => {
  const server = await site.serve(t, { sizeLimitOctets: LIMIT });
  const text = fc.string({
    unit: fc.constantFrom('\r\n', '.', '\n', 'BDAT 5 LAST\r\n', 'a', '\0', '\xff'),
    maxLength: 30,
  });
  const message = fc.tuple(fc.array(text, { maxLength: 4 }), text);
  const messages = fc.array(message, { minLength: 1, maxLength: 4 });
  const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(messages, cuts, async (sent, lengths) => {
      const input = sent.map(([chunks, end]) => BEGUN + chunks.map((one) => chunk(one)).join('') + last(end));
      const octets = Buffer.from(`${input.join('')}QUIT\r\n`, 'latin1');
      const told = await play(server, octets, async (client) => {
        client.socket.setNoDelay(true);
        for (let at = 0, index = 0; at < octets.length; index += 1) {
          const length = lengths[index % lengths.length] ?? 1;
          client.send(octets.subarray(at, at + length));
          at += length;
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      t.strictSame(
        told.stored,
        sent.map(([chunks, end]) => chunks.join('') + end),
      );
      const replies = sent.flatMap(([chunks]) => [
        ...OK,
        ...chunks.map(({ length }) => received(length)),
        QUEUED,
      ]);
      t.strictSame(
        told.lines.map((line, index) => line.slice(0, replies[index]?.length ?? 0)),
        [...replies, ''],
      );
    }),
    { numRuns: 40, seed: 20261128 },
  );
});

t.test('a client that is cut off within a chunk or between two has stored nothing', async (t) => {
  const { codes, transfer } = noteFailures();
  const server = await site.serve(t, { transfer });
  const endings: readonly (readonly [said: string, end: (client: Client) => void])[] = [
    [`${BEGUN}BDAT 10 LAST\r\nhalf`, (client) => client.socket.end()],
    [`${BEGUN}BDAT 10 LAST\r\nhalf`, (client) => client.socket.resetAndDestroy()],
    [BEGUN + chunk('half'), (client) => client.socket.end()],
    [BEGUN + chunk('half'), (client) => client.socket.resetAndDestroy()],
    [`${BEGUN}${chunk('half')}BDAT 0 LA`, (client) => client.socket.end()],
    [`${BEGUN}${chunk('half')}QUIT\r\n`, (client) => client.socket.resetAndDestroy()],
  ];
  for (const [said, end] of endings) {
    const client = await server.greeted();
    client.send(said);
    while (server.connections === 0) await turns();
    await turns();
    end(client);
    while (server.connections > 0) await turns();
  }
  t.strictSame(
    codes,
    endings.map(() => 'connectionLost'),
  );
});

t.test(
  'a chunk is refused in clear where TLS is required, and without EHLO, and is no command',
  async (t) => {
    const secured = await site.serve(t, { tls: 'required' });
    const clear = await secured.greeted();
    t.match(
      await ask(clear, `${last('STARTTLS\r\n')}${MAIL}BDAT 0\r\nNOOP\r\n`, '250 '),
      /^530 5\.7\.0 .*\r\n530 5\.7\.0 .*\r\n530 5\.7\.0 .*\r\n250 2\.0\.0 OK\r\n$/,
    );
    const server = await site.serve(t);
    const silent = await server.connect();
    await silent.until(/^220 /);
    t.match(
      await ask(silent, `${last('EHLO x\r\n')}NOOP\r\n`, '250 '),
      /^503 5\.5\.1 EHLO comes first\r\n250 2\.0\.0 OK\r\n$/,
    );
  },
);

t.test('STARTTLS between chunks gives the message up', async (t) => {
  const { codes, transfer } = noteFailures();
  const server = await site.serve(t, { transfer });
  const plain = await server.greeted();
  await ask(plain, `${BEGUN}${chunk('in clear')}STARTTLS\r\n`, '220 ');
  const client = await secureClient(t, plain.socket);
  t.strictSame(codes, ['connectionLost']);
  t.match(await ask(client, `EHLO c.example\r\n${last('late')}`, '503'), '503 5.5.1 MAIL comes first');
  t.match(await ask(client, `${BEGUN}${chunk('within ')}${last('TLS')}`, '250 2.0.0 Q'), QUEUED);
});

t.test('CHUNKING is offered unless it is hidden, and then refused', async (t) => {
  const server = await site.serve(t, { chunking: 'hide' });
  const client = await server.greeted();
  t.notMatch(client.received, 'CHUNKING');
  t.match(
    await ask(client, `${BEGUN}${last('RSET\r\n')}DATA\r\n`, '354 '),
    /\r\n503 5\.5\.1 CHUNKING is not offered here\r\n354 /,
  );
  t.match((await (await site.serve(t)).greeted()).received, /\r\n250-CHUNKING\r\n/);
});

t.test('bare line ends are refused where that is set, also across chunks and at the very end', async (t) => {
  const server = await site.serve(t, { bareLineFeed: 'refuse' });
  const client = await server.greeted();
  for (const [chunks, expected] of [
    [['fine\r\n', 'lines'], QUEUED],
    [['a\r', '\nb'], QUEUED],
    [['a\n', 'b'], '550 5.6.0'],
    [['a\r', 'b'], '550 5.6.0'],
    [['a\r', ''], '550 5.6.0'],
    [['a\r'], '550 5.6.0'],
    [['\n'], '550 5.6.0'],
  ] as const) {
    const said = chunks.map((one, index) => chunk(one, index === chunks.length - 1)).join('');
    const replies = await ask(client, `${BEGUN}${said}NOOP\r\n`, '250 2.0.0 OK');
    t.match(replies.split('\r\n').at(-3), expected, JSON.stringify(chunks));
  }
});

t.test('what is our fault is 4yz for every chunk, and never counted as an error of the client', async (t) => {
  const transfer: Transfer = {
    ...site.createTransfer(),
    note: () => {},
    checkRecipient: async () => ({ kind: 'accepted' }),
    accept: async () => ({ kind: 'refused', traceId: '' as never, error: new MailError('diskFull') }),
  };
  const server = await site.serve(t, { transfer });
  const client = await server.greeted();
  await ask(client, BEGUN + chunk('words'), '250 2.0.0');
  await turns();
  const replies = await ask(client, `${chunk('words').repeat(50)}${last('end')}NOOP\r\n`, '250 2.0.0 OK');
  t.equal(
    replies,
    `${'452 4.3.1 Insufficient system storage, please try again later\r\n'.repeat(51)}250 2.0.0 OK\r\n`,
  );
});

t.test('a refusal within a chunk is said at its end, and the rest of it is dropped', async (t) => {
  const server = await site.serve(t);
  const client = await server.greeted();
  const loop = 'Received: from a by b\r\n'.repeat(51);
  client.send(`${BEGUN}BDAT ${loop.length + 1_000_000} LAST\r\n${loop}`);
  await client.until(/250 2\.1\.5 .*\r\n$/);
  await turns();
  t.match(client.received, /250 2\.1\.5 .*\r\n$/, 'no answer before the chunk is there');
  client.send(Buffer.alloc(1_000_000, 'NOOP\r\n'));
  t.match(await ask(client, 'NOOP\r\n', '250 2.0.0 OK'), /^554 5\.4\.6 .*\r\n250 2\.0\.0 OK\r\n$/);
});

t.test('a chunk waits for a store that does not take it, in bounded memory', async (t) => {
  const reading = Promise.withResolvers<void>();
  let octets = 0;
  const transfer: Transfer = {
    ...site.createTransfer(),
    note: () => {},
    checkRecipient: async () => ({ kind: 'accepted' }),
    async accept(_envelope, message) {
      await reading.promise;
      for await (const block of message) octets += block.length;
      return { kind: 'accepted', traceId: 'X' as never };
    },
  };
  const server = await site.serve(t, { transfer });
  const client = await server.greeted();
  // Chunks that come whole in one segment are held as much as the octets of one large chunk.
  const small = Buffer.from(chunk(x(30 * KIB)).repeat(300));
  let isTaken = false;
  client.send(BEGUN);
  const taken = new Promise<void>((done) => {
    client.socket.write(small, () => {
      isTaken = true;
      done();
    });
  });
  for (let round = 0; round < 20; round += 1) await turns();
  t.notOk(isTaken, 'nobody reads, so it stays with the client');
  server.clock.advance(60 * MINUTE_MS);
  t.notMatch(client.received, '421', 'which is not blamed for that');
  reading.resolve();
  await taken;
  await ask(client, 'BDAT 0 LAST\r\n', '250 2.0.0 Queued as X');
  t.equal(octets, 30 * KIB * 300);
});

t.test('chunks do not extend the time for a message, however many and small', async (t) => {
  const server = await site.serve(t);
  const [within, between, empty, fair] = await Promise.all([1, 2, 3, 4].map(() => server.greeted()));
  if (!within || !between || !empty || !fair) return;
  for (const client of [within, between, empty, fair]) await ask(client, BEGUN, '250 2.1.5');
  within.send('BDAT 1000000\r\n');
  for (let seconds = 0; seconds < 300; seconds += 30) {
    within.send('x');
    await ask(between, chunk('x'), '250 2.0.0');
    await ask(empty, 'BDAT 0\r\n', '250 2.0.0');
    await ask(fair, chunk(x(20_000)), '250 2.0.0');
    for (const client of [within, between, empty, fair]) t.notMatch(client.received, '421');
    server.clock.advance(30_000);
  }
  server.clock.advance(20);
  for (const client of [within, between, empty])
    t.match(await client.closed(), /\r\n421 4\.4\.2 The message comes too slowly\r\n$/);
  t.match(await ask(fair, last('end'), '250 2.0.0 Q'), QUEUED);
});

t.test(
  'a client that stops between chunks has the time for a command, and dropped chunks have no more',
  async (t) => {
    const server = await site.serve(t);
    const [idle, dropped] = [await server.greeted(), await server.greeted()];
    idle.send(BEGUN + chunk(x(1_000_000)));
    dropped.send('BDAT 1000000 LAST\r\n');
    await idle.until(/octets received/);
    await turns();
    server.clock.advance(5 * MINUTE_MS);
    t.match(await idle.closed(), /\r\n421 4\.4\.2 Too long without a command\r\n$/);
    t.match(await dropped.closed(), /\r\n421 4\.4\.2 The message comes too slowly\r\n$/);
    t.equal(server.clock.pendingTimers, 2, 'each waits for its client to close');
  },
);

t.test('empty and tiny chunks without number end the session', async (t) => {
  const server = await site.serve(t);
  const empty = await server.greeted();
  empty.send(BEGUN + 'BDAT 0\r\n'.repeat(200));
  t.match(
    await empty.closed(),
    /(250 2\.0\.0 0 octets received\r\n){100}421 4\.7\.0 Too many commands without a message\r\n$/,
  );
  const tiny = await server.greeted();
  tiny.send(BEGUN + chunk('x').repeat(FREE_CHUNKS + 100));
  t.match(await tiny.closed(), /1 octets received\r\n421 4\.7\.0 Too many small chunks\r\n$/);
  t.equal(tiny.received.match(/octets received/g)?.length, FREE_CHUNKS + 1);
});

t.test(
  'a segment full of tiny chunks costs time in proportion, and others are served meanwhile',
  async (t) => {
    const server = await site.serve(t);
    const [tiny, other] = [await server.greeted(), await server.greeted()];
    const count = FREE_CHUNKS - 1;
    const before = process.threadCpuUsage();
    tiny.send(BEGUN + chunk('x').repeat(count));
    await ask(other, 'NOOP\r\n', '250');
    t.ok(
      (tiny.received.match(/octets received/g)?.length ?? 0) < count,
      'the other was not made to wait for all',
    );
    await ask(tiny, last('end'), '250 2.0.0 Q');
    const { user, system } = process.threadCpuUsage(before);
    t.ok(user + system < 4e6, `${Math.round((user + system) / 1000)} ms of CPU for ${count} chunks`);
  },
);

t.test('a server that stops lets the message of chunks end, or be given up', async (t) => {
  const server = await site.serve(t);
  const [patient, fickle] = [await server.greeted(), await server.greeted()];
  for (const client of [patient, fickle]) await ask(client, BEGUN + chunk('first '), '250 2.0.0');
  const closing = server.close(15_000);
  t.match(await ask(patient, last('and last'), '421'), /^250 2\.0\.0 Queued as \w+\r\n421 4\.3\.2 /);
  t.match(await ask(fickle, 'RSET\r\nNOOP\r\n', '421'), /^250 2\.0\.0 Flushed\r\n421 4\.3\.2 /);
  for (const client of [patient, fickle]) client.socket.destroy();
  await closing;
});

/** A transfer that takes every recipient, and the codes with which messages broke off. */
function noteFailures(): { codes: string[]; transfer: Transfer } {
  const codes: string[] = [];
  const transfer: Transfer = {
    ...site.createTransfer(),
    note: () => {},
    checkRecipient: async () => ({ kind: 'accepted' }),
    async accept(_envelope, message) {
      try {
        for await (const _block of message);
        return { kind: 'accepted', traceId: 'X' as never };
      } catch (error) {
        codes.push((error as MailError).code);
        return { kind: 'refused', traceId: '' as never, error: error as MailError };
      }
    },
  };
  return { codes, transfer };
}

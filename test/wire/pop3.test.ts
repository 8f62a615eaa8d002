/**
 * The grammar of POP3: command lines with what real clients do to them, replies, dot-stuffing and TOP at every split.
 */

import t from 'tap';

import { WireError } from '../../src/base/error.ts';
import {
  parseAuth,
  parseCommand,
  parseName,
  parseNothing,
  parseNumber,
  parsePassword,
  parseTop,
} from '../../src/wire/pop3/command.ts';
import { createDotStuffer } from '../../src/wire/pop3/dotStuffer.ts';
import {
  formatCapability,
  formatContinuation,
  formatErr,
  formatOk,
  formatScanListing,
  formatUniqueIdListing,
  REPLY_LINE_LIMIT_OCTETS,
} from '../../src/wire/pop3/reply.ts';
import { createTopLimiter } from '../../src/wire/pop3/top.ts';

const octets = (text: string) => Buffer.from(text, 'latin1');
const parsed = (line: string) => {
  const { keyword, argument } = parseCommand(octets(line));
  return [keyword, argument?.toString('latin1')];
};
const argumentOf = (line: string) => parseCommand(octets(line)).argument;
/** What is expected where, as text: easier to read in a table than an error. */
const expected = (parse: () => unknown): string => {
  try {
    return `parsed: ${JSON.stringify(parse())}`;
  } catch (error) {
    return error instanceof WireError ? `${error.expected} at ${error.offset}` : String(error);
  }
};

t.test('a keyword is in any case, and blanks around an argument are nobody`s', async (t) => {
  const table: [line: string, keyword: string, argument: string | undefined][] = [
    ['STAT', 'STAT', undefined],
    ['sTaT', 'STAT', undefined],
    ['STAT  ', 'STAT', undefined],
    ['STAT\t', 'STAT', undefined],
    ['LIST 1', 'LIST', '1'],
    ['LIST   1  ', 'LIST', '1'],
    ['LIST ', 'LIST', undefined],
    ['USER  DOMAIN\\john doe ', 'USER', 'DOMAIN\\john doe'],
    ['TOP 1  0', 'TOP', '1  0'],
    ['GET / HTTP/1.1', 'GET', '/ HTTP/1.1'],
    ['\x16\x03\x01\xff', '????', undefined],
    [`${'x'.repeat(100)}`, 'X'.repeat(32), undefined],
  ];
  for (const [line, keyword, argument] of table)
    t.same(parsed(line), [keyword, argument], JSON.stringify(line));
});

t.test('a password is everything after one blank', async (t) => {
  const password = (line: string) => parsePassword(argumentOf(line));
  t.equal(password('PASS secret'), 'secret');
  t.equal(
    password('pass  two blanks, one before and one behind '),
    ' two blanks, one before and one behind ',
  );
  t.equal(password('PASS '), '', 'an empty one');
  t.equal(password('PASS \t'), '\t');
  t.equal(
    expected(() => password('PASS')),
    'password at 0',
  );
  t.equal(parsePassword(parseCommand(Buffer.from('PASS käse €')).argument), 'käse €', 'UTF-8');
  t.equal(password('PASS k\xe4se'), 'käse', 'a code page of Windows');
});

t.test('a line without a keyword is a syntax error', async (t) => {
  for (const line of ['', ' ', ' STAT'])
    t.equal(
      expected(() => parsed(line)),
      'keyword at 0',
      JSON.stringify(line),
    );
});

t.test('message numbers are digits, however many', async (t) => {
  const table: [argument: string, outcome: string][] = [
    ['1', 'parsed: 1'],
    ['007', 'parsed: 7'],
    ['0', 'parsed: 0'],
    ['99999999999999999999', `parsed: ${Number.MAX_SAFE_INTEGER}`],
    ['-1', 'message number at 0'],
    ['+1', 'message number at 0'],
    ['1.0', 'message number at 0'],
    ['one', 'message number at 0'],
    ['1 2', 'CRLF at 2'],
    ['1 2 3 4 5', 'CRLF at 2'],
  ];
  for (const [argument, outcome] of table)
    t.equal(
      expected(() => parseNumber(octets(argument))),
      outcome,
      argument,
    );
  t.equal(
    expected(() => parseNumber(undefined)),
    'message number at 0',
  );
});

t.test('TOP takes two numbers, and one from old clients', async (t) => {
  t.same(parseTop(octets('3 10')), { message: 3, lines: 10 });
  t.same(parseTop(octets('3  99999999')), { message: 3, lines: 99_999_999 });
  t.same(parseTop(octets('3')), { message: 3, lines: 0 });
  t.equal(
    expected(() => parseTop(undefined)),
    'message number at 0',
  );
  t.equal(
    expected(() => parseTop(octets('3 -1'))),
    'number of lines at 2',
  );
  t.equal(
    expected(() => parseTop(octets('3 1 1'))),
    'CRLF at 4',
  );
});

t.test('AUTH asks for the mechanisms, or names one, with or without an initial response', async (t) => {
  t.equal(parseAuth(argumentOf('AUTH ')), undefined);
  t.same(parseAuth(argumentOf('AUTH plain')), { mechanism: 'PLAIN', initialResponse: undefined });
  t.same(parseAuth(argumentOf('AUTH PLAIN =')), { mechanism: 'PLAIN', initialResponse: octets('=') });
  t.same(parseAuth(argumentOf('AUTH PLAIN AGEAYg==')), {
    mechanism: 'PLAIN',
    initialResponse: octets('AGEAYg=='),
  });
  t.equal(
    expected(() => parseAuth(argumentOf('AUTH PLAIN a b'))),
    'CRLF at 8',
  );
  t.equal(
    expected(() => parseAuth(argumentOf('AUTH PL*IN'))),
    'sasl-mech at 0',
  );
});

t.test('names want a name, and commands without arguments want none', async (t) => {
  t.equal(parseName(argumentOf('USER app@app.example.com')), 'app@app.example.com');
  t.equal(
    expected(() => parseName(argumentOf('USER  '))),
    'name at 0',
  );
  t.equal(
    expected(() => parseNothing(argumentOf('QUIT '))),
    'parsed: undefined',
  );
  t.equal(
    expected(() => parseNothing(argumentOf('QUIT now'))),
    'CRLF at 0',
  );
});

t.test('replies are single lines within their limit, whatever their text holds', async (t) => {
  t.equal(formatOk(), '+OK\r\n');
  t.equal(formatOk('2 320'), '+OK 2 320\r\n');
  t.equal(formatErr('no such message'), '-ERR no such message\r\n');
  t.equal(formatErr('try later', 'SYS/TEMP'), '-ERR [SYS/TEMP] try later\r\n');
  t.equal(formatContinuation(''), '+ \r\n');
  t.equal(formatScanListing(1, 120), '1 120\r\n');
  t.equal(formatUniqueIdListing(1, '4711'), '1 4711\r\n');
  t.equal(formatCapability('SASL', 'PLAIN', 'LOGIN'), 'SASL PLAIN LOGIN\r\n');
  t.equal(formatOk('a\r\n-ERR b\nc'), '+OK a -ERR b c\r\n');
  const long = formatErr(`x${'ü'.repeat(1000)}`);
  t.ok(
    Buffer.byteLength(long) <= REPLY_LINE_LIMIT_OCTETS &&
      Buffer.byteLength(long) > REPLY_LINE_LIMIT_OCTETS - 4,
  );
  t.match(long, /ü\r\n$/, 'no character is cut in two');
});

/** The body of a reply for `message`, given in chunks. */
function stuffed(chunks: readonly Buffer[]): string {
  const stuffer = createDotStuffer();
  const out = chunks.map((chunk) => stuffer.push(chunk));
  return Buffer.concat([...out, stuffer.end()]).toString('latin1');
}

/** Every way to cut `message` in three. */
function* cuts(message: Buffer): Generator<Buffer[]> {
  for (let first = 0; first <= message.length; first += 1) {
    for (let second = first; second <= message.length; second += 1) {
      yield [message.subarray(0, first), message.subarray(first, second), message.subarray(second)];
    }
  }
}

/** What RFC 1939 section 3 says, in the plainest way. */
function stuffedByLines(message: string): string {
  const whole = message === '' || message.endsWith('\r\n') ? message : `${message}\r\n`;
  return `${whole.replace(/(^|\n)\./g, '$1..')}.\r\n`;
}

const MESSAGES = [
  '',
  '.',
  '..',
  '.\r\n',
  '\r\n',
  'a\r\n.\r\n',
  'a\r\n.\r\n..\r\n.b\r\n',
  '.a\r\n\r\n.',
  'a.\r\n.b.c\r\n...',
  'S: x\r\n\r\nline\r\n.\r\n+OK evil\r\n',
  'no end\r',
];

t.test('dots are stuffed the same at every split', async (t) => {
  for (const message of MESSAGES) {
    const right = stuffedByLines(message);
    for (const chunks of cuts(octets(message))) {
      if (stuffed(chunks) !== right) t.fail(JSON.stringify({ message, cut: chunks.map((c) => c.length) }));
    }
    const single = [...octets(message)].map((octet) => Buffer.of(octet));
    t.equal(stuffed(single), right, JSON.stringify(message));
  }
});

t.test('a chunk without dots to stuff is passed on, not copied', async (t) => {
  const chunk = octets('a.b\r\nc\r\n');
  t.equal(createDotStuffer().push(chunk), chunk);
});

t.test('a client that ends lines at LF alone sees no early end', async (t) => {
  t.notMatch(stuffed([octets('a\n.\nb\n.\r\nc\r\n')]).slice(0, -3), /(^|\n)\.\r?\n/);
});

t.test('20 MB of lines that begin with a dot are stuffed in linear time', async (t) => {
  const chunk = Buffer.from('..\r\n'.repeat(16_384));
  const stuffer = createDotStuffer();
  let sum = 0;
  const before = process.cpuUsage();
  for (let count = 0; count < 320; count += 1) sum += stuffer.push(chunk).length;
  const { user, system } = process.cpuUsage(before);
  t.equal(sum, 320 * 16_384 * 5);
  t.ok(user + system < 1_500_000, `${(user + system) / 1000} ms of CPU`);
});

function topped(lines: number, chunks: readonly Buffer[]): string {
  const limiter = createTopLimiter(lines);
  return Buffer.concat(chunks.map((chunk) => limiter.push(chunk))).toString('latin1');
}

t.test('TOP takes header, blank line and lines, the same at every split', async (t) => {
  const message = 'A: 1\r\nB: 2\r\n\r\none\r\n\r\n.three\r\nlast';
  const table: [message: string, lines: number, top: string][] = [
    [message, 0, 'A: 1\r\nB: 2\r\n\r\n'],
    [message, 1, 'A: 1\r\nB: 2\r\n\r\none\r\n'],
    [message, 2, 'A: 1\r\nB: 2\r\n\r\none\r\n\r\n'],
    [message, 3, 'A: 1\r\nB: 2\r\n\r\none\r\n\r\n.three\r\n'],
    [message, 4, message],
    [message, Number.MAX_SAFE_INTEGER, message],
    ['A: 1\r\n', 0, 'A: 1\r\n'],
    ['\r\nbody\r\n', 0, '\r\n'],
    ['\r\nbody\r\nmore\r\n', 1, '\r\nbody\r\n'],
    ['', 5, ''],
  ];
  for (const [whole, lines, top] of table) {
    for (const chunks of cuts(octets(whole))) {
      if (topped(lines, chunks) !== top)
        t.fail(JSON.stringify({ whole, lines, cut: chunks.map((c) => c.length) }));
    }
    t.equal(
      topped(
        lines,
        [...octets(whole)].map((octet) => Buffer.of(octet)),
      ),
      top,
      `${lines} of ${JSON.stringify(whole)}`,
    );
  }
});

t.test('TOP says when it needs no more of the message', async (t) => {
  const limiter = createTopLimiter(0);
  limiter.push(octets('A: 1\r\n\r'));
  t.equal(limiter.isDone, false);
  t.equal(limiter.push(octets('\nbody')).length, 1);
  t.equal(limiter.isDone, true);
  t.equal(limiter.push(octets('more')).length, 0);
});

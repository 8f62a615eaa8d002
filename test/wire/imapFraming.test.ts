/**
 * Tests of the IMAP framer: src/wire/imap/framing.ts with frame.ts, octetQueue.ts and segment.ts.
 *
 * Each case is fed whole, octet by octet and cut in two at every octet; properties feed arbitrary octets in arbitrary pieces.
 */

import fc from 'fast-check';
import t from 'tap';

import { isAppendMessage } from '../../src/wire/imap/append.ts';
import type { FrameEvent, FramerOptions } from '../../src/wire/imap/frame.ts';
import { createCommandFramer } from '../../src/wire/imap/framing.ts';
import { parseLiteralAnnouncement } from '../../src/wire/imap/segment.ts';
import type { CommandSegment } from '../../src/wire/imap/segment.ts';

/** What the session of these tests decides: accept all by default. */
type Decide = (event: FrameEvent) => 'accept' | 'refuse';

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function showSegments(segments: readonly CommandSegment[]): string {
  const pieces = segments.map(({ line, offset, literal }) => {
    const announced =
      literal === undefined ? '' : `{${literal.octetCount}${literal.isSynchronising ? '' : '+'}}`;
    const octets = literal?.octets === undefined ? '' : `=${literal.octets.toString('latin1')}`;
    return `${offset}:${line.toString('latin1')}${literal?.isLiteral8 ? '~' : ''}${announced}${octets}`;
  });
  return pieces.join('|');
}

function show(event: FrameEvent): string {
  switch (event.kind) {
    case 'command':
    case 'commandEnd':
    case 'needContinuation':
      return `${event.kind} ${showSegments(event.segments)}`;
    case 'literalStart':
      return `literalStart${event.isFirst ? ' first' : ''} ${showSegments(event.segments)}`;
    case 'line':
    case 'literalData':
      return `${event.kind} ${event.octets.toString('latin1')}`;
    case 'literalEnd':
      return 'literalEnd';
    case 'tooLong':
      return `tooLong ${event.limit} ${event.tag} ${event.discardOctets}`;
  }
}

/** All events of `input`, arriving in chunks cut at `cuts`; neighbouring literal data is joined. */
function frame(
  input: Buffer,
  cuts: readonly number[] = [],
  options: FramerOptions = {},
  decide: Decide = () => 'accept',
): string[] {
  const framer = createCommandFramer({ isStreamedLiteral: isAppendMessage, ...options });
  const shown: string[] = [];
  let wasData = false;
  const bounds = [...cuts, input.length].toSorted((a, b) => a - b);
  let start = 0;
  for (const end of bounds) {
    framer.push(Buffer.from(input.subarray(start, end)));
    start = end;
    for (let event = framer.next(); event !== undefined; event = framer.next()) {
      const text = show(event);
      if (event.kind === 'literalData' && wasData) shown.push(shown.pop() + event.octets.toString('latin1'));
      else shown.push(text);
      wasData = event.kind === 'literalData';
      const isQuestion = event.kind === 'needContinuation' || event.kind === 'literalStart';
      if (isQuestion && decide(event) === 'accept') framer.acceptLiteral();
      else if (isQuestion) framer.refuseCommand();
    }
  }
  return shown;
}

function everyOctet(input: Buffer): number[] {
  return Array.from({ length: input.length }, (_, index) => index);
}

const NEXT = 'n NOOP\r\n';
const NEXT_EVENT = 'command 0:n NOOP';

t.test('cuts commands, literals and streamed messages wherever the octets are split', async (t) => {
  const cases: readonly [name: string, input: string, events: readonly string[]][] = [
    ['a line', 'a NOOP\r\n', ['command 0:a NOOP']],
    ['an empty line', '\r\n', ['command 0:']],
    ['pipelined lines', 'a NOOP\r\nb NOOP\r\n', ['command 0:a NOOP', 'command 0:b NOOP']],
    ['bare LF as line end', 'a NOOP\nb NOOP\n', ['command 0:a NOOP', 'command 0:b NOOP']],
    ['bare CR as part of the line', 'a NO\rOP\r\n', ['command 0:a NO\rOP']],
    ['CR before CRLF as part of the line', 'a\r\r\n', ['command 0:a\r']],
    ['half a line as nothing yet', 'a NOOP', []],
    [
      'a synchronising literal, after asking',
      'a LOGIN {3}\r\nfoo {3}\r\nbar\r\n',
      [
        'needContinuation 0:a LOGIN {3}',
        'needContinuation 0:a LOGIN {3}=foo|16: {3}',
        'command 0:a LOGIN {3}=foo|16: {3}=bar|25:',
      ],
    ],
    [
      'a non-synchronising literal, without asking',
      'a LOGIN {3+}\r\nfoo {3+}\r\nbar\r\n',
      ['command 0:a LOGIN {3+}=foo|17: {3+}=bar|27:'],
    ],
    ['an empty literal', 'a LOGIN {0+}\r\n {0+}\r\n\r\n', ['command 0:a LOGIN {0+}=|14: {0+}=|21:']],
    ['a literal of line ends', 'a X {6+}\r\n\r\n\r\n{}\r\n', ['command 0:a X {6+}=\r\n\r\n{}|16:']],
    ['a literal8', 'a X ~{2+}\r\n\0\0\r\n', ['command 0:a X ~{2+}=\0\0|13:']],
    ['leading zeros', 'a X {002+}\r\nab\r\n', ['command 0:a X {2+}=ab|14:']],
    [
      'a message, streamed',
      `a APPEND INBOX (\\Seen) {5}\r\nhello\r\n${NEXT}`,
      [
        'literalStart first 0:a APPEND INBOX (\\Seen) {5}',
        'literalData hello',
        'literalEnd',
        'commandEnd 33:',
        NEXT_EVENT,
      ],
    ],
    [
      'an empty message',
      'a append x {0+}\r\n\r\n',
      ['literalStart first 0:a append x {0+}', 'literalEnd', 'commandEnd 17:'],
    ],
    [
      'a mailbox as a literal before the message',
      'a APPEND {5+}\r\nINBOX {2+}\r\nhi\r\n',
      ['literalStart first 0:a APPEND {5+}=INBOX|20: {2+}', 'literalData hi', 'literalEnd', 'commandEnd 29:'],
    ],
    [
      'several messages of one command',
      `a APPEND x {2+}\r\nhi (\\Seen) ~{3+}\r\nyou\r\n${NEXT}`,
      [
        'literalStart first 0:a APPEND x {2+}',
        'literalData hi',
        'literalEnd',
        'literalStart 19: (\\Seen) ~{3+}',
        'literalData you',
        'literalEnd',
        'commandEnd 38:',
        NEXT_EVENT,
      ],
    ],
  ];
  for (const [name, text, events] of cases) {
    const input = latin1(text);
    t.same(frame(input), events, `${name}, whole`);
    t.same(frame(input, everyOctet(input)), events, `${name}, octet by octet`);
    for (const cut of everyOctet(input)) {
      const found = frame(input, [cut]);
      if (JSON.stringify(found) !== JSON.stringify(events)) t.same(found, events, `${name}, cut at ${cut}`);
    }
  }
});

t.test('without the tolerance a bare LF is part of the line', async (t) => {
  const input = latin1('a NO\nOP\r\n');
  for (const cuts of [[], everyOctet(input)]) {
    t.same(frame(input, cuts, { toleratesBareLf: false }), ['command 0:a NO\nOP']);
  }
});

t.test('what passes a limit is answered once and never taken for a command', async (t) => {
  const limits = { lineLimitOctets: 12, literalLimitOctets: 8, literalCountLimit: 2 };
  const cases: readonly [name: string, input: string, events: readonly string[], options?: FramerOptions][] =
    [
      ['a line of the limit passes', `a 3456789012\r\n${NEXT}`, ['command 0:a 3456789012', NEXT_EVENT]],
      ['one octet more does not', `a 34567890123\r\n${NEXT}`, ['tooLong line a 0', NEXT_EVENT]],
      ['far more does not', `a ${'x'.repeat(500)}\r\n${NEXT}`, ['tooLong line a 0', NEXT_EVENT]],
      ['a line without a tag', `${'+'.repeat(20)}\r\n${NEXT}`, ['tooLong line undefined 0', NEXT_EVENT]],
      [
        'the lines of a command count together',
        `a 3456 {1+}\r\nx12345\r\n${NEXT}`,
        ['tooLong line a 0', NEXT_EVENT],
      ],
      ['a CR at the limit', `a 3456789012\rx\r\n${NEXT}`, ['tooLong line a 0', NEXT_EVENT]],
      [
        'an overlong line that announces a literal',
        `a ${'x'.repeat(99)} {8+}\r\nb NOOP\r\n{9+}\r\nc NOOP\r\n \r\n${NEXT}`,
        ['tooLong line a 0', NEXT_EVENT],
      ],
      [
        'an overlong line that announces a synchronising literal, which the client does not send after BAD',
        `a ${'x'.repeat(99)} {8}\r\n${NEXT}`,
        ['tooLong line a 0', NEXT_EVENT],
      ],
      ['a synchronising literal', `a X {9}\r\n${NEXT}`, ['tooLong literal a 0', NEXT_EVENT]],
      [
        'a non-synchronising literal and what follows it',
        `a X {9+}\r\nb NOOP\r\n! {8+}\r\nc NOOP\r\n\r\n${NEXT}`,
        ['tooLong literal a 9', NEXT_EVENT],
      ],
      [
        'literals of a command count together',
        `a {4+}\r\naaaa {5+}\r\nbbbbb\r\n${NEXT}`,
        ['tooLong literal a 5', NEXT_EVENT],
      ],
      [
        'too many literals',
        `a {1+}\r\nx{1+}\r\ny{1+}\r\nz\r\n${NEXT}`,
        ['tooLong literalCount a 1', NEXT_EVENT],
        { lineLimitOctets: 99 },
      ],
      [
        'a non-synchronising literal above what LITERAL- allows',
        `a X {4+}\r\nabcd\r\n${NEXT}`,
        ['tooLong literal a 4', NEXT_EVENT],
        { nonSynchronisingLimitOctets: 3 },
      ],
      [
        'a message above what LITERAL- allows',
        `a APPEND x {4+}\r\nabcd\r\n${NEXT}`,
        ['tooLong literal a 4', NEXT_EVENT],
        { nonSynchronisingLimitOctets: 3, lineLimitOctets: 99 },
      ],
      [
        'a count beyond all numbers',
        `a X {99999999999999999999+}\r\n${NEXT}${NEXT}`,
        [`tooLong literal a ${Number.MAX_SAFE_INTEGER}`],
        { lineLimitOctets: 99 },
      ],
    ];
  for (const [name, text, events, options] of cases) {
    const input = latin1(text);
    t.same(frame(input, [], { ...limits, ...options }), events, name);
    t.same(frame(input, everyOctet(input), { ...limits, ...options }), events, `${name}, octet by octet`);
  }
});

t.test('a refused literal is dropped where the client sends it', async (t) => {
  const refuse: Decide = () => 'refuse';
  const cases: readonly [name: string, input: string, events: readonly string[]][] = [
    [
      'a synchronising literal is not sent',
      `a LOGIN {3}\r\n${NEXT}`,
      ['needContinuation 0:a LOGIN {3}', NEXT_EVENT],
    ],
    [
      'a synchronising message is not sent',
      `a APPEND x {3}\r\n${NEXT}`,
      ['literalStart first 0:a APPEND x {3}', NEXT_EVENT],
    ],
    [
      'a non-synchronising message is dropped with all that follows',
      `a APPEND x {8+}\r\nb NOOP\r\n {8+}\r\nc NOOP\r\n\r\n${NEXT}`,
      ['literalStart first 0:a APPEND x {8+}', NEXT_EVENT],
    ],
  ];
  for (const [name, text, events] of cases) {
    const input = latin1(text);
    t.same(frame(input, [], {}, refuse), events, name);
    t.same(frame(input, everyOctet(input), {}, refuse), events, `${name}, octet by octet`);
  }
});

t.test('a message that is given up half way is dropped to its end', async (t) => {
  const framer = createCommandFramer({ isStreamedLiteral: isAppendMessage });
  framer.push(latin1('a APPEND x {10}\r\n'));
  t.match(framer.next(), { kind: 'literalStart' });
  t.equal(framer.next(), undefined, 'nothing happens before the decision');
  framer.acceptLiteral();
  framer.push(latin1('12345'));
  t.match(framer.next(), { kind: 'literalData' });
  framer.refuseCommand();
  framer.push(latin1('67890 {8+}\r\nb NOOP\r\n\r\n'));
  framer.push(latin1(NEXT));
  t.equal(show(framer.next() as FrameEvent), NEXT_EVENT);
});

t.test('a command can be given up after its message, before its end', async (t) => {
  const framer = createCommandFramer({ isStreamedLiteral: isAppendMessage });
  framer.push(latin1('a APPEND x {2+}\r\nhi'));
  framer.next();
  framer.acceptLiteral();
  framer.next();
  t.match(framer.next(), { kind: 'literalEnd' });
  framer.refuseCommand();
  framer.push(latin1(` {2+}\r\nyo\r\n${NEXT}`));
  t.equal(show(framer.next() as FrameEvent), NEXT_EVENT);
});

t.test('a decision without a question, and a refusal twice, change nothing', async (t) => {
  const framer = createCommandFramer();
  framer.acceptLiteral();
  framer.refuseCommand();
  framer.push(latin1('a X {2}\r\n'));
  framer.next();
  framer.refuseCommand();
  framer.refuseCommand();
  framer.acceptLiteral();
  framer.push(latin1(NEXT));
  t.equal(show(framer.next() as FrameEvent), NEXT_EVENT);
});

t.test('the next line is raw for the session that expects one', async (t) => {
  const framer = createCommandFramer({ lineLimitOctets: 20 });
  framer.push(latin1(`a IDLE\r\ndone {3+}\r\n${NEXT}`));
  t.match(framer.next(), { kind: 'command' });
  framer.expectLine();
  t.equal(show(framer.next() as FrameEvent), 'line done {3+}', 'and announces no literal');
  t.equal(show(framer.next() as FrameEvent), NEXT_EVENT, 'once only');
  framer.expectLine();
  framer.push(latin1(`${'x'.repeat(30)} {3+}`));
  t.same(framer.next(), { kind: 'tooLong', limit: 'line', tag: undefined, discardOctets: 0 });
  framer.expectLine();
  framer.push(latin1('\r\nDONE\r\n'));
  t.equal(show(framer.next() as FrameEvent), 'line DONE', 'after an overlong one was dropped');
});

t.test('what was sent in the clear after STARTTLS is forgotten', async (t) => {
  const framer = createCommandFramer();
  framer.push(latin1('a STARTTLS\r\nb LOGIN x y\r\n'));
  t.match(framer.next(), { kind: 'command' });
  t.equal(framer.waitingOctets, 13);
  t.equal(framer.discardInput(), 13);
  t.equal(framer.next(), undefined);
  framer.push(latin1(NEXT));
  t.equal(show(framer.next() as FrameEvent), NEXT_EVENT);
});

t.test('limits can be raised after login', async (t) => {
  const framer = createCommandFramer({ literalLimitOctets: 2 });
  framer.push(latin1('a X {3}\r\n'));
  t.match(framer.next(), { kind: 'tooLong' });
  framer.setLimits({ literalLimitOctets: 3 });
  framer.push(latin1('a X {3}\r\n'));
  t.match(framer.next(), { kind: 'needContinuation' });
});

t.test('a set of 50 KB passes with the limits of the house', async (t) => {
  const set = Array.from({ length: 9_000 }, (_, index) => 10_000 + index).join(',');
  const input = latin1(`a UID FETCH ${set} (FLAGS)\r\n`);
  t.ok(input.length > 50_000);
  t.match(frame(input), [/^command /]);
});

t.test('a large message passes in views of what arrived, without copies', async (t) => {
  const framer = createCommandFramer({ isStreamedLiteral: isAppendMessage });
  framer.push(latin1('a APPEND x {1048576+}\r\n'));
  framer.next();
  framer.acceptLiteral();
  const chunk = Buffer.alloc(65_536, 'm');
  for (let count = 0; count < 16; count += 1) {
    framer.push(chunk);
    const event = framer.next();
    t.ok(
      event?.kind === 'literalData' && event.octets.buffer === chunk.buffer && event.octets.length === 65_536,
    );
  }
  t.match(framer.next(), { kind: 'literalEnd' });
});

t.test('a line that comes octet by octet takes time in proportion to its length', async (t) => {
  const framer = createCommandFramer({ lineLimitOctets: 400_000 });
  const line = Buffer.alloc(300_000, 'x');
  const before = process.cpuUsage().user;
  for (const octet of line) {
    framer.push(Buffer.from([octet]));
    framer.next();
  }
  // Copying all that waits for each octet would move 45 GB here.
  t.ok(process.cpuUsage().user - before < 3_000_000);
  t.equal(framer.waitingOctets, line.length);
});

t.test('the end of a line announces a literal or does not', async (t) => {
  const cases: readonly [line: string, announcement: object | undefined][] = [
    ['a {1}', { start: 2, octetCount: 1, isSynchronising: true, isLiteral8: false }],
    ['a {1+}', { start: 2, octetCount: 1, isSynchronising: false, isLiteral8: false }],
    ['a ~{10+}', { start: 2, octetCount: 10, isSynchronising: false, isLiteral8: true }],
    ['{0}', { start: 0, octetCount: 0, isSynchronising: true, isLiteral8: false }],
    ['{000000000000000000000000007}', { start: 0, octetCount: 7, isSynchronising: true, isLiteral8: false }],
    [
      '{999999999999999}',
      { start: 0, octetCount: 999_999_999_999_999, isSynchronising: true, isLiteral8: false },
    ],
    ['{1000000000000000}', { octetCount: Number.MAX_SAFE_INTEGER }],
    ['', undefined],
    ['}', undefined],
    ['{}', undefined],
    ['{+}', undefined],
    ['1}', undefined],
    ['{1-}', undefined],
    ['{-1}', undefined],
    ['{1} ', undefined],
    ['{1}x', undefined],
    ['{1++}', undefined],
  ];
  for (const [line, expected] of cases) {
    const found = parseLiteralAnnouncement(latin1(line));
    if (expected === undefined) t.equal(found, undefined, line);
    else t.match(found, expected, line);
  }
});

t.test('property: events do not depend on how the octets are split', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '\r\n',
      '\n',
      '\r',
      ' ',
      'a',
      'b NOOP',
      '{3}\r\n',
      '{3+}\r\n',
      '{12+}\r\n',
      '~{2+}\r\n',
      '{0+}\r\n',
    ),
    fc.constantFrom(
      'a APPEND x {7+}\r\n',
      'a APPEND x {4}\r\n',
      ' (\\Seen) {5+}\r\n',
      'a APPEND {1+}\r\n',
      '{99999+}\r\n',
    ),
    fc.string({ unit: 'binary', maxLength: 30 }),
  );
  const inputs = fc.array(piece, { maxLength: 25 }).map((pieces) => Buffer.from(pieces.join(''), 'latin1'));
  const options = fc.record({
    lineLimitOctets: fc.integer({ min: 1, max: 60 }),
    literalLimitOctets: fc.integer({ min: 0, max: 20 }),
    literalCountLimit: fc.integer({ min: 0, max: 3 }),
    toleratesBareLf: fc.boolean(),
  });
  const decisions = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(inputs, options, decisions, fc.array(fc.nat()), (input, option, accepts, cuts) => {
      const decider = (): Decide => {
        let count = -1;
        return () => {
          count += 1;
          return accepts[count % accepts.length] ? 'accept' : 'refuse';
        };
      };
      const whole = frame(input, [], option, decider());
      const split = frame(
        input,
        cuts.map((cut) => cut % (input.length + 1)),
        option,
        decider(),
      );
      const single = frame(input, everyOctet(input), option, decider());
      return (
        JSON.stringify(whole) === JSON.stringify(split) && JSON.stringify(whole) === JSON.stringify(single)
      );
    }),
    { numRuns: 800 },
  );
});

t.test('property: octets of a refused or accepted message are never a command', async () => {
  const message = fc.uint8Array({ maxLength: 80 }).map((octets) => Buffer.from(octets));
  fc.assert(
    fc.property(message, fc.boolean(), (octets, isAccepted) => {
      const start = latin1(`a APPEND x {${octets.length}+}\r\n`);
      const input = Buffer.concat([start, octets, latin1(`\r\n${NEXT}`)]);
      const events = frame(input, everyOctet(input), {}, () => (isAccepted ? 'accept' : 'refuse'));
      const last = events.at(-1);
      return last === NEXT_EVENT && events.filter((event) => event.startsWith('command ')).length === 1;
    }),
    { numRuns: 500 },
  );
});

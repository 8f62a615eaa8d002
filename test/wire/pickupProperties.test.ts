/**
 * What holds for any file of a pickup directory: over real messages, odd ones, mutations of both and generated headers.
 *
 * Decoding and dots are held against simple references by lines and patterns, generated recipients against their generator, and
 * Python's email package is asked for a second opinion on address lists.
 */

import fc from 'fast-check';
import t from 'tap';

import { headerEnd } from '../../src/wire/mime/header.ts';
import { octetString } from '../../src/wire/mime/structure.ts';
import { readAddressList } from '../../src/wire/pickup/addressList.ts';
import { createDotJudge, createDotUnstuffer } from '../../src/wire/pickup/dots.ts';
import { createFileDecoder } from '../../src/wire/pickup/fileDecoder.ts';
import { type OpeningRules, readOpening } from '../../src/wire/pickup/opening.ts';
import { explainProblem } from '../../src/wire/pickup/problems.ts';
import { ODD_MESSAGES, readCorpus } from '../support/oddMessages.ts';
import { findProgram, runProgram } from '../support/peers.ts';
import { type Below, randomNumbers } from '../support/randomNumbers.ts';
import { threadMs } from '../support/threadTime.ts';

t.setTimeout(300_000);

const SEED = 20261128;
const SIZE_LIMIT_OCTETS = 20_000;
const MESSAGES = [...ODD_MESSAGES, ...(readCorpus() ?? [])]
  .map(({ octets }) => octets)
  .filter(({ length }) => length < SIZE_LIMIT_OCTETS);

const RULES: readonly OpeningRules[] = [
  { kind: 'pickup', hasDefaultSender: false, senderFirst: false, removesTrace: true, recipientLimit: 100 },
  { kind: 'pickup', hasDefaultSender: true, senderFirst: true, removesTrace: false, recipientLimit: 0 },
  { kind: 'replay', hasDefaultSender: false, senderFirst: false, removesTrace: false, recipientLimit: 100 },
];

/** Pieces that make a file odd where they are put in. */
const PIECES = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\r\n',
    '\n\r',
    '.',
    '..',
    '\r\n.\r\n',
    '\n..',
    '\n.x',
    '\0',
    '\ufeff',
    '\xff\xfe',
    ':',
    '<',
    '>',
    '@',
  ],
  ...[
    '"',
    '(',
    ')',
    ',',
    ';',
    '\\',
    ' ',
    '\t',
    '=?utf-8?q?',
    '?=',
    '\nBcc: hidden@z.de\n',
    '\nX-Receiver: <r@z.de>\n',
    '\n x',
  ],
  ...[
    '\nTo: t@z.de, u@z.de\n',
    '\nFrom: f@z.de\n',
    '\nResent-To: v@z.de\n',
    '\nX-Sender: <s@z.de>\n',
    '\xe4',
    '\xc3\xa4',
  ],
].map((piece) => Buffer.from(piece, 'latin1'));
const FRONTS = [
  ...[
    '',
    'X-Sender: <s@z.de>\r\nX-Receiver: <r@z.de>\r\n',
    'From: f@z.de\nTo: t@z.de\nBcc: hidden@z.de\n',
    'To: t@z.de\r\n',
  ],
  ...[
    'Resent-From: w@z.de\r\nResent-Bcc: v@z.de\r\n',
    'x-receiver: r@z.de\r\nx-receiver: q@z.de NOTIFY=NEVER\r\n',
  ],
].map((front) => Buffer.from(front, 'latin1'));

/** A message with something in front, something put in, taken out or doubled at places that chance names. */
function mutation(below: Below): Buffer {
  let octets = Buffer.concat([pick(FRONTS, below), pick(MESSAGES, below)]);
  for (let count = below(5); count > 0; count -= 1) {
    // Half of them in the first lines, where the header is.
    const at = below(below(2) === 0 ? Math.min(300, octets.length + 1) : octets.length + 1);
    const skipped = below(3) === 0 ? below(20) : 0;
    octets = Buffer.concat([octets.subarray(0, at), pick(PIECES, below), octets.subarray(at + skipped)]);
  }
  return below(10) === 0 ? Buffer.from(octets.toString('latin1'), 'utf16le') : octets;
}

function pick(from: readonly Buffer[], below: Below): Buffer {
  return from[below(from.length)] ?? Buffer.alloc(0);
}

interface Stage {
  push(block: Buffer): Buffer;
  end(): Buffer;
}

/** What a stage makes of octets that come in blocks whose memory is gone with the next one. */
function run(stage: Stage, octets: Buffer, blockOctets: () => number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0, size = blockOctets(); at < octets.length; at += size, size = blockOctets()) {
    const block = Buffer.from(octets.subarray(at, at + size));
    pieces.push(Buffer.from(stage.push(block)));
    block.fill(0x21);
  }
  pieces.push(stage.end());
  return Buffer.concat(pieces);
}

const whole = () => Number.MAX_SAFE_INTEGER;

/** Blocks of a few octets, now and then empty ones. */
function cuts(below: Below): () => number {
  const most = 1 + below(40);
  return () => 1 + below(most);
}

/** The decoder's work by patterns. */
function decoded(octets: Buffer): string {
  const even = octets.length - (octets.length % 2);
  const text16 = (pairs: Buffer) =>
    Buffer.from(pairs.toString('utf16le').toWellFormed() + (even === octets.length ? '' : '\ufffd')).toString(
      'latin1',
    );
  const swapped = () => Buffer.from(octets.subarray(0, even)).swap16();
  const start = octets.toString('latin1', 0, 6);
  let text = octets.toString('latin1');
  if (start.startsWith('\xef\xbb\xbf')) text = text.slice(3);
  else if (start.startsWith('\xff\xfe')) text = text16(octets.subarray(0, even)).slice(3);
  else if (start.startsWith('\xfe\xff')) text = text16(swapped()).slice(3);
  else if (/^(?:[\x01-\x7f]\0){3}/.test(start)) text = text16(octets.subarray(0, even));
  else if (/^(?:\0[\x01-\x7f]){3}/.test(start)) text = text16(swapped());
  const lines = text.replace(/\r\r\n|\r\n|\r|\n/g, '\r\n');
  return lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
}

t.test(`files are decoded alike however they are cut, as patterns would (seed ${SEED})`, async (t) => {
  const below = randomNumbers(SEED);
  let changed = 0;
  for (let round = 0; round < 1500; round += 1) {
    const file = round < MESSAGES.length ? (MESSAGES[round] as Buffer) : mutation(below);
    const found = run(createFileDecoder(), file, cuts(below)).toString('latin1');
    if (found !== decoded(file)) {
      t.equal(found, decoded(file), `round ${round}`);
      return;
    }
    if (found.length !== file.length) changed += 1;
  }
  t.ok(changed > 300, `${changed} files were changed`);
});

t.test('of real messages nothing but line ends is changed, and of the body not an octet', async (t) => {
  for (const [index, octets] of MESSAGES.entries()) {
    if (octets.subarray(0, 3).equals(Buffer.from('\ufeff'))) continue;
    const found = run(createFileDecoder(), octets, whole);
    const text = octets.toString('latin1');
    const isClean = !/\r(?!\n)|(?<!\r)\n/.test(text) && (text === '' || text.endsWith('\r\n'));
    if (isClean) t.ok(found.equals(octets), `message ${index} as it was`);
    const body = octets.subarray(headerEnd(octets)).toString('latin1');
    if (/\r(?!\n)/.test(text)) continue;
    const lines = `${body
      .split('\n')
      .map((line) => line.replace(/\r$/, ''))
      .join('\r\n')}\r\n`.replace(/\r\n\r\n$/, '\r\n');
    const expected = body === '' ? '' : body.endsWith('\n') ? body.replace(/\r?\n/g, '\r\n') : lines;
    t.equal(found.subarray(headerEnd(found)).toString('latin1'), expected, `body of message ${index}`);
  }
});

/** Lines that begin with dots, often. */
function dotted(below: Below): string {
  const starts = ['', '.', '..', '...', '.x', '..x', ' .', 'text', '. ', ' ', '\t'];
  const lines = Array.from({ length: below(8) }, () => starts[below(starts.length)] ?? '');
  return lines.map((line) => `${line}\r\n`).join('');
}

/** The judge's work by patterns. */
function judged(text: string): 'stuffed' | 'raw' {
  const body = text.replace(/(^|\n)\.\r\n(?:[ \t]|\r\n)*$/, '$1');
  const lines = body.split('\r\n');
  if (lines.some((line) => line === '.' || /^\.[^.]/.test(line))) return 'raw';
  return body !== text || lines.some((line) => line.startsWith('..')) ? 'stuffed' : 'raw';
}

function verdict(octets: Buffer, blockOctets: () => number): 'stuffed' | 'raw' {
  const judge = createDotJudge();
  for (let at = 0, size = blockOctets(); at < octets.length; at += size, size = blockOctets())
    judge.push(octets.subarray(at, at + size));
  return judge.end();
}

t.test(`dots that were put in come out, and the judge knows (seed ${SEED})`, async (t) => {
  const below = randomNumbers(SEED + 1);
  const counts = { stuffed: 0, raw: 0 };
  for (let round = 0; round < 3000; round += 1) {
    const text = round < MESSAGES.length ? decoded(MESSAGES[round] as Buffer) : dotted(below);
    const stuffed = text.replace(/(^|\n)\./g, '$1..');
    for (const end of ['', '.\r\n', '.\r\n\r\n \r\n']) {
      const octets = Buffer.from(stuffed + end, 'latin1');
      const found = run(createDotUnstuffer(), octets, cuts(below)).toString('latin1');
      if (found !== text) {
        t.equal(found, text, `round ${round}`);
        return;
      }
      const expected = end === '' && stuffed === text ? 'raw' : 'stuffed';
      if (verdict(octets, cuts(below)) !== expected) {
        t.fail(`round ${round}: ${JSON.stringify(stuffed)}`);
        return;
      }
    }
    const own = verdict(Buffer.from(text, 'latin1'), cuts(below));
    if (own !== judged(text)) {
      t.equal(own, judged(text), JSON.stringify(text));
      return;
    }
    counts[own] += 1;
  }
  t.ok(counts.raw > 500 && counts.stuffed > 500, JSON.stringify(counts));
});

t.test('a long text behind what looked like the end stays, and so do its blanks', async (t) => {
  const below = randomNumbers(SEED + 2);
  for (const blanks of [10, 65_000, 70_000, 300_000]) {
    const text = `a\r\n.\r\n${' \r\n'.repeat(blanks / 3)}`;
    for (const end of ['', 'b\r\n', '..b\r\n']) {
      const found = run(createDotUnstuffer(), Buffer.from(text + end), () => 1 + below(30_000)).toString();
      const isEnd = end === '' && blanks < 65_536;
      t.ok(found === (isEnd ? 'a\r\n' : text + end.replace('..', '.')), `${blanks} blanks, then ${end}`);
    }
  }
});

const SECRET = /^(?:bcc|resent-bcc|x-sender|x-receiver|x-source|x-createdby)[ \t]*:/im;

t.test(`no file is more than an envelope or a problem (seed ${SEED})`, async (t) => {
  const below = randomNumbers(SEED + 3);
  const counts = { envelope: 0, bad: 0 };
  for (let round = 0; round < 2000; round += 1) {
    const message = run(createFileDecoder(), mutation(below), whole);
    const octets = message.subarray(0, headerEnd(message));
    for (const rules of RULES) {
      const opening = readOpening(octets, true, rules);
      counts[opening.kind] += 1;
      if (opening.kind === 'bad') {
        const { what, whatToDo } = explainProblem(opening.problem);
        const lines = octets.toString('latin1').split('\n').length;
        if (/[{}]|undefined|[\r\n\0]/.test(what + whatToDo) || (opening.problem.line ?? 1) > lines) {
          t.fail(`round ${round}: ${JSON.stringify(opening.problem)}`);
          return;
        }
        continue;
      }
      const header = opening.header.toString('latin1');
      const text = octets.toString('utf8');
      const strange = opening.recipients.find((path) => !isWrittenIn(text, path));
      if (SECRET.test(header) || strange !== undefined || opening.recipients.length === 0) {
        t.fail(`round ${round}: ${strange} ${JSON.stringify(octets.toString('latin1'))}`);
        return;
      }
      const kept = header.replace('To: undisclosed-recipients:;\r\n', '').split('\n');
      if (!isPart(kept, octets.toString('latin1').split('\n')) || /^[ \t]/.test(header)) {
        t.fail(`round ${round}: ${JSON.stringify(header)}`);
        return;
      }
    }
  }
  t.ok(counts.envelope > 500 && counts.bad > 500, JSON.stringify(counts));
});

/** Whether all pieces of an address stand in the text; what may stand between them is tested elsewhere. */
function isWrittenIn(text: string, path: string): boolean {
  return path.split(/["\\@.]+/).every((piece) => text.includes(piece));
}

/** Whether these lines stand among the others in their order. */
function isPart(lines: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const line of all) if (line === lines[at]) at += 1;
  return at === lines.length;
}

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const domain = fc.tuple(label, label).map((labels) => labels.join('.'));
const atom = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=^_`{|}~-]{1,6}$/);
const dotAtom = fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join('.'));
const quotedText = fc.stringMatching(/^[ -~]{1,8}$/);
const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
const isDotAtom = (text: string) =>
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(text);
/** A local part as it is written, and as it comes out. */
const localPart = fc.oneof(
  { weight: 4, arbitrary: dotAtom.map((text) => ({ written: text, found: text })) },
  {
    weight: 1,
    arbitrary: quotedText
      .filter((text) => !text.includes('=?'))
      .map((text) => ({ written: quote(text), found: isDotAtom(text) ? text : quote(text) })),
  },
);
const mailbox = fc.tuple(localPart, domain).map(([local, host]) => ({
  written: `${local.written}@${host}`,
  found: `${local.found}@${host}`,
}));
const space = fc.constantFrom(
  '',
  ' ',
  '  ',
  '\r\n ',
  '\r\n\t',
  ' (a, b@c.de <x>) ',
  ' (nested (comment\\)) ) ',
);
const name = fc.oneof(
  fc.constantFrom(
    '',
    'Bob ',
    'Bob B. ',
    '"B, b@c.de" ',
    '=?utf-8?q?b=40c,_d?= ',
    'J\xf6rg ',
    '\xc3\xa4 ',
    '"" ',
    'a [b] ',
  ),
  quotedText.map((text) => `${quote(text)} `),
);
/** One member of a list, with the addresses that it has. */
const member = fc.oneof(
  fc.tuple(space, mailbox, space).map(([left, box, right]) => ({
    written: left + box.written + right,
    found: [box.found],
  })),
  fc
    .tuple(name, space, mailbox, fc.constantFrom('', '', '@r.de:', '@r.de,@s.de:'))
    .map(([phrase, between, box, route]) => ({
      written: `${phrase}${between}<${route}${box.written}>`,
      found: [box.found],
    })),
  fc.constantFrom({ written: '', found: [] }, { written: 'Nobody:;', found: [] }),
  fc
    .tuple(fc.constantFrom('Group', '"G: h"', 'two words'), fc.array(mailbox, { maxLength: 3 }))
    .map(([group, boxes]) => ({
      written: `${group}: ${boxes.map(({ written }) => written).join(', ')};`,
      found: boxes.map(({ found }) => found),
    })),
);
const list = fc.array(member, { maxLength: 5 }).map((members) => ({
  written: members.map(({ written }) => written).join(','),
  found: members.flatMap(({ found }) => found),
}));

function unfolded(written: string): string {
  return written.replace(/\r\n/g, '').trim();
}

t.test(`generated recipients are found, each once, and no others (seed ${SEED})`, async (t) => {
  fc.assert(
    fc.property(
      list,
      list,
      list,
      ({ written: to, ...tos }, { written: cc, ...ccs }, { written: bcc, ...bccs }) => {
        const header = `From: a@x.de\r\nTo:${to}\r\nSubject: s\r\nBCC :${bcc}\r\nCc:${cc}\r\n\r\n`;
        const opening = readOpening(Buffer.from(header, 'latin1'), true, RULES[1] as OpeningRules);
        const expected = [...new Set([...tos.found, ...bccs.found, ...ccs.found])];
        if (expected.length === 0)
          return opening.kind === 'bad' && opening.problem.code === 'recipientMissing';
        return (
          opening.kind === 'envelope' &&
          JSON.stringify(opening.recipients) === JSON.stringify(expected) &&
          opening.header.toString('latin1') === `From: a@x.de\r\nTo:${to}\r\nSubject: s\r\nCc:${cc}\r\n\r\n`
        );
      },
    ),
    { numRuns: 2000, seed: SEED },
  );
  t.pass('2,000 headers');
});

t.test('every address that is left out of a list makes a problem', async (t) => {
  const junk = fc.constantFrom(
    'x',
    'Bob <c@d.de',
    'b@c.de d@e.de',
    '<b@c.de> <d@e.de>',
    '"open',
    '(open',
    'a@',
    '@b.de',
    '<>',
    '>',
    ')',
    'g: h: i@j.de;',
    'b@c.de x',
    '\\',
  );
  fc.assert(
    fc.property(
      fc.array(mailbox, { maxLength: 3 }),
      junk,
      fc.array(mailbox, { maxLength: 3 }),
      (before, odd, after) => {
        const value = [
          ...before.map(({ written }) => written),
          odd,
          ...after.map(({ written }) => written),
        ].join(', ');
        return readAddressList(value).kind === 'wrong';
      },
    ),
    { numRuns: 2000, seed: SEED },
  );
  t.pass('2,000 lists');
});

/** Asks Python what addresses lists have; null where it found a defect or fails. */
const PYTHON = `
import json, sys
from email.policy import default
answers = []
for value in json.load(sys.stdin):
    try:
        header = default.header_factory('To', value)
        answers.append(None if header.defects else [address.addr_spec for address in header.addresses])
    except Exception: # its parser fails in many ways
        answers.append(None)
json.dump(answers, sys.stdout)
`;

t.test(
  `Python reads the same addresses (seed ${SEED})`,
  { skip: findProgram('python3') === undefined && 'no python3' },
  async (t) => {
    const generated = fc.sample(list, { numRuns: 600, seed: SEED }).map(({ written }) => unfolded(written));
    const below = randomNumbers(SEED + 4);
    const spoilt = generated.map((value) => {
      const at = below(value.length + 1);
      return value.slice(0, at) + '"(),:;<>@.\\ x'.charAt(below(13)) + value.slice(at + below(2));
    });
    const values = [...generated, ...spoilt].filter((value) => /^[ -~]*$/.test(value));
    const { stdout } = await runProgram('python3', ['-c', PYTHON], { stdin: JSON.stringify(values) });
    const answers: readonly (readonly string[] | null)[] = JSON.parse(stdout.toString());
    let agreed = 0;
    for (const [index, answer] of answers.entries()) {
      const value = values[index] ?? '';
      const found = readAddressList(octetString(value));
      if (answer === null || found.kind === 'wrong') continue;
      const plain = found.addresses.map(unquoted);
      if (JSON.stringify(plain) !== JSON.stringify(answer.map(unquoted))) {
        t.strictSame(found.addresses, answer, value);
        return;
      }
      agreed += 1;
    }
    t.ok(agreed > 300, `${agreed} of ${values.length} lists are clear to both`);
  },
);

/** An address with its local part's quotes undone, since Python writes other ones. */
function unquoted(address: string): string {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  return (local.startsWith('"') ? local.slice(1, -1).replace(/\\(.)/g, '$1') : local) + address.slice(at);
}

t.test('hostile files cost time in proportion to their size', async (t) => {
  const size = 300_000;
  const fill = (piece: string) => piece.repeat(Math.ceil(size / piece.length)).slice(0, size);
  const headers = [
    ...[
      '(',
      '((\\',
      '"',
      '\\"',
      '<',
      '@',
      ',',
      ';',
      ':',
      'a@b.c,',
      '<@a,',
      'a.',
      '=?a?q?',
      '" "',
      'a ',
      '[',
      '. ',
    ].map((piece) => `From: a@x.de\r\nTo: ${fill(piece)}\r\n\r\n`),
    ...['<', '"', '<"a', ' ', '=', ' A=', ';', '<a@b.c> ', 'X-ExtendedProps', '@a,', '<@a.b.'].map(
      (piece) => `X-Sender: <a@x.de>\r\nX-Receiver: <${fill(piece)}\r\n\r\n`,
    ),
    `From: a@x.de\r\nTo: a@${fill('a . ')}\r\n\r\n`,
    `X-Sender: <a@x.de>\r\nX-Receiver: <b@y.de>${fill(' A=')}\r\n\r\n`,
    `X-Sender: <a@x.de>\r\nX-Receiver: <b@y.de>${' '.repeat(size)}=\r\n\r\n`,
    `X-Sender: <a@x.de>\r\n${fill('X-Receiver: <b@y.de>\r\n')}\r\n\r\n`,
    `${fill('Resent-To: a@x.de\r\n')}\r\n\r\n`,
    `${fill('a:\r\n')}\r\n`,
    `${fill('a\r\n')}\r\n`,
    `a:${fill('\r\n ')}\r\n`,
    `From: a@x.de\r\n${fill('Bcc: a@x.de\r\n')}\r\n\r\n`,
    ...['1 ', '(', '1 Jan ', '1 J-', '1\t'].map(
      (piece) => `From: a@x.de\r\nTo: b@y.de\r\nDate: ${fill(piece)}\r\n\r\n`,
    ),
    `From: a@x.de\r\nTo: b@y.de\r\nDate: 1${' '.repeat(size)}x\r\n\r\n`,
  ];
  for (const header of headers) {
    const before = threadMs();
    for (const rules of RULES) readOpening(Buffer.from(header, 'latin1'), true, rules);
    const took = threadMs() - before;
    t.ok(
      took < 3000,
      `${header.slice(0, 50).replaceAll('\r\n', ' ')}: ${Math.round(took)} ms for three times 300 KB`,
    );
  }
  for (const piece of ['\r', '\n', '\r\r\n', '.\r\n', '..\r\n', '.', ' \r\n', '.\r\n\r\n', 'x']) {
    const file = Buffer.from(fill(piece).repeat(10));
    const before = threadMs();
    const message = run(createFileDecoder(), file, () => 65_536);
    verdict(message, () => 65_536);
    run(createDotUnstuffer(), message, () => 65_536);
    const took = threadMs() - before;
    t.ok(took < 3000, `${JSON.stringify(piece)}: ${Math.round(took)} ms for 3 MB`);
  }
});

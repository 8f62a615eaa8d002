/** The data of a message after DATA: dots, its end, any cut; compared with a decoder that is written to be read, not to be quick. */

import fc from 'fast-check';
import t from 'tap';
import { createDataDecoder } from '../../src/wire/smtp/dataDecoder.ts';

/** RFC 5321 section 4.5.2 line by line: the message and what follows it, or undefined while the end has not come. */
function decodeByLines(data: string): { message: string; rest: string } | undefined {
  const lines = data.split('\r\n');
  const end = lines.indexOf('.');
  if (end < 0 || end === lines.length - 1) return undefined;
  const message = lines.slice(0, end).map((line) => `${line.startsWith('.') ? line.slice(1) : line}\r\n`);
  return { message: message.join(''), rest: lines.slice(end + 1).join('\r\n') };
}

function decodeInPieces(
  data: string,
  cuts: readonly number[],
): { message: string; rest: string } | undefined {
  const octets = Buffer.from(data, 'latin1');
  const decoder = createDataDecoder();
  const ends = [...cuts.map((cut) => cut % (octets.length + 1)), octets.length].sort(
    (left, right) => left - right,
  );
  let message = '';
  let start = 0;
  for (const end of ends) {
    const decoded = decoder.push(octets.subarray(start, end));
    start = end;
    message += decoded.octets.toString('latin1');
    if (decoded.rest !== undefined)
      return { message, rest: decoded.rest.toString('latin1') + octets.toString('latin1', start) };
  }
  return undefined;
}

t.test('a table of ends that are ends, and of those that are not', async (t) => {
  const cases: [string, { message: string; rest: string } | undefined][] = [
    ['.\r\n', { message: '', rest: '' }],
    ['a\r\n.\r\nQUIT\r\n', { message: 'a\r\n', rest: 'QUIT\r\n' }],
    ['..\r\n.\r\n', { message: '.\r\n', rest: '' }],
    ['.a\r\n...\r\n.\r\n', { message: 'a\r\n..\r\n', rest: '' }],
    ['\r\n.\r\n.\r\n', { message: '\r\n', rest: '.\r\n' }],
    ['a\n.\r\n', undefined],
    ['a\r\n.\n', undefined],
    ['a\r.\r\n', undefined],
    ['a\n..\r\n.\r\n', { message: 'a\n..\r\n', rest: '' }],
    ['.\r', undefined],
  ];
  for (const [data, expected] of cases) {
    t.strictSame(decodeInPieces(data, []), expected, JSON.stringify(data));
    t.strictSame(decodeByLines(data), expected, JSON.stringify(data));
  }
});

t.test('any data in any pieces decodes as line by line', async (t) => {
  const piece = fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\r\n.', '\r\n..', '\r\n.\r\n', '\xff');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 14 }),
      fc.array(fc.nat(60), { maxLength: 8 }),
      (pieces, cuts) => {
        const data = pieces.join('');
        const found = decodeInPieces(data, cuts);
        const expected = decodeByLines(data);
        return JSON.stringify(found) === JSON.stringify(expected);
      },
    ),
    { numRuns: 20_000 },
  );
  t.pass('20,000 runs');
});

t.test(
  'a chunk without dots is given out in its own memory, and a dense one makes a single buffer',
  async (t) => {
    const decoder = createDataDecoder();
    decoder.push(Buffer.from('x'));
    const plain = Buffer.from('line\r\nline\r\nend');
    t.equal(decoder.push(plain).octets.buffer, plain.buffer);
    const { octets } = decoder.push(Buffer.from('\r\n..'.repeat(10_000)));
    t.equal(octets.toString(), '\r\n.'.repeat(10_000));
  },
);

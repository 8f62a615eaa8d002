/** SMTP's grammar of MAIL and RCPT, its replies, and the end of the data: every short stream of CR, LF and dots, however cut. */

import fc from 'fast-check';
import t from 'tap';

import { WireError } from '../../src/base/error.ts';
import { createDataDecoder } from '../../src/wire/smtp/dataDecoder.ts';
import { parseMail } from '../../src/wire/smtp/mail.ts';
import { parseRcpt } from '../../src/wire/smtp/rcpt.ts';
import { formatReply } from '../../src/wire/smtp/reply.ts';

const PATHS: readonly (readonly [written: string, path: string])[] = [
  ['<a@b.example>', 'a@b.example'],
  ['<A.B+c@B.Example>', 'A.B+c@B.Example'],
  ['  \t<a@b.example>  ', 'a@b.example'],
  ['< a@b.example >', 'a@b.example'],
  ['a@b.example', 'a@b.example'],
  ['<a@xn--mller-kva.example>', 'a@xn--mller-kva.example'],
  ['<müller@münchen.example>', 'müller@münchen.example'],
  ['<..a..b.@docomo.example>', '..a..b.@docomo.example'],
  ['<a@host_1.example.>', 'a@host_1.example.'],
  ['<"a b\\"@c"@d.example>', '"a b\\"@c"@d.example'],
  ['<"a>b <c"@d.example>', '"a>b <c"@d.example'],
  ['<""@d.example>', '""@d.example'],
  ['<a%b!c@d.example>', 'a%b!c@d.example'],
  ['<a@[192.0.2.1]>', 'a@[192.0.2.1]'],
  ['<a@[IPv6:2001:db8::1]>', 'a@[IPv6:2001:db8::1]'],
  ['<@r.example:a@b.example>', 'a@b.example'],
  ['<@r.example,@[192.0.2.1]:a@b.example>', 'a@b.example'],
];

const NO_PATHS = [
  '',
  '<',
  '<a@b.example',
  'a@b.example>',
  '<a>',
  '<a@>',
  '<@b.example>',
  '<a@b@c.example>',
  '<a@b..example>',
  '<a@-.b.example@c>',
  '<a b@c.example>',
  '<"a@b.example>',
  '<"a"b@c.example>',
  '<a@b.example>x',
  '<a@b.example><c@d.example>',
  '<a@b.example> <c@d.example>',
  '<a@b.example(comment)>',
  '<(comment)a@b.example>',
  '<a@[192.0.2.1>',
  '<a@[192.0.2.1]]>',
  '<@r.example a@b.example>',
  '<@r.example:>',
  '<a@b.example>\rRCPT TO:<c@d.example>',
  '<a\u0000@b.example>',
  '<a\u200b@b.example>',
  '<a@b\u202e.example>',
  '<"a\u0085"@b.example>',
  `<${'a'.repeat(512)}@b.example>`,
];

t.test('a path comes out as it was written, without brackets and source route', async (t) => {
  for (const [written, path] of PATHS) {
    t.equal(parseMail(Buffer.from(`MAIL FROM:${written}`)).reversePath, path, written);
    t.equal(parseRcpt(Buffer.from(`rcpt  to :${written}`)).forwardPath, path, written);
  }
  t.equal(parseMail(Buffer.from('MAIL FROM:<>')).reversePath, '');
  t.equal(parseMail(Buffer.from('MAIL FROM: < >')).reversePath, '');
  t.equal(parseRcpt(Buffer.from('RCPT TO:<PostMaster>')).forwardPath, 'PostMaster');
  t.equal(parseRcpt(Buffer.from('RCPT TO:postmaster')).forwardPath, 'postmaster');
});

t.test('what is no path is told where it ends to be one', async (t) => {
  for (const written of NO_PATHS) {
    t.throws(() => parseMail(Buffer.from(`MAIL FROM:${written}`)), WireError, written);
    t.throws(() => parseRcpt(Buffer.from(`RCPT TO:${written}`)), WireError, written);
  }
  t.throws(() => parseRcpt(Buffer.from('RCPT TO:<>')), WireError);
  t.throws(() => parseMail(Buffer.from('MAIL FROM:<postmaster>')), WireError);
  const latin1 = Buffer.from('MAIL FROM:<a\xff@b.example>', 'latin1');
  t.throws(() => parseMail(latin1), new WireError(0, 'UTF-8'));
  t.throws(() => parseMail(Buffer.from('MAIL FROM:<ä@b.example')), new WireError(23, '>'));
});

t.test('parameters are read, once each, and those that nobody knows are named', async (t) => {
  const { declaredOctets, body, isSmtpUtf8, unrecognized } = parseMail(
    Buffer.from('MAIL FROM:<a@b.example> size=12345 Body=8bitMIME SMTPUTF8 AUTH=<> X-Y=1'),
  );
  t.strictSame(
    { declaredOctets, body, isSmtpUtf8, unrecognized },
    {
      declaredOctets: 12345,
      body: '8BITMIME',
      isSmtpUtf8: true,
      unrecognized: ['AUTH', 'X-Y'],
    },
  );
  t.strictSame(parseRcpt(Buffer.from('RCPT TO:<a@b.example> ORCPT=rfc822;a NOTIFY=NEVER')).unrecognized, [
    'ORCPT',
    'NOTIFY',
  ]);
  const plain = parseMail(Buffer.from('MAIL FROM:<a@b.example> '));
  t.equal(plain.declaredOctets, undefined);
  t.equal(plain.isSmtpUtf8, false);
  const wrong = ['SIZE', 'SIZE=', 'SIZE=-1', 'SIZE=1e3', `SIZE=${'1'.repeat(21)}`, 'BODY=BINARYMIME', 'BODY'];
  for (const parameter of [...wrong, 'SMTPUTF8=1', 'SIZE=1 SIZE=1', '=1', '-A=1', 'A==1', 'A=\u0007']) {
    t.throws(() => parseMail(Buffer.from(`MAIL FROM:<a@b.example> ${parameter}`)), WireError, parameter);
  }
});

t.test('no octets make a parser throw anything but WireError', async () => {
  const octets = fc.uint8Array({ maxLength: 60 });
  const start = fc.constantFrom('MAIL FROM:', 'MAIL FROM:<', 'RCPT TO:<a@b', 'RCPT TO:<"', 'MAIL FROM:<> S');
  fc.assert(
    fc.property(start, octets, (head, tail) => {
      for (const parse of [parseMail, parseRcpt]) {
        try {
          parse(Buffer.concat([Buffer.from(head), tail]));
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
        }
      }
    }),
  );
});

t.test(
  'a reply cannot be split by its text, has its status on each line, and fits into a line',
  async (t) => {
    t.equal(formatReply(250, '2.0.0', 'Queued'), '250 2.0.0 Queued\r\n');
    t.equal(formatReply(220, undefined, 'mail ESMTP'), '220 mail ESMTP\r\n');
    t.equal(formatReply(214, '2.0.0', ['one', 'two']), '214-2.0.0 one\r\n214 2.0.0 two\r\n');
    t.equal(formatReply(550, '5.1.1', 'a\r\n250 ok\u0085\0'), '550 5.1.1 a  250 ok  \r\n');
    const long = formatReply(550, '5.1.1', 'ü'.repeat(1000));
    t.ok(Buffer.byteLength(long) <= 512);
    t.notOk(long.includes('\ufffd'), 'no character is cut in two');
  },
);

/** RFC 5321 section 4.5.2, line by line. */
function reference(octets: string): { content: string; rest: string | undefined } {
  let content = '';
  for (let at = 0; ; ) {
    if (octets.startsWith('.\r\n', at)) return { content, rest: octets.slice(at + 3) };
    if (octets[at] === '.') at += 1;
    const end = octets.indexOf('\r\n', at);
    if (end < 0) return { content: content + octets.slice(at), rest: undefined };
    content += octets.slice(at, end + 2);
    at = end + 2;
  }
}

function decode(data: string, cuts: readonly number[]): { content: string; rest: string | undefined } {
  const decoder = createDataDecoder();
  let content = '';
  let from = 0;
  for (const to of [...cuts, data.length]) {
    const { octets, rest } = decoder.push(Buffer.from(data.slice(from, to), 'latin1'));
    content += octets.toString('latin1');
    if (rest !== undefined) return { content, rest: rest.toString('latin1') + data.slice(to) };
    from = to;
  }
  return { content, rest: undefined };
}

t.test(
  'data ends at CRLF.CRLF alone and loses the right dots, for every short stream and every cut',
  async (t) => {
    let different: unknown;
    for (let length = 0; length <= 6; length += 1) {
      for (let number = 0; number < 4 ** length; number += 1) {
        const stream = Array.from({ length }, (_, index) => '\r\n.a'[(number >> (2 * index)) & 3]).join('');
        const octets = `${stream}\r\n.\r\nQUIT\r\n`;
        const expected = reference(octets);
        const all = Array.from(octets, (_, index) => index);
        const cuts = [[], all, ...all.map((at) => [at]), all.filter((at) => at % 2 === 0)];
        for (const each of cuts) {
          const found = decode(octets, each);
          if (found.content !== expected.content || found.rest !== expected.rest)
            different ??= { octets, each, found, expected };
        }
      }
    }
    t.equal(different, undefined);
  },
);

t.test('20 MB of dots take little time', async (t) => {
  const dots = Buffer.from('..\r\n'.repeat(16_384));
  const decoder = createDataDecoder();
  const before = process.cpuUsage();
  let octets = 0;
  for (let sent = 0; sent < 20e6; sent += dots.length)
    octets += decoder.push(Buffer.from(dots)).octets.length;
  const { user, system } = process.cpuUsage(before);
  t.ok(Math.abs(octets - 15_040_512) <= 2, 'a dot of each line is gone; the last CRLF may be held back');
  t.ok(user + system < 2e6, `${(user + system) / 1000} ms of CPU`);
});

/** SMTP's grammar of MAIL and RCPT, its replies, and the end of the data: every short stream of CR, LF and dots, however cut. */

import fc from 'fast-check';
import t from 'tap';

import { WireError } from '../../src/base/error.ts';
import { parseBdat } from '../../src/wire/smtp/bdat.ts';
import { createDataDecoder } from '../../src/wire/smtp/dataDecoder.ts';
import { parseAuth } from '../../src/wire/smtp/auth.ts';
import { parseMail } from '../../src/wire/smtp/mail.ts';
import { ParameterError } from '../../src/wire/smtp/parameters.ts';
import { parseRcpt } from '../../src/wire/smtp/rcpt.ts';
import { formatReply } from '../../src/wire/smtp/reply.ts';

const PATHS: readonly (readonly [written: string, path: string])[] = [
  ['<a@b.example>', 'a@b.example'],
  ['<A.B+c@B.Example>', 'A.B+c@B.Example'],
  ['<a@b.example>  ', 'a@b.example'],
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

/** Taken where the listener is lenient, and nowhere else. */
const LENIENT_PATHS: readonly string[] = [
  '  \t<a@b.example>  ',
  '< a@b.example >',
  'a@b.example',
  ' a@b.example',
];
const LENIENT = { isLenient: true };

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

function wireErrorOf(parse: () => unknown): WireError | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

t.test('a path comes out as it was written, without brackets and source route', async (t) => {
  for (const [written, path] of PATHS) {
    t.equal(parseMail(Buffer.from(`MAIL FROM:${written}`)).reversePath, path, written);
    t.equal(parseMail(Buffer.from(`MAIL FROM:${written}`), LENIENT).reversePath, path, written);
    t.equal(parseRcpt(Buffer.from(`rcpt  to:${written}`)).forwardPath, path, written);
  }
  t.equal(parseMail(Buffer.from('MAIL FROM:<>')).reversePath, '');
  t.equal(parseRcpt(Buffer.from('RCPT TO:<PostMaster>')).forwardPath, 'PostMaster');
});

t.test('blanks and missing brackets are taken where the dialect is lenient', async (t) => {
  for (const written of LENIENT_PATHS) {
    const mail = Buffer.from(`mail from :${written}`);
    const rcpt = Buffer.from(`RCPT TO:${written}`);
    t.equal(parseMail(mail, LENIENT).reversePath, 'a@b.example', written);
    t.equal(parseRcpt(rcpt, LENIENT).forwardPath, 'a@b.example', written);
    t.throws(() => parseMail(mail), WireError, written);
    t.throws(() => parseRcpt(rcpt), WireError, written);
  }
  t.equal(parseMail(Buffer.from('MAIL FROM: < >'), LENIENT).reversePath, '');
  t.throws(() => parseMail(Buffer.from('MAIL FROM: <>')), WireError);
  t.throws(() => parseMail(Buffer.from('MAIL FROM:< >')), WireError);
  t.throws(() => parseMail(Buffer.from('MAIL FROM :<a@b.example>')), WireError);
  t.equal(parseRcpt(Buffer.from('RCPT TO: postmaster'), LENIENT).forwardPath, 'postmaster');
  const { reversePath, declaredOctets } = parseMail(Buffer.from('MAIL FROM: a@b.example SIZE=7'), LENIENT);
  t.strictSame([reversePath, declaredOctets], ['a@b.example', 7], 'parameters follow all the same');
});

const DSN = { hasDsn: true, hasAuth: true };
const dsnOfMail = (parameters: string) =>
  parseMail(Buffer.from(`MAIL FROM:<a@b.example> ${parameters}`), DSN);
const dsnOfRcpt = (parameters: string) =>
  parseRcpt(Buffer.from(`RCPT TO:<a@b.example> ${parameters}`), DSN).dsn;

t.test('DSN parameters are read strictly, and come out decoded (RFC 3461)', async (t) => {
  t.strictSame(dsnOfMail('ret=hdrs EnvId=QQ+2B314+3D1').dsn, { ret: 'HDRS', envid: 'QQ+314=1' });
  t.strictSame(dsnOfMail(`ENVID=${'x'.repeat(100)} RET=FULL`).dsn.ret, 'FULL');
  t.strictSame(dsnOfMail('SIZE=1'), { ...dsnOfMail('SIZE=1'), dsn: {}, unrecognized: [] });
  t.strictSame(dsnOfRcpt('NOTIFY=never'), { notify: ['NEVER'] });
  t.strictSame(dsnOfRcpt('NOTIFY=delay,SUCCESS,Delay'), { notify: ['SUCCESS', 'DELAY'] });
  t.strictSame(dsnOfRcpt('ORCPT=rfc822;Bob+2Bx@c.example NOTIFY=FAILURE'), {
    notify: ['FAILURE'],
    orcpt: 'rfc822;Bob+x@c.example',
  });
  t.strictSame(dsnOfRcpt('ORCPT=utf-8;müller@c.example'), { orcpt: 'utf-8;müller@c.example' });
  const wrongInMail = [
    'RET',
    'RET=',
    'RET=BODY',
    'ENVID',
    'ENVID=',
    'ENVID=a+2b',
    'ENVID=a+',
    'ENVID=a+0D+0A',
  ];
  for (const wrong of [...wrongInMail, `ENVID=${'x'.repeat(101)}`, 'RET=FULL RET=FULL', 'AUTH', 'AUTH=+1'])
    t.throws(() => dsnOfMail(wrong), ParameterError, wrong);
  const wrongInRcpt = ['NOTIFY', 'NOTIFY=', 'NOTIFY=NEVER,DELAY', 'NOTIFY=SUCCESS,', 'NOTIFY=OFTEN'];
  const wrongOrcpt = [
    'ORCPT',
    'ORCPT=rfc822',
    'ORCPT=;a',
    'ORCPT=rfc822;',
    'ORCPT=rfc822;ä@b',
    'ORCPT=r@x;a',
  ];
  for (const wrong of [
    ...wrongInRcpt,
    ...wrongOrcpt,
    'ORCPT=rfc822;a+0Ab',
    `ORCPT=rfc822;${'x'.repeat(494)}`,
  ])
    t.throws(() => dsnOfRcpt(wrong), ParameterError, wrong);
});

t.test('AUTH of MAIL is an xtext (RFC 4954 section 5)', async (t) => {
  t.equal(dsnOfMail('AUTH=<>').firstSubmitter, '<>');
  t.equal(dsnOfMail('AUTH=e+3Dmc2@example.com').firstSubmitter, 'e=mc2@example.com');
  t.equal(dsnOfMail('SIZE=1').firstSubmitter, undefined);
});

t.test('AUTH names a mechanism, perhaps with an initial response', async (t) => {
  const parse = (line: string) => {
    const { mechanism, initialResponse } = parseAuth(Buffer.from(line, 'latin1'));
    return [mechanism, initialResponse?.toString()];
  };
  t.strictSame(parse('AUTH PLAIN'), ['PLAIN', undefined]);
  t.strictSame(parse('auth  login\tdXNlcg== '), ['login', 'dXNlcg==']);
  t.strictSame(parse('AUTH PLAIN ='), ['PLAIN', '=']);
  t.strictSame(parse('AUTH CRAM-MD5'), ['CRAM-MD5', undefined]);
  for (const line of [
    'AUTH',
    'AUTH ',
    'AUTH=LOGIN',
    'AUTH PLAIN a b',
    'AUTH P\xc4LAIN',
    `AUTH ${'A'.repeat(21)}`,
  ])
    t.throws(() => parse(line), WireError, line);
});

t.test('what is no path is told where it ends to be one', async (t) => {
  for (const written of NO_PATHS) {
    t.ok(
      wireErrorOf(() => parseMail(Buffer.from(`MAIL FROM:${written}`))),
      written,
    );
    t.ok(
      wireErrorOf(() => parseRcpt(Buffer.from(`RCPT TO:${written}`))),
      written,
    );
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
  const binary = parseMail(Buffer.from('MAIL FROM:<a@b.example> BODY=BinaryMIME X=1'));
  t.strictSame(binary.unrecognized, ['X', 'BODY=BINARYMIME']);
  const plain = parseMail(Buffer.from('MAIL FROM:<a@b.example> '));
  t.equal(plain.declaredOctets, undefined);
  t.equal(plain.isSmtpUtf8, false);
  const wrong = ['SIZE', 'SIZE=', 'SIZE=-1', 'SIZE=1e3', `SIZE=${'1'.repeat(21)}`, 'BODY=9BIT', 'BODY'];
  for (const parameter of [...wrong, 'SMTPUTF8=1', 'SIZE=1 SIZE=1', '=1', '-A=1', 'A==1', 'A=\u0007']) {
    t.ok(
      wireErrorOf(() => parseMail(Buffer.from(`MAIL FROM:<a@b.example> ${parameter}`))),
      parameter,
    );
  }
});

t.test('BDAT has a size in decimal digits, and may be the last', async (t) => {
  const table: readonly (readonly [line: string, octets: number, isLast: boolean])[] = [
    ['BDAT 0', 0, false],
    ['BDAT 0 LAST', 0, true],
    ['bdat 86 last', 86, true],
    ['BDAT\t 86 \t Last ', 86, true],
    ['BDAT 000000000000000000000000000086', 86, false],
    ['BDAT 18446744073709551616', 2 ** 64, false],
    [`BDAT ${'9'.repeat(400)} LAST`, Number.POSITIVE_INFINITY, true],
  ];
  for (const [line, octets, isLast] of table)
    t.strictSame(parseBdat(Buffer.from(line)), { octets, isLast }, line);
  const wrong = [
    '',
    ' ',
    ' -1',
    ' +1',
    ' 0x10',
    ' 1e3',
    ' 1.0',
    ' 1,000',
    ' ten',
    ' LAST',
    ' LAST 1',
    ' 1LAST',
    ' 1 LASTED',
  ];
  for (const argument of [...wrong, ' 1 LAST LAST', ' 1 2', '1', ' 1\u00a0LAST', ' \u0661', ' 1\0'])
    t.throws(() => parseBdat(Buffer.from(`BDAT${argument}`)), WireError, argument);
});

t.test('no octets make a parser throw anything but WireError', async () => {
  const octets = fc.uint8Array({ maxLength: 60 });
  const start = fc.constantFrom(
    'MAIL FROM:',
    'MAIL FROM:<',
    'RCPT TO:<a@b',
    'RCPT TO:<"',
    'MAIL FROM:<> S',
    'BDAT ',
  );
  fc.assert(
    fc.property(start, octets, (head, tail) => {
      for (const parse of [parseMail, parseRcpt, parseBdat]) {
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

/**
 * Messages whose header fields, addresses or line ends are odd, each for one reason that its name gives; part of ODD_MIME.
 *
 * Lines are written with LF here and end with CRLF, but where the name says otherwise. One character is one octet.
 */

import type { OddMessage } from './oddMessages.ts';

/** As it stands: for line ends that are not CRLF. */
function raw(name: string, text: string): OddMessage {
  return { name, octets: Buffer.from(text, 'latin1') };
}

/** A message of one part with these header lines. */
function fields(name: string, header: string, body = 'body\n'): OddMessage {
  return raw(name, `${header}\n\n${body}`.replaceAll('\n', '\r\n'));
}

/** Content-* fields (RFC 2045, 2183, 2231, 3282, 1864, 2557). */
const CONTENT: readonly OddMessage[] = [
  fields('RFC 2231 with charset and language', "Content-Type: application/x; name*=iso-8859-1'de'%E4.txt"),
  fields(
    'RFC 2231 beside the plain form',
    "Content-Type: application/x; name=a.txt; name*=utf-8''%C3%A4.txt",
  ),
  fields('RFC 2231 out of order', 'Content-Type: application/x; name*1=b; name*0=a'),
  fields('RFC 2231 with a gap', 'Content-Type: application/x; name*0=a; name*2=c'),
  fields(
    'RFC 2231 in a disposition',
    "Content-Type: application/x\nContent-Disposition: attachment; filename*0*=utf-8''%C3%A4; filename*1=.txt",
  ),
  fields('a parameter without value', 'Content-Type: text/plain; charset; format=flowed'),
  fields('parameters twice', 'Content-Type: text/plain; charset=utf-8; charset=us-ascii'),
  fields('a charset with space around', 'Content-Type: text/plain; charset = " utf-8 "'),
  fields('an empty charset', 'Content-Type: text/plain; charset=""'),
  fields('an unknown charset', 'Content-Type: text/plain; charset=x-klingon'),
  fields('a charset in single quotes', "Content-Type: text/plain; charset='utf-8'"),
  fields(
    'comments around everything',
    'Content-Type: (a) text (b) / (c) plain (d) ; (e) charset (f) = (g) utf-8 (h)\nContent-Transfer-Encoding: (a) 8bit (b)\nContent-Disposition: (a) inline (b); (c) filename (d) = (e) x (f)',
  ),
  fields('nested comments', 'Content-Type: text/html (a (b (c)) d); charset=utf-8'),
  fields('a comment that is never closed', 'Content-Type: text/html (open; charset=utf-8'),
  fields('a quote that is never closed', 'Content-Type: text/html; charset="utf-8'),
  fields('a quoted-pair in a value', 'Content-Type: image/png; name="a\\\\b\\"c"'),
  fields('a value with encoded words', 'Content-Type: image/png; name="=?utf-8?q?=C3=A4?= =?utf-8?q?b?="'),
  fields('a value of raw UTF-8', 'Content-Type: image/png; name="\xc3\xa4.png"'),
  fields('a value of 2,000 octets', `Content-Type: image/png; name="${'n'.repeat(2000)}"`),
  fields('a type without subtype', 'Content-Type: text'),
  fields('a type with a second slash', 'Content-Type: text/plain/x'),
  fields('a type that is a sentence', 'Content-Type: this is no type'),
  fields('an empty type', 'Content-Type:'),
  fields('a type in capitals', 'CONTENT-TYPE: TEXT/HTML; CHARSET=UTF-8'),
  fields('two types', 'Content-Type: text/html\nContent-Type: image/png'),
  fields('a type that is folded in the middle', 'Content-Type: text/html;\n charset=\n  utf-8'),
  fields('a trailing semicolon', 'Content-Type: text/html; charset=utf-8;'),
  fields('commas for semicolons', 'Content-Type: text/html, charset=utf-8'),
  fields('an encoding in capitals', 'Content-Transfer-Encoding: BASE64', 'YQ==\n'),
  fields('an unknown encoding', 'Content-Transfer-Encoding: x-rot13'),
  fields('an empty encoding', 'Content-Transfer-Encoding:'),
  fields('an encoding with a comment', 'Content-Transfer-Encoding: quoted-printable (mostly)', 'a=3D\n'),
  fields('an encoding of two words', 'Content-Transfer-Encoding: 8 bit'),
  fields('an encoding with a semicolon', 'Content-Transfer-Encoding: base64;', 'YQ==\n'),
  fields('two encodings', 'Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 8bit', 'YQ==\n'),
  fields('an encoding in quotes', 'Content-Transfer-Encoding: "base64"', 'YQ==\n'),
  fields('one language', 'Content-Language: de'),
  fields('several languages', 'Content-Language: de, en-GB (mostly), fr'),
  fields('languages with empty places', 'Content-Language: , de,, en,'),
  fields('an empty language', 'Content-Language:'),
  fields('a location with folds', 'Content-Location: http://a/\n b/\n c'),
  fields('a location that is an encoded word', 'Content-Location: =?us-ascii?Q?a?='),
  fields('an MD5', 'Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ=='),
  fields('an MD5 with a comment', 'Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ== (sum)'),
  fields('an id without brackets', 'Content-ID: a@b'),
  fields('an empty id', 'Content-ID:'),
  fields('a description in encoded words', 'Content-Description: =?utf-8?q?=C3=A4?='),
  fields('a description in raw 8-bit', 'Content-Description: \xe4\xf6\xfc'),
  fields('a disposition without parameters', 'Content-Disposition: attachment'),
  fields('a disposition in quotes', 'Content-Disposition: "attachment"; filename=x'),
  fields('an unknown disposition', 'Content-Disposition: x-foo; filename="a b"'),
  fields('a disposition that is only a parameter', 'Content-Disposition: filename=x'),
  fields(
    'a disposition with a size and dates',
    'Content-Disposition: attachment; filename=x; size=3; creation-date="Wed, 12 Feb 1997 16:29:51 -0500"',
  ),
  fields('an empty disposition', 'Content-Disposition:'),
  fields('a MIME version that is no version', 'MIME-Version: x (y)\nContent-Type: text/html'),
];

/** ENVELOPE's fields and header lines (RFC 5322, RFC 3501 section 7.4.2). */
const HEADERS: readonly OddMessage[] = [
  fields('a group with members', 'From: a@b\nTo: Team: "A B" <a@b>, c@d;'),
  fields('an empty group', 'From: a@b\nTo: undisclosed-recipients:;\nCc: Nobody: ;'),
  fields('groups among addresses', 'From: a@b\nTo: x@y, G: a@b;, H:;, z@y'),
  fields('an empty angle address', 'From: <>\nTo: Name <>'),
  fields('a source route', 'From: Name <@a.example,@b.example:c@d.example>'),
  fields('comments in addresses', 'From: (one) a (two) @ (three) b.example (four)'),
  fields('an unclosed quote', 'From: "open <a@b.example>\nTo: c@d'),
  fields('an unclosed comment', 'From: a@b.example (open\nTo: c@d'),
  fields('an unclosed angle bracket', 'From: Name <a@b.example\nTo: c@d'),
  fields('quoted local parts', 'From: "a b"@c.example\nTo: "a@b"@c.example, "a\\"b"@c.example'),
  fields('an address in brackets twice', 'From: <<a@b.example>>'),
  fields('a domain literal', 'From: a@[127.0.0.1]\nTo: a@[IPv6:::1]'),
  fields('two From fields', 'From: a@b\nFrom: c@d\nTo: e@f'),
  fields('two From mailboxes', 'From: a@b, c@d\nSender: s@t'),
  fields('no From', 'To: a@b\nSubject: nobody'),
  fields('an empty From', 'From:\nTo: a@b'),
  fields('an empty Sender and Reply-To', 'From: a@b\nSender:\nReply-To:'),
  fields('a Reply-To of two', 'From: a@b\nReply-To: c@d, e@f'),
  fields('To twice', 'From: a@b\nTo: c@d\nTo: e@f\nCc: g@h\nCc: i@j'),
  fields(
    'Subject and Date twice',
    'Subject: one\nSubject: two\nDate: one\nDate: two\nMessage-ID: <1>\nMessage-ID: <2>',
  ),
  fields('an encoded word in a name', 'From: =?utf-8?Q?J=C3=B6rg_M?= <a@b>\nSubject: =?iso-8859-1?q?=E4?='),
  fields(
    'raw UTF-8 in a header',
    'From: J\xc3\xb6rg <j\xc3\xb6@b\xc3\xa4.example>\nSubject: \xe6\xbc\xa2\xe5\xad\x97',
  ),
  fields('raw Latin-1 in a header', 'From: J\xf6rg <a@b>\nSubject: \xe4\xf6\xfc'),
  fields('quotes and backslashes in a subject', 'Subject: "a" \\b "c" \\\\ "d" "e"'),
  fields('parentheses in a subject', 'Subject: (a) {5} [b] * % ]'),
  fields('a literal in a subject', 'Subject: {10}\n x'),
  fields('NIL as a subject', 'Subject: NIL\nMessage-ID: NIL'),
  fields('a subject of 5,000 octets', `Subject: ${'s'.repeat(5000)}`),
  fields('a subject folded 50 times', `Subject:${'\n word'.repeat(50)}`),
  fields('a subject of spaces', 'Subject:     \nFrom: a@b'),
  fields('a subject that begins on the next line', 'Subject:\n \tlate\nFrom: a@b'),
  fields('In-Reply-To of several lines', 'In-Reply-To: <a@b>\n <c@d>\n (and) e'),
  fields('In-Reply-To twice', 'In-Reply-To: <a@b>\nIn-Reply-To: <c@d>'),
  fields('a Message-ID without brackets', 'Message-ID: a@b'),
  fields('a Message-ID with space', 'Message-ID: < a @ b >'),
  fields('a date without weekday', 'Date: 1 Jan 2026 00:00:00 GMT'),
  fields('a date of two digits', 'Date: Thu, 1 Jan 26 00:00 EST (winter)'),
  fields('a date that is none', 'Date: yesterday'),
  fields('a date of asctime', 'Date: Thu Jan  1 00:00:00 2026'),
  fields('an empty date', 'Date:'),
  fields('a colon without name', ': nameless\nSubject: x'),
  fields('a name with space inside', 'Sub ject: x\nSubject: y'),
  fields('a tab before the colon', 'Subject\t: x\nFrom \t: a@b'),
  fields('no space behind the colon', 'Subject:x\nFrom:a@b'),
  fields('a line without colon at the start', 'broken\nSubject: x'),
  fields('a line without colon at the end', 'Subject: x\nbroken'),
  fields('a folded line without colon', 'broken\n folded\nSubject: x'),
  fields('a header that begins with folds', ' first\n second\nSubject: x'),
  fields('a line of space at the end of the header', 'Subject: x\n  '),
  fields('addresses without domain', 'From: root\nTo: Some Body, other'),
  fields('addresses with semicolons between', 'From: a@b\nTo: c@d; e@f'),
  fields(
    'two hundred addresses',
    `From: a@b\nTo: ${Array.from({ length: 200 }, (_, index) => `"N ${index}" <n${index}@b>`).join(',\n ')}`,
  ),
  fields('names with dots', 'From: A. B. Cee <a@b>\nTo: D.E. <d@e>'),
  fields('names with commas in encoded words', 'From: =?utf-8?q?A,_B?= <a@b>'),
  fields('a name of quoted pairs', 'From: "A \\"B\\" C\\\\" <a@b>'),
  fields('empty addresses between commas', 'From: a@b\nTo: ,, c@d ,,'),
];

/** Line ends and octets that RFC 5322 does not have. */
const OCTETS: readonly OddMessage[] = [
  raw(
    'LF for CRLF',
    `Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\none\n--b--\n`,
  ),
  raw('CR for CRLF', 'Subject: x\rFrom: a@b\r\rbody\r'),
  raw('CR CR LF for CRLF', 'Subject: x\r\r\nFrom: a@b\r\r\n\r\r\nbody\r\r\n'),
  raw('LF in the header and CRLF in the body', 'Subject: x\nFrom: a@b\n\nbody\r\nmore\r\n'),
  raw('CRLF in the header and LF in the body', 'Subject: x\r\nFrom: a@b\r\n\r\nbody\nmore\n'),
  raw('NUL in a subject', 'Subject: a\0b\r\nFrom: a@b\r\n\r\nx\r\n'),
  raw('NUL in a parameter', 'Content-Type: image/png; name="a\0b"\r\n\r\nx\r\n'),
  raw('NUL in a body', `${'Subject: x\r\n\r\n'}a\0b\0\r\n`),
  raw('CR in a subject', 'Subject: a\rb\r\nFrom: a@b\r\n\r\nx\r\n'),
  raw('a form feed between lines', 'Subject: x\r\n\f\r\n\r\nx\r\n'),
  raw('a body that ends in the middle of CRLF', 'Subject: x\r\n\r\nx\r'),
  raw('8-bit octets without encoding', 'Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa4\xff\r\n'),
];

/** All of them. */
export const ODD_FIELDS: readonly OddMessage[] = [...CONTENT, ...HEADERS, ...OCTETS];

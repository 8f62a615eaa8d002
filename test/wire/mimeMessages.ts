/**
 * Odd messages, with the structure that wire/mime finds in them; mimeStructure.test.ts and mimeDovecot.test.ts read this table.
 * `unlikeDovecot` says why Dovecot 2.3 answers otherwise; without it the answers have to be alike.
 */

/** A message and its outline (see `outline` in mimeStructure.test.ts). */
export interface OddMessage {
  readonly name: string;
  /** Octets, one a character. */
  readonly message: string;
  readonly outline: string;
  readonly unlikeDovecot?: string;
}

const MIXED = 'Content-Type: multipart/mixed; boundary=b\n\n';
const PLAIN = 'Content-Type: text/plain\n\n';
const Z90 = 'z'.repeat(90);
const CLOSING_LINE_END =
  'the line end after an inner close-delimiter is the outer delimiter’s (RFC 2046 section 5.1.1); Dovecot counts it in';
const UNQUOTED_VALUE = 'Dovecot stops at tspecials in unquoted values';
const RAW_CONTINUATIONS =
  'Dovecot joins RFC 2231 continuations; they are the client’s affair (RFC 2231 has no IMAP form)';

/** Messages whose lines are written with LF here and have CRLF in the tests. */
export const ODD_MESSAGES: readonly OddMessage[] = [
  { name: 'no octets', message: '', outline: 'text/plain ""' },
  { name: 'only a blank line', message: '\n', outline: 'text/plain ""' },
  { name: 'only a header', message: 'Subject: x\n', outline: 'text/plain ""' },
  { name: 'a header without line end', message: 'Subject: x', outline: 'text/plain ""' },
  { name: 'a body without header', message: '\nbody', outline: 'text/plain "body"' },
  {
    name: 'a line without colon in the header',
    message: 'X: y\nbroken\nZ: 1\n\nbody\n',
    outline: 'text/plain "body\\r\\n"',
  },
  {
    name: 'a line of space in the header',
    message: 'X: y\n \nZ: 1\n\nbody\n',
    outline: 'text/plain "body\\r\\n"',
  },
  { name: 'an mbox From line', message: 'From a@b Fri Feb 22 17:06\nX: y\n\nb', outline: 'text/plain "b"' },
  {
    name: 'preamble and epilogue',
    message: `${MIXED}pre\n--b\n${PLAIN}one\n--b\n${PLAIN}two\n--b--\nepi\n`,
    outline: 'multipart/mixed [text/plain "one", text/plain "two"]',
  },
  {
    name: 'no close-delimiter',
    message: `${MIXED}--b\n${PLAIN}one\n--b\n${PLAIN}two\n`,
    outline: 'multipart/mixed [text/plain "one", text/plain "two\\r\\n"]',
  },
  { name: 'no delimiter', message: `${MIXED}nothing\n`, outline: 'multipart/mixed [text/plain ""]' },
  { name: 'no body', message: MIXED, outline: 'multipart/mixed [text/plain ""]' },
  { name: 'only a close-delimiter', message: `${MIXED}--b--\n`, outline: 'multipart/mixed [text/plain ""]' },
  { name: 'a delimiter at the end', message: `${MIXED}--b`, outline: 'multipart/mixed [text/plain ""]' },
  {
    name: 'a delimiter line at the end',
    message: `${MIXED}--b\n`,
    outline: 'multipart/mixed [text/plain ""]',
  },
  {
    name: 'the end in a part’s header',
    message: `${MIXED}--b\nX: y`,
    outline: 'multipart/mixed [text/plain ""]',
  },
  {
    name: 'the end after a part’s header',
    message: `${MIXED}--b\nX: y\n`,
    outline: 'multipart/mixed [text/plain ""]',
  },
  {
    name: 'delimiters with nothing between them',
    message: `${MIXED}--b\n--b\n--b--\n`,
    outline: 'multipart/mixed [text/plain "", text/plain ""]',
  },
  {
    name: 'a header cut by a delimiter',
    message: `${MIXED}--b\nX: y\n--b\n${PLAIN}two\n--b--\n`,
    outline: 'multipart/mixed [text/plain "", text/plain "two"]',
  },
  {
    name: 'parts of blank lines',
    message: `${MIXED}--b\n\n--b\n\n\n--b\n\n\n\n--b--\n`,
    outline: 'multipart/mixed [text/plain "", text/plain "", text/plain "\\r\\n"]',
  },
  {
    name: 'parts that end with blank lines',
    message: `${MIXED}--b\n${PLAIN}one\n\n--b\n\ntwo\n\n\n--b--`,
    outline: 'multipart/mixed [text/plain "one\\r\\n", text/plain "two\\r\\n\\r\\n"]',
  },
  {
    name: 'the outer boundary is a prefix of the inner',
    message: `${MIXED}--b\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n${PLAIN}in\n--b1--\nepi\n--b\n${PLAIN}out\n--b--\n`,
    outline: 'multipart/mixed [multipart/mixed [text/plain "in"], text/plain "out"]',
  },
  {
    name: 'the inner boundary is a prefix of the outer',
    message: `Content-Type: multipart/mixed; boundary=b1\n\n--b1\n${MIXED}--b\n${PLAIN}in\n--b--\nepi\n--b1\n${PLAIN}out\n--b1--\n`,
    outline: 'multipart/mixed [multipart/mixed [text/plain "in"], text/plain "out"]',
  },
  {
    name: 'the same boundary outside and inside',
    message: `${MIXED}--b\n${MIXED}--b\n${PLAIN}in\n--b--\nepi\n--b\n${PLAIN}out\n--b--\n`,
    outline: 'multipart/mixed [multipart/mixed [text/plain "in"], text/plain "out"]',
  },
  {
    name: 'the inner multipart is never closed',
    message: `${MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n${PLAIN}in\n--b\n${PLAIN}out\n--b--\n`,
    outline: 'multipart/mixed [multipart/mixed [text/plain "in"], text/plain "out"]',
  },
  {
    name: 'an inner multipart closed twice',
    message: `${MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n${PLAIN}in\n--c--\n--c--\n--b\n${PLAIN}out\n--b--\n`,
    outline: 'multipart/mixed [multipart/mixed [text/plain "in"], text/plain "out"]',
  },
  {
    name: 'the outer multipart closes before the inner',
    message: `${MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n${PLAIN}in\n--b--\n--c\n${PLAIN}late\n--c--\n`,
    outline: 'multipart/mixed [multipart/mixed [text/plain "in"]]',
  },
  {
    name: 'space after boundaries',
    message: `${MIXED}--b  \t\n${PLAIN}one\n--b--  \n`,
    outline: 'multipart/mixed [text/plain "one"]',
  },
  {
    name: 'text after boundaries',
    message: `${MIXED}--bxyz\n${PLAIN}one\n--b--x\n`,
    outline: 'multipart/mixed [text/plain "one"]',
  },
  {
    name: 'a part after the end',
    message: `${MIXED}--b\n${PLAIN}one\n--b--\n--b\n${PLAIN}two\n`,
    outline: 'multipart/mixed [text/plain "one"]',
  },
  {
    name: 'lines that only look like delimiters',
    message: `${MIXED}--b\n${PLAIN}-\n--\n---b\n --b\n-- b\n--B\n--b--\n`,
    outline: 'multipart/mixed [text/plain "-\\r\\n--\\r\\n---b\\r\\n --b\\r\\n-- b\\r\\n--B"]',
  },
  {
    name: 'a signature separator before a delimiter',
    message: `${MIXED}--b\n${PLAIN}bye\n-- \n--b--\n`,
    outline: 'multipart/mixed [text/plain "bye\\r\\n-- "]',
  },
  {
    name: 'no boundary parameter',
    message: 'Content-Type: multipart/mixed\n\n--b\n\none\n',
    outline: 'multipart/mixed [text/plain ""]',
  },
  {
    name: 'an empty boundary',
    message: 'Content-Type: multipart/mixed; boundary=""\n\nx\n',
    outline: 'multipart/mixed [text/plain ""]',
  },
  {
    name: 'a quoted boundary with space',
    message: `Content-Type: multipart/mixed; boundary="a b"\n\n--a b\n${PLAIN}one\n--a b--\n`,
    outline: 'multipart/mixed [text/plain "one"]',
  },
  {
    name: 'a boundary with quoted-pairs',
    message: `Content-Type: multipart/mixed; boundary="a\\"b"\n\n--a"b\n${PLAIN}one\n--a"b--\n`,
    outline: 'multipart/mixed [text/plain "one"]',
  },
  {
    name: 'a boundary that ends with space',
    message: `Content-Type: multipart/mixed; boundary="a "\n\n--a\n${PLAIN}one\n--a--\n`,
    outline: 'multipart/mixed [text/plain "one"]',
    unlikeDovecot: 'a boundary does not end with space (RFC 2046 section 5.1.1)',
  },
  {
    name: 'an unquoted boundary with tspecials',
    message: `Content-Type: multipart/mixed; boundary=----=_Part_1\n\n------=_Part_1\n${PLAIN}one\n------=_Part_1--\n`,
    outline: 'multipart/mixed [text/plain "one"]',
    unlikeDovecot: UNQUOTED_VALUE,
  },
  {
    name: 'a boundary in RFC 2231 pieces',
    message: `Content-Type: multipart/mixed; boundary*0="a"; boundary*1*=%62\n\n--ab\n${PLAIN}one\n--ab--\n`,
    outline: 'multipart/mixed [text/plain "one"]',
    unlikeDovecot: RAW_CONTINUATIONS,
  },
  {
    name: 'two boundary parameters',
    message: `Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n${PLAIN}one\n--b\n--a--\n`,
    outline: 'multipart/mixed [text/plain "one\\r\\n--b"]',
  },
  {
    name: 'a boundary of 90 octets',
    message: `Content-Type: multipart/mixed; boundary=${Z90}\n\n--${Z90}\n${PLAIN}one\n--${Z90}--\nepi\n`,
    outline: 'multipart/mixed [text/plain "one"]',
    unlikeDovecot: 'Dovecot compares 80 octets and misses the end',
  },
  {
    name: 'a boundary that ends with dashes',
    message: `Content-Type: multipart/mixed; boundary="b--"\n\n--b--\n${PLAIN}one\n--b----\nepi\n`,
    outline: 'multipart/mixed [text/plain "one"]',
  },
  {
    name: 'bare CR before a delimiter',
    message: `${MIXED}x\r--b\n${PLAIN}one\n--b--\n`,
    outline: 'multipart/mixed [text/plain ""]',
  },
  {
    name: 'bare CR after a boundary',
    message: `${MIXED}--b\r${PLAIN}one\n--b--\n`,
    outline: 'multipart/mixed [text/plain "one"]',
  },
  {
    name: 'a multipart without blank line after its header',
    message: `Content-Type: multipart/mixed; boundary=b\n--b\n${PLAIN}one\n--b--\n`,
    outline: 'multipart/mixed [text/plain ""]',
  },
  {
    name: 'a multipart in base64 by its header',
    message: `Content-Transfer-Encoding: base64\n${MIXED}--b\n${PLAIN}one\n--b--\n`,
    outline: 'multipart/mixed [text/plain "one"]',
  },
  {
    name: 'a part without Content-Type',
    message: `${MIXED}--b\nContent-Transfer-Encoding: base64\n\nYQ==\n--b--\n`,
    outline: 'multipart/mixed [text/plain "YQ=="]',
  },
  {
    name: 'a message',
    message: 'Content-Type: message/rfc822\n\nSubject: in\n\nbody\n',
    outline: 'message/rfc822 {in: text/plain "body\\r\\n"}',
  },
  {
    name: 'a message in base64',
    message: 'Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaW4NCg0K\n',
    outline: 'message/rfc822 {-: text/plain "U3ViamVjdDogaW4NCg0K\\r\\n"}',
    unlikeDovecot: 'Dovecot takes the base64 for a header; here it is the body of a text, under its encoding',
  },
  {
    name: 'a message in quoted-printable',
    message:
      'Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\nSubject: in\n\nx=3D\n',
    outline: 'message/rfc822 {in: text/plain "x=3D\\r\\n"}',
  },
  {
    name: 'a message of no octets',
    message: 'Content-Type: message/rfc822\n\n',
    outline: 'message/rfc822 {-: text/plain ""}',
  },
  {
    name: 'a message that is not MIME in one that is',
    message: 'Content-Type: message/rfc822\n\nContent-Transfer-Encoding: base64\nSubject: in\n\nYQ==\n',
    outline: 'message/rfc822 {in: text/plain "YQ==\\r\\n"}',
  },
  {
    name: 'a message with a multipart in it',
    message: `Content-Type: message/rfc822\n\nSubject: in\n${MIXED}--b\n${PLAIN}one\n--b--\nepi\n`,
    outline: 'message/rfc822 {in: multipart/mixed [text/plain "one"]}',
  },
  {
    name: 'a message with a message in it',
    message:
      'Content-Type: message/rfc822\n\nSubject: a\nContent-Type: message/rfc822\n\nSubject: b\nContent-Type: image/png\n\nx',
    outline: 'message/rfc822 {a: message/rfc822 {b: image/png "x"}}',
  },
  {
    name: 'a message whose header is cut by a delimiter',
    message: `${MIXED}--b\nContent-Type: message/rfc822\n\nSubject: in\n--b--\n`,
    outline: 'multipart/mixed [message/rfc822 {in: text/plain ""}]',
    unlikeDovecot:
      'the line end before a delimiter is the delimiter’s; Dovecot counts it as the outer part’s',
  },
  {
    name: 'a message that begins with a delimiter',
    message: `${MIXED}--b\nContent-Type: message/rfc822\n\n--b--\n`,
    outline: 'multipart/mixed [message/rfc822 {-: text/plain ""}]',
  },
  {
    name: 'a message whose multipart ends with the outer delimiter',
    message: `${MIXED}--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--c--\n--b--\n`,
    outline: 'multipart/mixed [message/rfc822 {-: multipart/mixed [text/plain "x"]}]',
    unlikeDovecot: CLOSING_LINE_END,
  },
  {
    name: 'a digest',
    message: `Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nx\n--b\n${PLAIN}two\n--b--\n`,
    outline: 'multipart/digest [message/rfc822 {one: text/plain "x"}, text/plain "two"]',
  },
  {
    name: 'a digest part with other fields',
    message:
      'Content-Type: multipart/DIGEST; boundary=b\n\n--b\nContent-Description: x\n\nSubject: one\n\nx\n--b--\n',
    outline: 'multipart/digest [message/rfc822 {one: text/plain "x"}]',
  },
  {
    name: 'a partial message',
    message: 'Content-Type: message/partial; id=x\n\nSubject: in\n\nx',
    outline: 'message/partial "Subject: in\\r\\n\\r\\nx"',
  },
  {
    name: 'a delivery status',
    message: 'Content-Type: message/delivery-status\n\nA: b\n\nC: d\n',
    outline: 'message/delivery-status "A: b\\r\\n\\r\\nC: d\\r\\n"',
  },
  {
    name: 'an external body',
    message: 'Content-Type: message/external-body\n\nA: b\n\nC: d\n',
    outline: 'message/external-body "A: b\\r\\n\\r\\nC: d\\r\\n"',
  },
  {
    name: 'a message of RFC 6532',
    message: 'Content-Type: message/global\n\nA: b\n\nC\n',
    outline: 'message/global "A: b\\r\\n\\r\\nC\\r\\n"',
  },
  {
    name: 'content fields without MIME-Version',
    message: 'Content-ID: <a@b>\nContent-Transfer-Encoding: base64\n\nx',
    outline: 'text/plain "x"',
  },
  { name: 'NUL and 8-bit', message: 'Subject: x\n\n\0\xff\n', outline: 'text/plain "\\u0000ÿ\\r\\n"' },
];

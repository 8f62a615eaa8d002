/**
 * Odd header fields, with what wire/mime makes of them; mimeFields.test.ts and mimeDovecot.test.ts read these tables.
 * `unlikeDovecot` says why Dovecot 2.3 answers otherwise; without it the answers have to be alike.
 */

/** A field's value and what it means, in the notation of the test that reads the table. */
export interface OddField {
  readonly value: string;
  readonly meaning: string;
  readonly unlikeDovecot?: string;
}

const NO_SYNTAX_ERROR = 'Dovecot answers SYNTAX_ERROR or MISSING_MAILBOX where an address can be made out';
const EMPTY_TYPE = 'Dovecot answers an empty media type, which no client expects';
const UNQUOTED_VALUE = 'Dovecot stops at tspecials in unquoted values';
const RAW_CONTINUATIONS =
  'Dovecot joins RFC 2231 continuations; they are the client’s affair (RFC 2231 has no IMAP form)';

/** Content-Type: `type/subtype` and `; name=value` for each parameter, the charset of text in its place. */
export const CONTENT_TYPES: readonly OddField[] = [
  { value: 'text/plain', meaning: 'text/plain; CHARSET=US-ASCII' },
  { value: 'TEXT/HTML; Charset=UTF-8', meaning: 'TEXT/HTML; Charset=UTF-8' },
  {
    value: 'text/plain; charset=utf-8; format=flowed;\r\n\tdelsp=yes',
    meaning: 'text/plain; charset=utf-8; format=flowed; delsp=yes',
  },
  { value: 'text/plain\r\n ; a=b', meaning: 'text/plain; a=b; CHARSET=US-ASCII' },
  { value: '(comment) text/plain', meaning: 'text/plain; CHARSET=US-ASCII' },
  { value: 'text / plain; a=b', meaning: 'text/plain; a=b; CHARSET=US-ASCII' },
  { value: 'text/plain; (c) charset (d) = (e) "utf-8" (f)', meaning: 'text/plain; charset=utf-8' },
  { value: 'text/plain; charset=us-ascii (Plain (nested) text)', meaning: 'text/plain; charset=us-ascii' },
  { value: 'x-foo/bar; a=b', meaning: 'x-foo/bar; a=b' },
  { value: 'image/png; name="a\\"b.png"', meaning: 'image/png; name=a"b.png' },
  { value: 'image/png; name="a; b=c"', meaning: 'image/png; name=a; b=c' },
  { value: 'image/png; name="a\r\n b"', meaning: 'image/png; name=a b' },
  { value: 'image/png; a=1; A=2; a=3', meaning: 'image/png; a=1; A=2; a=3' },
  { value: 'image/png; name', meaning: 'image/png' },
  { value: 'image/png; name=', meaning: 'image/png; name=' },
  { value: 'image/png; name=""', meaning: 'image/png; name=' },
  { value: 'image/png; name=foo bar.txt; b=c', meaning: 'image/png; name=foo; b=c' },
  { value: 'image/png; name=J\xf6rg.txt', meaning: 'image/png; name=J\xf6rg.txt' },
  { value: 'image/png; name==?utf-8?q?a_b?=', meaning: 'image/png; name==?utf-8?q?a_b?=' },
  { value: "image/png; name*=utf-8''%C3%B6", meaning: "image/png; name*=utf-8''%C3%B6" },
  { value: 'multipart', meaning: 'APPLICATION/OCTET-STREAM' },
  { value: 'image/png; name=a/b', meaning: 'image/png; name=a/b', unlikeDovecot: UNQUOTED_VALUE },
  { value: 'image/png; name=a(1).png', meaning: 'image/png; name=a(1).png', unlikeDovecot: UNQUOTED_VALUE },
  { value: 'image/png; a=b=c; d=e@f', meaning: 'image/png; a=b=c; d=e@f', unlikeDovecot: UNQUOTED_VALUE },
  {
    value: 'image/png; name*0="a"; name*1="b"',
    meaning: 'image/png; name*0=a; name*1=b',
    unlikeDovecot: RAW_CONTINUATIONS,
  },
  {
    value: "image/png; name*0*=utf-8''a%20; name*1=b",
    meaning: "image/png; name*0*=utf-8''a%20; name*1=b",
    unlikeDovecot: RAW_CONTINUATIONS,
  },
  {
    value: 'image/png;; a=b;',
    meaning: 'image/png; a=b',
    unlikeDovecot: 'Dovecot loses the parameter after an empty one',
  },
  { value: 'image/png a=b', meaning: 'image/png; a=b', unlikeDovecot: EMPTY_TYPE },
  {
    value: 'image/png; name="open; a=b',
    meaning: 'image/png; name=open; a=b',
    unlikeDovecot: 'Dovecot drops a value that is never closed',
  },
  { value: 'image/png; "a"=b', meaning: 'image/png; a=b', unlikeDovecot: 'Dovecot drops it' },
  {
    value: 'image/png; =x; a=b',
    meaning: 'image/png; a=b',
    unlikeDovecot: 'Dovecot tells of a parameter without name',
  },
  {
    value: 'application-x-gzip; name="a"',
    meaning: 'APPLICATION/OCTET-STREAM; name=a',
    unlikeDovecot: EMPTY_TYPE,
  },
  { value: 'text', meaning: 'text/PLAIN; CHARSET=US-ASCII', unlikeDovecot: EMPTY_TYPE },
  { value: 'text/', meaning: 'text/PLAIN; CHARSET=US-ASCII', unlikeDovecot: EMPTY_TYPE },
  { value: '/plain', meaning: 'TEXT/PLAIN; CHARSET=US-ASCII', unlikeDovecot: EMPTY_TYPE },
  { value: '', meaning: 'TEXT/PLAIN; CHARSET=US-ASCII', unlikeDovecot: EMPTY_TYPE },
  { value: '"text"/plain', meaning: 'text/plain; CHARSET=US-ASCII', unlikeDovecot: EMPTY_TYPE },
  { value: 'text/plain, text/html', meaning: 'text/plain; CHARSET=US-ASCII', unlikeDovecot: EMPTY_TYPE },
];

/** Address lists: `name|adl|mailbox|host` for each, with `~` for null. */
export const ADDRESS_LISTS: readonly OddField[] = [
  { value: 'a@b', meaning: '~|~|a|b' },
  { value: '<a@b>', meaning: '~|~|a|b' },
  { value: '"Q" <a@b>', meaning: 'Q|~|a|b' },
  { value: '"" <a@b>', meaning: '~|~|a|b' },
  { value: 'A.B. Cee <a@b>', meaning: 'A.B. Cee|~|a|b' },
  { value: '"A" "B" <a@b>', meaning: 'A B|~|a|b' },
  { value: 'Foo (c) Bar <a@b>', meaning: 'Foo Bar|~|a|b' },
  { value: '"Quote \\"d\\" x" <a@b>', meaning: 'Quote "d" x|~|a|b' },
  { value: '"foo\r\n bar" <a@b>', meaning: 'foo bar|~|a|b' },
  { value: 'Foo\r\n\tBar <a@b>', meaning: 'Foo Bar|~|a|b' },
  { value: '=?utf-8?q?J=C3=B6?= <j@x>', meaning: '=?utf-8?q?J=C3=B6?=|~|j|x' },
  { value: 'J\xf6rg <j@x>', meaning: 'J\xf6rg|~|j|x' },
  { value: 'J\xf6rg@x', meaning: '~|~|J\xf6rg|x' },
  { value: '"a b"@c', meaning: '~|~|a b|c' },
  { value: '<"a b"@c>', meaning: '~|~|a b|c' },
  { value: 'a..b@c', meaning: '~|~|a..b|c' },
  { value: '.a@b', meaning: '~|~|.a|b' },
  { value: 'a@[1.2.3.4]', meaning: '~|~|a|[1.2.3.4]' },
  { value: 'a@b (Comm (nest) ent)', meaning: 'Comm (nest) ent|~|a|b' },
  { value: '<a@b> (Comment)', meaning: '~|~|a|b' },
  { value: '<@r1,@r2:a@b>', meaning: '~|@r1,@r2|a|b' },
  { value: 'undisclosed-recipients:;', meaning: '~|~|undisclosed-recipients|~, ~|~|~|~' },
  { value: 'A: a@b, c@d; , e@f', meaning: '~|~|A|~, ~|~|a|b, ~|~|c|d, ~|~|~|~, ~|~|e|f' },
  { value: 'A: a@b', meaning: '~|~|A|~, ~|~|a|b, ~|~|~|~' },
  { value: 'mailto:a@b', meaning: '~|~|mailto|~, ~|~|a|b, ~|~|~|~' },
  { value: '<>', meaning: '~|~||' },
  { value: 'Foo Bar <>', meaning: 'Foo Bar|~||' },
  { value: 'Foo Bar', meaning: 'Foo Bar|~||' },
  { value: 'a,b', meaning: '~|~|a|, ~|~|b|' },
  { value: '<a>', meaning: '~|~|a|' },
  { value: 'a@', meaning: '~|~|a|' },
  { value: '@b', meaning: '~|~||b' },
  { value: 'foo@bar@baz', meaning: '~|~|foo|bar' },
  { value: 'a@b c@d', meaning: '~|~|a|b' },
  { value: 'a@b>', meaning: '~|~|a|b' },
  { value: 'Foo <a@b> <c@d>', meaning: 'Foo|~|a|b' },
  { value: '<a@b>,<c@d> e', meaning: '~|~|a|b, ~|~|c|d' },
  { value: '', meaning: '' },
  { value: '(only a comment)', meaning: '' },
  { value: ',', meaning: '', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'a@b, ,c@d,', meaning: '~|~|a|b, ~|~|c|d', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'a@b; c@d', meaning: '~|~|a|b, ~|~|c|d', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'x:y@z;w@v', meaning: '~|~|x|~, ~|~|y|z, ~|~|~|~, ~|~|w|v', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: '"Open <user@example.com>', meaning: 'Open|~|user|example.com', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: '(open a@b', meaning: 'open|~|a|b', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'a . b @ c . d', meaning: '~|~|a.b|c.d', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: '<a@b', meaning: '~|~|a|b', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: '<<a@b>>', meaning: '~|~|a|b', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'Foo <mailto:a@b>', meaning: 'Foo|~|a|b', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'Foo <a b@c>', meaning: 'Foo|~|a b|c', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'Foo <a@b> bar, c@d', meaning: 'Foo|~|a|b, ~|~|c|d', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'john doe@x', meaning: 'john|~|doe|x', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'Foo [x] <a@b>', meaning: 'Foo [x]|~|a|b', unlikeDovecot: NO_SYNTAX_ERROR },
  {
    value: '=?utf-8?q?Foo,_Bar:?= <a@b>',
    meaning: '=?utf-8?q?Foo,_Bar:?=|~|a|b',
    unlikeDovecot: NO_SYNTAX_ERROR,
  },
  { value: 'A: B: c@d;;', meaning: '~|~|A|~, ~|~|c|d, ~|~|~|~', unlikeDovecot: NO_SYNTAX_ERROR },
  { value: 'a\0b@c', meaning: '~|~|a\xef\xbf\xbdb|c', unlikeDovecot: 'Dovecot takes NUL for the end here' },
];

/** Whole headers and what ENVELOPE tells of them besides nulls, as JSON by member. */
export const ENVELOPES: readonly OddField[] = [
  { value: 'Subject: a\r\n b', meaning: '{"subject":"a b"}' },
  { value: 'Subject:   a  b  \r\n \r\n\t c', meaning: '{"subject":"a  b c"}' },
  { value: 'Subject:', meaning: '{"subject":""}' },
  { value: 'Subject : x', meaning: '{"subject":"x"}' },
  { value: 'SUBJECT: one\r\nsubject: two', meaning: '{"subject":"two"}' },
  { value: 'Subject: "q"\\', meaning: '{"subject":"\\"q\\"\\\\"}' },
  { value: 'Subject: a\rb', meaning: '{"subject":"a b"}' },
  { value: 'Subject: a\0b', meaning: '{"subject":"aï¿½b"}' },
  { value: 'Subject: =?utf-8?q?J=C3=B6?=', meaning: '{"subject":"=?utf-8?q?J=C3=B6?="}' },
  { value: 'broken line\r\nSubject: after', meaning: '{"subject":"after"}' },
  { value: 'Date: Tue,\r\n 1 Dec', meaning: '{"date":"Tue, 1 Dec"}' },
  { value: 'Message-ID: <a@b> (c)', meaning: '{"messageId":"<a@b> (c)"}' },
  { value: 'In-Reply-To: <a@b>\r\n <c@d>', meaning: '{"inReplyTo":"<a@b> <c@d>"}' },
  { value: 'From: a@b', meaning: '{"from":"~|~|a|b","sender":"~|~|a|b","replyTo":"~|~|a|b"}' },
  {
    value: 'From: a@b\r\nFrom: c@d',
    meaning: '{"from":"~|~|a|b, ~|~|c|d","sender":"~|~|a|b, ~|~|c|d","replyTo":"~|~|a|b, ~|~|c|d"}',
  },
  {
    value: 'From: a@b\r\nSender: s@x\r\nReply-To: ',
    meaning: '{"from":"~|~|a|b","sender":"~|~|s|x","replyTo":"~|~|a|b"}',
  },
  { value: 'From: \r\nSender: s@x', meaning: '{"sender":"~|~|s|x"}' },
  { value: 'To: (nobody)\r\nCc: g:;\r\nBcc: x@y', meaning: '{"cc":"~|~|g|~, ~|~|~|~","bcc":"~|~|x|y"}' },
];

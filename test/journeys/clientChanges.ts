/**
 * What real clients change in messages by their own doing, as data: each change with where the client tells of it.
 *
 * A change says what the client makes of octets that the server serves, so that a test can foretell, octet by octet, what
 * it must have written. A client that is not listed changes nothing (curl, poplib, imaplib, imapflow, Ruby, JavaMail). `loses` names messages
 * of oddMessages.ts that a client is known not to bring home whole. Versions: fetchmail 6.4.37, getmail6 6.18, isync 1.4.4,
 * NeoMutt 20220429, mpop 1.4.18, Perl 5.36, PHP 8.2 with c-client 2007f, Ruby 3.1, JavaMail 1.6.5 (Debian 12).
 */

/** One thing that a client does to a message. Octets are Latin-1 text, one character an octet. */
export interface Change {
  readonly what: string;
  /** Where the client's documentation or source tells it. */
  readonly source: string;
  apply(octets: string): string;
}

/** What is known of a client. */
export interface ClientChanges {
  readonly changes: readonly Change[];
  /** Takes what the client adds, and nobody can foretell, out of its copy. */
  readonly undo?: Change;
  /** Messages that it does not fetch, or not whole, and why. */
  readonly loses?: Readonly<Record<string, string>>;
}

/** In the header alone: lines that mbox put there. */
const MBOX_LINES: Change = {
  what: 'mbox lines in the header are dropped',
  source: 'fetchmail transact.c, readheaders(); NeoMutt email/parse.c, mutt_rfc822_read_header()',
  apply: (octets) => inHeader(octets, (header) => header.replace(/(?<![^\n])From [^\n]*\n/g, '')),
};

const FETCHMAIL_HEADER_NULS: Change = {
  what: 'NULs in the header are dropped',
  source: 'fetchmail transact.c, readheaders()',
  apply: (octets) => inHeader(octets, (header) => header.replaceAll('\0', '')),
};

const FETCHMAIL_HEADER_END: Change = {
  what: 'the header is ended with an empty line of CRLF, whatever ended it',
  source: 'fetchmail transact.c, readheaders(): the separator is written anew',
  apply: (octets) => {
    const [header, rest] = splitHeader(octets);
    return `${header}\r\n${rest.replace(/^\r?\n/, '')}`;
  },
};

const FETCHMAIL_HEADER_DOTS: Change = {
  what: 'the stuffed dots of the header stay',
  source: 'fetchmail transact.c: the dot is taken off in readbody() alone',
  apply: (octets) => inHeader(octets, (header) => header.replace(/(?<![^\n])\./g, '..')),
};

const FETCHMAIL_BROKEN_LINES: Change = {
  what: 'a line of the body is broken after 8191 octets by NUL, an octet of chance, CRLF',
  source: 'fetchmail.h, MSGBUFSIZE; transact.c, readbody()',
  apply: (octets) => octets.replace(/([^\n]{8191})\0[\0-\xff]\r\n/g, '$1'),
};

const DOTS_OF_PIECES = { 'a line of 100 kB of dots': 'each piece of a broken line loses a dot' };

const LINE_FEEDS: Change = {
  what: 'CRLF is stored as LF',
  source:
    'lines as the system has them: NeoMutt pop/pop.c, imap/message.c; mpop delivery.c; Net::Cmd, getline()',
  apply: (octets) => octets.replaceAll('\r\n', '\n'),
};

const MBSYNC_NO_CR: Change = {
  what: 'every CR is dropped',
  source: 'isync sync.c, copy_msg_convert()',
  apply: (octets) => octets.replaceAll('\r', ''),
};

const MBSYNC_TUID: Change = {
  what: 'a field X-TUID is added, by which a message is found again after a crash',
  source: 'isync sync.c, copy_msg_convert()',
  apply: (octets) => octets.replace(/(?<=\n)X-TUID: .{12}\n/, ''),
};

const NEOMUTT_HEADER_END: Change = {
  what: 'the header ends at the first line that is no field, and an empty line is put there',
  source: 'NeoMutt email/parse.c, mutt_rfc822_read_header(); copy.c, mutt_copy_header()',
  apply: (octets) => {
    const lines = octets.split('\n');
    const end = lines.findIndex((line) => !/^([^ \t:]+:|[ \t])/.test(line));
    if (end >= 0 && lines[end] !== '') lines.splice(end, 0, '');
    else if (end === lines.length - 1) lines.push('');
    return lines.join('\n');
  },
};

const NEOMUTT_FIELDS: Change = {
  what: 'Content-Length, Lines and Status are of its own making',
  source: 'NeoMutt copy.c, CH_UPDATE and CH_UPDATE_LEN',
  apply: (octets) =>
    inHeader(octets, (header) => header.replace(/(?<![^\n])(Content-Length|Lines|Status): [^\n]*\n/g, '')),
};

const NEOMUTT_NUL = 'strings of C end at NUL';
const PHP_NUL = 'strings of C end at NUL: PHP php_imap.c, imap_fetchheader(); c-client pop3.c, misc.c';
const NO_HEADER_END = 'a header that nothing ends: it warns and skips the message';

/** By client and protocol. getmail is foretold by its own code (realClients.ts). */
export const CLIENT_CHANGES: Readonly<Record<string, ClientChanges>> = {
  'fetchmail pop3': {
    changes: [MBOX_LINES, FETCHMAIL_HEADER_NULS, FETCHMAIL_HEADER_DOTS, FETCHMAIL_HEADER_END],
    undo: FETCHMAIL_BROKEN_LINES,
    loses: DOTS_OF_PIECES,
  },
  'fetchmail imap': {
    changes: [MBOX_LINES, FETCHMAIL_HEADER_NULS, FETCHMAIL_HEADER_END],
    undo: FETCHMAIL_BROKEN_LINES,
  },
  'mbsync imap': {
    changes: [MBSYNC_NO_CR],
    undo: MBSYNC_TUID,
    loses: {
      empty: NO_HEADER_END,
      'header only': NO_HEADER_END,
      'no header and no empty line': NO_HEADER_END,
    },
  },
  'neomutt pop3': {
    changes: [LINE_FEEDS, MBOX_LINES, NEOMUTT_HEADER_END, NEOMUTT_FIELDS],
    undo: NEOMUTT_FIELDS,
    loses: { NULs: NEOMUTT_NUL, 'every octet': NEOMUTT_NUL },
  },
  'mpop pop3': { changes: [LINE_FEEDS] },
  'Net::POP3 pop3': { changes: [LINE_FEEDS] },
  'PHP pop3': { changes: [], loses: { NULs: PHP_NUL, 'every octet': PHP_NUL } },
  'PHP imap': { changes: [], loses: { NULs: PHP_NUL } },
  'neomutt imap': {
    changes: [LINE_FEEDS, MBOX_LINES, NEOMUTT_HEADER_END, NEOMUTT_FIELDS],
    undo: NEOMUTT_FIELDS,
    loses: {
      NULs: NEOMUTT_NUL,
      empty: 'a header without any field and without an end is not listed',
      'no header and no empty line': 'a header without any field and without an end is not listed',
    },
  },
};

function inHeader(octets: string, change: (header: string) => string): string {
  const [header, rest] = splitHeader(octets);
  return change(header) + rest;
}

/** The header with the line end of its last field, and the rest, which begins with the empty line. */
function splitHeader(octets: string): [header: string, rest: string] {
  const end = /(?<![^\n])\r?\n/.exec(octets)?.index ?? octets.length;
  return [octets.slice(0, end), octets.slice(end)];
}

/**
 * Random IMAP commands after the grammar (RFC 3501 section 9 and the extensions): most of them mean something, some nothing.
 *
 * A command is a list of pieces; after a piece that `awaits`, a client waits for the server's "+" before it sends the next.
 * `bend` breaks one without touching what frames it (CR, LF and the announcement of literals), so that it is still one command.
 */

import type { Below } from '../support/randomNumbers.ts';

/** Octets of a command as Latin-1 text. */
export interface Piece {
  readonly octets: string;
  readonly awaits: boolean;
}

type Production = () => string;

/** A literal stands in a command's text as these marks; what is between them are its octets. */
const SYNCHRONISING = '\u0100';
const NON_SYNCHRONISING = '\u0101';
const END = '\u0102';

const MAILBOXES = [
  ...'INBOX inbox Trash Sent Work Work/Deep/Er Entw&APw-rfe &bad NIL 123 ""'.split(' '),
  '"a b"',
];
const KEYWORDS = ['$Forwarded', 'Todo', 'todo', 'x', 'NonJunk'];
const TEXTS = ['a', 'e', 'two', 'Subject', 'gr\xc3\xbc\xc3\x9fe', 'no such text', '', '%*"\\'];
const FIELDS = ['Subject', 'from', 'TO', 'Received', 'X-None', 'Content-Type'];
const DATES = ['1-Jan-2024', '"29-Feb-2024"', '31-Dec-1999', '30-Feb-2024', '01-jan-2024'];
const MODSEQS = ['0', '1', '2', '5', '100', '9223372036854775807', '9223372036854775808'];
/** What is put into a command to bend it. Nothing that frames. */
const BENDS = [' ', '\0', '\xff', ...'( ) " \\ * % [ ] < > 1:* NIL $ 0 -'.split(' ')];

/** Commands of one run. */
export class ImapGrammar {
  readonly #below: Below;

  constructor(below: Below) {
    this.#below = below;
  }

  /** A command for any state, without its tag. */
  command(): string {
    return this.#one<Production>([
      () => this.#fetch(),
      () => this.#fetch(),
      () => this.#fetch(),
      () => this.#store(),
      () => this.#store(),
      () => this.#search('SEARCH'),
      () => this.#search('SEARCH'),
      () => this.#search('UID SEARCH'),
      () => this.#sort(),
      () => this.#copy(),
      () => this.#append(),
      () => this.#append(),
      () => this.#mailbox(),
      () => this.#mailbox(),
      () => this.#list(),
      () => this.#select(),
      () => this.#simple(),
    ])();
  }

  /** `text` with up to three changes that leave it one command. */
  bend(text: string): string {
    let bent = text;
    for (let count = 1 + this.#below(3); count > 0; count -= 1) {
      const at = this.#below(bent.length + 1);
      const stretch = bent.slice(at, at + this.#below(5));
      // Within a literal nothing is lost or put in: its announcement would lie.
      if (isWithinLiteral(bent, at) || /[\u0100-\u0102\r\n{}]/.test(stretch)) continue;
      const [head, tail] = [bent.slice(0, at), bent.slice(at)];
      bent = this.#one<Production>([
        () => head + tail.slice(stretch.length),
        () => head + this.#one(BENDS) + tail,
        () => head + stretch + tail,
        () => head + this.#one(BENDS) + tail.slice(stretch.length),
      ])();
    }
    return bent;
  }

  /** A tagged command, as a client sends it. */
  pieces(tag: string, text: string): Piece[] {
    const pieces: Piece[] = [];
    let octets = `${tag} `;
    for (const part of text.split(/([\u0100\u0101][^\u0102]*\u0102)/)) {
      const mark = part.charAt(0);
      if (mark !== SYNCHRONISING && mark !== NON_SYNCHRONISING) {
        octets += part;
        continue;
      }
      const literal = part.slice(1, -1);
      if (mark === NON_SYNCHRONISING) {
        octets += `{${literal.length}+}\r\n${literal}`;
        continue;
      }
      pieces.push({ octets: `${octets}{${literal.length}}\r\n`, awaits: true });
      octets = literal;
    }
    const continues = /^(IDLE|AUTHENTICATE)\b/i.test(text);
    pieces.push({ octets: `${octets}\r\n`, awaits: continues });
    if (continues) pieces.push({ octets: /^IDLE/i.test(text) ? 'DONE\r\n' : '*\r\n', awaits: false });
    return pieces;
  }

  #fetch(): string {
    const items = this.#some(() => this.#fetchItem(), 5);
    const what = this.#chance(8) ? this.#one(['ALL', 'FAST', 'FULL']) : `(${items.join(' ')})`;
    const modifiers = this.#chance(6)
      ? ` (CHANGEDSINCE ${this.#one(MODSEQS)}${this.#chance(2) ? ' VANISHED' : ''})`
      : '';
    return `${this.#uid()}FETCH ${this.#set()} ${what}${modifiers}`;
  }

  #fetchItem(): string {
    const plain = () => this.#one(['UID', 'FLAGS', 'ENVELOPE', 'BODY[]', 'BODY.PEEK[TEXT]<0.5>']);
    if (!this.#chance(4)) return plain();
    return this.#one<Production>([
      () => this.#word('UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE MODSEQ SAVEDATE'),
      () =>
        this.#one([
          'RFC822',
          'RFC822.HEADER',
          'RFC822.TEXT',
          'EMAILID',
          'THREADID',
          'PREVIEW',
          'PREVIEW (LAZY)',
        ]),
      () => `BODY${this.#chance(2) ? '.PEEK' : ''}[${this.#section()}]${this.#partial()}`,
      () => `BODY.PEEK[${this.#section()}]${this.#partial()}`,
      () => `BINARY${this.#one(['', '.PEEK'])}[${this.#part()}]${this.#partial()}`,
      () => `BINARY.SIZE[${this.#part()}]`,
    ])();
  }

  #section(): string {
    const part = this.#chance(2) ? '' : this.#part();
    const fields = this.#some(() => this.#string(this.#one(FIELDS)), 3).join(' ');
    const text = this.#one([
      '',
      'HEADER',
      'TEXT',
      'MIME',
      `HEADER.FIELDS (${fields})`,
      `HEADER.FIELDS.NOT (${fields})`,
    ]);
    return part !== '' && text !== '' ? `${part}.${text}` : part + text;
  }

  #part(): string {
    return this.#some(() => String(1 + this.#below(3)), 3).join('.');
  }

  #partial(): string {
    return this.#chance(2)
      ? ''
      : `<${this.#one([0, 1, 5, 100, 4_294_967_295])}.${this.#one([1, 10, 4096, 0])}>`;
  }

  #store(): string {
    const since = this.#chance(5) ? `(UNCHANGEDSINCE ${this.#one(MODSEQS)}) ` : '';
    const what = this.#one(['FLAGS', '+FLAGS', '-FLAGS', '+FLAGS.SILENT', '-FLAGS.SILENT', 'FLAGS.SILENT']);
    return `${this.#uid()}STORE ${this.#set()} ${since}${what} ${this.#flags()}`;
  }

  #flags(): string {
    const flags = this.#some(
      () => this.#one(['\\Seen', '\\Deleted', '\\Flagged', '\\Answered', '\\Draft', '\\Recent', ...KEYWORDS]),
      3,
    );
    return this.#chance(4) ? (flags[0] ?? '') : `(${flags.join(' ')})`;
  }

  #search(name: string): string {
    const options = this.#some(() => this.#one(['MIN', 'MAX', 'COUNT', 'ALL', 'SAVE']), 3);
    const returns = this.#chance(3) ? ` RETURN (${this.#chance(6) ? '' : options.join(' ')})` : '';
    const charset = this.#chance(5) ? ` CHARSET ${this.#one(['UTF-8', 'US-ASCII', 'ISO-8859-1', 'x'])}` : '';
    return `${name}${returns}${charset} ${this.#some(() => this.#searchKey(3), 3).join(' ')}`;
  }

  #sort(): string {
    const charset = this.#one(['UTF-8', 'US-ASCII']);
    const key = this.#searchKey(1);
    if (this.#chance(2)) {
      return `${this.#uid()}THREAD ${this.#one(['REFERENCES', 'ORDEREDSUBJECT'])} ${charset} ${key}`;
    }
    const criteria = this.#some(
      () =>
        `${this.#chance(3) ? 'REVERSE ' : ''}${this.#one(['ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO', 'DISPLAYFROM'])}`,
      3,
    );
    const returns = this.#chance(3) ? ' RETURN (COUNT ALL)' : '';
    return `${this.#uid()}SORT${returns} (${criteria.join(' ')}) ${charset} ${key}`;
  }

  #searchKey(depth: number): string {
    const inner = () => this.#searchKey(depth - 1);
    const flat: Production[] = [
      () => this.#one(['ALL', 'SEEN', 'UNSEEN', 'NEW', 'OLD', 'RECENT', 'DELETED', 'UNDELETED', 'FLAGGED']),
      () => `${this.#one(['KEYWORD', 'UNKEYWORD'])} ${this.#one(KEYWORDS)}`,
      () =>
        `${this.#one(['FROM', 'TO', 'SUBJECT', 'BODY', 'TEXT', 'CC', 'BCC'])} ${this.#string(this.#one(TEXTS))}`,
      () => `HEADER ${this.#string(this.#one(FIELDS))} ${this.#string(this.#one(TEXTS))}`,
      () =>
        `${this.#one(['BEFORE', 'ON', 'SINCE', 'SENTBEFORE', 'SENTON', 'SENTSINCE', 'SAVEDBEFORE', 'SAVEDSINCE'])} ${this.#one(DATES)}`,
      () => `${this.#one(['LARGER', 'SMALLER'])} ${this.#below(300)}`,
      () => `${this.#one(['OLDER', 'YOUNGER'])} ${this.#one([0, 1, 86_400, 4_294_967_296])}`,
      () => this.#one(['SAVEDATESUPPORTED', 'EMAILID M1-0', 'THREADID T1', 'EMAILID "x"']),
      () => `MODSEQ ${this.#chance(3) ? '"/flags/\\\\seen" all ' : ''}${this.#one(MODSEQS)}`,
      () => `${this.#one(['', 'UID '])}${this.#set()}`,
    ];
    const nested: Production[] = [
      () => `NOT ${inner()}`,
      () => `OR ${inner()} ${inner()}`,
      () => `(${this.#some(inner, 3).join(' ')})`,
    ];
    return this.#one(depth > 0 ? [...flat, ...nested] : flat)();
  }

  #copy(): string {
    return `${this.#uid()}${this.#one(['COPY', 'MOVE'])} ${this.#set()} ${this.#name()}`;
  }

  #append(): string {
    const messages = this.#some(() => {
      const flags = this.#chance(2) ? `${this.#flags()} ` : '';
      const date = this.#chance(2) ? '"17-Jul-1996 02:44:25 -0700" ' : '';
      const octets = this.#one([
        'Subject: two\r\n\r\nbody\r\n',
        'From: a@b\r\nSubject: =?utf-8?q?B=C3=BCcher?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n',
        'x',
        '\r\n',
        '1 LOGOUT\r\n',
        'Subject: 8\r\n\r\n\xff\0\r\n',
      ]);
      return `${flags}${date}${this.#literal(octets)}`;
    }, 2);
    return `APPEND ${this.#name()} ${messages.join(' ')}`;
  }

  #mailbox(): string {
    return this.#one<Production>([
      () => `CREATE ${this.#name()}`,
      () => `CREATE ${this.#name()} (USE (\\Archive))`,
      () => `DELETE ${this.#name()}`,
      () => `RENAME ${this.#name()} ${this.#name()}`,
      () => `SUBSCRIBE ${this.#name()}`,
      () => `UNSUBSCRIBE ${this.#name()}`,
      () => `STATUS ${this.#name()} (${this.#some(() => this.#statusItem(), 4).join(' ')})`,
      () => `GETQUOTAROOT ${this.#name()}`,
      () =>
        this.#one(['GETQUOTA Account', 'GETQUOTA ""', 'SETQUOTA Account (STORAGE 1)', 'SETQUOTA Account ()']),
    ])();
  }

  #statusItem(): string {
    return this.#word(
      'MESSAGES RECENT UIDNEXT UNSEEN HIGHESTMODSEQ SIZE DELETED MAILBOXID DELETED-STORAGE APPENDLIMIT',
    );
  }

  #list(): string {
    const pattern = this.#one(['%', '*', 'INBOX%', '"W*"', '""', '(% "Work/*")', '%/%']);
    const options = this.#one([
      '',
      '(SUBSCRIBED) ',
      '(SUBSCRIBED RECURSIVEMATCH) ',
      '(SPECIAL-USE) ',
      '(REMOTE) ',
    ]);
    const returns = this.#one(['', ' RETURN (CHILDREN)', ' RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN))']);
    return this.#chance(4) ? `LSUB "" ${pattern}` : `LIST ${options}"" ${pattern}${returns}`;
  }

  #select(): string {
    const parameter = this.#one([
      '',
      '',
      ' (CONDSTORE)',
      ` (QRESYNC (1 ${this.#one(MODSEQS)}))`,
      ` (QRESYNC (1 2 1:5 (1,2 1,2)))`,
    ]);
    const name = this.#chance(4) ? this.#name() : 'INBOX';
    return `${this.#one(['SELECT', 'EXAMINE'])} ${name}${parameter}`;
  }

  #simple(): string {
    return this.#one([
      'NOOP',
      'CHECK',
      'CAPABILITY',
      'EXPUNGE',
      'EXPUNGE',
      `UID EXPUNGE ${this.#set()}`,
      'NAMESPACE',
      'IDLE',
      'ID NIL',
      'ID ("name" "fuzz" "version" NIL)',
      'ENABLE CONDSTORE',
      'ENABLE QRESYNC X-NONE',
      'GETQUOTA ""',
      'UNSELECT',
      'CLOSE',
      'AUTHENTICATE PLAIN',
      'LOGIN a b',
      'XUNKNOWN',
      'UID NOOP',
    ]);
  }

  #name(): string {
    const name = this.#chance(3) ? this.#one(['INBOX', 'Trash', 'Work']) : this.#one(MAILBOXES);
    return name.startsWith('"') ? name : this.#string(name);
  }

  /** An astring, in one of its forms. */
  #string(text: string): string {
    const isAtom = /^[A-Za-z0-9&+/,$-]+$/.test(text);
    const isQuotable = !/[\r\n\0]/.test(text);
    const form = this.#below(4);
    if (form < 2 && isAtom) return text;
    if (form < 3 && isQuotable) return `"${text.replace(/["\\]/g, '\\$&')}"`;
    return this.#literal(text);
  }

  #literal(octets: string): string {
    return `${this.#one([SYNCHRONISING, NON_SYNCHRONISING])}${octets}${END}`;
  }

  /** Mostly one that names messages. */
  #set(): string {
    if (!this.#chance(5)) return this.#one(['1', '2', '1:2', '1:*', '*', '2:*', '2,1', '$']);
    const number = () => this.#one(['1', '2', '3', '5', '*', '9', '4294967295', '0']);
    return this.#some(() => (this.#chance(2) ? number() : `${number()}:${number()}`), 3).join(',');
  }

  #uid(): string {
    return this.#one(['', 'UID ', 'uid ']);
  }

  #some<Value>(make: () => Value, limit: number): Value[] {
    return Array.from({ length: 1 + this.#below(limit) }, make);
  }

  #one<Value>(values: readonly Value[]): Value {
    return values[this.#below(values.length)] as Value;
  }

  /** One of words. */
  #word(words: string): string {
    return this.#one(words.split(' '));
  }

  #chance(odds: number): boolean {
    return this.#below(odds) === 0;
  }
}

function isWithinLiteral(text: string, at: number): boolean {
  const start = Math.max(text.lastIndexOf(SYNCHRONISING, at), text.lastIndexOf(NON_SYNCHRONISING, at));
  return start >= 0 && text.indexOf(END, start) >= at;
}

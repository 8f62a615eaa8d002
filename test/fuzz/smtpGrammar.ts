/**
 * Random SMTP dialogues after the grammar (RFC 5321, 3030, 4954, 3207): what a client says from its first octet to its last, pipelined
 * as no client should. Most of it means something, some nothing; chunk sizes and the ends of data are now and then wrong.
 */

import type { Below } from '../support/randomNumbers.ts';

const HELLOS = [
  'EHLO client.example.org',
  'EHLO [127.0.0.1]',
  'HELO x',
  'ehlo x',
  'EHLO',
  'EHLO a b',
  'HELO \xff',
];
const MAILS = [
  'MAIL FROM:<a@sender.example>',
  'MAIL FROM:<TICKETS>',
  'MAIL FROM:<>',
  'mail from:<a@sender.example> SIZE=100 BODY=8BITMIME',
  'MAIL FROM:<a@sender.example> SIZE=999999999999',
  'MAIL FROM:<a@sender.example> BODY=BINARYMIME',
  'MAIL FROM:<"a b"@sender.example> SMTPUTF8',
  'MAIL FROM:<TICKETS> RET=HDRS ENVID=x+2By AUTH=<>',
  'MAIL FROM: a@sender.example',
  'MAIL FROM:<a@b@c>',
];
const RCPTS = [
  'RCPT TO:<TICKETS>',
  'RCPT TO:<archive@app.example.com>',
  'rcpt to:<all@app.example.com>',
  'RCPT TO:<nobody@app.example.com>',
  'RCPT TO:<gone@app.example.com>',
  'RCPT TO:<a%b@elsewhere.example>',
  'RCPT TO:<postmaster>',
  'RCPT TO:<TICKETS> NOTIFY=NEVER ORCPT=rfc822;x@y',
  'RCPT TO:<@a.example:TICKETS>',
  'RCPT TO:<',
];
const OTHERS = [
  'RSET',
  'NOOP',
  'NOOP x',
  'VRFY tickets',
  'EXPN all',
  'HELP',
  'rset',
  'XCLIENT NAME=x',
  'GET / HTTP/1.1',
  '',
];
const LOGINS = [
  'AUTH PLAIN AHRpY2tldHNAYXBwLmV4YW1wbGUuY29tAHNlY3JldA==',
  'AUTH PLAIN\r\nAHRpY2tldHNAYXBwLmV4YW1wbGUuY29tAHNlY3JldA==',
  'AUTH PLAIN AGEAYg==',
  'AUTH LOGIN\r\nYQ==\r\nYg==',
  'AUTH LOGIN\r\n*',
  'AUTH PLAIN\r\nnot base64!',
  'AUTH LOGIN YQ==\r\nRSET',
  'AUTH PLAIN =',
  'AUTH X',
];
const TEXT = [
  '\r\n',
  '\r\n',
  '.',
  '..',
  '\r\n.',
  '\n',
  '\r',
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\0',
  '\xff',
  'words',
  'RSET\r\n',
  '\r\n.\r\n',
];
const SIZES = [
  '-1',
  '0x10',
  '',
  '18446744073709551616',
  '1e1',
  '99999999999999999999',
  '2000000',
  '+5',
  '5 FIRST',
];
/** What is put into a dialogue to bend it. */
const BENDS = [
  ' ',
  '\t',
  '\0',
  '\xff',
  '\r',
  '\n',
  '\r\n',
  '.',
  '<',
  '\u0001',
  'x'.repeat(300),
  'x'.repeat(5000),
  'BDAT 3\r\n',
];

/** Dialogues of one run. */
export class SmtpGrammar {
  readonly #below: Below;
  readonly #address: string;

  /** `address` is the account that exists. */
  constructor(below: Below, address: string) {
    this.#below = below;
    this.#address = address;
  }

  /** All that a client says, as Latin-1. */
  dialogue(): string {
    const begin =
      this.#below(10) === 0 ? '' : `${this.#one(HELLOS.slice(0, 1 + this.#below(HELLOS.length)))}\r\n`;
    const pieces = Array.from({ length: 1 + this.#below(8) }, () => this.#piece());
    const text = (begin + pieces.join('')).replaceAll('TICKETS', this.#address);
    return this.#below(3) === 0 ? this.#bend(text) : text;
  }

  #piece(): string {
    const which = this.#below(20);
    if (which < 8) return this.#transaction();
    if (which < 10) return `${this.#one(OTHERS)}\r\n`;
    if (which < 11) return `${this.#one(HELLOS)}\r\n`;
    if (which < 13) return `${this.#one(MAILS)}\r\n`;
    if (which < 15) return `${this.#one(RCPTS)}\r\n`;
    if (which < 16) return this.#data();
    if (which < 18) return this.#chunk();
    // Rarely a login: each costs a password hash.
    if (which < 19) return this.#below(16) === 0 ? `${this.#one(LOGINS)}\r\n` : `${this.#one(OTHERS)}\n`;
    return this.#below(5) === 0 ? this.#one(['STARTTLS\r\n', 'QUIT\r\n', 'STARTTLS x\r\n']) : this.#text();
  }

  #transaction(): string {
    const recipients = Array.from({ length: this.#below(3) }, () => `${this.#one(RCPTS)}\r\n`).join('');
    const begun = `${this.#one(MAILS.slice(0, 1 + this.#below(4)))}\r\nRCPT TO:<TICKETS>\r\n${recipients}`;
    if (this.#below(2) === 0) return begun + this.#data();
    const chunks = Array.from({ length: this.#below(4) }, () => this.#chunk(false)).join('');
    const between = this.#below(4) === 0 ? `${this.#one(OTHERS)}\r\n` : '';
    return begun + chunks + between + this.#chunk(true);
  }

  #data(): string {
    return `DATA\r\n${this.#text()}${this.#below(6) === 0 ? '' : '\r\n.\r\n'}`;
  }

  #chunk(isLast = this.#below(2) === 0): string {
    const text = this.#text();
    const wrong = this.#below(40);
    const size =
      wrong === 0
        ? this.#one(SIZES)
        : String(Math.max(0, text.length + (wrong === 1 ? this.#below(9) - 4 : 0)));
    return `BDAT ${size}${isLast ? ' LAST' : ''}\r\n${text}`;
  }

  #text(): string {
    return Array.from({ length: this.#below(8) }, () => this.#one(TEXT)).join('');
  }

  #bend(text: string): string {
    const at = this.#below(text.length + 1);
    const bent = this.#below(3);
    if (bent === 0) return text.slice(0, at) + text.slice(at + 1 + this.#below(4));
    return text.slice(0, at) + this.#one(BENDS) + text.slice(at + (bent === 1 ? 1 : 0));
  }

  #one<Value>(values: readonly Value[]): Value {
    return values[this.#below(values.length)] as Value;
  }
}

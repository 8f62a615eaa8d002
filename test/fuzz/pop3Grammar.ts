/**
 * Random POP3 commands after the grammar (RFC 1939, 2449, 5034, 6856): most of them mean something, some nothing.
 *
 * A command is one line, without its line end. `bend` breaks one without putting a line end in, so that it is still one.
 */

import type { Below } from '../support/randomNumbers.ts';

const NUMBERS = ['1', '2', '3', '4', '1', '2', '3', '4', '0', '5', '-1', '01', '4294967296', '9'.repeat(30)];
const LINES = ['0', '1', '2', '99999999', '0', '-1', '18446744073709551616', 'x'];
const NAMES = [
  'nobody@app.example.com',
  'x',
  'gr\xc3\xbc\xc3\x9fe@app.example.com',
  '"a b"@x',
  'DOMAIN\\user',
];
const RESPONSES = ['*', '', 'AGEAYg==', 'AAAA', '=', 'not base64!', 'YQ=='];
/** What is put into a command to bend it. */
const BENDS = [...' \t\0\xff-+*.<>"\\=', '  ', '\x7f', '\u00e4', '1', 'x'.repeat(300), '\0'.repeat(3)];

/** Commands of one run. */
export class Pop3Grammar {
  readonly #below: Below;

  constructor(below: Below) {
    this.#below = below;
  }

  /** A command for any state, most of them for TRANSACTION. */
  command(): string {
    return this.#one([
      () => `RETR ${this.#one(NUMBERS)}`,
      () => `TOP ${this.#one(NUMBERS)} ${this.#one(LINES)}`,
      () => `LIST${this.#maybe(NUMBERS)}`,
      () => `UIDL${this.#maybe(NUMBERS)}`,
      () => `DELE ${this.#one(NUMBERS)}`,
      () => this.#one(['STAT', 'NOOP', 'RSET', 'CAPA', 'QUIT', 'STAT', 'RSET']),
      () => this.#cased(this.#one(['stat', 'list', 'uidl', 'noop', 'capa', 'top 1 0', 'retr 1', 'rset'])),
      () => this.#one(['LAST', 'XTND XLST', 'APOP x 00', 'STLS', 'HELO x', 'XXXX', 'GET / HTTP/1.1', '']),
      () => `LANG${this.#maybe(['en', 'de', 'EN-gb', '*', 'x', 'de-1996', '\xff'])}`,
      () => this.#logIn(),
    ])();
  }

  /** A command for AUTHORIZATION, most of them. */
  opening(): string {
    return this.#one([() => this.#logIn(), () => this.#logIn(), () => 'UTF8', () => this.command()])();
  }

  /** What a client answers to a challenge. */
  response(): string {
    return this.#one(RESPONSES);
  }

  /** `text` with up to three changes. */
  bend(text: string): string {
    let bent = text;
    for (let count = 1 + this.#below(3); count > 0; count -= 1) {
      const at = this.#below(bent.length + 1);
      const lost = this.#below(4);
      bent = bent.slice(0, at) + this.#one(['', ...BENDS]) + bent.slice(at + lost);
    }
    return bent;
  }

  #logIn(): string {
    return this.#one([
      () => `USER ${this.#one(NAMES)}`,
      () => this.#one(['PASS', 'PASS ', 'PASS wrong', 'PASS \xff', 'PASS  two  blanks ']),
      () => this.#one(['AUTH', 'AUTH PLAIN', 'AUTH LOGIN', 'auth plain', 'AUTH CRAM-MD5', 'AUTH NTLM']),
      () => `AUTH ${this.#one(['PLAIN', 'LOGIN'])} ${this.response()}`,
    ])();
  }

  #maybe(values: readonly string[]): string {
    return this.#below(2) === 0 ? '' : ` ${this.#one(values)}`;
  }

  #cased(text: string): string {
    return text.replace(/[a-z]/g, (letter) => (this.#below(2) === 0 ? letter : letter.toUpperCase()));
  }

  #one<Value>(values: readonly Value[]): Value {
    return values[this.#below(values.length)] as Value;
  }
}

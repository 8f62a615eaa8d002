/**
 * A raw POP3 client on a socket: answers come back octet by octet, with nothing undone but the dot-stuffing (RFC 1939 section 3).
 *
 * The end of a multi-line answer is CRLF.CRLF and nothing else, so that a bare LF in what a server sends is seen, not believed.
 */

import { PeerSocket, type PeerSocketOptions } from './peerSocket.ts';

/** What a session logs in with. */
export interface Login {
  readonly address: string;
  readonly password: string;
}

/** A session. Its methods reject on -ERR. */
export class RawPop3 {
  readonly socket: PeerSocket;

  private constructor(socket: PeerSocket) {
    this.socket = socket;
  }

  /** Connects, reads the greeting, and logs in where a login is given. */
  static async open(port: number, login?: Login, options: PeerSocketOptions = {}): Promise<RawPop3> {
    const session = new RawPop3(await PeerSocket.connect(port, options));
    expectOk(await session.socket.readLine());
    if (login === undefined) return session;
    await session.command(`USER ${login.address}`);
    await session.command(`PASS ${login.password}`);
    return session;
  }

  /** Sends `line` and answers the status line. */
  async command(line: string): Promise<string> {
    await this.socket.write(`${line}\r\n`);
    return expectOk(await this.socket.readLine());
  }

  /** Sends `line` and answers the octets of its multi-line answer, dots taken off. */
  async multiline(line: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    await this.passMultiline(line, (piece) => parts.push(piece));
    return Buffer.concat(parts);
  }

  /** As `multiline`, handing pieces on as they come. */
  async passMultiline(line: string, take: (piece: Buffer) => unknown): Promise<void> {
    await this.command(line);
    const unstuffer = new DotUnstuffer();
    for (;;) {
      const { octets, rest } = unstuffer.push(await this.socket.readPiece());
      if (octets.length > 0) take(octets);
      if (rest === undefined) continue;
      this.socket.unread(rest);
      return;
    }
  }

  /** LIST: octets by message number. */
  async list(): Promise<Map<number, number>> {
    return new Map((await this.#rows('LIST')).map(([number, octets]) => [Number(number), Number(octets)]));
  }

  /** UIDL: unique ids by message number. */
  async uidl(): Promise<Map<number, string>> {
    return new Map((await this.#rows('UIDL')).map(([number, id]) => [Number(number), id]));
  }

  /** One message. */
  retrieve(number: number): Promise<Buffer> {
    return this.multiline(`RETR ${number}`);
  }

  /** Ends the session; what was marked is deleted. */
  async quit(): Promise<void> {
    await this.command('QUIT');
    await this.socket.close();
  }

  async #rows(line: string): Promise<[string, string][]> {
    const text = (await this.multiline(line)).toString('latin1');
    return text
      .split('\r\n')
      .filter((row) => row !== '')
      .map((row) => {
        const [number = '', value = ''] = row.split(' ');
        return [number, value];
      });
  }
}

/** Takes dots off and finds the end, whatever pieces the octets come in. */
export class DotUnstuffer {
  /** What may still become CRLF, dot, CRLF; at first the CRLF of the status line, which is not part of the answer. */
  #held: Buffer = Buffer.from('\r\n');
  #foreignOctets = 2;

  /** The octets that are certain now, and what follows the end once it has come. */
  push(chunk: Buffer): { readonly octets: Buffer; readonly rest?: Buffer } {
    const data = Buffer.concat([this.#held, chunk]);
    const parts: Buffer[] = [];
    let taken = 0;
    for (;;) {
      const at = data.indexOf('\r\n.', taken);
      if (at < 0 || data.length < at + 5) {
        const end = at < 0 ? Math.max(taken, data.length - 2) : at;
        parts.push(data.subarray(taken, end));
        this.#held = data.subarray(end);
        return { octets: this.#own(parts) };
      }
      parts.push(data.subarray(taken, at + 2));
      if (data.toString('latin1', at + 3, at + 5) === '\r\n')
        return { octets: this.#own(parts), rest: data.subarray(at + 5) };
      taken = at + 3;
    }
  }

  #own(parts: Buffer[]): Buffer {
    const octets = Buffer.concat(parts);
    const foreign = Math.min(this.#foreignOctets, octets.length);
    this.#foreignOctets -= foreign;
    return octets.subarray(foreign);
  }
}

function expectOk(line: string): string {
  if (!line.startsWith('+OK')) throw new Error(line);
  return line;
}

/**
 * A raw IMAP client on a socket: what a server sends comes back as text and literals, octet by octet (RFC 3501 section 7).
 *
 * It knows no more grammar than literals and tags need; tests read the rest with patterns. A streamed literal is handed on in
 * pieces, so that a large message costs no memory here.
 */

import { PeerSocket, type PeerSocketOptions } from './peerSocket.ts';
import type { Login } from './rawPop3.ts';

/** One response: text, with `{n}` where a literal of n octets stood, and the literals in their order. */
export interface ImapResponse {
  readonly text: string;
  readonly literals: readonly Buffer[];
}

/** A message as FETCH answers it. */
export interface FetchedMessage {
  readonly uid: number;
  /** RFC822.SIZE. */
  readonly size: number;
  readonly octets: Buffer;
}

/** A session. Commands reject unless they end with OK. */
export class RawImap {
  readonly socket: PeerSocket;
  #commands = 0;

  private constructor(socket: PeerSocket) {
    this.socket = socket;
  }

  /** Connects, reads the greeting, and logs in where a login is given. */
  static async open(port: number, login?: Login, options: PeerSocketOptions = {}): Promise<RawImap> {
    const session = new RawImap(await PeerSocket.connect(port, options));
    await session.readResponse();
    if (login !== undefined) await session.command(`LOGIN "${login.address}" "${login.password}"`);
    return session;
  }

  /** Sends a command and answers the untagged responses before its OK. `take` gets the pieces of literals instead of them. */
  async command(text: string, take?: (piece: Buffer) => unknown): Promise<ImapResponse[]> {
    return this.readTo(await this.send(text), take);
  }

  /** Sends a command and answers its tag. */
  async send(text: string): Promise<string> {
    this.#commands += 1;
    const tag = `c${this.#commands}`;
    await this.socket.write(`${tag} ${text}\r\n`);
    return tag;
  }

  /** The untagged responses up to the OK of `tag`. */
  async readTo(tag: string, take?: (piece: Buffer) => unknown): Promise<ImapResponse[]> {
    const responses: ImapResponse[] = [];
    for (;;) {
      const response = await this.readResponse(take);
      if (response.text.startsWith(`${tag} OK`)) return responses;
      if (response.text.startsWith(`${tag} `)) throw new Error(response.text);
      responses.push(response);
    }
  }

  /** The next response. */
  async readResponse(take?: (piece: Buffer) => unknown): Promise<ImapResponse> {
    const literals: Buffer[] = [];
    let text = '';
    for (;;) {
      const line = await this.socket.readLine();
      text += line;
      const count = /\{(\d+)\}$/.exec(line)?.[1];
      if (count === undefined) return { text, literals };
      if (take === undefined) literals.push(await this.socket.readOctets(Number(count)));
      else await this.socket.passOctets(Number(count), take);
    }
  }

  /** SELECT or EXAMINE; answers how many messages there are. */
  async select(mailbox = 'INBOX', verb: 'SELECT' | 'EXAMINE' = 'EXAMINE'): Promise<number> {
    const responses = await this.command(`${verb} ${mailbox}`);
    const exists = responses
      .map(({ text }) => /^\* (\d+) EXISTS$/.exec(text)?.[1])
      .find((count) => count !== undefined);
    return Number(exists);
  }

  /** UID FETCH of whole messages, without setting \Seen. */
  async fetch(uids: string): Promise<FetchedMessage[]> {
    const responses = await this.command(`UID FETCH ${uids} (UID RFC822.SIZE BODY.PEEK[])`);
    return responses.flatMap(({ text, literals }) => {
      const uid = /\bUID (\d+)/.exec(text)?.[1];
      const size = /RFC822\.SIZE (\d+)/.exec(text)?.[1];
      const octets = literals[0] ?? (/BODY\[\] ""/.test(text) ? Buffer.alloc(0) : undefined);
      return uid === undefined || size === undefined || octets === undefined
        ? []
        : [{ uid: Number(uid), size: Number(size), octets }];
    });
  }

  /** APPEND with a synchronising literal; answers the UID that APPENDUID tells. */
  async append(mailbox: string, octets: Uint8Array): Promise<number> {
    const tag = await this.send(`APPEND ${mailbox} {${octets.length}}`);
    const goAhead = await this.readResponse();
    if (!goAhead.text.startsWith('+')) throw new Error(goAhead.text);
    await this.socket.write(octets);
    await this.socket.write('\r\n');
    for (;;) {
      const { text } = await this.readResponse();
      if (!text.startsWith(tag)) continue;
      const uid = /APPENDUID \d+ (\d+)/.exec(text)?.[1];
      if (uid === undefined) throw new Error(text);
      return Number(uid);
    }
  }

  /** Ends the session. */
  async logout(): Promise<void> {
    await this.command('LOGOUT');
    await this.socket.close();
  }
}

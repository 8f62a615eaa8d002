/**
 * A small POP3 client (RFC 1939 over implicit TLS), so that the demo can show what the oldest applications do.
 * Trust: it talks to our own server only.
 */

import { connect, type TLSSocket } from 'node:tls';

/** What one visit to a maildrop found. */
export interface MaildropVisit {
  readonly messages: number;
  readonly octets: number;
}

/** Logs in, retrieves every message, leaves them all there. Rejects with the server's words on an -ERR. */
export async function retrieveAll(options: {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The server's own certificate, to be trusted alone. */
  readonly certificate: string;
}): Promise<MaildropVisit> {
  const socket = connect({
    host: options.host,
    port: options.port,
    ca: options.certificate,
    checkServerIdentity: () => undefined,
  });
  const session = new Pop3Session(socket);
  try {
    await session.line();
    await session.command(`USER ${options.user}`);
    await session.command(`PASS ${options.password}`);
    const messages = Number((await session.command('STAT')).split(' ')[1]);
    let octets = 0;
    for (let number = 1; number <= messages; number += 1) {
      await session.command(`RETR ${number}`);
      octets += await session.skipMultiLine();
    }
    await session.command('QUIT');
    return { messages, octets };
  } finally {
    socket.destroy();
  }
}

class Pop3Session {
  readonly #socket: TLSSocket;
  readonly #chunks: AsyncIterator<Buffer>;
  #buffered: Buffer = Buffer.alloc(0);

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async command(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return this.line();
  }

  async line(): Promise<string> {
    let end = this.#buffered.indexOf('\r\n');
    while (end < 0) {
      await this.#more();
      end = this.#buffered.indexOf('\r\n');
    }
    const line = this.#buffered.toString('latin1', 0, end);
    this.#buffered = this.#buffered.subarray(end + 2);
    if (!line.startsWith('+OK')) throw new Error(`the POP3 server answered: ${line}`);
    return line;
  }

  /** Reads up to the lone dot and answers the octets before it, dot-stuffing counted. */
  async skipMultiLine(): Promise<number> {
    let octets = 0;
    let end = this.#buffered.indexOf('\r\n.\r\n');
    while (end < 0) {
      const keep = Math.min(4, this.#buffered.length);
      octets += this.#buffered.length - keep;
      this.#buffered = this.#buffered.subarray(this.#buffered.length - keep);
      await this.#more();
      end = this.#buffered.indexOf('\r\n.\r\n');
    }
    this.#buffered = this.#buffered.subarray(end + 5);
    return octets + end + 2;
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done === true) throw new Error('the POP3 server closed the connection');
    this.#buffered = Buffer.concat([this.#buffered, next.value]);
  }
}

/**
 * An IMAP client for bench/ that costs next to nothing: it sends one command, reads everything up to the tagged line, and tells
 * how long that took. It parses nothing but for the tag.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What a command cost. */
export interface Measured {
  readonly ms: number;
  readonly octets: number;
  /** The last octets of the answer, tagged line and all. */
  readonly tail: string;
}

const TAIL_OCTETS = 512;
const TAG_OCTETS = 16;

/** A session; commands reject unless they end with OK. */
export class MeteredImap {
  readonly #socket: Socket;
  #commands = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects and logs in. */
  static async open(port: number, user: string, password: string): Promise<MeteredImap> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'data');
    const session = new MeteredImap(socket);
    await session.command(`LOGIN "${user}" "${password}"`);
    return session;
  }

  /** Sends a command and reads to its end. */
  async command(text: string): Promise<Measured> {
    this.#commands += 1;
    const tag = `q${Math.floor(Math.random() * 1e9)}z${this.#commands}`;
    const started = performance.now();
    this.#socket.write(`${tag} ${text}\r\n`);
    const { octets, tail } = await this.#readTo(tag);
    const ms = performance.now() - started;
    if (!tail.includes(`${tag} OK`)) throw new Error(`${text}: ${tail}`);
    return { ms, octets, tail };
  }

  /** Sends IDLE and stays there. */
  async idle(): Promise<void> {
    this.#socket.write('i IDLE\r\n');
    await once(this.#socket, 'data');
  }

  close(): void {
    this.#socket.destroy();
  }

  #readTo(tag: string): Promise<{ octets: number; tail: string }> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let octets = 0;
      let isTagSeen = false;
      let overlap = '\r\n';
      let tail = Buffer.alloc(0);
      const finish = (error?: Error) => {
        socket.off('data', hear).off('close', onClose);
        if (error === undefined) resolve({ octets, tail: tail.toString('latin1') });
        else reject(error);
      };
      const hear = (chunk: Buffer) => {
        octets += chunk.length;
        const seam = overlap + chunk.toString('latin1', 0, TAG_OCTETS + 16);
        isTagSeen ||= seam.includes(`\r\n${tag} `) || chunk.includes(`\r\n${tag} `, 0, 'latin1');
        overlap = (overlap + chunk.toString('latin1', Math.max(0, chunk.length - TAG_OCTETS))).slice(-32);
        tail = Buffer.concat([tail, chunk.subarray(-TAIL_OCTETS)]).subarray(-TAIL_OCTETS);
        if (isTagSeen && chunk.at(-1) === 0x0a) finish();
      };
      const onClose = () => finish(new Error('the connection was closed'));
      socket.on('data', hear).once('close', onClose);
    });
  }
}

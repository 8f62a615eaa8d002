/**
 * A raw SMTP client on a socket: sends exactly the octets that it is given, dot-stuffed as RFC 5321 section 4.5.2 says.
 *
 * A line begins at the start of the data and behind CRLF, nowhere else, so that bare LF and CR travel as they are. DATA
 * cannot carry a message without a final CRLF: `asSmtpCarries` tells what arrives. Commands of a transaction are pipelined.
 */

import { PeerSocket, type PeerSocketOptions } from './peerSocket.ts';

/** A reply with all its lines. */
export interface SmtpReply {
  readonly code: number;
  /** The lines' texts, without code and separator. */
  readonly lines: readonly string[];
  /** The first line as it came. */
  readonly text: string;
}

/** What a message is handed over with. */
export interface RawEnvelope {
  readonly from: string;
  readonly to: readonly string[];
  /** Parameters of MAIL, such as ` BODY=8BITMIME`. */
  readonly mailParameters?: string;
}

/** How a session is opened. */
export interface RawSmtpOptions extends PeerSocketOptions {
  /** Goes on with STARTTLS after EHLO. */
  readonly startsTls?: boolean;
}

/** The name that EHLO gives. */
export const CLIENT_NAME = 'client.example.org';

/** A session. */
export class RawSmtp {
  readonly socket: PeerSocket;

  private constructor(socket: PeerSocket) {
    this.socket = socket;
  }

  /** Connects, reads the greeting, says EHLO, and begins TLS when asked. */
  static async open(port: number, options: RawSmtpOptions = {}): Promise<RawSmtp> {
    const session = new RawSmtp(await PeerSocket.connect(port, options));
    expectCode(await session.readReply(), 220);
    expectCode(await session.command(`EHLO ${CLIENT_NAME}`), 250);
    if (options.startsTls !== true) return session;
    expectCode(await session.command('STARTTLS'), 220);
    await session.socket.startTls();
    expectCode(await session.command(`EHLO ${CLIENT_NAME}`), 250);
    return session;
  }

  /** The next reply. */
  async readReply(): Promise<SmtpReply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.socket.readLine();
      lines.push(line);
      if (line[3] !== '-') {
        return {
          code: Number(line.slice(0, 3)),
          lines: lines.map((each) => each.slice(4)),
          text: lines[0] ?? '',
        };
      }
    }
  }

  /** Sends `line` and reads its reply. */
  async command(line: string): Promise<SmtpReply> {
    await this.socket.write(`${line}\r\n`);
    return this.readReply();
  }

  /** MAIL, RCPT and DATA in one write; answers the first reply that refuses, else DATA's 354. */
  async beginData({ from, to, mailParameters = '' }: RawEnvelope): Promise<SmtpReply> {
    const recipients = to.map((address) => `RCPT TO:<${address}>\r\n`).join('');
    await this.socket.write(`MAIL FROM:<${from}>${mailParameters}\r\n${recipients}DATA\r\n`);
    let refusal: SmtpReply | undefined;
    for (let left = to.length + 1; left > 0; left -= 1) {
      const reply = await this.readReply();
      if (reply.code >= 400) refusal ??= reply;
    }
    const reply = await this.readReply();
    return refusal ?? reply;
  }

  /** Hands one message over; answers the reply to it, or the reply that refused it earlier. */
  async deliver(envelope: RawEnvelope, octets: Uint8Array): Promise<SmtpReply> {
    const reply = await this.beginData(envelope);
    if (reply.code !== 354) return reply;
    await this.socket.write(asData(octets));
    return this.readReply();
  }

  /** As `deliver`, for a message that streams: `pieces` hold CRLF line ends, no line begins with a dot, the last one is ended. */
  async deliverStream(envelope: RawEnvelope, pieces: Iterable<Uint8Array>): Promise<SmtpReply> {
    const reply = await this.beginData(envelope);
    if (reply.code !== 354) return reply;
    for (const piece of pieces) await this.socket.write(piece);
    await this.socket.write('.\r\n');
    return this.readReply();
  }

  /** Ends the session. */
  async quit(): Promise<void> {
    await this.command('QUIT');
    await this.socket.close();
  }
}

/** What goes on the wire for a message: dots stuffed, the final CRLF, the lone dot. */
export function asData(octets: Uint8Array): Buffer {
  return Buffer.concat([dotStuff(asSmtpCarries(octets)), Buffer.from('.\r\n')]);
}

/** The message that DATA can carry: with a final CRLF, unless it is empty. */
export function asSmtpCarries(octets: Uint8Array): Buffer {
  const message = Buffer.from(octets);
  const isEnded = message.length === 0 || message.subarray(-2).equals(CRLF);
  return isEnded ? message : Buffer.concat([message, CRLF]);
}

/** RFC 5321 section 4.5.2: a dot more before each line that begins with one. */
export function dotStuff(octets: Buffer): Buffer {
  const parts: Buffer[] = octets[0] === DOT ? [Buffer.from('.')] : [];
  let taken = 0;
  for (let at = octets.indexOf(CRLF_DOT); at >= 0; at = octets.indexOf(CRLF_DOT, at + 1)) {
    parts.push(octets.subarray(taken, at + 2), Buffer.from('.'));
    taken = at + 2;
  }
  return Buffer.concat([...parts, octets.subarray(taken)]);
}

const CRLF = Buffer.from('\r\n');
const CRLF_DOT = Buffer.from('\r\n.');
const DOT = 0x2e;

function expectCode(reply: SmtpReply, code: number): void {
  if (reply.code !== code) throw new Error(`expected ${code}, got ${reply.text}`);
}

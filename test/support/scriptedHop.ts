/**
 * A next hop on 127.0.0.1 that follows a script: it behaves as a plain SMTP server does, but for what the script says.
 *
 * It records every line and every message octet by octet, so that tests see what was on the wire. Data ends at CRLF.CRLF and nowhere
 * else. What the script answers a command with is written as it is; a step may also cut the connection, or say nothing.
 */

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';

import { freePort } from './freePort.ts';
import type { Teardown } from './sockets.ts';

/** What comes of a command: a reply (CRLF is added), octets as they are, the end of the connection, or nothing. */
export type HopStep =
  | string
  | { readonly raw: string }
  | { readonly cut: true; readonly after?: string }
  | { readonly silence: true };

/** What a script sees when it is asked. */
export interface HopMoment {
  /** Upper case; `greeting`, `message` (the end of the data) and `response` (a line of AUTH) are no commands. */
  readonly verb: string;
  readonly line: string;
  /** Of this hop, from 1. */
  readonly session: number;
  readonly isSecure: boolean;
}

/** How a hop is unlike a plain one. */
export interface HopScript {
  /** EHLO keywords; STARTTLS is added where there is TLS and none is on. */
  readonly keywords?: readonly string[];
  readonly tls?: SecureContextOptions & { readonly isImplicit?: boolean; readonly asksCertificate?: boolean };
  /** Answers the handshake in clear. */
  readonly speaksNoTls?: boolean;
  /** What a command is answered with; undefined as a plain server would. */
  readonly answer?: (moment: HopMoment) => HopStep | undefined;
  /** Cuts the connection when so many octets of data have come. */
  readonly cutsDataAfter?: number;
  /** Answers, and cuts, when so many octets of data have come. */
  readonly interruptsData?: { readonly after: number; readonly reply: string };
  /** Reads nothing of the data. */
  readonly isDeafToData?: boolean;
}

/** A message as it came. */
export interface HopMessage {
  readonly mail: string;
  readonly rcpts: readonly string[];
  /** On the wire, with stuffed dots and the lone dot. */
  readonly wire: Buffer;
  /** Without them. */
  readonly octets: Buffer;
  readonly session: number;
  readonly isSecure: boolean;
}

/** The hop. */
export interface ScriptedHop {
  readonly port: number;
  /** May be changed at any time. */
  script: HopScript;
  /** Lines of commands, of all sessions. */
  readonly lines: string[];
  readonly messages: HopMessage[];
  /** Connections that were opened, and that are open. */
  readonly sessions: { opened: number; open: number };
  /** Names of client certificates that were shown. */
  readonly clientNames: string[];
  /** Resolves when `isTrue`, which is asked at each event. */
  until(isTrue: () => boolean): Promise<void>;
  /** Writes on every connection in clear that is open. */
  say(octets: string): void;
  /** Cuts all connections and listens no more. */
  goAway(): Promise<void>;
  /** Listens again, at the same port, by another script. */
  comeBack(script: HopScript): Promise<void>;
}

/** What a plain hop offers. */
export const HOP_KEYWORDS = [
  'PIPELINING',
  'SIZE 200000000',
  '8BITMIME',
  'DSN',
  'SMTPUTF8',
  'ENHANCEDSTATUSCODES',
];

/** Opens a hop that closes with the test. */
export async function openScriptedHop(t: Teardown, script: HopScript = {}): Promise<ScriptedHop> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    hop.sessions.opened += 1;
    hop.sessions.open += 1;
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      hop.sessions.open -= 1;
      look();
    });
    new HopSession(hop, hop.sessions.opened, look).begin(socket);
    look();
  });
  const watchers = new Set<() => void>();
  const look = () => {
    for (const watcher of [...watchers]) watcher();
  };
  const hop: ScriptedHop & { port: number } = {
    port: 0,
    script,
    lines: [],
    messages: [],
    sessions: { opened: 0, open: 0 },
    clientNames: [],
    until: (isTrue) =>
      new Promise((resolve) => {
        const watcher = () => {
          if (!isTrue()) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
      }),
    say: (octets) => {
      for (const socket of sockets) socket.write(octets);
    },
    goAway: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    comeBack: async (script) => {
      hop.script = script;
      if (server.listening) return;
      server.listen(hop.port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
  // It may go away and come back, and nobody may have its port meanwhile.
  hop.port = await freePort();
  server.listen(hop.port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => hop.goAway());
  return hop;
}

class HopSession {
  readonly #hop: ScriptedHop;
  readonly #number: number;
  #socket!: Socket;
  #received: Buffer = Buffer.alloc(0);
  #mail = '';
  #rcpts: string[] = [];
  #data: Buffer[] | undefined;
  #dataOctets = 0;
  #loginLines = 0;
  readonly #look: () => void;

  constructor(hop: ScriptedHop, number: number, look: () => void) {
    this.#hop = hop;
    this.#number = number;
    this.#look = look;
  }

  begin(socket: Socket): void {
    this.#socket = socket;
    if (this.#hop.script.tls?.isImplicit === true) this.#secure(() => this.#step('greeting', ''));
    else {
      socket.on('data', this.#onData);
      this.#step('greeting', '');
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#data !== undefined) this.#takeData(chunk);
    else {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#takeLines();
    }
    this.#look();
  };

  #takeLines(): void {
    for (let end = this.#received.indexOf('\r\n'); end >= 0; end = this.#received.indexOf('\r\n')) {
      const line = this.#received.toString('utf8', 0, end);
      this.#received = this.#received.subarray(end + 2);
      this.#hop.lines.push(line);
      if (this.#loginLines > 0) this.#step('response', line);
      else this.#step(/^\S*/.exec(line)?.[0].toUpperCase() ?? '', line);
      if (this.#data !== undefined) {
        const rest = this.#received;
        this.#received = Buffer.alloc(0);
        this.#takeData(rest);
        return;
      }
      if (this.#socket.destroyed) return;
    }
  }

  #takeData(chunk: Buffer): void {
    const { interruptsData, cutsDataAfter } = this.#hop.script;
    const data = this.#data ?? [];
    data.push(chunk);
    this.#dataOctets += chunk.length;
    if (cutsDataAfter !== undefined && this.#dataOctets >= cutsDataAfter) {
      this.#socket.destroy();
      return;
    }
    if (interruptsData !== undefined && this.#dataOctets >= interruptsData.after) {
      this.#socket.end(`${interruptsData.reply}\r\n`);
      return;
    }
    const tail = Buffer.concat(data.slice(-3)).subarray(-5).toString('latin1');
    if (tail !== '\r\n.\r\n' && !(this.#dataOctets === 3 && tail === '.\r\n')) return;
    const wire = Buffer.concat(data);
    this.#data = undefined;
    this.#hop.messages.push({
      mail: this.#mail,
      rcpts: this.#rcpts,
      wire,
      octets: Buffer.from(
        wire
          .subarray(0, -3)
          .toString('latin1')
          .replace(/(^|\r\n)\.\./g, '$1.'),
        'latin1',
      ),
      session: this.#number,
      isSecure: this.#socket instanceof TLSSocket,
    });
    this.#mail = '';
    this.#rcpts = [];
    this.#step('message', '');
  }

  #step(verb: string, line: string): void {
    const moment = { verb, line, session: this.#number, isSecure: this.#socket instanceof TLSSocket };
    const step = this.#hop.script.answer?.(moment) ?? this.#plainAnswer(verb, line);
    if (typeof step === 'string') {
      this.#socket.write(`${step}\r\n`);
      this.#takeEffect(verb, line, step);
    } else if ('raw' in step) this.#socket.write(step.raw);
    else if ('cut' in step) {
      if (step.after === undefined) this.#socket.destroy();
      else this.#socket.end(`${step.after}\r\n`);
    }
  }

  #takeEffect(verb: string, line: string, reply: string): void {
    const isTaken = /^2/.test(reply);
    if (verb === 'MAIL' && isTaken) [this.#mail, this.#rcpts] = [line, []];
    if (verb === 'RCPT' && isTaken) this.#rcpts.push(line);
    if (verb === 'RSET') [this.#mail, this.#rcpts] = ['', []];
    if (verb === 'AUTH' || verb === 'response') this.#loginLines = reply.startsWith('334') ? 1 : 0;
    if (verb === 'DATA' && reply.startsWith('354')) {
      [this.#data, this.#dataOctets] = [[], 0];
      if (this.#hop.script.isDeafToData === true) this.#socket.pause();
    }
    if (verb === 'STARTTLS' && isTaken) {
      if (this.#hop.script.speaksNoTls === true) {
        this.#socket.off('data', this.#onData);
        this.#socket.once('data', () => this.#socket.end('500 5.5.2 This is no TLS\r\n'));
      } else this.#secure(() => {});
    }
    if (verb === 'QUIT') this.#socket.end();
  }

  #plainAnswer(verb: string, line: string): HopStep {
    const { keywords = HOP_KEYWORDS, tls } = this.#hop.script;
    switch (verb) {
      case 'greeting':
        return '220 hop.example.org ESMTP';
      case 'EHLO': {
        const isOffered = tls !== undefined && !(this.#socket instanceof TLSSocket);
        const all = ['hop.example.org', ...keywords, ...(isOffered ? ['STARTTLS'] : [])];
        return all.map((keyword, index) => `250${index < all.length - 1 ? '-' : ' '}${keyword}`).join('\r\n');
      }
      case 'HELO':
      case 'RSET':
      case 'NOOP':
        return '250 2.0.0 Ok';
      case 'STARTTLS':
        return tls === undefined ? '502 5.5.1 Not implemented' : '220 2.0.0 Ready to start TLS';
      case 'MAIL':
        return '250 2.1.0 Ok';
      case 'RCPT':
        return this.#mail === '' ? '503 5.5.1 MAIL first' : '250 2.1.5 Ok';
      case 'DATA':
        return this.#rcpts.length > 0 ? '354 Go ahead' : '554 5.5.1 No valid recipients';
      case 'message':
        return '250 2.0.0 Ok: queued as 4BF2C1';
      case 'QUIT':
        return '221 2.0.0 Bye';
      default:
        return `502 5.5.2 Unknown: ${line.slice(0, 20)}`;
    }
  }

  #secure(ready: () => void): void {
    const { tls = {} } = this.#hop.script;
    const plain = this.#socket;
    plain.removeListener('data', this.#onData);
    const secure = new TLSSocket(plain, {
      isServer: true,
      secureContext: createSecureContext(tls),
      requestCert: tls.asksCertificate === true,
      rejectUnauthorized: false,
    });
    secure.on('error', () => {});
    secure.on('secure', () => {
      const name = secure.getPeerCertificate().subject?.CN;
      if (typeof name === 'string') this.#hop.clientNames.push(name);
      ready();
    });
    secure.on('data', this.#onData);
    this.#socket = secure;
  }
}

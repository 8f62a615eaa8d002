/**
 * A stand-in for Exchange Online as it delivers over an outbound connector: from addresses of its own (127.x here), under its name,
 * by STARTTLS with a client certificate, pipelined, several messages a connection and several connections, by BDAT where that is
 * offered and by DATA else. It resumes TLS sessions where it may, tries again on 4yz, and reports on 5yz with the server's text.
 *
 * What Exchange does is told by facts of 2026; what nobody knows without a tenant (sizes of chunks, timeouts) is made up.
 */

import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';

/** How it connects. */
export interface ExchangeOptions {
  readonly port: number;
  /** Where its connections come from. */
  readonly localAddress?: string;
  readonly heloName?: string;
  /** Certificate, key and whatever else its TLS has; `false` never begins TLS. */
  readonly tls?: ConnectionOptions | false;
  /** Octets of a chunk of BDAT; DATA is used where it is 0. */
  readonly chunkOctets?: number;
  /** Tries of a message, one after the other; what the first ones are refused with is temporary. */
  readonly tries?: number;
  /** Called before each further try. */
  readonly onDeferred?: (reply: string) => void | Promise<void>;
}

/** A message with its envelope. */
export interface Outgoing {
  readonly from?: string;
  readonly to: readonly string[];
  readonly octets: Buffer;
}

/** How a message ended. */
export interface Outcome {
  readonly kind: 'delivered' | 'reported' | 'deferred';
  /** The last reply, its lines joined. */
  readonly reply: string;
  readonly tries: number;
  /** The text of the report that the sender gets; undefined unless it is reported. */
  readonly report: string | undefined;
  /** Verbs that were used for it, in order, EHLO and STARTTLS not among them. */
  readonly verbs: readonly string[];
}

/** What a connection was like. */
export interface Connected {
  /** Undefined without TLS. */
  readonly protocol: string | undefined;
  readonly isResumed: boolean;
  readonly ticket: Buffer | undefined;
}

/** The stand-in; remembers TLS sessions between its connections. */
export interface ExchangeOnline {
  readonly connections: Connected[];
  /** Delivers messages over `connectionCount` connections at once. */
  deliver(messages: readonly Outgoing[], connectionCount?: number): Promise<Outcome[]>;
}

const NAME = 'CO1PR03CU002.outbound.protection.outlook.com';

/** Makes one for a server on 127.0.0.1. */
export function createExchangeOnline(options: ExchangeOptions): ExchangeOnline {
  const connections: Connected[] = [];
  const sessions: Buffer[] = [];
  return {
    connections,
    async deliver(messages, connectionCount = 1) {
      const outcomes = new Map<number, Outcome>();
      const queue = [...messages.entries()];
      const work = async () => {
        let sender: Sender | undefined;
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const [index, message] = next;
          let tries = 0;
          let outcome: Outcome;
          do {
            if (tries > 0) await options.onDeferred?.(outcomes.get(index)?.reply ?? '');
            sender = sender?.isUsable ? sender : await open(options, connections, sessions);
            tries += 1;
            outcome = { ...(await sender.send(message)), tries };
            outcomes.set(index, outcome);
          } while (outcome.kind === 'deferred' && tries < (options.tries ?? 1));
        }
        sender?.quit();
      };
      await Promise.all(Array.from({ length: connectionCount }, work));
      return messages.map((_message, index) => outcomes.get(index) as Outcome);
    },
  };
}

interface Sender {
  readonly isUsable: boolean;
  send(message: Outgoing): Promise<Omit<Outcome, 'tries'>>;
  quit(): void;
}

async function open(options: ExchangeOptions, connections: Connected[], sessions: Buffer[]): Promise<Sender> {
  const { port, localAddress = '127.40.92.1', heloName = NAME, tls = {} } = options;
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  let line = new Dialogue(socket);
  await line.reply();
  let extensions = await line.ask(`EHLO ${heloName}`);
  if (tls === false || !/STARTTLS/.test(extensions)) {
    connections.push({ protocol: undefined, isResumed: false, ticket: undefined });
    return senderOn(line, extensions, options);
  }
  await line.ask('STARTTLS');
  line.leave();
  const session = sessions.at(-1);
  const secure = connectTls({
    socket,
    rejectUnauthorized: false,
    ...(session === undefined ? {} : { session }),
    ...tls,
  });
  secure.on('session', (made: Buffer) => sessions.push(made));
  await whenSecure(secure);
  line = new Dialogue(secure);
  extensions = await line.ask(`EHLO ${heloName}`);
  connections.push({
    protocol: secure.getProtocol() ?? undefined,
    isResumed: secure.isSessionReused(),
    ticket: secure.getTLSTicket(),
  });
  return senderOn(line, extensions, options);
}

function whenSecure(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('451 4.4.0 the server closed in the handshake')));
  });
}

function senderOn(line: Dialogue, extensions: string, { chunkOctets = 64 * 1024 }: ExchangeOptions): Sender {
  const usesChunks = chunkOctets > 0 && /CHUNKING/.test(extensions);
  return {
    get isUsable() {
      return line.isOpen;
    },
    async send({ from = 'sales@contoso.example', to, octets }) {
      const verbs = ['MAIL', ...to.map(() => 'RCPT')];
      const recipients = to.map((address) => `RCPT TO:<${address}>\r\n`).join('');
      line.write(`MAIL FROM:<${from}> SIZE=${octets.length} BODY=8BITMIME\r\n${recipients}`);
      const replies: string[] = [];
      for (let count = 0; count < verbs.length; count += 1) replies.push(await line.reply());
      const mail = replies[0] ?? '';
      const isAnybodyTaken = replies.slice(1).some((reply) => reply.startsWith('250'));
      if (mail[0] !== '2' || !isAnybodyTaken) {
        if (mail[0] === '2') await line.ask('RSET');
        return concluded(mail[0] === '2' ? (replies[1] ?? '') : mail, verbs);
      }
      const reply = usesChunks
        ? await sendChunks(line, octets, chunkOctets, verbs)
        : await sendData(line, octets, verbs);
      return concluded(reply, verbs);
    },
    quit: () => {
      line.write('QUIT\r\n');
      line.leave();
    },
  };
}

/** Every chunk at once, as PIPELINING allows; the last one's reply is the message's, or the first that refuses. */
async function sendChunks(line: Dialogue, octets: Buffer, size: number, verbs: string[]): Promise<string> {
  let count = 0;
  for (let at = 0; at < octets.length; at += size) {
    const chunk = octets.subarray(at, at + size);
    const last = at + size >= octets.length ? ' LAST' : '';
    line.write(`BDAT ${chunk.length}${last}\r\n`);
    line.write(chunk);
    verbs.push('BDAT');
    count += 1;
  }
  let refused: string | undefined;
  let reply = '';
  for (; count > 0; count -= 1) {
    reply = await line.reply();
    if (reply[0] !== '2') refused ??= reply;
  }
  return refused ?? reply;
}

async function sendData(line: Dialogue, octets: Buffer, verbs: string[]): Promise<string> {
  verbs.push('DATA');
  const go = await line.ask('DATA');
  if (!go.startsWith('354')) return go;
  const stuffed = octets.toString('latin1').replace(/(^|\r\n)\./g, '$1..');
  line.write(Buffer.from(`${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1'));
  return line.reply();
}

function concluded(reply: string, verbs: readonly string[]): Omit<Outcome, 'tries'> {
  const kind = ({ '2': 'delivered', '5': 'reported' } as const)[reply[0] ?? ''] ?? 'deferred';
  const report = kind === 'reported' ? `Remote server returned '${reply}'` : undefined;
  return { kind, reply, report, verbs };
}

/** Lines to and from a server. */
class Dialogue {
  readonly #socket: Socket;
  #received = '';
  #isClosed = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData);
    socket.on('error', () => {});
    socket.on('close', this.#onClose);
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  write(data: string | Buffer): void {
    this.#socket.write(data);
  }

  ask(command: string): Promise<string> {
    this.write(`${command}\r\n`);
    return this.reply();
  }

  /** The next reply; `421 closed` when the connection is gone, which is tried again. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^((?:\d{3}-.*\r\n)*\d{3}(?: .*)?)\r\n/.exec(this.#received);
      if (match?.[1] !== undefined) {
        this.#received = this.#received.slice(match[0].length);
        return match[1];
      }
      if (this.#isClosed) return '421 closed';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Hears no more: the connection goes on under TLS, or ends. */
  leave(): void {
    this.#socket.off('data', this.#onData);
    this.#socket.off('close', this.#onClose);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received += chunk.toString('latin1');
    this.#wake();
  };

  readonly #onClose = (): void => {
    this.#isClosed = true;
    this.#wake();
  };
}

/**
 * The data of a message on its way to a next hop, after 354: dots stuffed, line ends CRLF, with back-pressure, and the answer.
 *
 * RFC 5321 sections 2.3.8 and 4.5.2. Bare LF and bare CR become CRLF: Exchange refuses a bare LF in DATA, and a server that takes a
 * bare one for a line end could be made to see the end of the data in the middle (SMTP smuggling). nodemailer's own stream does the
 * same, octet by octet; this one passes lines without anything to change as they are.
 * Until the lone dot is written the message is not the server's, and an end of ours leaves nothing there; afterwards it may be.
 */

import type { Clock } from '../../base/clock.ts';
import { createCrlfConverter } from '../../wire/mime/crlf.ts';
import { createDotStuffer } from '../../wire/pop3/dotStuffer.ts';
import type { SmtpReply } from '../../wire/smtp/readReply.ts';
import type { Answer, HopConnection } from './hopConnection.ts';
import { ABORTED_FINAL_DEADLINE_MS, BLOCK_DEADLINE_MS, FINAL_DEADLINE_MS } from './limits.ts';

/** What sending came to. */
export type DataResult =
  | { readonly kind: 'answered'; readonly reply: SmtpReply }
  /** Answered before it was over. The connection is gone. */
  | { readonly kind: 'early'; readonly reply: SmtpReply }
  /** Lost before the lone dot: the server has no message. */
  | { readonly kind: 'lost'; readonly why: string }
  /** Lost after it: nobody knows. */
  | { readonly kind: 'doubtful'; readonly why: string }
  | { readonly kind: 'aborted' }
  /** Our own copy cannot be read. The connection is gone, and the server has no message. */
  | { readonly kind: 'unreadable'; readonly error: unknown };

/** Sends what `open` yields. Never rejects. */
export async function sendData(
  connection: HopConnection,
  open: () => AsyncIterable<Buffer>,
  clock: Clock,
  signal: AbortSignal,
): Promise<DataResult> {
  const stream = new DataStream(connection, clock);
  const onAbort = () => stream.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  // A reply that has come already is no answer to this message: it shows now, as an early one.
  await new Promise<void>((resolve) => setImmediate(resolve));
  try {
    for await (const piece of onTheWire(open)) {
      await stream.write(piece);
      if (stream.isOver) break;
    }
  } catch (error) {
    if (!stream.isOver) {
      connection.destroy('the message cannot be read');
      return { kind: 'unreadable', error };
    }
  }
  const result = await stream.end();
  signal.removeEventListener('abort', onAbort);
  return result;
}

class DataStream {
  readonly #connection: HopConnection;
  readonly #clock: Clock;
  readonly #final: Promise<Answer>;
  /** Written when the next one comes, so that the last leaves in one write with the dot. */
  #held: Buffer | undefined;
  #answer: Answer | undefined;
  #isAborted = false;
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(connection: HopConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#final = connection.await(Number.POSITIVE_INFINITY, 'the end of the data');
    void this.#final.then((answer) => {
      this.#answer = answer;
      this.#wake?.();
    });
  }

  /** Whether there is nothing more to write. */
  get isOver(): boolean {
    return this.#answer !== undefined || this.#isAborted;
  }

  abort(): void {
    if (this.#isEnded) {
      this.#connection.hurry(ABORTED_FINAL_DEADLINE_MS);
      return;
    }
    this.#isAborted = true;
    this.#connection.destroy('we were told to end');
  }

  async write(piece: Buffer): Promise<void> {
    const before = this.#held;
    this.#held = piece;
    if (before === undefined || this.isOver || this.#connection.socket.write(before)) return;
    await this.#drained();
  }

  async end(): Promise<DataResult> {
    if (!this.isOver) {
      const { socket } = this.#connection;
      this.#isEnded = true;
      if (this.#held !== undefined) socket.write(this.#held);
      this.#connection.hurry(FINAL_DEADLINE_MS);
    }
    const answer = await this.#final;
    if (this.#isAborted) return { kind: 'aborted' };
    if (answer.kind === 'reply') {
      if (this.#isEnded) return { kind: 'answered', reply: answer.reply };
      this.#connection.destroy('the server answered before the end of the data');
      return { kind: 'early', reply: answer.reply };
    }
    return { kind: this.#isEnded ? 'doubtful' : 'lost', why: answer.why };
  }

  /** Until the socket takes more, or all is over; a server that takes nothing is cut off. */
  async #drained(): Promise<void> {
    const { socket } = this.#connection;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    socket.once('drain', resolve);
    const deadline = this.#clock.after(BLOCK_DEADLINE_MS, () =>
      this.#connection.destroy(`the server took no data for ${BLOCK_DEADLINE_MS} ms`),
    );
    await promise;
    deadline.clear();
    this.#wake = undefined;
    socket.off('drain', resolve);
  }
}

/** The pieces as they are written, the last with the lone dot. */
async function* onTheWire(open: () => AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const converter = createCrlfConverter();
  const stuffer = createDotStuffer();
  let last: Buffer | undefined;
  for await (const piece of open()) {
    if (last !== undefined) yield last;
    last = stuffer.push(converter.push(piece));
  }
  yield Buffer.concat([last ?? Buffer.alloc(0), stuffer.push(converter.end()), stuffer.end()]);
}

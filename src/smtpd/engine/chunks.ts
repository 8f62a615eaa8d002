/**
 * BDAT (RFC 3030 section 2): a message in counted chunks, from the first one to the reply to the last.
 *
 * A chunk stands behind its command already, so it is taken whatever is wrong with it, and dropped. Chunks are stored as they are:
 * no dot is unstuffed and no line end added. Commands between chunks run as ever; RSET, EHLO and STARTTLS give the message up.
 * Trust: sizes are the client's word. Without one, or with one beyond all limits, nobody can tell where commands go on: the session
 * ends, as Postfix does it. Their number and pace are bounded in tally.ts and pace.ts.
 */

import { MailError, WireError } from '../../base/error.ts';
import { type BdatArguments, parseBdat } from '../../wire/smtp/bdat.ts';
import { summary } from '../../wire/transcript/masking.ts';
import { chunkTaken, refuseChunk } from '../commands/bdat.ts';
import { goodbye, type Reply, replyOf, syntaxError } from '../reply.ts';
import type { IncomingMessage } from './incomingMessage.ts';
import { chunkIntake } from './intake.ts';
import { MessageBody } from './messageBody.ts';
import type { EngineParser } from './parser.ts';
import type { Reception, ReceivingSession } from './reception.ts';

/** Octets that nobody wants, and what they are answered with. */
interface Unwanted {
  readonly body: MessageBody;
  readonly reply: Reply;
}

/** Receives the chunks of one session. */
export class Chunks {
  readonly #session: ReceivingSession;
  readonly #reception: Reception;
  /** A message of which a chunk was refused: further ones may be on their way already, and get the same reply. */
  #failed: Unwanted | undefined;
  #isDropping = false;

  constructor(session: ReceivingSession, reception: Reception) {
    this.#session = session;
    this.#reception = reception;
  }

  /** Whether a chunk is coming that nobody wants. */
  get isDropping(): boolean {
    return this.#isDropping;
  }

  /** BDAT: answers it when the chunk has come on `parser`; `done` goes on with commands where none comes. */
  run(line: Buffer, parser: EngineParser, done: () => void, refusal = refuseChunk(this.#session)): void {
    const session = this.#session;
    const chunk = readChunk(line);
    if (chunk instanceof WireError) {
      session.answer(syntaxError('5.5.4', chunk));
      session.end(goodbye('4.7.0', 'Nobody can tell where the chunk ends, closing'));
      done();
      return;
    }
    session.noteChunk(chunk);
    // MAIL begins a new message, whether RSET stood before it or not.
    if (session.transaction !== undefined) this.#failed = undefined;
    const unwanted = this.#failed ?? (refusal && this.#unwantedWith(refusal));
    if (unwanted !== undefined) this.#drop(unwanted, chunk, parser, done);
    else this.#take(this.#openMessage(), chunk, parser, done);
  }

  /** A transaction ended or began: chunks that come now belong to no message that failed. */
  forget(): void {
    this.#failed = undefined;
  }

  #openMessage(): IncomingMessage {
    const { transaction } = this.#session;
    // refuseChunk has seen to it.
    if (transaction === undefined) throw new MailError('internal', 'a chunk without a transaction');
    transaction.hasBegun = true;
    return this.#reception.message ?? this.#reception.begin(transaction);
  }

  #unwantedWith(reply: Reply): Unwanted {
    const body = new MessageBody(this.#session.surroundings.clock, Number.POSITIVE_INFINITY);
    body.discard();
    return { body, reply };
  }

  #take(message: IncomingMessage, chunk: BdatArguments, parser: EngineParser, done: () => void): void {
    const session = this.#session;
    const { body } = message;
    const octets = body.received + chunk.octets;
    if (octets > session.surroundings.sizeLimitOctets) body.fail(new MailError('messageTooLarge'));
    if (this.#isBeyondReading(octets)) {
      session.end(replyOf(new MailError('messageTooLarge')));
      done();
      return;
    }
    this.#read(chunk, body, parser, done, (resume) => {
      if (chunk.isLast) body.end();
      else if (message.decision === undefined && !body.hasFailed) {
        session.answer(chunkTaken(chunk.octets));
        body.whenRoom(() => {
          session.deadlines.awaitCommand();
          setImmediate(resume);
        });
        return;
      }
      void this.#conclude(message, chunk, resume);
    });
  }

  /** Answers the last chunk, or one that failed. */
  async #conclude(message: IncomingMessage, { isLast }: BdatArguments, resume: () => void): Promise<void> {
    const { body } = message;
    this.#session.deadlines.awaitUs();
    body.fail(new MailError('connectionLost', 'a chunk was refused'));
    const reply = await this.#reception.settle(message);
    if (reply === undefined) return;
    this.#session.conclude(reply);
    if (!isLast) this.#failed = { body, reply };
    resume();
  }

  #drop({ body, reply }: Unwanted, chunk: BdatArguments, parser: EngineParser, done: () => void): void {
    const session = this.#session;
    if (this.#isBeyondReading(body.received + chunk.octets)) {
      session.end(reply);
      done();
      return;
    }
    this.#isDropping = true;
    this.#read(chunk, body, parser, done, (resume) => {
      this.#isDropping = false;
      session.deadlines.endData();
      session.deadlines.awaitCommand();
      if (chunk.isLast) this.#failed = undefined;
      session.answer(reply);
      setImmediate(resume);
    });
  }

  /** Reads a chunk; calls `taken` when it has come. */
  #read(
    { octets }: BdatArguments,
    body: MessageBody,
    parser: EngineParser,
    done: () => void,
    taken: (resume: () => void) => void,
  ): void {
    const session = this.#session;
    const end = (resume: () => void) => {
      session.tap?.added(summary(octets));
      taken(resume);
    };
    // An empty chunk begins the time of its message, too.
    session.deadlines.awaitData(body);
    if (octets === 0) {
      end(done);
      return;
    }
    parser.begin(chunkIntake(octets, body, end));
    done();
  }

  /** Whether a message of so many octets is not even read to its end: twice the limit, as with DATA. */
  #isBeyondReading(octets: number): boolean {
    return octets > 2 * this.#session.surroundings.sizeLimitOctets;
  }
}

function readChunk(line: Buffer): BdatArguments | WireError {
  try {
    return parseBdat(line);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

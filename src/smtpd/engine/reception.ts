/**
 * The message that a session is receiving, by DATA (RFC 5321 section 4.1.1.4) here or in chunks (chunks.ts).
 *
 * The body goes from the parser to transfer while it comes; the reply comes when both are done with it. At most one message of a
 * session is under way, and the next one waits until nothing of the last is.
 */

import { MailError } from '../../base/error.ts';
import type { BdatArguments } from '../../wire/smtp/bdat.ts';
import { summary } from '../../wire/transcript/masking.ts';
import type { SessionTap } from '../../net/sessionTap.ts';
import { refuseData } from '../commands/data.ts';
import type { SmtpContext, Transaction } from '../context.ts';
import { REPLIES, type Reply } from '../reply.ts';
import type { Deadlines } from './deadlines.ts';
import { IncomingMessage } from './incomingMessage.ts';
import { dataIntake } from './intake.ts';
import type { EngineParser } from './parser.ts';

/** A session as the reception of its messages sees it. */
export interface ReceivingSession extends SmtpContext {
  readonly deadlines: Deadlines;
  readonly tap: SessionTap | undefined;
  /** Whether nobody hears a reply any more. */
  readonly isGone: boolean;
  /** Counts a chunk. */
  noteChunk(chunk: BdatArguments): void;
  /** Answers a command. */
  answer(reply: Reply): void;
  /** Answers the end of a message, which ends its transaction; replies are written at once. */
  conclude(reply: Reply): void;
  /** Ends the session with a last reply. */
  end(reply: Reply): void;
}

/** Receives the messages of one session. */
export class Reception {
  readonly #session: ReceivingSession;
  #message: IncomingMessage | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(session: ReceivingSession) {
    this.#session = session;
  }

  /** The message under way. */
  get message(): IncomingMessage | undefined {
    return this.#message;
  }

  /** Resolves when nothing of the last message is under way any more, a commit included. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** DATA: answers it; what follows on `parser` is the message when the answer is to go ahead. */
  runData(line: Buffer, parser: EngineParser): void {
    const session = this.#session;
    const refusal = refuseData(session, line);
    if (refusal !== undefined || session.transaction === undefined) {
      session.answer(refusal ?? REPLIES.mailFirst);
      return;
    }
    const message = this.begin(session.transaction);
    const { body } = message;
    session.deadlines.awaitData(body);
    let resume = () => {};
    const end = (goOn: () => void) => {
      resume = goOn;
      body.end();
    };
    parser.begin(dataIntake(body, end));
    session.answer(REPLIES.goAhead);
    void body.over.then(() => {
      session.deadlines.awaitUs();
      session.tap?.added(summary(body.received));
    });
    void this.settle(message).then((reply) => {
      // A client that does not stop is not waited for.
      if (reply !== undefined && !body.hasEnded) session.end(reply);
      else if (reply !== undefined) {
        session.conclude(reply);
        resume();
      }
    });
  }

  /** Begins the message of `transaction`. */
  begin(transaction: Transaction): IncomingMessage {
    const message = new IncomingMessage(this.#session, transaction, this.#ended);
    this.#message = message;
    this.#ended = message.replied.then(() => {});
    return message;
  }

  /** Waits until `message`, of which no more is wanted, is settled: its reply, or undefined when nobody hears it. Never rejects. */
  async settle(message: IncomingMessage): Promise<Reply | undefined> {
    const reply = await message.replied;
    this.#message = undefined;
    this.#session.deadlines.endData();
    return this.#session.isGone ? undefined : reply;
  }

  /** The message under way, if there is one, will not end. */
  fail(failure: MailError): void {
    this.#message?.body.fail(failure);
  }

  /** The transaction is over, and with it what has come of its message in chunks (RFC 3030 section 2, RSET). */
  abandon(): void {
    if (this.#message === undefined) return;
    this.fail(new MailError('connectionLost', 'the client gave the message up'));
    this.#message = undefined;
    this.#session.deadlines.endData();
  }
}

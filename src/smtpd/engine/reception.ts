/**
 * The message that a session is receiving: DATA, from the go-ahead to the reply to its end (RFC 5321 section 4.1.1.4).
 *
 * The body goes from the parser to transfer while the session waits; the reply comes when both are done with it. One for each
 * session, and at most one message at a time.
 */

import type { MailError } from '../../base/error.ts';
import { summary } from '../../wire/transcript/masking.ts';
import type { SessionTap } from '../../net/sessionTap.ts';
import { refuseData, takeMessage } from '../commands/data.ts';
import type { SmtpContext, Transaction } from '../context.ts';
import { REPLIES, type Reply } from '../reply.ts';
import type { Deadlines } from './deadlines.ts';
import { MessageBody } from './messageBody.ts';
import type { EngineParser } from './parser.ts';

/** A session as the reception of its messages sees it. */
export interface ReceivingSession extends SmtpContext {
  readonly deadlines: Deadlines;
  readonly tap: SessionTap | undefined;
  /** Whether nobody hears a reply any more. */
  readonly isGone: boolean;
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
  #body: MessageBody | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(session: ReceivingSession) {
    this.#session = session;
  }

  /** Whether a message is under way. */
  get isUnderWay(): boolean {
    return this.#body !== undefined;
  }

  /** Resolves when nothing of the last message is under way any more, a commit included. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** DATA: answers it; what follows on `parser` is the message when the answer is to go ahead. */
  runData(line: Buffer, parser: EngineParser): void {
    const session = this.#session;
    const { transaction } = session;
    const refusal = refuseData(session, line);
    if (refusal !== undefined || transaction === undefined) {
      session.answer(refusal ?? REPLIES.mailFirst);
      return;
    }
    const { clock, sizeLimitOctets } = session.surroundings;
    const body = new MessageBody(clock, sizeLimitOctets);
    this.#body = body;
    session.deadlines.awaitData(body);
    parser.beginData(body);
    session.answer(REPLIES.goAhead);
    this.#ended = this.#receive(transaction, body, parser);
  }

  /** The message under way, if there is one, will not end. */
  fail(failure: MailError): void {
    this.#body?.fail(failure);
  }

  async #receive(transaction: Transaction, body: MessageBody, parser: EngineParser): Promise<void> {
    const session = this.#session;
    void body.over.then(() => session.deadlines.awaitUs());
    const reply = await takeMessage(session, transaction, body);
    body.discard();
    await body.over;
    session.tap?.added(summary(body.received));
    this.#body = undefined;
    if (session.isGone) return;
    // A client that does not stop is not waited for.
    if (!body.hasEnded) {
      session.end(reply);
      return;
    }
    session.conclude(reply);
    parser.continue();
  }
}

/**
 * A message on its way from the client to transfer, whichever command brings it.
 *
 * Invariant: `replied` always resolves, in time after the body is over, whatever transfer does.
 */

import { within } from '../../base/deadline.ts';
import { asRefusal } from '../../transfer/refusal.ts';
import { takeMessage } from '../commands/data.ts';
import type { SmtpContext, Transaction } from '../context.ts';
import { ACCEPT_DEADLINE_MS } from '../limits.ts';
import { type Reply, replyOf } from '../reply.ts';
import { MessageBody } from './messageBody.ts';

/** One message. */
export class IncomingMessage {
  readonly body: MessageBody;
  /** Resolves with the reply to its end, when the body is over. Never rejects. */
  readonly replied: Promise<Reply>;
  #decision: Reply | undefined;

  /** Begins to hand it over when `previous`, the last one of the session, is settled. */
  constructor(session: SmtpContext, transaction: Transaction, previous: Promise<void>) {
    const { clock, sizeLimitOctets } = session.surroundings;
    this.body = new MessageBody(clock, sizeLimitOctets);
    this.replied = this.#accept(session, transaction, previous);
  }

  /** The reply to its end as soon as it is known, which for a refusal may be long before that. */
  get decision(): Reply | undefined {
    return this.#decision;
  }

  async #accept(session: SmtpContext, transaction: Transaction, previous: Promise<void>): Promise<Reply> {
    const { body } = this;
    const { surroundings, log } = session;
    const decided = previous
      .then(() => takeMessage(session, transaction, body))
      .then((reply) => {
        this.#decision = reply;
        body.discard();
        return reply;
      });
    await body.over;
    try {
      return await within(surroundings.clock, ACCEPT_DEADLINE_MS, 'accepting a message', decided);
    } catch (error) {
      log.error('smtpd.message.failed', { error });
      return replyOf(asRefusal(error));
    }
  }
}

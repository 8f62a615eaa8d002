/**
 * RCPT names a recipient (RFC 5321 section 4.1.1.3). Whether it is ours is transfer's decision alone: there is no way round it,
 * and so no open relay, whatever a path looks like.
 */

import { parseRcpt, type RcptArguments } from '../../wire/smtp/rcpt.ts';
import { asRefusal } from '../../transfer/refusal.ts';
import type { SmtpCommand } from '../command.ts';
import type { SmtpContext, Transaction } from '../context.ts';
import { dialectOf } from '../dialect.ts';
import { refuseRecipient } from '../maintenance.ts';
import { REPLIES, type Reply, replyOf, unrecognized } from '../reply.ts';

/** RCPT. */
export const rcpt: SmtpCommand = {
  keyword: 'RCPT',
  source: 'RFC 5321 4.1.1.3',
  syntaxStatus: '5.1.3',
  run(session, line) {
    const closed = refuseRecipient(session);
    if (closed !== undefined) return closed;
    const { transaction, surroundings } = session;
    const given = parseRcpt(line, dialectOf(surroundings));
    if (transaction === undefined) return REPLIES.mailFirst;
    if (transaction.hasBegun) return REPLIES.messageBegun;
    if (given.unrecognized.length > 0) return unrecognized(given.unrecognized);
    if (transaction.recipients.has(given.forwardPath)) return REPLIES.recipientTaken;
    if (transaction.recipients.size >= surroundings.recipientLimit) return REPLIES.tooManyRecipients;
    return check(session, transaction, given);
  },
};

async function check(
  session: SmtpContext,
  transaction: Transaction,
  { forwardPath: path, dsn }: RcptArguments,
): Promise<Reply> {
  const { reversePath, declaredOctets: octets } = transaction;
  const question = {
    octets,
    reversePath,
    submitter: session.submitter,
    acceptedRecipients: transaction.recipients.size,
  };
  const verdict = await session.surroundings.transfer.checkRecipient(path, question);
  if (verdict.kind === 'accepted') {
    const takeEffect = () => {
      transaction.recipients.add(path);
      if (dsn.notify !== undefined || dsn.orcpt !== undefined) transaction.recipientDsn.set(path, dsn);
    };
    return { ...REPLIES.recipientTaken, takeEffect };
  }
  const error = asRefusal(verdict.error);
  const takeEffect = () => {
    transaction.isSomeRefused = true;
    // What is our fault, or a matter of time, counts for nothing: nobody learns from it who is there.
    if (!error.reply.isTemporary) session.noteRefusedRecipient();
    session.log.info('smtpd.recipient.refused', { recipient: path, from: reversePath, code: error.code });
  };
  return { ...replyOf(error), takeEffect };
}

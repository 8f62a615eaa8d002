/**
 * RCPT names a recipient (RFC 5321 section 4.1.1.3). Whether it is ours is transfer's decision alone: there is no way round it,
 * and so no open relay, whatever a path looks like.
 */

import { parseRcpt } from '../../wire/smtp/rcpt.ts';
import type { SmtpCommand } from '../command.ts';
import type { SmtpContext, Transaction } from '../context.ts';
import { REPLIES, type Reply, replyOf, unrecognized } from '../reply.ts';

/** RCPT. */
export const rcpt: SmtpCommand = {
  keyword: 'RCPT',
  source: 'RFC 5321 4.1.1.3',
  syntaxStatus: '5.1.3',
  run(session, line) {
    const given = parseRcpt(line);
    const { transaction, surroundings } = session;
    if (transaction === undefined) return REPLIES.mailFirst;
    if (given.unrecognized.length > 0) return unrecognized(given.unrecognized);
    if (transaction.recipients.has(given.forwardPath)) return REPLIES.recipientTaken;
    if (transaction.recipients.size >= surroundings.recipientLimit) return REPLIES.tooManyRecipients;
    return check(session, transaction, given.forwardPath);
  },
};

async function check(session: SmtpContext, transaction: Transaction, path: string): Promise<Reply> {
  const { reversePath, declaredOctets: octets } = transaction;
  const question = { octets, reversePath, submitter: session.submitter };
  const verdict = await session.surroundings.transfer.checkRecipient(path, question);
  if (verdict.kind === 'accepted')
    return { ...REPLIES.recipientTaken, takeEffect: () => transaction.recipients.add(path) };
  const { error } = verdict;
  const takeEffect = () => {
    transaction.isSomeRefused = true;
    session.noteRefusedRecipient();
    session.log.info('smtpd.recipient.refused', { recipient: path, from: reversePath, code: error.code });
  };
  return { ...replyOf(error), takeEffect };
}

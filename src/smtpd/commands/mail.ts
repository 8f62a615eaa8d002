/**
 * MAIL begins a transaction (RFC 5321 section 4.1.1.2). A message that says that it is too large is refused here already
 * (RFC 1870 section 6.1). On relay-in any sender is taken, the null path too; on submission nobody submits before a login or
 * from an address that is not trusted (RFC 6409 section 4.3), and which senders a submitter may use is transfer's decision.
 */

import { MailError } from '../../base/error.ts';
import { type MailArguments, parseMail } from '../../wire/smtp/mail.ts';
import type { SmtpCommand } from '../command.ts';
import type { SmtpContext } from '../context.ts';
import { dialectOf } from '../dialect.ts';
import { visitorOf } from '../doorVisit.ts';
import { refuseTransaction } from '../maintenance.ts';
import { REPLIES, type Reply, replyOf, unrecognized } from '../reply.ts';

/** MAIL. */
export const mail: SmtpCommand = {
  keyword: 'MAIL',
  source: 'RFC 5321 4.1.1.2',
  syntaxStatus: '5.1.7',
  run(session, line) {
    const closed = refuseTransaction(session);
    if (closed !== undefined) return closed;
    const { surroundings, submitter } = session;
    const given = parseMail(line, dialectOf(surroundings));
    if (surroundings.role === 'submission' && submitter.kind === 'anyone') return REPLIES.logInFirst;
    if (session.transaction !== undefined) return REPLIES.nestedMail;
    const refusal = surroundings.door?.refuseSender(visitorOf(session));
    if (refusal !== undefined) {
      session.log.info('smtpd.sender.refused', { from: given.reversePath, reason: refusal.message });
      return replyOf(refusal);
    }
    if (given.unrecognized.length > 0) return unrecognized(given.unrecognized);
    const declaredOctets = given.declaredOctets ?? 0;
    if (declaredOctets > surroundings.sizeLimitOctets) return replyOf(new MailError('messageTooLarge'));
    return begin(session, { ...given, declaredOctets });
  },
};

async function begin(
  session: SmtpContext,
  { reversePath, isSmtpUtf8, dsn, declaredOctets }: MailArguments & { readonly declaredOctets: number },
): Promise<Reply> {
  const { surroundings, submitter } = session;
  if (submitter.kind === 'account' && !(await surroundings.accounts.isActive(submitter.account)))
    return REPLIES.logInFirst;
  const verdict = await surroundings.transfer.checkSender(reversePath, submitter, declaredOctets);
  if (verdict.kind === 'refused') return replyOf(verdict.error);
  const takeEffect = () => {
    session.transaction = {
      reversePath,
      declaredOctets,
      isSmtpUtf8,
      dsn,
      recipients: new Set(),
      recipientDsn: new Map(),
      isSomeRefused: false,
      hasBegun: false,
    };
  };
  return { ...REPLIES.senderTaken, takeEffect };
}

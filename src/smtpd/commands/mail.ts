/**
 * MAIL begins a transaction (RFC 5321 section 4.1.1.2). A message that says that it is too large is refused here already
 * (RFC 1870 section 6.1); any sender is taken, the null path too.
 */

import { MailError } from '../../base/error.ts';
import { parseMail } from '../../wire/smtp/mail.ts';
import type { SmtpCommand } from '../command.ts';
import { REPLIES, replyOf, unrecognized } from '../reply.ts';

/** MAIL. */
export const mail: SmtpCommand = {
  keyword: 'MAIL',
  source: 'RFC 5321 4.1.1.2',
  syntaxStatus: '5.1.7',
  run(session, line) {
    const given = parseMail(line);
    if (session.surroundings.role === 'submission') return REPLIES.logInFirst;
    if (session.transaction !== undefined) return REPLIES.nestedMail;
    if (given.unrecognized.length > 0) return unrecognized(given.unrecognized);
    const declaredOctets = given.declaredOctets ?? 0;
    if (declaredOctets > session.surroundings.sizeLimitOctets)
      return replyOf(new MailError('messageTooLarge'));
    session.transaction = {
      reversePath: given.reversePath,
      declaredOctets,
      isSmtpUtf8: given.isSmtpUtf8,
      recipients: new Set(),
      isSomeRefused: false,
    };
    return REPLIES.senderTaken;
  },
};

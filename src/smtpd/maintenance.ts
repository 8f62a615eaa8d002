/**
 * What is answered while no mail is taken in: 4yz and nothing else, so that every sender keeps its mail and comes again.
 *
 * A session that begins is greeted with 421, one that is there is told so at its next transaction; a transaction whose
 * recipients were taken already goes on to its end. Exchange and Postfix say 421 4.3.2 in place of a greeting, too (RFC 2034
 * section 3 has no status there), and administrators look for it.
 */

import type { SmtpContext } from './context.ts';
import { goodbye, type Reply, reply } from './reply.ts';

const STATUS = '4.3.2';

/** What a new session, or MAIL, is answered with, which ends the session; undefined where mail is taken in. */
export function refuseTransaction({ surroundings }: Pick<SmtpContext, 'surroundings'>): Reply | undefined {
  const text = surroundings.maintenance?.();
  return text === undefined ? undefined : goodbye(STATUS, `${surroundings.serverName} ${text}`);
}

/** What RCPT is answered with: the transaction goes on with the recipients that it has, and ends with the session where it has none. */
export function refuseRecipient(
  context: Pick<SmtpContext, 'surroundings' | 'transaction'>,
): Reply | undefined {
  const refusal = refuseTransaction(context);
  if (refusal === undefined || (context.transaction?.recipients.size ?? 0) === 0) return refusal;
  return reply(450, STATUS, refusal.text);
}

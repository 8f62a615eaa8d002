/**
 * DATA: whether the message may come (RFC 5321 section 4.1.1.4), and what its end is answered with. 250 is said after transfer
 * has accepted, which is after the commit; everything that is our fault is 4yz, so that the sender keeps the message.
 */

import { MailError } from '../../base/error.ts';
import { createLineTally, tallyLines, wordView } from '../../wire/mime/lineTally.ts';
import type { Envelope } from '../../transfer/contract.ts';
import { asRefusal } from '../../transfer/refusal.ts';
import type { SmtpContext, SmtpRole, Transaction } from '../context.ts';
import { visitorOf } from '../doorVisit.ts';
import { REPLIES, type Reply, reply, replyOf } from '../reply.ts';
import { originOf } from '../traceRefusal.ts';

/** What DATA is answered with at once, or undefined when the message may come. */
export function refuseData({ transaction }: SmtpContext, line: Buffer): Reply | undefined {
  if (!/^data[ \t]*$/i.test(line.toString('latin1'))) return reply(501, '5.5.4', 'DATA has no parameters');
  if (transaction === undefined) return REPLIES.mailFirst;
  if (transaction.hasBegun) return REPLIES.messageBegun;
  if (transaction.recipients.size > 0) return undefined;
  // RFC 5321 section 3.3: a client that pipelines says DATA although nobody is left.
  return transaction.isSomeRefused ? REPLIES.nobodyLeft : REPLIES.rcptFirst;
}

/** Hands the message to transfer; answers the reply to its end. Never rejects. */
export async function takeMessage(
  session: SmtpContext,
  transaction: Transaction,
  message: AsyncIterable<Buffer>,
): Promise<Reply> {
  const { surroundings, log } = session;
  const envelope = envelopeOf(transaction, surroundings.role);
  const octets = surroundings.bareLineFeed === 'refuse' ? withoutBareLineEnds(message) : message;
  try {
    const inspection = surroundings.door?.inspect(visitorOf(session));
    const acceptance = await surroundings.transfer.accept(envelope, octets, originOf(session), inspection);
    if (acceptance.kind === 'refused') return replyOf(acceptance.error);
    session.noteAccepted();
    return reply(250, '2.0.0', `Queued as ${acceptance.traceId}`);
  } catch (error) {
    log.error('smtpd.message.failed', { error });
    return replyOf(asRefusal(error));
  }
}

function envelopeOf(transaction: Transaction, role: SmtpRole): Envelope {
  const { traceId, reversePath, recipients, isSmtpUtf8, dsn, recipientDsn } = transaction;
  const envelope = { traceId, reversePath, recipients: [...recipients], isSmtpUtf8 };
  return role === 'submission' ? { ...envelope, dsn: { ...dsn, recipients: recipientDsn } } : envelope;
}

/** The same octets; rejects with `bareLineEnd` behind a block with a CR or LF that is not part of CRLF. */
async function* withoutBareLineEnds(message: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const tally = createLineTally();
  let isOpen = false;
  for await (const block of message) {
    tallyLines(tally, wordView(block), 0, block.length, false);
    // A CR at the block's end may have its LF in the next one.
    isOpen = block.at(-1) === CR;
    const returns = tally.returns - (isOpen ? 1 : 0);
    if (tally.lineFeeds !== tally.pairs || returns !== tally.pairs) throw new MailError('bareLineEnd');
    yield block;
  }
  // Data ends with CRLF, the last chunk with anything.
  if (isOpen) throw new MailError('bareLineEnd');
}

const CR = 0x0d;

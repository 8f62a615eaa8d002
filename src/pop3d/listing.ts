/**
 * LIST and UIDL (RFC 1939 sections 5 and 7): one line for a message, or a multi-line answer for all that are not deleted.
 * 100,000 lines go out in pieces, each flushed before the next is made.
 */

import { MULTI_LINE_END } from '../wire/pop3/reply.ts';
import type { MaildropMessage } from './maildrop.ts';
import { askedMessage, openMaildrop } from './messageNumber.ts';
import type { Pop3Context } from './context.ts';

/** Lines made between two looks at the output; some 10 KB. */
const LINES_PER_PIECE = 500;

/** Answers with the line that `show` makes of a message. */
export async function answerListing(
  session: Pop3Context,
  number: number | undefined,
  show: (message: MaildropMessage) => string,
): Promise<void> {
  if (number !== undefined) {
    const asked = askedMessage(session, number);
    if (asked !== undefined) session.ok(show(asked.message).trimEnd());
    return;
  }
  const maildrop = openMaildrop(session);
  session.ok(session.phrases.listing(maildrop.count, maildrop.octets));
  let lines: string[] = [];
  for (const message of maildrop.remaining()) {
    lines.push(show(message));
    if (lines.length < LINES_PER_PIECE) continue;
    session.connection.write(lines.join(''));
    lines = [];
    if (session.connection.isFlushDue) await session.connection.flush();
    await session.pacer.breathe();
  }
  session.connection.write(lines.join('') + MULTI_LINE_END);
}

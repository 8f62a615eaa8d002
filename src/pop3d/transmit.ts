/**
 * Sends a message as a multi-line answer: line ends made CRLF, a final CRLF, dots stuffed, the lone dot (RFC 1939 section 3).
 *
 * Bare LF and CR in a stored message must go out as CRLF before stuffing: clients that split lines at LF would otherwise see
 * the end of the answer inside the message (Python's poplib did, facts/reliability-security.md 0.3). Pieces go out as they are
 * read, each flushed before the next, so that a message of any size costs the memory of a piece.
 */

import { createCrlfConverter } from '../wire/mime/crlf.ts';
import { createDotStuffer } from '../wire/pop3/dotStuffer.ts';
import type { TopLimiter } from '../wire/pop3/top.ts';
import type { MaildropMessage } from './maildrop.ts';
import type { Pop3Context } from './context.ts';

/**
 * Sends `message`, up to where `top` ends it. Errors before the first octet reject and can be answered with -ERR;
 * after it the connection is destroyed, since half a message must not look whole.
 */
export async function transmit(
  session: Pop3Context,
  message: MaildropMessage,
  headline: string,
  top?: TopLimiter,
): Promise<void> {
  const content = await session.surroundings.contents.open(message.contentId);
  const pieces = content.read(0, content.octets)[Symbol.asyncIterator]();
  let piece = await pieces.next();
  const count = top === undefined ? session.tally.retr : session.tally.top;
  session.ok(headline);
  try {
    const converter = createCrlfConverter();
    const stuffer = createDotStuffer();
    const transmitPart = (octets: Buffer) => {
      const stuffed = stuffer.push(top === undefined ? octets : top.push(octets));
      session.connection.write(stuffed);
      count.octets += stuffed.length;
    };
    while (piece.done !== true && top?.isDone !== true) {
      transmitPart(converter.push(piece.value));
      if (session.connection.isFlushDue) await session.connection.flush();
      await session.pacer.breathe();
      piece = await pieces.next();
    }
    if (piece.done !== true) await pieces.return?.();
    else transmitPart(converter.end());
    session.connection.write(stuffer.end());
    count.messages += 1;
  } catch (error) {
    session.log.warn('pop3d.message.broken', { error, content: message.contentId });
    session.connection.destroy();
    session.end();
  }
}

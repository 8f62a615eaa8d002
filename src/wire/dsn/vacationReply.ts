/**
 * The message by which an account tells a sender that nobody is there.
 *
 * RFC 3834 section 3.1 (the fields), section 5 (Auto-Submitted). It says that it is automatic in the words of the RFC and of
 * Exchange (X-Auto-Response-Suppress), so that nothing answers it.
 * Invariant: nothing that a stranger wrote becomes a field or a line of its own; lines are CRLF; the body is ASCII.
 */

import { isPlainMessageId } from '../mime/messageId.ts';
import { encodeQuotedPrintable } from '../mime/quotedPrintable.ts';
import { formatUnstructured } from '../mime/unstructuredField.ts';
import { oneLine } from './oneLine.ts';

/** Characters of the original subject that come back. */
const SUBJECT_LIMIT_CHARS = 200;

/** A reply. Addresses are without angle brackets. */
export interface VacationReply {
  readonly from: string;
  readonly to: string;
  /** Undefined: made of `originalSubject`. */
  readonly subject?: string | undefined;
  /** Decoded. */
  readonly originalSubject?: string | undefined;
  /** date-time of RFC 5322. */
  readonly date: string;
  /** Without angle brackets. */
  readonly messageId: string;
  /** The Message-ID that is answered, without angle brackets. */
  readonly inReplyTo?: string | undefined;
  /** With any line ends. */
  readonly text: string;
}

/** The reply as a message. */
export function formatVacationReply(reply: VacationReply): Buffer {
  const { from, to, subject, originalSubject = 'your message', date, messageId, inReplyTo, text } = reply;
  const isKnown = inReplyTo !== undefined && isPlainMessageId(inReplyTo);
  const lines = `${text.toWellFormed().trimEnd()}\n`.replace(/\r\n|\r|\n/g, '\r\n');
  return Buffer.from(
    [
      `From: <${oneLine(from)}>\r\n`,
      `To: <${oneLine(to)}>\r\n`,
      // RFC 3834 section 3.1.5 has this prefix.
      formatUnstructured('Subject', subject ?? `Auto: ${originalSubject.slice(0, SUBJECT_LIMIT_CHARS)}`),
      `Date: ${date}\r\n`,
      `Message-ID: <${oneLine(messageId)}>\r\n`,
      ...(isKnown ? [`In-Reply-To: <${inReplyTo}>\r\n`, `References: <${inReplyTo}>\r\n`] : []),
      'Auto-Submitted: auto-replied\r\n',
      'X-Auto-Response-Suppress: All\r\n',
      'MIME-Version: 1.0\r\n',
      'Content-Type: text/plain; charset=utf-8\r\n',
      'Content-Transfer-Encoding: quoted-printable\r\n\r\n',
      encodeQuotedPrintable(Buffer.from(lines)),
    ].join(''),
  );
}

/**
 * What a command is answered with, as a value; the engine writes it. Texts are for people, codes for programs.
 *
 * RFC 5321 section 4.2, RFC 3463 and RFC 2034 for the enhanced status, RFC 3207 section 4 (530), RFC 4954 (AUTH)
 * sections 4 and 6.
 */

import type { MailError, WireError } from '../base/error.ts';

/** Takes the line that the client answers a challenge with, which is no command. */
export type Continuation = (line: Buffer) => Reply | Promise<Reply>;

/** A reply. */
export interface Reply {
  readonly code: number;
  /** `x.y.z`; undefined where RFC 2034 section 3 has none. */
  readonly status: string | undefined;
  /** A line, or several. */
  readonly text: string | readonly string[];
  /** A challenge's: what the client's next line goes to. Whatever it throws is answered as the command's own error. */
  readonly next?: Continuation;
  /** Whose login it refuses, for the trace. */
  readonly loginName?: string;
  /** What comes of the command when it is answered so; an answer that comes after its deadline has no effect. */
  readonly takeEffect?: () => void;
}

/** Replies that are the same each time. */
export const REPLIES = {
  senderTaken: reply(250, '2.1.0', 'Sender ok'),
  recipientTaken: reply(250, '2.1.5', 'Recipient ok'),
  goAhead: reply(354, undefined, 'End data with <CR><LF>.<CR><LF>'),
  startTlsFirst: reply(530, '5.7.0', 'Must issue a STARTTLS command first'),
  logInFirst: reply(530, '5.7.0', 'Authentication required'),
  loggedIn: reply(235, '2.7.0', 'Authentication successful'),
  loggedInAlready: reply(503, '5.5.1', 'You are authenticated already'),
  ehloFirst: reply(503, '5.5.1', 'EHLO comes first'),
  noLoginNow: reply(503, '5.5.1', 'AUTH is not allowed in a mail transaction'),
  mechanismUnknown: reply(504, '5.5.4', 'Unrecognized authentication type'),
  loginCancelled: reply(501, '5.7.0', 'Authentication cancelled'),
  responseTooEarly: reply(501, '5.7.0', 'The mechanism has no initial response'),
  responseTooLong: reply(500, '5.5.6', 'The line is too long'),
  loginPostponed: reply(454, '4.7.0', 'Temporary authentication failure, please try again later'),
  vrfyUseless: reply(252, '2.0.0', 'Cannot VRFY user, but will accept message and attempt delivery'),
  nestedMail: reply(503, '5.5.1', 'Nested MAIL command'),
  mailFirst: reply(503, '5.5.1', 'MAIL comes first'),
  rcptFirst: reply(503, '5.5.1', 'RCPT comes first'),
  messageBegun: reply(503, '5.5.1', 'The message has begun with BDAT'),
  chunkingHidden: reply(503, '5.5.1', 'CHUNKING is not offered here'),
  nobodyLeft: reply(554, '5.5.1', 'No valid recipients'),
  tooManyRecipients: reply(452, '4.5.3', 'Too many recipients'),
  notImplemented: reply(502, '5.5.1', 'Command not implemented'),
  lineTooLong: reply(500, '5.5.2', 'Line too long'),
  earlyTalker: reply(554, '5.5.0', 'A client speaks after the greeting'),
} as const satisfies Record<string, Reply>;

/** The reply of an error's code. */
export function replyOf(error: MailError): Reply {
  const { smtp, publicText } = error.reply;
  return reply(smtp.code, smtp.status, publicText);
}

/** The reply to an argument that breaks the grammar; `status` says which (5.1.7 sender, 5.1.3 recipient). */
export function syntaxError(status: string, error: WireError): Reply {
  return reply(501, status, `Syntax error: expected ${error.expected}`);
}

/** The reply to parameters that are not offered (RFC 5321 section 4.1.1.11). */
export function unrecognized(keywords: readonly string[]): Reply {
  return reply(555, '5.5.4', `Unrecognized parameters: ${keywords.join(' ')}`);
}

/** The reply that ends a session because of what the client does, or does not do; `status` is 4.y.z. */
export function goodbye(status: string, text: string): Reply {
  return reply(421, status, text);
}

/** A reply of these parts. */
export function reply(code: number, status: string | undefined, text: string | readonly string[]): Reply {
  return { code, status, text };
}

/**
 * How a command ends: the tagged response's condition, response code and text (RFC 3501 section 7.1, RFC 5530).
 *
 * Commands answer a completion; the session writes it behind whatever the client has to be told first. What a MailError or a
 * WireError means for the client is decided here alone.
 */

import { asMailError, WireError } from '../base/error.ts';
import { MAIL_ERRORS } from '../base/error.ts';
import type { MailErrorCode } from '../base/error.ts';

/** A tagged (or, for the session itself, untagged) condition. */
export interface Completion {
  readonly condition: 'OK' | 'NO' | 'BAD';
  /** What stands between the brackets, arguments included. */
  readonly code: string | undefined;
  readonly text: string;
}

/** OK. */
export function ok(text: string, code?: string): Completion {
  return { condition: 'OK', code, text };
}

/** NO: refused or failed. */
export function no(text: string, code?: string): Completion {
  return { condition: 'NO', code, text };
}

/** BAD: not understood, or not in this state. */
export function bad(text: string, code?: string): Completion {
  return { condition: 'BAD', code, text };
}

/** The answer of MailError's table. */
export function failed(code: MailErrorCode): Completion {
  const { publicText, imap } = MAIL_ERRORS[code];
  return { condition: imap.condition, code: imap.code, text: publicText };
}

/** The answer to whatever a command threw. */
export function completionOf(error: unknown): Completion {
  if (error instanceof WireError)
    return bad(`Syntax error: expected ${error.expected} at octet ${error.offset}`);
  return failed(asMailError(error).code);
}

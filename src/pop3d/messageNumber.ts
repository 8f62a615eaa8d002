/**
 * Message numbers as arguments (RFC 1939 section 3): LIST, UIDL, RETR, TOP and DELE name a message alike.
 */

import { parseNumber } from '../wire/pop3/command.ts';
import type { Maildrop, MaildropMessage } from './maildrop.ts';
import type { Pop3Context } from './context.ts';

/** The maildrop of a session in the TRANSACTION state; the command table keeps other states away. */
export function openMaildrop(session: Pop3Context): Maildrop {
  if (session.state.kind !== 'transaction') throw new Error('no maildrop is open in this state');
  return session.state.maildrop;
}

/** The message of this number; answers -ERR itself, and undefined, when there is none. */
export function askedMessage(
  session: Pop3Context,
  number: number,
): { readonly maildrop: Maildrop; readonly message: MaildropMessage } | undefined {
  const maildrop = openMaildrop(session);
  const message = maildrop.find(number);
  if (message === undefined) session.wrong(session.phrases.noSuchMessage);
  return message === undefined ? undefined : { maildrop, message };
}

/** The argument of LIST and UIDL, which may be absent. Throws WireError. */
export function parseOptionalNumber(argument: Buffer | undefined): number | undefined {
  return argument === undefined ? undefined : parseNumber(argument);
}

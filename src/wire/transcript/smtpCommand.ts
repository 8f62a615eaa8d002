/**
 * An SMTP client's command for a transcript, its secrets masked.
 *
 * It errs to masking too much: a line that begins with none of the verbs below is masked whole, because a client whose AUTH was
 * refused goes on with its base64 as if it had not been.
 * Trust: any octets. RFC 5321, RFC 3207, RFC 3030, RFC 4954.
 */

import { printable } from './printable.ts';
import { MASK, MECHANISMS } from './masking.ts';

const KNOWN: ReadonlySet<string> = new Set(
  'HELO EHLO LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP STARTTLS TURN ETRN ATRN SEND SOML SAML'.split(
    ' ',
  ),
);
const VERB = /^[ \t]*([A-Za-z]+)(?=[ \t:]|$)/;
const AUTH = /^[ \t]*([A-Za-z]+)[ \t]+([A-Za-z0-9_-]{1,20})([ \t]+.*)?$/s;

/** `line` (without its line end) as a transcript has it. */
export function transcribeSmtpCommand(line: Buffer): string {
  const text = line.toString('latin1');
  const verb = VERB.exec(text)?.[1]?.toUpperCase() ?? '';
  if (KNOWN.has(verb)) return printable(line);
  if (verb !== 'AUTH') return MASK;
  const [, word, mechanism = '', more] = AUTH.exec(text) ?? [];
  if (!MECHANISMS.has(mechanism.toUpperCase())) return `AUTH ${MASK}`;
  return more === undefined ? `${word} ${mechanism}` : `${word} ${mechanism} ${MASK}`;
}

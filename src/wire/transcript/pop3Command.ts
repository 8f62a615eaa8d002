/**
 * A POP3 client's command for a transcript, its secrets masked.
 *
 * It errs to masking too much: a line whose keyword is not in the list below is masked whole, because a client that was refused
 * sends its password or its base64 as a line of its own.
 * Trust: any octets. RFC 1939, RFC 2449, RFC 5034, RFC 6856 and what old clients try.
 */

import { printable } from './printable.ts';
import { MASK, MECHANISMS } from './masking.ts';

/** Keywords whose arguments are no secret. XTND and the like are refused, but an administrator wants to see that they were tried. */
const KNOWN: ReadonlySet<string> = new Set(
  'CAPA DELE LANG LAST LIST NOOP QUIT RETR RSET STAT STLS TOP UIDL UTF8 XTND HELP HELO EHLO XSENDER'.split(
    ' ',
  ),
);
const COMMAND = /^[ \t]*([A-Za-z0-9]+)(?:[ \t]+([^ \t]+)(?:([ \t]+.*))?)?[ \t]*$/s;

/** `line` (without its line end) as a transcript has it. */
export function transcribePop3Command(line: Buffer): string {
  const [, word = '', argument, more] = COMMAND.exec(line.toString('latin1')) ?? [];
  const keyword = word.toUpperCase();
  switch (keyword) {
    case 'PASS':
      return `${word} ${MASK}`;
    case 'USER':
    case 'APOP':
      return firstArgument(word, argument, more);
    case 'AUTH':
      if (argument === undefined || MECHANISMS.has(argument.toUpperCase()))
        return firstArgument(word, argument, more);
      return `${word} ${MASK}`;
    default:
      return KNOWN.has(keyword) ? printable(line) : MASK;
  }
}

/** The first argument is shown, what follows it is not. */
function firstArgument(word: string, argument: string | undefined, more: string | undefined): string {
  const shown = argument === undefined ? word : `${word} ${printable(Buffer.from(argument, 'latin1'))}`;
  return more === undefined ? shown : `${shown} ${MASK}`;
}

/**
 * The commands of ours. EHLO, HELO, RSET, NOOP, HELP, VRFY, STARTTLS and QUIT are smtp-server's, DATA is the engine's with
 * commands/data.ts; what is in neither is answered 500.
 */

import type { SmtpCommand } from './command.ts';
import { mail } from './commands/mail.ts';
import { rcpt } from './commands/rcpt.ts';
import { REPLIES } from './reply.ts';

/** By keyword. */
export const COMMANDS: ReadonlyMap<string, SmtpCommand> = new Map(
  [
    mail,
    rcpt,
    // It would tell who is behind an alias (RFC 5321 section 7.3).
    notImplemented('EXPN', 'RFC 5321 4.1.1.7'),
  ].map((command) => [command.keyword, command]),
);

/**
 * Commands that lead nowhere: a few are natural, a hundred in a row are not. EHLO and HELO too, since each ends a transaction.
 */
export const JUNK_COMMANDS: ReadonlySet<string> = new Set('NOOP RSET VRFY HELP EHLO HELO EXPN'.split(' '));

/** What may be said in clear where TLS is required (RFC 3207 section 4). HELO gets the client no further than EHLO does. */
export const COMMANDS_BEFORE_TLS: ReadonlySet<string> = new Set('NOOP EHLO HELO STARTTLS QUIT'.split(' '));

function notImplemented(keyword: string, source: string): SmtpCommand {
  return { keyword, source, syntaxStatus: '5.5.4', run: () => REPLIES.notImplemented };
}

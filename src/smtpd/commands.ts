/**
 * The commands of ours, by the listener's role. RSET, NOOP, STARTTLS and QUIT are smtp-server's, DATA and BDAT are the engine's
 * with commands/data.ts and commands/bdat.ts; what is in neither is answered 500.
 */

import type { SmtpCommand } from './command.ts';
import { auth } from './commands/auth.ts';
import { ehlo } from './commands/ehlo.ts';
import { helo } from './commands/helo.ts';
import { createHelp } from './commands/help.ts';
import { mail } from './commands/mail.ts';
import { rcpt } from './commands/rcpt.ts';
import { vrfy } from './commands/vrfy.ts';
import type { SmtpRole } from './context.ts';
import { COMMAND_LINE_LIMIT_OCTETS } from './limits.ts';
import { REPLIES, type Reply } from './reply.ts';

/** Those of the engine and of the library. */
const OTHERS = ['DATA', 'BDAT', 'RSET', 'NOOP', 'STARTTLS', 'QUIT'] as const;

const COMMON: readonly SmtpCommand[] = [
  ehlo,
  helo,
  mail,
  rcpt,
  vrfy,
  // It would tell who is behind an alias (RFC 5321 section 7.3).
  notImplemented('EXPN', 'RFC 5321 4.1.1.7'),
];

const TABLES: Readonly<Record<SmtpRole, ReadonlyMap<string, SmtpCommand>>> = {
  relayIn: tableOf(COMMON),
  submission: tableOf([...COMMON, auth]),
};

/** The commands of a listener by keyword. */
export function commandsOf(role: SmtpRole): ReadonlyMap<string, SmtpCommand> {
  return TABLES[role];
}

/**
 * Commands that lead nowhere: a few are natural, a hundred in a row are not. EHLO and HELO too, since each ends a transaction.
 */
export const JUNK_COMMANDS: ReadonlySet<string> = new Set('NOOP RSET VRFY HELP EHLO HELO EXPN'.split(' '));

/** What a command is refused with before it is looked at: for its length, and in clear where TLS is required (RFC 3207 section 4). */
export function refuseEarly(
  keyword: string,
  line: Buffer,
  { role, needsTls }: { readonly role: SmtpRole; readonly needsTls: boolean },
): Reply | undefined {
  const isAuth = keyword === 'AUTH' && role === 'submission';
  if (!isAuth && line.length > COMMAND_LINE_LIMIT_OCTETS) return REPLIES.lineTooLong;
  // AUTH says itself that TLS comes first (RFC 4954 section 6).
  return !needsTls || isAuth || BEFORE_TLS.has(keyword) ? undefined : REPLIES.startTlsFirst;
}

/** HELO gets the client no further than EHLO does. */
const BEFORE_TLS: ReadonlySet<string> = new Set('NOOP EHLO HELO STARTTLS QUIT'.split(' '));

function tableOf(commands: readonly SmtpCommand[]): ReadonlyMap<string, SmtpCommand> {
  const keywords = commands.map(({ keyword }) => keyword);
  const all = [...commands, createHelp([...keywords, ...OTHERS])];
  return new Map(all.map((command) => [command.keyword, command]));
}

function notImplemented(keyword: string, source: string): SmtpCommand {
  return { keyword, source, syntaxStatus: '5.5.4', run: () => REPLIES.notImplemented };
}

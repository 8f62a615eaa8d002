/**
 * The commands of POP3: keyword, states, argument parser, RFC section, what runs. One file each under commands/.
 */

import type { Pop3Command } from './command.ts';
import { auth } from './commands/auth.ts';
import { capa } from './commands/capa.ts';
import { dele } from './commands/dele.ts';
import { lang } from './commands/lang.ts';
import { list } from './commands/list.ts';
import { noop } from './commands/noop.ts';
import { pass } from './commands/pass.ts';
import { quit } from './commands/quit.ts';
import { retr } from './commands/retr.ts';
import { rset } from './commands/rset.ts';
import { stat } from './commands/stat.ts';
import { stls } from './commands/stls.ts';
import { top } from './commands/top.ts';
import { uidl } from './commands/uidl.ts';
import { user } from './commands/user.ts';
import { utf8 } from './commands/utf8.ts';
import type { Pop3Context } from './context.ts';

/** A command whose argument is parsed and run in one. */
export type RunnableCommand = Pick<Pop3Command<unknown>, 'keyword' | 'states' | 'source'> & {
  execute(session: Pop3Context, argument: Buffer | undefined): void | Promise<void>;
};

/** By keyword, in upper case. APOP, LAST (older than RFC 1939) and XTND are not here: each is an unknown command. */
export const COMMANDS: ReadonlyMap<string, RunnableCommand> = new Map(
  [
    runnable(auth),
    runnable(capa),
    runnable(dele),
    runnable(lang),
    runnable(list),
    runnable(noop),
    runnable(pass),
    runnable(quit),
    runnable(retr),
    runnable(rset),
    runnable(stat),
    runnable(stls),
    runnable(top),
    runnable(uidl),
    runnable(user),
    runnable(utf8),
  ].map((command) => [command.keyword, command]),
);

function runnable<Argument>(command: Pop3Command<Argument>): RunnableCommand {
  const { keyword, states, source } = command;
  return {
    keyword,
    states,
    source,
    execute: (session, argument) => command.run(session, command.parse(argument, session.isUtf8)),
  };
}

/**
 * What a command of ours is; commands.ts has the table. Commands that are not in it are smtp-server's own.
 */

import type { SmtpContext } from './context.ts';
import type { Reply } from './reply.ts';

/** One command. The engine answers what `run` returns or what the MailError says that it throws. */
export interface SmtpCommand {
  readonly keyword: string;
  /** Where it is defined. */
  readonly source: string;
  /** The enhanced status of a WireError that `run` throws. */
  readonly syntaxStatus: string;
  /** How long its answer may take; HANDLER_DEADLINE_MS unless given. */
  readonly deadlineMs?: number;
  /** `line` is the whole command line without its line end. */
  run(session: SmtpContext, line: Buffer): Reply | Promise<Reply>;
}

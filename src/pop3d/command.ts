/**
 * What a command of POP3 is; commands.ts has the table.
 */

import type { Pop3Context, Pop3State } from './context.ts';

/**
 * One command. `run` answers the client itself; `parse` throws WireError for a wrong argument, which must be UTF-8 where the
 * client has said UTF8.
 */
export interface Pop3Command<Argument> {
  readonly keyword: string;
  readonly states: readonly Pop3State['kind'][];
  /** Where it is defined. */
  readonly source: string;
  parse(argument: Buffer | undefined, isUtf8: boolean): Argument;
  run(session: Pop3Context, argument: Argument): void | Promise<void>;
}

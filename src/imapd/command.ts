/**
 * What an entry of the command table is: in which states the command may be given, how its arguments are read, what it does
 * (RFC 3501 section 6).
 *
 * A run function is handed the state that its entry asks for, so that it cannot touch a mailbox that is not selected.
 */

import { MailError } from '../base/error.ts';
import type { CommandDecoder } from '../wire/imap/decoder.ts';
import type { Completion } from './completion.ts';
import type { SessionContext } from './sessionContext.ts';
import type {
  AuthenticatedState,
  NotAuthenticatedState,
  SelectedState,
  SessionState,
} from './sessionState.ts';

/** Which updates of the selected mailbox are told before the command's completion (RFC 3501 section 7.4.1). */
export type Tells = 'all' | 'withoutExpunge' | 'nothing';

/** A command as the session runs it. */
export interface Command {
  /** Where it is defined. */
  readonly section: string;
  readonly states: readonly SessionState['kind'][];
  readonly tells: Tells;
  /** Refuses the command before a literal of it is asked for. */
  refuse(session: SessionContext): Completion | undefined;
  /** Takes the arguments and answers what will do the work. Errors: WireError. */
  parse(decoder: CommandDecoder): (session: SessionContext) => Promise<Completion>;
}

/** What does a command's work. Errors: MailError, WireError for arguments that only the mailbox can refuse, SessionEnd. */
export type Run<State, Arguments> = (
  session: SessionContext,
  state: State,
  args: Arguments,
) => Promise<Completion> | Completion;

/** What a table entry is made of. */
export interface Definition<State, Arguments> {
  readonly section: string;
  readonly tells?: Tells;
  readonly refuse?: Command['refuse'];
  parse(decoder: CommandDecoder): Arguments;
  readonly run: Run<State, Arguments>;
}

/** A command for any state but logout. */
export function always<Arguments>(definition: Definition<SessionState, Arguments>): Command {
  return define(definition, ['notAuthenticated', 'authenticated', 'selected'], (state) => state);
}

/** A command before login only. */
export function beforeLogin<Arguments>(definition: Definition<NotAuthenticatedState, Arguments>): Command {
  return define(definition, ['notAuthenticated'], (state) =>
    state.kind === 'notAuthenticated' ? state : undefined,
  );
}

/** A command after login, with a mailbox selected or not. */
export function afterLogin<Arguments>(
  definition: Definition<AuthenticatedState | SelectedState, Arguments>,
): Command {
  return define(definition, ['authenticated', 'selected'], (state) =>
    state.kind === 'authenticated' || state.kind === 'selected' ? state : undefined,
  );
}

/** A command on the selected mailbox. */
export function whenSelected<Arguments>(definition: Definition<SelectedState, Arguments>): Command {
  return define(definition, ['selected'], (state) => (state.kind === 'selected' ? state : undefined));
}

function define<State, Arguments>(
  { section, tells = 'all', refuse = () => undefined, parse, run }: Definition<State, Arguments>,
  states: readonly SessionState['kind'][],
  narrow: (state: SessionState) => State | undefined,
): Command {
  return {
    section,
    states,
    tells,
    refuse,
    parse(decoder) {
      const args = parse(decoder);
      return async (session) => {
        const state = narrow(session.state);
        if (state === undefined) throw new MailError('internal', 'a command was run in a wrong state');
        return run(session, state, args);
      };
    },
  };
}

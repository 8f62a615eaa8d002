/**
 * From a command's first octets to its entry in the table, or to the BAD that it gets (RFC 3501 sections 2.2.1 and 3).
 *
 * A command that is unknown, or not allowed in the session's state, is refused before its arguments are read. A line without
 * a tag gets an untagged BAD.
 */

import { findTag, parseCommandHead } from '../wire/imap/command.ts';
import { CommandDecoder } from '../wire/imap/decoder.ts';
import type { CommandSegment } from '../wire/imap/segment.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { bad, completionOf } from './completion.ts';
import type { Completion } from './completion.ts';
import type { SessionState } from './sessionState.ts';

/** A command that may run, its arguments next in the decoder; or how it is answered. */
export type CommandLookup =
  | {
      readonly kind: 'found';
      readonly tag: string;
      readonly command: Command;
      readonly isUid: boolean;
      readonly decoder: CommandDecoder;
    }
  | { readonly kind: 'refused'; readonly tag: string | undefined; readonly completion: Completion };

/** Looks up the command that `segments` begin. */
export function lookUpCommand(
  segments: readonly CommandSegment[],
  state: SessionState['kind'],
): CommandLookup {
  const decoder = new CommandDecoder(segments);
  try {
    const { tag, name, isUid } = parseCommandHead(decoder);
    const command = COMMANDS.get(isUid ? `UID ${name}` : name);
    if (command === undefined) return { kind: 'refused', tag, completion: bad('Unknown command') };
    if (!command.states.includes(state)) {
      return { kind: 'refused', tag, completion: bad(`Not in this state: ${state}`) };
    }
    return { kind: 'found', tag, command, isUid, decoder };
  } catch (error) {
    const tag = segments[0] && findTag(segments[0].line);
    return { kind: 'refused', tag, completion: completionOf(error) };
  }
}

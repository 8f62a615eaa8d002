/**
 * LIST, basic and extended.
 *
 * RFC 3501 section 6.3.8 and section 9: list; RFC 5258 section 6: list-select-opts, list-return-opts, mbox-or-pat, patterns;
 * RFC 5819 section 4: status-option; RFC 6154 section 6: SPECIAL-USE in both.
 * Unknown options are errors, as RFC 5258 section 3 asks; so is RECURSIVEMATCH without an option that it can modify.
 */

import type { CommandDecoder } from './decoder.ts';
import { parseListMailbox, parseMailbox } from './mailboxName.ts';
import { parseStatusItems } from './status.ts';
import type { StatusItem } from './status.ts';

/** LIST's arguments. */
export interface ListArguments {
  readonly reference: string;
  /** At least one. */
  readonly patterns: readonly string[];
  /** Whether any form of LIST-EXTENDED was used; the answer to `LIST "" ""` depends on it. */
  readonly isExtended: boolean;
  readonly selection: ReadonlySet<ListSelection>;
  readonly returns: ListReturn;
}

/** list-select-opt. */
export type ListSelection = 'RECURSIVEMATCH' | 'REMOTE' | 'SPECIAL-USE' | 'SUBSCRIBED';

/** return-option. */
export interface ListReturn {
  readonly options: ReadonlySet<'CHILDREN' | 'SPECIAL-USE' | 'SUBSCRIBED'>;
  /** Empty without STATUS. */
  readonly statusItems: readonly StatusItem[];
}

const SELECTIONS: readonly ListSelection[] = ['RECURSIVEMATCH', 'REMOTE', 'SPECIAL-USE', 'SUBSCRIBED'];
const RETURN_OPTIONS = ['CHILDREN', 'SPECIAL-USE', 'SUBSCRIBED'] as const;
const SP = 0x20;
const PARENTHESIS_OPEN = 0x28;

/** Takes LIST's arguments. */
export function parseList(decoder: CommandDecoder): ListArguments {
  decoder.sp();
  const hasSelection = decoder.peek() === PARENTHESIS_OPEN;
  const selection = hasSelection ? parseSelection(decoder) : new Set<ListSelection>();
  const reference = parseMailbox(decoder);
  decoder.sp();
  const hasPatterns = decoder.peek() === PARENTHESIS_OPEN;
  const patterns = hasPatterns ? decoder.list(() => parseListMailbox(decoder)) : [parseListMailbox(decoder)];
  const hasReturn = decoder.accept(SP);
  const returns: ListReturn = hasReturn ? parseReturn(decoder) : { options: new Set(), statusItems: [] };
  decoder.eof();
  return { reference, patterns, isExtended: hasSelection || hasPatterns || hasReturn, selection, returns };
}

function parseSelection(decoder: CommandDecoder): ReadonlySet<ListSelection> {
  const start = decoder.offset;
  const selection = new Set(decoder.listOrEmpty(() => parseOption(decoder, SELECTIONS, 'list-select-opt')));
  decoder.sp();
  const hasBase = selection.has('SUBSCRIBED') || selection.has('SPECIAL-USE');
  if (selection.has('RECURSIVEMATCH') && !hasBase) throw decoder.error('list-select-base-opt', start);
  return selection;
}

function parseReturn(decoder: CommandDecoder): ListReturn {
  const start = decoder.offset;
  if (decoder.label('RETURN') !== 'RETURN') throw decoder.error('RETURN', start);
  decoder.sp();
  let statusItems: readonly StatusItem[] = [];
  const options = new Set<(typeof RETURN_OPTIONS)[number]>();
  decoder.listOrEmpty(() => {
    const option = parseOption(decoder, [...RETURN_OPTIONS, 'STATUS'] as const, 'return-option');
    if (option !== 'STATUS') {
      options.add(option);
      return;
    }
    decoder.sp();
    statusItems = parseStatusItems(decoder);
  });
  return { options, statusItems };
}

function parseOption<Option extends string>(
  decoder: CommandDecoder,
  known: readonly Option[],
  expected: string,
): Option {
  const start = decoder.offset;
  const name = decoder.label(expected);
  const option = known.find((candidate) => candidate === name);
  if (option === undefined) throw decoder.error(expected, start);
  return option;
}

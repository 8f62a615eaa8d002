/**
 * Flags: the five system flags and keywords.
 *
 * RFC 3501 section 2.3.2 and section 9: flag, flag-keyword, flag-list. System flags are answered in the case of the RFC,
 * keywords keep the case that they were sent in; doubles are dropped, keywords compared without case.
 * \Recent can not be set by clients and flag-extensions are not known here: both are errors, as Dovecot has it.
 */

import type { CommandDecoder } from './decoder.ts';

/** The system flags that clients may set. */
export const SYSTEM_FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const;
export type SystemFlag = (typeof SYSTEM_FLAGS)[number];

/** Flags as a client names them. */
export interface FlagList {
  readonly system: readonly SystemFlag[];
  readonly keywords: readonly string[];
}

/** No flags. */
export const NO_FLAGS: FlagList = { system: [], keywords: [] };

const BACKSLASH = 0x5c;

/** Takes a flag-list: any number of flags in parentheses. */
export function parseFlagList(decoder: CommandDecoder): FlagList {
  return gatherFlags(decoder.listOrEmpty(() => parseFlag(decoder)));
}

/** Takes one or more flags without parentheses, to the end of the command. */
export function parseBareFlags(decoder: CommandDecoder): FlagList {
  const flags = [parseFlag(decoder)];
  while (decoder.accept(0x20)) flags.push(parseFlag(decoder));
  return gatherFlags(flags);
}

/** Takes a flag-keyword. */
export function parseKeyword(decoder: CommandDecoder): string {
  return decoder.atom();
}

function parseFlag(decoder: CommandDecoder): string {
  const start = decoder.offset;
  if (!decoder.accept(BACKSLASH)) return parseKeyword(decoder);
  const name = `\\${decoder.atom()}`.toLowerCase();
  const flag = SYSTEM_FLAGS.find((known) => known.toLowerCase() === name);
  if (flag === undefined) throw decoder.error(`${SYSTEM_FLAGS.join(', ')} or a keyword`, start);
  return flag;
}

function gatherFlags(flags: readonly string[]): FlagList {
  const system = new Set<SystemFlag>();
  const keywords = new Map<string, string>();
  for (const flag of flags) {
    if (isSystemFlag(flag)) system.add(flag);
    else if (!keywords.has(flag.toLowerCase())) keywords.set(flag.toLowerCase(), flag);
  }
  return { system: [...system], keywords: [...keywords.values()] };
}

function isSystemFlag(flag: string): flag is SystemFlag {
  return flag.startsWith('\\');
}

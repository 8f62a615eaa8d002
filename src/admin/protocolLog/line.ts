/**
 * A line of the protocol log: as a row of JSON in a file, and as an administrator reads it.
 */

import type { TappedSession } from '../../net/sessionTap.ts';

/** `C`: the client's. `S`: the server's. `-`: what became of the session, or of the log. */
export type Direction = 'C' | 'S' | '-';

/** One line. Everything in it is printable, and no secret. */
export interface ProtocolLine {
  /** ISO 8601 in UTC, with milliseconds. */
  readonly at: string;
  /** Absent where the line is about the log itself. */
  readonly session?: string;
  readonly protocol?: TappedSession['protocol'];
  readonly listener?: string;
  readonly remoteAddress?: string;
  /** Once it is known. */
  readonly account?: string;
  readonly direction: Direction;
  readonly text: string;
}

/** For a terminal: one line with its line end. */
export function formatLine(line: ProtocolLine): string {
  const { at, session = '-', listener = '-', remoteAddress = '-', account = '-', direction, text } = line;
  const mark = direction === '-' ? '--' : `${direction}:`;
  return `${at} ${session} ${listener} ${remoteAddress} ${account} ${mark} ${text}\n`;
}

/** A row of a file; undefined where it is none, as the last one of a server that was killed. */
export function parseLine(row: string): ProtocolLine | undefined {
  try {
    const value: unknown = JSON.parse(row);
    const isLine = typeof value === 'object' && value !== null && 'at' in value && 'text' in value;
    return isLine ? (value as ProtocolLine) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reading the protocol log's files: row by row, so that a log of any size costs the memory of a row.
 *
 * Works beside a running server and without one; a row that is being written, and a file that goes meanwhile, are left out.
 */

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { AddressRanges } from '../../net/addressRange.ts';
import { type ProtocolLine, parseLine } from './line.ts';
import { logFileNames } from './logFiles.ts';

/** Which lines are wanted; all, where nothing is said. */
export interface LineFilter {
  /** In lower case. */
  readonly account?: string | undefined;
  /** An address or a range. */
  readonly address?: string | undefined;
  readonly session?: string | undefined;
}

/** Whether a line is wanted. Of an account's session that includes lines from before its login, once one with the account has come. */
export function lineFilter(filter: LineFilter): {
  wants(line: ProtocolLine): boolean;
  learn(line: ProtocolLine): void;
} {
  const ranges = filter.address === undefined ? undefined : new AddressRanges([filter.address]);
  const sessions = new Set<string>();
  const isAccount = ({ account }: ProtocolLine) => account?.toLowerCase() === filter.account;
  return {
    learn: (line) => {
      if (filter.account !== undefined && line.session !== undefined && isAccount(line))
        sessions.add(line.session);
    },
    wants: (line) => {
      if (filter.session !== undefined && line.session !== filter.session) return false;
      if (ranges !== undefined && !ranges.includes(line.remoteAddress ?? '')) return false;
      return filter.account === undefined || isAccount(line) || sessions.has(line.session ?? '');
    },
  };
}

/** The lines of all files in `directory` that are wanted, in their order. */
export async function* readLog(directory: string, filter: LineFilter): AsyncGenerator<ProtocolLine> {
  const { learn, wants } = lineFilter(filter);
  if (filter.account !== undefined) for await (const line of allLines(directory)) learn(line);
  for await (const line of allLines(directory)) if (wants(line)) yield line;
}

async function* allLines(directory: string): AsyncGenerator<ProtocolLine> {
  for (const name of await logFileNames(directory)) {
    const file = createReadStream(join(directory, name), 'utf8');
    const rows = createInterface({ input: file });
    try {
      for await (const row of rows) {
        const line = parseLine(row);
        if (line !== undefined) yield line;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    } finally {
      file.destroy();
    }
  }
}

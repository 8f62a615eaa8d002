/**
 * Reads a directory's names in slices, and tells which directory it is: a hundred thousand files neither hold the event loop nor are
 * in memory at a time.
 */

import type { Dirent } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';

import { type FileName, fileName } from './fileNames.ts';
import { SCAN_BATCH_NAMES } from './limits.ts';

/** An entry of a directory. */
export interface Entry {
  readonly name: FileName;
  /** `directory` and `other` as the directory itself says; `file` as well where it does not say. */
  readonly form: 'file' | 'directory' | 'other';
}

/** What tells one directory from another that stands in its place later: a mount that comes or goes. */
export async function identityOf(directory: string): Promise<string> {
  const { dev, ino } = await stat(directory, { bigint: true });
  return `${dev}:${ino}`;
}

/**
 * The entries of a directory, in its own order. Where a file system does not tell forms, Node asks for them one by one. Errors: the
 * system's.
 */
export async function* entriesOf(directory: string): AsyncGenerator<Entry, void> {
  // Node's types know text alone.
  const options = { encoding: 'buffer' as BufferEncoding, bufferSize: SCAN_BATCH_NAMES };
  for await (const entry of await opendir(directory, options)) {
    yield { name: fileName((entry as unknown as Dirent<Buffer>).name), form: formOf(entry) };
  }
}

function formOf(entry: Dirent): Entry['form'] {
  if (entry.isDirectory()) return 'directory';
  const isOther =
    entry.isSymbolicLink() ||
    entry.isFIFO() ||
    entry.isSocket() ||
    entry.isBlockDevice() ||
    entry.isCharacterDevice();
  return isOther ? 'other' : 'file';
}

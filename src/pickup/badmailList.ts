/**
 * What lies in badmail: how many files, the oldest, a list of them, and the way back into the directory.
 *
 * Other programs may change it as well, so it is read anew after a while; never more than a limit of it, in slices.
 */

import { unlink } from 'node:fs/promises';

import { unixMs } from '../base/clock.ts';
import { reasonNameOf, REASON_ENDING } from './badmail.ts';
import { refuseLink } from './badmailPlace.ts';
import type { BadFile, PickupDirectory, PickupRetry } from './contract.ts';
import { lookAt } from './fileLook.ts';
import { type FileName, fileNameOf, isUnfinished, pathOf, showName } from './fileNames.ts';
import { readStart } from './fileReading.ts';
import { BAD_FILE_LIMIT, REASON_LOOK_OCTETS } from './limits.ts';
import { codeOf, moveFile } from './moveFile.ts';
import { MS_NS } from './observation.ts';
import { entriesOf } from './scan.ts';
import { reasonOf } from './trouble.ts';

/** A file in badmail, by its octets. */
interface BadEntry {
  readonly name: FileName;
  readonly octets: number;
  /** When it came, which is when its name last changed. */
  readonly at: number;
}

/** The files in a badmail directory, oldest first, BAD_FILE_LIMIT at most; none where it has not been made yet. Errors: the system's. */
export async function badEntries(badmailDirectory: string): Promise<readonly BadEntry[]> {
  const entries: BadEntry[] = [];
  try {
    for await (const { name, form } of entriesOf(badmailDirectory)) {
      if (form !== 'file' || isUnfinished(name) || name.endsWith(REASON_ENDING)) continue;
      const entry = await lookAtEntry(badmailDirectory, name);
      if (entry !== undefined) entries.push(entry);
      if (entries.length === BAD_FILE_LIMIT) break;
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  return entries.sort((one, other) => one.at - other.at || (one.name < other.name ? -1 : 1));
}

/** The oldest `limit` files in badmail, with their reasons. Errors: the system's. */
export async function listBad(badmailDirectory: string, limit: number): Promise<readonly BadFile[]> {
  const files: BadFile[] = [];
  for (const { name, octets, at } of (await badEntries(badmailDirectory)).slice(0, limit)) {
    const reason = await readReason(badmailDirectory, name);
    files.push({ file: showName(name), octets, at: unixMs(at), reason });
  }
  return files;
}

/** Moves files back into the directory, under the names that they have, and removes their reasons. */
export async function moveBackFromBadmail(
  rules: Pick<PickupDirectory, 'directory' | 'badmailDirectory'>,
  { names, all }: { readonly names: readonly string[]; readonly all: boolean },
): Promise<PickupRetry> {
  const moved: string[] = [];
  const failed: { file: string; reason: string }[] = [];
  for (const { name, file } of await chosen(rules.badmailDirectory, names, all)) {
    const reason = name === undefined ? 'there is no such file in badmail' : await moveOneBack(rules, name);
    if (reason === undefined) moved.push(file);
    else failed.push({ file, reason });
  }
  return { moved, failed };
}

/** Names as they are shown, or as they are. */
async function chosen(
  badmailDirectory: string,
  names: readonly string[],
  all: boolean,
): Promise<{ readonly file: string; readonly name: FileName | undefined }[]> {
  if (!all && names.length === 0) return [];
  const entries = await badEntries(badmailDirectory);
  if (all) return entries.map(({ name }) => ({ file: showName(name), name }));
  const byShown = new Map(entries.map(({ name }) => [showName(name), name]));
  const byName = new Map(entries.map(({ name }) => [name, name]));
  return [...new Set(names)].map((file) => ({
    file,
    name: byShown.get(file) ?? byName.get(fileNameOf(file)),
  }));
}

async function moveOneBack(
  { directory, badmailDirectory }: Pick<PickupDirectory, 'directory' | 'badmailDirectory'>,
  name: FileName,
): Promise<string | undefined> {
  try {
    await refuseLink({ directory, badmailDirectory });
    const isMoved = await moveFile(pathOf(badmailDirectory, name), pathOf(directory, name));
    if (!isMoved) return 'the directory has a file of this name';
  } catch (error) {
    return reasonOf(error);
  }
  // A reason that stays behind tells of a file that is not there; that harms nobody.
  await unlink(pathOf(badmailDirectory, reasonNameOf(name))).catch(() => {});
  return undefined;
}

async function lookAtEntry(badmailDirectory: string, name: FileName): Promise<BadEntry | undefined> {
  try {
    const look = await lookAt(pathOf(badmailDirectory, name));
    if (look.form !== 'file') return undefined;
    return { name, octets: look.octets, at: Number(look.changedNs / MS_NS) };
  } catch {
    return undefined;
  }
}

async function readReason(badmailDirectory: string, name: FileName): Promise<string | undefined> {
  try {
    const start = await readStart(pathOf(badmailDirectory, reasonNameOf(name)), REASON_LOOK_OCTETS);
    const line = start.toString().split(/[\r\n]/, 1)[0];
    return line === undefined || line === '' ? undefined : line.replace(/\p{C}/gu, '?');
  } catch {
    return undefined;
  }
}

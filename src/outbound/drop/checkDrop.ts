/**
 * A drop directory tried without a message: a file is written, synced, renamed and removed as for one, under names that no reader
 * takes, and what is there is told.
 */

import { randomBytes } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import type { HopTrouble, RelayCheck } from '../../transfer/relay.ts';
import { makeDirectory, syncNames } from './directory.ts';
import { fullTrouble, shown, troubleOf } from './fileTrouble.ts';
import { FULL_RETRY_MS } from './limits.ts';
import type { DropLook } from './lookAtDrop.ts';

/** What is tried. */
export interface TriedDrop {
  readonly directory: string;
  readonly createDirectory: boolean;
  readonly fileLimit: number;
  look(): Promise<DropLook>;
}

/** Tries. Never rejects. */
export async function checkDrop({
  directory,
  createDirectory,
  fileLimit,
  look,
}: TriedDrop): Promise<RelayCheck> {
  const steps: string[] = [];
  const failed = (trouble: HopTrouble): RelayCheck => ({ isReady: false, steps, trouble });
  try {
    let seen = await look();
    if (seen.kind === 'unseen' && !seen.isSilent && createDirectory) {
      await makeDirectory(directory);
      seen = await look();
    }
    if (seen.kind === 'unseen') return failed(seen.trouble);
    steps.push(`${shown(directory)} is there, and ${filesText(seen.files)} in it`);
    await writeProbe(directory);
    steps.push('a file was written, synced, renamed and removed');
    if (seen.freeOctets !== undefined) steps.push(`${seen.freeOctets} octets are free on its disk`);
    if (fileLimit > 0 && seen.files >= fileLimit)
      return failed(fullTrouble(directory, fileLimit, FULL_RETRY_MS));
    return { isReady: true, steps };
  } catch (error) {
    return failed(troubleOf(directory, error));
  }
}

function filesText(files: number): string {
  return files === 1 ? 'one message is' : `${files === 0 ? 'no' : files} messages are`;
}

async function writeProbe(directory: string): Promise<void> {
  const probe = join(directory, `.hauspost-probe.${randomBytes(8).toString('hex')}.part`);
  const moved = probe.replace(/\.part$/, '.tmp');
  const handle = await open(probe, 'wx', 0o600);
  try {
    try {
      await handle.writeFile(
        'Hauspost tries this directory (hauspost drop test); this file may be deleted.\r\n',
      );
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(probe, moved);
    await syncNames(directory);
  } finally {
    for (const path of [probe, moved]) await unlink(path).catch(() => {});
  }
}

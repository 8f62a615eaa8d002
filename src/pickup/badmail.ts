/**
 * Badmail: where a file goes that cannot be sent, with a reason file beside it. Nothing in it is ever deleted or overwritten.
 *
 * The reason file is on disk under a name that was free before the file is moved beside it: its creation takes the name, and no file
 * is ever there without its reason.
 */

import { mkdir, open, unlink } from 'node:fs/promises';

import { refuseLink } from './badmailPlace.ts';
import { cutName } from './claim.ts';
import { type FileName, pathOf, showName } from './fileNames.ts';
import { readStart } from './fileReading.ts';
import { NAME_LIMIT_OCTETS, NAME_TRIES, REASON_LOOK_OCTETS } from './limits.ts';
import { codeOf, endCopy, moveFile } from './moveFile.ts';
import { type BadFileFacts, formatReason } from './reason.ts';
import { syncDirectory } from './syncDirectory.ts';
import type { Verdict } from './verdict.ts';

/** The ending of reason files. */
export const REASON_ENDING = '.reason.txt';
/** Room for REASON_ENDING or the ending of a copy that is not complete. */
const BASE_LIMIT_OCTETS = NAME_LIMIT_OCTETS - REASON_ENDING.length;

/** A file that goes to badmail. */
export interface BadFileMove {
  readonly directory: string;
  readonly badmailDirectory: string;
  /** Its name now, and the one that it came under. */
  readonly claimName: FileName;
  readonly original: FileName;
  readonly verdict: Verdict;
  readonly facts: Omit<BadFileFacts, 'file'>;
}

/** Moves a file to badmail. Resolves to its name there, when it and its reason are on disk. Errors: the system's. */
export async function moveToBadmail(move: BadFileMove): Promise<FileName> {
  const { directory, badmailDirectory } = move;
  await mkdir(badmailDirectory, { recursive: true });
  await refuseLink(move);
  for (const name of namesFor(move.original, move.facts.handoverId)) {
    const reasonPath = pathOf(badmailDirectory, reasonNameOf(name));
    const reason = await writeReason(reasonPath, move, name);
    if (reason === 'ofAnother') continue;
    await syncDirectory(badmailDirectory);
    const [from, to] = [pathOf(directory, move.claimName), pathOf(badmailDirectory, name)];
    if ((await moveFile(from, to)) || (reason === 'again' && (await endCopy(from, to)))) {
      await syncDirectory(badmailDirectory);
      await syncDirectory(directory);
      return name;
    }
    await unlink(reasonPath);
  }
  throw new Error(`badmail has ${NAME_TRIES} files of this name`);
}

/** The name of a file's reason file. */
export function reasonNameOf(name: FileName): FileName {
  return `${name}${REASON_ENDING}` as FileName;
}

/** The same ones in the same order for the same file: an attempt that a crash ended is found again, whichever name it had got. */
function* namesFor(original: FileName, handoverId: string): Generator<FileName> {
  const name = cutName(original, BASE_LIMIT_OCTETS);
  yield name;
  const dot = name.lastIndexOf('.');
  const [base, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let number = 1; number < NAME_TRIES; number += 1) {
    const mark = number === 1 ? handoverId : `${handoverId}-${number}`;
    const room = BASE_LIMIT_OCTETS - mark.length - 1 - ending.length;
    yield `${cutName(base as FileName, room)}.${mark}${ending}` as FileName;
  }
}

/** `again`: an earlier attempt with the same file has the name; `ofAnother`: another file has it, and nothing is written. */
async function writeReason(
  path: Buffer,
  { verdict, facts }: BadFileMove,
  name: FileName,
): Promise<'written' | 'again' | 'ofAnother'> {
  const text = formatReason(verdict, { ...facts, file: showName(name) });
  // It is whole, since its last line is what it is known by; written anew, a crash would leave less of it, and the file a second name.
  if (await isReasonOf(path, facts.handoverId)) return 'again';
  try {
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } catch (error) {
      // A part of a reason would stand there for good.
      await unlink(path).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
    return 'written';
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'ofAnother';
    throw error;
  }
}

/** Whether a reason file is of an earlier attempt with the same file, which a crash ended. */
async function isReasonOf(path: Buffer, handoverId: string): Promise<boolean> {
  try {
    return (await readStart(path, REASON_LOOK_OCTETS)).includes(`\r\nHandover: ${handoverId}\r\n`);
  } catch {
    return false;
  }
}

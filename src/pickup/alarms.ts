/**
 * What an administrator should read now about a directory, in sentences.
 *
 * Each says what is wrong and with how many files, and names the first of them. What passes by itself is no alarm until it has not passed.
 */

import type { ClaimedFile } from './claimedFiles.ts';
import type { DirectoryKeeper } from './directoryKeeper.ts';
import { showName } from './fileNames.ts';
import type { KnownFile } from './knownFiles.ts';
import {
  KNOWN_FILE_LIMIT,
  PAUSE_ALARM_MS,
  SILENT_ALARM_MS,
  STUCK_ALARM_MS,
  UNREADABLE_ALARM_MS,
} from './limits.ts';

/** Why files are not finished, after so long. */
const UNFINISHED_WORDS: Readonly<Partial<Record<KnownFile['waitingFor'], string>>> = {
  writer: 'still being written, or without a complete header',
  octets: 'empty',
  otherName: 'still under another name as well (a hard link), by which it may be written',
};

/** The sentences, the worst first. `nowMs` is monotonic. */
export function alarmsOf(keeper: DirectoryKeeper, nowMs: number): readonly string[] {
  return [
    ...directoryAlarms(keeper, nowMs),
    ...claimAlarms(keeper.claims.deferred(), nowMs),
    ...fileAlarms([...keeper.known.all()], nowMs),
    ...ignoredAlarms(keeper),
  ];
}

function directoryAlarms(
  { reader, claiming, claims, known, options }: DirectoryKeeper,
  nowMs: number,
): string[] {
  const { directory } = options.rules;
  const alarms: string[] = [];
  if (reader.begunMs !== undefined && nowMs - reader.begunMs >= SILENT_ALARM_MS)
    alarms.push(`${directory} does not answer; a share whose server is gone hangs like this.`);
  if (reader.trouble !== undefined) alarms.push(`${directory} cannot be read: ${reader.trouble.reason}.`);
  if (claiming.unclaimable !== undefined && [...known.all()].some(({ failedClaims }) => failedClaims > 0))
    alarms.push(
      `Files in ${directory} cannot be renamed, so none is taken: ${claiming.unclaimable.reason}. The server needs the right to rename and delete there.`,
    );
  const { pause } = claiming;
  const isWaiting = claims.count + known.count > 0;
  if (pause !== undefined && isWaiting && nowMs - pause.sinceMs >= PAUSE_ALARM_MS)
    alarms.push(`Nothing is taken for now: ${pause.trouble.reason}.`);
  if (claims.isFull)
    alarms.push(
      `${claims.count} files are put off already; no others are begun until some of them are taken.`,
    );
  if (known.uncounted > 0)
    alarms.push(`The directory has more than ${KNOWN_FILE_LIMIT} files; the others are looked at in turn.`);
  return alarms;
}

function claimAlarms(deferred: readonly ClaimedFile[], nowMs: number): string[] {
  const alarms: string[] = [];
  const stuck = (kind: ClaimedFile['step']['kind'], afterMs: number) =>
    deferred.filter(
      ({ step, trouble }) =>
        step.kind === kind && trouble !== undefined && nowMs - trouble.sinceMs >= afterMs,
    );
  const sentence = (files: readonly ClaimedFile[], what: string) => {
    const [first] = files;
    if (first?.trouble !== undefined)
      alarms.push(`${counted(files.length, what)}: ${showName(first.claimName)}: ${first.trouble.reason}.`);
  };
  sentence(stuck('badmail', 0), 'cannot be moved to badmail');
  sentence(stuck('remove', 0), 'was sent and cannot be removed; it is not sent again');
  const unreadable = stuck('take', UNREADABLE_ALARM_MS).filter(({ trouble }) => isAboutRights(trouble?.code));
  sentence(unreadable, 'may not be read');
  sentence(
    [...stuck('take', STUCK_ALARM_MS), ...stuck('ask', STUCK_ALARM_MS)].filter(
      (file) => !unreadable.includes(file),
    ),
    'could not be taken for ten minutes',
  );
  return alarms;
}

function fileAlarms(files: readonly KnownFile[], nowMs: number): string[] {
  const alarms: string[] = [];
  const barred = files.filter(
    ({ waitingFor, trouble, failedClaims }) =>
      waitingFor === 'access' &&
      failedClaims === 0 &&
      nowMs - (trouble?.sinceMs ?? nowMs) >= UNREADABLE_ALARM_MS,
  );
  const [first] = barred;
  if (first !== undefined)
    alarms.push(
      `${counted(barred.length, 'may not be read')}: ${showName(first.name)}: ${first.trouble?.reason}.`,
    );
  const isOld = ({ observation }: KnownFile) => nowMs - (observation?.firstSeenMs ?? nowMs) >= STUCK_ALARM_MS;
  for (const [waitingFor, words] of Object.entries(UNFINISHED_WORDS)) {
    const old = files.filter((file) => file.waitingFor === waitingFor && isOld(file));
    const [oldest] = old;
    if (oldest !== undefined)
      alarms.push(`${counted(old.length, `has been ${words} for ten minutes`)}: ${showName(oldest.name)}.`);
  }
  return alarms;
}

function ignoredAlarms({ reader, known }: DirectoryKeeper): string[] {
  const count = reader.ignored + [...known.all()].filter(({ waitingFor }) => waitingFor === 'never').length;
  if (count === 0) return [];
  return [`${counted(count, 'is a link or device and is never taken')}.`];
}

function isAboutRights(code: string | undefined): boolean {
  return code === 'EACCES' || code === 'EPERM';
}

/** `1 file is …`, `3 files: each is …`. */
function counted(count: number, what: string): string {
  return count === 1 ? `1 file ${what}` : `${count} files, each ${what}`;
}

/**
 * What is done with a claimed file, step by step: asked about, taken, removed, moved to badmail or back.
 *
 * The file is removed only after its message was committed, and the commit has the claim's id: whatever happens between the two, the
 * next attempt or the next start learns that it was accepted. So nothing has to be synced after the removal; but the claim's name has to
 * be on disk before the commit, since after a power cut the file would be there under its old name, and be sent again.
 */

import { unlink } from 'node:fs/promises';

import type { Clock } from '../base/clock.ts';
import { traceIdTime } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Transfer } from '../transfer/contract.ts';
import { moveToBadmail } from './badmail.ts';
import type { ClaimedFile, ClaimStep } from './claimedFiles.ts';
import type { PickupDirectory } from './contract.ts';
import { lookAt } from './fileLook.ts';
import { type FileName, pathOf, showName } from './fileNames.ts';
import { REFUSED_EXPIRY_MS, SHARE_MEMORY_MS } from './limits.ts';
import { codeOf, isCopy, moveFile } from './moveFile.ts';
import { type Look, MS_NS } from './observation.ts';
import { takeFile } from './takeFile.ts';
import type { Tally } from './tally.ts';
import { verdictOnLateGrowth } from './verdict.ts';

/** What steps need. */
export interface StepSurroundings {
  readonly rules: PickupDirectory;
  readonly transfer: Pick<Transfer, 'accept' | 'wasAccepted' | 'noteBadFile'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly tally: Tally;
  /** Puts the names of claims on disk. */
  readonly syncClaims: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** How a step ended. */
export type StepEnd =
  /** The claim is over: the file is gone, or was never ours. `isBad`: it went to badmail; `isGone`: nothing was found under its name. */
  | { readonly kind: 'done'; readonly isBad?: boolean; readonly isGone?: boolean }
  | { readonly kind: 'next'; readonly step: ClaimStep; readonly waitMs: number }
  /** Nothing changed. */
  | { readonly kind: 'deferred'; readonly error: unknown; readonly isCommon: boolean }
  /** Somebody writes to it: it has its name back. */
  | { readonly kind: 'movedBack'; readonly look: Look };

/** Does the step that comes next. Never rejects. */
export async function runStep(surroundings: StepSurroundings, file: ClaimedFile): Promise<StepEnd> {
  try {
    switch (file.step.kind) {
      case 'ask':
        return await ask(surroundings, file, file.step);
      case 'take':
        return await take(surroundings, file, file.step);
      case 'remove':
        return await remove(surroundings, file);
      case 'badmail':
        return await moveAway(surroundings, file, file.step);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && (await isGone(surroundings, file))) {
      surroundings.log.debug('pickup.file.gone', describe(surroundings, file));
      return { kind: 'done', isGone: true };
    }
    return { kind: 'deferred', error, isCommon: false };
  }
}

/** What each log line about a file says. */
export function describe({ rules }: StepSurroundings, file: ClaimedFile): Record<string, string> {
  return { directory: rules.name, file: showName(file.original), claim: file.handoverId };
}

/** A claim of an earlier run: a crash, or the end of the server, came between. */
async function ask(
  surroundings: StepSurroundings,
  file: ClaimedFile,
  { isOnWayBack = false }: Extract<ClaimStep, { kind: 'ask' }>,
): Promise<StepEnd> {
  const { rules, transfer, log } = surroundings;
  const traceId = await transfer.wasAccepted(file.handoverId);
  if (traceId !== undefined) {
    log.info('pickup.file.recovered', { ...describe(surroundings, file), trace: traceId, accepted: true });
    // Nobody has looked whether it grew. A calendar that was set, or a share's that goes ahead, keeps a file too many, never one too few;
    // but a write sets both times: one alone was set by whoever copied it, or by the claim's rename.
    const { modifiedNs, changedNs } = await lookAt(claimPath(surroundings, file));
    if (modifiedNs === changedNs && modifiedNs > BigInt(traceIdTime(traceId)) * MS_NS)
      return { kind: 'next', step: { kind: 'badmail', verdict: verdictOnLateGrowth(traceId) }, waitMs: 0 };
    return { kind: 'next', step: { kind: 'remove', traceId }, waitMs: 0 };
  }
  const look = await lookAt(claimPath(surroundings, file));
  if (look.form !== 'file') return { kind: 'done' };
  const original = look.links > 1 || isOnWayBack ? await lookAtOriginal(surroundings, file, look) : 'absent';
  if (original === 'same') {
    // The crash, or an error, came when it was on its way back.
    await unlink(claimPath(surroundings, file));
    return { kind: 'done' };
  }
  // What the share says may be of before.
  if (isOnWayBack && original === 'other')
    return { kind: 'next', step: { kind: 'ask' }, waitMs: SHARE_MEMORY_MS };
  log.info('pickup.file.recovered', { ...describe(surroundings, file), accepted: false });
  // Whoever wrote it may be at it still.
  return { kind: 'next', step: { kind: 'take', expected: look }, waitMs: rules.settleMs };
}

async function take(
  surroundings: StepSurroundings,
  file: ClaimedFile,
  { expected }: Extract<ClaimStep, { kind: 'take' }>,
): Promise<StepEnd> {
  const { clock, log, tally, rules } = surroundings;
  const path = claimPath(surroundings, file);
  const shown = showName(file.original);
  const { handoverId } = file;
  // Where that fails only a power cut could double the file: no reason to keep the mail.
  await surroundings.syncClaims().catch(() => {});
  const taken = await takeFile(surroundings, { path, file: shown, handoverId, expected });
  switch (taken.kind) {
    case 'accepted': {
      const { traceId, octets, notes, growth } = taken;
      tally.count(shown, clock.now(), clock.monotonic());
      log.info('pickup.file.taken', { ...describe(surroundings, file), trace: traceId, octets, ...notes });
      if (growth !== undefined)
        return { kind: 'next', step: { kind: 'badmail', verdict: growth }, waitMs: 0 };
      return { kind: 'next', step: { kind: 'remove', traceId }, waitMs: 0 };
    }
    case 'bad':
      return { kind: 'next', step: { kind: 'badmail', verdict: taken.verdict }, waitMs: 0 };
    case 'deferred': {
      const { verdict, ...deferred } = taken;
      const isOver = clock.monotonic() - file.sinceMs >= REFUSED_EXPIRY_MS;
      if (verdict === undefined || !isOver) return deferred;
      return { kind: 'next', step: { kind: 'badmail', verdict }, waitMs: 0 };
    }
    case 'changed':
      log.info('pickup.file.changed', describe(surroundings, file));
      if (taken.look.octets !== expected.octets) {
        const back = await moveBack(surroundings, file);
        if (back === 'moved') return { kind: 'movedBack', look: taken.look };
        if (back === 'unsure')
          return { kind: 'next', step: { kind: 'ask', isOnWayBack: true }, waitMs: rules.settleMs };
      }
      // Some shares change the time of a file that is renamed. It is watched under its claim.
      return { kind: 'next', step: { kind: 'take', expected: taken.look }, waitMs: rules.settleMs };
    case 'gone':
      log.debug('pickup.file.gone', describe(surroundings, file));
      return { kind: 'done', isGone: true };
    case 'leftAlone':
      log.warn('pickup.file.leftAlone', describe(surroundings, file));
      return { kind: 'done' };
  }
}

async function remove(surroundings: StepSurroundings, file: ClaimedFile): Promise<StepEnd> {
  // As long as it cannot be removed, the store has to remember that it was accepted.
  if (file.attempts > 0) await surroundings.transfer.wasAccepted(file.handoverId);
  await unlink(claimPath(surroundings, file));
  return { kind: 'done' };
}

async function moveAway(
  surroundings: StepSurroundings,
  file: ClaimedFile,
  { verdict }: Extract<ClaimStep, { kind: 'badmail' }>,
): Promise<StepEnd> {
  const { rules, clock, log, transfer } = surroundings;
  const { name, directory, badmailDirectory } = rules;
  const { claimName, original, handoverId } = file;
  const facts = { name, directory, at: clock.now(), handoverId };
  const badName = await moveToBadmail({ directory, badmailDirectory, claimName, original, verdict, facts });
  const { traceId, what, code, reversePath, recipients } = verdict;
  const badFile = showName(badName);
  log.warn('pickup.file.bad', { ...describe(surroundings, file), trace: traceId, reason: code, badFile });
  transfer.noteBadFile({
    traceId,
    directory: name,
    file: showName(original),
    badFile,
    reason: what,
    reversePath,
    recipients,
  });
  return { kind: 'done', isBad: true };
}

async function moveBack(
  { rules }: StepSurroundings,
  { claimName, original }: ClaimedFile,
): Promise<'moved' | 'kept' | 'unsure'> {
  const { directory } = rules;
  try {
    const isMoved = await moveFile(pathOf(directory, claimName), pathOf(directory, original));
    return isMoved ? 'moved' : 'kept';
  } catch {
    // It may have both names now.
    return 'unsure';
  }
}

async function isGone(surroundings: StepSurroundings, file: ClaimedFile): Promise<boolean> {
  try {
    await lookAt(claimPath(surroundings, file));
    return false;
  } catch (error) {
    return codeOf(error) === 'ENOENT' && (await isThere(surroundings.rules.directory));
  }
}

async function isThere(directory: string): Promise<boolean> {
  try {
    return (await lookAt(directory)).form !== 'other';
  } catch {
    return false;
  }
}

/** What has a claim's first name. Shares may number the two names of a file apart, and remember old times of one. */
async function lookAtOriginal(
  surroundings: StepSurroundings,
  file: ClaimedFile,
  look: Look,
): Promise<'same' | 'other' | 'absent'> {
  const original = pathOf(surroundings.rules.directory, file.original);
  try {
    const isSameInode = (await lookAt(original)).inode === look.inode;
    return isSameInode || (await isCopy(claimPath(surroundings, file), original)) ? 'same' : 'other';
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'absent' : 'other';
  }
}

function claimPath({ rules }: StepSurroundings, { claimName }: { readonly claimName: FileName }): Buffer {
  return pathOf(rules.directory, claimName);
}

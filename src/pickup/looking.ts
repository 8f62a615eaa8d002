/**
 * Looks at the files that are watched, and says of each what it waits for: its writer, its octets, or only its turn.
 */

import type { Clock } from '../base/clock.ts';
import type { PickupDirectory } from './contract.ts';
import { lookAt } from './fileLook.ts';
import { pathOf } from './fileNames.ts';
import { lookAtHeader, SETTLES } from './headerLook.ts';
import type { KnownFile, KnownFiles } from './knownFiles.ts';
import { STUCK_LOOK_MS } from './limits.ts';
import { codeOf } from './moveFile.ts';
import { type Look, observe, observeAgain, standingOf } from './observation.ts';
import { troubleOf } from './trouble.ts';

/** What looking needs. */
export interface LookSurroundings {
  readonly rules: PickupDirectory;
  readonly clock: Clock;
  readonly known: KnownFiles;
  /** Whether the file was seen before under the name of an unfinished one. */
  readonly wasHidden: (look: Look) => boolean;
}

/** Looks at one file, which is forgotten when it is gone. Never rejects. */
export async function lookAtFile(surroundings: LookSurroundings, file: KnownFile): Promise<void> {
  const { rules, clock, known } = surroundings;
  try {
    const look = await lookAt(pathOf(rules.directory, file.name));
    const ms = clock.monotonic();
    const before = file.observation;
    file.observation =
      before === undefined
        ? observe(look, { ms, at: clock.now() }, isMovedIn(surroundings, file, look))
        : observeAgain(before, look, ms);
    if (file.observation.stillSinceMs === ms) file.headerEnd = undefined;
    await judge(surroundings, file, file.observation);
    if (file.failedClaims === 0) file.trouble = undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      known.forget(file.name);
      return;
    }
    const nowMs = clock.monotonic();
    file.trouble = troubleOf(error, nowMs, file.trouble);
    file.waitingFor = 'access';
    file.lookMs = nowMs + restOf(rules, nowMs - file.trouble.sinceMs);
  }
}

/** At the first look. What was written to meanwhile has its writer still, however it came. */
function isMovedIn({ wasHidden }: LookSurroundings, { told }: KnownFile, look: Look): boolean {
  return told === 'movedIn' || (told === 'nothing' && wasHidden(look));
}

async function judge(
  { rules, clock }: LookSurroundings,
  file: KnownFile,
  observation: NonNullable<KnownFile['observation']>,
): Promise<void> {
  const nowMs = clock.monotonic();
  const standing = standingOf(observation, nowMs, rules.settleMs);
  const wait = (waitingFor: KnownFile['waitingFor'], lookMs: number) => {
    file.waitingFor = waitingFor;
    file.lookMs = lookMs;
  };
  const later = nowMs + restOf(rules, nowMs - observation.firstSeenMs);
  switch (standing.kind) {
    case 'leftAlone':
      return wait('never', nowMs + STUCK_LOOK_MS);
    case 'empty':
      return wait('octets', later);
    case 'linked':
      return wait('otherName', later);
    case 'unfinished':
      return wait('writer', Math.min(standing.lookMs, nowMs + rules.scanMs));
    case 'movedIn':
      return wait('turn', nowMs);
    case 'still': {
      file.headerEnd ??= await lookAtHeader(rules.directory, file.name, rules.headerLimitOctets);
      const settleMs = rules.settleMs * SETTLES[file.headerEnd];
      if (standing.stillMs >= settleMs) return wait('turn', nowMs);
      return wait('writer', Math.min(observation.stillSinceMs + settleMs, nowMs + STUCK_LOOK_MS));
    }
  }
}

/** What is not getting finished is looked at less often as time goes by. */
function restOf({ scanMs }: PickupDirectory, ageMs: number): number {
  return Math.max(scanMs, Math.min(STUCK_LOOK_MS, ageMs / 2));
}

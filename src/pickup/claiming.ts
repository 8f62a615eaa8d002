/**
 * Claims finished files by renaming them, and follows each claim from step to step until it is over or has to wait.
 */

import { rename } from 'node:fs/promises';

import type { Clock } from '../base/clock.ts';
import { claimName, newHandoverId } from './claim.ts';
import type { ClaimedFile, ClaimedFiles } from './claimedFiles.ts';
import { describe, runStep, type StepEnd, type StepSurroundings } from './claimSteps.ts';
import { waitAfter } from './deferral.ts';
import { lookAt } from './fileLook.ts';
import { pathOf } from './fileNames.ts';
import type { KnownFile, KnownFiles } from './knownFiles.ts';
import { SHORT_NAME_LIMIT_OCTETS } from './limits.ts';
import { codeOf } from './moveFile.ts';
import { observe } from './observation.ts';
import { type Trouble, troubleOf } from './trouble.ts';

/** What claiming needs. */
export interface ClaimSurroundings extends StepSurroundings {
  readonly known: KnownFiles;
  readonly claims: ClaimedFiles;
}

/** Nothing works for now, whatever the file. */
interface Pause {
  readonly attempts: number;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly trouble: Trouble;
}

/** Claims files of one directory. */
export class Claiming {
  readonly #surroundings: ClaimSurroundings;
  readonly #clock: Clock;
  #pause: Pause | undefined;
  #unclaimable: Trouble | undefined;
  #badCount = 0;

  constructor(surroundings: ClaimSurroundings) {
    this.#surroundings = surroundings;
    this.#clock = surroundings.clock;
  }

  /** Why nothing is taken for now. */
  get pause(): Pause | undefined {
    return this.#pause;
  }

  /** Why files cannot be claimed. */
  get unclaimable(): Trouble | undefined {
    return this.#unclaimable;
  }

  /** How many files went to badmail. */
  get badCount(): number {
    return this.#badCount;
  }

  /** Whatever did not work is tried again. */
  hasten(): void {
    this.#pause = undefined;
  }

  /** Claims a finished file, and takes it. */
  async claim(file: KnownFile): Promise<void> {
    const { known } = this.#surroundings;
    if (file.observation === undefined) return;
    file.waitingFor = 'claim';
    const { look, firstSeenMs, firstSeenAt } = file.observation;
    const handoverId = newHandoverId();
    const since = { sinceMs: firstSeenMs, sinceAt: firstSeenAt, dueMs: firstSeenMs, attempts: 0 };
    const step = { kind: 'take', expected: look } as const;
    let claim: ClaimedFile = {
      ...since,
      step,
      handoverId,
      original: file.name,
      claimName: claimName(file.name, handoverId),
    };
    let error = await this.#rename(claim);
    if (codeOf(error) === 'ENAMETOOLONG') {
      claim = { ...claim, claimName: claimName(file.name, handoverId, SHORT_NAME_LIMIT_OCTETS) };
      error = await this.#rename(claim);
    }
    if (error !== undefined) return this.#giveUp(file, error);
    known.forget(file.name);
    this.#unclaimable = undefined;
    await this.follow(claim);
  }

  /** Does step after step, until the claim is over or has to wait. */
  async follow(claim: ClaimedFile): Promise<void> {
    const { claims } = this.#surroundings;
    let file = claim;
    for (;;) {
      const end = await runStep(this.#surroundings, file);
      if (end.kind === 'next') {
        if (file.step.kind === 'take') this.#pause = undefined;
        const dueMs = this.#clock.monotonic() + end.waitMs;
        file = { ...file, step: end.step, attempts: 0, trouble: undefined, dueMs };
        claims.put(file);
        if (end.waitMs === 0) continue;
        claims.end(file);
        return;
      }
      this.#conclude(file, end);
      return;
    }
  }

  #conclude(file: ClaimedFile, end: Exclude<StepEnd, { kind: 'next' }>): void {
    const { claims, known, clock } = this.#surroundings;
    switch (end.kind) {
      case 'done':
        if (end.isBad === true) this.#badCount += 1;
        if (end.isGone === true) claims.lose(file);
        else claims.remove(file);
        return;
      case 'movedBack':
        claims.remove(file);
        known.add(file.original, observe(end.look, { ms: clock.monotonic(), at: clock.now() }, false));
        return;
      case 'deferred':
        this.#defer(file, end.error, end.isCommon);
    }
  }

  #defer(file: ClaimedFile, error: unknown, isCommon: boolean): void {
    const { claims, log } = this.#surroundings;
    const nowMs = this.#clock.monotonic();
    const trouble = troubleOf(error, nowMs, file.trouble);
    const { code, reason } = trouble;
    if (code !== file.trouble?.code)
      log.warn('pickup.file.deferred', {
        ...describe(this.#surroundings, file),
        step: file.step.kind,
        code,
        reason,
      });
    claims.defer(file, nowMs, trouble);
    claims.end(file);
    // What failed side by side has failed once.
    if (!isCommon || nowMs < (this.#pause?.untilMs ?? nowMs)) return;
    const attempts = (this.#pause?.attempts ?? 0) + 1;
    const sinceMs = this.#pause?.sinceMs ?? nowMs;
    this.#pause = { attempts, sinceMs, untilMs: nowMs + waitAfter(attempts), trouble };
  }

  /** Resolves to the error where it is not renamed. */
  async #rename(claim: ClaimedFile): Promise<unknown> {
    const { claims, rules } = this.#surroundings;
    // Known before it is there: a scan must not take it for one of an earlier run.
    claims.put(claim);
    claims.begin(claim);
    const path = pathOf(rules.directory, claim.claimName);
    try {
      await rename(pathOf(rules.directory, claim.original), path);
    } catch (error) {
      // Of a share the answer alone may have been lost, and NFS then finds the old name missing when it asks once more.
      const isRenamed = await isThere(path);
      if (isRenamed === true) return undefined;
      // It may be there later: a share has done it all the same.
      claims.lose(claim);
      // Nobody can tell now: later.
      if (isRenamed === undefined)
        claims.defer(
          { ...claim, step: { kind: 'ask' } },
          this.#clock.monotonic(),
          troubleOf(error, this.#clock.monotonic(), undefined),
        );
      return error;
    }
    return undefined;
  }

  /** It cannot be claimed: it waits where it is. On Windows that is how a file tells that somebody has it open. */
  #giveUp(file: KnownFile, error: unknown): void {
    const { known, log, rules } = this.#surroundings;
    if (codeOf(error) === 'ENOENT') {
      known.forget(file.name);
      return;
    }
    const nowMs = this.#clock.monotonic();
    file.failedClaims += 1;
    file.trouble = troubleOf(error, nowMs, file.trouble);
    file.waitingFor = 'access';
    file.lookMs = nowMs + waitAfter(file.failedClaims);
    const { code, reason } = file.trouble;
    if (code !== this.#unclaimable?.code)
      log.warn('pickup.directory.unclaimable', { directory: rules.name, code, reason });
    this.#unclaimable = troubleOf(error, nowMs, this.#unclaimable);
  }
}

/** Whether a claim has come about; undefined where that cannot be seen. */
async function isThere(path: Buffer): Promise<boolean | undefined> {
  try {
    await lookAt(path);
    return true;
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? false : undefined;
  }
}

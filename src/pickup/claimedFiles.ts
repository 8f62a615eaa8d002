/**
 * The claims of a directory: files that are being taken, or that could not be taken, removed or moved to badmail for now. Each has a
 * step that comes next, and a time for it.
 */

import type { UnixMs } from '../base/clock.ts';
import type { TraceId } from '../base/ids.ts';
import { waitAfter } from './deferral.ts';
import type { FileName } from './fileNames.ts';
import { CLAIMED_FILE_LIMIT } from './limits.ts';
import type { Look } from './observation.ts';
import type { Trouble } from './trouble.ts';
import type { Verdict } from './verdict.ts';

/** What comes next for a claim. */
export type ClaimStep =
  /**
   * It is of an earlier run, was lost from sight, or was to get its name back and nobody knows whether it did (`isOnWayBack`): whether its
   * message was committed, and which names it has, has to be asked.
   */
  | { readonly kind: 'ask'; readonly isOnWayBack?: boolean }
  /** `expected`: what it must still be. */
  | { readonly kind: 'take'; readonly expected: Look }
  /** Its message is committed: it only has to go. */
  | { readonly kind: 'remove'; readonly traceId: TraceId }
  | { readonly kind: 'badmail'; readonly verdict: Verdict };

/** A file that is claimed. */
export interface ClaimedFile {
  readonly claimName: FileName;
  readonly original: FileName;
  readonly handoverId: string;
  /** When it was first seen. */
  readonly sinceMs: number;
  readonly sinceAt: UnixMs;
  readonly step: ClaimStep;
  /** Attempts of this step in vain. */
  readonly attempts: number;
  /** Monotonic. */
  readonly dueMs: number;
  readonly trouble?: Trouble | undefined;
}

/** Claims of one directory. */
export class ClaimedFiles {
  readonly #files = new Map<FileName, ClaimedFile>();
  readonly #underWay = new Set<FileName>();
  readonly #originals = new Set<FileName>();
  /** Newest last. */
  readonly #lost = new Set<FileName>();

  get count(): number {
    return this.#files.size;
  }

  /** Whether nothing more is to be claimed. */
  get isFull(): boolean {
    return this.#files.size >= CLAIMED_FILE_LIMIT;
  }

  all(): IterableIterator<ClaimedFile> {
    return this.#files.values();
  }

  /** Claims that were put off, those that are just tried once more among them. */
  deferred(): ClaimedFile[] {
    return [...this.#files.values()].filter((file) => file.attempts > 0 || !this.#isUnderWay(file));
  }

  has(claimName: FileName): boolean {
    return this.#files.has(claimName);
  }

  /** Whether a claim has taken the place of a file of this name. */
  hasOriginal(name: FileName): boolean {
    return this.#originals.has(name);
  }

  /** Adds a claim, or puts it in the place of what was known of it. */
  put(file: ClaimedFile): void {
    this.#files.set(file.claimName, file);
    this.#originals.add(file.original);
    this.#lost.delete(file.claimName);
  }

  /** The step failed, or has to wait. */
  defer(file: ClaimedFile, nowMs: number, trouble: Trouble): void {
    const attempts = file.attempts + 1;
    this.put({ ...file, attempts, trouble, dueMs: nowMs + waitAfter(attempts) });
  }

  remove({ claimName, original }: ClaimedFile): void {
    this.#files.delete(claimName);
    this.#underWay.delete(claimName);
    this.#originals.delete(original);
  }

  /**
   * Nothing seems to be there under its name. A share whose answers get lost may show the file later: whoever finds it then may take it
   * up, since it is ours (`isLost`).
   */
  lose(file: ClaimedFile): void {
    this.remove(file);
    this.#lost.add(file.claimName);
    if (this.#lost.size <= CLAIMED_FILE_LIMIT) return;
    for (const oldest of this.#lost) {
      this.#lost.delete(oldest);
      return;
    }
  }

  /** Whether it was made by us and has not been seen. */
  isLost(claimName: FileName): boolean {
    return this.#lost.has(claimName);
  }

  /** Its turn has come; `end` says that it is over. */
  begin({ claimName }: ClaimedFile): void {
    this.#underWay.add(claimName);
  }

  end({ claimName }: ClaimedFile): void {
    this.#underWay.delete(claimName);
  }

  /** A claim whose time has come; with `isPaused` only of those that need nothing of the door. */
  nextDue(nowMs: number, isPaused: boolean): ClaimedFile | undefined {
    for (const file of this.#files.values())
      if (file.dueMs <= nowMs && this.#mayBegin(file, isPaused)) return file;
    return undefined;
  }

  /** When the next one is due; undefined when none is. */
  nextDueMs(isPaused: boolean): number | undefined {
    let next: number | undefined;
    for (const file of this.#files.values())
      if (file.dueMs < (next ?? Number.POSITIVE_INFINITY) && this.#mayBegin(file, isPaused))
        next = file.dueMs;
    return next;
  }

  /** Everything that waits is tried now. */
  hasten(nowMs: number): void {
    for (const file of this.#atRest()) this.#files.set(file.claimName, { ...file, dueMs: nowMs });
  }

  /** The directory is gone: what is claimed in it is found again when it comes back. */
  clear(): void {
    for (const file of this.#atRest()) this.remove(file);
  }

  /** Claims that nothing is done with now. */
  #atRest(): ClaimedFile[] {
    return [...this.#files.values()].filter((file) => !this.#isUnderWay(file));
  }

  #isUnderWay({ claimName }: ClaimedFile): boolean {
    return this.#underWay.has(claimName);
  }

  #mayBegin(file: ClaimedFile, isPaused: boolean): boolean {
    if (this.#isUnderWay(file)) return false;
    const { step } = file;
    return !isPaused || step.kind === 'remove' || step.kind === 'badmail';
  }
}

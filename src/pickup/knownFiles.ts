/**
 * The files of a directory that are watched until they are finished. There may be more in the directory than are known here; which
 * of those come next is left to chance, so that files that never get finished do not keep others out.
 */

import type { FileName } from './fileNames.ts';
import type { HeaderEnd } from './headerLook.ts';
import type { Told } from './hints.ts';
import { DUE_FILE_LIMIT, KNOWN_FILE_LIMIT } from './limits.ts';
import type { Observation } from './observation.ts';
import type { Trouble } from './trouble.ts';

/** Why a file waits, as far as it is known. */
export type WaitingFor = 'look' | 'writer' | 'octets' | 'otherName' | 'never' | 'access' | 'turn' | 'claim';

/** A file that is watched. Its fields change as it is looked at. */
export interface KnownFile {
  readonly name: FileName;
  /** Undefined until the first look. */
  observation: Observation | undefined;
  /** What events told of it before the first look; `movedIn` of those alone that are new since the last complete scan. */
  told: Told;
  /** Monotonic: when to look again. */
  lookMs: number;
  waitingFor: WaitingFor;
  /** How the header ended, as long as nobody writes. */
  headerEnd: HeaderEnd | undefined;
  /** What went wrong with it, and how often it could not be claimed. */
  trouble: Trouble | undefined;
  failedClaims: number;
  /** The last scan that found it. */
  scan: number;
}

/** Files that are watched. */
export class KnownFiles {
  readonly #files = new Map<FileName, KnownFile>();
  #scan = 0;
  /** New names that the scan under way has found no room for. */
  #leftOver = 0;
  /** Of the last complete scan. */
  #uncounted = 0;
  #share = 1;
  #isComplete = false;

  /** Files that wait, those that are not watched among them. */
  get count(): number {
    return this.#files.size + this.#uncounted;
  }

  /** How many are there without being watched. */
  get uncounted(): number {
    return this.#uncounted;
  }

  /** Whether the scan before was complete and found room for every name: then a new name is a new file. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  find(name: FileName): KnownFile | undefined {
    return this.#files.get(name);
  }

  all(): IterableIterator<KnownFile> {
    return this.#files.values();
  }

  beginScan(): void {
    this.#scan += 1;
    this.#leftOver = 0;
  }

  /** A scan has found a name. */
  meet(name: FileName, nowMs: number, toldOf: () => Told): void {
    const known = this.#files.get(name);
    if (known !== undefined) {
      known.scan = this.#scan;
      return;
    }
    const hasRoom = this.#files.size < KNOWN_FILE_LIMIT;
    if (!hasRoom || (this.#share < 1 && Math.random() >= this.#share)) {
      this.#leftOver += 1;
      return;
    }
    const told = toldOf();
    this.#files.set(
      name,
      this.#newFile(name, nowMs, told === 'movedIn' && !this.#isComplete ? 'nothing' : told),
    );
  }

  /** The scan is over: what it did not find is gone. */
  endScan(): void {
    for (const { name, scan } of this.#files.values()) if (scan !== this.#scan) this.#files.delete(name);
    this.#isComplete = this.#leftOver === 0;
    this.#uncounted = this.#isComplete ? 0 : this.#leftOver + this.#makeRoom();
    const room = KNOWN_FILE_LIMIT - this.#files.size;
    this.#share = this.#isComplete ? 1 : Math.min(1, Math.max(1, room) / this.#uncounted);
  }

  /** What was moved back by ourselves: known, and watched from now on. */
  add(name: FileName, observation: Observation): void {
    const file = this.#newFile(name, observation.stillSinceMs, 'nothing');
    this.#files.set(name, { ...file, observation });
  }

  forget(name: FileName): void {
    this.#files.delete(name);
  }

  clear(): void {
    this.#files.clear();
    this.#uncounted = 0;
    this.#isComplete = false;
    this.#share = 1;
  }

  /** Files that it is time to look at, those first that came first, DUE_FILE_LIMIT at most: the others are due still. */
  due(nowMs: number): readonly KnownFile[] {
    const due: KnownFile[] = [];
    // A Map keeps the order in which files were met.
    for (const file of this.#files.values()) {
      if (!isLookedAt(file) || file.lookMs > nowMs) continue;
      due.push(file);
      if (due.length === DUE_FILE_LIMIT) break;
    }
    return due.sort(byAge);
  }

  /** When the next look is due; undefined when none is. */
  nextLookMs(): number | undefined {
    let next: number | undefined;
    for (const file of this.#files.values())
      if (isLookedAt(file) && file.lookMs < (next ?? Number.POSITIVE_INFINITY)) next = file.lookMs;
    return next;
  }

  #newFile(name: FileName, nowMs: number, told: Told): KnownFile {
    return {
      name,
      observation: undefined,
      told,
      lookMs: nowMs,
      waitingFor: 'look',
      headerEnd: undefined,
      trouble: undefined,
      failedClaims: 0,
      scan: this.#scan,
    };
  }

  /** Files that do not get finished make room for others, which are looked at in turn with them. Returns how many do. */
  #makeRoom(): number {
    const before = this.#files.size;
    for (const { name, waitingFor } of this.#files.values())
      if (waitingFor === 'octets' || waitingFor === 'otherName' || waitingFor === 'never')
        this.#files.delete(name);
    return before - this.#files.size;
  }
}

function isLookedAt({ waitingFor }: KnownFile): boolean {
  return waitingFor !== 'turn' && waitingFor !== 'claim';
}

function byAge(one: KnownFile, other: KnownFile): number {
  const age = (one.observation?.firstSeenMs ?? one.lookMs) - (other.observation?.firstSeenMs ?? other.lookMs);
  if (age !== 0) return age;
  return one.name < other.name ? -1 : 1;
}

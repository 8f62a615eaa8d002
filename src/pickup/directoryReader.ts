/**
 * Reads one directory at intervals, and at once when events call for it: meets its files and the claims of earlier runs, and notices
 * when it cannot be read or another one has come in its place.
 *
 * The interval is the truth, since shares send no events.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type ClaimName, parseClaimName } from './claim.ts';
import type { ClaimedFile, ClaimedFiles } from './claimedFiles.ts';
import type { PickupDirectory } from './contract.ts';
import { type FileName, isTaken, isUnfinished } from './fileNames.ts';
import { HiddenFiles } from './hiddenFiles.ts';
import { Hints } from './hints.ts';
import type { KnownFiles } from './knownFiles.ts';
import { HINT_SCAN_GAP_MS, LONGEST_SCAN_REST_MS, SCAN_REST_SHARE } from './limits.ts';
import { codeOf } from './moveFile.ts';
import { type Look, observeWrite } from './observation.ts';
import { type Entry, entriesOf, identityOf } from './scan.ts';
import { isShare } from './shares.ts';
import { type Trouble, troubleOf } from './trouble.ts';

/** What a reader needs. */
export interface ReaderOptions {
  readonly rules: PickupDirectory;
  readonly clock: Clock;
  readonly log: Log;
  readonly known: KnownFiles;
  readonly claims: ClaimedFiles;
  /** Something is due earlier than it was. */
  readonly awake: () => void;
}

/** What one scan finds beside names. */
interface Findings {
  ignored: number;
  hasMoreClaims: boolean;
}

/** Errors that say nothing of the directory. */
const TOO_MANY_OPEN: readonly string[] = ['EMFILE', 'ENFILE'];

/** Reads a directory. */
export class DirectoryReader {
  readonly #options: ReaderOptions;
  readonly #hidden = new HiddenFiles();
  readonly #hints: Hints;
  #identity: string | undefined;
  #mayAdopt = true;
  #isClosed = false;
  /** The next scan, and the earliest time for one that events call for. */
  #nextMs: number;
  #earliestMs: number;
  #begunMs: number | undefined;
  #isReadable = true;
  #trouble: Trouble | undefined;
  #ignored = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#nextMs = options.clock.monotonic();
    this.#earliestMs = this.#nextMs;
    this.#hints = new Hints((name, kind) => this.#hear(name, kind));
  }

  /** When it is time for a scan, monotonic. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Since when the scan under way is; undefined when there is none. */
  get begunMs(): number | undefined {
    return this.#begunMs;
  }

  /** Why the directory cannot be read. */
  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  get isReadable(): boolean {
    return this.#isReadable;
  }

  /** Links, devices and the like with names of files that would be taken. */
  get ignored(): number {
    return this.#ignored;
  }

  /** It is time for a scan. */
  hasten(): void {
    this.#nextMs = this.#options.clock.monotonic();
  }

  close(): void {
    this.#isClosed = true;
    this.#hints.close();
  }

  /** Whether a file that is new was seen before under the name of an unfinished one. */
  wasHidden(look: Look): boolean {
    return this.#hidden.was(look);
  }

  /** Reads the directory. Never rejects. */
  async scan(): Promise<void> {
    const { clock, rules } = this.#options;
    const begunMs = clock.monotonic();
    this.#begunMs = begunMs;
    try {
      await this.#recognize();
      await this.#read();
      this.#tellReadable();
    } catch (error) {
      this.#tellUnreadable(error);
    }
    const nowMs = clock.monotonic();
    const restMs = Math.min((nowMs - begunMs) * SCAN_REST_SHARE, LONGEST_SCAN_REST_MS);
    this.#begunMs = undefined;
    this.#nextMs = nowMs + Math.max(rules.scanMs, restMs);
    this.#earliestMs = nowMs + Math.max(HINT_SCAN_GAP_MS, restMs);
  }

  /** Notices that it is another directory than before: it was made anew, or a mount came or went. */
  async #recognize(): Promise<void> {
    const { log, rules } = this.#options;
    const identity = await identityOf(rules.directory);
    if (identity === this.#identity) return;
    const mayWatch = !(await isShare(rules.directory));
    if (this.#isClosed) return;
    this.#identity = identity;
    this.#mayAdopt = true;
    this.#hints.close();
    const reason = mayWatch ? this.#hints.open(rules.directory) : 'a share sends no events';
    if (reason !== undefined) log.info('pickup.directory.unwatched', { directory: rules.name, reason });
  }

  async #read(): Promise<void> {
    const { known, rules } = this.#options;
    const findings: Findings = { ignored: 0, hasMoreClaims: false };
    this.#hints.beginLook();
    known.beginScan();
    this.#hidden.beginScan();
    for await (const entry of entriesOf(rules.directory)) {
      if (this.#isClosed) return;
      this.#meet(entry, findings);
    }
    known.endScan();
    await this.#hidden.look(rules.directory);
    this.#ignored = findings.ignored;
    this.#mayAdopt = findings.hasMoreClaims;
  }

  #meet({ name, form }: Entry, findings: Findings): void {
    const { known, rules, clock } = this.#options;
    if (form === 'directory') return;
    const claim = parseClaimName(name);
    if (claim !== undefined) this.#meetClaim(name, claim, findings);
    else if (isTaken(name, rules.fileNames)) {
      if (form === 'other') findings.ignored += 1;
      else known.meet(name, clock.monotonic(), () => this.#hints.toldOf(name));
    } else if (isUnfinished(name) && form === 'file') this.#hidden.meet(name);
  }

  /** A claim that nobody here follows is of an earlier run, of the time before the directory was away, or was lost on a share. */
  #meetClaim(claimName: FileName, claim: ClaimName, findings: Findings): void {
    const { claims, clock } = this.#options;
    if (claims.has(claimName) || !(this.#mayAdopt || claims.isLost(claimName))) return;
    if (claims.isFull) {
      findings.hasMoreClaims = true;
      return;
    }
    const sinceMs = clock.monotonic();
    const since = { sinceMs, sinceAt: clock.now(), dueMs: sinceMs };
    const file: ClaimedFile = { ...claim, ...since, claimName, step: { kind: 'ask' }, attempts: 0 };
    claims.put(file);
  }

  #tellReadable(): void {
    const { log, rules } = this.#options;
    if (!this.#isReadable) log.info('pickup.directory.readable', { directory: rules.name });
    this.#isReadable = true;
    this.#trouble = undefined;
  }

  #tellUnreadable(error: unknown): void {
    const { log, rules, clock, known, claims } = this.#options;
    // A file went while the directory was read, and Node had asked for its form.
    if (codeOf(error) === 'ENOENT' && (error as NodeJS.ErrnoException).syscall === 'lstat') return;
    const trouble = troubleOf(error, clock.monotonic(), this.#trouble);
    const { code, reason } = trouble;
    if (this.#trouble?.code !== code)
      log.error('pickup.directory.unreadable', { directory: rules.name, code, reason });
    this.#trouble = trouble;
    if (TOO_MANY_OPEN.includes(code)) return;
    this.#isReadable = false;
    this.#identity = undefined;
    this.#hints.close();
    known.clear();
    claims.clear();
  }

  /** An event is evidence for a file that is known, and a hint to look for one that is not. */
  #hear(name: FileName, kind: 'rename' | 'change'): void {
    const { claims, known, rules, clock, awake } = this.#options;
    if (parseClaimName(name) !== undefined || claims.hasOriginal(name)) return;
    const file = known.find(name);
    if (file?.observation !== undefined) {
      const nowMs = clock.monotonic();
      if (kind === 'change') file.observation = observeWrite(file.observation, nowMs);
      if (file.waitingFor === 'claim') return;
      file.waitingFor = 'look';
      file.lookMs = nowMs + HINT_SCAN_GAP_MS;
      return;
    }
    // Between the scan that found it and the first look, which may find its first octets alone.
    if (file !== undefined && kind === 'change') file.told = 'written';
    if (kind === 'change' || !isTaken(name, rules.fileNames) || this.#earliestMs >= this.#nextMs) return;
    this.#nextMs = this.#earliestMs;
    awake();
  }
}

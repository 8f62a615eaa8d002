/**
 * One directory's life: it is read, its files are watched, and those that are finished are claimed and taken, a few at a time and no
 * faster than is set.
 *
 * Every wait is on the monotonic clock. Files that are claimed when the server ends stay claimed, and are taken up again.
 */

import { MessageRate } from '../base/messageRate.ts';
import { ClaimedFiles } from './claimedFiles.ts';
import type { StepSurroundings } from './claimSteps.ts';
import { Claiming } from './claiming.ts';
import { DirectoryReader } from './directoryReader.ts';
import { type KnownFile, KnownFiles } from './knownFiles.ts';
import { FILES_UNDER_WAY, LOOKS_AT_A_TIME } from './limits.ts';
import { lookAtFile } from './looking.ts';
import { createSharedSync } from './syncDirectory.ts';

/** What a keeper needs. */
export interface KeeperOptions extends Omit<StepSurroundings, 'signal' | 'syncClaims'> {
  /** Whether nothing is to be taken now; asked before each file. */
  readonly isPaused: () => boolean;
}

/** Keeps one directory. */
export class DirectoryKeeper {
  readonly known = new KnownFiles();
  readonly claims = new ClaimedFiles();
  readonly reader: DirectoryReader;
  readonly claiming: Claiming;
  readonly #options: KeeperOptions;
  readonly #rate: MessageRate;
  readonly #abandoning = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #running: Promise<void>;
  #ready: KnownFile[] = [];
  /** When the next file may begin, where something holds it back. */
  #pumpMs: number | undefined;
  #isClosing = false;
  #isWoken = false;
  #wake: () => void = () => {};

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { clock, log, rules } = options;
    const { known, claims } = this;
    this.#rate = new MessageRate(rules.messagesPerMinuteLimit, clock.monotonic());
    this.reader = new DirectoryReader({ rules, clock, log, known, claims, awake: () => this.#awake() });
    const syncClaims = createSharedSync(rules.directory);
    const { signal } = this.#abandoning;
    this.claiming = new Claiming({ ...options, known, claims, syncClaims, signal });
    this.#running = this.#run();
  }

  get options(): KeeperOptions {
    return this.#options;
  }

  /** Looks at once, and tries again what waits. */
  hasten(): void {
    const nowMs = this.#options.clock.monotonic();
    this.claims.hasten(nowMs);
    for (const file of this.known.all()) file.lookMs = nowMs;
    this.claiming.hasten();
    this.reader.hasten();
    this.#awake();
  }

  /** Begins nothing more, and waits for what is under way within `deadlineMs`. What is claimed then stays claimed. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    this.reader.close();
    this.#awake();
    const waiting = new AbortController();
    const ended = this.#running.then(() => Promise.all(this.#underWay));
    await Promise.race([ended, this.#options.clock.sleep(deadlineMs, waiting.signal).catch(() => {})]);
    waiting.abort();
    this.#abandoning.abort();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#isClosing) {
      if (clock.monotonic() >= this.reader.nextMs) await this.reader.scan();
      await this.#look();
      this.#pump();
      await this.#rest();
    }
  }

  /** Looks at what is due, some at a time; what is finished begins meanwhile. */
  async #look(): Promise<void> {
    const { rules, clock } = this.#options;
    const wasHidden: DirectoryReader['wasHidden'] = (look) => this.reader.wasHidden(look);
    const surroundings = { rules, clock, known: this.known, wasHidden };
    const due = this.known.due(clock.monotonic());
    for (let from = 0; from < due.length && !this.#isClosing; from += LOOKS_AT_A_TIME) {
      const files = due.slice(from, from + LOOKS_AT_A_TIME);
      await Promise.all(files.map((file) => lookAtFile(surroundings, file)));
      this.#ready.push(...files.filter(({ waitingFor }) => waitingFor === 'turn'));
      this.#pump();
    }
  }

  /** Begins as much as may begin. */
  #pump(): void {
    const nowMs = this.#options.clock.monotonic();
    this.#pumpMs = undefined;
    while (!this.#isClosing && this.#underWay.size < FILES_UNDER_WAY) {
      const isHeld = this.#isHeld();
      const claim = this.claims.nextDue(nowMs, isHeld);
      if (claim !== undefined) {
        this.claims.begin(claim);
        this.#begin(this.claiming.follow(claim));
        continue;
      }
      const file = isHeld || this.claims.isFull ? undefined : this.#nextReady();
      if (file === undefined) break;
      const waitMs = this.#rate.waitMs(nowMs);
      if (waitMs > 0) {
        this.#pumpMs = nowMs + waitMs;
        break;
      }
      this.#ready.shift();
      this.#rate.take(nowMs);
      this.#begin(this.claiming.claim(file));
    }
    const { pause } = this.claiming;
    if (pause !== undefined && this.#pumpMs === undefined) this.#pumpMs = pause.untilMs;
  }

  /** The file that has waited longest, which stays in its place; others may have gone or changed since they were looked at. */
  #nextReady(): KnownFile | undefined {
    for (;;) {
      const file = this.#ready[0];
      if (file === undefined || (file.waitingFor === 'turn' && this.known.find(file.name) === file))
        return file;
      this.#ready.shift();
    }
  }

  #isHeld(): boolean {
    const { clock, isPaused } = this.#options;
    const { pause } = this.claiming;
    return isPaused() || (pause !== undefined && clock.monotonic() < pause.untilMs);
  }

  #begin(work: Promise<void>): void {
    const begun: Promise<void> = work.finally(() => {
      this.#underWay.delete(begun);
      this.#pump();
      // As long as others follow, nothing is due that was not before.
      if (this.#underWay.size < FILES_UNDER_WAY) this.#awake();
    });
    this.#underWay.add(begun);
  }

  /** Until something is due, or somebody wakes us. */
  async #rest(): Promise<void> {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const nextMs = Math.min(...this.#dueTimes(nowMs));
    if (!this.#isWoken && !this.#isClosing && nextMs > nowMs) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(nextMs - nowMs, resolve);
        this.#wake = () => {
          timer.clear();
          resolve();
        };
      });
    }
    this.#isWoken = false;
  }

  /** What waits for a place is begun when one is free, and needs no time of its own. */
  #dueTimes(nowMs: number): number[] {
    const times = [this.reader.nextMs, this.known.nextLookMs()];
    if (this.#underWay.size < FILES_UNDER_WAY) times.push(this.claims.nextDueMs(this.#isHeld()));
    if (this.#pumpMs !== undefined && this.#pumpMs > nowMs) times.push(this.#pumpMs);
    return times.filter((time) => time !== undefined);
  }

  #awake(): void {
    this.#isWoken = true;
    this.#wake();
  }
}

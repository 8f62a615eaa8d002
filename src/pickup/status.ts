/**
 * What an administrator sees of a directory.
 *
 * All of it is known already but for badmail, which is counted when somebody asks and the last count is old. Where the count does not
 * come in time, the last one is told: a share that hangs has to be seen in status, and not keep it from answering.
 */

import { type UnixMs, unixMs } from '../base/clock.ts';
import { alarmsOf } from './alarms.ts';
import { badEntries } from './badmailList.ts';
import type { PickupStatus } from './contract.ts';
import type { DirectoryKeeper } from './directoryKeeper.ts';
import { BAD_COUNT_AGE_MS, BAD_COUNT_DEADLINE_MS } from './limits.ts';
import { reasonOf } from './trouble.ts';

/** What badmail held when it was counted last. */
interface BadCount {
  readonly bad: number;
  readonly oldestBadAt: UnixMs | undefined;
  readonly alarm: string | undefined;
  readonly countedMs: number;
  readonly badCount: number;
}

const NOT_COUNTED = { bad: 0, oldestBadAt: undefined } as const;

/** Tells of one directory; remembers for a while how many files its badmail has. */
export class DirectoryStatus {
  readonly #keeper: DirectoryKeeper;
  #count: Promise<BadCount> | undefined;
  #last: BadCount | undefined;

  constructor(keeper: DirectoryKeeper) {
    this.#keeper = keeper;
  }

  /** The files in badmail have changed. */
  forgetBad(): void {
    this.#last = undefined;
  }

  async tell(): Promise<PickupStatus> {
    const { known, claims, reader, options } = this.#keeper;
    const { rules, clock, tally } = options;
    const { name, kind, directory, badmailDirectory } = rules;
    const counted = await this.#countBad();
    const nowMs = clock.monotonic();
    const files = [...known.all()].filter(({ waitingFor }) => waitingFor !== 'never');
    const deferred = claims.deferred();
    const since = [
      ...files.flatMap(({ observation }) => (observation === undefined ? [] : [observation.firstSeenAt])),
      ...deferred.map(({ sinceAt }) => sinceAt),
    ];
    const oldest = since.reduce<number>((first, at) => Math.min(first, at), Number.POSITIVE_INFINITY);
    const alarms = alarmsOf(this.#keeper, nowMs);
    return {
      name,
      kind,
      directory,
      badmailDirectory,
      isReadable: reader.isReadable,
      reason: reader.trouble?.reason,
      waiting: files.length + known.uncounted,
      unfinished: files.filter(({ waitingFor }) => waitingFor !== 'turn' && waitingFor !== 'claim').length,
      deferred: deferred.length,
      oldestWaitingSince: since.length === 0 ? undefined : unixMs(oldest),
      taken: tally.taken,
      takenLastMinute: tally.lastMinute(nowMs),
      lastFile: tally.lastFile,
      bad: counted.bad,
      oldestBadAt: counted.oldestBadAt,
      alarms: counted.alarm === undefined ? alarms : [...alarms, counted.alarm],
    };
  }

  /** Counts anew when the count is old or a file has gone there since; one count at a time. */
  async #countBad(): Promise<BadCount> {
    const { claiming, options } = this.#keeper;
    const nowMs = options.clock.monotonic();
    const last = this.#last;
    if (last?.badCount === claiming.badCount && nowMs - last.countedMs < BAD_COUNT_AGE_MS) return last;
    this.#count ??= this.#read().finally(() => {
      this.#count = undefined;
    });
    const counted = await this.#inTime(this.#count);
    if (counted === undefined) {
      const alarm = `${options.rules.badmailDirectory} cannot be counted in time; a share whose server is gone hangs like this.`;
      return { ...(last ?? NOT_COUNTED), alarm, countedMs: nowMs, badCount: claiming.badCount };
    }
    this.#last = counted;
    return counted;
  }

  /** Undefined where it does not come in time; it is still waited for then, by whoever asks next. */
  async #inTime(count: Promise<BadCount>): Promise<BadCount | undefined> {
    const answered = new AbortController();
    const { clock } = this.#keeper.options;
    const deadline = clock.sleep(BAD_COUNT_DEADLINE_MS, answered.signal).then(
      () => undefined,
      () => undefined,
    );
    const counted = await Promise.race([count, deadline]);
    answered.abort();
    return counted;
  }

  async #read(): Promise<BadCount> {
    const { claiming, options } = this.#keeper;
    const { badCount } = claiming;
    const countedMs = options.clock.monotonic();
    try {
      const entries = await badEntries(options.rules.badmailDirectory);
      const [oldest] = entries;
      const oldestBadAt = oldest === undefined ? undefined : unixMs(oldest.at);
      return { bad: entries.length, oldestBadAt, alarm: undefined, countedMs, badCount };
    } catch (error) {
      const alarm = `${options.rules.badmailDirectory} cannot be read: ${reasonOf(error)}.`;
      return { bad: 0, oldestBadAt: undefined, alarm, countedMs, badCount };
    }
  }
}

/**
 * What the store tidies up by itself, every few seconds: drafts nobody goes on with, messages that have had their days, entries
 * of mailboxes that are gone, contents nobody refers to, old traces and claims, and, when nothing was written for a while, the
 * write-ahead log.
 *
 * Everything goes as small jobs through the writer, one after the other, so that mail never waits for it longer than for
 * another message.
 */

import type { Clock, Timer, UnixMs } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { yieldTurn } from '../../base/pacer.ts';
import type { RetentionPolicy } from '../contract/retention.ts';
import type { Connection } from './connection.ts';
import type { Drafts } from './drafts.ts';
import { Expiry } from './expiry.ts';
import type { Holds } from './holds.ts';
import { MAINTENANCE_PERIOD_MS } from './limits.ts';
import type { Reader } from './reader.ts';
import type { FlushableTrace } from './trace.ts';
import type { Writer } from './writer/client.ts';

/** What maintenance works with. */
export interface MaintenanceOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly drafts: Drafts;
  readonly holds: Holds;
  readonly trace: FlushableTrace;
  /** How long traces are kept. */
  readonly traceAgeMs: number;
  /** How long messages stay that POP3 has fetched or deleted. */
  readonly retentionPolicy: RetentionPolicy;
}

/** The store's tidying up, until `end`. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #timer: Timer;
  readonly #expiry: Expiry;
  #running: Promise<void> | undefined;
  #isEnding = false;
  #writesBefore = -1;
  #writesCheckpointed = -1;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    const isEnding = () => this.#isEnding;
    this.#expiry = new Expiry({ ...options, policy: options.retentionPolicy, isEnding });
    this.#timer = options.clock.every(MAINTENANCE_PERIOD_MS, () => void this.#startRound(false));
  }

  /** Runs a whole round, after the one that runs already; never rejects. */
  async run(): Promise<void> {
    await this.#running;
    await this.#startRound(true);
  }

  /** Stops after the job that runs. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#timer.clear();
    await this.#running;
  }

  #startRound(mustExpire: boolean): Promise<void> {
    this.#running ??= this.#round(mustExpire).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #round(mustExpire: boolean): Promise<void> {
    try {
      await this.#options.drafts.discardIdle();
      await this.#checkpointWhenQuiet();
      await this.#expiry.run(mustExpire);
      await this.#sweepMailboxes();
      await this.#sweepOrphans();
      await this.#sweepTraces();
      await this.#sweepClaims();
    } catch (error) {
      this.#options.log.warn('store.maintenance.failed', { error });
    }
  }

  async #sweepMailboxes(): Promise<void> {
    const { reader, writer } = this.#options;
    if (!reader.read(hasRemovedMailboxes)) return;
    while (!this.#isEnding && (await writer.run('sweepMailboxes', undefined))) await yieldTurn();
  }

  async #sweepOrphans(): Promise<void> {
    const { reader, writer, holds, trace } = this.#options;
    if (!reader.read(hasOrphans)) return;
    const upTo = holds.releasedBatch();
    // Whoever let go of these contents has noted what became of them, which is on its way for a moment.
    await trace.flush();
    let after: number | undefined = 0;
    while (after !== undefined && !this.#isEnding) {
      const slice: { readonly after: number | undefined } = await writer.run('sweep', { after, upTo });
      ({ after } = slice);
      await yieldTurn();
    }
  }

  async #sweepTraces(): Promise<void> {
    const { clock, writer, traceAgeMs } = this.#options;
    const before = (clock.now() - traceAgeMs) as UnixMs;
    if (!this.#options.reader.read((db) => hasTraceBefore(db, before))) return;
    while (!this.#isEnding && (await writer.run('sweepTraces', { before }))) await yieldTurn();
  }

  async #sweepClaims(): Promise<void> {
    const { clock, writer, reader } = this.#options;
    const upTo = clock.now();
    if (!reader.read((db) => hasClaimUpTo(db, upTo))) return;
    while (!this.#isEnding && (await writer.run('sweepClaims', { upTo }))) await yieldTurn();
  }

  async #checkpointWhenQuiet(): Promise<void> {
    const { writer } = this.#options;
    const isQuiet = writer.waiting === 0 && writer.writes === this.#writesBefore;
    if (isQuiet && writer.writes !== this.#writesCheckpointed) {
      await writer.runAlone('checkpoint');
      this.#writesCheckpointed = writer.writes;
    }
    this.#writesBefore = writer.writes;
  }
}

function hasRemovedMailboxes(db: Connection): boolean {
  return db.value('SELECT 1 FROM removed_mailbox LIMIT 1') !== undefined;
}

function hasOrphans(db: Connection): boolean {
  return db.value('SELECT 1 FROM orphan LIMIT 1') !== undefined;
}

/** Trace ids begin with their time, so the first one is about the oldest. */
function hasTraceBefore(db: Connection, before: UnixMs): boolean {
  const oldest = db.value<UnixMs>('SELECT accepted_at FROM trace_message ORDER BY trace_id LIMIT 1');
  return oldest !== undefined && oldest < before;
}

function hasClaimUpTo(db: Connection, upTo: UnixMs): boolean {
  return db.value('SELECT 1 FROM claim WHERE expires_at <= ? LIMIT 1', upTo) !== undefined;
}

/**
 * Refusals on their way into the trace, so many and no more: whoever guesses addresses or passwords cannot fill the database.
 *
 * Each hour so many of one remote network (an IPv4 address, an IPv6 /64) and so many in all are told one by one; of what is
 * beyond them only the number is told, at the end of the hour. The first few of each network have a budget of their own, so that
 * one that floods does not hide what is refused to the others. The log tells every one. All in memory, bounded.
 */

import type { Clock, Timer } from '../base/clock.ts';
import { newTraceId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { HOUR_MS } from '../base/units.ts';
import type { NotedRefusal, Trace } from '../store/contract/trace.ts';

/** How long refusals are counted together. */
export const REFUSAL_WINDOW_MS = HOUR_MS;
/** Refusals of a network that the budget of the others does not hide. */
export const FIRST_REFUSALS = 5;
/** Networks that are told apart in an hour, some 2 MB; those beyond are counted together. */
const NETWORK_LIMIT = 10_000;
/** Networks whose numbers are told by themselves at the end of the hour: those with the most. */
const TOLD_NETWORKS = 20;

/** How many refusals are told one by one. */
export interface RefusalBudget {
  /** Of one network in an hour. */
  readonly perNetwork: number;
  /** In all in an hour; and as many again for the first few of each network. 0 tells none. */
  readonly inAll: number;
}

/** What is told unless set otherwise: 24,000 traces a day at most, some 10 MB. */
export const DEFAULT_REFUSAL_BUDGET: RefusalBudget = { perNetwork: 100, inAll: 1000 };

/** What it works with. */
export interface RefusalsOptions {
  readonly trace: Pick<Trace, 'noteRefusal'>;
  readonly budget?: RefusalBudget | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

interface NetworkCount {
  told: number;
  untold: number;
}

/** The refusals of an open transfer. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #budget: RefusalBudget;
  #networks = new Map<string, NetworkCount>();
  #others: NetworkCount = { told: 0, untold: 0 };
  #firsts = 0;
  #furthers = 0;
  #endsMs = 0;
  #timer: Timer | undefined;

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#budget = options.budget ?? DEFAULT_REFUSAL_BUDGET;
  }

  /** Tells the trace, or counts. `remoteAddress` is what the refusal is found by, too. Returns at once. */
  note(remoteAddress: string, refusal: NotedRefusal): void {
    if (this.#options.clock.monotonic() >= this.#endsMs) this.#begin();
    const count = this.#countOf(networkOf(remoteAddress));
    if (this.#mayTell(count)) {
      const otherNames = [remoteAddress, ...(refusal.otherNames ?? [])];
      this.#options.trace.noteRefusal({ ...refusal, otherNames });
      return;
    }
    count.untold += 1;
    const leftMs = this.#endsMs - this.#options.clock.monotonic();
    this.#timer ??= this.#options.clock.after(leftMs, () => this.#tellNumbers());
  }

  #begin(): void {
    this.#tellNumbers();
    this.#networks = new Map();
    this.#others = { told: 0, untold: 0 };
    this.#firsts = 0;
    this.#furthers = 0;
    this.#endsMs = this.#options.clock.monotonic() + REFUSAL_WINDOW_MS;
  }

  #countOf(network: string): NetworkCount {
    const known = this.#networks.get(network);
    if (known !== undefined) return known;
    if (this.#networks.size >= NETWORK_LIMIT) return this.#others;
    const count = { told: 0, untold: 0 };
    this.#networks.set(network, count);
    return count;
  }

  #mayTell(count: NetworkCount): boolean {
    if (count.told >= this.#budget.perNetwork) return false;
    const isFirst = count.told < FIRST_REFUSALS && this.#firsts < this.#budget.inAll;
    if (!isFirst && this.#furthers >= this.#budget.inAll) return false;
    count.told += 1;
    if (isFirst) this.#firsts += 1;
    else this.#furthers += 1;
    return true;
  }

  #tellNumbers(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    const untold = [...this.#networks].filter(([, count]) => count.untold > 0);
    untold.sort(([, one], [, other]) => other.untold - one.untold);
    for (const [network, { untold: refusals }] of untold.slice(0, TOLD_NETWORKS))
      this.#tell(refusals, network);
    const rest = untold
      .slice(TOLD_NETWORKS)
      .reduce((sum, [, count]) => sum + count.untold, this.#others.untold);
    if (rest > 0) this.#tell(rest, undefined);
    for (const [, count] of untold) count.untold = 0;
    this.#others.untold = 0;
  }

  #tell(refusals: number, network: string | undefined): void {
    const { clock, log, trace } = this.#options;
    const at = clock.now();
    const fields = { refusals, ...(network === undefined ? {} : { remote: network }) };
    log.warn('transfer.refusals.untraced', fields);
    trace.noteRefusal({
      traceId: newTraceId(at),
      reversePath: '',
      recipients: [],
      otherNames: network === undefined ? [] : [network],
      event: { at, kind: 'refusedMore', fields },
    });
  }
}

/** Whoever has one IPv6 address has all of its /64 (RFC 4291 section 2.5.4). */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('::');
  const groups = before === '' ? [] : before.split(':');
  const behind = after === undefined || after === '' ? [] : after.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - behind.length) }, () => '0');
  const all = after === undefined ? groups : [...groups, ...zeros, ...behind];
  return `${all.slice(0, 4).join(':')}::/64`;
}

/**
 * The scheduler under whatever a hop answers: random outcomes, troubles, waits, restarts and messages, from seeds that are printed.
 * However it goes, each item ends once, none is asked for before its time or after its end, of each sender and recipient one attempt is
 * made at a time, and the limits hold. HAUSPOST_MODEL_SEED runs one seed alone.
 */

import t, { type Test } from 'tap';

import type { QueueId } from '../../src/base/ids.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import type { HopTrouble, RecipientOutcome, RelayedMessage, RelayResult } from '../../src/transfer/relay.ts';
import { type Below, randomNumbers } from '../support/randomNumbers.ts';
import { takeAll } from './fakeRelay.ts';
import { openRigHouse, type RigHouse, SendingRig } from './sendingRig.ts';

const SEEDS =
  process.env.HAUSPOST_MODEL_SEED === undefined
    ? [1, 2, 3, 4, 5, 6]
    : [Number(process.env.HAUSPOST_MODEL_SEED)];
const STEPS = 40;
const LIMITS = { connections: 3, messagesPerMinute: 20, recipientsPerMessage: 3 };
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const TROUBLES: readonly HopTrouble[] = [
  { kind: 'unreachable', reason: 'connection refused' },
  { kind: 'throttled', reason: '432 4.3.2' },
  { kind: 'quota', reason: '554 5.2.0', advice: 'wait' },
  { kind: 'misconfigured', reason: '535 5.7.139', advice: 'switch it on' },
];
const UNTRIED: RecipientOutcome = { kind: 'untried' };

t.setTimeout(300_000);
const house = await openRigHouse(t);

for (const seed of SEEDS)
  t.test(`with seed ${seed} everything ends once and in its time`, (t) => run(t, house, seed));

async function run(t: Test, house: RigHouse, seed: number): Promise<void> {
  const below = randomNumbers(seed);
  const rig = await SendingRig.open(t, house, {
    limits: LIMITS,
    schedule: { expiryMs: 30 * DAY_MS },
    random: () => below(1000) / 1000,
  });
  const watch = new Watch(rig);
  rig.answer = async (message, signal) => {
    watch.asked(message);
    return answerTo(message, below, rig, signal);
  };
  let queued = 0;
  for (let step = 0; step < STEPS; step += 1) {
    const to = NAMES.filter(() => below(3) === 0);
    if (to.length > 0) await rig.queue({ to: to.map((name) => `${name}@x.example`), priority: below(3) });
    queued += to.length;
    if (below(10) === 0) {
      const closing = rig.outbound.close(9 * SECOND_MS);
      await rig.idle();
      rig.clock.advance(9 * SECOND_MS);
      await closing;
      await rig.openRoom();
    }
    await rig.pass(below(3) === 0 ? below(30) * MINUTE_MS + 1 : below(20) * SECOND_MS + 1);
  }
  rig.answer = (message) => {
    watch.asked(message);
    return takeAll(message);
  };
  await rig.pass(8 * HOUR_MS, 5 * MINUTE_MS);
  t.same(await rig.items(), [], 'nothing is left');
  t.equal(watch.endedItems(), queued, `${queued} items ended`);
  t.same([...watch.faults, ...rig.relays.flatMap(({ faults }) => faults)], []);
  for (const { mostUnderWay, asked, attempts } of rig.relays) {
    t.ok(mostUnderWay <= LIMITS.connections);
    t.ok(asked.every(({ length }) => length <= LIMITS.recipientsPerMessage));
    const times = attempts.map(({ at }) => Number(at));
    const inMinute = (from: number) => times.filter((at) => at >= from && at < from + MINUTE_MS).length;
    t.ok(times.every((at) => inMinute(at) <= LIMITS.messagesPerMinute));
  }
}

async function answerTo(
  { recipients }: RelayedMessage,
  below: Below,
  { clock }: SendingRig,
  signal: AbortSignal,
): Promise<RelayResult> {
  const untried = recipients.map(() => UNTRIED);
  if (below(3) === 0) {
    const isAborted = await clock.sleep(below(40) * SECOND_MS, signal).then(
      () => false,
      () => true,
    );
    if (isAborted) return { outcomes: untried };
  }
  if (below(12) === 0) return { outcomes: untried, trouble: TROUBLES[below(TROUBLES.length)] };
  return {
    outcomes: recipients.map((): RecipientOutcome => {
      switch (below(5)) {
        case 0:
          return { kind: 'failed', reply: '550 5.1.1', status: '5.1.1' };
        case 1:
          return { kind: 'deferred', reply: '450', status: '4.2.0', retryAfterMs: below(10) * MINUTE_MS };
        default:
          return { kind: 'relayed', reply: '250', server: 'hop', tellsSender: true };
      }
    }),
  };
}

/** Knows from the settlements when an item may be asked for. */
class Watch {
  readonly faults: string[] = [];
  readonly #rig: SendingRig;
  readonly #notBefore = new Map<QueueId, number>();
  readonly #ended = new Set<QueueId>();
  #read = 0;

  constructor(rig: SendingRig) {
    this.#rig = rig;
  }

  asked({ recipients }: RelayedMessage): void {
    this.#readResults();
    for (const { queueId } of recipients) {
      if (this.#ended.has(queueId)) this.faults.push(`${queueId} was asked for after its end`);
      if ((this.#notBefore.get(queueId) ?? 0) > this.#rig.clock.now())
        this.faults.push(`${queueId} was asked for before its time`);
    }
  }

  endedItems(): number {
    this.#readResults();
    return this.#ended.size;
  }

  #readResults(): void {
    for (; this.#read < this.#rig.results.length; this.#read += 1) {
      const settlement = this.#rig.results[this.#read]?.settlement;
      if (settlement?.kind === 'deferred') this.#notBefore.set(settlement.id, settlement.nextAttemptAt);
      if (settlement?.kind !== 'done') continue;
      if (this.#ended.has(settlement.id)) this.faults.push(`${settlement.id} ended twice`);
      this.#ended.add(settlement.id);
    }
  }
}

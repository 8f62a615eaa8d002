/**
 * Measures the queue alone: 10,000 items leased and settled, as one message of a large list and as messages of their own, beside
 * deliveries of as many messages in the same run; changes of all of them, with the longest that a delivery waited meanwhile; and the
 * opening of a store in which they wait.
 *
 * Run: npx node bench/queue.ts [items, default 10000]. Prints for each row how long it took, and ratios where there are two to compare.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock, type UnixMs } from '../src/base/clock.ts';
import { newTraceId } from '../src/base/ids.ts';
import { silentLog } from '../src/base/log.ts';
import { HOUR_MS } from '../src/base/units.ts';
import type { PlannedQueueItem, QueueItem } from '../src/store/contract/queue.ts';
import type { QueueSettlement } from '../src/store/contract/queueWork.ts';
import { openStore } from '../src/store/sqlite/open.ts';

const HOP = { kind: 'relay', name: 'exchange' } as const;
const MESSAGE = Buffer.from(`Subject: bench\r\n\r\n${'x'.repeat(5000)}\r\n`);
/** Messages in one lease, and recipients of one message. */
const AT_A_TIME = 100;
const DELIVERIES_AT_A_TIME = 10;

const count = Number(process.argv[2] ?? 10_000);
const directory = mkdtempSync(join(tmpdir(), 'hauspost-bench-'));
const open = () => openStore({ directory, clock: systemClock, log: silentLog });
let store = await open();
await store.close();
const openedEmpty = await timed('open, nothing queued', async () => {
  store = await open();
});

await timed(`one message for ${count}, delivered`, () => deliver(itemsOf(count)));
await drain(`one message for ${count}`);
const delivered = await timed(`${count} messages, delivered`, deliverAll);
const drained = await drain(`${count} messages`);
print(`draining takes ${(drained / delivered).toFixed(2)} times as long as delivering`);

await deliverAll();
await store.close();
const openedFull = await timed(`open, ${count} messages queued`, async () => {
  store = await open();
});
print(`ratio to nothing queued: ${(openedFull / openedEmpty).toFixed(2)}`);
await during('nothing', () => new Promise((resolve) => setTimeout(resolve, 1000)));
await during('hold of all', () => store.queue.change({}, { kind: 'hold' }, systemClock.now()));
await during('a lease when all are held', async () => store.queue.lease(requestNow()));
await during('release of all', () => store.queue.change({}, { kind: 'release' }, systemClock.now()));
await during('reroute of a domain', () =>
  store.queue.change(
    { recipient: '@example.org' },
    { kind: 'reroute', nextHop: { kind: 'relay', name: 'other' } },
    systemClock.now(),
  ),
);
await during('delete of all', () => store.queue.change({}, { kind: 'delete' }, systemClock.now()));
await during('the sweep of their contents', () => store.maintain());
await store.close();
rmSync(directory, { recursive: true });

/** Leases, puts off and then ends all that is due, as a scheduler would with a hop that takes them at the second attempt. */
async function drain(name: string): Promise<number> {
  const now = systemClock.now();
  const later = (now + HOUR_MS) as UnixMs;
  const event = { at: now, kind: 'deferred', fields: { ...HOP, reply: '451 4.7.500 Server busy' } } as const;
  await timed(`${name}, leased and put off`, () =>
    leaseAll(now, ({ id }) => ({
      kind: 'deferred',
      id,
      nextAttemptAt: later,
      isAttempt: true,
      reply: event.fields.reply,
      event,
    })),
  );
  const relayed = { at: now, kind: 'relayed', fields: { ...HOP, reply: '250 2.0.0 Ok' } } as const;
  return timed(`${name}, leased and done`, () =>
    leaseAll(later, ({ id }) => ({ kind: 'done', id, event: relayed })),
  );
}

async function leaseAll(now: UnixMs, settlementOf: (item: QueueItem) => QueueSettlement): Promise<void> {
  for (;;) {
    const messages = await store.queue.lease(requestAt(now));
    if (messages.length === 0) return;
    await Promise.all(messages.map((message) => store.queue.settle(message.map(settlementOf))));
  }
}

function requestNow() {
  return requestAt(systemClock.now());
}

function requestAt(now: UnixMs) {
  const leasedUntil = (now + HOUR_MS) as UnixMs;
  return { nextHop: HOP, now, leasedUntil, messageLimit: AT_A_TIME, recipientLimit: AT_A_TIME };
}

async function deliverAll(): Promise<void> {
  let left = count;
  const deliverOn = async () => {
    while (left > 0) {
      left -= 1;
      await deliver(itemsOf(1));
    }
  };
  await Promise.all(Array.from({ length: DELIVERIES_AT_A_TIME }, deliverOn));
}

function itemsOf(many: number): readonly PlannedQueueItem[] {
  const common = { nextHop: HOP, reversePath: 'app@app.example', isSmtpUtf8: false };
  return Array.from({ length: many }, (_none, index) => ({ ...common, recipient: `r${index}@example.org` }));
}

async function deliver(queued: readonly PlannedQueueItem[]): Promise<void> {
  const draft = store.contents.begin();
  await draft.write(MESSAGE);
  const now = systemClock.now();
  await store.deliveries.deliver({
    traceId: newTraceId(now),
    draft,
    returnPathOctets: 0,
    acceptedAt: now,
    zoneMinutes: 0,
    reversePath: 'app@app.example',
    recipients: ['list@app.example'],
    copies: [],
    queued,
    events: [],
  });
}

/** Runs `change` while one delivery after the other is made. */
async function during(name: string, change: () => Promise<unknown>): Promise<void> {
  let isRunning = true;
  let longest = 0;
  const deliverOn = async () => {
    while (isRunning) {
      const asked = performance.now();
      await deliver([]);
      longest = Math.max(longest, performance.now() - asked);
    }
  };
  const delivering = deliverOn();
  await timed(name, change);
  isRunning = false;
  await delivering;
  print(`${' '.repeat(48)} a delivery waited ${longest.toFixed(1)} ms at most`);
}

async function timed(name: string, run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  const ms = performance.now() - started;
  print(`${name.padEnd(48)} ${ms.toFixed(0).padStart(7)} ms`);
  return ms;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

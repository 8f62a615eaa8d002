/**
 * Measures how long a delivery waits for its commit while one mailbox of very many entries is changed as a whole: flags, COPY,
 * MOVE, EXPUNGE, removal of the mailbox and of its account. All of it goes through the one writer.
 *
 * Run: npx node bench/writer.ts [entries, default 100000]. Prints for each change how long it took, and the longest that a
 * delivery waited meanwhile.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../src/base/clock.ts';
import { type AccountId, type MailboxId, newTraceId } from '../src/base/ids.ts';
import { silentLog } from '../src/base/log.ts';
import type { Store } from '../src/store/contract/store.ts';
import { openStore } from '../src/store/sqlite/open.ts';

const entries = Number(process.argv[2] ?? 100_000);
const ALL = [{ first: 1, last: 4_294_967_295 }];
const MESSAGE = Buffer.from(`Subject: bench\r\n\r\n${'x'.repeat(400)}\r\n`);
const FIRST_ENTRIES = 1000;

const directory = mkdtempSync(join(tmpdir(), 'hauspost-bench-'));
const store = await openStore({ directory, clock: systemClock, log: silentLog });
await store.directory.addDomain('app.example.com', {});
const receiver = await store.directory.addAccount({ address: 'in@app.example.com', passwordHash: '' });
const account = await store.directory.addAccount({ address: 'large@app.example.com', passwordHash: '' });
const { mailboxes } = store;
const source = await mailboxes.create(account.id, ['Large']);
const target = await mailboxes.create(account.id, ['Target']);
await fill(store, source.id);
await during('nothing', () => new Promise((resolve) => setTimeout(resolve, 1000)));
await during('STORE +FLAGS', () => mailboxes.setFlags(source.id, ALL, 'add', { system: 1, keywords: [] }));
await during('COPY', () => mailboxes.copy(source.id, ALL, target.id));
await during('EXPUNGE', () => mailboxes.expunge(target.id, undefined, false));
await during('MOVE', () => mailboxes.move(source.id, ALL, target.id));
await during('COPY back', () => mailboxes.copy(target.id, ALL, source.id));
await during('DELETE of the mailbox', () => mailboxes.remove(account.id, ['Target']));
await during('maintenance', () => store.maintain());
await during('removal of the account', () => store.directory.removeAccount('large@app.example.com'));
await during('maintenance', () => store.maintain());
await store.close();
rmSync(directory, { recursive: true });

/** Runs `change` while one delivery after the other is made. */
async function during(name: string, change: () => Promise<unknown>): Promise<void> {
  let isRunning = true;
  let longest = 0;
  const deliverAll = async () => {
    while (isRunning) {
      const asked = performance.now();
      await deliver(store, receiver.id);
      longest = Math.max(longest, performance.now() - asked);
    }
  };
  const delivering = deliverAll();
  const started = performance.now();
  await change();
  const ms = performance.now() - started;
  isRunning = false;
  await delivering;
  process.stdout.write(
    `${name.padEnd(24)} ${ms.toFixed(0).padStart(6)} ms, a delivery waited up to ${longest.toFixed(0)} ms\n`,
  );
}

async function deliver(store: Store, accountId: AccountId): Promise<void> {
  const draft = store.contents.begin();
  await draft.write(MESSAGE);
  const now = systemClock.now();
  await store.deliveries.deliver({
    traceId: newTraceId(now),
    draft,
    returnPathOctets: 0,
    acceptedAt: now,
    zoneMinutes: 0,
    reversePath: 'sender@example.org',
    recipients: ['in@app.example.com'],
    copies: [{ accountId, recipient: 'in@app.example.com' }],
    events: [],
  });
}

/** A thousand contents, then copies of the mailbox into itself. */
async function fill(store: Store, mailboxId: MailboxId): Promise<void> {
  const internalDate = { at: systemClock.now(), zoneMinutes: 0 };
  const appendices = await Promise.all(
    Array.from({ length: FIRST_ENTRIES }, async () => {
      const draft = store.contents.begin();
      await draft.write(MESSAGE);
      return { draft, flags: { system: 0, keywords: [] }, internalDate };
    }),
  );
  await store.mailboxes.append(mailboxId, appendices);
  for (let count = FIRST_ENTRIES; count < entries; ) {
    const more = Math.min(count, entries - count);
    await store.mailboxes.copy(mailboxId, [{ first: 1, last: more }], mailboxId);
    count += more;
  }
}

/**
 * Measures the store alone: messages taken in per second, durably, with 1, 10 and 50 deliveries under way at a time, and the
 * bulk commands of IMAP on one mailbox of 20,000 entries.
 *
 * Run: npx node bench/store.ts [messages per row, default 5000] [directory, default a new one below the system's temporary
 * directory; it should be on the disk that is to be measured]. Prints one line per row: messages per second, median and 99th
 * percentile in ms, CPU in ms per message (both threads).
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../src/base/clock.ts';
import { type AccountId, type MailboxId, newTraceId } from '../src/base/ids.ts';
import { silentLog } from '../src/base/log.ts';
import { KIB } from '../src/base/units.ts';
import type { Store } from '../src/store/contract/store.ts';
import { openStore } from '../src/store/sqlite/open.ts';

const ADDRESS = 'in@app.example.com';
const ENTRIES = 20_000;

const messages = Number(process.argv[2] ?? 5_000);
const parent = process.argv[3] ?? tmpdir();
const directory = mkdtempSync(join(parent, 'hauspost-bench-'));
const started = performance.now();
const store = await openStore({ directory, clock: systemClock, log: silentLog });
print(`open a new store: ${(performance.now() - started).toFixed(0)} ms`);
await store.directory.addDomain('app.example.com', {});
const account = await store.directory.addAccount({ address: ADDRESS, passwordHash: '' });
for (const octets of [5 * KIB, 50 * KIB, 1024 * KIB]) {
  const count = Math.max(
    50,
    Math.round((messages * 5 * KIB) / Math.max(octets, 5 * KIB) / (octets > 5 * KIB ? 2 : 1)),
  );
  for (const concurrency of [1, 10, 50]) await ingest(store, account.id, octets, count, concurrency);
}
await bulk(store, account.id);
const closing = performance.now();
await store.close();
print(`close: ${(performance.now() - closing).toFixed(0)} ms`);
rmSync(directory, { recursive: true });

async function ingest(
  store: Store,
  accountId: AccountId,
  octets: number,
  count: number,
  concurrency: number,
): Promise<void> {
  const message = messageOf(octets);
  const times: number[] = [];
  let left = count;
  const deliverAll = async () => {
    while (left > 0) {
      left -= 1;
      const before = performance.now();
      await deliver(store, accountId, message);
      times.push(performance.now() - before);
    }
  };
  const cpu = process.cpuUsage();
  const before = performance.now();
  await Promise.all(Array.from({ length: concurrency }, deliverAll));
  const seconds = (performance.now() - before) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  times.sort((one, other) => one - other);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
  const perMessage = ((user + system) / 1000 / count).toFixed(3);
  print(
    `${octets / KIB} KB x ${count}, ${concurrency} at a time: ${(count / seconds).toFixed(0)}/s, ` +
      `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, CPU ${perMessage} ms`,
  );
}

async function deliver(store: Store, accountId: AccountId, message: Buffer): Promise<void> {
  const draft = store.contents.begin();
  for (let at = 0; at < message.length; at += 64 * KIB)
    await draft.write(message.subarray(at, at + 64 * KIB));
  const now = systemClock.now();
  await store.deliveries.deliver({
    traceId: newTraceId(now),
    draft,
    returnPathOctets: 0,
    acceptedAt: now,
    zoneMinutes: 0,
    reversePath: 'sender@example.org',
    recipients: [ADDRESS],
    copies: [{ accountId, recipient: ADDRESS }],
    events: [{ at: now, kind: 'accepted', fields: { protocol: 'smtp', address: '127.0.0.1' } }],
  });
}

function messageOf(octets: number): Buffer {
  const header =
    'From: Sender <sender@example.org>\r\nTo: <in@app.example.com>\r\nSubject: A message of the bench\r\n' +
    'Date: Thu, 15 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n' +
    'Content-Type: text/plain; charset=utf-8\r\n\r\n';
  return Buffer.concat([Buffer.from(header), Buffer.alloc(octets - header.length, `${'x'.repeat(70)}\r\n`)]);
}

async function bulk(store: Store, accountId: AccountId): Promise<void> {
  const source = await store.mailboxes.create(accountId, ['Bulk']);
  const target = await store.mailboxes.create(accountId, ['Bulk target']);
  await fill(store, source.id);
  const all = [{ first: 1, last: 4_294_967_295 }];
  const { mailboxes } = store;
  await timed(`read ${ENTRIES} entries`, () => readAll(store, source.id));
  await timed('STORE +FLAGS (\\Seen) all', () =>
    mailboxes.setFlags(source.id, all, 'add', { system: 1, keywords: [] }),
  );
  await timed('STORE +FLAGS ($Label) all', () =>
    mailboxes.setFlags(source.id, all, 'add', { system: 0, keywords: ['$Label'] }),
  );
  await timed('COPY all', () => mailboxes.copy(source.id, all, target.id));
  await timed('MOVE all', () => mailboxes.move(source.id, all, target.id));
  const odd = Array.from({ length: ENTRIES / 2 }, (_none, index) => ({
    first: 2 * index + 1,
    last: 2 * index + 1,
  }));
  await timed('STORE +FLAGS (\\Deleted) every other, as ranges of one', () =>
    mailboxes.setFlags(target.id, odd, 'add', { system: 8, keywords: [] }),
  );
  await timed('EXPUNGE half', () => mailboxes.expunge(target.id, undefined, true));
}

async function fill(store: Store, mailboxId: MailboxId): Promise<void> {
  const message = messageOf(2 * KIB);
  const internalDate = { at: systemClock.now(), zoneMinutes: 0 };
  for (let count = 0; count < ENTRIES; count += 100) {
    const appendices = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const draft = store.contents.begin();
        await draft.write(message);
        return { draft, flags: { system: 0, keywords: [] }, internalDate };
      }),
    );
    await store.mailboxes.append(mailboxId, appendices);
  }
}

async function readAll(store: Store, mailboxId: MailboxId): Promise<void> {
  for await (const _slice of store.mailboxes.entries(mailboxId, { first: 1, last: 4_294_967_295 }));
}

async function timed(name: string, run: () => Promise<unknown>): Promise<void> {
  const before = performance.now();
  await run();
  print(`${name}: ${(performance.now() - before).toFixed(1)} ms`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

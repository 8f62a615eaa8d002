/**
 * Measures searching for texts in a mailbox of 20,000 messages: with the index, and without it (which is the scan that the
 * first one is told against), and how long the main thread's event loop was held meanwhile.
 *
 * Run: npx node bench/search.ts [messages, default 20000]. Texts are of words of which some are common and most are rare, of
 * about 2.5 KB, every third one base64 or quoted-printable.
 */

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { systemClock } from '../src/base/clock.ts';
import type { ContentId, MailboxId } from '../src/base/ids.ts';
import { silentLog } from '../src/base/log.ts';
import { foldCase } from '../src/search/foldCase.ts';
import type { TextQuestion } from '../src/search/question.ts';
import { openSearch, type Search } from '../src/search/search.ts';
import { openStore, type SqliteStore } from '../src/store/sqlite/open.ts';

const MESSAGES = Number(process.argv[2] ?? 20_000);
const WORDS = 20_000;
const TEXT_CHARS = 2_500;
const LOT = 500;
const RUNS = 3;
const REST_MS = 5_000;

const directory = mkdtempSync(join(tmpdir(), 'hauspost-search-'));
const store = await openStore({ directory, clock: systemClock, log: silentLog });
const random = generator(1);
const words = Array.from({ length: WORDS }, makeWord);
await store.directory.addDomain('app.example.com', {});
const account = await store.directory.addAccount({ address: 'in@app.example.com', passwordHash: '' });
const inbox = (await store.mailboxes.find(account.id, ['INBOX']))?.id as MailboxId;
const contents = await fill(store, inbox);
const common = words[3] as string;
const rare = words[WORDS - 2] as string;
const questions: Readonly<Record<string, TextQuestion>> = {
  'TEXT, no hit': { kind: 'text', needle: foldCase('Zwischenhändlerverzeichnis') },
  [`TEXT "${rare}", rare`]: { kind: 'text', needle: rare },
  [`TEXT "${common}", common`]: { kind: 'text', needle: common },
  'SUBJECT, no hit': { kind: 'header', field: 'subject', needle: 'quarterly' },
  'TEXT of two characters, no hit': { kind: 'text', needle: 'ẞÿ'.toLowerCase() },
};
const scanning = openSearch({
  reserveOctets: 0,
  directory,
  feed: store.feed,
  clock: systemClock,
  log: silentLog,
  isIndexed: false,
});
await atRest();
const scanned = await measure('without index', scanning);
await scanning.close();
const room = openSearch({
  reserveOctets: 0,
  directory,
  feed: store.feed,
  clock: systemClock,
  log: silentLog,
});
await timed(`index ${MESSAGES} messages at once`, () => room.bringIndexUpToDate());
const indexed = await measure('with index', room);
for (const [name, ms] of scanned) print(`ratio ${name}: ${(ms / (indexed.get(name) ?? ms)).toFixed(1)}x`);
const closing = performance.now();
await room.close();
print(`close: ${(performance.now() - closing).toFixed(0)} ms`);
const octets = (name: string) => (statSync(join(directory, name)).size / 1e6).toFixed(1);
print(`hauspost.db ${octets('hauspost.db')} MB, hauspost-search.db ${octets('hauspost-search.db')} MB`);
await store.close();
rmSync(directory, { recursive: true });

/** What the machine does to an event loop that does nothing, to be taken off from the figures below. */
async function atRest(): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await systemClock.sleep(REST_MS);
  delay.disable();
  print(`at rest for ${REST_MS} ms: event loop held ${(delay.max / 1e6 - 1).toFixed(1)} ms at most`);
}

/** Milliseconds by question. */
async function measure(how: string, search: Search): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const [name, question] of Object.entries(questions)) {
    const runs: number[] = [];
    let result = { found: 0, read: 0 };
    let mainMs = 0;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    for (let run = 0; run < RUNS; run += 1) {
      const started = performance.now();
      const cpu = process.threadCpuUsage();
      result = await ask(search, question);
      const { user, system } = process.threadCpuUsage(cpu);
      mainMs = (user + system) / 1000;
      runs.push(performance.now() - started);
    }
    delay.disable();
    runs.sort((one, other) => one - other);
    const ms = runs[Math.floor(RUNS / 2)] as number;
    times.set(name, ms);
    print(
      `${how}, ${name}: ${ms.toFixed(0)} ms, ${result.found} found, ${result.read} read, ` +
        `main thread worked ${mainMs.toFixed(0)} ms of it, event loop held ${(delay.max / 1e6 - 1).toFixed(1)} ms at most`,
    );
  }
  return times;
}

/** As a session does: in lots of what the store reads at a time. */
async function ask(search: Search, question: TextQuestion): Promise<{ found: number; read: number }> {
  const running = search.begin([question]);
  let found = 0;
  for (let at = 0; at < contents.length; at += LOT) {
    for (const yes of await running.ask(contents.slice(at, at + LOT))) found += yes.size;
  }
  running.end();
  return { found, read: running.readCount };
}

async function fill(into: SqliteStore, mailbox: MailboxId): Promise<readonly ContentId[]> {
  for (let count = 0; count < MESSAGES; count += LOT) {
    const appendices = await Promise.all(
      Array.from({ length: Math.min(LOT, MESSAGES - count) }, async (_none, at) => {
        const draft = into.contents.begin();
        await draft.write(messageOf(count + at));
        return {
          draft,
          flags: { system: 0, keywords: [] },
          internalDate: { at: systemClock.now(), zoneMinutes: 0 },
        };
      }),
    );
    await into.mailboxes.append(mailbox, appendices);
  }
  const ids: ContentId[] = [];
  for await (const entries of into.mailboxes.entries(mailbox, { first: 1, last: 4_294_967_295 }))
    ids.push(...entries.map(({ contentId }) => contentId));
  return ids;
}

function messageOf(number: number): Buffer {
  let text = '';
  while (text.length < TEXT_CHARS) {
    const line = Array.from({ length: 10 }, pickWord).join(' ');
    text += `${line}\r\n`;
  }
  const base64 = Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\r\n');
  const [encoding, body] =
    number % 3 === 0
      ? ['8bit', text]
      : number % 3 === 1
        ? ['base64', base64]
        : ['quoted-printable', text.replaceAll('=', '=3D')];
  return Buffer.from(
    `From: Sender ${number} <sender${number}@example.org>\r\nTo: <in@app.example.com>\r\n` +
      `Subject: ${pickWord()} ${pickWord()}\r\nDate: Thu, 15 Jan 2026 10:00:00 +0000\r\n` +
      `Message-ID: <${number}@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Transfer-Encoding: ${encoding}\r\n\r\n${body}`,
  );
}

/** The square makes the first words common. */
function pickWord(): string {
  return words[Math.floor(random() * random() * WORDS)] as string;
}

function makeWord(): string {
  const letters = 'etaoinshrdlucmfwypvbgkqjxzäöü';
  const length = 3 + Math.floor(random() * 8);
  return Array.from({ length }, () => letters[Math.floor(random() * random() * letters.length)]).join('');
}

/** A linear congruential generator: the same texts in each run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

async function timed(name: string, run: () => Promise<unknown>): Promise<void> {
  const before = performance.now();
  await run();
  const seconds = (performance.now() - before) / 1000;
  print(`${name}: ${seconds.toFixed(1)} s, ${(MESSAGES / seconds).toFixed(0)} messages/s`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Measures IMAP against a private Dovecot (Maildir) in the same run, both with the same messages and the same client: FETCH of
 * everything, SEARCH, STORE, COPY, MOVE, EXPUNGE, SELECT, and the memory of sessions in IDLE; beside each figure of ours the
 * longest time that the server's event loop was held.
 *
 * Run: npx node bench/imap.ts [messages, default 20000] [rounds, default 3] [idle sessions, default 1000]. Medians of the
 * rounds; each round starts both servers anew. BENCH_SERVER_OPTIONS is handed to our Node (--cpu-prof, say); with
 * BENCH_PEER=none ours is measured alone.
 */

import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { openStore } from '../src/store/sqlite/open.ts';
import { createSite, type Site } from '../test/support/appliance.ts';
import { addAccounts } from '../test/support/manyAccounts.ts';
import type { Login } from '../test/support/rawPop3.ts';
import { createDovecot, type DovecotServer, memoryOfTree } from './dovecotServer.ts';
import { askLoop, loopHook } from './loop.ts';
import { mailboxMessage, RARE_WORD } from './mailboxMessages.ts';
import { MeteredImap } from './meteredImap.ts';

const messages = Number(process.argv[2] ?? 20_000);
const rounds = Number(process.argv[3] ?? 3);
const idlers = Number(process.argv[4] ?? 1000);
const IDLE_ACCOUNTS = 50;

/** The figures of one row. */
interface Row {
  readonly ours: number[];
  readonly theirs: number[];
  readonly held: number[];
}

/** A server to measure. */
interface Target {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Longest hold of the event loop since it was asked before; undefined where there is none. */
  held(): Promise<number | undefined>;
}

const rows = new Map<string, Row>();
const site = createSite();
const hasPeer = process.env.BENCH_PEER !== 'none';
const dovecot = await createDovecot(hasPeer ? messages : 0, mailboxMessage);
try {
  const [account, ...idleAccounts] = await fillOurs(site);
  if (account === undefined) throw new Error('no account');
  for (let round = 0; round < rounds; round += 1) {
    await roundOfOurs(site, account);
    if (hasPeer) await roundOfTheirs(dovecot);
  }
  printRows();
  if (idlers > 0 && hasPeer) await idleMemory(idleAccounts);
} finally {
  await dovecot.remove();
  await site.remove();
}

async function roundOfOurs(site: Site, login: Login): Promise<void> {
  const loopSocket = join(site.directory, 'loop.sock');
  const server = await site.serve({ env: loopHook(loopSocket) });
  const target: Target = {
    port: server.ports.imap,
    user: login.address,
    password: login.password,
    held: () => askLoop(loopSocket),
  };
  await measure(target, 'ours');
  await server.stop();
}

async function roundOfTheirs(server: DovecotServer): Promise<void> {
  server.forget();
  await server.start();
  await measure(
    { port: server.port, user: 'bench', password: 'secret', held: async () => undefined },
    'theirs',
  );
  await server.stop();
}

async function measure(target: Target, side: 'ours' | 'theirs'): Promise<void> {
  const session = await MeteredImap.open(target.port, target.user, target.password);
  const timed = async (name: string, command: string) => {
    await target.held();
    const { ms } = await session.command(command);
    note(name, side, ms, await target.held());
  };
  const metadata = 'FETCH 1:* (FLAGS UID RFC822.SIZE ENVELOPE BODYSTRUCTURE)';
  await timed('SELECT, first', 'SELECT INBOX');
  await timed('FETCH metadata, first', metadata);
  for (let again = 0; again < 3; again += 1) await timed('FETCH metadata, again', metadata);
  for (let again = 0; again < 2; again += 1) await timed('FETCH BODY.PEEK[]', 'FETCH 1:* BODY.PEEK[]');
  await timed('FETCH FLAGS', 'FETCH 1:* FLAGS');
  await timed('FETCH ENVELOPE', 'FETCH 1:* ENVELOPE');
  await timed('FETCH HEADER.FIELDS', 'FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT FROM DATE)]');
  await timed('SEARCH TEXT, no hit', 'SEARCH TEXT "quetzalcoatlus"');
  await timed('SEARCH TEXT, rare', `SEARCH TEXT "${RARE_WORD}"`);
  await timed('SEARCH UNSEEN', 'SEARCH UNSEEN');
  await timed('STORE +FLAGS', 'STORE 1:* +FLAGS (\\Flagged)');
  await timed('STORE -FLAGS.SILENT', 'STORE 1:* -FLAGS.SILENT (\\Flagged)');
  await session.command('CREATE Copies');
  await session.command('CREATE Moved');
  await timed('COPY', 'COPY 1:* Copies');
  await timed('SELECT, another', 'SELECT Copies');
  const watcher = await MeteredImap.open(target.port, target.user, target.password);
  await watcher.command('SELECT Copies');
  await timed('MOVE', 'MOVE 1:* Moved');
  await target.held();
  note('NOOP after all were moved away', side, (await watcher.command('NOOP')).ms, await target.held());
  watcher.close();
  await session.command('SELECT Moved');
  const odd = Array.from({ length: Math.floor(messages / 2) }, (_none, index) => 2 * index + 1);
  for (let from = 0; from < odd.length; from += 1000)
    await session.command(`STORE ${odd.slice(from, from + 1000).join(',')} +FLAGS.SILENT (\\Deleted)`);
  await timed('EXPUNGE half', 'EXPUNGE');
  await session.command('UNSELECT');
  await timed('DELETE the rest', 'DELETE Moved');
  await session.command('DELETE Copies');
  session.close();
}

function note(name: string, side: 'ours' | 'theirs', ms: number, held: number | undefined): void {
  const row = rows.get(name) ?? { ours: [], theirs: [], held: [] };
  rows.set(name, row);
  row[side].push(ms);
  if (held !== undefined) row.held.push(held);
}

function printRows(): void {
  const load = loadavg().map((value) => value.toFixed(1));
  print(`${messages} messages, medians of ${rounds} rounds, load average ${load.join(' ')}`);
  print(
    `${'ms'.padEnd(32)} ${'ours'.padStart(9)} ${'Dovecot'.padStart(9)} ${'ratio'.padStart(7)}   loop held`,
  );
  for (const [name, { ours, theirs, held }] of rows) {
    const [one, other] = [median(ours), median(theirs)];
    const ratio = `${(other / one).toFixed(2)}x`;
    const longest = `${median(held).toFixed(1)} (${Math.max(...held).toFixed(1)})`;
    print(
      `${name.padEnd(32)} ${one.toFixed(1).padStart(9)} ${other.toFixed(1).padStart(9)} ${ratio.padStart(7)}   ${longest}`,
    );
  }
}

/** Puts the messages into the INBOX of a new account, through the store alone; answers it and the accounts that idle. */
async function fillOurs(site: Site): Promise<readonly Login[]> {
  // More than a thousand sessions from one address.
  const listener = ['name = "imap"', 'protocol = "imap"', 'tls = "starttls"', 'port = 0'];
  const limits = ['connectionLimit = 5000', 'connectionsPerAddressLimit = 5000'];
  writeFileSync(site.configFile, `[[listeners]]\n${[...listener, ...limits].join('\n')}\n`);
  const server = await site.serve();
  const names = Array.from({ length: IDLE_ACCOUNTS }, (_none, index) => `idle${index}`);
  const logins = await addAccounts(site, ['bench', ...names]);
  await server.stop();
  const store = await openStore({ directory: site.directory, clock: systemClock, log: silentLog });
  const account = await store.directory.findAccount(logins[0]?.address ?? '');
  const inbox = account && (await store.mailboxes.find(account.id, ['INBOX']));
  if (inbox === undefined) throw new Error('no INBOX');
  const internalDate = { at: systemClock.now(), zoneMinutes: 60 };
  for (let first = 0; first < messages; first += 100) {
    const appendices = [];
    for (let index = first; index < Math.min(first + 100, messages); index += 1) {
      const draft = store.contents.begin();
      await draft.write(mailboxMessage(index));
      appendices.push({ draft, flags: { system: 0, keywords: [] }, internalDate });
    }
    await store.mailboxes.append(inbox.id, appendices);
  }
  await store.close();
  return logins;
}

/** The growth by sessions that do nothing but IDLE, over the accounts in turn. */
async function idleMemory(accounts: readonly Login[]): Promise<void> {
  const server = await site.serve();
  const ours = await growth(
    () => memoryOfTree(server.pid),
    (index) => {
      const login = accounts[index % accounts.length];
      return MeteredImap.open(server.ports.imap, login?.address ?? '', login?.password ?? '');
    },
  );
  await server.stop();
  await dovecot.start();
  const theirs = await growth(dovecot.memoryKib, (index) =>
    MeteredImap.open(dovecot.port, `idle${index % IDLE_ACCOUNTS}`, 'secret'),
  );
  await dovecot.stop();
  const ratio = (theirs / ours).toFixed(0);
  print(
    `${idlers} sessions in IDLE: ${ours.toFixed(1)} MiB, Dovecot ${theirs.toFixed(1)} MiB, ${ratio} times less`,
  );
}

async function growth(
  memoryKib: () => number,
  open: (index: number) => Promise<MeteredImap>,
): Promise<number> {
  // Each account once before, so that the work of a first login does not count as a session's memory.
  for (let index = 1; index < IDLE_ACCOUNTS; index += 1) (await open(index)).close();
  const first = await open(0);
  await first.command('SELECT INBOX');
  const before = memoryKib();
  const sessions: MeteredImap[] = [];
  for (let index = 0; index < idlers; index += 1) {
    const session = await open(index);
    sessions.push(session);
    await session.command('SELECT INBOX');
    await session.idle();
  }
  const after = memoryKib();
  for (const session of [first, ...sessions]) session.close();
  return (after - before) / 1024;
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

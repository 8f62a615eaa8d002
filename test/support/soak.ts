/**
 * The appliance under steady use for as long as one likes: clients that poll by POP3 and IMAP, fetch what came and delete it,
 * beside deliveries at a steady rate; and what that did to the server's resident memory.
 *
 * Every message is made from its name, so that each is known to be fetched once and whole. Half of the clients speak POP3,
 * a quarter IMAP with a session for each poll, a quarter IMAP in one session for all time. Used by bench/soak.ts and, for a
 * minute, by a journey. Memory is read from /proc, so that it runs on Linux only.
 */

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createSite, type RunningServer } from './appliance.ts';
import { namedMessage, wholeName } from './killRig.ts';
import { addAccounts } from './manyAccounts.ts';
import { RawImap } from './rawImap.ts';
import { type Login, RawPop3 } from './rawPop3.ts';
import { RawSmtp } from './rawSmtp.ts';

/** How much, and how long. */
export interface SoakOptions {
  readonly seconds: number;
  /** 200 by default, each with an account of its own. */
  readonly clients?: number;
  /** 20 by default. */
  readonly deliveriesPerSecond?: number;
  /** Asks the server to collect what is dead, twice, and tells what is left in `usedMb`; the resident memory is another then. */
  readonly collects?: boolean;
  /** Told now and then, for a person who waits. */
  readonly tell?: (line: string) => void;
}

/** What became of it. */
export interface SoakReport {
  readonly delivered: number;
  readonly fetched: number;
  readonly polls: Readonly<Record<Way, number>>;
  readonly deliveryMs: Spread;
  readonly pollMs: Spread;
  /** Mean resident memory in MB of each twentieth of the time. */
  readonly memoryMb: readonly number[];
  /** Mean resident memory of the second quarter and of the last, in MB. */
  readonly earlyMb: number;
  readonly lateMb: number;
  /** With `collects`: what the main thread uses at 40 % of the time and at its end, in MB. */
  readonly usedMb: readonly number[];
  readonly cpuSeconds: number;
  /** What went wrong: refusals, broken sessions, messages lost or changed or fetched twice, warnings and errors in the log. */
  readonly faults: readonly string[];
}

/** Of a number of times. */
export interface Spread {
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

type Way = 'pop3' | 'imap' | 'imapOpen';

const MEMORY_HOOK = fileURLToPath(new URL('./usedMemory.ts', import.meta.url));
/** Between two polls of a client: as often as impatient programs ask. */
const POLL_INTERVAL_MS = 10_000;
/** Of Exchange Online's habits: a few connections at a time, some messages on each. */
const SENDERS = 5;
const MESSAGES_PER_CONNECTION = 20;
const SAMPLE_INTERVAL_MS = 1000;
/** Faults that are told; a server that is down would give thousands. */
const FAULT_LIMIT = 50;
const TWENTIETHS = 20;

/** Runs it, from an empty data directory to the server's end. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seconds, clients = 200, deliveriesPerSecond = 20, collects = false, tell = () => {} } = options;
  const site = createSite();
  try {
    const memorySocket = join(site.directory, 'memory.sock');
    const hook = { preload: MEMORY_HOOK, env: { SOAK_MEMORY_SOCKET: memorySocket } };
    const server = await site.serve({
      deadlineMs: seconds * 1000 + 10 * 60_000,
      ...(collects ? hook : {}),
    });
    const logins = await addAccounts(
      site,
      Array.from({ length: clients }, (_none, index) => `box${index}`),
    );
    await logInOnce(server, logins);
    const soak = new Soak(server, logins, seconds * 1000, tell, collects ? memorySocket : undefined);
    await soak.run(deliveriesPerSecond);
    const cpu = cpuSeconds(server.pid);
    const { stdout, stderr, exitCode } = await server.stop();
    if (exitCode !== 0) soak.fault(`the server ended with ${exitCode}: ${stderr}`);
    for (const line of stdout.toString().split('\n')) {
      if (/"level":"(warn|error)"/.test(line)) soak.fault(line);
    }
    return soak.report(cpu);
  } finally {
    await site.remove();
  }
}

/**
 * Each account once, a few at a time: a first login costs a hash, and two hundred of them in the same seconds are more than a
 * machine of two busy cores takes. Those of later polls cost nothing.
 */
async function logInOnce(server: RunningServer, logins: readonly Login[]): Promise<void> {
  const left = [...logins];
  const visit = async () => {
    for (let login = left.pop(); login !== undefined; login = left.pop())
      await (await RawPop3.open(server.ports.pop3, login)).quit();
  };
  await Promise.all([visit(), visit(), visit()]);
}

class Soak {
  readonly #server: RunningServer;
  readonly #logins: readonly Login[];
  readonly #lastingMs: number;
  readonly #tell: (line: string) => void;
  readonly #memorySocket: string | undefined;
  readonly #usedMb: number[] = [];
  readonly #begunMs = performance.now();
  readonly #waiting = new Set<string>();
  readonly #polls: Record<Way, number> = { pop3: 0, imap: 0, imapOpen: 0 };
  readonly #deliveryMs: number[] = [];
  readonly #pollMs: number[] = [];
  readonly #samples: { readonly at: number; readonly mb: number }[] = [];
  readonly #faults: string[] = [];
  #delivered = 0;
  #fetched = 0;

  constructor(
    server: RunningServer,
    logins: readonly Login[],
    lastingMs: number,
    tell: (line: string) => void,
    memorySocket: string | undefined,
  ) {
    this.#server = server;
    this.#logins = logins;
    this.#lastingMs = lastingMs;
    this.#tell = tell;
    this.#memorySocket = memorySocket;
  }

  /** Senders and clients until the time is over; then each client polls once more, and everything has to be gone. */
  async run(deliveriesPerSecond: number): Promise<void> {
    const senders = Array.from({ length: SENDERS }, (_none, sender) =>
      this.#send(sender, deliveriesPerSecond).catch((error: unknown) => this.fault(`SMTP: ${error}`)),
    );
    const delivered = Promise.all(senders);
    await Promise.all([
      this.#watchMemory(),
      ...[0.4, 1].map((share) => this.#measureUse(share)),
      delivered,
      ...this.#logins.map((login, index) => this.#visit(login, index, delivered)),
    ]);
    for (const name of this.#waiting) this.fault(`${name} was delivered and never fetched`);
  }

  fault(what: string): void {
    if (this.#faults.length < FAULT_LIMIT) this.#faults.push(what);
  }

  report(cpuSeconds: number): SoakReport {
    const meanOf = (from: number, to: number) => {
      const lasting = this.#lastingMs;
      const within = this.#samples.filter(({ at }) => at >= from * lasting && at < to * lasting);
      return within.reduce((sum, { mb }) => sum + mb, 0) / within.length;
    };
    return {
      delivered: this.#delivered,
      fetched: this.#fetched,
      polls: this.#polls,
      deliveryMs: spreadOf(this.#deliveryMs),
      pollMs: spreadOf(this.#pollMs),
      memoryMb: Array.from({ length: TWENTIETHS }, (_none, part) =>
        meanOf(part / TWENTIETHS, (part + 1) / TWENTIETHS),
      ),
      earlyMb: meanOf(0.25, 0.5),
      lateMb: meanOf(0.75, 1),
      usedMb: this.#usedMb,
      cpuSeconds,
      faults: this.#faults,
    };
  }

  get #nowMs(): number {
    return performance.now() - this.#begunMs;
  }

  /** Every SENDERSth message, at its time or as soon after it as the server takes it. */
  async #send(sender: number, perSecond: number): Promise<void> {
    let client: RawSmtp | undefined;
    for (let number = sender; (number / perSecond) * 1000 < this.#lastingMs; number += SENDERS) {
      await pause((number / perSecond) * 1000 - this.#nowMs);
      const name = `m${number}`;
      const to = this.#logins[number % this.#logins.length]?.address ?? '';
      this.#waiting.add(name);
      const askedMs = performance.now();
      client ??= await RawSmtp.open(this.#server.ports.smtp);
      const reply = await client.deliver({ from: 'load@example.org', to: [to] }, namedMessage(name));
      if (reply.code !== 250) throw new Error(`${name}: ${reply.text}`);
      this.#deliveryMs.push(performance.now() - askedMs);
      this.#delivered += 1;
      if (Math.floor(number / SENDERS) % MESSAGES_PER_CONNECTION !== MESSAGES_PER_CONNECTION - 1) continue;
      await client.quit();
      client = undefined;
    }
    await client?.quit();
  }

  /** A client's life. */
  async #visit(login: Login, index: number, delivered: Promise<unknown>): Promise<void> {
    const way = (['pop3', 'imap', 'pop3', 'imapOpen'] as const)[index % 4] ?? 'pop3';
    let open: RawImap | undefined;
    const poll = async () => {
      const askedMs = performance.now();
      if (way === 'pop3') await this.#pollPop3(login);
      else open = await this.#pollImap(login, open, way === 'imapOpen');
      this.#pollMs.push(performance.now() - askedMs);
      this.#polls[way] += 1;
    };
    try {
      const first = (index / this.#logins.length) * POLL_INTERVAL_MS;
      for (let due = first; due < this.#lastingMs; due += POLL_INTERVAL_MS) {
        await pause(due - this.#nowMs);
        await poll();
      }
      await delivered;
      await poll();
      await open?.logout();
    } catch (error) {
      this.fault(`${way} ${login.address}: ${error}`);
    }
  }

  async #pollPop3(login: Login): Promise<void> {
    const session = await RawPop3.open(this.#server.ports.pop3, login);
    const sizes = await session.list();
    const ids = await session.uidl();
    for (const number of ids.keys()) {
      const octets = await session.retrieve(number);
      if (octets.length !== sizes.get(number)) this.fault(`LIST ${number} tells another size`);
      this.#take(octets);
      await session.command(`DELE ${number}`);
    }
    await session.quit();
  }

  async #pollImap(login: Login, open: RawImap | undefined, staysOpen: boolean): Promise<RawImap | undefined> {
    const session = open ?? (await RawImap.open(this.#server.ports.imap, login));
    if (open === undefined) await session.select('INBOX', 'SELECT');
    else await session.command('NOOP');
    const answers = await session.command('UID SEARCH UNDELETED');
    const found = answers.find(({ text }) => text.startsWith('* SEARCH'))?.text ?? '';
    const uids = found.slice('* SEARCH '.length).replaceAll(' ', ',');
    if (uids !== '') {
      for (const { octets, size } of await session.fetch(uids)) {
        if (octets.length !== size) this.fault('RFC822.SIZE tells another size');
        this.#take(octets);
      }
      await session.command(`UID STORE ${uids} +FLAGS (\\Seen \\Deleted)`);
      await session.command('EXPUNGE');
    }
    if (staysOpen) return session;
    await session.logout();
    return undefined;
  }

  #take(octets: Buffer): void {
    const name = wholeName(octets);
    if (name === undefined) this.fault(`a message was changed: ${octets.toString('latin1', 0, 400)}`);
    else if (!this.#waiting.delete(name)) this.fault(`${name} was fetched twice`);
    else this.#fetched += 1;
  }

  async #measureUse(share: number): Promise<void> {
    if (this.#memorySocket === undefined) return;
    await pause(share * this.#lastingMs);
    let answer = '';
    for await (const piece of connect(this.#memorySocket)) answer += String(piece);
    this.#usedMb.push(Number(answer) / 2 ** 20);
  }

  async #watchMemory(): Promise<void> {
    for (let due = 0; due < this.#lastingMs; due += SAMPLE_INTERVAL_MS) {
      await pause(due - this.#nowMs);
      const mb = residentMb(this.#server.pid);
      this.#samples.push({ at: due, mb });
      if ((due / SAMPLE_INTERVAL_MS) % 60 !== 0) continue;
      const counts = `${this.#delivered} delivered, ${this.#fetched} fetched, ${this.#faults.length} faults`;
      this.#tell(`${Math.round(due / 1000)} s: ${mb.toFixed(1)} MB resident, ${counts}`);
    }
  }
}

/** Of the second quarter and the last: how much more is resident in the end, in MB. */
export function growthMb({ earlyMb, lateMb }: SoakReport): number {
  return lateMb - earlyMb;
}

/** Waits so long; not at all where the time is over. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => (ms > 0 ? setTimeout(resolve, ms) : setImmediate(resolve)));
}

function spreadOf(times: readonly number[]): Spread {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99), longest: sorted.at(-1) ?? Number.NaN };
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** CPU seconds of a process so far, all threads (Linux: 100 ticks a second). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

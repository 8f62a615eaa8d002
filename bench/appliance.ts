/**
 * Measures the whole appliance as one server process on loopback: the time from start to the first accepted connection and from
 * a connection to its greeting, memory at rest and after large messages, and messages taken in per second, durably, at 1, 10
 * and 50 connections, persistent and one message each.
 *
 * Run: npm run bench [-- messages per row, default 3000]. The load comes from a thread of its own in this process. Prints one
 * line per figure; compare figures of one run only, the machines are noisy.
 */

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { addAccount, createSite, type RunningServer } from '../test/support/appliance.ts';
import { RawSmtp } from '../test/support/rawSmtp.ts';

const MESSAGE = Buffer.from(
  `From: a@example.org\r\nTo: in@app.example.com\r\nSubject: bench\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n${`${'x'.repeat(76)}\r\n`.repeat(64)}`,
);
const LINE = Buffer.from(`${'A'.repeat(76)}\r\n`.repeat(840));
const STARTS = 5;
const GREETINGS = 200;

interface Load {
  readonly port: number;
  readonly to: string;
  readonly connections: number;
  readonly messages: number;
  /** One connection for each message. */
  readonly isFresh: boolean;
}

interface LoadResult {
  readonly seconds: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

if (isMainThread) await measure(Number(process.argv[2] ?? 3000));
else parentPort?.postMessage(await load(workerData as Load));

async function measure(messages: number): Promise<void> {
  const site = createSite();
  try {
    const { address } = await addAccount(site, 'in');
    const starts: number[] = [];
    for (let count = 0; count < STARTS; count += 1) {
      const started = performance.now();
      const server = await site.serve();
      await greeting(server.ports.smtp);
      starts.push(performance.now() - started);
      await server.stop();
    }
    print('start to first greeting', `${median(starts).toFixed(0)} ms (median of ${STARTS})`);
    const server = await site.serve();
    print('memory at rest', memory(server));
    const greetings: number[] = [];
    for (let count = 0; count < GREETINGS; count += 1) greetings.push(await greeting(server.ports.smtp));
    print('connection to greeting', `${median(greetings).toFixed(2)} ms (median of ${GREETINGS})`);
    for (const megabytes of [10, 150]) {
      const started = performance.now();
      await handOverLarge(server, address, megabytes);
      print(
        `${megabytes} MB by SMTP`,
        `${((performance.now() - started) / 1000).toFixed(2)} s, then ${memory(server)}`,
      );
    }
    for (const isFresh of [false, true]) {
      for (const connections of [1, 10, 50]) {
        const count = connections === 1 || isFresh ? Math.ceil(messages / 3) : messages;
        const cpu = cpuSeconds(server);
        const result = await loadInThread({
          port: server.ports.smtp,
          to: address,
          connections,
          messages: count,
          isFresh,
        });
        const cpuMs = ((cpuSeconds(server) - cpu) * 1000) / count;
        const rate = (count / result.seconds).toFixed(0);
        const label = `5 KB, ${connections} ${isFresh ? 'at a time, a connection each' : 'connections'}`;
        print(
          label,
          `${rate} messages/s, p50 ${result.medianMs.toFixed(2)} ms, p99 ${result.p99Ms.toFixed(1)} ms, CPU ${cpuMs.toFixed(2)} ms each`,
        );
      }
    }
    await server.stop();
  } finally {
    await site.remove();
  }
}

function loadInThread(data: Load): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: data });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function load({ port, to, connections, messages, isFresh }: Load): Promise<LoadResult> {
  const waits: number[] = [];
  let left = messages;
  const started = performance.now();
  const send = async () => {
    let client = isFresh ? undefined : await RawSmtp.open(port);
    while (left > 0) {
      left -= 1;
      const asked = performance.now();
      client ??= await RawSmtp.open(port);
      // Each is a message of its own: what comes again is stored once.
      const envelope = { from: `a${left}-${started}@example.org`, to: [to] };
      const reply = await client.deliver(envelope, MESSAGE);
      if (reply.code !== 250) throw new Error(reply.text);
      waits.push(performance.now() - asked);
      if (!isFresh) continue;
      await client.quit();
      client = undefined;
    }
    await client?.quit();
  };
  await Promise.all(Array.from({ length: connections }, send));
  const seconds = (performance.now() - started) / 1000;
  waits.sort((first, second) => first - second);
  return { seconds, medianMs: median(waits), p99Ms: waits[Math.floor(waits.length * 0.99)] ?? 0 };
}

async function handOverLarge(server: RunningServer, to: string, megabytes: number): Promise<void> {
  const client = await RawSmtp.open(server.ports.smtp);
  const reply = await client.deliverStream({ from: 'a@example.org', to: [to] }, large(megabytes));
  if (reply.code !== 250) throw new Error(reply.text);
  await client.quit();
}

function* large(megabytes: number): Generator<Buffer> {
  yield Buffer.from('Subject: large\r\n\r\n');
  for (let octets = 0; octets < megabytes * 1_000_000; octets += LINE.length) yield LINE;
}

/** Milliseconds from connecting to the greeting. */
function greeting(port: number): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(performance.now() - started);
    });
    socket.once('error', reject);
  });
}

function memory({ pid }: RunningServer): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string) =>
    (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024).toFixed(0);
  const smaps = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const proportional = Number(/^Pss:\s+(\d+) kB/m.exec(smaps)?.[1]) / 1024;
  return `${megabytes('VmRSS')} MB resident (${proportional.toFixed(0)} MB proportional), peak ${megabytes('VmHWM')} MB`;
}

/** CPU seconds of the server process so far, all threads (Linux: 100 ticks a second). */
function cpuSeconds({ pid }: RunningServer): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function median(values: readonly number[]): number {
  return [...values].sort((first, second) => first - second)[Math.floor(values.length / 2)] ?? 0;
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(38)} ${figure}\n`);
}

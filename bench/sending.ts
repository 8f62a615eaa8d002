/**
 * Measures the queue: so many messages queued while the next hop is away, memory before and with them, a start with them, and how
 * quickly they leave once the next hop is there: Postfix's smtp-sink, in the same run beside Postfix that drains as many to the same
 * sink with as many connections.
 *
 * Run: npx node bench/sending.ts [messages, default 10000] [connections, default 20]. Root on Debian with postfix. Compare figures of
 * one run only, the machines are noisy.
 */

import { readFileSync } from 'node:fs';

import type { Test } from 'tap';

import { callServer } from '../test/support/manyAccounts.ts';
import { createSite, type RunningServer, type Site } from '../test/support/appliance.ts';
import { startProgram, type RunningProgram } from '../test/support/peers.ts';
import { freePort } from '../test/support/freePort.ts';
import { openPostfix } from '../test/support/postfix.ts';
import { RawSmtp } from '../test/support/rawSmtp.ts';

const MESSAGES = Number(process.argv[2] ?? 10_000);
const CONNECTIONS = Number(process.argv[3] ?? 20);
const FILLING_CONNECTIONS = 20;
const BODY = `${'x'.repeat(76)}\r\n`.repeat(64);
const LOOK_MS = 100;
const DEADLINE_MS = 30 * 60_000;

const closers: (() => unknown)[] = [];
try {
  const port = await freePort();
  const ours = await measureOurs(port);
  const theirs = await measurePostfix(port);
  print('ratio', `${(ours / theirs).toFixed(2)} of Postfix's rate`);
} finally {
  for (const close of closers.reverse()) await close();
}

/** Messages that leave in a second. */
async function measureOurs(port: number): Promise<number> {
  const relay = `[[relays]]\nname = "sink"\nhosts = ["127.0.0.1:${port}"]\ntls = "none"\nconnectionLimit = ${CONNECTIONS}\n`;
  const site = createSite(relay);
  closers.push(() => site.remove());
  const empty = await timedStart(site);
  print('start with an empty queue', `${empty.ms.toFixed(0)} ms, then ${memory(empty.server)}`);
  const to = ['--to', 'relay:sink', '--open-to', 'anyone'];
  await site.cliJson(['route', 'add', 'sink', 'sink.example', ...to]);
  await fill(empty.server.ports.smtp);
  print(`${MESSAGES} messages queued`, memory(empty.server));
  await empty.server.stop();
  const full = await timedStart(site);
  print('start with them', `${full.ms.toFixed(0)} ms, then ${memory(full.server)}`);
  await full.server.stop();
  const sink = await openSink(port);
  const begunMs = performance.now();
  const { server } = await timedStart(site);
  await until(async () => (await queued(site)) < MESSAGES);
  const [firstMs, cpu, first] = [performance.now(), cpuSeconds(server), await queued(site)];
  await until(async () => (await queued(site)) === 0);
  const seconds = (performance.now() - firstMs) / 1000;
  const rate = first / seconds;
  const cpuMs = ((cpuSeconds(server) - cpu) * 1000) / first;
  print(
    `drained by ${CONNECTIONS} connections`,
    `${rate.toFixed(0)} messages/s, CPU ${cpuMs.toFixed(2)} ms each, then ${memory(server)}; from the start to the end ${((performance.now() - begunMs) / 1000).toFixed(1)} s`,
  );
  await server.stop();
  await close(sink);
  return rate;
}

async function measurePostfix(port: number): Promise<number> {
  // Only its teardown is used.
  const t = { teardown: (close: () => unknown) => closers.push(close) } as unknown as Test;
  const settings = {
    default_transport: 'smtp',
    relayhost: `[127.0.0.1]:${port}`,
    default_destination_concurrency_limit: String(CONNECTIONS),
    initial_destination_concurrency: String(CONNECTIONS),
    smtp_tls_security_level: 'none',
    default_process_limit: '100',
  };
  const postfix = await openPostfix(t, { settings: { ...settings, defer_transports: 'smtp' } });
  await fill(postfix.port);
  await until(() => postfix.queued('deferred') === MESSAGES);
  await postfix.stop();
  const sink = await openSink(port);
  await postfix.start(settings);
  await postfix.flush();
  await until(() => postfix.queued() < MESSAGES);
  const [firstMs, first] = [performance.now(), postfix.queued()];
  await until(() => postfix.queued() === 0);
  const rate = first / ((performance.now() - firstMs) / 1000);
  print(`Postfix by ${CONNECTIONS} connections`, `${rate.toFixed(0)} messages/s`);
  await postfix.stop();
  await close(sink);
  return rate;
}

/** As many messages of 5 KB, each to a recipient of its own. */
async function fill(port: number): Promise<void> {
  let left = MESSAGES;
  const begunMs = performance.now();
  const send = async () => {
    const client = await RawSmtp.open(port);
    while (left > 0) {
      left -= 1;
      const message = Buffer.from(`From: a@example.org\r\nSubject: ${left}\r\n\r\n${BODY}`);
      const reply = await client.deliver({ from: 'a@example.org', to: [`r${left}@sink.example`] }, message);
      if (reply.code !== 250) throw new Error(reply.text);
    }
    await client.quit();
  };
  await Promise.all(Array.from({ length: FILLING_CONNECTIONS }, send));
  print('  taken in', `${(MESSAGES / ((performance.now() - begunMs) / 1000)).toFixed(0)} messages/s`);
}

async function timedStart(site: Site): Promise<{ readonly server: RunningServer; readonly ms: number }> {
  const begunMs = performance.now();
  const server = await site.serve({ deadlineMs: DEADLINE_MS });
  return { server, ms: performance.now() - begunMs };
}

/** Without its counters (-c), which it writes after each message. */
async function openSink(port: number): Promise<RunningProgram> {
  const args = ['-u', 'nobody', `127.0.0.1:${port}`, '1000'];
  const sink = await startProgram('smtp-sink', args, { deadlineMs: DEADLINE_MS });
  closers.push(() => close(sink));
  return sink;
}

async function close(program: RunningProgram): Promise<void> {
  program.signal('SIGTERM');
  await program.ended;
}

async function queued(site: Site): Promise<number> {
  const { counts } = (await callServer(site, 'queue.list', { limit: 1 })) as {
    counts: readonly { readonly items: number }[];
  };
  return counts.reduce((sum, { items }) => sum + items, 0);
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

function memory({ pid }: RunningServer): string {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const megabytes = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024).toFixed(0);
  return `${megabytes('VmRSS')} MB resident, peak ${megabytes('VmHWM')} MB`;
}

/** Of all its threads. */
function cpuSeconds({ pid }: RunningServer): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function print(label: string, value: string): void {
  process.stdout.write(`${label.padEnd(32)} ${value}\n`);
}

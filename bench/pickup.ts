/**
 * Measures how quickly files are picked up: so many messages of 5 KB that are moved into a directory at once, and so many that are
 * copied into it in view, beside the same messages handed over by SMTP in the same run. All are delivered to the same account. Then
 * a crowd of empty files that never get finished, and what it costs to look at them.
 *
 * Run: npx node bench/pickup.ts [messages, default 5000] [crowd, default 100000]. Compare figures of one run only, the machines are
 * noisy.
 */

import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { addAccount, createSite, type RunningServer } from '../test/support/appliance.ts';
import { RawSmtp } from '../test/support/rawSmtp.ts';
import { askLoop, loopHook } from './loop.ts';

const MESSAGES = Number(process.argv[2] ?? 5000);
const CROWD = Number(process.argv[3] ?? 100_000);
const CROWD_SECONDS = 15;
const BODY = `${'x'.repeat(76)}\r\n`.repeat(64);
const LOOK_MS = 10;
const DEADLINE_MS = 30 * 60_000;
const BADMAIL = 'badmail';

const site = createSite(
  '[[pickups]]\nname = "bench"\npreset = "exchange"\ndirectory = "pickup"\nsettleSeconds = 1\nmessagesPerMinuteLimit = 0\n',
);
const pickup = join(site.directory, 'pickup');
const stage = join(site.directory, 'stage');
try {
  mkdirSync(pickup);
  mkdirSync(stage);
  const { address } = await addAccount(site, 'in');
  const server = await site.serve({ deadlineMs: DEADLINE_MS });
  await measure('SMTP, 1 connection', server, () => submit(server, address, 1));
  const smtp = await measure('SMTP, 4 connections', server, () => submit(server, address, 4));
  await measure('SMTP, 10 connections', server, () => submit(server, address, 10));
  const files = await measure('files moved in at once', server, () => drop(address, renameSync, 'moved'));
  await measure('files copied in view', server, () => drop(address, copyFileSync, 'copied'));
  print('ratio', `${(files / smtp).toFixed(2)} of the rate of SMTP at 4 connections`);
  const badmail = join(pickup, BADMAIL);
  const bad = readdirSync(pickup).includes(BADMAIL) ? readdirSync(badmail).length : 0;
  if (bad > 0) throw new Error(`${bad} files in badmail`);
  await server.stop();
  await watchCrowd();
} finally {
  await site.remove();
}

/** How long the event loop is held at most, and processor time, in some rounds: without the crowd, as it comes, and while it stays. */
async function watchCrowd(): Promise<void> {
  const socket = join(site.directory, 'loop.sock');
  const server = await site.serve({ env: loopHook(socket), deadlineMs: DEADLINE_MS });
  const round = async (label: string) => {
    const cpu = cpuSeconds(server);
    await askLoop(socket);
    await new Promise((resolve) => setTimeout(resolve, CROWD_SECONDS * 1000));
    const held = (await askLoop(socket)).toFixed(1);
    print(
      label,
      `CPU ${(cpuSeconds(server) - cpu).toFixed(2)} s in ${CROWD_SECONDS} s, loop held ${held} ms`,
    );
  };
  await round('no file');
  for (let number = 0; number < CROWD; number += 1)
    closeSync(openSync(join(pickup, `crowd-${number}.eml`), 'w'));
  for (const time of ['first', 'second', 'third', 'fourth']) await round(`${CROWD} files, ${time} round`);
  await server.stop();
}

/** Answers messages a second. */
async function measure(label: string, server: RunningServer, run: () => Promise<number>): Promise<number> {
  const cpu = cpuSeconds(server);
  const seconds = (await run()) / 1000;
  const cpuMs = ((cpuSeconds(server) - cpu) * 1000) / MESSAGES;
  const rate = MESSAGES / seconds;
  print(label, `${rate.toFixed(0)} messages/s, CPU ${cpuMs.toFixed(2)} ms each`);
  return rate;
}

/** Puts all files there, made before the time counts, and waits until none is left; answers milliseconds. */
async function drop(
  address: string,
  put: (from: string, to: string) => void,
  round: string,
): Promise<number> {
  const names = Array.from({ length: MESSAGES }, (_none, number) => `${round}-${number}.eml`);
  for (const name of names) writeFileSync(join(stage, name), messageOf(address, name));
  const begunMs = performance.now();
  for (const name of names) put(join(stage, name), join(pickup, name));
  while (readdirSync(pickup).some((name) => name !== BADMAIL))
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  return performance.now() - begunMs;
}

async function submit(server: RunningServer, address: string, connections: number): Promise<number> {
  let left = MESSAGES;
  const begunMs = performance.now();
  const send = async () => {
    const client = await RawSmtp.open(server.ports.smtp);
    while (left > 0) {
      left -= 1;
      const octets = messageOf(address, `smtp-${connections}-${left}`);
      const reply = await client.deliver({ from: address, to: [address] }, octets);
      if (reply.code !== 250) throw new Error(reply.text);
    }
    await client.quit();
  };
  await Promise.all(Array.from({ length: connections }, send));
  return performance.now() - begunMs;
}

function messageOf(address: string, name: string): Buffer {
  const id = `<${name}.${process.pid}@app.example.com>`;
  const date = 'Fri, 27 Nov 2026 10:00:00 +0000';
  return Buffer.from(
    `From: ${address}\r\nTo: ${address}\r\nSubject: ${name}\r\nDate: ${date}\r\nMessage-ID: ${id}\r\n\r\n${BODY}`,
  );
}

/** Of all its threads. */
function cpuSeconds({ pid }: RunningServer): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function print(label: string, value: string): void {
  process.stdout.write(`${label.padEnd(32)} ${value}\n`);
}

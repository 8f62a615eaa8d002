/**
 * A thread of its own with a session of each protocol, which asks again and again until it is told to stop, and tells the longest
 * wait for an answer of each: a POP3 and an IMAP session ask NOOP, an SMTP session delivers a small message. What this thread and the
 * server's were ready for meanwhile and got no processor for does not count, since other programs had it.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

import type { Ports } from '../support/appliance.ts';
import { RawImap } from '../support/rawImap.ts';
import { type Login, RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

/** What a canary saw. */
export interface CanaryReport {
  readonly protocol: 'smtp' | 'pop3' | 'imap';
  readonly longestMs: number;
  readonly answers: number;
}

const MESSAGE = Buffer.from('Subject: canary\r\n\r\nstill here\r\n');
let isStopped = false;

const { ports, login, pid } = workerData as {
  readonly ports: Ports;
  readonly login: Login;
  readonly pid: number;
};
const smtp = await RawSmtp.open(ports.smtp);
const pop3 = await RawPop3.open(ports.pop3, login);
const imap = await RawImap.open(ports.imap, login);
let messages = 0;
parentPort?.once('message', () => {
  isStopped = true;
});
parentPort?.postMessage('ready');
const reports = await Promise.all([
  ask('smtp', async () => {
    messages += 1;
    // Each is a message of its own: what comes again is stored once.
    const reply = await smtp.deliver({ from: `canary${messages}@example.org`, to: [login.address] }, MESSAGE);
    if (reply.code !== 250) throw new Error(reply.text);
  }),
  ask('pop3', () => pop3.command('NOOP')),
  ask('imap', () => imap.command('NOOP')),
]);
await Promise.all([smtp.quit(), pop3.quit(), imap.logout()]);
parentPort?.postMessage(reports);

async function ask(
  protocol: CanaryReport['protocol'],
  question: () => Promise<unknown>,
): Promise<CanaryReport> {
  let longestMs = 0;
  let answers = 0;
  while (!isStopped) {
    const [askedMs, delayedMs] = [performance.now(), delayMs()];
    await question();
    const waitedMs = performance.now() - askedMs;
    if (waitedMs > longestMs) longestMs = Math.max(longestMs, waitedMs - (delayMs() - delayedMs));
    answers += 1;
    // Lets the word to stop in.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { protocol, longestMs, answers };
}

/** How long this thread, the server's main thread and the busiest of its others have stood in a processor's queue (Linux; else 0). */
function delayMs(): number {
  const delayOf = (task: string) => Number(readFileSync(`${task}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
  try {
    const others = readdirSync(`/proc/${pid}/task`).filter((task) => Number(task) !== pid);
    const most = Math.max(0, ...others.map((task) => delayOf(`/proc/${pid}/task/${task}`)));
    return delayOf('/proc/thread-self') + delayOf(`/proc/${pid}/task/${pid}`) + most;
  } catch {
    return 0;
  }
}

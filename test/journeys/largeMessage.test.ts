/**
 * A message of 150 MB passes in by SMTP and out by POP3 and IMAP: the process grows by at most 40 MB over what a message of
 * 10 MB made of it, and no other session waits longer than 200 ms for an answer.
 */

import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { addAccount, createSite, type RunningServer } from '../support/appliance.ts';
import { RawImap } from '../support/rawImap.ts';
import { type Login, RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(240_000);

const MB = 1_000_000;
const GROWTH_LIMIT_MB = 40;
const WAIT_LIMIT_MS = 200;
const LINE = Buffer.from(`${'A'.repeat(76)}\r\n`.repeat(840));

/** A message of about `megabytes`: a base64 attachment, 64 KB at a time. */
function* largeMessage(megabytes: number): Generator<Buffer> {
  yield Buffer.from(
    'Subject: large\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n',
  );
  for (let octets = 0; octets < megabytes * MB; octets += LINE.length) yield LINE;
}

/** The largest resident size that the process ever had, in MB (2^20 octets). */
function peakMemory({ pid }: RunningServer): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

async function pass(server: RunningServer, box: Login, megabytes: number): Promise<void> {
  const smtp = await RawSmtp.open(server.ports.smtp, { startsTls: true });
  const reply = await smtp.deliverStream(
    { from: 'a@example.org', to: [box.address] },
    largeMessage(megabytes),
  );
  if (reply.code !== 250) throw new Error(reply.text);
  await smtp.quit();
  const pop3 = await RawPop3.open(server.ports.pop3, box);
  const listed = await pop3.list();
  const [number = 0, size = 0] = [...listed].at(-1) ?? [];
  let octets = 0;
  await pop3.passMultiline(`RETR ${number}`, (piece) => {
    octets += piece.length;
  });
  if (octets !== size || size < megabytes * MB)
    throw new Error(`POP3 sent ${octets} octets, LIST said ${size}`);
  await pop3.quit();
  const imap = await RawImap.open(server.ports.imap, box);
  await imap.select();
  let fetched = 0;
  await imap.command(`FETCH ${number} (RFC822.SIZE BODY.PEEK[])`, (piece) => {
    fetched += piece.length;
  });
  if (fetched < size) throw new Error(`IMAP sent ${fetched} octets`);
  await imap.logout();
}

/** A session of its own in a thread of its own: asks NOOP again and again and measures the longest wait. */
function startCanary(port: number): { stop(): Promise<{ longestMs: number; answers: number }> } {
  const worker = new Worker(CANARY, { eval: true, workerData: { port } });
  return {
    stop: () =>
      new Promise((resolve, reject) => {
        worker.once('message', (result: { longestMs: number; answers: number }) => {
          void worker.terminate();
          resolve(result);
        });
        worker.once('error', reject);
        worker.postMessage('stop');
      }),
  };
}

const CANARY = `
const { parentPort, workerData } = require('node:worker_threads');
const socket = require('node:net').connect(workerData.port, '127.0.0.1');
let longestMs = 0, answers = -1, asked = performance.now();
socket.setNoDelay(true);
socket.on('data', () => {
  const now = performance.now();
  if (answers >= 0) longestMs = Math.max(longestMs, now - asked);
  answers += 1;
  setImmediate(() => { asked = performance.now(); socket.write('NOOP\\r\\n'); });
});
parentPort.on('message', () => { socket.destroy(); parentPort.postMessage({ longestMs, answers }); });
`;

t.test(
  'memory stays and others are served while 150 MB pass',
  { skip: process.platform !== 'linux' && 'reads /proc' },
  async (t) => {
    const site = createSite();
    t.teardown(() => site.remove());
    const box = await addAccount(site, 'ticket');
    const server = await site.serve();
    await pass(server, box, 10);
    const before = peakMemory(server);
    const canary = startCanary(server.ports.smtp);
    await pass(server, box, 150);
    const { longestMs, answers } = await canary.stop();
    const growth = peakMemory(server) - before;
    t.ok(growth <= GROWTH_LIMIT_MB, `grew by ${growth.toFixed(1)} MB over ${before.toFixed(1)} MB`);
    t.ok(answers > 100, `${answers} answers`);
    t.ok(longestMs <= WAIT_LIMIT_MS, `the longest wait was ${longestMs.toFixed(1)} ms`);
    t.comment(
      `grew by ${growth.toFixed(1)} MB over ${before.toFixed(1)} MB; the longest of ${answers} waits was ${longestMs.toFixed(1)} ms`,
    );
    t.equal((await server.stop()).exitCode, 0);
  },
);

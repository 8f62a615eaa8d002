/**
 * The kill rig: load by SMTP from several connections, SIGKILL at a moment that the load decides, restart, and the question
 * whether every message that got a 250 is there, whole, by POP3 and by IMAP.
 *
 * A message's body names it and is made from its name, so that what is served can be checked without keeping it. The moment
 * is a seeded number of replies after the start: no clock is asked, and a failing seed can be run again.
 */

import { createHash } from 'node:crypto';

import type { RunningServer } from './appliance.ts';
import { RawImap } from './rawImap.ts';
import { type Login, RawPop3 } from './rawPop3.ts';
import { RawSmtp } from './rawSmtp.ts';

/** A generator of numbers from 0 to 1 that repeats with its seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A message made from its name: 1 to 40 KB, now and then 600 KB, which goes to disk in pieces. */
export function namedMessage(name: string): Buffer {
  const digest = createHash('sha256').update(name).digest();
  const lines = digest[0] === 0 || digest[0] === 1 ? 9000 : 15 + (digest.readUInt16BE(1) % 600);
  return Buffer.from(`Subject: ${name}\r\n\r\n${`${digest.toString('hex')}\r\n`.repeat(lines)}`);
}

/** Sends messages over `connections` connections until `replies` of them were answered, then kills; answers the names that got a 250. */
export async function loadAndKill(
  server: RunningServer,
  box: Login,
  options: { readonly round: number; readonly connections: number; readonly replies: number },
): Promise<string[]> {
  const acknowledged: string[] = [];
  let isKilled = false;
  const kill = () => {
    if (isKilled) return;
    isKilled = true;
    process.kill(server.pid, 'SIGKILL');
  };
  const send = async (connection: number) => {
    const client = await RawSmtp.open(server.ports.smtp);
    for (let number = 0; !isKilled; number += 1) {
      const name = `r${options.round}-c${connection}-n${number}`;
      const reply = await client.deliver({ from: 'load@example.org', to: [box.address] }, namedMessage(name));
      if (reply.code !== 250) throw new Error(`${name}: ${reply.text}`);
      acknowledged.push(name);
      if (acknowledged.length >= options.replies) kill();
    }
  };
  const sessions = Array.from({ length: options.connections }, (_, connection) =>
    send(connection).catch((error: unknown) => {
      if (!isKilled) throw error;
    }),
  );
  await Promise.all(sessions);
  await server.program.ended;
  return acknowledged;
}

/** Names of messages that are not served whole by both protocols. */
export async function findLost(
  server: RunningServer,
  box: Login,
  names: readonly string[],
): Promise<string[]> {
  const byPop3 = new Set<string>();
  const pop3 = await RawPop3.open(server.ports.pop3, box);
  for (const number of (await pop3.list()).keys()) addWhole(byPop3, await pop3.multiline(`RETR ${number}`));
  await pop3.quit();
  const byImap = new Set<string>();
  const imap = await RawImap.open(server.ports.imap, box);
  if ((await imap.select()) > 0) for (const { octets } of await imap.fetch('1:*')) addWhole(byImap, octets);
  await imap.logout();
  return names.filter((name) => !byPop3.has(name) || !byImap.has(name));
}

/** The name of a message that is what its name says, behind our two trace fields; undefined when it is not. */
export function wholeName(octets: Buffer): string | undefined {
  const start = octets.indexOf('Subject: ');
  const name = octets.toString('latin1', start + 9, octets.indexOf('\r\n', start));
  return octets.subarray(start).equals(namedMessage(name)) ? name : undefined;
}

function addWhole(names: Set<string>, octets: Buffer): void {
  const name = wholeName(octets);
  if (name !== undefined) names.add(name);
}

/**
 * The kill rig: load by SMTP from several connections, as DATA and in chunks, SIGKILL at a moment that the load decides, restart,
 * what got no answer sent again, and the question whether every message that got a 250 is there once, whole, by POP3 and by IMAP.
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

/** What of a load is known when the server is gone. */
export interface LoadOutcome {
  /** Names that got a 250. */
  readonly acknowledged: readonly string[];
  /** Names that were handed over, whole or in part, and got no answer. */
  readonly inDoubt: readonly string[];
}

/** How a load is made. */
export interface LoadOptions {
  readonly round: number;
  readonly connections: number;
  /** Replies after which the kill comes. */
  readonly replies: number;
  /** What got no answer in the round before: sent again before anything else, by the same connection's number. */
  readonly again?: readonly string[];
  /** Of so many messages that got their 250 one is sent a second time, as by a client that did not hear it. */
  readonly resendEvery?: number;
  /** Whom a message is for; the box unless said. */
  readonly recipientOf?: (name: string) => string;
  /** Another moment for the kill, where it comes before that many replies. */
  readonly moment?: Promise<unknown>;
}

/**
 * Sends messages over `connections` connections, by turns as DATA and in chunks, until `replies` of them were answered, then kills.
 * Every other connection sends what is in doubt by the other command than it began with: the octets are the same.
 */
export async function loadAndKill(
  server: RunningServer,
  box: Login,
  { round, connections, replies, again = [], resendEvery = 0, recipientOf, moment }: LoadOptions,
): Promise<LoadOutcome> {
  const acknowledged: string[] = [];
  const pending = new Set(again);
  let isKilled = false;
  const kill = () => {
    if (isKilled) return;
    isKilled = true;
    process.kill(server.pid, 'SIGKILL');
  };
  void moment?.then(kill);
  const send = async (connection: number) => {
    const client = await RawSmtp.open(server.ports.smtp);
    const hand = async (name: string, isChunked: boolean) => {
      pending.add(name);
      const reply = await deliverNamed(client, recipientOf?.(name) ?? box.address, name, isChunked);
      if (reply.code !== 250) throw new Error(`${name}: ${reply.text}`);
      pending.delete(name);
    };
    for (const [index, name] of again.entries()) {
      if (index % connections !== connection) continue;
      await hand(name, connection % 2 === 0);
      acknowledged.push(name);
    }
    for (let number = 0; !isKilled; number += 1) {
      const name = `r${round}-c${connection}-n${number}`;
      await hand(name, connection % 2 === 1);
      acknowledged.push(name);
      if (resendEvery > 0 && number % resendEvery === 0) await hand(name, connection % 2 === 0);
      if (acknowledged.length >= replies) kill();
    }
  };
  const sessions = Array.from({ length: connections }, (_, connection) =>
    send(connection).catch((error: unknown) => {
      if (!isKilled) throw error;
    }),
  );
  await Promise.all(sessions);
  await server.program.ended;
  return { acknowledged, inDoubt: [...pending] };
}

async function deliverNamed(client: RawSmtp, recipient: string, name: string, isChunked: boolean) {
  const envelope = { from: 'load@example.org', to: [recipient] };
  const octets = namedMessage(name);
  if (!isChunked) return client.deliver(envelope, octets);
  // Two chunks, cut where a line is not over.
  const cut = octets.length >> 1;
  await client.socket.write(
    Buffer.concat([
      Buffer.from(`MAIL FROM:<${envelope.from}>\r\nRCPT TO:<${recipient}>\r\nBDAT ${cut}\r\n`),
      octets.subarray(0, cut),
      Buffer.from(`BDAT ${octets.length - cut} LAST\r\n`),
      octets.subarray(cut),
    ]),
  );
  for (let left = 3; left > 0; left -= 1) {
    const reply = await client.readReply();
    if (reply.code !== 250) return reply;
  }
  return client.readReply();
}

/** What is served after a restart. */
export interface Served {
  /** Names of messages that are not served whole: by IMAP in any of the mailboxes, by POP3 those of INBOX. */
  readonly lost: readonly string[];
  /** Names of messages that are there twice. */
  readonly doubled: readonly string[];
  /** Names by mailbox. */
  readonly byMailbox: ReadonlyMap<string, readonly string[]>;
}

/** Asks for `names` by both protocols. */
export async function findServed(
  server: RunningServer,
  box: Login,
  names: readonly string[],
  mailboxes: readonly string[] = ['INBOX'],
): Promise<Served> {
  const byPop3: string[] = [];
  const pop3 = await RawPop3.open(server.ports.pop3, box);
  for (const number of (await pop3.list()).keys()) addWhole(byPop3, await pop3.multiline(`RETR ${number}`));
  await pop3.quit();
  const byMailbox = new Map<string, string[]>();
  const imap = await RawImap.open(server.ports.imap, box);
  for (const mailbox of mailboxes) {
    const found: string[] = [];
    if ((await imap.select(mailbox)) > 0)
      for (const { octets } of await imap.fetch('1:*')) addWhole(found, octets);
    byMailbox.set(mailbox, found);
  }
  await imap.logout();
  const inbox = new Set(byMailbox.get('INBOX'));
  const fetched = new Set(byPop3);
  const all = [...byMailbox.values()].flat();
  const some = new Set(all);
  return {
    lost: names.filter((name) => !some.has(name) || (inbox.has(name) && !fetched.has(name))),
    doubled: [...new Set([...doublesOf(all), ...doublesOf(byPop3)])],
    byMailbox,
  };
}

function doublesOf(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

/** The name of a message that is what its name says, behind our two trace fields; undefined when it is not. */
export function wholeName(octets: Buffer): string | undefined {
  const start = octets.indexOf('Subject: ');
  const name = octets.toString('latin1', start + 9, octets.indexOf('\r\n', start));
  return octets.subarray(start).equals(namedMessage(name)) ? name : undefined;
}

function addWhole(names: string[], octets: Buffer): void {
  const name = wholeName(octets);
  if (name !== undefined) names.push(name);
}

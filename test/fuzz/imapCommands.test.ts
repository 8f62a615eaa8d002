/**
 * Random commands after the grammar, a third of them bent, in several session states: each gets exactly one tagged reply or the
 * connection is closed with BYE; a twin session that gets the same octets in other pieces answers the same; no error is
 * logged and a session beside them is served. FUZZ_SEED and FUZZ_COMMANDS change the run.
 */

import { Writable } from 'node:stream';

import t from 'tap';
import type { Test } from 'tap';

import { systemClock, unixMs } from '../../src/base/clock.ts';
import { createLog } from '../../src/base/log.ts';
import { openImapSite, RawClient } from '../imapd/harness.ts';
import type { ImapSite } from '../imapd/harness.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import type { Below } from '../support/randomNumbers.ts';
import { ImapGrammar } from './imapGrammar.ts';
import type { Piece } from './imapGrammar.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 9051);
const COMMANDS = Number(process.env.FUZZ_COMMANDS ?? 2000);
const COMMANDS_PER_SESSION = 25;
/** A reply that takes longer is a hang. */
const REPLY_DEADLINE_MS = 120_000;

t.setTimeout(300_000 + COMMANDS * 60);

/** What the commands of a session begin with; LOGIN comes before all but the first. */
const STATES: readonly (readonly string[] | undefined)[] = [
  undefined,
  [],
  ['SELECT INBOX'],
  ['SELECT INBOX'],
  ['EXAMINE INBOX'],
  ['SELECT INBOX (CONDSTORE)'],
  ['ENABLE QRESYNC', 'SELECT INBOX'],
];

const MESSAGES = [
  'From: a@example.org\r\nTo: b@example.org\r\nSubject: one\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n\r\nfirst\r\n',
  'From: b@example.org\r\nSubject: Re: one\r\nReferences: <1@x>\r\nMessage-ID: <2@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\npart\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--b--\r\n',
  'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==',
  'no header at all',
];

/** Two accounts with the same mailboxes. */
interface Twins {
  readonly addresses: readonly [whole: string, cut: string];
}

/** One of two sessions that are told the same. */
interface Twin {
  readonly client: RawClient;
  send(octets: string): Promise<void>;
}

async function makeTwins(site: ImapSite, run: number): Promise<Twins> {
  const addresses = [`whole${run}@app.example.com`, `cut${run}@app.example.com`] as const;
  for (const address of addresses) {
    const account = await site.addAccount(address);
    const inbox = await site.store.mailboxes.find(account.id, ['INBOX']);
    if (inbox === undefined) throw new Error('no INBOX');
    const internalDate = { at: unixMs(1_704_103_200_000), zoneMinutes: 60 };
    const appendices = [];
    for (const octets of MESSAGES) {
      const draft = site.store.contents.begin();
      await draft.write(Buffer.from(octets, 'latin1'));
      appendices.push({ draft, flags: { system: 0, keywords: [] }, internalDate });
    }
    await site.store.mailboxes.append(inbox.id, appendices);
  }
  return { addresses };
}

/** Sends whole, as it comes. */
async function wholeTwin(t: Test, port: number): Promise<Twin> {
  const client = await RawClient.connect(t, port);
  return { client, send: async (octets) => client.send(octets) };
}

/** Sends in up to four pieces, cut anywhere. */
async function cutTwin(t: Test, port: number, below: Below): Promise<Twin> {
  const client = await RawClient.connect(t, port);
  const send = async (octets: string) => {
    const cuts = Array.from({ length: below(4) }, () => below(octets.length + 1)).sort((a, b) => a - b);
    for (const [index, cut] of [...cuts, octets.length].entries()) {
      client.send(octets.slice(cuts[index - 1] ?? 0, cut));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { client, send };
}

/** What came back up to the command's completion, or up to the end of the connection. */
async function ask({ client, send }: Twin, tag: string, pieces: readonly Piece[]): Promise<string[]> {
  const lines: string[] = [];
  const readTo = async (isLast: (line: string) => boolean) => {
    for (;;) {
      const line = await client.responseLine();
      lines.push(line);
      if (isLast(line)) return line;
    }
  };
  const isCompletion = (line: string) => /^t\d+ /.test(line) || line.startsWith('* BYE');
  for (const { octets, awaits } of pieces) {
    await send(octets);
    if (!awaits) continue;
    if (isCompletion(await readTo((line) => line.startsWith('+') || isCompletion(line)))) return lines;
  }
  const end = await readTo(isCompletion);
  if (/^t\d+ /.test(end) && !end.startsWith(`${tag} `)) throw new Error(`${tag} was answered ${end}`);
  return lines;
}

/** Lines without what differs between two accounts. */
function alike(lines: readonly string[], address: string): string[] {
  return lines.map((line) =>
    line
      .replaceAll(address, 'ADDRESS')
      .replace(/UIDVALIDITY \d+/g, 'UIDVALIDITY')
      .replace(/(APPENDUID|COPYUID) \d+/g, '$1')
      .replace(/(MAILBOXID|EMAILID|THREADID) \([^)]*\)/g, '$1')
      .replace(/(INTERNALDATE|SAVEDATE) "[^"]*"/g, '$1'),
  );
}

async function withinDeadline<Value>(promise: Promise<Value>, what: () => string): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no reply: ${what()}`)), REPLY_DEADLINE_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs one session of both twins; answers how many commands they were. */
async function runSession(
  t: Test,
  site: ImapSite,
  { addresses }: Twins,
  grammar: ImapGrammar,
  below: Below,
): Promise<number> {
  const twins = [await wholeTwin(t, site.port), await cutTwin(t, site.port, below)] as const;
  for (const twin of twins) await twin.client.line();
  const state = STATES[below(STATES.length)];
  const opening = state === undefined ? [] : ['LOGIN', ...state];
  const told: string[] = [];
  let isUnselected = false;
  for (let count = 0; count < COMMANDS_PER_SESSION; count += 1) {
    const random = below(3) > 0 ? grammar.command() : grammar.bend(grammar.command());
    const text = opening[count] ?? (isUnselected ? 'SELECT INBOX' : random);
    const tag = `t${count}`;
    told.push(text);
    const answers: string[][] = [];
    for (const [index, twin] of twins.entries()) {
      const address = addresses[index] ?? '';
      const command = text === 'LOGIN' ? `LOGIN ${address} secret` : text;
      const lines = await withinDeadline(ask(twin, tag, grammar.pieces(tag, command)), () =>
        JSON.stringify(told),
      );
      answers.push(alike(lines, address));
    }
    const [whole = [], cut = []] = answers;
    if (JSON.stringify(whole) !== JSON.stringify(cut)) t.same(cut, whole, JSON.stringify(told));
    if (whole.at(-1)?.startsWith('* BYE') === true) break;
    isUnselected = whole.at(-1)?.endsWith('Not in this state: authenticated') === true;
  }
  for (const { client } of twins) client.socket.destroy();
  return told.length;
}

t.test(`each of ${COMMANDS} commands has one reply, however it is cut (seed ${SEED})`, async (t) => {
  const logged: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      logged.push(String(chunk));
      done();
    },
  });
  // The time stands still, so that OLDER and YOUNGER answer both twins alike.
  const now = systemClock.now();
  const site = await openImapSite(t, {
    log: createLog(sink, 'warn'),
    clock: { ...systemClock, now: () => now },
  });
  const canary = await site.selected();
  const below = randomNumbers(SEED);
  const grammar = new ImapGrammar(below);
  let commandCount = 0;
  for (let run = 0; commandCount < COMMANDS; run += 1) {
    const twins = await makeTwins(site, run);
    for (let session = 0; session < 4 && commandCount < COMMANDS; session += 1) {
      commandCount += await runSession(t, site, twins, grammar, below);
      t.match((await canary.command('NOOP')).at(-1), / OK NOOP completed$/);
    }
    t.same(logged.splice(0), [], `run ${run} logs nothing`);
    for (const address of twins.addresses) await site.store.directory.removeAccount(address);
  }
  while (site.imapd.sessionCount > 1) await new Promise((resolve) => setImmediate(resolve));
});

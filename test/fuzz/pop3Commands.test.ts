/**
 * Random POP3 commands after the grammar, a third of them bent, in several session states: each gets exactly one reply or the
 * session ends; a twin session that gets the same octets in other pieces answers the same; no error is logged, a session
 * beside them is served, and messages go by QUIT alone. FUZZ_SEED and FUZZ_COMMANDS change the run.
 */

import { Writable } from 'node:stream';

import t from 'tap';
import type { Test } from 'tap';

import { createLog } from '../../src/base/log.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import { RawClient } from '../imapd/harness.ts';
import { openServer } from '../pop3d/harness.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import type { Below } from '../support/randomNumbers.ts';
import { Pop3Grammar } from './pop3Grammar.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 1939);
const COMMANDS = Number(process.env.FUZZ_COMMANDS ?? 2000);
const COMMANDS_PER_SESSION = 25;
/** A reply that takes longer is a hang. */
const REPLY_DEADLINE_MS = 120_000;

t.setTimeout(300_000 + COMMANDS * 60);

/** What the commands of a session begin with; NAME stands for the twin's address. */
const STATES: readonly (readonly string[])[] = [
  [],
  ['USER NAME'],
  ['USER NAME', 'PASS secret'],
  ['USER NAME', 'PASS secret'],
  ['UTF8', 'USER NAME', 'PASS secret'],
  ['USER NAME', 'PASS secret', 'DELE 1', 'DELE 3'],
];

const MESSAGES = [
  'Subject: one\r\n\r\nfirst\r\n.dot\r\n..\r\n',
  'no header, no end',
  `Subject: long\r\n\r\n${'.'.repeat(5000)}\nbare\rends\n`,
  '\r\n.\r\n+OK\r\n-ERR\r\n.\r\n',
];

type Server = Awaited<ReturnType<typeof openServer>>;

/** One of two sessions that are told the same. */
interface Twin {
  readonly client: RawClient;
  readonly address: string;
  send(octets: string): Promise<void>;
}

/** Sends in up to four pieces, cut anywhere; in one where `below` is absent. */
async function twinOf(t: Test, port: number, address: string, below?: Below): Promise<Twin> {
  const client = await RawClient.connect(t, port);
  await client.line();
  const send = async (octets: string) => {
    const count = below?.(4) ?? 0;
    const cuts = Array.from({ length: count }, () => below?.(octets.length + 1) ?? 0).sort((a, b) => a - b);
    for (const [index, cut] of [...cuts, octets.length].entries()) {
      client.send(octets.slice(cuts[index - 1] ?? 0, cut));
      if (below !== undefined) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { client, address, send };
}

/** Whether +OK to it is the first of many lines (RFC 2449, 5034 and 6856 beside RFC 1939). */
function isMultiline(command: string): boolean {
  const [, keyword = '', argument = ''] = /^([^ \t]*)([\s\S]*)$/.exec(command) ?? [];
  if (/^(CAPA|RETR|TOP)$/i.test(keyword)) return true;
  return /^(LIST|UIDL|AUTH|LANG)$/i.test(keyword) && /^[ \t]*$/.test(argument);
}

/** The reply, with those to `responses` where it is a challenge; `end` as the last line where the session has ended. */
async function ask(twin: Twin, command: string, responses: readonly string[]): Promise<string[]> {
  const { client } = twin;
  const lines: string[] = [];
  const read = async () => {
    const line = await client.line().catch(() => 'end');
    lines.push(line);
    return line;
  };
  await twin.send(`${command}\r\n`);
  let status = await read();
  for (const response of responses) {
    if (!status.startsWith('+ ')) break;
    await twin.send(`${response}\r\n`);
    status = await read();
  }
  if (status !== 'end' && !/^(\+OK|-ERR)/.test(status)) throw new Error(`${command}: ${status}`);
  if (status.startsWith('+OK') && isMultiline(command)) {
    for (let line = await read(); line !== '.' && line !== 'end'; ) line = await read();
  }
  return lines;
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

/** What CAPA is answered, where that is not what it should be. */
async function strayReply(twin: Twin): Promise<string | undefined> {
  const lines = await ask(twin, 'CAPA', []);
  return lines[1] === 'TOP' && lines.at(-1) === '.' ? undefined : lines.join(' ').slice(0, 200);
}

/** Runs one session of both twins; answers the commands, and whether it ended by a QUIT that was answered. */
async function runSession(t: Test, port: number, addresses: readonly string[], below: Below) {
  const grammar = new Pop3Grammar(below);
  const [first = '', second = ''] = addresses;
  const twins = [await twinOf(t, port, first), await twinOf(t, port, second, below)] as const;
  const state = STATES[below(STATES.length)] ?? [];
  // Where CAPA follows each command, a second reply or none is seen at once; where it comes last, errors in a row end the session.
  const isChecked = below(2) === 0;
  const told: string[] = [];
  let hasQuit = false;
  for (let count = 0; count < COMMANDS_PER_SESSION; count += 1) {
    const plain = state.length < 3 && below(2) === 0 ? grammar.opening() : grammar.command();
    const text = state[count] ?? (below(3) > 0 ? plain : grammar.bend(plain));
    const responses = [grammar.response(), grammar.response(), '*'];
    told.push(text);
    const answers: string[][] = [];
    for (const twin of twins) {
      const command = text.replace('NAME', () => twin.address);
      const lines = await withinDeadline(ask(twin, command, responses), () => JSON.stringify(told));
      if (isChecked && lines.at(-1) !== 'end' && !/^quit\s*$/i.test(text)) {
        const stray = await withinDeadline(strayReply(twin), () => JSON.stringify(told));
        // The session may have ended with a refusal: so many of them, or so many failed logins.
        if (stray === 'end' && lines.at(-1)?.startsWith('-ERR')) lines.push('end');
        else if (stray !== undefined) t.fail(`${JSON.stringify(told)}: then CAPA is answered ${stray}`);
      }
      answers.push(lines.map((line) => line.replaceAll(twin.address, 'NAME')));
    }
    const [whole = [], cut = []] = answers;
    if (JSON.stringify(whole) !== JSON.stringify(cut)) t.same(cut, whole, JSON.stringify(told));
    hasQuit = /^quit[ \t]*$/i.test(text) && whole.at(-1)?.startsWith('+OK') === true;
    if (hasQuit || whole.at(-1) === 'end') break;
    if (count < COMMANDS_PER_SESSION - 1) continue;
    const stray = await withinDeadline(strayReply(twins[0]), () => JSON.stringify(told));
    if (stray !== undefined && stray !== 'end')
      t.fail(`${JSON.stringify(told)}: then CAPA is answered ${stray}`);
  }
  for (const { client } of twins) client.socket.destroy();
  return { told, hasQuit };
}

async function makeTwins({ site }: Server, run: number): Promise<[whole: Account, cut: Account]> {
  const whole = await site.addAccount(`whole${run}@app.example.com`);
  const cut = await site.addAccount(`cut${run}@app.example.com`);
  for (const message of MESSAGES) await site.deliver(Buffer.from(message, 'latin1'), whole, cut);
  return [whole, cut];
}

async function messagesOf({ site }: Server, account: Account): Promise<number> {
  const inbox = await site.store.mailboxes.find(account.id, ['INBOX']);
  if (inbox === undefined) throw new Error('no INBOX');
  return (await site.store.mailboxes.status(inbox.id)).messages;
}

t.test(`each of ${COMMANDS} commands has one reply, however it is cut (seed ${SEED})`, async (t) => {
  const logged: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      logged.push(String(chunk));
      done();
    },
  });
  const server = await openServer(t, { log: createLog(sink, 'warn'), tls: 'none' });
  const canary = await makeCanary(t, server);
  const below = randomNumbers(SEED);
  let commandCount = 0;
  for (let run = 0; commandCount < COMMANDS; run += 1) {
    const twins = await makeTwins(server, run);
    let left = MESSAGES.length;
    for (let session = 0; session < 4 && commandCount < COMMANDS; session += 1) {
      const addresses = twins.map(({ address }) => address);
      const { told, hasQuit } = await runSession(t, server.port, addresses, below);
      commandCount += told.length;
      while (server.pop3d.sessionCount > 1) await new Promise((resolve) => setImmediate(resolve));
      const [whole = 0, cut] = [await messagesOf(server, twins[0]), await messagesOf(server, twins[1])];
      if (whole !== cut || (!hasQuit && whole !== left))
        t.fail(`${left} messages became ${whole} and ${cut}: ${JSON.stringify(told)}`);
      left = whole;
      canary.send('NOOP\r\n');
      t.equal(await canary.line(), '+OK Nothing done');
    }
    t.same(logged.splice(0), [], `run ${run} logs nothing`);
    for (const { address } of twins) await server.site.store.directory.removeAccount(address);
  }
});

/** A session that stays beside them. */
async function makeCanary(t: Test, { site, port }: Server): Promise<RawClient> {
  await site.addAccount('canary@app.example.com');
  const client = await RawClient.connect(t, port);
  client.send('USER canary@app.example.com\r\nPASS secret\r\n');
  for (let line = 0; line < 3; line += 1) await client.line();
  return client;
}

/** The protocol log: sessions of the three protocols as they are written down, watches, limits, files, and readers that follow. */

import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

import t, { type Test } from 'tap';

import { documentProtocolLogLimits } from '../../bin/limits.ts';
import { runCli } from '../../src/admin/cli.ts';
import { protocolLogVerbs } from '../../src/admin/verbs/protocolLog.ts';
import { createLog, silentLog } from '../../src/base/log.ts';
import { HOUR_MS, MIB, MINUTE_MS } from '../../src/base/units.ts';
import type { TappedSession } from '../../src/net/sessionTap.ts';
import {
  FOLLOW_BATCH_LINES,
  FOLLOW_WAIT_MS,
  FOLLOWER_LIMIT,
  PENDING_LIMIT_OCTETS,
  PRUNE_PERIOD_MS,
  QUEUE_LIMIT_OCTETS,
  RECENT_LIMIT,
  ROW_LIMIT,
  WATCH_LIMIT,
} from '../../src/admin/protocolLog/limits.ts';
import type { ProtocolLine } from '../../src/admin/protocolLog/line.ts';
import { LogFiles } from '../../src/admin/protocolLog/logFiles.ts';
import { RecentLines } from '../../src/admin/protocolLog/recentLines.ts';
import { Watches } from '../../src/admin/protocolLog/watches.ts';
import { createTestClock } from '../support/clock.ts';
import { deflatedSocket } from '../support/deflatedSocket.ts';
import { type Client, clientOn, secureClient } from '../support/sockets.ts';
import {
  after,
  dialogue,
  fileText,
  openLog,
  openProtocolRig,
  playSteps,
  type ProtocolRig,
} from './protocolRig.ts';

const TIM = 'tim@app.example.com';
const EVA = 'eva@app.example.com';
const MESSAGE = 'Subject: a secret thing\r\n\r\n.line\r\nend\r\n';
const SESSION: TappedSession = {
  protocol: 'pop3',
  listener: 'pop3',
  remoteAddress: '192.0.2.7',
  remotePort: 5,
};
const LINE: ProtocolLine = { at: '2026-01-15T10:00:00.000Z', session: 'a', direction: 'C', text: 'NOOP' };

/** What is exact in every session but ports and ids. */
const exact = (lines: readonly ProtocolLine[]) =>
  dialogue(lines).map((line) =>
    line
      .replace(/port \d+/, 'port N')
      .replace(/CAPABILITY [^\]]*/, 'CAPABILITY ...')
      .replace(/Queued as \S+/, 'Queued as ID'),
  );

async function closedSessions({ log }: ProtocolRig): Promise<void> {
  while (log.status().sessions > 0) await setImmediate();
}

/** The rest of `text` octet by octet, and what comes back up to `until`. */
async function say(client: Client, text: string, until: RegExp): Promise<void> {
  const from = client.received.length;
  for (const octet of Buffer.from(text, 'latin1')) {
    client.send(Buffer.of(octet));
    await setImmediate();
  }
  await client.until(after(from, until));
}

t.test('POP3: pipelining, STLS, listings and messages, split at every octet', async (t) => {
  const rig = await openProtocolRig(t);
  const tim = await rig.addAccount(TIM);
  await rig.deliver(MESSAGE, tim);
  rig.watch({ kind: 'all' });
  const plain = await rig.connect('pop3');
  await say(plain, 'STLS\r\n', /Begin TLS[^\r]*\r\n/i);
  const client = await secureClient(t, plain.socket);
  await say(
    client,
    `USER ${TIM}\r\nPASS secret\r\nLIST\r\nRETR 1\r\nTOP 1 0\r\nRETR 9\r\nQUIT\r\n`,
    /signing off|bye/i,
  );
  client.socket.end();
  await closedSessions(rig);
  const lines = await rig.lines();
  t.equal(exact(lines)[0], '-- connected: pop3 from 127.0.0.1 port N');
  const text = exact(lines).join('\n');
  t.match(text, /C: STLS\nS: \+OK [^\n]*\n-- TLS: TLSv1\.3 TLS_/);
  t.match(text, /C: PASS \*\*\*\n/);
  t.match(text, new RegExp(`-- logged in: ${TIM}\n`));
  t.match(text, /S: 1 39\nS: \.\n/);
  t.match(text, /S: \[39 octets\]\nS: \.\n/, 'RETR');
  t.match(text, /S: \[27 octets\]\nS: \.\n/, 'TOP');
  t.match(text, /C: QUIT\n[\s\S]*S: \+OK Goodbye\n-- closed: by the (client|server)$/);
  t.notMatch(text, /a secret thing|secret$/m);
  t.equal(new Set(lines.map(({ session }) => session)).size, 1);
  t.ok(lines.every(({ at }) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at)));
  t.match(lines.at(-1), { protocol: 'pop3', listener: 'pop3', remoteAddress: '127.0.0.1', account: TIM });
  t.equal(lines[0]?.account, undefined, 'not known yet');
});

t.test('IMAP: STARTTLS, COMPRESS, literals both ways and IDLE, split at every octet', async (t) => {
  const rig = await openProtocolRig(t);
  await rig.addAccount(TIM);
  rig.watch({ kind: 'account', address: TIM });
  const plain = await rig.connect('imap');
  await say(plain, 'a STARTTLS\r\n', /a OK [^\r]*\r\n/);
  const secure = await secureClient(t, plain.socket);
  await say(secure, `b LOGIN "${TIM}" {6}\r\n`, /\+ /);
  await say(secure, 'secret\r\n', /b OK [^\r]*\r\n/);
  await say(secure, 'c COMPRESS DEFLATE\r\n', /c OK [^\r]*\r\n/);
  secure.socket.removeAllListeners('data');
  const client = clientOn(t, deflatedSocket(secure.socket));
  await say(client, `d APPEND INBOX {${MESSAGE.length}}\r\n`, /\+ /);
  await say(client, `${MESSAGE}\r\n`, /d OK [^\r]*\r\n/);
  await say(client, 'e SELECT INBOX\r\nf FETCH 1 (UID BODY[] PREVIEW)\r\n', /f OK [^\r]*\r\n/);
  await say(client, 'g IDLE\r\n', /\+ /);
  await say(client, 'DONE\r\nwrong line here\r\nh LOGOUT\r\n', /h OK [^\r]*\r\n/);
  client.socket.destroy();
  await closedSessions(rig);
  const lines = await rig.lines();
  const told = exact(lines).filter((line) => !/^S: \* /.test(line) || line.includes('FETCH'));
  t.match(told, [
    '-- connected: imap from 127.0.0.1 port N',
    'C: a STARTTLS',
    /^S: a OK /,
    /^-- TLS: TLSv1\.3 TLS_/,
    `C: b LOGIN "${TIM}" {***}`,
    'S: + OK',
    'C: ***',
    `-- logged in: ${TIM}`,
    /^S: b OK /,
    'C: c COMPRESS DEFLATE',
    /^S: c OK /,
    '-- compressed: DEFLATE',
  ]);
  const text = told.join('\n');
  t.match(text, /C: d APPEND INBOX \{39\}\nS: \+ [^\n]*\nC: \[39 octets\]\nS: d OK /);
  t.match(text, /S: \* 1 FETCH \(UID 1 BODY\[\] \{39\}\[39 octets\] PREVIEW \*\*\*( FLAGS \([^)]*\))?\)\n/);
  t.match(text, /C: g IDLE\nS: \+ [^\n]*\nC: DONE\n/);
  t.match(text, /C: \*\*\*\nS: \*\*\* BAD /, 'an unknown command and its tag');
  t.match(text, /C: h LOGOUT\n/);
  t.notMatch(text, /secret|thing/);
  t.ok(
    lines.every(({ account }) => account === TIM),
    'lines that waited for the login have its account',
  );
});

t.test('SMTP: STARTTLS, commands, and the message as a count', async (t) => {
  const rig = await openProtocolRig(t);
  await rig.addAccount(TIM);
  rig.watch({ kind: 'address', range: '127.0.0.0/8' });
  const plain = await rig.connect('smtp');
  await say(plain, 'EHLO a.example\r\n', /250 [^\r]*\r\n/);
  await say(plain, 'STARTTLS\r\n', /220 [^\r]*\r\n$/);
  const client = await secureClient(t, plain.socket);
  await say(client, `EHLO a.example\r\nMAIL FROM:<b@c.example>\r\nRCPT TO:<${TIM}>\r\nDATA\r\n`, /354 /);
  await say(client, `${MESSAGE.replace('.line', '..line')}.\r\n`, /Queued/);
  await say(client, 'AUTH LOGIN\r\nc2VjcmV0\r\nQUIT\r\n', /221 /);
  await client.closed();
  client.socket.destroy();
  await closedSessions(rig);
  const text = exact(await rig.lines()).join('\n');
  t.match(text, /^-- connected: smtp from 127\.0\.0\.1 port N\nS: 220 /);
  t.match(text, /C: STARTTLS\nS: 220 [^\n]*\n-- TLS: TLSv1\.3 TLS_\w+\nC: EHLO a\.example\n/);
  t.match(text, /C: DATA\nS: 354 [^\n]*\nC: \[39 octets\]\nS: 250 2\.0\.0 Queued as ID\n/);
  t.match(text, /C: AUTH LOGIN\nS: 5\d\d [^\n]*\nC: \*\*\*\nS: 5\d\d [^\n]*\nC: QUIT\nS: 221 /);
  t.match(text, /\n-- closed: /);
});

t.test('a handshake that fails is told, on a listener with TLS from the first octet too', async (t) => {
  const rig = await openProtocolRig(t);
  rig.watch({ kind: 'all' });
  for (const [protocol, first] of [
    ['pop3s', ''],
    ['pop3', 'STLS\r\n'],
  ] as const) {
    const client = await rig.connect(protocol);
    if (first !== '') await say(client, first, /\+OK[\s\S]*\+OK/);
    client.send('USER tim\r\nPASS secret\r\n');
    await client.closed();
    client.socket.destroy();
  }
  await closedSessions(rig);
  const told = exact(await rig.lines()).filter((line) => line.startsWith('--'));
  t.match(told, [
    '-- connected: pop3 from 127.0.0.1 port N',
    /^-- closed: TLS failed: /,
    '-- connected: pop3 from 127.0.0.1 port N',
    /^-- closed: TLS failed: /,
  ]);
});

t.test(
  'of two accounts behind one address only the watched one is written down, and its failed logins',
  async (t) => {
    const rig = await openProtocolRig(t);
    for (const address of [TIM, EVA]) await rig.addAccount(address);
    rig.watch({ kind: 'account', address: TIM });
    const poll = (name: string, password: string) =>
      [[`USER ${name}\r\nPASS ${password}\r\nSTAT\r\nQUIT\r\n`, /\+OK bye|-ERR/i]] as const;
    const clients = await Promise.all(Array.from({ length: 6 }, () => rig.connect('pop3')));
    const logins = [
      ...[poll(EVA, 'secret'), poll(TIM, 'secret'), poll(EVA, 'wrong')],
      ...[
        poll(TIM.toUpperCase(), 'wrong'),
        poll('nobody', 'wrong'),
        [['CAPA\r\nQUIT\r\n', /\.\r\n/]] as const,
      ],
    ];
    await Promise.all(clients.map((client, index) => playSteps(client, logins[index] ?? [], () => 1000)));
    const imap = await rig.connect('imap');
    await playSteps(imap, [
      [`a LOGIN ${TIM} wrong\r\nb LOGIN ${EVA} secret\r\nc LIST "" *\r\nd LOGOUT\r\n`, /d OK/],
    ]);
    await closedSessions(rig);
    const text = await rig.text();
    const lines = await rig.lines();
    const refused = lines.filter((line) => line.text.startsWith('login refused'));
    t.same(refused.map((line) => line.text).sort(), [
      `login refused: ${TIM.toUpperCase()}`,
      `login refused: ${TIM}`,
    ]);
    t.ok(lines.some((line) => line.text === `logged in: ${TIM}`));
    t.ok(
      lines.some((line) => line.text === `USER ${TIM.toUpperCase()}`),
      'what came before the refusal is there',
    );
    t.notMatch(text, /nobody|CAPA\b/);
    t.notMatch(text, /"LIST|c LIST|c OK/, 'what another account does after a watched one was refused');
    t.equal(new Set(lines.map(({ session }) => session)).size, 3);
    t.notMatch(
      lines
        .filter(({ protocol }) => protocol === 'pop3')
        .map((line) => line.text)
        .join('\n'),
      EVA,
    );
  },
);

t.test(
  'without a watch there is no tap; a watch of one protocol, or of another network, hears nothing else',
  async (t) => {
    const { log } = openLog(t);
    t.equal(log.openTap(SESSION), undefined);
    log.switchOn({
      subject: { kind: 'address', range: '192.0.2.0/24' },
      protocols: ['imap'],
      durationMs: HOUR_MS,
      by: '',
    });
    t.equal(log.openTap(SESSION), undefined);
    t.equal(log.openTap({ ...SESSION, protocol: 'imap', remoteAddress: '198.51.100.1' }), undefined);
    t.ok(log.openTap({ ...SESSION, protocol: 'imap' }));
    t.same(log.switchOff(undefined, '').length, 1);
    t.equal(log.openTap({ ...SESSION, protocol: 'imap' }), undefined);
  },
);

t.test(
  'a watch ends by itself, and with it what it wrote down; switching it on anew gives it new time',
  async (t) => {
    const clock = createTestClock();
    const events: string[] = [];
    const out = new Writable({
      write: (chunk, _encoding, done) => {
        events.push(String(chunk));
        done();
      },
    });
    const { log, directory } = openLog(t, { clock, log: createLog(out, 'info') });
    const subject = { kind: 'all' } as const;
    log.switchOn({ subject, durationMs: HOUR_MS, by: 'root' });
    const tap = log.openTap(SESSION);
    tap?.asked('CAPA');
    clock.advance(40 * MINUTE_MS);
    log.switchOn({ subject, durationMs: HOUR_MS, by: 'root' });
    t.equal(log.status().watches.length, 1);
    clock.advance(59 * MINUTE_MS);
    tap?.asked('NOOP');
    clock.advance(MINUTE_MS);
    t.same(log.status().watches, []);
    tap?.asked('QUIT');
    await log.flushed();
    const text = fileText(directory);
    t.match(text, /CAPA[\s\S]*NOOP/);
    t.notMatch(text, /QUIT/);
    t.equal(log.openTap(SESSION), undefined);
    t.match(events.join(''), /admin\.protocolLog\.on[\s\S]*admin\.protocolLog\.ended/);
    t.match(events[0], /"by":"root"/);
  },
);

t.test('watches are limited in number', async (t) => {
  const watches = new Watches(createTestClock(), () => {});
  const add = (range: string) =>
    watches.add({ subject: { kind: 'address', range }, durationMs: HOUR_MS, by: '' });
  for (let index = 0; index < WATCH_LIMIT; index += 1) add(`192.0.2.${index}`);
  t.throws(() => add('192.0.3.1'), { code: 'limit' });
  t.doesNotThrow(() => add('192.0.2.0'), 'the same one again');
  t.throws(() => add('nonsense'), { code: 'invalid' });
});

t.test('a session that talks much before its login is kept in bounds, and that is said', async (t) => {
  const { log, directory } = openLog(t);
  log.switchOn({ subject: { kind: 'account', address: TIM }, durationMs: HOUR_MS, by: '' });
  const tap = log.openTap(SESSION);
  for (let index = 0; index < 1000; index += 1) tap?.asked(`NOOP ${index}`);
  await log.flushed();
  t.equal(fileText(directory), '', 'nothing while it is not known whose it is');
  tap?.loggedIn(TIM);
  await log.flushed();
  const text = fileText(directory);
  t.match(text, /NOOP 0"/);
  t.match(text, /\d+ lines before the login were too many to keep/);
  t.ok(text.length < 2 * PENDING_LIMIT_OCTETS);
});

t.test('a long listing is written in part, with how much more there was', async (t) => {
  const { log, directory } = openLog(t);
  log.switchOn({ subject: { kind: 'all' }, durationMs: HOUR_MS, by: '' });
  const tap = log.openTap(SESSION);
  tap?.sent('+OK\r\n');
  tap?.asked('UIDL');
  tap?.sent(`+OK\r\n${Array.from({ length: 5000 }, (_, index) => `${index} id${index}\r\n`).join('')}.\r\n`);
  await log.flushed();
  const text = fileText(directory);
  t.match(text, new RegExp(`${ROW_LIMIT - 1} id(?:.|\\n)*\\[${5000 - ROW_LIMIT} lines more\\]`));
  t.notMatch(text, `${ROW_LIMIT} id`);
});

t.test('the verbs say what is wrong before they ask a server', async (t) => {
  const verbs = protocolLogVerbs(() => ({ kind: 'faulty', problems: [] }));
  const run = async (...argv: string[]) => {
    const err = new PassThrough();
    const io = { out: new PassThrough(), err, in: new PassThrough(), environment: {} };
    const call = async () => t.fail('the server was asked');
    const exitCode = await runCli(['protocol-log', ...argv], verbs, { call }, io);
    return { exitCode, err: String(err.read()) };
  };
  t.match(await run('on'), { exitCode: 2, err: /one of --account, --address and --all/ });
  t.match(await run('on', '--all', '--account', TIM), { exitCode: 2 });
  t.match(await run('on', '--all', '--for', '26h'), { exitCode: 2, err: /up to 25h/ });
  t.match(await run('on', '--all', '--for', '0m'), { exitCode: 2, err: /found "0m"/ });
  t.match(await run('on', '--address', '10.0.0.0/99'), { exitCode: 2, err: /10\.0\.0\.0\/99/ });
  t.match(await run('on', '--all', '--protocol', 'pop3,http'), { exitCode: 2, err: /smtp, pop3, imap/ });
  t.match(await run('off', 'one'), { exitCode: 2, err: /no number of a watch/ });
});

t.test('docs/PROTOCOL-LOG.md has the limits as the code has them', async (t) => {
  const text = readFileSync(new URL('../../docs/PROTOCOL-LOG.md', import.meta.url), 'utf8');
  t.ok(text.includes(await documentProtocolLogLimits()), 'run `npm run docs`');
});

/** Files with a small limit. */
function openFiles(t: Test, directory: string, more = {}) {
  const clock = createTestClock();
  const files = new LogFiles({
    directory,
    clock,
    log: silentLog,
    sizeLimitOctets: MIB,
    retentionMs: 24 * HOUR_MS,
    ...more,
  });
  t.teardown(() => files.close());
  return { files, clock };
}

t.test('files are their owner’s alone, begin anew when full, and the oldest go', async (t) => {
  const directory = join(t.testdir(), 'log');
  const { files } = openFiles(t, directory);
  const text = 'x'.repeat(900);
  for (let batch = 0; batch < 40; batch += 1) {
    for (let index = 0; index < 100; index += 1) files.write({ ...LINE, text: `${batch} ${text}` });
    await files.flushed();
  }
  const names = readdirSync(directory).sort();
  const size = names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  t.ok(names.length > 5 && names.length <= 11, String(names.length));
  t.ok(size <= MIB * 1.1, `${size} octets`);
  t.equal(statSync(join(directory, names[0] ?? '')).mode & 0o777, 0o600);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  t.match(fileText(directory), '"39 xxx', 'the newest is there');
  t.notMatch(fileText(directory), '"0 xxx');
  t.equal(files.droppedLines, 0);
});

t.test('files that are too old go, and nothing else that lies there', async (t) => {
  const directory = t.testdir({ 'protocol-2026-01-01T00-00-00-000Z-000001.jsonl': '', 'notes.txt': '' });
  const { files, clock } = openFiles(t, directory);
  await files.flushed();
  utimesSync(join(directory, 'protocol-2026-01-01T00-00-00-000Z-000001.jsonl'), 0, 0);
  clock.advance(PRUNE_PERIOD_MS);
  await files.flushed();
  t.same(readdirSync(directory), ['notes.txt']);
});

t.test(
  'a disk that takes nothing stops no session: lines are dropped, counted, and that is said',
  async (t) => {
    const directory = join(t.testdir({ log: 'a file in the way' }), 'log');
    const { files } = openFiles(t, directory);
    files.write(LINE);
    files.write(LINE);
    await files.flushed();
    t.equal(files.droppedLines, 2);
    const good = join(t.testdir(), 'good');
    mkdirSync(good);
    const { files: busy } = openFiles(t, good, { sizeLimitOctets: 100 * MIB });
    const text = 'y'.repeat(1000);
    const count = Math.ceil((2 * QUEUE_LIMIT_OCTETS) / 1000);
    for (let index = 0; index < count; index += 1) busy.write({ ...LINE, text });
    t.ok(busy.droppedLines > 1000, 'beyond the queue');
    await busy.flushed();
    busy.write(LINE);
    await busy.flushed();
    t.match(fileText(good), `${busy.droppedLines} lines were dropped`);
  },
);

t.test('a reader that follows gets what comes, misses what is too much, and holds nobody up', async (t) => {
  const clock = createTestClock();
  const recent = new RecentLines(clock);
  const begin = await recent.since(undefined);
  const waiting = recent.since(begin.next);
  recent.add({ ...LINE, text: 'one' });
  t.match(await waiting, { lines: [{ text: 'one' }], next: 1, missed: 0 });
  const idle = recent.since(1);
  clock.advance(FOLLOW_WAIT_MS);
  t.same(await idle, { lines: [], next: 1, missed: 0 });
  for (let index = 0; index < 10 * RECENT_LIMIT; index += 1) recent.add({ ...LINE, text: `${index}` });
  const late = await recent.since(1);
  t.equal(late.lines.length, FOLLOW_BATCH_LINES);
  t.ok(late.missed > 8 * RECENT_LIMIT - 1);
  t.equal(late.lines[0]?.text, String(late.missed));
  const all = Array.from({ length: FOLLOWER_LIMIT }, () => recent.since(1_000_000));
  await t.rejects(recent.since(1_000_000), { code: 'tooBusy' });
  recent.close();
  await Promise.all(all);
  t.equal(clock.pendingTimers, 0);
});

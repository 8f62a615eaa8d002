/**
 * Much, slow and hostile: hundreds of files at once come once each, files that are written over time come whole, and names and things that
 * nobody should find in a directory neither stall nor crash the server, nor lead it out of the directory.
 *
 * HAUSPOST_SLOW_SETTLE_SECONDS=5 is the long form of slow writing: more than 30 seconds for each file, with pauses of 3.75 s.
 * HAUSPOST_FLOOD_FILES=5000 is that of the flood, beyond what the kernel's queue of events is sure to hold; HAUSPOST_IDLE_FILES=100000
 * the long form of a directory full of files that are not taken.
 */

import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';

import type { RunningServer } from '../support/appliance.ts';
import { runProgram } from '../support/peers.ts';
import { PICKUP_BOXES, PICKUP_DOMAIN, pickupMessage } from '../support/pickupMessages.ts';
import { ALL_WELL, createPickupSite, type PickupSite } from '../support/pickupSite.ts';
import { writeFileBy } from '../support/pickupWriters.ts';
import { RawImap } from '../support/rawImap.ts';

const FLOOD_FILES = Number(process.env.HAUSPOST_FLOOD_FILES ?? 1500);
const SLOW_SETTLE_SECONDS = Number(process.env.HAUSPOST_SLOW_SETTLE_SECONDS ?? 1);
const SLOW_WRITERS = 6;
/** Of three quarters of the settling time each: with the long form's five seconds a file takes more than thirty. */
const SLOW_PAUSES = 9;
const IDLE_FILES = Number(process.env.HAUSPOST_IDLE_FILES ?? 10_000);
const SWAPS = 300;
const MIB = 1024 * 1024;
/** Generous, since the machine may be busy; a server that stalls takes longer, or never answers. */
const ANSWER_LIMIT_MS = 5000;
const ASK_MS = 100;

t.setTimeout(1_200_000);

t.test(
  `${FLOOD_FILES} files that come at once are sent once each, and others are answered meanwhile`,
  async (t) => {
    const pickup = await createPickupSite(t);
    const server = await pickup.site.serve();
    const names = Array.from({ length: FLOOD_FILES }, (_none, number) => `small-n${number}`);
    const { stage } = pickup.writer;
    mkdirSync(stage);
    for (const name of names) writeFileSync(join(stage, `${name}.eml`), pickupMessage(name).file);
    const session = await openAskingSession(server, pickup);
    const begunMs = performance.now();
    for (const name of names) renameSync(join(stage, `${name}.eml`), join(pickup.directory, `${name}.eml`));
    await pickup.drain(() => false, 300_000);
    const seconds = (performance.now() - begunMs) / 1000;
    const longestMs = await session.end();
    t.ok(longestMs < ANSWER_LIMIT_MS, `the longest wait of another session was ${longestMs.toFixed(0)} ms`);
    const { counts, ...faults } = await pickup.findOutcome(server, names);
    t.same(faults, ALL_WELL);
    t.equal(counts.delivered + counts.bad, FLOOD_FILES);
    t.comment(`${(FLOOD_FILES / seconds).toFixed(0)} files a second, ${counts.bad} of them bad`);
    t.equal((await server.stop()).exitCode, 0);
  },
);

t.test('files that are written over time, several at once, come whole and once', async (t) => {
  const pickup = await createPickupSite(t, { settleSeconds: SLOW_SETTLE_SECONDS });
  const server = await pickup.site.serve();
  const names = Array.from({ length: SLOW_WRITERS }, (_none, number) => `slow-n${number}`);
  const broken = new Set<string>();
  await Promise.all(
    names.map(async (name) => {
      const options = { ...pickup.writer, pauses: SLOW_PAUSES };
      const { isKept } = await writeFileBy('slow', options, `${name}.eml`, pickupMessage(name).file);
      if (!isKept) broken.add(name);
    }),
  );
  await pickup.drain();
  const kept = names.filter((name) => !broken.has(name));
  const { counts, ...faults } = await pickup.findOutcome(server, kept, broken);
  t.same(faults, ALL_WELL);
  t.comment(`${counts.delivered} came whole, ${broken.size} were written too slowly to count`);
  await server.stop();
});

t.test('hostile names and things neither stall nor mislead the server', async (t) => {
  const outside = mkdtempSync(join(tmpdir(), 'hauspost-outside-'));
  t.teardown(() => rmSync(outside, { recursive: true, force: true }));
  const pickup = await createPickupSite(t);
  const { directory } = pickup;
  const secret = join(outside, 'secret.eml');
  writeFileSync(secret, messageTo('secret', 'nobody outside may read this'));
  const server = await pickup.site.serve();
  const session = await openAskingSession(server, pickup);
  const left = await makeThings(t, directory, secret);
  await makeCrowd(directory);
  const good = writeOddlyNamed(directory);
  const bad = await writeMonsters(directory);
  await swap(directory, secret);
  const name = 'after-all';
  await writeFileBy('inPlace', pickup.writer, `${name}.eml`, pickupMessage(name).file);
  await pickup.drain((file) => left.includes(file) || /^(idle-|swap)/.test(file), 240_000);
  const longestMs = await session.end();
  t.ok(longestMs < ANSWER_LIMIT_MS, `the longest wait of another session was ${longestMs.toFixed(0)} ms`);
  const subjects = await subjectsIn(server, pickup);
  t.same(
    subjects.filter((subject) => subject.startsWith('odd ')).sort(),
    good.sort(),
    'files of every name are sent once each',
  );
  t.notOk(subjects.includes('secret'), 'no link was followed');
  t.same(
    left.filter((file) => !readdirSync(directory).includes(file)),
    [],
    'what is no file stays where it is',
  );
  const inBadmail = readdirSync(pickup.badmailDirectory);
  t.same(
    bad.filter((file) => !inBadmail.includes(file) || !inBadmail.includes(`${file}.reason.txt`)),
    [],
  );
  const status = await pickup.site.cli(['pickup', 'status']);
  t.match(status.stdout.toString(), /app/);
  t.equal((await server.stop()).exitCode, 0);
});

function messageTo(subject: string, body: string): string {
  const [sender, box] = PICKUP_BOXES.map((each) => `${each}@${PICKUP_DOMAIN}`);
  return `From: ${sender}\r\nTo: ${box}\r\nSubject: ${subject}\r\n\r\n${body}\r\n`;
}

/** What is no regular file of one name; answers the names. */
async function makeThings(t: Test, directory: string, secret: string): Promise<string[]> {
  symlinkSync('/etc/passwd', join(directory, 'passwd.eml'));
  symlinkSync(secret, join(directory, 'link.eml'));
  symlinkSync('nowhere', join(directory, 'dangling.eml'));
  symlinkSync('loop.eml', join(directory, 'loop.eml'));
  linkSync(secret, join(directory, 'hard.eml'));
  mkdirSync(join(directory, 'directory.eml'));
  writeFileSync(join(directory, 'directory.eml', 'inner.eml'), messageTo('secret', ''));
  writeFileSync(join(directory, 'empty.eml'), '');
  const socket = createServer().listen(join(directory, 'socket.eml'));
  t.teardown(() => socket.close());
  const names = ['passwd', 'link', 'dangling', 'loop', 'hard', 'directory', 'empty', 'socket'];
  const made = async (name: string, args: readonly string[]) => {
    const { exitCode } = await runProgram('mknod', [join(directory, `${name}.eml`), ...args]);
    if (exitCode === 0) names.push(name);
  };
  await made('pipe', ['p']);
  await made('null', ['c', '1', '3']);
  return names.map((name) => `${name}.eml`);
}

/** Many files that are not for us; in between the session that asks hears its answers. */
async function makeCrowd(directory: string): Promise<void> {
  for (let number = 0; number < IDLE_FILES; number += 1) {
    closeSync(openSync(join(directory, `idle-${number}.log`), 'w'));
    if (number % 500 === 499) await setImmediate();
  }
}

/** Good messages under names that are hard to write down; answers their subjects. */
function writeOddlyNamed(directory: string): string[] {
  const names: readonly (string | Buffer)[] = [
    'new\nline.eml',
    'carriage\rreturn.eml',
    ' blank .eml',
    '-rf.eml',
    '$(touch pwned);`id`.eml',
    '"quoted" \\ \'.eml',
    'émoji 🎉.EML',
    '%s%n%2e%2e.eml',
    'right\u202eto left.eml',
    'constructor.eml',
    '__proto__.eml',
    `${'x'.repeat(251)}.eml`,
    `${'ä'.repeat(125)}.eml`,
    'looks like a claim.0123456789abcdef.tmp.eml',
    Buffer.from([0xff, 0xfe, 0x80, 0x01, 0x7f, 0x2e, 0x65, 0x6d, 0x6c]),
    Buffer.from([0xc3, 0x2e, 0x65, 0x6d, 0x6c]),
  ];
  return names.map((name, index) => {
    const subject = `odd ${index}`;
    const octets = Buffer.isBuffer(name) ? name : Buffer.from(name);
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), octets]), messageTo(subject, 'x'));
    return subject;
  });
}

/** Files that would cost a careless reader its memory or its time; answers the names of those that are bad. */
async function writeMonsters(directory: string): Promise<string[]> {
  const monsters: Readonly<Record<string, Buffer>> = {
    'header.eml': Buffer.concat([
      Buffer.from(messageTo('endless', '').slice(0, -4)),
      Buffer.from(`X-Filler: ${'y'.repeat(64)}\r\n`.repeat((20 * MIB) / 76)),
    ]),
    'line.eml': Buffer.alloc(20 * MIB, 'z'),
    'zeroes.eml': Buffer.alloc(2 * MIB),
    'recipients.eml': Buffer.from(
      `From: one@${PICKUP_DOMAIN}\r\nTo: ${`a@${PICKUP_DOMAIN}, `.repeat(200)}b@${PICKUP_DOMAIN}\r\n\r\n`,
    ),
    'nested.eml': Buffer.from(`From: one@${PICKUP_DOMAIN}\r\nTo: ${'('.repeat(30_000)}\r\n\r\n`),
    'quotes.eml': Buffer.from(`From: one@${PICKUP_DOMAIN}\r\nTo: ${'"\\'.repeat(15_000)}\r\n\r\n`),
  };
  for (const [file, octets] of Object.entries(monsters)) {
    writeFileSync(join(directory, file), octets);
    await setImmediate();
  }
  writeFileSync(join(directory, 'dots.eml'), messageTo('dots', '..\r\n'.repeat((10 * MIB) / 4)));
  return Object.keys(monsters).filter((file) => file !== 'recipients.eml');
}

/** A file that turns into a link to the secret and back, again and again. */
async function swap(directory: string, secret: string): Promise<void> {
  const [file, link, path] = ['swap.tmp', 'swap-link.tmp', 'swap.eml'].map((name) => join(directory, name));
  if (file === undefined || link === undefined || path === undefined) return;
  for (let round = 0; round < SWAPS; round += 1) {
    rmSync(link, { force: true });
    symlinkSync(secret, link);
    writeFileSync(file, messageTo(`swap ${round}`, 'x'));
    renameSync(file, path);
    renameSync(link, path);
    if (round % 10 === 0) await pause(10);
  }
  rmSync(path, { force: true });
}

async function subjectsIn(server: RunningServer, { boxes }: PickupSite): Promise<string[]> {
  const subjects: string[] = [];
  for (const box of boxes) {
    const imap = await RawImap.open(server.ports.imap, box);
    if ((await imap.select()) > 0)
      for (const { octets } of await imap.fetch('1:*'))
        subjects.push(/^Subject: (.*?)\r?$/m.exec(octets.toString('latin1'))?.[1] ?? '');
    await imap.logout();
  }
  return subjects;
}

/** A session that asks now and then, and tells its longest wait in the end. */
async function openAskingSession(
  server: RunningServer,
  { boxes }: PickupSite,
): Promise<{ end(): Promise<number> }> {
  const imap = await RawImap.open(server.ports.imap, boxes[0]);
  let isOver = false;
  let longestMs = 0;
  const asking = (async () => {
    while (!isOver) {
      const askedMs = performance.now();
      await imap.command('NOOP');
      longestMs = Math.max(longestMs, performance.now() - askedMs);
      await pause(ASK_MS);
    }
  })();
  return {
    async end() {
      isOver = true;
      await asking;
      await imap.logout();
      return longestMs;
    },
  };
}

/**
 * Mail goes into drop directories by routes for an account, an address and a domain; an application that looks all the time sees only
 * whole files, each once, with the right recipients. And what an administrator is told when a directory is missing, full or not fetched.
 * Negative control: a server that writes files in place shows half ones.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import t, { type Test } from 'tap';

import type { DropReport } from '../../src/admin/dropReport.ts';
import { addAccount, createSite, type RunningServer, type Site } from '../support/appliance.ts';
import { namedMessage, wholeName } from '../support/killRig.ts';
import { createPatchedCopy, type Patch } from '../support/patchedCopy.ts';
import { peerTest, startProgram } from '../support/peers.ts';
import { RawSmtp } from '../support/rawSmtp.ts';
import { readDrop } from '../outbound/dropSite.ts';

t.setTimeout(300_000);

const READER = fileURLToPath(new URL('clients/dropReader.py', import.meta.url));
const FROM = 'sender@elsewhere.example';
const CLIENTS = 4;
const MESSAGES_PER_CLIENT = 20;

/** A file is written where its reader looks. */
const IN_PLACE: Patch = {
  file: 'outbound/drop/placeFile.ts',
  from: 'join(directory, unfinishedName(name, attempt))',
  to: 'join(directory, attempt + name)',
};

/** What the reader says of a file. */
interface ReadFile {
  readonly name: string;
  readonly sender: string;
  readonly receivers: readonly string[];
  /** Of the message, and of its beginning in base64. */
  readonly octets: number;
  readonly message: string;
}

/** A site whose drop `scans` is there. */
function createDropSite(t: Test, keys = '', main?: string): { site: Site; directory: string } {
  const site = createSite(`[[drops]]\nname = "scans"\ndirectory = "scans"\n${keys}`, main);
  t.teardown(() => site.remove());
  const directory = join(site.directory, 'scans');
  mkdirSync(directory);
  return { site, directory };
}

/** Routes for an account, an address and a domain. */
async function addRoutes(site: Site): Promise<void> {
  await addAccount(site, 'box');
  await addAccount(site, 'local');
  const routes = { account: 'box@app.example.com', address: 'one@far.example', domain: 'wide.example' };
  for (const [name, recipient] of Object.entries(routes))
    await site.cliJson(['route', 'add', name, recipient, '--to', 'drop:scans', '--open-to', 'anyone']);
}

async function send({ ports }: RunningServer, to: readonly string[], message: Buffer): Promise<void> {
  const client = await RawSmtp.open(ports.smtp);
  const { code, text } = await client.deliver({ from: FROM, to }, message);
  if (code !== 250) throw new Error(text);
  await client.quit();
}

/** Resolves once so many attempts have ended since the start. */
async function attempts({ program }: RunningServer, count: number): Promise<void> {
  const ended = '"event":"outbound\\.attempt\\.ended"';
  await program.waitFor(new RegExp(`^(?:(?:(?!${ended})[^])*${ended}){${count}}`));
}

/** Sends named messages over several connections while an application reads; answers what that has seen. */
async function readWhileSending(site: Site, directory: string): Promise<readonly ReadFile[]> {
  const server = await site.serve();
  const reader = await startProgram('python3', [READER, directory], { deadlineMs: 240_000 });
  const sendAll = async (connection: number) => {
    const client = await RawSmtp.open(server.ports.smtp);
    for (let number = 0; number < MESSAGES_PER_CLIENT; number += 1) {
      const name = `c${connection}-n${number}`;
      const to = ['box@app.example.com', `${name}@wide.example`, `z@wide.example`, 'local@app.example.com'];
      const { code, text } = await client.deliver({ from: FROM, to }, namedMessage(name));
      if (code !== 250) throw new Error(text);
    }
    await client.quit();
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_none, connection) => sendAll(connection)));
  await attempts(server, CLIENTS * MESSAGES_PER_CLIENT);
  writeFileSync(join(directory, 'stop'), '');
  const { stdout, stderr } = await reader.ended;
  await server.stop();
  if (stderr.length > 0) throw new Error(stderr.toString());
  return stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ReadFile);
}

peerTest(
  t,
  ['python3'],
  'an application that looks all the time sees each message once and whole, with its recipients',
  async (t) => {
    const { site, directory } = createDropSite(t);
    await addRoutes(site);
    const files = await readWhileSending(site, directory);
    const names = files.map(({ message }) => wholeName(Buffer.from(message, 'base64')));
    t.equal(files.length, CLIENTS * MESSAGES_PER_CLIENT, 'one file for each message');
    t.equal(new Set(names).size, files.length);
    t.notOk(names.includes(undefined), 'every file is whole');
    for (const [index, { sender, receivers, message }] of files.entries()) {
      t.equal(sender, FROM);
      t.same([...receivers].sort(), [
        'box@app.example.com',
        `${names[index]}@wide.example`,
        'z@wide.example',
      ]);
      t.match(Buffer.from(message, 'base64').toString('latin1', 0, 80), /^Received: from /);
    }
    t.same(readdirSync(directory), ['stop'], 'nothing is left behind');
  },
);

peerTest(t, ['python3'], 'the same application sees halves where files are written in place', async (t) => {
  const { site, directory } = createDropSite(t, '', createPatchedCopy(t, IN_PLACE));
  await site.cliJson(['route', 'add', 'far', 'far.example', '--to', 'drop:scans', '--open-to', 'anyone']);
  const server = await site.serve();
  const reader = await startProgram('python3', [READER, directory], { deadlineMs: 240_000 });
  // Large ones, which take some writing.
  const large = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), Buffer.alloc(20_000_000, 'x\r\n')]);
  await send(server, ['one@far.example'], large);
  await reader.waitFor(/^.*\n/);
  writeFileSync(join(directory, 'stop'), '');
  const { stdout } = await reader.ended;
  const [first = '{}'] = stdout.toString().split('\n');
  const { octets } = JSON.parse(first) as ReadFile;
  t.ok(octets < large.length, `the first thing that it took has ${octets} octets`);
});

t.test('an administrator is told how a drop stands, and what to do', async (t) => {
  const { site, directory } = createDropSite(t, 'fileLimit = 2\nageLimitHours = 1\n');
  await addRoutes(site);
  const server = await site.serve();
  const told = async (...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await site.cli(args);
    return `${exitCode} ${stdout.toString()}${stderr.toString()}`;
  };
  const show = async () => (await site.cliJson(['drop', 'show', 'scans'])) as DropReport;
  let made = 0;
  /** After so many further attempts, as soon as they are settled. */
  const after = async (count: number, what: (report: DropReport) => boolean) => {
    made += count;
    await attempts(server, made);
    for (;;) {
      const report = await show();
      if (what(report)) return report;
    }
  };
  let sent = 0;
  const give = (...to: readonly string[]) => {
    sent += 1;
    return send(server, to, Buffer.from(`Subject: number ${sent}\r\n\r\nHello.\r\n`));
  };
  t.match(await told('drop', 'test', 'scans'), /^0 .* is there, and no messages are in it\n.*\nIt is ready/s);
  t.match(
    await told('drop', 'test', 'nobody'),
    /^1 .*There is no drop directory “nobody”; there are: scans/s,
  );
  t.match(await told('route', 'test', FROM, 'one@far.example'), /^0 .*to the drop directory scans/s);
  await site.cliJson(['route', 'add', 'lost', 'lost.example', '--to', 'drop:lost']);
  const missing =
    /route lost leads to the drop directory lost, which is not in the configuration.*docs\/DROP\.md/;
  for (const args of [['status'], ['route', 'list']]) t.match(await told(...args), missing);
  t.match(await told('queue', 'reroute', '--all', '--to', 'drop:lost'), /^1 .*no drop directory “lost”/);

  await give('one@far.example', 'b@wide.example');
  t.match(await after(1, ({ items }) => items.leased === 0), {
    state: 'running',
    files: 1,
    recipientsToday: 2,
    alarms: [],
    items: { waiting: 0, held: 0 },
  });
  const [file] = readDrop(directory);
  t.match(file, { sender: FROM, receivers: ['one@far.example', 'b@wide.example'] });
  const trace = await told('trace', file?.name.slice(13, 33) ?? '');
  t.match(trace, /taken by the drop directory scans|taken by drop scans|drop/);
  t.match(trace, new RegExp(`written as ${file?.name}`));

  await give('one@far.example');
  await after(1, ({ files }) => files === 2);
  await give('one@far.example');
  const full = await after(1, ({ items }) => items.waiting === 1);
  t.match(full, { items: { waiting: 1 }, reason: /holds 2 files or more that nobody has fetched/ });
  t.match(full.alarms, [/^drop scans: .* holds 2 files/]);
  const old = (Date.now() - 3 * 3_600_000) / 1000;
  utimesSync(join(directory, file?.name ?? ''), old, old);
  t.match(
    await told('status'),
    /warning: drop scans: .* holds 2 files .*\nscans: .* holds 2 files.*\n {2}To do: /s,
  );
  rmSync(join(directory, readDrop(directory)[1]?.name ?? ''));
  t.match(await told('drop', 'test', 'scans'), /^0 /, 'which ends the pause');
  await after(1, ({ items }) => items.waiting + items.leased === 0);
  t.match((await show()).alarms, [/^drop scans: a message in .* has not been fetched for 3 hours/]);

  rmSync(directory, { recursive: true });
  await give('one@far.example');
  const away = await after(1, ({ items }) => items.waiting === 1);
  t.match(away, { files: null, reason: `${directory} is missing (ENOENT)`, advice: /make the directory/ });
  t.match(await told('drop', 'test', 'scans'), /^1 .* is missing.*\nTo do: make the directory.*not ready/s);
  t.match(await told('queue', 'list'), /drop:scans.*is missing/);
  mkdirSync(directory);
  t.match(await told('drop', 'hold', 'scans', '--reason', 'moving'), /^0 /);
  t.match(await told('drop', 'list'), /scans +held \(administrator\) +1 .*\nscans: moving\n/s);
  t.match(await told('drop', 'release', 'scans'), /^0 scans goes on/);
  await after(1, ({ files }) => files === 1);

  const config = readFileSync(site.configFile, 'utf8');
  const other = join(site.directory, 'other');
  writeFileSync(
    site.configFile,
    config.replace('"scans"\nfile', '"other"\npreset = "plain"\ncreateDirectory = true\nfile'),
  );
  t.match(await told('reload'), /drops is in force now/);
  await give('one@far.example');
  await after(1, ({ files }) => files === 1);
  const [plain = ''] = readdirSync(other);
  t.match(readFileSync(join(other, plain), 'utf8'), /^Received: .*\r\n\r\nHello\.\r\n$/s);
  t.ok(existsSync(directory));
  await server.stop();
});

/**
 * Mail goes into drop directories by routes for an account, an address and a domain; an application that looks all the time sees only
 * whole files, each once, with the right recipients. And what an administrator is told when a directory is missing, full or not fetched.
 * HAUSPOST_DROP_MESSAGES makes it longer. Negative control: a server that writes files in place shows half ones.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import t from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import type { DropReport } from '../../src/admin/dropReport.ts';
import type { QueueReport } from '../../src/admin/queueOperations.ts';
import { createSite, type RunningServer, type Site } from '../support/appliance.ts';
import { namedMessage, wholeName } from '../support/killRig.ts';
import { addAccounts, callServer } from '../support/manyAccounts.ts';
import { createNetworkMount, networkMountSkip } from '../support/networkMount.ts';
import { createPatchedCopy, type Patch } from '../support/patchedCopy.ts';
import { peerTest, startProgram } from '../support/peers.ts';
import { RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';
import { readDrop } from '../outbound/dropSite.ts';

t.setTimeout(300_000);

const READER = fileURLToPath(new URL('clients/dropReader.py', import.meta.url));
const FROM = 'sender@elsewhere.example';
const CLIENTS = 4;
const MESSAGES_PER_CLIENT = Number(process.env.HAUSPOST_DROP_MESSAGES ?? 10);
/** Time between two looks at a drop. */
const LOOK_MS = 100;

/** A file is written where its reader looks, and its writer stops behind each block until the reader has come: who is quicker is chance. */
const IN_PLACE: Patch = {
  file: 'outbound/drop/placeFile.ts',
  from: 'join(directory, unfinishedName(name, attempt));',
  to: `join(directory, attempt + name);
  const { octets } = file;
  const heldUp = async function* () {
    for await (const block of octets) {
      yield block;
      while (await isThere(unfinished)) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  file = { ...file, octets: heldUp() };`,
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

/** A site whose drops `scans` and `told` are there. */
function createDropSite(main?: string): Site {
  const site = createSite(
    `[[drops]]
name = "scans"
directory = "scans"
[[drops]]
name = "told"
directory = "told"
fileLimit = 2
ageLimitHours = 1
`,
    main,
  );
  t.teardown(() => site.remove());
  for (const name of ['scans', 'told']) mkdirSync(join(site.directory, name));
  return site;
}

function addRoute(site: Site, name: string, recipient: string, drop: string): Promise<unknown> {
  return callServer(site, 'route.add', {
    name,
    recipients: [recipient],
    target: { kind: 'drop', directory: drop },
    isOpenTo: 'anyone',
  });
}

async function send({ ports }: RunningServer, to: readonly string[], message: Buffer): Promise<void> {
  const client = await RawSmtp.open(ports.smtp);
  const { code, text } = await client.deliver({ from: FROM, to }, message);
  if (code !== 250) throw new Error(text);
  await client.quit();
}

/** How a drop stands, once `isTrue` of that. */
async function until(site: Site, name: string, isTrue: (report: DropReport) => boolean): Promise<DropReport> {
  for (;;) {
    const report = (await callServer(site, 'server.drop.show', { name })) as DropReport;
    if (isTrue(report)) return report;
    await systemClock.sleep(LOOK_MS);
  }
}

const isIdle = ({ items }: DropReport) => items.waiting + items.leased === 0;

/** Sends named messages over several connections while an application reads; answers what that has seen. */
async function readWhileSending(site: Site, directory: string): Promise<readonly ReadFile[]> {
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
  await until(site, 'scans', isIdle);
  writeFileSync(join(directory, 'stop'), '');
  const { stdout, stderr } = await reader.ended;
  if (stderr.length > 0) throw new Error(stderr.toString());
  return stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ReadFile);
}

const site = createDropSite();
const server = await site.serve();
const [box] = await addAccounts(site, ['box', 'local']);

peerTest(
  t,
  ['python3'],
  'an application that looks all the time sees each message once and whole, with its recipients',
  async (t) => {
    const routes = { account: 'box@app.example.com', address: 'one@far.example', domain: 'wide.example' };
    for (const [name, recipient] of Object.entries(routes)) await addRoute(site, name, recipient, 'scans');
    const directory = join(site.directory, 'scans');
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
  const site = createDropSite(createPatchedCopy(t, IN_PLACE));
  const directory = join(site.directory, 'scans');
  const server = await site.serve();
  await addRoute(site, 'far', 'far.example', 'scans');
  const reader = await startProgram('python3', [READER, directory], { deadlineMs: 240_000 });
  // One of several blocks.
  const large = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), Buffer.alloc(2_000_000, 'x\r\n')]);
  await send(server, ['one@far.example'], large);
  await reader.waitFor(/^.*\n/);
  writeFileSync(join(directory, 'stop'), '');
  const { stdout } = await reader.ended;
  const [first = '{}'] = stdout.toString().split('\n');
  const { octets } = JSON.parse(first) as ReadFile;
  t.ok(octets < large.length, `the first thing that it took has ${octets} octets`);
});

t.test('an administrator is told how a drop stands, and what to do', async (t) => {
  await addRoute(site, 'near', 'one@near.example', 'told');
  await addRoute(site, 'domain of told', 'told.example', 'told');
  const directory = join(site.directory, 'told');
  const told = async (...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await site.cli(args);
    return `${exitCode} ${stdout.toString()}${stderr.toString()}`;
  };
  const soon = (isTrue: (report: DropReport) => boolean) => until(site, 'told', isTrue);
  const show = () => soon(() => true);
  let sent = 0;
  const give = (...to: readonly string[]) => {
    sent += 1;
    return send(server, to, Buffer.from(`Subject: number ${sent}\r\n\r\nHello.\r\n`));
  };
  t.match(await told('drop', 'test', 'told'), /^0 .* is there, and no messages are in it\n.*\nIt is ready/s);
  t.match(
    await told('drop', 'test', 'nobody'),
    /^1 .*There is no drop directory “nobody”; there are: scans, told/s,
  );
  t.match(await told('route', 'test', FROM, 'one@near.example'), /^0 .*to the drop directory told/s);
  await site.cliJson(['route', 'add', 'lost', 'lost.example', '--to', 'drop:lost']);
  const missing =
    /route lost leads to the drop directory lost, which is not in the configuration.*docs\/DROP\.md/;
  for (const args of [['status'], ['route', 'list']]) t.match(await told(...args), missing);
  t.match(await told('queue', 'reroute', '--all', '--to', 'drop:lost'), /^1 .*no drop directory “lost”/);

  await give('one@near.example', 'b@told.example');
  t.match(await soon((report) => isIdle(report) && report.files === 1), {
    state: 'running',
    files: 1,
    recipientsToday: 2,
    alarms: [],
    items: { waiting: 0, held: 0 },
  });
  const [file] = readDrop(directory);
  t.match(file, { sender: FROM, receivers: ['one@near.example', 'b@told.example'] });
  const trace = await told('trace', file?.name.slice(13, 33) ?? '');
  t.match(trace, /taken by the drop directory told|taken by drop told|drop/);
  t.match(trace, new RegExp(`written as ${file?.name}`));

  await give('one@near.example');
  await soon((report) => isIdle(report) && report.files === 2);
  await give('one@near.example');
  const full = await soon(({ state, items }) => state === 'paused' && items.waiting === 1);
  t.match(full, { items: { waiting: 1 }, reason: /holds 2 files or more that nobody has fetched/ });
  t.match(full.alarms, [/^drop told: .* holds 2 files/]);
  const old = (Date.now() - 3 * 3_600_000) / 1000;
  utimesSync(join(directory, file?.name ?? ''), old, old);
  t.match(
    await told('status'),
    /warning: drop told: .* holds 2 files .*\ntold: .* holds 2 files.*\n {2}To do: /s,
  );
  rmSync(join(directory, readDrop(directory)[1]?.name ?? ''));
  t.match(await told('drop', 'test', 'told'), /^0 /, 'which ends the pause');
  await soon(isIdle);
  t.match((await show()).alarms, [/^drop told: a message in .* has not been fetched for 3 hours/]);

  rmSync(directory, { recursive: true });
  await give('one@near.example');
  const away = await soon(({ state, items }) => state === 'paused' && items.waiting === 1);
  t.match(away, { files: null, reason: `${directory} is missing (ENOENT)`, advice: /make the directory/ });
  t.match(await told('drop', 'test', 'told'), /^1 .* is missing.*\nTo do: make the directory.*not ready/s);
  t.match(await told('queue', 'list'), /drop:told.*is missing/);
  mkdirSync(directory);
  t.match(await told('drop', 'hold', 'told', '--reason', 'moving'), /^0 /);
  t.match(await told('drop', 'list'), /told +held \(administrator\) +1 .*\ntold: moving\n/s);
  t.match(await told('drop', 'release', 'told'), /^0 told goes on/);
  await soon((report) => isIdle(report) && report.files === 1);

  const config = readFileSync(site.configFile, 'utf8');
  const other = join(site.directory, 'other');
  writeFileSync(
    site.configFile,
    config.replace('"told"\nfile', '"other"\npreset = "plain"\ncreateDirectory = true\nfile'),
  );
  t.match(await told('reload'), /drops is in force now/);
  await give('one@near.example');
  await soon((report) => isIdle(report) && report.files === 1);
  const [plain = ''] = readdirSync(other);
  t.match(readFileSync(join(other, plain), 'utf8'), /^Received: .*\r\n\r\nHello\.\r\n$/s);
  t.ok(existsSync(directory));
});

t.test(
  'a share that hangs keeps nobody else from mail and logins, nor the server from its end',
  { skip: networkMountSkip },
  async (t) => {
    const share = await createNetworkMount(t);
    t.teardown(() => share.goOn());
    // As many as Node has threads unless told.
    const names = ['a', 'b', 'c', 'd'];
    const tables = names.map(
      (name) => `[[drops]]\nname = "${name}"\ndirectory = "${share.directory}/${name}"\n`,
    );
    writeFileSync(site.configFile, `${readFileSync(site.configFile, 'utf8')}\n${tables.join('')}`);
    await site.cliJson(['reload']);
    for (const name of names) {
      mkdirSync(join(share.backing, name));
      await addRoute(site, name, `${name}.example`, name);
    }
    share.stop();
    for (const name of names) await send(server, [`x@${name}.example`], Buffer.from('\r\n'));
    const isStuck = async () => {
      const { counts } = (await callServer(site, 'queue.list', { limit: 1 })) as QueueReport;
      const leased = counts.filter(({ state }) => state === 'leased');
      return leased.reduce((sum, { items }) => sum + items, 0) === names.length;
    };
    while (!(await isStuck())) await systemClock.sleep(LOOK_MS);
    const pop3 = await RawPop3.open(server.ports.pop3, box);
    await pop3.quit();
    await send(server, ['one@far.example'], Buffer.from('\r\n'));
    await until(site, 'scans', (report) => isIdle(report) && report.files === 1);
    const { signal, stdout } = await server.stop();
    t.match(
      [signal, stdout.toString()],
      ['SIGKILL', /"event":"main\.server\.stopped".*"event":"main\.server\.killed"/s],
    );
  },
);

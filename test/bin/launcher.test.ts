/**
 * bin/hauspost.js: every Node.js that a machine may have starts the appliance, or says in one sentence what is missing.
 *
 * The launcher is copied beside a main.ts that only tells what it was given. An old Node is played by a preloaded line that
 * lowers the version, and is also tried for real where PATH has one.
 */

import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import t from 'tap';

import { type ProgramOptions, runProgram, startProgram } from '../support/peers.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'hauspost.js');
const BUNDLED = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
/** Never a terminal here: peers.ts gives pipes. */
const MAIN = `
import { text } from 'node:stream/consumers';
interface Told { readonly node: string; readonly args: readonly string[] }
const [first, ...rest] = process.argv.slice(2);
const told: Told = { node: process.execPath, args: rest };
switch (first) {
  case 'tell': console.log(JSON.stringify(told)); break;
  case 'environment': console.log(process.env.MALLOC_MMAP_THRESHOLD_, process.env.UV_THREADPOOL_SIZE, ...process.execArgv); break;
  case 'echo': console.log(await text(process.stdin)); break;
  case 'exit': process.exit(Number(rest[0]));
  case 'wait':
    process.on('SIGTERM', () => { console.log('got SIGTERM'); process.exit(5); });
    process.on('SIGINT', () => console.log('got SIGINT'));
    process.on('SIGHUP', () => console.log('got SIGHUP'));
    setInterval(() => {}, 1000);
    console.log('ready', process.pid);
}`;
const OLD = "Object.defineProperty(process.versions, 'node', { value: '20.20.2' });";

function layOut(directory: string): string {
  mkdirSync(join(directory, 'bin'));
  mkdirSync(join(directory, 'src'));
  cpSync(BIN, join(directory, 'bin', 'hauspost.js'));
  writeFileSync(join(directory, 'src', 'main.ts'), MAIN);
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  writeFileSync(join(directory, 'old.cjs'), OLD);
  return directory;
}

/** A place below this repository, so that its node_modules are found. */
const inside = layOut(t.testdir({}));
/** A place from which no package is found. */
const outside = layOut(realpathSync(mkdtempSync(join(tmpdir(), 'hauspost-launcher-'))));
t.teardown(() => rmSync(outside, { recursive: true }));

function launch(directory: string, args: readonly string[], options: ProgramOptions = {}) {
  return runProgram(process.execPath, [join(directory, 'bin', 'hauspost.js'), ...args], options);
}

function launchOld(directory: string, args: readonly string[], options: ProgramOptions = {}) {
  const preload = ['--require', join(directory, 'old.cjs')];
  return runProgram(process.execPath, [...preload, join(directory, 'bin', 'hauspost.js'), ...args], options);
}

t.test('a Node that is new enough runs main.ts itself, with every argument as it was', async (t) => {
  const args = ['', 'two words', '--json', '"quoted"', 'grün', '*'];
  const run = await launch(outside, ['tell', ...args]);
  t.same(JSON.parse(run.stdout.toString()), { node: process.execPath, args });
  t.equal(run.stderr.toString(), '');
});

t.test('an old Node hands over to the one that npm installed', async (t) => {
  const run = await launchOld(inside, ['tell']);
  const { node } = JSON.parse(run.stdout.toString());
  t.match(realpathSync(node), new RegExp(`node_modules.${BUNDLED}.bin`));
});

t.test('an old Node without that one takes HAUSPOST_NODE', async (t) => {
  const run = await launchOld(outside, ['tell'], { env: { HAUSPOST_NODE: process.execPath } });
  t.equal(JSON.parse(run.stdout.toString()).node, process.execPath);
});

t.test('where there is no Node 24 one sentence says what is missing', async (t) => {
  const run = await launchOld(outside, ['tell'], { env: { HAUSPOST_NODE: '' } });
  t.equal(run.exitCode, 1);
  t.equal(run.stdout.toString(), '');
  t.equal(
    run.stderr.toString(),
    `hauspost needs Node.js 24.12 or newer: this is 20.20.2, the package ${BUNDLED} is not installed (npm ci does it where it exists), and HAUSPOST_NODE does not name one.\n`,
  );
});

t.test('a HAUSPOST_NODE that is no Node 24 is named', async (t) => {
  const run = await launchOld(outside, ['tell'], { env: { HAUSPOST_NODE: '/no/such/node' } });
  t.equal(run.exitCode, 1);
  t.match(run.stderr.toString(), /and HAUSPOST_NODE names nothing that runs \(\/no\/such\/node\)\.\n$/);
});

t.test('main.ts is told how to allocate, unless the one who starts it says otherwise', async (t) => {
  const run = await launch(outside, ['environment']);
  t.equal(run.stdout.toString(), '1048576 64 --max-semi-space-size=16\n');
  const other = await launch(outside, ['environment'], {
    env: { MALLOC_MMAP_THRESHOLD_: '4194304', UV_THREADPOOL_SIZE: '8' },
  });
  t.equal(other.stdout.toString(), '4194304 8 --max-semi-space-size=16\n');
});

t.test('standard input and the exit code pass through', async (t) => {
  const echoed = await launch(outside, ['echo'], { stdin: 'a line' });
  t.equal(echoed.stdout.toString(), 'a line\n');
  t.equal(echoed.exitCode, 0);
  t.equal((await launch(outside, ['exit', '7'])).exitCode, 7);
});

t.test('signals reach main.ts, which decides how it ends', async (t) => {
  const running = await startProgram(process.execPath, [join(outside, 'bin', 'hauspost.js'), 'wait']);
  await running.waitFor(/ready/);
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    running.signal(signal);
    await running.waitFor(new RegExp(`got ${signal}`));
  }
  t.equal((await running.ended).exitCode, 5);
});

t.test('a main.ts that a signal killed ends the launcher by the same signal', async (t) => {
  const running = await startProgram(process.execPath, [join(outside, 'bin', 'hauspost.js'), 'wait']);
  const [, pid] = await running.waitFor(/ready (\d+)/);
  process.kill(Number(pid), 'SIGKILL');
  t.equal((await running.ended).signal, 'SIGKILL');
});

const old = await findOldNode();
const unless = old === undefined ? { skip: 'no Node older than 24.12 on PATH' } : {};
t.test('the old Node on this machine hands over as well', unless, async (t) => {
  const run = await runProgram(String(old), [join(inside, 'bin', 'hauspost.js'), 'tell', 'me']);
  t.equal(run.stderr.toString(), '');
  t.same(JSON.parse(run.stdout.toString()).args, ['me']);
  const failed = await runProgram(String(old), [join(outside, 'bin', 'hauspost.js'), 'tell', 'me'], {
    env: { HAUSPOST_NODE: '' },
  });
  t.equal(failed.exitCode, 1);
  t.match(failed.stderr.toString(), /^hauspost needs Node\.js 24\.12 or newer: [^\n]*\.\n$/);
});

async function findOldNode(): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, process.platform === 'win32' ? 'node.exe' : 'node');
    const run = await runProgram(path, ['--version']).catch(() => undefined);
    const [, major, minor] = /^v(\d+)\.(\d+)/.exec(run?.stdout.toString() ?? '') ?? [];
    if (major !== undefined && (Number(major) < 24 || (major === '24' && Number(minor) < 12))) return path;
  }
  return undefined;
}

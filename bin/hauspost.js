#!/usr/bin/env node
/**
 * The command `hauspost`: finds a Node.js that runs TypeScript and starts src/main.ts with it.
 *
 * Whatever Node the machine has on its PATH runs this file, so it keeps to what Node 12.20 knows. It looks at itself first,
 * then at the Node that npm installed beside Hauspost (optionalDependencies), then at HAUSPOST_NODE. Arguments, standard
 * streams, signals and the exit code pass through, so a service manager may start it. It finds nothing: one sentence, exit 1.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The first Node.js that strips types without a flag and a warning. */
const WANTED = { major: 24, minor: 12 };
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/**
 * glibc keeps what has been freed, twice 19 MiB for each thread that hashes passwords, unless blocks of 1 MiB and more are always
 * mapped by themselves: 161 MB resident after 40 logins instead of 349, measured. Other systems do not look at it.
 */
const ALLOCATION = { MALLOC_MMAP_THRESHOLD_: '1048576' };

/**
 * Node reads files, looks names up and hashes passwords in four threads unless told. A share that does not answer keeps those that
 * asked it for as long as it hangs: up to five for a drop directory, 14 of 16 for a pickup directory whose files were being taken.
 * All others, logins among them, need what is left. Threads that are idle cost nothing.
 */
const THREADS = { UV_THREADPOOL_SIZE: '64' };

/**
 * V8 sizes the room for young objects by the machine: on one of 24 GB it grew to 128 MB, of which more and more became resident
 * through the twenty minutes of a soak. Two halves of 16 MB are what it takes on smaller machines.
 */
const YOUNG_GENERATION = '--max-semi-space-size=16';

/** A terminal delivers these to the whole foreground group, so forwarding them would deliver them twice. */
const TERMINAL_SIGNALS = ['SIGINT', 'SIGQUIT'];
const FORWARDED_SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGBREAK'];

const found = findNode();
if (found.path === undefined) {
  giveUp(`needs Node.js ${WANTED.major}.${WANTED.minor} or newer: ${found.reasons.join(', ')}.`);
} else {
  run(found.path);
}

function findNode() {
  if (isWanted(process.versions.node)) return { path: process.execPath };
  const reasons = [`this is ${process.versions.node}`];
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const bundled = findBundled(name);
  if (bundled !== undefined) return { path: bundled };
  reasons.push(`the package ${name} is not installed (npm ci does it where it exists)`);
  const named = process.env.HAUSPOST_NODE;
  if (!named) return { reasons: [...reasons, 'and HAUSPOST_NODE does not name one'] };
  const version = String(spawnSync(named, ['--version'], { windowsHide: true }).stdout || '').trim();
  if (isWanted(version.replace(/^v/, ''))) return { path: named };
  return { reasons: [...reasons, `and HAUSPOST_NODE names ${version || 'nothing that runs'} (${named})`] };
}

function isWanted(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > WANTED.major || (major === WANTED.major && minor >= WANTED.minor);
}

function findBundled(name) {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const path = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(path) ? path : undefined;
  } catch (_error) {
    return undefined;
  }
}

function run(path) {
  const env = { ...ALLOCATION, ...THREADS, ...process.env };
  const child = spawn(path, [YOUNG_GENERATION, MAIN, ...process.argv.slice(2)], { stdio: 'inherit', env });
  const isOnTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of TERMINAL_SIGNALS) listen(signal, () => isOnTerminal || child.kill(signal));
  for (const signal of FORWARDED_SIGNALS) listen(signal, () => child.kill(signal));
  child.once('error', (error) => giveUp(`cannot run ${path}: ${error.message}.`));
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Windows knows only some of the signals; what it does not know it never sends. */
function listen(signal, forward) {
  try {
    process.on(signal, forward);
  } catch (_error) {
    // No such signal here.
  }
}

function giveUp(sentence) {
  process.stderr.write(`hauspost ${sentence}\n`);
  process.exitCode = 1;
}

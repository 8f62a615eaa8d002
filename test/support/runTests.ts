/**
 * `npm test`: runs every test file, or those that are named, each in a process of its own, several at a time, and reports them.
 *
 * tap's own runner loads its hooks into every file (mocks, source maps, coverage): three of five seconds for a file that opens a
 * store. Here a file is run as Node runs it by itself, and its TAP goes to the house's reporter. HAUSPOST_TEST_JOBS
 * changes their number; the exit code is 1 where anything failed.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import type { Transform } from 'node:stream';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** One more than the machine has processors, because some wait while others work. */
const JOBS = Number(process.env.HAUSPOST_TEST_JOBS ?? availableParallelism() + 1);
/** For a file that sets no limit of its own by `t.setTimeout`. */
const FILE_TIMEOUT_MS = 300_000;
/** A file ends itself when its time is up; one that can't is killed so much later. */
const GRACE_MS = 5_000;
/** Of what a file prints on its standard error stream the end is kept. */
const NOISE_LIMIT_OCTETS = 64 * 1024;
/** The longest files are among these, and begin first, so that no long one is left at the end. */
const FIRST = ['test/journeys/', 'test/fuzz/', 'test/store/', 'test/pop3d/'];

/** How a file ended. */
interface Ended {
  readonly tap: string;
  readonly noise: string;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly elapsedMs: number;
}

const reporterUrl = new URL('./reporter.mjs', import.meta.url).href;
const { default: Reporter } = (await import(reporterUrl)) as { readonly default: new () => Transform };

process.exitCode = await main(process.argv.slice(2));

async function main(named: readonly string[]): Promise<0 | 1> {
  const files = findFiles(named);
  const reporter = new Reporter();
  reporter.pipe(process.stdout);
  reporter.write(`TAP version 14\n1..${files.length}\n`);
  let number = 0;
  let hasFailed = files.length === 0;
  const runNext = async (): Promise<void> => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      const ended = await run(file);
      hasFailed ||= ended.exitCode !== 0 || ended.tap === '';
      number += 1;
      reporter.write(formatFile(number, file, ended));
    }
  };
  await Promise.all(Array.from({ length: JOBS }, runNext));
  reporter.end();
  await new Promise((resolve) => reporter.once('end', resolve));
  return hasFailed ? 1 : 0;
}

/** The files in the order in which they begin; those `named` where any are, with the directories among them looked through. */
function findFiles(named: readonly string[]): string[] {
  const patterns = named.length === 0 ? ['test'] : named.map((name) => relative(ROOT, resolve(name)));
  const found = patterns.flatMap((name) =>
    /\.[jt]s$/.test(name) ? [name] : globSync(join(name, '**/*.test.ts'), { cwd: ROOT }),
  );
  const files = [...new Set(found.map((file) => file.split(sep).join('/')))].sort();
  const place = (file: string) => {
    const index = FIRST.findIndex((directory) => file.startsWith(directory));
    return index < 0 ? FIRST.length : index;
  };
  return files.sort((left, right) => place(left) - place(right));
}

function run(file: string): Promise<Ended> {
  const beganMs = performance.now();
  const child = spawn(process.execPath, [file], {
    cwd: ROOT,
    env: {
      ...process.env,
      TAP: '1',
      TAP_TIMEOUT: String(FILE_TIMEOUT_MS / 1000),
      NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/hauspost-tests'),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const tap: Buffer[] = [];
  let noise = '';
  child.stdout?.on('data', (bytes: Buffer) => tap.push(bytes));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    noise = (noise + text).slice(-NOISE_LIMIT_OCTETS);
  });
  const stopWatching = killWhenLate(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      stopWatching();
      const elapsedMs = performance.now() - beganMs;
      resolve({ tap: Buffer.concat(tap).toString(), noise, exitCode, signal, elapsedMs });
    });
  });
}

/** Kills a file that does not end by itself when its time is up; tap tells by a message how much time it has given itself. */
function killWhenLate(child: ChildProcess): () => void {
  let timer: NodeJS.Timeout | undefined;
  const restart = (limitMs: number) => {
    clearTimeout(timer);
    if (limitMs > 0) timer = setTimeout(() => child.kill('SIGKILL'), limitMs + GRACE_MS);
  };
  restart(FILE_TIMEOUT_MS);
  child.on('message', (message: { readonly setTimeout?: number } | null) => {
    if (typeof message?.setTimeout === 'number') restart(message.setTimeout);
  });
  return () => clearTimeout(timer);
}

/** What a file said as a subtest of the whole run. */
function formatFile(
  number: number,
  file: string,
  { tap, noise, exitCode, signal, elapsedMs }: Ended,
): string {
  const isOk = exitCode === 0 && tap !== '';
  const lines = tap === '' ? ['not ok 1 - it ran no test', '1..1'] : splitLines(tap);
  const said = [...lines, ...(isOk ? [] : splitLines(noise))].map((line) => `    ${line}\n`);
  const diagnostics = isOk ? '' : `  ---\n  exitCode: ${exitCode}\n  signal: ${signal}\n  ...\n`;
  const result = `${isOk ? 'ok' : 'not ok'} ${number} - ${file} # time=${elapsedMs.toFixed(3)}ms\n`;
  return `# Subtest: ${file}\n${said.join('')}${result}${diagnostics}`;
}

function splitLines(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

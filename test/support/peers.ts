/**
 * External programs as peers of a test: curl, fetchmail, mbsync, Python and their like, and our own server as a process.
 *
 * Every program has a deadline and a bound on its output, runs in a process group of its own and is killed with all its
 * children when time is up or the test ends. A missing program skips its test by name, but fails it where CI=true, so that
 * no run on CI is green because nothing ran; .ci/packages names the Debian packages that bring the programs. Those that .ci/run
 * only unpacks are found as if they were installed, behind everything that is.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';

import type { Test } from 'tap';

const DEADLINE_MS = 240_000;
/** Twice the largest message that the tests pass through a program (150 MB), so that a runaway program ends. */
const OUTPUT_LIMIT_BYTES = 320 * 1024 * 1024;
/** Servers live where an ordinary account's PATH does not look. */
const SYSTEM_DIRECTORIES = process.platform === 'win32' ? [] : ['/usr/local/sbin', '/usr/sbin', '/sbin'];
/** Where .ci/run unpacks packages that exclude each other, each in a directory of its name. */
const UNPACKED = process.env.HAUSPOST_PEERS ?? join(homedir(), '.cache', 'hauspost-peers');
const SUFFIXES = process.platform === 'win32' ? (process.env.PATHEXT ?? '.EXE').split(';') : [''];

/** How a program is started. */
export interface ProgramOptions {
  /** Written to the program's standard input, which is then closed. */
  readonly stdin?: string | Uint8Array;
  /** Added to `peerEnvironment()`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** From start to end; 4 minutes unless given. The whole process group is killed then. */
  readonly deadlineMs?: number;
}

/** How a program ended. */
export interface ProgramResult {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Why it was killed, when it was. */
  readonly killedFor: 'deadline' | 'output' | undefined;
}

/** A program that runs. */
export interface RunningProgram {
  readonly pid: number;
  /** What it has printed so far, both streams in the order of arrival. */
  printed(): string;
  /** Resolves with the match once the output contains `pattern`; rejects with the output when the program ends first. */
  waitFor(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Sends `signal` to the program alone (its children get SIGKILL when it has ended). */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended and its output is complete; never rejects. */
  readonly ended: Promise<ProgramResult>;
}

/** The absolute path of the program `name`, or undefined when this machine has none. */
export function findProgram(name: string): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  for (const directory of [...directories, ...SYSTEM_DIRECTORIES, ...unpackedDirectories()]) {
    for (const suffix of SUFFIXES) {
      const path = join(directory, name + suffix);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

/** Runs `program` (a name or an absolute path) to its end. Rejects only when it cannot be started. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return (await startProgram(program, args, options)).ended;
}

/** Starts `program` (a name or an absolute path) and resolves once it runs; the caller waits for `ended` or signals it. */
export async function startProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<RunningProgram> {
  const path = isAbsolute(program) && isExecutable(program) ? program : findProgram(program);
  if (path === undefined) throw Object.assign(new Error(`no program ${program}`), { code: 'ENOENT' });
  const env = { ...peerEnvironment(), ...options.env };
  const child = spawn(path, args, {
    cwd: options.cwd,
    env,
    detached: true,
    windowsHide: true,
  });
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  // A program may end without reading its input (curl with a bad URL); that is its result, not ours.
  child.stdin.on('error', () => {}).end(options.stdin);
  return watch(child, options.deadlineMs ?? DEADLINE_MS);
}

/** The environment for programs: this process's own without what tap, npm and whoever set up the tests put there, in a fixed locale. */
export function peerEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !/^(TAP|NODE_OPTIONS|NODE_V8_COVERAGE|npm_|HAUSPOST_)/.test(name))
      kept[name] = value;
  }
  return { ...kept, LC_ALL: 'C.UTF-8' };
}

/** A subtest of `t` that needs `programs`; without one of them it is skipped by name, or fails where CI=true. */
export function peerTest(
  t: Test,
  programs: readonly string[],
  name: string,
  run: (t: Test) => Promise<unknown> | undefined,
): Promise<unknown> {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return t.test(name, run);
  const reason = `not installed: ${missing.join(', ')}`;
  if (process.env.CI !== 'true') return t.test(name, { skip: reason }, run);
  return t.test(name, (failing) => {
    failing.fail(reason);
    failing.end();
  });
}

function unpackedDirectories(): string[] {
  try {
    const packages = readdirSync(UNPACKED).filter((name) => !name.startsWith('.'));
    return packages.flatMap((name) => ['usr/sbin', 'usr/bin'].map((part) => join(UNPACKED, name, part)));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function watch(child: ChildProcess & { pid?: number | undefined }, deadlineMs: number): RunningProgram {
  const pid = child.pid ?? 0;
  const chunks: { readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer }[] = [];
  let octets = 0;
  let killedFor: ProgramResult['killedFor'];
  const kill = (reason: 'deadline' | 'output') => {
    killedFor ??= reason;
    killGroup(pid);
  };
  const deadline = setTimeout(() => kill('deadline'), deadlineMs);
  const whenProgramExits = () => killGroup(pid);
  process.once('exit', whenProgramExits);
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (bytes: Buffer) => {
      chunks.push({ stream, bytes });
      octets += bytes.length;
      if (octets > OUTPUT_LIMIT_BYTES) kill('output');
      child.emit('printed');
    });
  }
  const collect = (stream: string) =>
    Buffer.concat(chunks.filter((chunk) => chunk.stream === stream).map((chunk) => chunk.bytes));
  const printed = () => Buffer.concat(chunks.map((chunk) => chunk.bytes)).toString();
  child.once('exit', () => killGroup(pid));
  const ended = new Promise<ProgramResult>((resolve) => {
    child.once('close', (exitCode, signal) => {
      clearTimeout(deadline);
      process.removeListener('exit', whenProgramExits);
      resolve({
        exitCode: exitCode ?? undefined,
        signal: signal ?? undefined,
        stdout: collect('stdout'),
        stderr: collect('stderr'),
        killedFor,
      });
    });
  });
  return {
    pid,
    printed,
    waitFor: (pattern) => waitFor(child, ended, printed, pattern),
    signal: (signal) => {
      child.kill(signal);
    },
    ended,
  };
}

function waitFor(
  child: ChildProcess,
  ended: Promise<ProgramResult>,
  printed: () => string,
  pattern: RegExp,
): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const match = printed().match(pattern);
      if (match === null) return;
      child.removeListener('printed', look);
      resolve(match);
    };
    child.on('printed', look);
    look();
    void ended.then((result) => {
      look();
      const cause = result.killedFor ?? result.signal ?? `exit code ${result.exitCode}`;
      reject(new Error(`the program ended (${cause}) without printing ${pattern}:\n${printed()}`));
    });
  });
}

/** Kills what is left of a process group; on Windows, where there are none, the program alone. */
function killGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

/**
 * The appliance as a process of its own, started as an administrator starts it (`src/main.ts serve` under Node 24), on
 * 127.0.0.1 with ports that the system chooses and a data directory of the test. Its log lines tell the ports.
 *
 * Used by journeys, kill tests and bench/. `cli` runs a verb as the command line does, through the control socket where it runs.
 */

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { runCommandLine } from '../../src/commandLine.ts';
import { madeCertificate } from './madeCertificate.ts';
import {
  peerEnvironment,
  type ProgramResult,
  type RunningProgram,
  runProgram,
  startProgram,
} from './peers.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Keeps what Node made of our sources: a start or a verb takes half the time then, and the tests make hundreds. */
const QUICK_START = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/hauspost-tests', import.meta.url)),
};

/** What deploy/ and bin/hauspost.js give a server, so that its memory and threads are those of a service. */
const AS_A_SERVICE = { MALLOC_MMAP_THRESHOLD_: '1048576', UV_THREADPOOL_SIZE: '64' };

const FLAGS = ['--max-semi-space-size=16'];

/** Ports by the listeners' names. */
export type Ports = Readonly<
  Record<'smtp' | 'submission' | 'submissions' | 'pop3' | 'pop3s' | 'imap' | 'imaps', number>
>;

/** A data directory with a configuration file, whether a server runs on it or not. */
export interface Site {
  readonly directory: string;
  readonly configFile: string;
  /** Adds `keys`, lines of TOML, to each listener; counts from the next start on. */
  changeListeners(keys: string): void;
  /** Runs `hauspost ...args --config FILE`, in this process, which spares half a second; journeys/lifecycle.test.ts has processes. */
  cli(args: readonly string[], stdin?: string): Promise<ProgramResult>;
  /** As `cli`, in a process of its own. */
  program(args: readonly string[], stdin?: string): Promise<ProgramResult>;
  /** As `cli`, with --json, and rejects unless the exit code is 0. */
  cliJson(args: readonly string[], stdin?: string): Promise<unknown>;
  /** Starts the server and waits until it listens. */
  serve(options?: ServeOptions): Promise<RunningServer>;
  /** Kills what still runs and removes the directory. */
  remove(): Promise<void>;
}

/** How a server is started. */
export interface ServeOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the server, such as strace with its arguments. */
  readonly wrapper?: readonly string[];
  /** When it is killed at the latest: after ten minutes unless given. */
  readonly deadlineMs?: number;
  /** A module that the server loads first. */
  readonly preload?: string;
}

/** A server that listens. */
export interface RunningServer {
  readonly ports: Ports;
  readonly program: RunningProgram;
  /** The server's own process, which a wrapper is not. */
  readonly pid: number;
  /** Ends it by SIGTERM and answers how it ended. */
  stop(): Promise<ProgramResult>;
  /** Kills it by SIGKILL. */
  kill(): Promise<ProgramResult>;
}

/** Makes a site with `extra` TOML in its configuration, whose program is `main`. */
export function createSite(extra = '', main = MAIN): Site {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-test-'));
  const configFile = join(directory, 'hauspost.toml');
  writeFileSync(configFile, `${extra}\n${LISTENERS}`);
  const servers: RunningServer[] = [];
  const program = (args: readonly string[], stdin = '') =>
    runProgram(process.execPath, [main, ...args, '--config', configFile], { stdin, env: QUICK_START });
  const cli = (args: readonly string[], stdin = '') =>
    main === MAIN ? runVerb([...args, '--config', configFile], stdin) : program(args, stdin);
  return {
    directory,
    configFile,
    program,
    changeListeners(keys) {
      const text = readFileSync(configFile, 'utf8');
      writeFileSync(configFile, text.replaceAll('[[listeners]]\n', `[[listeners]]\n${keys}`));
    },
    cli,
    async cliJson(args, stdin) {
      const result = await cli([...args, '--json'], stdin);
      if (result.exitCode !== 0) throw new Error(`hauspost ${args.join(' ')}: ${result.stderr.toString()}`);
      return JSON.parse(result.stdout.toString());
    },
    async serve(options) {
      await giveCertificate(directory);
      const server = await serve(main, configFile, options);
      servers.push(server);
      return server;
    },
    async remove() {
      await Promise.all(servers.map((server) => server.kill()));
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function runVerb(argv: readonly string[], stdin: string): Promise<ProgramResult> {
  const out = new PassThrough();
  const err = new PassThrough();
  const printed = Promise.all([buffer(out), buffer(err)]);
  const environment = peerEnvironment();
  const exitCode = await runCommandLine(argv, { out, err, in: Readable.from([stdin]), environment });
  out.end();
  err.end();
  const [stdout, stderr] = await printed;
  return { exitCode, signal: undefined, stdout, stderr, killedFor: undefined };
}

/** Adds the domain app.example.com and an account `name`@ in it; answers address and password. */
export async function addAccount(site: Site, name: string): Promise<{ address: string; password: string }> {
  const address = `${name}@app.example.com`;
  const password = `pass word ${name}`;
  await site.cli(['domain', 'add', 'app.example.com']);
  await site.cliJson(['account', 'add', address, '--password-stdin'], `${password}\n`);
  return { address, password };
}

/** The server's certificate, as it would have made it for itself. */
export function certificateOf(site: Site): string {
  return readFileSync(join(site.directory, 'self-signed.crt'), 'utf8');
}

const LISTENERS = [
  ['smtp', 'smtp', 'starttls'],
  ['submission', 'smtp', 'starttls', 'submission'],
  ['submissions', 'smtp', 'implicit', 'submission'],
  ['pop3', 'pop3', 'starttls'],
  ['pop3s', 'pop3', 'implicit'],
  ['imap', 'imap', 'starttls'],
  ['imaps', 'imap', 'implicit'],
]
  .map(
    ([name, protocol, tls, role]) =>
      `[[listeners]]\nname = "${name}"\nprotocol = "${protocol}"\ntls = "${tls}"\nport = 0\n${role === undefined ? '' : `role = "${role}"\n`}`,
  )
  .join('\n');

/** So that a first start need not make an RSA key. */
async function giveCertificate(directory: string): Promise<void> {
  if (existsSync(join(directory, 'self-signed.crt'))) return;
  const { certificateFile, keyFile } = await madeCertificate();
  copyFileSync(keyFile, join(directory, 'self-signed.key'));
  copyFileSync(certificateFile, join(directory, 'self-signed.crt'));
}

async function serve(main: string, configFile: string, options: ServeOptions = {}): Promise<RunningServer> {
  const command = [
    ...(options.wrapper ?? []),
    process.execPath,
    ...FLAGS,
    ...(options.preload === undefined ? [] : ['--import', options.preload]),
    main,
    'serve',
    '--config',
    configFile,
  ];
  const program = await startProgram(command[0] ?? '', command.slice(1), {
    deadlineMs: options.deadlineMs ?? 10 * 60_000,
    env: { ...QUICK_START, ...AS_A_SERVICE, ...options.env },
  });
  const [line] = await program.waitFor(/^.*"event":"main\.server\.ready".*\n/m);
  const ready = JSON.parse(line ?? '') as { listeners: { name: string; port: number }[]; process: number };
  const ports = Object.fromEntries(
    ready.listeners.map((listener) => [listener.name, listener.port]),
  ) as Ports;
  let hasEnded = false;
  program.ended.then(() => {
    hasEnded = true;
  });
  const end = (signal: NodeJS.Signals) => {
    if (!hasEnded) process.kill(ready.process, signal);
    return program.ended;
  };
  return { ports, program, pid: ready.process, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

/**
 * Old programs at work as in a company: they fetch what they have not got, keep it on the server or delete it, and are cut off.
 *
 * A job is one visit to an account, with a directory that the client keeps its memory in from visit to visit. Those that are
 * libraries (poplib, Net::POP3, Ruby's net-pop and net-imap, PHP's imap_*, JavaMail) are driven by a program each, in clients/:
 * it takes all jobs in one run, since Java takes long to start: a line of `protocol port user password directory mode` with tabs,
 * answered by `done COUNT` or `failed COUNT WHY`. A message is written to `messages/` in the directory when it is whole.
 */

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type ProgramResult, runProgram } from '../support/peers.ts';
import type { Login } from '../support/rawPop3.ts';
import { writeGetmailrc } from './getmail.ts';

/** One visit. */
export interface Job {
  readonly protocol: 'pop3' | 'imap';
  readonly port: number;
  readonly login: Login;
  /** Made by `newPlace`; the same for the visits of one client. */
  readonly directory: string;
  readonly mode: 'keep' | 'delete';
}

/** What became of it. */
export interface Visit {
  readonly isDone: boolean;
  /** Messages that were written. */
  readonly fetched: number;
  /** What the client said where it failed. */
  readonly said: string;
}

/** A client. */
export interface OldClient {
  readonly name: string;
  readonly protocols: readonly Job['protocol'][];
  /** Programs that it needs. */
  readonly programs: readonly string[];
  /** Whether a visit is one session; without that each deletion is one of its own. */
  readonly isOneSession: boolean;
  /** Makes the visits one after the other. */
  work(jobs: readonly Job[]): Promise<Visit[]>;
}

const BOTH = ['pop3', 'imap'] as const;
const JARS = ['javax.mail', 'javax.activation'].map((name) => `/usr/share/java/${name}.jar`).join(':');

/** Every client. */
export const OLD_CLIENTS: readonly OldClient[] = [
  { ...program('curl', BOTH, curl), isOneSession: false },
  program('fetchmail', BOTH, fetchmail),
  program('getmail', BOTH, getmail),
  program('mpop', ['pop3'], mpop),
  library('poplib', ['pop3'], 'python3', 'fetch.py'),
  library('Net::POP3', ['pop3'], 'perl', 'fetch.pl'),
  library('PHP', BOTH, 'php', 'fetch.php'),
  library('Ruby', BOTH, 'ruby', 'fetch.rb'),
  library('JavaMail', BOTH, 'java', '-cp', JARS, 'Fetch.java'),
];

/** The client `name`. */
export function oldClient(name: string): OldClient {
  const found = OLD_CLIENTS.find((client) => client.name === name);
  if (found === undefined) throw new Error(`no client ${name}`);
  return found;
}

/** A directory for a client's visits, within `parent`. */
export function newPlace(parent: string, name: string): string {
  const directory = join(parent, name.replace(/\W/g, ''));
  mkdirSync(join(directory, 'messages'), { recursive: true });
  return directory;
}

/** The messages that a client has written. */
export function messagesIn(directory: string): Buffer[] {
  const messages = join(directory, 'messages');
  return readdirSync(messages).map((name) => readFileSync(join(messages, name)));
}

function library(
  name: string,
  protocols: OldClient['protocols'],
  program: string,
  ...args: string[]
): OldClient {
  const file = fileURLToPath(new URL(`clients/${args.at(-1)}`, import.meta.url));
  return {
    name,
    protocols,
    programs: [program],
    isOneSession: true,
    async work(jobs) {
      const lines = jobs.map(({ protocol, port, login, directory, mode }) =>
        [protocol, port, login.address, login.password, directory, mode].join('\t'),
      );
      const result = await runProgram(program, [...args.slice(0, -1), file], {
        stdin: `${lines.join('\n')}\n`,
        deadlineMs: 240_000,
      });
      const answers = result.stdout.toString().split('\n').slice(0, -1);
      if (result.exitCode !== 0 || answers.length !== jobs.length) throw new Error(wordsOf(result));
      return answers.map((answer) => {
        const [, outcome, count, said = ''] = /^(done|failed) (\d+) ?(.*)$/.exec(answer) ?? [];
        if (outcome === undefined) throw new Error(wordsOf(result));
        return { isDone: outcome === 'done', fetched: Number(count), said };
      });
    },
  };
}

/** A client that is run for each visit; `visit` answers what it said where it failed. */
function program(
  name: string,
  protocols: OldClient['protocols'],
  visit: (job: Job) => Promise<string | undefined>,
): OldClient {
  return {
    name,
    protocols,
    programs: [name],
    isOneSession: true,
    async work(jobs) {
      const visits: Visit[] = [];
      for (const job of jobs) {
        const before = messagesIn(job.directory).length;
        const failed = await visit(job);
        const fetched = messagesIn(job.directory).length - before;
        visits.push({
          isDone: failed === undefined,
          fetched,
          said: failed ?? '',
        });
      }
      return visits;
    },
  };
}

function wordsOf({ exitCode, signal, stdout, stderr }: ProgramResult): string {
  return `ended with ${exitCode ?? signal}: ${stderr}${stdout}`.slice(0, 2000);
}

async function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string | undefined> {
  const result = await runProgram(program, args, { env });
  return result.exitCode === 0 ? undefined : wordsOf(result);
}

/**
 * As a shell script does it that has nothing but curl: a session for each question, after which what it deleted is gone. By POP3
 * curl takes the end of a connection for the end of a message, so that a script has to compare sizes before it deletes.
 */
async function curl({ protocol, port, login, directory, mode }: Job): Promise<string | undefined> {
  const url = `${protocol}://127.0.0.1:${port}/${protocol === 'imap' ? 'INBOX' : ''}`;
  const names = join(directory, 'seen');
  const seen = existsSync(names) ? readFileSync(names, 'latin1').split('\n') : [];
  const part = join(directory, 'part');
  let failed: string | undefined;
  const ask = async (...args: string[]) => {
    const user = `${login.address}:${login.password}`;
    const flags = ['--silent', '--show-error', '--fail', '--max-time', '20', '--user', user];
    const result = await runProgram('curl', [...flags, ...args]);
    if (result.exitCode !== 0) failed ??= wordsOf(result);
    return result.stdout.toString();
  };
  const keep = async (id: string, where: string, size: number | undefined) => {
    await ask('--output', part, where);
    if (failed === undefined && size !== undefined && statSync(part).size !== size)
      failed = `${statSync(part).size} octets came instead of ${size}`;
    if (failed !== undefined) return;
    renameSync(part, join(directory, 'messages', id));
    appendFileSync(names, `${id}\n`);
  };
  const remove = async (...commands: string[]) => {
    const flags = protocol === 'pop3' ? ['--head'] : [];
    for (const command of commands) if (failed === undefined) await ask(...flags, '--request', command, url);
  };
  if (protocol === 'imap') {
    for (const [uid] of (await ask('--request', 'UID SEARCH UNDELETED', url)).matchAll(/\d+/g)) {
      if (!seen.includes(uid)) await keep(uid, `${url};UID=${uid}`, undefined);
      if (mode === 'delete') await remove(`UID STORE ${uid} +FLAGS (\\Deleted)`, 'EXPUNGE');
      if (failed !== undefined) return failed;
    }
    return failed;
  }
  const sizes = (await ask(url)).matchAll(/^(\d+) (\d+)\r$/gm);
  const ids = [...(await ask('--request', 'UIDL', url)).matchAll(/^(\d+) (\S+)\r$/gm)];
  let gone = 0;
  for (const [index, [, , size]] of [...sizes].entries()) {
    const [, , id = ''] = ids[index] ?? [];
    const number = index + 1 - gone;
    if (!seen.includes(id)) await keep(id, `${url}${number}`, Number(size));
    if (mode === 'delete') await remove(`DELE ${number}`);
    if (failed !== undefined) return failed;
    if (mode === 'delete') gone += 1;
  }
  return failed;
}

async function fetchmail({ protocol, port, login, directory, mode }: Job): Promise<string | undefined> {
  const file = join(directory, 'fetchmailrc');
  const lines = [
    'set invisible',
    'set no bouncemail',
    'set no spambounce',
    `set idfile "${join(directory, 'ids')}"`,
    `poll 127.0.0.1 protocol ${protocol} port ${port} bad-header accept timeout 120${protocol === 'pop3' ? ' uidl' : ''}`,
    `  username "${login.address}" password "${login.password}" sslproto ''`,
    `  no rewrite no stripcr pass8bits no mimedecode no dropstatus no dropdelivered ${mode === 'keep' ? 'keep' : 'nokeep'}`,
    // What was kept once has been seen, and is fetched again where it is to be deleted.
    mode === 'keep' ? '  no fetchall' : '  fetchall',
    `  mda "exec cat > ${directory}/messages/$$"`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const pidFile = join(directory, 'pid');
  const args = ['--fetchmailrc', file, '--pidfile', pidFile, '--nosyslog', '--nodetach', '--silent'];
  const failed = await run('fetchmail', args, { FETCHMAILHOME: directory });
  // 1: there was nothing to fetch.
  return failed?.startsWith('ended with 1:') ? undefined : failed;
}

async function getmail({ protocol, port, login, directory, mode }: Job): Promise<string | undefined> {
  const messages = join(directory, 'messages');
  const fetch = { protocol, port, login, messages, readsAll: false, deletes: mode === 'delete' };
  return run('getmail', writeGetmailrc(directory, fetch));
}

async function mpop({ port, login, directory, mode }: Job): Promise<string | undefined> {
  const file = join(directory, 'mpoprc');
  const lines = [
    'account default',
    'host 127.0.0.1',
    `port ${port}`,
    `user ${login.address}`,
    'auth user',
    `password "${login.password}"`,
    'tls off',
    'timeout 120',
    'received_header off',
    'only_new on',
    `keep ${mode === 'keep' ? 'on' : 'off'}`,
    `uidls_file ${directory}/uidls`,
    `delivery mda "exec cat > ${directory}/messages/$$"`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return run('mpop', ['--file', file, '--quiet']);
}

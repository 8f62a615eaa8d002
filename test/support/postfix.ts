/**
 * A private Postfix as a next hop: one SMTP listener, and whatever it takes is kept as files that a test reads.
 *
 * Configuration, queue and log are in a temporary directory that goes with the test; nothing of the machine's own Postfix is used
 * but its programs, its user and its group. It is started by root, as its master process alone: `postfix start` looks over its
 * directories for seconds. What it takes goes through pipe(8) into one file for each recipient, so that envelope and octets are
 * seen as Postfix has them (its own Received field in front, and LF at line ends).
 */

import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Test } from 'tap';

import { untilFiles } from './fileEvent.ts';
import { freePort } from './freePort.ts';
import { type RunningProgram, runProgram, startProgram } from './peers.ts';

/** What a private Postfix needs to be there. */
export const POSTFIX_PROGRAMS = ['postfix', 'postconf'] as const;
/** Where Debian has its daemons. */
const DAEMONS = '/usr/lib/postfix/sbin';
const NOBODY = 65_534;
const DEADLINE_MS = 5 * 60_000;

/** How it is set up. */
export interface PostfixOptions {
  /** Offers STARTTLS with this certificate, and takes mail after STARTTLS only; without it there is no TLS. */
  readonly tls?: { readonly pem: string; readonly keyPem: string } | undefined;
  /** PEM of the authority that has to stand behind the client's certificate, without which it takes nothing. */
  readonly clientAuthority?: string | undefined;
  /** The socket of the Dovecot that checks logins (dovecotSasl.ts), without which it takes nothing. */
  readonly saslSocket?: string | undefined;
  /** Parameters of main.cf over these. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What it took for one recipient. */
export interface TakenMessage {
  readonly sender: string;
  readonly recipient: string;
  /** As it was sent to Postfix, but with LF at line ends: without the Received field that Postfix put in front. */
  readonly octets: string;
}

/** A Postfix that listens on 127.0.0.1. */
export interface Postfix {
  readonly port: number;
  /** Resolves once it has taken something for so many recipients; in the order of their arrival. */
  taken(count: number): Promise<readonly TakenMessage[]>;
  /** Its log so far. */
  log(): string;
  /** Resolves with the match once its log has such a line. */
  logged(pattern: RegExp): Promise<RegExpExecArray>;
  /** Messages in its queue, or in a part of it. */
  queued(part?: 'deferred'): number;
  /** Has it try at once what it has deferred. */
  flush(): Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
  /** Begins again on the same port with the same queue, with other parameters of main.cf over the first. */
  start(settings?: Readonly<Record<string, string>>): Promise<void>;
}

/** Starts one; it goes with the test. */
export async function openPostfix(t: Test, options: PostfixOptions = {}): Promise<Postfix> {
  const home = mkdtempSync(join(tmpdir(), 'hauspost-postfix-'));
  const port = await freePort();
  const taken = join(home, 'taken');
  const logs = join(home, 'log');
  await fillHome(home, port, options);
  let program: RunningProgram | undefined;
  const log = () => readOr(join(logs, 'mail'), '');
  const logged = (pattern: RegExp) => untilFiles(logs, () => pattern.exec(log()) ?? undefined);
  const stop = async () => {
    program?.signal('SIGTERM');
    await program?.ended;
    program = undefined;
  };
  const start = async (settings: Readonly<Record<string, string>> = {}) => {
    rmSync(join(logs, 'mail'), { force: true });
    writeFileSync(
      join(home, 'etc', 'main.cf'),
      mainFile(home, options, { ...options.settings, ...settings }),
    );
    const env = { MAIL_CONFIG: join(home, 'etc') };
    program = await startProgram(join(DAEMONS, 'master'), ['-c', join(home, 'etc'), '-d', '-s'], {
      env,
      deadlineMs: DEADLINE_MS,
    });
    const died = program.ended.then(({ stderr }) => {
      throw new Error(`Postfix has ended: ${stderr}\n${log()}`);
    });
    died.catch(() => {});
    await Promise.race([logged(/daemon started/), died]);
  };
  t.teardown(async () => {
    await stop();
    rmSync(home, { recursive: true, force: true });
  });
  await start();
  return {
    port,
    taken: (count) =>
      untilFiles(taken, () => {
        const messages = readTaken(taken);
        return messages.length >= count ? messages : undefined;
      }),
    log,
    logged,
    queued: (part) => countFiles(home, part === undefined ? WAITING_QUEUES : [part]),
    flush: async () => {
      await runProgram('postqueue', ['-c', join(home, 'etc'), '-f']);
    },
    stop,
    start,
  };
}

/** The numbers of a user and its group, or of a group alone. */
async function numbersOf(database: 'passwd' | 'group', name: string): Promise<readonly [number, number]> {
  const { stdout } = await runProgram('getent', [database, name]);
  const [, , first, second] = stdout.toString().trim().split(':');
  return [Number(first), Number(second)];
}

async function fillHome(home: string, port: number, { tls, clientAuthority }: PostfixOptions): Promise<void> {
  const [user, group] = await numbersOf('passwd', 'postfix');
  const [postdrop] = await numbersOf('group', 'postdrop');
  chmodSync(home, 0o755);
  const directory = (path: string, mode: number, owner = 0, itsGroup = 0) => {
    mkdirSync(join(home, path));
    chmodSync(join(home, path), mode);
    chownSync(join(home, path), owner, itsGroup);
  };
  for (const path of ['etc', 'log', 'spool', 'spool/pid']) directory(path, 0o755);
  directory('data', 0o700, user, group);
  directory('taken', 0o755, NOBODY, NOBODY);
  for (const queue of QUEUES) directory(`spool/${queue}`, 0o700, user);
  directory('spool/public', 0o710, user, postdrop);
  directory('spool/maildrop', 0o730, user, postdrop);
  writeFileSync(join(home, 'keep'), KEEP);
  chmodSync(join(home, 'keep'), 0o755);
  writeFileSync(join(home, 'etc', 'master.cf'), masterFile(home, port));
  if (tls !== undefined)
    writeFileSync(join(home, 'etc', 'server.pem'), `${tls.keyPem}\n${tls.pem}`, { mode: 0o600 });
  if (clientAuthority !== undefined) writeFileSync(join(home, 'etc', 'clients.pem'), clientAuthority);
}

const QUEUES = 'active bounce corrupt defer deferred flush hold incoming private saved trace'.split(' ');

const WAITING_QUEUES = ['active', 'deferred', 'incoming', 'maildrop'];

/** Some of its queues have directories below them. */
function countFiles(home: string, queues: readonly string[]): number {
  const entries = queues.flatMap((queue) =>
    readdirSync(join(home, 'spool', queue), { recursive: true, withFileTypes: true }),
  );
  return entries.filter((entry) => entry.isFile()).length;
}

/** Sender and recipient in a line each, then the octets; whole before it has its name, and names are in the order of arrival. */
const KEEP = `#!/bin/sh
file=$(mktemp -p "$1" .new.XXXXXX) || exit 75
{ printf '%s\\n%s\\n' "$2" "$3"; cat; } >"$file" && mv "$file" "$1/$(date +%s%N).$$"
`;

function masterFile(home: string, port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
smtp unix - - n - - smtp
keep unix - n n - - pipe flags= null_sender= user=nobody argv=${home}/keep ${home}/taken \${sender} \${recipient}
`;
}

function mainFile(
  home: string,
  { tls, clientAuthority, saslSocket }: PostfixOptions,
  settings: Readonly<Record<string, string>>,
): string {
  const parameters: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: join(home, 'spool'),
    data_directory: join(home, 'data'),
    command_directory: '/usr/sbin',
    daemon_directory: DAEMONS,
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    maillog_file: join(home, 'log', 'mail'),
    maillog_file_prefixes: home,
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    myhostname: 'hop.example.net',
    mydestination: '',
    relay_domains: '',
    mynetworks: '127.0.0.0/8',
    alias_maps: '',
    alias_database: '',
    default_transport: 'keep',
    keep_destination_recipient_limit: '1',
    local_header_rewrite_clients: '',
    smtpd_delay_reject: 'no',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    ...(tls === undefined
      ? {}
      : { smtpd_tls_security_level: 'encrypt', smtpd_tls_chain_files: join(home, 'etc', 'server.pem') }),
    ...(clientAuthority === undefined
      ? {}
      : { smtpd_tls_req_ccert: 'yes', smtpd_tls_CAfile: join(home, 'etc', 'clients.pem') }),
    ...(saslSocket === undefined
      ? {}
      : {
          smtpd_sasl_auth_enable: 'yes',
          smtpd_sasl_type: 'dovecot',
          smtpd_sasl_path: saslSocket,
          smtpd_tls_auth_only: tls === undefined ? 'no' : 'yes',
          smtpd_relay_restrictions: 'permit_sasl_authenticated, reject',
          smtpd_sender_restrictions: 'permit_sasl_authenticated, reject',
        }),
    ...settings,
  };
  return Object.entries(parameters)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

function readTaken(directory: string): TakenMessage[] {
  return readdirSync(directory)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => {
      const text = readFileSync(join(directory, name), 'latin1');
      const [, sender = '', recipient = '', whole = ''] = /^(.*)\n(.*)\n([\s\S]*)$/.exec(text) ?? [];
      return { sender, recipient, octets: whole.replace(/^Received: .*\n(?:[\t ].*\n)*/, '') };
    });
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

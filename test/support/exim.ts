/**
 * Exim as a client of ours: it takes a message on standard input and hands it over to one port, by BDAT where that is offered.
 *
 * Debian's package is only unpacked (.ci/packages), so the user that it was built for exists in libnss_wrapper alone; run by root
 * it works as nobody, else as whoever runs the tests. Spool and log are in a directory that goes with the test. With
 * `spool_wireformat` a message that came in chunks goes on octet by octet, bare line feeds and all.
 */

import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Test } from 'tap';

import { findProgram, type ProgramResult, runProgram } from './peers.ts';

/** What an Exim needs to be there. */
export const EXIM_PROGRAMS = ['exim4'] as const;

const NOBODY = 65_534;

/** An Exim whose next hop is one port. */
export interface Exim {
  /** Hands over `message`, whose lines end with LF, as a program does that calls sendmail. */
  send(from: string, to: readonly string[], message: Uint8Array): Promise<ProgramResult>;
  /** Takes a whole SMTP session (`exim -bs`) and delivers what comes of it before it ends. */
  relay(dialogue: Uint8Array): Promise<ProgramResult>;
  /** Its main log so far. */
  log(): string;
}

/** An Exim that delivers to 127.0.0.1:`port`, only with STARTTLS and the certificate `pem`. */
export function openExim(t: Test, port: number, pem: string): Exim {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-exim-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const user = process.getuid?.() === 0 ? NOBODY : (process.getuid?.() ?? NOBODY);
  const group = process.getuid?.() === 0 ? NOBODY : (process.getgid?.() ?? NOBODY);
  // It runs itself again as its own user, who may not look into root's home; setuid, it would hear of no wrapper.
  const program = join(directory, 'exim4');
  copyFileSync(findProgram('exim4') ?? '', program);
  chmodSync(program, 0o755);
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const spool = join(directory, 'spool');
  mkdirSync(spool);
  const config = file('exim.conf', configuration({ program, spool, port, caFile: file('ca.pem', pem) }));
  const env = {
    LD_PRELOAD: 'libnss_wrapper.so',
    NSS_WRAPPER_PASSWD: file(
      'passwd',
      `Debian-exim:x:${user}:${group}::/nonexistent:/bin/false\nroot:x:0:0::/:/bin/sh\n`,
    ),
    NSS_WRAPPER_GROUP: file('group', `Debian-exim:x:${group}:\nroot:x:0:\n`),
  };
  if (user === NOBODY) for (const path of [directory, spool]) chownSync(path, user, group);
  const run = (args: readonly string[], stdin: Uint8Array) =>
    runProgram(program, ['-C', config, '-odi', ...args], { stdin, env, cwd: directory, deadlineMs: 240_000 });
  return {
    send: (from, to, message) => run(['-i', '-f', from, ...to], message),
    relay: (dialogue) => run(['-bs'], dialogue),
    log: () => readFileSync(join(spool, 'log', 'main'), 'utf8'),
  };
}

interface Settings {
  readonly program: string;
  readonly spool: string;
  readonly port: number;
  readonly caFile: string;
}

function configuration({ program, spool, port, caFile }: Settings): string {
  return `exim_path = ${program}
spool_directory = ${spool}
log_file_path = ${spool}/log/%s
primary_hostname = exim.example.org
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
disable_ipv6
message_size_limit = 200M
local_from_check = false
untrusted_set_sender = *
spool_wireformat
smtp_enforce_sync = false
chunking_advertise_hosts = *
pipelining_advertise_hosts = *
acl_smtp_rcpt = all
begin acl
all:
  accept
begin routers
appliance:
  driver = manualroute
  route_data = 127.0.0.1
  self = send
  transport = appliance
begin transports
appliance:
  driver = smtp
  port = ${port}
  hosts_require_tls = *
  tls_verify_certificates = ${caFile}
  tls_verify_hosts = *
  tls_verify_cert_hostnames =
begin retry
* * F,1h,1m
`;
}

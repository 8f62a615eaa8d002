/**
 * A private Dovecot for bench/: all of it (logins, one imap process for each session) on a port of 127.0.0.1, with Maildirs in
 * a temporary directory, settings as Debian ships them but for limits that would stop a thousand sessions.
 *
 * As root the mail is nobody's; otherwise everything is the caller's. Any name logs in with the password `secret`.
 */

import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../test/support/freePort.ts';
import { runProgram, startProgram } from '../test/support/peers.ts';

/** A Dovecot; it may be stopped and started anew on the same mail. */
export interface DovecotServer {
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Deletes what it has gathered in its cache files: the next FETCH is a first one. */
  forget(): void;
  /** Proportional memory of all its processes, in KiB. */
  memoryKib(): number;
  remove(): Promise<void>;
}

const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };

/** A Dovecot whose user `bench` has these messages in the INBOX. It is not started yet. */
export async function createDovecot(
  count: number,
  messageOf: (index: number) => Buffer,
): Promise<DovecotServer> {
  const home = mkdtempSync(join(tmpdir(), 'hauspost-dovecot-'));
  const port = await freePort();
  const config = join(home, 'dovecot.conf');
  writeFileSync(config, configurationOf(home, port));
  fill(home, count, messageOf);
  let running: Awaited<ReturnType<typeof startProgram>> | undefined;
  const stop = async () => {
    if (running === undefined) return;
    await runProgram('doveadm', ['-c', config, 'stop']);
    await running.ended;
    running = undefined;
  };
  return {
    port,
    async start() {
      running = await startProgram('dovecot', ['-F', '-c', config], { deadlineMs: 60 * 60_000 });
      await listening(port);
    },
    stop,
    forget: () => forget(join(home, 'bench/mail')),
    memoryKib: () => (running === undefined ? 0 : memoryOfTree(running.pid)),
    async remove() {
      await stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function configurationOf(home: string, port: number): string {
  const user = isRoot ? 'nobody' : userInfo().username;
  const group = isRoot ? 'nogroup' : String(userInfo().gid);
  return `
base_dir = ${home}/run
log_path = ${home}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
${isRoot ? '' : `default_login_user = ${user}\ndefault_internal_user = ${user}\ndefault_internal_group = ${group}`}
mail_location = maildir:~/mail
first_valid_uid = 0
mail_max_userip_connections = 0
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${isRoot ? NOBODY.uid : userInfo().uid} gid=${isRoot ? NOBODY.gid : userInfo().gid} home=${home}/%u
}
service imap-login {
  ${isRoot ? '' : 'chroot ='}
  service_count = 0
  process_min_avail = 1
  client_limit = 4000
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service imap {
  process_limit = 4000
}
service anvil {
  ${isRoot ? '' : 'chroot ='}
  client_limit = 10000
}
service auth {
  client_limit = 10000
}
namespace inbox {
  inbox = yes
  separator = /
}
`;
}

function fill(home: string, count: number, messageOf: (index: number) => Buffer): void {
  const own = (path: string) => {
    if (isRoot) chownSync(path, NOBODY.uid, NOBODY.gid);
  };
  for (const folder of ['', 'bench', 'bench/mail', 'bench/mail/cur', 'bench/mail/new', 'bench/mail/tmp']) {
    const path = join(home, folder);
    mkdirSync(path, { recursive: true });
    own(path);
  }
  for (let index = 0; index < count; index += 1) {
    const octets = messageOf(index);
    const name = `${1_700_000_000 + index}.M${index}.host,S=${octets.length},W=${octets.length}:2,`;
    const path = join(home, 'bench/mail/cur', name);
    writeFileSync(path, octets);
    own(path);
  }
}

function forget(mail: string): void {
  for (const name of readdirSync(mail))
    if (name.startsWith('dovecot.index')) rmSync(join(mail, name), { recursive: true });
}

/** Proportional memory of a process and all below it, in KiB (Linux). */
export function memoryOfTree(root: number): number {
  let sum = 0;
  const pids = [root];
  for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
    try {
      sum += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
      for (const task of readdirSync(`/proc/${pid}/task`))
        pids.push(
          ...readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
            .split(' ')
            .filter(Boolean)
            .map(Number),
        );
    } catch {
      // It has ended meanwhile.
    }
  }
  return sum;
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('data', () => resolve(true)).once('error', () => resolve(false));
      socket.once('data', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('Dovecot does not listen');
}

/**
 * A private Dovecot that does nothing but check logins for a Postfix, by its socket (Dovecot's authentication protocol).
 *
 * Started by root, as Postfix is; its processes run as Dovecot's own users. One user with one password, which a test can change.
 */

import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Test } from 'tap';

import { untilFiles } from './fileEvent.ts';
import { startProgram } from './peers.ts';

/** What it needs to be there. */
export const DOVECOT_SASL_PROGRAMS = ['dovecot'] as const;
const DEADLINE_MS = 5 * 60_000;

/** Starts one and answers its socket and how the password is changed; it goes with the test. */
export async function openDovecotSasl(
  t: Test,
  user: string,
  password: string,
): Promise<{ readonly socket: string; setPassword(password: string): void }> {
  const home = mkdtempSync(join(tmpdir(), 'hauspost-sasl-'));
  chmodSync(home, 0o755);
  const users = join(home, 'users');
  const socket = join(home, 'socket');
  const setPassword = (value: string) => {
    writeFileSync(users, `${user}:{PLAIN}${value}\n`);
    chmodSync(users, 0o644);
  };
  setPassword(password);
  const config = join(home, 'dovecot.conf');
  writeFileSync(config, configuration(home, users, socket));
  const program = await startProgram('dovecot', ['-F', '-c', config], { deadlineMs: DEADLINE_MS });
  t.teardown(async () => {
    program.signal('SIGTERM');
    await program.ended;
    rmSync(home, { recursive: true, force: true });
  });
  const died = program.ended.then(({ stderr }) => {
    throw new Error(`Dovecot has ended: ${stderr}`);
  });
  died.catch(() => {});
  await Promise.race([untilFiles(home, () => (existsSync(socket) ? true : undefined)), died]);
  return { socket, setPassword };
}

function configuration(home: string, users: string, socket: string): string {
  return `base_dir = ${home}/run
log_path = ${home}/log
protocols =
ssl = no
auth_mechanisms = plain login
disable_plaintext_auth = no
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = ${users}
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
service auth {
  unix_listener ${socket} {
    mode = 0666
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
`;
}

/**
 * A private Dovecot as Exchange's stand-in for sending with OAuth: its submission service with STARTTLS and XOAUTH2, and nothing else.
 *
 * Whether a token is good, and whose it is, Dovecot asks of the tests' token server (introspection, tokenServer.ts); what it takes it
 * passes on to another server of the test (postfix.ts). Started by root; its processes run as Dovecot's own users.
 *
 * What had to be found out: introspection must name the user that a token is for, since a constant would let any user in; the penalty
 * of Dovecot's anvil has to be off, or each failed login costs seconds; Dovecot 2.3 takes no AUTH line of more than some 1,000 octets,
 * so the token server has to be one with `isOpaque`.
 */

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Test } from 'tap';

import { startProgram } from './peers.ts';
import { freePort } from './freePort.ts';
import { connectClient } from './sockets.ts';

/** What it needs to be there. */
export const DOVECOT_SUBMISSION_PROGRAMS = ['dovecot'] as const;
const DEADLINE_MS = 5 * 60_000;

/** How it is set up. */
export interface DovecotSubmissionOptions {
  /** Shown after STARTTLS, without which nobody logs in. */
  readonly tls: { readonly pem: string; readonly keyPem: string };
  /** Where tokens are asked about (RFC 7662): `TokenServer.introspection`. */
  readonly introspection: string;
  /** Port of 127.0.0.1 that takes what was submitted. */
  readonly relayPort: number;
}

/** A submission service on 127.0.0.1. */
export interface DovecotSubmission {
  readonly port: number;
  /** Its log so far. */
  log(): string;
}

/** Starts one; it goes with the test. */
export async function openDovecotSubmission(
  t: Test,
  options: DovecotSubmissionOptions,
): Promise<DovecotSubmission> {
  const home = mkdtempSync(join(tmpdir(), 'hauspost-submission-'));
  chmodSync(home, 0o755);
  const port = await freePort();
  writeFileSync(join(home, 'certificate.pem'), options.tls.pem);
  writeFileSync(join(home, 'key.pem'), options.tls.keyPem, { mode: 0o600 });
  writeFileSync(join(home, 'oauth2.conf'), introspectionFile(options.introspection));
  const config = join(home, 'dovecot.conf');
  writeFileSync(config, configuration(home, port, options.relayPort));
  const program = await startProgram('dovecot', ['-F', '-c', config], { deadlineMs: DEADLINE_MS });
  t.teardown(async () => {
    program.signal('SIGTERM');
    await program.ended;
    rmSync(home, { recursive: true, force: true });
  });
  const log = () => readFileSync(join(home, 'log'), 'utf8');
  const died = program.ended.then(({ stderr }) => {
    throw new Error(`Dovecot has ended: ${stderr}`);
  });
  died.catch(() => {});
  await Promise.race([untilItGreets(t, port), died]);
  return { port, log };
}

/** It listens some moments after it was started, and says so nowhere. */
async function untilItGreets(t: Test, port: number): Promise<void> {
  for (;;) {
    const client = await connectClient(t, port).catch(() => undefined);
    const greeting = await client?.until(/^220 /).catch(() => undefined);
    client?.socket.destroy();
    if (greeting !== undefined) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** `username_format` is applied to what the client says and to what introspection says. */
function introspectionFile(url: string): string {
  return `introspection_mode = post
introspection_url = ${url}
username_attribute = username
username_format = %Lu
active_attribute = active
active_value = true
timeout_msecs = 60000
`;
}

function configuration(home: string, port: number, relayPort: number): string {
  return `base_dir = ${home}/run
log_path = ${home}/log
protocols = submission
listen = 127.0.0.1
hostname = smtp.office.test
ssl = required
ssl_cert = <${home}/certificate.pem
ssl_key = <${home}/key.pem
auth_mechanisms = xoauth2
auth_failure_delay = 0
disable_plaintext_auth = yes
mail_location = maildir:${home}/mail
first_valid_uid = 0
submission_relay_host = 127.0.0.1
submission_relay_port = ${relayPort}
submission_relay_ssl = no
submission_relay_trusted = no
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = ${home}/oauth2.conf
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${home}/nobody allow_all_users=yes
}
service submission-login {
  inet_listener submission {
    port = ${port}
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
`;
}

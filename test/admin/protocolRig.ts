/**
 * The three session rooms on the real store with a protocol log, and clients that send what they send in random pieces.
 */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import type { Test } from 'tap';

import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { HOUR_MS, MIB } from '../../src/base/units.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import type { Listener, TlsMode } from '../../src/net/listener.ts';
import { findByLoginName } from '../../src/accounts/findByLoginName.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import { openImapd } from '../../src/imapd/imapd.ts';
import { openPop3d } from '../../src/pop3d/pop3d.ts';
import { openSmtpd } from '../../src/smtpd/smtpd.ts';
import { type ProtocolLine, parseLine } from '../../src/admin/protocolLog/line.ts';
import { ProtocolLog, type ProtocolLogOptions } from '../../src/admin/protocolLog/protocolLog.ts';
import type { WatchRequest } from '../../src/admin/protocolLog/watches.ts';
import type { Below } from '../support/randomNumbers.ts';
import { openRoomSite } from '../support/site.ts';
import { type Client, connectClient } from '../support/sockets.ts';

/** Servers of the three protocols and their log. */
export interface ProtocolRig extends Awaited<ReturnType<typeof openRoomSite>> {
  readonly log: ProtocolLog;
  readonly ports: Readonly<Record<'pop3' | 'imap' | 'smtp' | 'submission' | 'pop3s', number>>;
  /** Switches a watch on, for an hour unless told otherwise. */
  watch(subject: WatchRequest['subject'], more?: Partial<WatchRequest>): void;
  /** Everything in the files, as it stands there. */
  text(): Promise<string>;
  lines(): Promise<readonly ProtocolLine[]>;
  connect(protocol: 'pop3' | 'imap' | 'smtp' | 'submission' | 'pop3s', host?: string): Promise<Client>;
}

/** A protocol log in a directory of the test. */
export function openLog(t: Test, options: Partial<ProtocolLogOptions> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-protocol-'));
  const log = new ProtocolLog({
    directory: join(directory, 'protocol-log'),
    sizeLimitOctets: 100 * MIB,
    retentionMs: 1000 * HOUR_MS,
    clock: systemClock,
    log: silentLog,
    accountOf: async () => undefined,
    ...options,
  });
  t.teardown(async () => {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { log, directory: join(directory, 'protocol-log') };
}

/** The rows of all files in `directory`. */
export function fileText(directory: string): string {
  if (!existsSync(directory)) return '';
  return readdirSync(directory)
    .sort()
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('');
}

/** Opens everything; it goes with the test. */
export async function openProtocolRig(
  t: Test,
  options: { readonly clock?: Clock; readonly tls?: TlsMode } = {},
): Promise<ProtocolRig> {
  const { clock = systemClock, tls = 'starttls' } = options;
  const site = await openRoomSite(t);
  const { store, accounts, search, tlsContexts } = site;
  const names = { directory: store.directory, defaultDomain: () => undefined };
  const { log, directory } = openLog(t, {
    clock,
    accountOf: async (name) => (await findByLoginName(names, name))?.credentials.account.address,
  });
  const caps = new ConnectionCaps({ total: 200, perAddress: 200 });
  const listener = (name: string, mode = tls) => ({
    name,
    address: '0.0.0.0',
    port: 0,
    tls: mode,
    tlsContexts,
    caps,
  });
  const common = { serverName: 'mail.example.com', clock: systemClock, log: silentLog, tap: log.openTap };
  const { mailboxes, contents, trace } = store;
  const pop3d = await openPop3d({
    ...common,
    listeners: [listener('pop3'), listener('pop3s', 'implicit')],
    accounts,
    mailboxes,
    contents,
    trace,
  });
  const imapd = await openImapd({
    ...common,
    listeners: [listener('imap')],
    store,
    accounts,
    search,
    compression: true,
  });
  const sizeLimitOctets = 10 * MIB;
  const transfer = createTransfer({ ...common, store, accounts, sizeLimitOctets });
  const smtp = { sizeLimitOctets, recipientLimit: 100, bareLineFeed: 'keep' } as const;
  const { ipRanges } = site;
  const submission = { ...listener('submission'), role: 'submission' } as const;
  const listeners = [listener('smtp'), submission];
  const smtpd = await openSmtpd({ ...common, ...smtp, listeners, transfer, accounts, ipRanges });
  t.teardown(() => Promise.all([pop3d.close(0), imapd.close(0), smtpd.close(0)]).then(() => {}));
  const portOf = (found: Listener | undefined) => found?.port ?? 0;
  const ports = {
    pop3: portOf(pop3d.listeners[0]),
    pop3s: portOf(pop3d.listeners[1]),
    imap: portOf(imapd.listeners[0]),
    smtp: portOf(smtpd.listeners[0]),
    submission: portOf(smtpd.listeners[1]),
  };
  const text = async () => {
    await log.flushed();
    return fileText(directory);
  };
  return {
    ...site,
    log,
    ports,
    text,
    watch: (subject, more = {}) => {
      log.switchOn({ subject, durationMs: HOUR_MS, by: 'a test', ...more });
    },
    lines: async () =>
      (await text())
        .split('\n')
        .flatMap((row) => (row === '' ? [] : [parseLine(row)]))
        .filter((line) => line !== undefined),
    connect: (protocol, host) => connectClient(t, ports[protocol], host),
  };
}

/** One line of the log without what differs from session to session. */
export function dialogue(lines: readonly ProtocolLine[]): string[] {
  return lines.map(({ direction, text }) => `${direction === '-' ? '--' : `${direction}:`} ${text}`);
}

/** A step of a client: what it sends, and what it waits for then. */
export type Step = readonly [send: string, until?: RegExp];

/** Plays steps, each in pieces that `below` chooses, or octet by octet; answers when the server has closed. */
export async function playSteps(client: Client, steps: readonly Step[], below?: Below): Promise<void> {
  for (const [send, until] of steps) {
    const from = client.received.length;
    const octets = Buffer.from(send, 'latin1');
    for (let at = 0; at < octets.length; ) {
      const size = below === undefined ? 1 : 1 + below(octets.length);
      client.send(octets.subarray(at, at + size));
      at += size;
      await setImmediate();
    }
    if (until === undefined) continue;
    await client.until(after(from, until)).catch(() => {});
  }
  client.socket.end();
  await client.closed();
}

/** Matches what has `until` behind its first `from` characters. */
export function after(from: number, until: RegExp): RegExp {
  return new RegExp(`^.{${from}}.*(?:${until.source})`, `s${until.flags}`);
}

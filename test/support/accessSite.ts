/**
 * SMTP, POP3 and IMAP on one site with its IP ranges, each on all addresses of both families, for tests of who may do what.
 *
 * `reach` connects from an address of this machine: 127.0.0.1 and its neighbours, which a listener on all addresses sees as
 * IPv4-mapped, and ::1.
 */

import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Test } from 'tap';

import { type Log, silentLog } from '../../src/base/log.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import type { TlsMode } from '../../src/net/listener.ts';
import type { AccountsOptions } from '../../src/accounts/accounts.ts';
import { openImapd } from '../../src/imapd/imapd.ts';
import { openPop3d } from '../../src/pop3d/pop3d.ts';
import { openSmtpd } from '../../src/smtpd/smtpd.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import { openRoomSite, type RoomSite } from './site.ts';
import { type Client, clientOn } from './sockets.ts';

/** The three protocols. */
export const PROTOCOLS = ['smtp', 'pop3', 'imap'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** An open site. */
export interface AccessSite {
  readonly site: RoomSite;
  /** A client from `address`; nothing has been read. */
  reach(t: Test, protocol: Protocol, address: string, tls?: TlsMode): Promise<Client>;
  /** Closes the rooms as a server that stops does. */
  close(deadlineMs: number): Promise<void>;
}

/** How a site differs from the usual one. */
export interface AccessSiteOptions {
  readonly log?: Log;
  /** For logins alone; the sessions have the machine's. */
  readonly loginClock?: Clock;
  readonly accountsOptions?: AccountsOptions;
}

/** Opens the site; it closes with the test. */
export async function openAccessSite(
  t: Test,
  { log = silentLog, loginClock = systemClock, accountsOptions = {} }: AccessSiteOptions = {},
): Promise<AccessSite> {
  const clock = systemClock;
  const site = await openRoomSite(t, clock, undefined, accountsOptions, log, loginClock);
  const { ipRanges } = site;
  const { store, accounts, search, tlsContexts } = site;
  const common = { serverName: 'mail.example.com', clock, log, accounts, ipRanges };
  const listenersOf = (protocol: Protocol) =>
    (['none', 'starttls', 'implicit'] as const).map((tls) => ({
      name: tls,
      address: '::',
      port: 0,
      tls,
      tlsContexts,
      caps: new ConnectionCaps({ total: 100, perAddress: 100 }),
      barring: (address: string) => ipRanges.barring(protocol, address),
      needsTls: (address: string) => ipRanges.needsTls(address),
    }));
  const sizeLimitOctets = 1_000_000;
  const { mailboxes, contents, trace } = store;
  const rooms = {
    pop3: await openPop3d({
      ...common,
      mailboxes,
      contents,
      trace,
      listeners: listenersOf('pop3'),
      idleTimeoutMs: 600_000,
    }),
    imap: await openImapd({ ...common, store, search, listeners: listenersOf('imap') }),
    smtp: await openSmtpd({
      ...common,
      listeners: listenersOf('smtp'),
      sizeLimitOctets,
      recipientLimit: 100,
      bareLineFeed: 'keep',
      transfer: createTransfer({ ...common, store, sizeLimitOctets }),
    }),
  };
  const close = async (deadlineMs: number) => {
    await Promise.all(Object.values(rooms).map((room) => room.close(deadlineMs)));
  };
  t.teardown(() => close(0));
  return {
    site,
    close,
    async reach(t, protocol, address, tls = 'starttls') {
      const port = rooms[protocol].listeners.find(({ name }) => name === tls)?.port ?? 0;
      return clientOn(t, await connectFrom(address, port));
    },
  };
}

async function connectFrom(address: string, port: number): Promise<Socket> {
  const host = address.includes(':') ? '::1' : '127.0.0.1';
  const socket = connect({ port, host, localAddress: address, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/**
 * An SMTP server on the real store for the tests of the room: one site for a test file, one server for each test.
 *
 * `tickets@` and `archive@` are accounts, `all@` stands for both, `gone@` is disabled, `small@` has a quota of 3000 octets.
 */

import type { Test } from 'tap';

import { silentLog } from '../../src/base/log.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import type { TlsMode } from '../../src/net/listener.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { Transfer } from '../../src/transfer/contract.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import { openSmtpd, type SmtpdOptions, type SmtpListenerOptions } from '../../src/smtpd/smtpd.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { openRoomSite, type RoomSite } from '../support/site.ts';
import { type Client, connectClient } from '../support/sockets.ts';

/** The domain that is ours. */
export const DOMAIN = 'app.example.com';

/** What a test may have otherwise. */
export type ServerOptions = Partial<
  Pick<
    SmtpdOptions,
    | 'sizeLimitOctets'
    | 'recipientLimit'
    | 'bareLineFeed'
    | 'chunking'
    | 'earlyTalkers'
    | 'transfer'
    | 'accounts'
    | 'maintenance'
    | 'log'
  > &
    Pick<SmtpListenerOptions, 'caps' | 'door' | 'isLenient' | 'needsTls' | 'role' | 'tlsContexts'>
> & { readonly tls?: TlsMode; readonly clock?: TestClock };

/** A server and what stands behind it. */
export interface SmtpSite {
  readonly site: RoomSite;
  readonly tickets: Account;
  readonly archive: Account;
  readonly small: Account;
  /** Opens a server that closes with the test. */
  serve(t: Test, options?: ServerOptions): Promise<SmtpServer>;
  /** The messages in an account's INBOX, oldest first. */
  inbox(account: Account): Promise<Buffer[]>;
  /** The transfer of the servers, when a test gives none. */
  createTransfer(options?: { readonly clock?: TestClock; readonly sizeLimitOctets?: number }): Transfer;
}

/** An open server. */
export interface SmtpServer {
  readonly port: number;
  readonly clock: TestClock;
  connect(): Promise<Client>;
  /** Connects and says EHLO. */
  greeted(): Promise<Client>;
  close(deadlineMs: number): Promise<void>;
  readonly connections: number;
}

/** Opens the site of a test file. */
export async function openSmtpSite(t: Test): Promise<SmtpSite> {
  const site = await openRoomSite(t);
  const tickets = await site.addAccount(`tickets@${DOMAIN}`);
  const archive = await site.addAccount(`archive@${DOMAIN}`);
  const small = await site.addAccount(`small@${DOMAIN}`, 3000);
  await site.addAccount(`gone@${DOMAIN}`);
  await site.administration.accounts.set(`gone@${DOMAIN}`, { isEnabled: false });
  await site.administration.aliases.add({
    address: `all@${DOMAIN}`,
    targets: [`tickets@${DOMAIN}`, `archive@${DOMAIN}`],
  });
  const transferWith: SmtpSite['createTransfer'] = (options = {}) =>
    createTransfer({
      store: site.store,
      accounts: site.accounts,
      serverName: 'mail.example.com',
      sizeLimitOctets: options.sizeLimitOctets ?? 157_286_400,
      clock: options.clock ?? createTestClock(),
      log: silentLog,
    });
  return {
    site,
    tickets,
    archive,
    small,
    inbox: (account) => site.inbox(account),
    createTransfer: transferWith,
    serve: (t, options = {}) => serve(t, site, options, transferWith),
  };
}

async function serve(
  t: Test,
  site: RoomSite,
  options: ServerOptions,
  transferWith: SmtpSite['createTransfer'],
): Promise<SmtpServer> {
  const {
    role = 'relayIn',
    tls = 'starttls',
    clock = createTestClock(),
    sizeLimitOctets = 157_286_400,
    ...others
  } = options;
  const caps = options.caps ?? new ConnectionCaps({ total: 200, perAddress: 200 });
  const tlsContexts = options.tlsContexts ?? site.tlsContexts;
  const smtpd = await openSmtpd({
    serverName: 'mail.example.com',
    recipientLimit: 1000,
    bareLineFeed: 'keep',
    log: silentLog,
    transfer: transferWith({ clock, sizeLimitOctets }),
    accounts: site.accounts,
    ipRanges: site.ipRanges,
    ...others,
    clock,
    sizeLimitOctets,
    listeners: [{ ...others, name: 'smtp', address: '127.0.0.1', port: 0, tls, tlsContexts, caps, role }],
  });
  t.teardown(() => smtpd.close(0));
  const listener = smtpd.listeners[0];
  const port = listener?.port ?? 0;
  const connect = () => connectClient(t, port);
  return {
    port,
    clock,
    connect,
    async greeted() {
      const client = await connect();
      client.send('EHLO client.example.org\r\n');
      await client.until(/^250 /m);
      return client;
    },
    close: (deadlineMs) => smtpd.close(deadlineMs),
    get connections() {
      return listener?.connections ?? 0;
    },
  };
}

/** Sends `input`; resolves with what comes back up to and with the first line that begins as `pattern` says. */
export async function ask(client: Client, input: string | Buffer, pattern: string): Promise<string> {
  const from = client.received.length;
  client.send(input);
  const all = await client.until(new RegExp(`^.{${from}}(?:.*\\r\\n)??${pattern}[^\\r]*\\r\\n`, 's'));
  return all.slice(from);
}

/** MAIL, RCPT and DATA in one, up to the go-ahead. */
export const begin = (
  client: Client,
  recipient = `tickets@${DOMAIN}`,
  sender = 'a@sender.example',
): Promise<string> => ask(client, `MAIL FROM:<${sender}>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`, '354');

/** Hands a message over; resolves with the reply to it. */
export async function handOver(
  client: Client,
  text: string,
  recipient?: string,
  sender?: string,
): Promise<string> {
  await begin(client, recipient, sender);
  return ask(client, `${text}\r\n.\r\n`, '\\d');
}

/** A message as it was sent: without the trace fields that were put in front. */
export function asSent(stored: Buffer): Buffer {
  const received = stored.indexOf('\r\nReceived:');
  // The Received field is folded: it ends at the first line that does not begin with a blank.
  const end = /\r\n(?![ \t])/g;
  end.lastIndex = received + 2;
  const match = end.exec(stored.toString('latin1'));
  return stored.subarray((match?.index ?? 0) + 2);
}

/** Writes octet by octet; each write is a segment of its own, which the server has read before the next. */
export async function dribble(client: Client, octets: Buffer): Promise<void> {
  client.socket.setNoDelay(true);
  for (const octet of octets) {
    await new Promise<void>((done) => client.socket.write(Buffer.of(octet), () => done()));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets what was written on loopback arrive: the event loop turns a hundred times. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

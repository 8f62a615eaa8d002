/**
 * A POP3 server inside the test, on the real store, with raw clients that play pieces of transcripts.
 */

import type { Test } from 'tap';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { type Log, silentLog } from '../../src/base/log.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import type { TlsMode } from '../../src/net/listener.ts';
import type { Contents } from '../../src/store/contract/contents.ts';
import type { Entry, Mailboxes } from '../../src/store/contract/mailboxes.ts';
import type { CompatibilityLayer } from '../../src/accounts/compatibility.ts';
import type { Pop3Options } from '../../src/pop3d/options.ts';
import { openPop3d } from '../../src/pop3d/pop3d.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { openRoomSite, type RoomSite } from '../support/site.ts';
import { type Client, connectClient } from '../support/sockets.ts';
import { parseTranscript, playTranscript } from '../support/transcript.ts';

/** The account of most tests; its password is `secret`. */
export const ADDRESS = 'ticket@app.example.com';

/** What a test may want otherwise. */
export interface ServerOptions extends Pop3Options {
  readonly tls?: TlsMode;
  /** A clock that a test moves, unless it is the system's. */
  readonly clock?: TestClock | Clock;
  readonly log?: Log;
  /** What the listener has set for its clients. */
  readonly compatibility?: CompatibilityLayer;
  /** The real store's mailboxes, some methods of which fail. */
  readonly mailboxes?: (real: Mailboxes) => Mailboxes;
  /** The real store's contents, watched. */
  readonly contents?: (real: Contents) => Contents;
}

/** Opens a site with a server on it; both go with the test. */
export async function openServer(t: Test, options: ServerOptions = {}) {
  return serveSite(t, await openRoomSite(t), options);
}

/** A server on a site. */
export async function serveSite(t: Test, site: RoomSite, options: ServerOptions = {}) {
  const {
    tls = 'starttls',
    clock = createTestClock(),
    log = silentLog,
    compatibility = {},
    mailboxes = (real) => real,
    contents = (real) => real,
    ...settings
  } = options;
  const { store, accounts, tlsContexts } = site;
  const caps = new ConnectionCaps({ total: 50, perAddress: 50 });
  const pop3d = await openPop3d({
    ...settings,
    listeners: [{ name: 'pop3', address: '127.0.0.1', port: 0, tls, tlsContexts, caps, compatibility }],
    serverName: 'mail.example.com',
    accounts,
    mailboxes: mailboxes(store.mailboxes),
    contents: contents(store.contents),
    trace: store.trace,
    clock,
    log,
  });
  t.teardown(() => pop3d.close(0));
  const port = pop3d.listeners[0]?.port ?? 0;
  const connect = () => connectClient(t, port);
  return {
    site,
    pop3d,
    port,
    clock: clock as TestClock,
    connect,
    /** A client that has logged in as ADDRESS. */
    async loggedIn(): Promise<Client> {
      const client = await connect();
      await logIn(client);
      return client;
    },
  };
}

/** Logs in as ADDRESS, or as another. */
export async function logIn(client: Client, address = ADDRESS): Promise<void> {
  await playTranscript(
    client,
    parseTranscript(`S: +OK *\nC+ USER ${address}\nC: PASS secret\nS: +OK *\nS: +OK *`),
  );
}

/** Plays `text` after what the client has already received. */
export async function play(client: Client, text: string): Promise<void> {
  const done = client.received.length;
  const rest = {
    ...client,
    get received() {
      return client.received.slice(done);
    },
    async until(pattern: RegExp) {
      await client.until(new RegExp(`^[^]{${done}}${pattern.source.slice(1)}`));
      return client.received.slice(done);
    },
  };
  await playTranscript(rest, parseTranscript(text));
}

/** Sends `line` and answers what comes back up to `end`, by default one line. */
export async function ask(client: Client, line: string | Buffer, end = /\r\n$/): Promise<string> {
  const done = client.received.length;
  client.send(typeof line === 'string' ? `${line}\r\n` : line);
  await client.until(new RegExp(`^[^]{${done}}[^]*${end.source}`));
  return client.received.slice(done);
}

/** A client that counts what it receives and keeps the end of it alone: for answers of many megabytes. */
export async function countingClient(t: Test, port: number) {
  const { socket } = await connectClient(t, port);
  socket.removeAllListeners('data');
  let octets = 0;
  let tail = '';
  let isClosed = false;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    octets += chunk.length;
    tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - TAIL_CHARS))).slice(-TAIL_CHARS);
    wake();
  });
  socket.on('close', () => {
    isClosed = true;
    wake();
  });
  const until = async (isDone: () => boolean) => {
    while (!isDone()) {
      if (isClosed) throw new Error(`closed after ${JSON.stringify(tail)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const client = {
    socket,
    get octets() {
      return octets;
    },
    /** Sends, and resolves when what came back ends with `end`. */
    async ask(lines: string, end: RegExp): Promise<void> {
      tail = '';
      socket.write(lines);
      await until(() => end.test(tail));
    },
    untilEnd: (end: RegExp) => until(() => end.test(tail)),
    untilOctets: (count: number) => until(() => octets >= count),
  };
  await client.untilEnd(/\r\n$/);
  await client.ask(`USER ${ADDRESS}\r\n`, /\r\n$/);
  return client;
}

const TAIL_CHARS = 300;

/** The end of a multi-line answer. */
export const MULTI_LINE = /\r\n\.\r\n$/;

/** The entries of ADDRESS's INBOX. */
export async function inboxEntries({ store }: RoomSite): Promise<Entry[]> {
  const account = await store.directory.findAccount(ADDRESS);
  const inbox = account && (await store.mailboxes.find(account.id, ['INBOX']));
  const entries: Entry[] = [];
  if (inbox !== undefined)
    for await (const slice of store.mailboxes.entries(inbox.id, { first: 1, last: 2 ** 32 - 1 }))
      entries.push(...slice);
  return entries;
}

/** Their UIDs. */
export async function inboxUids(site: RoomSite): Promise<number[]> {
  return (await inboxEntries(site)).map(({ uid }) => uid);
}

/** The system's time, for tests that must not wait for a clock in their hands. */
export const SYSTEM_TIME = { clock: systemClock } as const;

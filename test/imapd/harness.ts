/**
 * An IMAP server on the real store, and raw clients that play transcripts against it, one or several at a time.
 *
 * A transcript has lines `C: ` (sent), `C+ ` (sent together with the next), `S: ` (must come back, exactly, `<any>` standing
 * for anything, `<n>` for a number), `S* ` (must come, after whatever comes before it) and `X:` (the server closes, with
 * nothing said before). `C2:`, `S2:` and so on are the second client's; lines with `d` before the colon (`Sd:`) are Dovecot's
 * alone (dovecotReplay.ts) and those with `h` ours; `M: INBOX octets` puts a message into a mailbox behind the server's back.
 * `\r`, `\n`, `\0`, `\\` and `\xNN` are those octets.
 */

import { readFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

import tap from 'tap';
import type { Test } from 'tap';

import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Log } from '../../src/base/log.ts';
import { silentLog } from '../../src/base/log.ts';
import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import type { TlsMode } from '../../src/net/listener.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { MailboxName } from '../../src/store/contract/mailboxes.ts';
import type { CompatibilityLayer } from '../../src/accounts/compatibility.ts';
import type { ProfileName } from '../../src/accounts/profiles.ts';
import { openImapd } from '../../src/imapd/imapd.ts';
import type { Imapd } from '../../src/imapd/imapd.ts';
import type { ImapdOptions, ImapOptions } from '../../src/imapd/options.ts';
import { deflatedSocket } from '../support/deflatedSocket.ts';
import { openRoomSite } from '../support/site.ts';
import type { RoomSite } from '../support/site.ts';

/** The account that every server has; its password is `secret`. */
export const ADDRESS = 'ticket@app.example.com';
/** LOGIN as that account. */
export const LOGIN = `LOGIN ${ADDRESS} secret`;

/** A server with an account and clients. */
export interface ImapSite extends RoomSite {
  readonly imapd: Imapd;
  readonly account: Account;
  readonly port: number;
  /** A client that has read the greeting. */
  client(): Promise<RawClient>;
  /** A client that has logged in and, unless told otherwise, selected INBOX. */
  selected(mailbox?: string | undefined): Promise<RawClient>;
  /** Appends messages to a mailbox behind the server's back; answers their UIDs. */
  put(mailbox: MailboxName, ...messages: readonly (string | Buffer)[]): Promise<readonly number[]>;
}

/** How a server differs from the usual one. */
export interface SiteOptions extends ImapOptions {
  readonly tls?: TlsMode;
  readonly clock?: Clock;
  readonly quotaOctets?: number;
  /** Changes what the server is handed, for faults and measurements. */
  readonly wrap?: (store: RoomSite['store']) => ImapdOptions['store'];
  readonly hiddenCapabilities?: readonly string[];
  readonly profile?: ProfileName;
  readonly caps?: ConnectionCaps;
  /** Further listeners, beside the usual one. */
  readonly listeners?: readonly CompatibilityLayer[];
  readonly log?: Log;
  /** Another accounts room than the site's, for one that fails. */
  readonly accounts?: ImapdOptions['accounts'];
  /** Another search room than the site's. */
  readonly search?: (site: RoomSite) => ImapdOptions['search'];
}

/** Opened by the file's first test and closed after its last: a store and its thread take a second to start under tap. */
const shared: { site?: Promise<RoomSite> } = {};

/** Opens a server with a new account; all of it goes when the test ends. Tests of a file share a store, one after the other. */
export async function openImapSite(t: Test, options: SiteOptions = {}): Promise<ImapSite> {
  shared.site ??= openRoomSite(tap as unknown as Test);
  const site = await shared.site;
  const {
    clock = systemClock,
    tls = 'starttls',
    quotaOctets,
    wrap = (store) => store,
    hiddenCapabilities = [],
    profile,
    caps = new ConnectionCaps({ total: 500, perAddress: 500 }),
    listeners = [],
    log = silentLog,
    ...settings
  } = options;
  const account = await site.addAccount(ADDRESS, quotaOctets);
  const { tlsContexts } = site;
  const common = { name: 'imap', address: '127.0.0.1', port: 0, tls, tlsContexts, caps };
  const compatibility = { profile, 'imap.hiddenCapabilities': hiddenCapabilities };
  const imapd = await openImapd({
    appendLimitOctets: 160_000_000,
    ...settings,
    listeners: [compatibility, ...listeners].map((layer) => ({ ...common, compatibility: layer })),
    serverName: 'mail.example.com',
    store: withOneWayToOpen(wrap(site.store), site.store),
    accounts: options.accounts ?? site.accounts,
    search: options.search?.(site) ?? site.search,
    clock,
    log,
  });
  t.teardown(async () => {
    await imapd.close(0);
    await site.store.directory.removeAccount(ADDRESS);
  });
  const port = imapd.listeners[0]?.port ?? 0;
  const client = async () => {
    const raw = await RawClient.connect(t, port);
    await raw.line();
    return raw;
  };
  return {
    ...site,
    imapd,
    account,
    port,
    client,
    async selected(mailbox = 'INBOX') {
      const raw = await client();
      await raw.command(LOGIN);
      if (mailbox !== '') await raw.command(`SELECT "${mailbox}"`);
      return raw;
    },
    async put(name, ...messages) {
      const mailbox = await site.store.mailboxes.find(account.id, name);
      if (mailbox === undefined) throw new Error(`no mailbox ${name.join('/')}`);
      const appendices = [];
      // All have the same, so that no order depends on where a second ended.
      const internalDate = { at: systemClock.now(), zoneMinutes: 0 };
      for (const octets of messages) {
        const draft = site.store.contents.begin();
        await draft.write(Buffer.from(octets));
        appendices.push({ draft, flags: { system: 0, keywords: [] }, internalDate });
      }
      return (await site.store.mailboxes.append(mailbox.id, appendices)).to;
    },
  };
}

/** A client that is only octets. */
export class RawClient {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #hasClosed = false;
  #wake: (() => void) | undefined;
  #tagCount = 0;

  constructor(t: Test, socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#wake?.();
    });
    socket.on('error', () => {});
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#hasClosed = true;
        this.#wake?.();
      });
    }
    t.teardown(() => {
      socket.destroy();
    });
  }

  /** Connects in the clear. */
  static async connect(t: Test, port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(t, socket);
  }

  /** The same connection under TLS. */
  async secure(t: Test): Promise<RawClient> {
    this.socket.removeAllListeners('data');
    const socket = connectTls({ socket: this.socket, rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    return new RawClient(t, socket);
  }

  /** The same connection under COMPRESS=DEFLATE, once that is answered. */
  deflated(t: Test): RawClient {
    this.socket.removeAllListeners('data');
    return new RawClient(t, deflatedSocket(this.socket, this.#joined()));
  }

  /** Sends octets (Latin-1). */
  send(octets: string | Buffer): void {
    this.socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }

  /** The next line without its CRLF, as Latin-1. Rejects when the server has closed. */
  async line(): Promise<string> {
    for (;;) {
      const waiting = this.#joined();
      const end = waiting.indexOf('\r\n');
      if (end !== -1) {
        this.#chunks = [waiting.subarray(end + 2)];
        return waiting.toString('latin1', 0, end);
      }
      await this.#more(() => `a line after ${JSON.stringify(waiting.toString('latin1').slice(-300))}`);
    }
  }

  /** The next `count` octets. */
  async octets(count: number): Promise<Buffer> {
    for (;;) {
      const length = this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      if (length >= count) {
        const waiting = this.#joined();
        this.#chunks = [waiting.subarray(count)];
        return waiting.subarray(0, count);
      }
      await this.#more(() => `${count} octets, had ${length}`);
    }
  }

  /** Lines up to the one that begins with `tag`, with it; a literal's octets stand in its line as they came. */
  async answer(tag: string): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.responseLine();
      lines.push(line);
      if (line.startsWith(`${tag} `)) return lines;
    }
  }

  /** The next response line; a literal's octets stand in it as they came. Rejects when the server has closed. */
  async responseLine(): Promise<string> {
    let text = '';
    for (;;) {
      const line = await this.line();
      text += line;
      const [, count] = /\{(\d+)\}$/.exec(line) ?? [];
      if (count === undefined) return text;
      text += `\r\n${(await this.octets(Number(count))).toString('latin1')}`;
    }
  }

  /** Sends a command under a tag of its own and answers everything up to its completion. */
  async command(text: string): Promise<string[]> {
    this.#tagCount += 1;
    const tag = `t${this.#tagCount}`;
    this.send(`${tag} ${text}\r\n`);
    return this.answer(tag);
  }

  /** Everything up to the end of the connection. */
  async closed(): Promise<string> {
    while (!this.#hasClosed) await this.#turn();
    return this.#joined().toString('latin1');
  }

  /** Whether nothing has come that was not taken. */
  get isQuiet(): boolean {
    return this.#joined().length === 0;
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  async #more(expected: () => string): Promise<void> {
    if (this.#hasClosed) throw new Error(`the server closed; expected ${expected()}`);
    await this.#turn();
  }

  #turn(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

/** Plays `test/scripts/imap/<name>.txt` on a server of its own; clients connect when they first speak or listen. */
export async function playScript(t: Test, name: string, options: SiteOptions = {}): Promise<void> {
  const text = readFileSync(new URL(`../scripts/imap/${name}.txt`, import.meta.url), 'utf8');
  const site = await openImapSite(t, options);
  await play(text, {
    client: () => RawClient.connect(t, site.port),
    put: (mailbox, message) => site.put(mailbox.split(options.delimiter ?? '/'), message),
  });
}

/** What a transcript plays with. */
export interface Stage {
  /** A client that has just connected. */
  client(): Promise<RawClient>;
  put(mailbox: string, message: Buffer): Promise<unknown>;
}

/** Plays a transcript; rejects at the first line that differs. */
export async function play(text: string, stage: Stage): Promise<void> {
  const clients = new Map<string, RawClient>();
  let held = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([CSXM])(\d?)([dh]?)([:+*])(?: (.*))?$/.exec(line);
    if (match === null) throw new Error(`line ${index + 1} is no step: ${line}`);
    const [, who, digit = '', server, sign, what = ''] = match;
    if (server === 'd') continue;
    if (who === 'M') {
      const [, mailbox = '', octets = ''] = /^(\S+) (.*)$/s.exec(what) ?? [];
      await stage.put(mailbox, Buffer.from(decodeEscapes(octets), 'latin1'));
      continue;
    }
    const client = clients.get(digit) ?? (await stage.client());
    clients.set(digit, client);
    if (who === 'C') {
      held += `${decodeEscapes(what)}\r\n`;
      if (sign === '+') continue;
      client.send(held);
      held = '';
    } else {
      if (sign === '*') while (!patternOf(what).test(await client.line()));
      else await listen(client, who === 'X' ? undefined : what, index + 1);
    }
  }
}

/** Takes one line, or, for undefined, the end of the connection. */
async function listen(client: RawClient, expected: string | undefined, at: number): Promise<void> {
  if (expected === undefined) {
    const left = await client.closed();
    if (left !== '') throw new Error(`line ${at}: before the end came ${JSON.stringify(left)}`);
    return;
  }
  const got = await client.line();
  if (!patternOf(expected).test(got)) {
    throw new Error(`line ${at}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
  }
}

function patternOf(text: string): RegExp {
  const escaped = decodeEscapes(text)
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('<any>', '.*')
    .replaceAll('<n>', '\\d+');
  return new RegExp(`^${escaped}$`, 's');
}

/** The octets that a transcript's line stands for, one a character. */
export function decodeEscapes(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|[rn0\\])/g, (_match, code: string) => {
    const named: Readonly<Record<string, string>> = { r: '\r', n: '\n', '0': '\0', '\\': '\\' };
    return named[code] ?? String.fromCharCode(Number.parseInt(code.slice(1), 16));
  });
}

/** Where a test has put something in the place of `open`, no content comes by the other way. */
function withOneWayToOpen(wrapped: ImapdOptions['store'], store: RoomSite['store']): ImapdOptions['store'] {
  if (wrapped.contents.open === store.contents.open) return wrapped;
  const openAll: typeof store.contents.openAll = async (ids) => ids.map(() => undefined);
  return { ...wrapped, contents: { ...wrapped.contents, openAll } };
}

/**
 * The other end of a socket, as a test drives it: raw octets in and out on 127.0.0.1, TLS on top when asked, resets.
 *
 * Waiting is for events, never for time. Everything is destroyed at the end of the test that made it.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

import { systemClock } from '../../src/base/clock.ts';
import { ensureSelfSigned } from '../../src/net/selfSigned.ts';
import { type CertificateSource, TlsContexts } from '../../src/net/tlsContext.ts';

/** What a test needs of tap to clean up. */
export interface Teardown {
  teardown(run: () => void | Promise<void>): void;
}

/** A raw client. What it receives is kept until somebody waits for it. */
export interface Client<Kind extends Socket = Socket> {
  readonly socket: Kind;
  /** Everything received so far, as Latin-1. */
  readonly received: string;
  /** Resolves with everything received once that matches; rejects when the connection closes before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves when the other side has closed, with everything received. */
  closed(): Promise<string>;
  send(data: string | Uint8Array): void;
}

/** Connects to 127.0.0.1, from `localAddress` where that is given. Errors of the socket are no errors of the test; what is not received is. */
export async function connectClient(
  t: Teardown,
  port: number,
  host = '127.0.0.1',
  localAddress?: string,
): Promise<Client> {
  const socket = connect({ port, host, localAddress, allowHalfOpen: true });
  const client = clientOn(t, socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return client;
}

/** The client's side of TLS on `socket` (which it takes over), after the handshake. */
export async function secureClient(
  t: Teardown,
  socket: Socket,
  options: ConnectionOptions = { rejectUnauthorized: false },
): Promise<Client<TLSSocket>> {
  socket.removeAllListeners('data');
  const secure = connectTls({ socket, ...options });
  const client = clientOn(t, secure);
  await new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', resolve);
    secure.once('error', reject);
    secure.once('close', () => reject(new Error('closed in the handshake')));
  });
  return client;
}

/** A client on a socket that exists. */
export function clientOn<Kind extends Socket>(t: Teardown, socket: Kind): Client<Kind> {
  const chunks: Buffer[] = [];
  const watchers = new Set<() => void>();
  let isClosed = false;
  const changed = () => {
    for (const watcher of [...watchers]) watcher();
  };
  const received = () => Buffer.concat(chunks).toString('latin1');
  const wait = (isDone: () => boolean, isFine: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (!isDone() && !isClosed) return;
        watchers.delete(look);
        if (isFine()) resolve(received());
        else reject(new Error(`closed after ${JSON.stringify(received().slice(-200))}`));
      };
      watchers.add(look);
      look();
    });
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    changed();
  });
  for (const event of ['end', 'close']) {
    socket.on(event, () => {
      isClosed = true;
      changed();
    });
  }
  t.teardown(() => {
    socket.destroy();
  });
  return {
    socket,
    get received() {
      return received();
    },
    until: (pattern) =>
      wait(
        () => pattern.test(received()),
        () => pattern.test(received()),
      ),
    closed: () =>
      wait(
        () => isClosed,
        () => true,
      ),
    send: (data) => {
      socket.write(data);
    },
  };
}

/** A certificate for mail.example.com, localhost and loopback, in a directory that goes with the test. */
export async function createCertificate(
  t: Teardown,
): Promise<{ source: CertificateSource & { kind: 'pem' }; contexts: TlsContexts; pem: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-tls-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const made = await ensureSelfSigned({ directory, hostName: 'mail.example.com', clock: systemClock });
  const source = { kind: 'pem', certificateFile: made.certificateFile, keyFile: made.keyFile } as const;
  return {
    source,
    contexts: await TlsContexts.open(source),
    pem: readFileSync(made.certificateFile, 'utf8'),
  };
}

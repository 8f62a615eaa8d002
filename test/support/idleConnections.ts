/**
 * What a connection costs a server that waits for its login: resident memory with so many of them and with more, divided. What is
 * dead is collected before each look (usedMemory.ts, loaded into the server), so that V8's habits do not count.
 *
 * Used by a journey, which bounds it, and by bench/connections.ts.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';

import { createSite, type RunningServer, type Site } from './appliance.ts';

/** Where connections are opened, what each says before it falls silent, and whether an octet of a command follows now and then. */
export interface IdleKind {
  readonly name: string;
  readonly listener: 'smtp' | 'submissions' | 'pop3' | 'pop3s' | 'imap' | 'imaps';
  readonly isSecure: boolean;
  readonly says: string;
}

/** All protocols, plain and with TLS from the first octet. */
export const IDLE_KINDS: readonly IdleKind[] = [
  { name: 'SMTP', listener: 'smtp', isSecure: false, says: 'EHLO client.example.org\r\n' },
  { name: 'POP3', listener: 'pop3', isSecure: false, says: 'CAPA\r\n' },
  { name: 'IMAP', listener: 'imap', isSecure: false, says: 'a CAPABILITY\r\n' },
  { name: 'SMTP, TLS', listener: 'submissions', isSecure: true, says: 'EHLO client.example.org\r\n' },
  { name: 'POP3, TLS', listener: 'pop3s', isSecure: true, says: 'CAPA\r\n' },
  { name: 'IMAP, TLS', listener: 'imaps', isSecure: true, says: 'a CAPABILITY\r\n' },
];

/** A server that tells its memory. */
export interface MeteredServer {
  readonly site: Site;
  readonly server: RunningServer;
  /** Octets that are resident once what is dead has been collected. */
  residentOctets(): Promise<number>;
}

/** Starts one whose listeners take any number of connections. */
export async function serveMetered(): Promise<MeteredServer> {
  const site = createSite();
  site.changeListeners('connectionLimit = 20000\nconnectionsPerAddressLimit = 20000\n');
  const socketPath = join(site.directory, 'memory.sock');
  const server = await site.serve({
    preload: fileURLToPath(new URL('./usedMemory.ts', import.meta.url)),
    env: { SOAK_MEMORY_SOCKET: socketPath },
  });
  return {
    site,
    server,
    async residentOctets() {
      // Twice: what the first collection lets go of, the second one gives back.
      for (let times = 0; times < 2; times += 1) await text(connect(socketPath));
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
    },
  };
}

/** Opens `count` connections that say what `kind` says, and waits for each answer. */
export async function openIdle({ server }: MeteredServer, kind: IdleKind, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let begun = 0; begun < count; begun += AT_A_TIME)
    sockets.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(AT_A_TIME, count - begun) }, () =>
          openOne(server.ports[kind.listener], kind),
        ),
      )),
    );
  return sockets;
}

/** Closes them, and waits until the server has seen it. */
export async function closeAll(sockets: readonly Socket[]): Promise<void> {
  const closed = sockets.map((socket) => (socket.closed ? undefined : once(socket, 'close')));
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
}

/** Octets for each connection, between `few` and `few + more` of them. Closes what it has opened. */
export async function octetsPerConnection(
  metered: MeteredServer,
  kind: IdleKind,
  few: number,
  more: number,
): Promise<number> {
  const first = await openIdle(metered, kind, few);
  const before = await metered.residentOctets();
  const second = await openIdle(metered, kind, more);
  const after = await metered.residentOctets();
  await closeAll([...first, ...second]);
  return (after - before) / more;
}

const AT_A_TIME = 50;

async function openOne(port: number, { isSecure, says }: IdleKind): Promise<Socket> {
  const address = { port, host: '127.0.0.1' };
  const socket = isSecure ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
  socket.on('error', () => {});
  await once(socket, 'data');
  socket.write(says);
  await once(socket, 'data');
  socket.resume();
  return socket;
}

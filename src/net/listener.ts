/**
 * A listener: one address and port, accepting under caps, with TLS from the first octet where that is its mode.
 *
 * It hands out sockets that are ready to speak on; what a session makes of them (a Connection, or smtp-server) is the session
 * room's affair, and so is closing them. noDelay is always on (replies are gathered and written once). No error of any socket
 * reaches the process: smtp-server alone dies of a reset in DATA (facts: reliability section 3).
 * Trust: the number and pace of connections; bounded by the caps, REFUSED_LIMIT and the handshake's deadline.
 */

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';

import type { Clock } from '../base/clock.ts';
import { asMailError, MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { MINUTE_MS } from '../base/units.ts';
import { normalizeAddress } from './addressRange.ts';
import type { Admission, ConnectionCaps } from './connectionCaps.ts';
import { oncePerPeriod } from './floodWarning.ts';
import { OldTlsClients } from './oldTls.ts';
import { Refusals, type RefusalReason } from './refusals.ts';
import { beginTls, destroySocket, onceSecured } from './tlsUpgrade.ts';

/**
 * How a listener uses TLS, in hMailServer's four ways. none: not at all. starttls: offered, not demanded. required: nothing of
 * value before STARTTLS. implicit: from the first octet (RFC 8314 section 3). The session rooms see to the middle two.
 */
export type TlsMode = 'none' | 'starttls' | 'required' | 'implicit';

/** Silence after which the system probes whether the peer is still there; a half-open session holds its place otherwise. */
export const KEEP_ALIVE_DELAY_MS = 2 * MINUTE_MS;

/**
 * Connections that the system holds ready for us, as far as it lets us (net.core.somaxconn). With Node's 511 a burst of 2,000 makes
 * the system drop what comes next, and a client that is dropped tries again after a second.
 */
export const BACKLOG_CONNECTIONS = 4096;

/** A connection's place below the caps, for the session on it. */
export interface KeptPlace {
  /** The client has shown what it is here for (it has logged in, a message was accepted): for `forMs`, or for good, nobody else gets its place. */
  keep(forMs?: number): void;
}

/** What a listener is handed. */
export interface ListenerOptions {
  /** Names the listener in the log. */
  readonly name: string;
  /** An IPv4 or IPv6 address; `0.0.0.0` for all of IPv4, `::` for all of both families unless `isIpv6Only`. */
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly isIpv6Only?: boolean;
  readonly tls: TlsMode;
  /** Asked at each connection, so that a reload counts from the next one on. Needed with tls 'implicit'. */
  readonly tlsContexts?: { current(): SecureContext };
  /** Whether clients are asked for a certificate with tls 'implicit'. */
  readonly asksCertificate?: boolean;
  readonly caps: ConnectionCaps;
  readonly clock: Clock;
  readonly log: Log;
  /** Names what keeps an address off this listener, for the log; undefined lets it in. Asked before the caps. */
  readonly barring?: (remoteAddress: string) => string | undefined;
  /** Writes one protocol line to a client that is refused. Not called with tls 'implicit': no handshake is spent on a flood. */
  readonly onRefused?: (socket: Socket, why: RefusalReason) => void;
  /** Hears of handshakes that failed with tls 'implicit', for the protocol log. */
  readonly onTlsFailed?: (remoteAddress: string, remotePort: number, reason: string) => void;
}

/** An open listener. */
export interface Listener {
  readonly name: string;
  /** As bound, in normalizeAddress's spelling. */
  readonly address: string;
  readonly port: number;
  readonly tls: TlsMode;
  /** Sockets that were accepted here and are not closed. */
  readonly connections: number;
  /**
   * Stops accepting at once; resolves when every socket that was accepted here is closed. The sessions are told by their own
   * rooms; what is still open after `deadlineMs` is destroyed.
   */
  close(deadlineMs: number): Promise<void>;
}

/** Takes over a socket of which nothing has been read. */
export type OnConnection = (socket: Socket, place: KeptPlace) => void | Promise<void>;

/**
 * Opens a listener. `onConnection` gets each socket (a TLSSocket after its handshake with tls 'implicit') with nothing read;
 * when it throws or rejects, the socket is destroyed. Rejects with MailError('cannot') that names address and port.
 */
export async function openListener(options: ListenerOptions, onConnection: OnConnection): Promise<Listener> {
  if (options.tls === 'implicit' && options.tlsContexts === undefined) {
    throw new MailError(
      'invalid',
      `listener ${options.name} has TLS from the first octet and no certificate`,
    );
  }
  const listener = new SocketListener(options, onConnection);
  await listener.open();
  return listener;
}

class SocketListener implements Listener {
  readonly #options: ListenerOptions;
  readonly #onConnection: OnConnection;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #refusals: Refusals;
  /** Sockets in their handshake: nobody's session yet, so nobody tells them that the server stops. */
  readonly #handshaking = new Set<Socket>();
  readonly #warnRefused: (fields: Record<string, unknown>) => void;
  readonly #warnEvicted: (fields: Record<string, unknown>) => void;
  readonly #warnBarred: (fields: Record<string, unknown>) => void;
  readonly #warnFailed: (fields: Record<string, unknown>) => void;
  readonly #oldTlsClients: OldTlsClients;
  #bound: AddressInfo | undefined;
  #onAllClosed: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ListenerOptions, onConnection: OnConnection) {
    this.#options = options;
    this.#onConnection = onConnection;
    this.#server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
    });
    this.#server.on('connection', (socket) => this.#accept(socket));
    const log = options.log.with({ listener: options.name });
    this.#refusals = new Refusals({
      clock: options.clock,
      log,
      // No handshake is spent on a flood.
      say: options.tls === 'implicit' ? undefined : options.onRefused,
      onNoneLeft: () => this.#tellIfAllClosed(),
    });
    this.#oldTlsClients = new OldTlsClients(options.clock, log);
    this.#warnRefused = oncePerPeriod(options.clock, (fields) => log.warn('net.connection.refused', fields));
    this.#warnEvicted = oncePerPeriod(options.clock, (fields) => log.warn('net.connection.evicted', fields));
    this.#warnBarred = oncePerPeriod(options.clock, (fields) => log.warn('net.connection.barred', fields));
    this.#warnFailed = oncePerPeriod(options.clock, (fields) => log.error('net.listener.failed', fields));
  }

  get name(): string {
    return this.#options.name;
  }

  get address(): string {
    return normalizeAddress(this.#bound?.address ?? this.#options.address);
  }

  get port(): number {
    return this.#bound?.port ?? this.#options.port;
  }

  get tls(): TlsMode {
    return this.#options.tls;
  }

  get connections(): number {
    return this.#open.size;
  }

  async open(): Promise<void> {
    const { address, port, isIpv6Only = false, log } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(address, port, error)));
      this.#server.listen(
        { host: address, port, ipv6Only: isIpv6Only, backlog: BACKLOG_CONNECTIONS },
        resolve,
      );
    });
    this.#server.removeAllListeners('error');
    // Out of file descriptors, above all; the server goes on accepting when there are some again.
    this.#server.on('error', (error) => this.#warnFailed({ error }));
    this.#bound = this.#server.address() as AddressInfo;
    log.info('net.listener.opened', {
      listener: this.name,
      address: this.address,
      port: this.port,
      tls: this.tls,
    });
  }

  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#closeBy(deadlineMs);
    return this.#closed;
  }

  async #closeBy(deadlineMs: number): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // The server counts a socket as closed a moment before the socket says so.
    const allClosed = new Promise<void>((resolve) => {
      this.#onAllClosed = resolve;
    });
    this.#tellIfAllClosed();
    this.#refusals.close();
    for (const socket of this.#handshaking) destroySocket(socket);
    const destroyAll = () => {
      for (const socket of this.#open) destroySocket(socket);
    };
    if (deadlineMs <= 0) destroyAll();
    const deadline = this.#options.clock.after(deadlineMs, destroyAll);
    await Promise.all([stopped, allClosed]);
    deadline.clear();
    this.#options.log.info('net.listener.closed', {
      listener: this.name,
      address: this.address,
      port: this.port,
    });
  }

  #accept(socket: Socket): void {
    // 'close' follows and is what is heard; without a listener a reset would end the process.
    socket.on('error', ignore);
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || this.#closed !== undefined) {
      socket.destroy();
      return;
    }
    const address = normalizeAddress(remoteAddress);
    const range = this.#options.barring?.(address);
    if (range !== undefined) {
      this.#warnBarred({ remoteAddress: address, range });
      this.#refusals.refuse(socket, 'barred');
      return;
    }
    const admission = this.#admit(socket, address);
    if (admission.kind === 'refused') {
      this.#warnRefused({ remoteAddress: address, cap: admission.cap });
      this.#refusals.refuse(socket, 'tooBusy');
      return;
    }
    this.#open.add(socket);
    onceSecured(socket, (secure) => this.#oldTlsClients.note(secure, address));
    socket.once('close', () => {
      admission.place.release();
      this.#open.delete(socket);
      this.#tellIfAllClosed();
    });
    const { clock } = this.#options;
    const keep = (forMs = Number.POSITIVE_INFINITY) => admission.place.keep(clock.monotonic() + forMs);
    void this.#handOver(socket, address, { keep });
  }

  #admit(socket: Socket, address: string): Admission {
    const { caps, clock } = this.#options;
    const occupant = {
      get received() {
        return socket.bytesRead;
      },
      evict: () => {
        this.#warnEvicted({ remoteAddress: address, octets: socket.bytesRead });
        this.#refusals.evict(socket);
      },
    };
    return caps.admit(address, occupant, clock.monotonic());
  }

  #tellIfAllClosed(): void {
    if (this.#open.size + this.#refusals.lingering === 0) this.#onAllClosed?.();
  }

  async #handOver(socket: Socket, remoteAddress: string, place: KeptPlace): Promise<void> {
    try {
      const ready = this.tls === 'implicit' ? await this.#secured(socket, remoteAddress) : socket;
      if (ready !== undefined) await this.#onConnection(ready, place);
    } catch (error) {
      this.#options.log.error('net.connection.failed', { listener: this.name, remoteAddress, error });
      destroySocket(socket);
    }
  }

  /** The TLSSocket, or undefined when the handshake failed: the client's affair, logged and over. */
  async #secured(socket: Socket, remoteAddress: string): Promise<Socket | undefined> {
    const { tlsContexts, asksCertificate, clock, log } = this.#options;
    if (tlsContexts === undefined) return undefined;
    // A socket that is closed has forgotten it.
    const { remotePort = 0 } = socket;
    const handshake = beginTls(socket, tlsContexts.current(), clock, { asksCertificate });
    this.#handshaking.add(handshake.socket);
    try {
      await handshake.secured;
      return handshake.socket;
    } catch (error) {
      const reason = asMailError(error).message;
      log.info('net.tls.failed', { listener: this.name, remoteAddress, reason });
      this.#options.onTlsFailed?.(remoteAddress, remotePort, reason);
      return undefined;
    } finally {
      this.#handshaking.delete(handshake.socket);
    }
  }
}

function cannotListen(address: string, port: number, error: NodeJS.ErrnoException): MailError {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'the port is in use, by another program or another listener (:: takes IPv4 as well)',
    EACCES: 'ports below 1024 need a privilege of the service (CAP_NET_BIND_SERVICE on Linux)',
    EADDRNOTAVAIL: 'this machine has no such address',
    EAFNOSUPPORT: 'this machine has no IPv6',
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new MailError('cannot', `cannot listen on ${address} port ${port}: ${reason}`, { cause: error });
}

function ignore(): void {}

/**
 * smtp-server without its listener: sockets come from net's listeners, connections are ours, one look at all deadlines.
 *
 * Relies on smtp-server 3.21.6: `connect` makes the connection of each socket, `connections` holds those that are open.
 * `connect` and EngineConnection's `_createParser` belong together: changed alone, neither works.
 */

import type { Socket } from 'node:net';

import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection';

import type { Clock, Timer } from '../../base/clock.ts';
import { DEADLINE_PERIOD_MS } from '../limits.ts';
import { EngineConnection } from './connection.ts';

/** The SMTP engine of one listener. */
export class EngineServer extends SMTPServer {
  readonly #clock: Clock;
  readonly #deadlines: Timer;

  constructor(options: SMTPServerOptions, clock: Clock) {
    super(options);
    this.#clock = clock;
    this.#deadlines = clock.every(DEADLINE_PERIOD_MS, () => {
      for (const connection of this.#open()) connection.checkDeadlines();
    });
  }

  override connect(socket: Socket, socketOptions?: SMTPConnectionOptions | null): void {
    const connection = new EngineConnection(this, socket, this.#clock, socketOptions);
    this.connections.add(connection);
    connection.on('error', (error) => this._onError(error));
    connection.on('connect', (data) => this._onClientConnect(data));
    connection.init();
  }

  /** Tells every session that the server stops. */
  stop(): void {
    this.#deadlines.clear();
    for (const connection of this.#open()) connection.stop();
  }

  /** The open connection whose session has this id. */
  findConnection(sessionId: string): EngineConnection | undefined {
    return this.#open().find((connection) => connection.id === sessionId);
  }

  #open(): EngineConnection[] {
    return [...this.connections].filter((connection) => connection instanceof EngineConnection);
  }
}

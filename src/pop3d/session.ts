/**
 * One POP3 session: reads command lines, runs them in order, answers them, and ends (RFC 1939, RFC 2449).
 *
 * States are a union: AUTHORIZATION until a login succeeds, then TRANSACTION with a maildrop, then closed. UPDATE is QUIT's
 * doing alone: an end by time-out, error or lost connection deletes nothing. A pipelined batch is answered in one write.
 * Trust: none. Lines, errors, failed logins and silence are bounded by the limits below.
 */

import { asMailError, MailError, type MailErrorCode, WireError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { Pacer } from '../base/pacer.ts';
import { MINUTE_MS } from '../base/units.ts';
import { parseCommand } from '../wire/pop3/command.ts';
import { formatErr, formatOk } from '../wire/pop3/reply.ts';
import type { Connection } from '../net/connection.ts';
import { LineReader } from '../net/lineReader.ts';
import { COMMANDS } from './commands.ts';
import type { Pop3Context, Pop3State, Pop3Surroundings } from './context.ts';

/** Octets of a command line: room for a 255-octet line (RFC 2449 section 4) and for clients with longer passwords. */
const LINE_LIMIT_OCTETS = 2048;
/** Silence before login: a person with Telnet gets by, a scanner of ports does not stay. */
const LOGIN_TIMEOUT_MS = MINUTE_MS;
/** Commands in a row that were wrong, after which the session ends: old clients try a few unknown ones. */
const ERROR_LIMIT = 20;
/** Failed logins in one session, after which it ends. */
const FAILED_LOGIN_LIMIT = 5;

const WRONG_STATE = { authorization: 'Log in first', transaction: 'Not after login', closed: 'Goodbye' };

/** A session; `run` serves it to its end. */
export class Pop3Session implements Pop3Context {
  readonly connection: Connection;
  readonly lines: LineReader;
  readonly surroundings: Pop3Surroundings;
  readonly log: Log;
  readonly pacer: Pacer;
  state: Pop3State = { kind: 'authorization', userName: undefined };
  #errors = 0;
  #failedLogins = 0;
  readonly #stopping = new AbortController();

  constructor(connection: Connection, surroundings: Pop3Surroundings) {
    this.connection = connection;
    this.surroundings = surroundings;
    this.pacer = new Pacer(surroundings.clock);
    this.lines = new LineReader(connection, LINE_LIMIT_OCTETS);
    this.log = surroundings.log.with({ remote: connection.remoteAddress, protocol: 'pop3' });
  }

  /** Greets and serves until QUIT, time-out or the end of the connection. Never rejects. */
  async run(): Promise<void> {
    this.log.debug('pop3d.session.open');
    try {
      // No angle brackets: clients would take them for an APOP timestamp (RFC 1939 section 7).
      this.ok(`${this.surroundings.serverName} POP3 server ready`);
      while (this.state.kind !== 'closed') await this.#serveLine();
    } catch (error) {
      this.#sayGoodbye(asMailError(error));
    } finally {
      this.end();
      await this.connection.close();
      this.log.debug('pop3d.session.close');
    }
  }

  /** Ends the session without deleting anything; what was answered is still sent. */
  end(): void {
    if (this.state.kind === 'transaction') this.state.maildrop.close();
    this.state = { kind: 'closed' };
  }

  /** Ends the session politely at the next wait for a command. */
  stop(): void {
    this.#stopping.abort(new MailError('shuttingDown'));
  }

  /** Answers +OK. */
  ok(text: string): void {
    this.connection.write(formatOk(text));
  }

  /** Answers -ERR with the words and the response code of `code`, or with other words. */
  refuse(code: MailErrorCode, text?: string): void {
    const { reply } = new MailError(code);
    this.connection.write(formatErr(text ?? reply.publicText, reply.pop3.code));
  }

  /** Answers -ERR for something that the client did wrong, and counts it. */
  wrong(text: string): void {
    this.connection.write(formatErr(text));
    this.#errors += 1;
    if (this.#errors >= ERROR_LIMIT) this.end();
  }

  /** Counts a failed login, answers it, and ends the session when there were too many. */
  refuseLogin(): void {
    this.#failedLogins += 1;
    this.refuse('authenticationFailed');
    if (this.#failedLogins >= FAILED_LOGIN_LIMIT) this.end();
    else this.state = { kind: 'authorization', userName: undefined };
  }

  /** Whether a password may be sent as it is. */
  get mayLogIn(): boolean {
    return this.connection.isSecure || this.surroundings.tls !== 'required';
  }

  /** Waits for a line within the state's time. Errors: `deadlineExceeded`, `shuttingDown`. */
  async nextLine(limitOctets?: number) {
    const { idleTimeoutMs } = this.surroundings;
    const deadlineMs = this.state.kind === 'transaction' ? idleTimeoutMs : LOGIN_TIMEOUT_MS;
    return this.lines.readLine({ deadlineMs, signal: this.#stopping.signal }, limitOctets);
  }

  async #serveLine(): Promise<void> {
    await this.pacer.breathe();
    if (!this.lines.hasLine() || this.connection.isFlushDue) await this.connection.flush();
    const line = await this.nextLine();
    if (line.kind === 'end') this.end();
    else if (line.kind === 'tooLong') this.wrong('Line too long');
    else await this.#runLine(line.octets);
  }

  async #runLine(octets: Buffer): Promise<void> {
    try {
      const { keyword, argument } = parseCommand(octets);
      const command = COMMANDS.get(keyword);
      if (command === undefined) this.wrong('Unknown command');
      else if (!command.states.includes(this.state.kind)) this.wrong(WRONG_STATE[this.state.kind]);
      else await command.execute(this, argument);
    } catch (error) {
      if (error instanceof WireError) this.wrong(`Syntax error: expected ${error.expected}`);
      else this.#refuseError(asMailError(error));
    }
  }

  #refuseError(error: MailError): void {
    // Nothing can be said any more, or something else must be said than a reply: the session's end decides.
    if (['connectionLost', 'deadlineExceeded', 'shuttingDown'].includes(error.code)) throw error;
    this.log.warn('pop3d.command.failed', { error });
    this.refuse(error.code);
  }

  #sayGoodbye(error: MailError): void {
    if (error.code === 'connectionLost') return;
    this.log.debug('pop3d.session.ended', { reason: error.code });
    this.refuse(error.code, error.code === 'deadlineExceeded' ? 'Too long without a command' : undefined);
  }
}

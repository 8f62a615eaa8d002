/**
 * One POP3 session: reads command lines, runs them in order, answers them, and ends (RFC 1939, RFC 2449).
 *
 * States are a union: AUTHORIZATION until a login succeeds, then TRANSACTION with a maildrop, then closed. UPDATE is QUIT's
 * doing alone: an end by time-out, error or lost connection deletes nothing. A pipelined batch is answered in one write.
 * Trust: none. Lines, errors, failed logins and silence are bounded by the limits below.
 */

import { asMailError, MAIL_ERRORS, MailError, type MailErrorCode, WireError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { Pacer } from '../base/pacer.ts';
import { CREDENTIAL_LINE_LIMIT_OCTETS, lineLimitOctets, parseCommand } from '../wire/pop3/command.ts';
import { formatErr, formatOk } from '../wire/pop3/reply.ts';
import { MASK } from '../wire/transcript/masking.ts';
import { transcribePop3Command } from '../wire/transcript/pop3Command.ts';
import type { Connection } from '../net/connection.ts';
import { LineReader } from '../net/lineReader.ts';
import { COMMANDS } from './commands.ts';
import { compatibilityOf } from './compatibility.ts';
import type { Pop3Context, Pop3State, Pop3Surroundings } from './context.ts';
import { FAILED_LOGIN_LIMIT, LOGIN_DEADLINE_MS, LOGIN_TIMEOUT_MS, REFUSED_COMMAND_LIMIT } from './limits.ts';
import { FirstFetches } from './firstFetches.ts';
import { recordFetches } from './recordFetches.ts';
import { ENGLISH } from './phrases/english.ts';
import type { Phrases } from './phrases/phrases.ts';
import { createTally, tallyFields } from './tally.ts';

/** A line is counted with CRLF, though LF alone ends it as well. */
const CRLF_OCTETS = 2;

/** A session; `run` serves it to its end. */
export class Pop3Session implements Pop3Context {
  readonly connection: Connection;
  readonly lines: LineReader;
  readonly surroundings: Pop3Surroundings;
  readonly log: Log;
  readonly pacer: Pacer;
  readonly tally = createTally();
  readonly firstFetches = new FirstFetches();
  state: Pop3State = { kind: 'authorization', userName: undefined };
  phrases: Phrases = ENGLISH;
  compatibility: Pop3Context['compatibility'];
  isUtf8 = false;
  #errors = 0;
  #failedLogins = 0;
  readonly #openedMs: number;
  readonly #stopping = new AbortController();

  constructor(connection: Connection, surroundings: Pop3Surroundings) {
    this.connection = connection;
    this.surroundings = surroundings;
    this.#openedMs = surroundings.clock.monotonic();
    this.compatibility = compatibilityOf(surroundings);
    this.pacer = new Pacer(surroundings.clock);
    this.lines = new LineReader(connection, CREDENTIAL_LINE_LIMIT_OCTETS);
    this.log = surroundings.log.with({ remote: connection.remoteAddress, protocol: 'pop3' });
  }

  /** Greets and serves until QUIT, time-out or the end of the connection. Never rejects. */
  async run(): Promise<void> {
    this.log.debug('pop3d.session.open');
    try {
      // No angle brackets: clients would take them for an APOP timestamp (RFC 1939 section 7).
      this.ok(this.compatibility.greeting ?? `${this.surroundings.serverName} POP3 server ready`);
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
    const { state } = this;
    this.state = { kind: 'closed' };
    if (state.kind !== 'transaction') return;
    const { account, maildrop } = state;
    void recordFetches(this, maildrop);
    maildrop.close();
    const fields = { account: account.address, ...tallyFields(this.tally, maildrop, 0) };
    this.log.info('pop3d.session.cut', fields);
  }

  /** Ends the session at once, with nothing deleted and nothing said (RFC 1939 section 3, of timers). */
  cutOff(): void {
    this.connection.destroy();
    this.end();
  }

  /** When the client last gave or took octets. */
  get activeAtMs(): number {
    return this.connection.activeAtMs;
  }

  /** Ends the session politely at the next wait for a command. */
  stop(): void {
    this.#stopping.abort(new MailError('shuttingDown'));
  }

  /** Answers +OK. */
  ok(text: string): void {
    this.connection.write(formatOk(text));
  }

  /** Answers -ERR with the words and the response code of `code`, or with other words, and counts it. */
  refuse(code: MailErrorCode, text = this.phrases.error(code)): void {
    this.#refuse(text, MAIL_ERRORS[code].pop3.code);
  }

  /** Answers -ERR for something that the client did wrong, and counts it. */
  wrong(text: string): void {
    this.#refuse(text);
  }

  /** Counts a failed login, answers it, and ends the session when there were too many. */
  refuseLogin(code: 'authenticationFailed' | 'loginThrottled'): void {
    this.#failedLogins += 1;
    this.refuse(code);
    if (this.#failedLogins >= FAILED_LOGIN_LIMIT) this.end();
    else this.state = { kind: 'authorization', userName: undefined };
  }

  get ending(): AbortSignal {
    return AbortSignal.any([this.connection.signal, this.#stopping.signal]);
  }

  /** Whether a password may be sent as it is. */
  get mayLogIn(): boolean {
    const { tls, needsTls } = this.surroundings;
    const { isSecure, remoteAddress } = this.connection;
    return isSecure || (tls !== 'required' && needsTls?.(remoteAddress) !== true);
  }

  /** Waits for the answer to a challenge within the state's time. Errors: `deadlineExceeded`, `shuttingDown`. */
  async nextLine(limitOctets?: number) {
    const line = await this.#awaitLine(limitOctets);
    if (line.kind !== 'end') this.connection.tap?.added(MASK);
    return line;
  }

  async #awaitLine(limitOctets?: number) {
    const wait = { deadlineMs: this.#silenceLimitMs(), signal: this.#stopping.signal };
    return this.lines.readLine(wait, limitOctets);
  }

  /** Errors: `deadlineExceeded`, also for a client whose next line is there already. */
  #silenceLimitMs(): number {
    const { clock, settings } = this.surroundings;
    if (this.state.kind === 'transaction') return settings.idleTimeoutMs;
    const left = this.#openedMs + LOGIN_DEADLINE_MS - clock.monotonic();
    if (left <= 0) throw new MailError('deadlineExceeded', 'the client has not logged in in time');
    return Math.min(LOGIN_TIMEOUT_MS, left);
  }

  async #serveLine(): Promise<void> {
    await this.pacer.breathe();
    if (!this.lines.hasLine() || this.connection.isFlushDue) {
      await this.connection.flush();
      this.firstFetches.confirm();
    }
    const line = await this.#awaitLine();
    const errors = this.#errors;
    if (line.kind === 'end') this.end();
    else if (line.kind === 'tooLong') this.#refuseLength();
    else await this.#runLine(line.octets);
    if (this.#errors === errors) this.#errors = 0;
  }

  #refuseLength(): void {
    this.connection.tap?.asked(`${MASK} (a line beyond the limit)`);
    this.wrong(this.phrases.lineTooLong);
  }

  async #runLine(octets: Buffer): Promise<void> {
    this.connection.tap?.asked(transcribePop3Command(octets));
    try {
      const { keyword, argument } = parseCommand(octets);
      const command = COMMANDS.get(keyword);
      const { phrases, isUtf8, state } = this;
      if (keyword !== 'PASS') this.#forgetUser();
      if (octets.length + CRLF_OCTETS > lineLimitOctets(keyword, isUtf8)) this.wrong(phrases.lineTooLong);
      else if (command === undefined) this.wrong(phrases.unknownCommand);
      else if (command.states.includes(state.kind)) await command.execute(this, argument);
      else this.wrong(state.kind === 'transaction' ? phrases.notAfterLogin : phrases.logInFirst);
    } catch (error) {
      if (error instanceof WireError) this.wrong(this.phrases.syntaxError(error.expected));
      else this.#refuseError(asMailError(error));
    }
  }

  /** PASS follows USER immediately, or fails (RFC 1939 section 7). */
  #forgetUser(): void {
    if (this.state.kind === 'authorization') this.state = { kind: 'authorization', userName: undefined };
  }

  #refuse(text: string, code?: string): void {
    this.connection.write(formatErr(text, code));
    this.#errors += 1;
    if (this.#errors >= REFUSED_COMMAND_LIMIT) this.end();
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
    const { noLoginInTime, silentTooLong } = this.phrases;
    const tooLate = this.state.kind === 'transaction' ? silentTooLong : noLoginInTime;
    this.refuse(error.code, error.code === 'deadlineExceeded' ? tooLate : undefined);
  }
}

/**
 * smtp-server's connection with what it lacks: a greeting at once, commands and data of ours, deadlines and limits, replies of a
 * pipelined batch in one write, STARTTLS by net, replies to a client that has closed its sending side, an end that says why.
 *
 * Relies on smtp-server 3.21.6: the constructor calls `_createParser`, `_onCommand` runs what `_getHandler` finds and writes by
 * `send`, `upgrade` is called for STARTTLS, `_resetSession` at EHLO, RSET and STARTTLS. Each is held by test/smtpd.
 * Trust: commands, data and their pace are the client's. limits.ts bounds them.
 */

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { SMTPServer } from 'smtp-server';

import { asMailError, MailError } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import type { BdatArguments } from '../../wire/smtp/bdat.ts';
import { formatReply } from '../../wire/smtp/reply.ts';
import { MASK } from '../../wire/transcript/masking.ts';
import { transcribeSmtpCommand } from '../../wire/transcript/smtpCommand.ts';
import { normalizeAddress } from '../../net/addressRange.ts';
import type { KeptPlace } from '../../net/listener.ts';
import { openTap, type SessionTap } from '../../net/sessionTap.ts';
import { beginTls, tlsInfoOf } from '../../net/tlsUpgrade.ts';
import type { ClientCertificate } from '../../exchange/doorVisitor.ts';
import type { Submitter } from '../../transfer/contract.ts';
import { commandsOf, refuseEarly } from '../commands.ts';
import type { SmtpPeer, SmtpSurroundings, SubmittingAccount, Transaction } from '../context.ts';
import { certificateOf } from '../doorVisit.ts';
import { refuseTransaction } from '../maintenance.ts';
import { LOGIN_LINE_LIMIT_OCTETS, PLACE_KEPT_MS } from '../limits.ts';
import { goodbye, REPLIES, type Reply, replyOf } from '../reply.ts';
import { SessionTally } from '../tally.ts';
import { traceRefusal } from '../traceRefusal.ts';
import { Chunks } from './chunks.ts';
import { CommandRunner } from './commandRunner.ts';
import { Deadlines, OVERDUE_TEXTS } from './deadlines.ts';
import { Identity } from './identity.ts';
import { whenHeard } from './earlyTalk.ts';
import { EngineParser } from './parser.ts';
import { type ReceivingSession, Reception } from './reception.ts';
import { SessionSocket } from './sessionSocket.ts';

/** An enhanced status of ours in place of the library's name for one. */
const STATUS = /^[245]\.\d{1,3}\.\d{1,3}$/;

const BLANK = Buffer.from(' ');

/** One session. */
export class EngineConnection extends SMTPConnection implements ReceivingSession {
  readonly surroundings: SmtpSurroundings;
  readonly log: Log;
  transaction: Transaction | undefined;
  readonly deadlines: Deadlines;
  readonly tap: SessionTap | undefined;
  readonly #ended = Promise.withResolvers<void>();
  readonly #tally = new SessionTally();
  readonly #runner = new CommandRunner(this);
  readonly #reception = new Reception(this);
  readonly #chunks = new Chunks(this, this.#reception);
  readonly #wire: SessionSocket;
  readonly #place: KeptPlace | undefined;
  readonly #identity: Identity;
  readonly #ending = new AbortController();
  #isStopping = false;

  /** Takes over `socket`, of which nothing has been read. */
  constructor(
    server: SMTPServer,
    socket: Socket,
    id: string,
    surroundings: SmtpSurroundings,
    place?: KeptPlace,
  ) {
    super(server, socket, { id });
    this.#place = place;
    this.remoteAddress = normalizeAddress(socket.remoteAddress ?? '');
    this.surroundings = surroundings;
    this.#identity = new Identity(surroundings, this.remoteAddress);
    this.#limitLines();
    this.tap = openTap(surroundings.tap, 'smtp', surroundings.listener, socket, id);
    this.#wire = new SessionSocket(socket, surroundings.clock, this.tap, () => this.#noteClosed());
    this.log = surroundings.log.with({ session: id, remote: this.remoteAddress });
    this.deadlines = new Deadlines(surroundings.clock, (what) => {
      this.end(goodbye('4.4.2', OVERDUE_TEXTS[what]), new MailError('deadlineExceeded', OVERDUE_TEXTS[what]));
    });
  }

  /** Resolves when the socket is closed and nothing of the session is under way. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get peer(): SmtpPeer {
    const socket = this._socket as TLSSocket;
    return {
      remoteAddress: this.remoteAddress,
      heloName: this.hostNameAppearsAs || '',
      isExtended: this.openingCommand !== 'HELO',
      tls: this.secure ? `${socket.getProtocol()} ${socket.getCipher()?.standardName}` : undefined,
    };
  }

  get submitter(): Submitter {
    return this.#identity.submitter;
  }

  get mayLogIn(): boolean {
    return !this.#needsTls;
  }

  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  get certificate(): ClientCertificate {
    return certificateOf(this._socket, this.surroundings);
  }

  get isGone(): boolean {
    return this._closing || this._closed;
  }

  greet(heloName: string, isExtended: boolean): void {
    this.hostNameAppearsAs = heloName;
    this.openingCommand = isExtended ? 'EHLO' : 'HELO';
    this._resetSession();
  }

  logIn(account: SubmittingAccount): void {
    this.#identity.logIn(account, this.log, this.tap);
    this.#place?.keep();
  }

  noteFailedLogin(loginName: string): void {
    this.#tally.noteFailedLogin();
    this.tap?.loginRefused(loginName);
  }

  noteRefusedRecipient(): void {
    this.#tally.noteRefusedRecipient();
  }

  noteChunk(chunk: BdatArguments): void {
    this.#tally.noteChunk(chunk);
  }

  noteAccepted(): void {
    this.#tally.noteAccepted();
    this.deadlines.noteProgress();
    this.#place?.keep(PLACE_KEPT_MS);
    this._unrecognizedCommands = 0;
  }

  /** Greets at once: the library's timer of 100 ms only told early talkers. Caps on connections are the listener's. */
  override init(): void {
    this.log.debug('smtpd.session.open', { listener: this.surroundings.listener });
    this.surroundings.door?.noteConnection(this.remoteAddress);
    this.#wire.listen();
    if (this.secure) this.tap?.secured(tlsInfoOf(this._socket as TLSSocket));
    const closed = refuseTransaction(this);
    if (closed !== undefined) this.end(closed);
    else if (this.surroundings.earlyTalkers !== 'refuse') this.#greet();
    else whenHeard(this._socket, (isEarly) => (isEarly ? this.end(REPLIES.earlyTalker) : this.#greet()));
  }

  /** Ends the session politely: at once when it waits for a command, else when what is under way has been answered. */
  stop(): void {
    this.#isStopping = true;
    this.#ending.abort(new MailError('shuttingDown'));
    if (this._upgrading) this.close();
    else this.#stopIfAsked();
  }

  answer({ code, status, text }: Reply): void {
    this.send(code, typeof text === 'string' ? text : [...text], status ?? false);
    this.#stopIfAsked();
  }

  conclude(reply: Reply): void {
    this._resetSession();
    this.deadlines.awaitCommand();
    this.answer(reply);
    // The acknowledgement waits for nothing that was pipelined behind the message.
    this.#wire.replies.flush();
  }

  /** Ends the session with a last reply, if there is something to say; a message under way fails with `failure` if given. */
  end(reply?: Reply, failure?: MailError): void {
    if (this.isGone) return;
    if (reply !== undefined) {
      this.#wire.reason = String(reply.text);
      this.#write(formatReply(reply.code, reply.status, reply.text));
    }
    if (failure !== undefined) this.#reception.fail(failure);
    this.close();
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const status = this._getEnhancedStatusCode(code, context);
    this.#write(formatReply(code, status === '' ? undefined : status, data ?? ''));
    this.#tally.noteReply(code);
    // The library's own ways to end a session.
    if (code === 421) this.close();
    const { excess } = this.#tally;
    if (excess === undefined || this._closing) return;
    this.log.info('smtpd.session.cut', { reason: `too many ${excess}` });
    this.end(goodbye('4.7.0', `Too many ${excess}`));
  }

  override close(): void {
    if (this.isGone) return;
    this._closing = true;
    this._server.connections.delete(this);
    this.deadlines.stop();
    this.#reception.fail(new MailError('connectionLost', 'the session ended inside the message'));
    this.#retireParser();
    if (this._upgrading) this.#wire.destroy();
    else this.#wire.leave();
  }

  override _createParser(): EngineParser {
    // The fields of this class do not exist yet when the library's constructor calls this; the functions run later.
    const parser = new EngineParser(() => this.#wire.replies.flush());
    parser.oncommand = (command, callback) => this._onCommand(command, callback);
    parser.on('error', () => {
      this.tap?.asked(`${MASK} (a line beyond the limit)`);
      this.answer(REPLIES.lineTooLong);
      this.end(goodbye('4.7.0', 'A line was too long, closing'));
    });
    parser.on('finish', () => {
      if (this._parser === parser) this.end();
    });
    return parser;
  }

  override _onCommand(line: Buffer, callback?: () => void): void {
    const done = callback ?? ignore;
    if (this._upgrading || this._closing) {
      done();
      return;
    }
    this.deadlines.awaitCommand();
    const continuation = this.#runner.takeContinuation();
    if (continuation !== undefined) {
      this.tap?.added(MASK);
      this.#runner.run(continuation, line, done);
      return;
    }
    this.tap?.asked(transcribeSmtpCommand(line));
    const keyword = /^[A-Za-z]{0,16}/.exec(line.toString('latin1', 0, 16))?.[0].toUpperCase() ?? '';
    this.#tally.noteCommand(keyword);
    const situation = { role: this.surroundings.role, needsTls: this.#needsTls };
    const refusal = refuseEarly(keyword, line, situation);
    // Only after a command of the library's, which knows nothing of stopping.
    this.#stopIfAsked();
    if (this._closing) done();
    else if (refusal !== undefined && keyword === 'BDAT') this.#runChunk(line, done, refusal);
    else if (refusal !== undefined) {
      traceRefusal(this, keyword, line, refusal);
      this.answer(refusal);
      this._whenWritable(done);
    } else super._onCommand(withBlank(line, keyword.length), done);
  }

  override _getHandler(keyword: string) {
    if (keyword === 'DATA') return (line: Buffer, done: () => void) => this.#runData(line, done);
    if (keyword === 'BDAT') return (line: Buffer, done: () => void) => this.#runChunk(line, done);
    const command = commandsOf(this.surroundings.role).get(keyword);
    if (command === undefined) return super._getHandler(keyword);
    return (line: Buffer, done: () => void) => this.#runner.run(command, line, done);
  }

  override _getEnhancedStatusCode(code: number, context?: string | false): string {
    if (typeof context === 'string' && STATUS.test(context)) return context;
    return super._getEnhancedStatusCode(code, context);
  }

  override _resetSession(): void {
    super._resetSession();
    this.transaction = undefined;
    this.#reception.abandon();
    this.#chunks.forget();
  }

  /** STARTTLS, after its reply. What the client said before is forgotten, RFC 3207 section 4.2; what it says too early is dropped. */
  override upgrade(callback: () => void): void {
    const plain = this._socket;
    if (plain.destroyed) return;
    this.#wire.replies.flush();
    this.#reception.abandon();
    this.#retireParser();
    while (plain.read() !== null);
    this._parser = this._createParser();
    this.#limitLines();
    this._upgrading = true;
    const { tlsContexts, door, clock } = this.surroundings;
    const { socket, secured } = beginTls(plain, tlsContexts.current(), clock, {
      asksCertificate: door?.asksCertificate,
    });
    this._socket = socket;
    this.#wire.attach(socket);
    setImmediate(callback);
    secured.then(
      () => this.#beginSecured(socket),
      (error: unknown) => {
        this.#wire.reason = asMailError(error).message;
        this.log.info('smtpd.tls.failed', { reason: this.#wire.reason });
      },
    );
  }

  get #isBusy(): boolean {
    return this.#runner.isAnswering || this.#reception.message !== undefined || this.#chunks.isDropping;
  }

  get #needsTls(): boolean {
    const { tls, needsTls } = this.surroundings;
    return !this.secure && (tls === 'required' || needsTls?.(this.remoteAddress) === true);
  }

  #limitLines(): void {
    if (this.surroundings.role === 'submission' && this._parser instanceof EngineParser)
      this._parser.limitLines(LOGIN_LINE_LIMIT_OCTETS);
  }

  #greet(): void {
    if (this._closed) return;
    if (this._parser) this._socket.pipe(this._parser);
    this.connectionReady();
    this.#wire.replies.flush();
  }

  #beginSecured(socket: TLSSocket): void {
    if (this.isGone || !this._parser) return;
    this._upgrading = false;
    this.secure = true;
    this.tap?.secured(tlsInfoOf(socket));
    this.session.secure = true;
    this.hostNameAppearsAs = false;
    this.openingCommand = false;
    this.#identity.forget();
    this._resetSession();
    this.deadlines.awaitCommand();
    socket.pipe(this._parser);
    this.#stopIfAsked();
  }

  #runData(line: Buffer, done: () => void): void {
    if (this._parser instanceof EngineParser) this.#reception.runData(line, this._parser);
    done();
  }

  #runChunk(line: Buffer, done: () => void, refusal?: Reply): void {
    if (this._parser instanceof EngineParser) this.#chunks.run(line, this._parser, done, refusal);
    else done();
  }

  #stopIfAsked(): void {
    if (!this.#isStopping || this.#isBusy || this._upgrading || this._closing) return;
    this.end(replyOf(new MailError('shuttingDown')));
  }

  #write(reply: string): void {
    // Plain text in the middle of a handshake would end it.
    if (!this._upgrading) this.#wire.replies.write(reply);
  }

  #noteClosed(): void {
    const { reason } = this.#wire;
    this.#ending.abort(new MailError('connectionLost'));
    this.deadlines.stop();
    this.#reception.fail(new MailError('connectionLost', `the connection was lost: ${reason}`));
    this._onClose();
    this.tap?.closed(reason);
    this.log.debug('smtpd.session.close', { reason, accepted: this.#tally.accepted });
    void this.#reception.ended.then(() => this.#ended.resolve());
  }

  #retireParser(): void {
    if (!this._parser) return;
    this._socket.unpipe(this._parser);
    this._parser.isClosed = true;
  }
}

/** The library takes a tab behind the verb for part of it; a chunk behind such a BDAT would be read as commands. */
function withBlank(line: Buffer, at: number): Buffer {
  return line[at] === 0x09 ? Buffer.concat([line.subarray(0, at), BLANK, line.subarray(at + 1)]) : line;
}

function ignore(): void {}

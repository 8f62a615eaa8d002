/**
 * One IMAP session: reads commands, runs them in order, answers each with its tag (RFC 3501 sections 2.2 and 3).
 *
 * A command sees its session through SessionContext. What a command throws is mapped here and nowhere else: a WireError is
 * BAD, a MailError its NO, a SessionEnd the end. Whatever fails, the state is as the command left it and the next command runs.
 * Trust: nothing is believed. Lines and literals are bounded by the framer, silence, failures and errors by limits.ts.
 */

import { asMailError, MailError, WireError } from '../base/error.ts';
import type { ContentId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { Pacer } from '../base/pacer.ts';
import { isAppendMessage } from '../wire/imap/append.ts';
import type { CommandDecoder } from '../wire/imap/decoder.ts';
import type { FrameEvent } from '../wire/imap/frame.ts';
import { createCommandFramer } from '../wire/imap/framing.ts';
import { formatCapabilityCode, formatHighestModSeq } from '../wire/imap/responseCode.ts';
import { formatContinuation, formatUntagged } from '../wire/imap/responses.ts';
import type { CommandLiteral, CommandSegment } from '../wire/imap/segment.ts';
import type { Connection } from '../net/connection.ts';
import type { SessionTap } from '../net/sessionTap.ts';
import type { Account } from '../store/contract/directory.ts';
import type { TraceEventKind } from '../store/contract/trace.ts';
import { capabilityList } from './capabilities.ts';
import { ClientInput } from './clientInput.ts';
import { ConnectionChange } from './connectionChange.ts';
import type { Command } from './command.ts';
import { lookUpCommand } from './commandLookup.ts';
import { bad, completionOf } from './completion.ts';
import type { Completion } from './completion.ts';
import type { Enabled } from './enabled.ts';
import { BYE_DEADLINE_MS, DISCARD_LIMIT_OCTETS, LOGIN_DEADLINE_MS, LOGIN_IDLE_TIMEOUT_MS } from './limits.ts';
import { limitsBeforeLogin, literalLimits } from './options.ts';
import type { ImapListenerOptions } from './options.ts';
import { Patience } from './patience.ts';
import { ResponseWriter } from './responseWriter.ts';
import type { Selection } from './selection.ts';
import { SessionAccount } from './sessionAccount.ts';
import type { ServerContext, SessionContext, UpdateOptions } from './sessionContext.ts';
import { SessionEnd } from './sessionEnd.ts';
import type { SessionState } from './sessionState.ts';
import { writeUpdates } from './updates.ts';

/** What a session is handed. */
export interface SessionOptions {
  readonly connection: Connection;
  readonly server: ServerContext;
  readonly listener: Pick<ImapListenerOptions, 'tls' | 'tlsContexts' | 'needsTls' | 'compatibility'>;
  readonly serverName: string;
  readonly log: Log;
}

/** A session; `run` serves it to its end. */
export class ImapSession implements SessionContext {
  readonly server: ServerContext;
  readonly log: Log;
  readonly input: ClientInput;
  readonly writer: ResponseWriter;
  readonly pacer: Pacer;
  readonly #options: SessionOptions;
  readonly #connection: Connection;
  readonly #closing = new AbortController();
  readonly #patience: Patience;
  readonly #enabled = new Set<Enabled>();
  readonly #account: SessionAccount;
  readonly #change: ConnectionChange;
  readonly #openedMs: number;
  #state: SessionState = { kind: 'notAuthenticated' };
  #tag = '';
  #holdsExpunges = false;

  constructor(options: SessionOptions) {
    const { connection, server, log } = options;
    this.#options = options;
    this.#connection = connection;
    this.#openedMs = server.clock.monotonic();
    this.#patience = new Patience(server.settings.badCommandLimit);
    this.#account = new SessionAccount(options.listener.compatibility ?? {}, server.settings);
    this.server = server;
    this.log = log.with({ remoteAddress: connection.remoteAddress, remotePort: connection.remotePort });
    this.pacer = new Pacer(server.clock);
    this.writer = new ResponseWriter(connection);
    this.input = new ClientInput({
      connection,
      framer: createCommandFramer({
        isStreamedLiteral: isAppendMessage,
        ...limitsBeforeLogin(server.settings),
        ...literalLimits(this.#account.compatibility.literals),
      }),
      writer: this.writer,
      pacer: this.pacer,
      closing: this.#closing.signal,
      idleTimeoutMs: () => this.#idleTimeoutMs(),
    });
    const { framer } = this.input;
    const { tlsContexts } = options.listener;
    const changed = { connection, framer, writer: this.writer, log: this.log, tlsContexts };
    this.#change = new ConnectionChange(changed, server.compressionSlots);
  }

  get state(): SessionState {
    return this.#state;
  }

  get tag(): string {
    return this.#tag;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get tap(): SessionTap | undefined {
    return this.#connection.tap;
  }

  get isGone(): boolean {
    return this.#connection.isGone;
  }

  get ending(): AbortSignal {
    return AbortSignal.any([this.#connection.signal, this.#closing.signal]);
  }

  get isSecure(): boolean {
    return this.#connection.isSecure;
  }

  get isCompressed(): boolean {
    return this.#change.isCompressed;
  }

  get mayStartTls(): boolean {
    const { tls, tlsContexts } = this.#options.listener;
    return !this.isSecure && tls !== 'none' && tlsContexts !== undefined;
  }

  get needsPrivacy(): boolean {
    const { tls, needsTls } = this.#options.listener;
    return !this.isSecure && (tls === 'required' || needsTls?.(this.remoteAddress) === true);
  }

  get capabilities(): readonly string[] {
    const { literals, capabilities: chosen } = this.#account.compatibility;
    return capabilityList({
      isLoggedIn: this.#state.kind !== 'notAuthenticated',
      mayStartTls: this.mayStartTls,
      needsPrivacy: this.needsPrivacy,
      literals,
      appendLimitOctets: this.server.settings.appendLimitOctets,
      mayCompress: this.server.settings.compression && !this.isCompressed,
      chosen,
    });
  }

  get delimiter(): '/' | '.' {
    return this.#account.compatibility.delimiter;
  }

  open(account: Account): boolean {
    if (!this.#account.open(account, this.server, this.#connection.signal, this.log)) return false;
    this.#connection.place?.keep();
    const { lineLimitOctets, literalLimitOctets } = this.server.settings;
    const literals = literalLimits(this.#account.compatibility.literals);
    this.input.framer.setLimits({ lineLimitOctets, literalLimitOctets, ...literals });
    return true;
  }

  get enabled(): ReadonlySet<Enabled> {
    return this.#enabled;
  }

  enable(extension: Enabled): void {
    const isFirst = !this.#enabled.has('CONDSTORE');
    this.#enabled.add('CONDSTORE').add(extension);
    if (!isFirst || this.#state.kind !== 'selected') return;
    this.#writeHighestModSeq(this.#state.selection, 'CONDSTORE is on');
  }

  enter(state: SessionState): void {
    if (this.#state.kind === 'selected') this.#state.selection.close();
    this.#state = state;
    // The client sees the end before the connection is closed, and may come again at once.
    if (state.kind === 'logout') this.#account.leave();
  }

  holdExpunges(): void {
    this.#holdsExpunges = true;
  }

  countLoginFailure(): void {
    this.#patience.countLoginFailure();
  }

  startTlsAfterCompletion(): void {
    this.#change.startTls();
  }

  compressAfterCompletion(): boolean {
    return this.#change.compress();
  }

  note(contentId: ContentId, kind: TraceEventKind, fields: Readonly<Record<string, string | number>>): void {
    if (this.#state.kind !== 'authenticated' && this.#state.kind !== 'selected') return;
    const { trace, clock } = this.server;
    const common = {
      protocol: 'imap',
      account: this.#state.account.address,
      remoteAddress: this.remoteAddress,
    };
    trace.note(contentId, { at: clock.now(), kind, fields: { ...common, ...fields } });
  }

  async tellUpdates({ mayExpunge, isUid, isPrompt = false }: UpdateOptions): Promise<void> {
    if (this.#state.kind !== 'selected') return;
    const { selection } = this.#state;
    // A MODSEQ item may have been faster than the feed: what else happened up to there must be told with it.
    const isBehind = selection.clientModSeq.highestItem > selection.view.modSeq;
    try {
      await selection.pull(isBehind);
      if (!isPrompt) await selection.recentKnown();
    } catch (error) {
      this.log.warn('imapd.updates.failed', { error });
      return;
    }
    if (selection.isRemoved) throw new SessionEnd('mailboxRemoved', 'The selected mailbox has been deleted');
    await writeUpdates(this, selection, selection.tell({ mayExpunge }), isUid);
    if (isPrompt) this.#correctModSeq(undefined);
  }

  /** Greets and serves until LOGOUT or any other end. Never rejects. */
  async run(): Promise<void> {
    this.log.debug('imapd.session.opened');
    try {
      this.writer.write(this.#greeting());
      while (this.#state.kind !== 'logout') await this.#serve(await this.input.next());
      await this.#connectionClosed();
    } catch (error) {
      this.enter({ kind: 'logout' });
      await this.#sayGoodbye(error);
    } finally {
      this.enter({ kind: 'logout' });
      this.#change.close();
      this.log.debug('imapd.session.closed', { commands: this.#patience.commandCount });
    }
  }

  /** One that is set goes out as it is, without the capabilities: the servers whose greetings they are told none in theirs. */
  #greeting(): string {
    const { greeting } = this.#account.compatibility;
    if (greeting !== undefined) return formatUntagged('OK', greeting);
    const usual = `${this.#options.serverName} IMAP4rev1 server ready`;
    return formatUntagged('OK', usual, formatCapabilityCode(this.capabilities));
  }

  /** Ends the session politely: after the command that runs, at once where none does. */
  stop(): void {
    this.#closing.abort(new MailError('shuttingDown'));
  }

  async #serve(event: FrameEvent): Promise<void> {
    switch (event.kind) {
      case 'command':
      case 'literalStart':
        await this.#runCommand(event.segments);
        if (event.kind === 'literalStart') this.input.dropCommand(event.literal);
        break;
      case 'needContinuation':
        this.#answerAnnouncement(event.segments, event.literal);
        break;
      case 'tooLong':
        this.#refuseLength(event);
        break;
      case 'literalData':
      case 'literalEnd':
      case 'commandEnd':
      case 'line':
        // What a command left behind; its answer has been given.
        this.input.framer.refuseCommand();
        break;
    }
    if (this.writer.isFlushDue) await this.writer.flush();
    await this.pacer.breathe();
  }

  async #runCommand(segments: readonly CommandSegment[]): Promise<void> {
    const looked = lookUpCommand(segments, this.#state.kind);
    if (looked.kind === 'refused') {
      this.#complete(looked.tag, looked.completion);
      return;
    }
    const { tag, command, isUid, decoder } = looked;
    this.#patience.countCommand();
    this.#tag = tag;
    this.#holdsExpunges = false;
    const completion = await this.#outcomeOf(command, decoder);
    if (completion.condition !== 'BAD' && command.tells !== 'nothing') {
      await this.tellUpdates({ mayExpunge: command.tells === 'all' && !this.#holdsExpunges, isUid });
    }
    this.#complete(tag, this.#correctModSeq(completion));
    if (this.#state.kind === 'selected') this.#state.selection.clientModSeq.settle();
    await this.#change.make();
  }

  async #outcomeOf(command: Command, decoder: CommandDecoder): Promise<Completion> {
    try {
      return await command.parse(decoder)(this);
    } catch (error) {
      if (error instanceof SessionEnd) throw error;
      if (this.isGone) throw new SessionEnd('connectionLost', 'The connection was lost');
      if (!(error instanceof WireError)) this.#logFailure(error);
      return completionOf(error);
    }
  }

  /** A literal that the client will send once it is asked to: not for a command that is refused anyway. */
  #answerAnnouncement(segments: readonly CommandSegment[], literal: CommandLiteral): void {
    const looked = lookUpCommand(segments, this.#state.kind);
    const refusal = looked.kind === 'refused' ? looked.completion : this.#refusalOf(looked.command, literal);
    if (refusal === undefined) {
      this.writer.write(formatContinuation('OK'));
      this.input.acceptLiteral();
    } else {
      this.#complete(looked.tag, refusal);
      this.input.framer.refuseCommand();
    }
  }

  #refusalOf(command: Command, { isLiteral8 }: CommandLiteral): Completion | undefined {
    // RFC 3516 section 4.4: only APPEND's message, which is streamed and does not come here, may be one.
    return isLiteral8 ? bad('A literal8 is not taken here') : command.refuse(this);
  }

  #refuseLength({ limit, tag, discardOctets }: Extract<FrameEvent, { kind: 'tooLong' }>): void {
    if (discardOctets > DISCARD_LIMIT_OCTETS) {
      throw new SessionEnd('abuse', 'The literal is too large', 'TOOBIG');
    }
    this.#complete(tag, bad(limit === 'line' ? 'The line is too long' : 'Too much literal data', 'TOOBIG'));
  }

  /** RFC 7162 section 6: the client's idea of HIGHESTMODSEQ is put right, in `completion` where that has room for it. */
  #correctModSeq<Ending extends Completion | undefined>(completion: Ending): Ending {
    if (this.#state.kind !== 'selected' || !this.#enabled.has('CONDSTORE')) return completion;
    const { selection } = this.#state;
    const modSeq = selection.clientModSeq.correction(selection.view.toldModSeq, this.#enabled.has('QRESYNC'));
    if (modSeq === undefined) return completion;
    if (completion?.condition !== 'OK' || completion.code !== undefined) {
      this.#writeHighestModSeq(selection, 'Highest mod-sequence');
      return completion;
    }
    selection.clientModSeq.noteCode(modSeq);
    return { ...completion, code: formatHighestModSeq(modSeq) };
  }

  #writeHighestModSeq({ clientModSeq, view }: Selection, text: string): void {
    this.writer.write(formatUntagged('OK', text, formatHighestModSeq(view.toldModSeq)));
    clientModSeq.noteCode(view.toldModSeq);
  }

  /** Writes how a command ended, and ends the session where a limit is passed. */
  #complete(tag: string | undefined, completion: Completion): void {
    this.writer.writeCompletion(tag, completion);
    this.#patience.countCompletion(completion, this.#state.kind !== 'notAuthenticated');
  }

  #idleTimeoutMs(): number {
    const { clock, settings } = this.server;
    if (this.#state.kind !== 'notAuthenticated') return settings.idleTimeoutMs;
    const left = this.#openedMs + LOGIN_DEADLINE_MS - clock.monotonic();
    return Math.max(0, Math.min(LOGIN_IDLE_TIMEOUT_MS, left));
  }

  #logFailure(error: unknown): void {
    const { code } = asMailError(error);
    if (code === 'internal' || code === 'contentCorrupt') this.log.error('imapd.command.failed', { error });
    else this.log.debug('imapd.command.refused', { code });
  }

  async #sayGoodbye(error: unknown): Promise<void> {
    const lost = this.isGone ? new SessionEnd('connectionLost', 'The connection was lost') : undefined;
    const end = error instanceof SessionEnd ? error : lost;
    if (end === undefined) this.log.error('imapd.session.failed', { error });
    else this.log.debug('imapd.session.ended', { reason: end.reason });
    if (end?.mayBeTold !== true || this.isGone) {
      this.#connection.destroy();
      return;
    }
    this.writer.write(formatUntagged('BYE', end.message, end.code));
    await this.#connectionClosed();
  }

  async #connectionClosed(): Promise<void> {
    this.writer.handOn();
    await this.#connection.close(BYE_DEADLINE_MS);
  }
}

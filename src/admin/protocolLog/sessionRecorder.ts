/**
 * Writes down one session: a tap that makes lines of what it is told, and keeps them back while it is not known whose they are.
 *
 * Where only accounts are watched, a session's lines wait in memory, within limits, until its login says whose it is; a login
 * that is refused counts as the account's whose name was given, since that is what an administrator looks for. After a login
 * only a watch of that account, or of the address, goes on: what another account does is not for the log.
 */

import type { Clock } from '../../base/clock.ts';
import type { SessionTap, TappedSession } from '../../net/sessionTap.ts';
import type { TlsInfo } from '../../net/tlsUpgrade.ts';
import type { AnswerTranscript } from '../../wire/transcript/answers.ts';
import { MASK } from '../../wire/transcript/masking.ts';
import { printableText } from '../../wire/transcript/printable.ts';
import { PENDING_LIMIT_OCTETS, ROW_LIMIT } from './limits.ts';
import type { Direction, ProtocolLine } from './line.ts';
import type { Watches } from './watches.ts';

/** Longest login name that is shown; it is the client's to choose. */
const NAME_LIMIT_CHARS = 256;

/** What the recorders of a server share. */
export interface RecorderSurroundings {
  readonly clock: Clock;
  readonly watches: Pick<Watches, 'wants' | 'wantsAccount'>;
  /** Takes octets out of what all sessions may keep back together; false where there are not so many. Negative: gives them back. */
  keepBack(octets: number): boolean;
  write(line: ProtocolLine): void;
  /** The address of the account that a login name means. */
  accountOf(loginName: string): Promise<string | undefined>;
  /** The session is closed. */
  onClosed(recorder: SessionRecorder): void;
}

/** One session's lines. */
export class SessionRecorder implements SessionTap {
  readonly #session: TappedSession & { readonly id: string };
  readonly #answers: AnswerTranscript;
  readonly #surroundings: RecorderSurroundings;
  #pending: ProtocolLine[] | undefined;
  #pendingOctets = 0;
  #lostLines = 0;
  /** Accounts that the session is, or that its refused logins meant. */
  readonly #accounts = new Set<string>();
  #account: string | undefined;
  #rows = 0;
  #isClosed = false;
  #lookups = 0;

  /** `isKnown`: the session is wanted whoever it is. */
  constructor(
    session: TappedSession & { readonly id: string },
    answers: AnswerTranscript,
    surroundings: RecorderSurroundings,
    isKnown: boolean,
  ) {
    this.#session = session;
    this.#answers = answers;
    this.#surroundings = surroundings;
    if (!isKnown) this.#pending = [];
  }

  asked(line: string): void {
    this.#answers.expect(line);
    this.#tell('C', line);
  }

  added(line: string): void {
    this.#tell('C', line);
  }

  sent(data: string | Uint8Array): void {
    for (const { text, isRow } of this.#answers.push(data)) {
      if (!isRow) this.#tell('S', text);
      else if (this.#rows < ROW_LIMIT) this.#write('S', text);
      if (isRow) this.#rows += 1;
    }
  }

  /** The session has begun. */
  connected(): void {
    const { protocol, remoteAddress, remotePort } = this.#session;
    this.#tell('-', `connected: ${protocol} from ${remoteAddress} port ${remotePort}`);
  }

  secured({ protocol, cipher }: TlsInfo): void {
    this.#tell('-', `TLS: ${protocol} ${cipher}`);
  }

  compressed(): void {
    this.#tell('-', 'compressed: DEFLATE');
  }

  loggedIn(address: string): void {
    this.#account = address;
    this.#accounts.clear();
    this.#accounts.add(address);
    if (this.#isWanted()) this.#writePending();
    this.#tell('-', `logged in: ${address}`);
    if (!this.#isWanted()) this.#dropPending();
  }

  loginRefused(loginName: string): void {
    this.#tell('-', `login refused: ${shownName(loginName)}`);
    this.#lookups += 1;
    this.#surroundings
      .accountOf(loginName)
      .catch(() => undefined)
      .then((address) => this.#nameFound(address));
  }

  closed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tell('-', `closed: ${reason}`);
    this.#surroundings.onClosed(this);
    if (this.#lookups === 0) this.#dropPending();
  }

  #nameFound(address: string | undefined): void {
    this.#lookups -= 1;
    // Meanwhile somebody may have logged in.
    if (address !== undefined && this.#account === undefined) {
      this.#accounts.add(address);
      if (this.#isWanted()) this.#writePending(address);
    }
    if (this.#isClosed && this.#lookups === 0) this.#dropPending();
  }

  #isWanted(): boolean {
    const { watches } = this.#surroundings;
    if (watches.wants(this.#session) === 'now') return true;
    for (const address of this.#accounts) if (watches.wantsAccount(this.#session, address)) return true;
    return false;
  }

  /** A line, with what there is to say of the rows before it. */
  #tell(direction: Direction, text: string): void {
    const more = this.#rows - ROW_LIMIT;
    this.#rows = 0;
    if (more > 0) this.#write('S', `[${more} lines more]`);
    this.#write(direction, text);
  }

  #write(direction: Direction, text: string): void {
    const { clock, write } = this.#surroundings;
    if (this.#pending === undefined && !this.#isWanted()) return;
    const { id, protocol, listener, remoteAddress } = this.#session;
    const line: ProtocolLine = {
      at: new Date(clock.now()).toISOString(),
      session: id,
      protocol,
      listener,
      remoteAddress,
      ...(this.#account === undefined ? {} : { account: this.#account }),
      direction,
      text,
    };
    if (this.#pending === undefined) write(line);
    else this.#keepBack(line, this.#pending);
  }

  #keepBack(line: ProtocolLine, pending: ProtocolLine[]): void {
    const octets = line.text.length + LINE_OVERHEAD_OCTETS;
    const hasRoom =
      this.#pendingOctets + octets <= PENDING_LIMIT_OCTETS && this.#surroundings.keepBack(octets);
    if (!hasRoom) {
      this.#lostLines += 1;
      return;
    }
    this.#pendingOctets += octets;
    pending.push(line);
  }

  #writePending(account = this.#account): void {
    const lines = this.#pending ?? [];
    const lost = this.#lostLines;
    this.#dropPending();
    this.#pending = undefined;
    for (const line of lines) this.#surroundings.write(account === undefined ? line : { ...line, account });
    if (lost > 0) this.#write('-', `${lost} lines before the login were too many to keep`);
  }

  /** The rest is nobody's business, or was written. */
  #dropPending(): void {
    this.#surroundings.keepBack(-this.#pendingOctets);
    this.#pendingOctets = 0;
    this.#lostLines = 0;
    this.#pending = undefined;
  }
}

/** A name up to its first blank: some programs send `USER name password`. */
function shownName(loginName: string): string {
  const [word = ''] = loginName.slice(0, NAME_LIMIT_CHARS).split(/\s/, 1);
  return word.length === loginName.length ? printableText(word) : `${printableText(word)} ${MASK}`;
}

/** What a line costs beside its text. */
const LINE_OVERHEAD_OCTETS = 200;

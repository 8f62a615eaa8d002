/**
 * The protocol log: for a time, every line both ways of the sessions of an account or an address, so that an administrator sees
 * why an old program fails. Made by main, which hands `openTap` to the session rooms; switched by the CLI.
 *
 * While no watch is on, `openTap` answers undefined and nothing else happens. Sessions that were open before a watch are not
 * heard: what a session says can be read from its beginning alone.
 */

import { randomBytes } from 'node:crypto';

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { SessionTap, TappedSession } from '../../net/sessionTap.ts';
import type { AnswerTranscript } from '../../wire/transcript/answers.ts';
import { ImapAnswers } from '../../wire/transcript/imapAnswers.ts';
import { Pop3Answers } from '../../wire/transcript/pop3Answers.ts';
import { SmtpAnswers } from '../../wire/transcript/smtpAnswers.ts';
import { ALL_PENDING_LIMIT_OCTETS } from './limits.ts';
import type { ProtocolLine } from './line.ts';
import { LogFiles } from './logFiles.ts';
import { type FollowedLines, RecentLines } from './recentLines.ts';
import { type RecorderSurroundings, SessionRecorder } from './sessionRecorder.ts';
import { type Watch, Watches, type WatchRequest } from './watches.ts';

/** What the protocol log is handed. */
export interface ProtocolLogOptions {
  /** Of the files. */
  readonly directory: string;
  readonly sizeLimitOctets: number;
  readonly retentionMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The address of the account that a login name means. */
  accountOf(loginName: string): Promise<string | undefined>;
}

/** What is on, and what it costs. */
export interface ProtocolLogStatus {
  readonly watches: readonly Watch[];
  /** Sessions that are heard now. */
  readonly sessions: number;
  /** Lines that were dropped since the start. */
  readonly droppedLines: number;
  readonly directory: string;
}

/** The log of one server. */
export class ProtocolLog {
  readonly #options: ProtocolLogOptions;
  readonly #watches: Watches;
  readonly #files: LogFiles;
  readonly #recent: RecentLines;
  readonly #surroundings: RecorderSurroundings;
  readonly #recorders = new Set<SessionRecorder>();
  #keptBackOctets = 0;

  constructor(options: ProtocolLogOptions) {
    const { clock, log } = options;
    this.#options = options;
    this.#watches = new Watches(clock, (watch) => log.info('admin.protocolLog.ended', { watch }));
    this.#files = new LogFiles(options);
    this.#recent = new RecentLines(clock);
    this.#surroundings = {
      clock,
      watches: this.#watches,
      accountOf: (loginName) => options.accountOf(loginName),
      keepBack: (octets) => this.#keepBack(octets),
      write: (line) => this.#write(line),
      onClosed: (recorder) => this.#recorders.delete(recorder),
    };
  }

  /** The tap of a session that begins; undefined where nobody wants to hear it. */
  readonly openTap = (session: TappedSession): SessionTap | undefined => {
    const wanted = this.#watches.wants(session);
    if (wanted === 'no') return undefined;
    const id = session.id ?? randomBytes(6).toString('base64url');
    const recorder = new SessionRecorder(
      { ...session, id },
      answersOf(session.protocol),
      this.#surroundings,
      wanted === 'now',
    );
    this.#recorders.add(recorder);
    recorder.connected();
    return recorder;
  };

  /** Switches a watch on. Errors: as Watches.add. */
  switchOn(request: WatchRequest): Watch {
    const watch = this.#watches.add(request);
    this.#options.log.info('admin.protocolLog.on', { watch });
    return watch;
  }

  /** Switches the watch of this number off, or all; answers those. */
  switchOff(id: number | undefined, by: string): readonly Watch[] {
    const ids = id === undefined ? this.#watches.list().map((watch) => watch.id) : [id];
    const ended = ids.flatMap((each) => this.#watches.remove(each) ?? []);
    for (const watch of ended) this.#options.log.info('admin.protocolLog.off', { watch, by });
    return ended;
  }

  /** What is on. */
  status(): ProtocolLogStatus {
    return {
      watches: this.#watches.list(),
      sessions: this.#recorders.size,
      droppedLines: this.#files.droppedLines,
      directory: this.#options.directory,
    };
  }

  /** For a reader that follows: see RecentLines.since. */
  follow(place: number | undefined): Promise<FollowedLines> {
    return this.#recent.since(place);
  }

  /** Resolves when every line so far is in the files. */
  flushed(): Promise<void> {
    return this.#files.flushed();
  }

  /** Ends all watches and writes what waits. */
  async close(): Promise<void> {
    for (const { id } of this.#watches.list()) this.#watches.remove(id);
    this.#recent.close();
    await this.#files.close();
  }

  #write(line: ProtocolLine): void {
    this.#files.write(line);
    this.#recent.add(line);
  }

  #keepBack(octets: number): boolean {
    if (octets > 0 && this.#keptBackOctets + octets > ALL_PENDING_LIMIT_OCTETS) return false;
    this.#keptBackOctets += octets;
    return true;
  }
}

function answersOf(protocol: TappedSession['protocol']): AnswerTranscript {
  switch (protocol) {
    case 'smtp':
      return new SmtpAnswers();
    case 'pop3':
      return new Pop3Answers();
    case 'imap':
      return new ImapAnswers();
  }
}

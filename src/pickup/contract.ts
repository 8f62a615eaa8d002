/**
 * What the pickup room is handed, a directory and its rules, and what it tells of itself. pickup.ts opens the room.
 */

import type { Clock, UnixMs } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Transfer } from '../transfer/contract.ts';

/** One directory that files are picked up from. */
export interface PickupDirectory {
  /** Unique among directories; names it in logs, traces and Received fields. */
  readonly name: string;
  /** `replay`: the envelope stands in X-fields of the strict form, and what a header says is not asked. */
  readonly kind: 'pickup' | 'replay';
  /** Absolute path. */
  readonly directory: string;
  /** Absolute path; where bad files go, with their reasons. Made where it is missing. */
  readonly badmailDirectory: string;
  /** Which files are taken: `*.eml` in any case, or every file but those that say that they are not finished. */
  readonly fileNames: 'eml' | 'any';
  /** Whether a line that begins with a dot has one too many (RFC 5321 section 4.5.2). */
  readonly dots: 'auto' | 'stuffed' | 'raw';
  /** Whether Sender goes before From where both stand, as .NET writes them for IIS; Exchange asks From first. */
  readonly senderFirst: boolean;
  /** Whether Received and Resent-* fields of a file are left out, as Exchange does. */
  readonly removesTrace: boolean;
  /** The sender of files that name none; without it they are bad. */
  readonly defaultSender?: string | undefined;
  /** Time between two looks at the directory. */
  readonly scanMs: number;
  /** How long a file has to be still before it counts as finished. */
  readonly settleMs: number;
  /** 0 is no limit. */
  readonly messagesPerMinuteLimit: number;
  readonly headerLimitOctets: number;
  readonly recipientLimit: number;
  readonly sizeLimitOctets: number;
  /** Patterns of senders that files may have: `local` (our domains), a domain, `*.domain`, an address, or `*`. */
  readonly senders: readonly string[];
  /** Takes the place of senders that are not allowed; without it such files are bad. */
  readonly rewriteSender?: string | undefined;
  /** Patterns of recipients, of the same forms. */
  readonly recipients: readonly string[];
  /** The relay that takes what is not ours, instead of those of routes. */
  readonly relay?: string | undefined;
}

/** What the room is handed. */
export interface PickupOptions {
  readonly directories: readonly PickupDirectory[];
  readonly transfer: Pick<Transfer, 'accept' | 'noteBadFile' | 'wasAccepted'>;
  /** Whether nothing is to be taken now (maintenance); asked before each file. Never unless given. */
  readonly isPaused?: (() => boolean) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A directory, as an administrator sees it. File names are shown with what is not printable escaped. */
export interface PickupStatus {
  readonly name: string;
  readonly kind: PickupDirectory['kind'];
  readonly directory: string;
  readonly badmailDirectory: string;
  /** Whether the directory could be read at the last look; `reason` says why not. */
  readonly isReadable: boolean;
  readonly reason: string | undefined;
  /** Files that are there and are not taken yet, unfinished ones among them. */
  readonly waiting: number;
  /** Of these, files that are still being written, as far as can be seen. */
  readonly unfinished: number;
  /** Files that are claimed and could not be taken for now; they are tried again. */
  readonly deferred: number;
  /** Of what waits, since when the longest has been seen; undefined where nothing waits. */
  readonly oldestWaitingSince: UnixMs | undefined;
  /** Messages accepted since the server started, and in the last minute. */
  readonly taken: number;
  readonly takenLastMinute: number;
  readonly lastFile: { readonly name: string; readonly at: UnixMs } | undefined;
  /** Files in badmail, counted up to a limit, and the time of the oldest. */
  readonly bad: number;
  readonly oldestBadAt: UnixMs | undefined;
  /** Sentences that an administrator should read now. */
  readonly alarms: readonly string[];
}

/** A file in badmail. */
export interface BadFile {
  readonly file: string;
  readonly octets: number;
  readonly at: UnixMs;
  /** The reason file's first line; undefined where there is none. */
  readonly reason: string | undefined;
}

/** What became of a retry. */
export interface PickupRetry {
  /** Files that went back into the directory, under these names. */
  readonly moved: readonly string[];
  /** Files that did not, and why. */
  readonly failed: readonly { readonly file: string; readonly reason: string }[];
}

/** The room's door. */
export interface Pickup {
  status(): Promise<readonly PickupStatus[]>;
  /** Oldest first, `limit` at most; undefined when there is no such directory. */
  listBad(name: string, limit: number): Promise<readonly BadFile[] | undefined>;
  /**
   * Looks at the directory at once, tries deferred files, and moves bad ones back: the named ones, or with `all` every one; undefined
   * when there is no such directory.
   */
  retry(
    name: string,
    files: { readonly names: readonly string[]; readonly all: boolean },
  ): Promise<PickupRetry | undefined>;
  /** Takes other directories; files under way are ended first. */
  reconfigure(directories: readonly PickupDirectory[]): Promise<void>;
  /** Waits for files under way, within `deadlineMs`; what is claimed then is taken up again at the next start. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * What framing.ts is given and gives: limits, events, and the framer as the session sees it.
 *
 * RFC 3501 section 2.2.1 and 4.3, RFC 2683 section 3.2.1.5 (long lines), RFC 7888 (LITERAL+ and LITERAL-).
 */

import { KIB } from '../../base/units.ts';
import type { CommandLiteral, CommandSegment } from './segment.ts';

/** What bounds a command. */
export interface FramerLimits {
  /**
   * Octets of all lines of one command together; line ends and literals do not count. 64 KiB hold 10,000 UIDs one by one
   * (RFC 2683 section 3.2.1.5 asks for 8,000 octets, Dovecot takes 64 KiB).
   */
  readonly lineLimitOctets: number;
  /** Octets of all collected literals of one command together: 64 KiB hold any user name, mailbox name or search text. */
  readonly literalLimitOctets: number;
  /** Collected literals of one command: 1,000 hold any list of header field names. */
  readonly literalCountLimit: number;
  /** Octets of one non-synchronising literal: 4096 where LITERAL- is offered (RFC 7888 section 5). */
  readonly nonSynchronisingLimitOctets: number;
}

/** How a framer is made; absent limits are those of DEFAULT_FRAMER_LIMITS. */
export interface FramerOptions extends Partial<FramerLimits> {
  /** Whether a bare LF ends a line. Default true: home-made clients send it. */
  readonly toleratesBareLf?: boolean;
  /**
   * Whether the literal announced at the end of `segments`, the command's beginning, is to be streamed. Once one literal of a
   * command is, all later ones are. Default: none is. See append.ts.
   */
  readonly isStreamedLiteral?: (segments: readonly CommandSegment[]) => boolean;
}

/** Limits unless set otherwise, and always before login. */
export const DEFAULT_FRAMER_LIMITS: FramerLimits = {
  lineLimitOctets: 64 * KIB,
  literalLimitOctets: 64 * KIB,
  literalCountLimit: 1000,
  nonSynchronisingLimitOctets: Number.MAX_SAFE_INTEGER,
};

/** What passed a limit: the command's lines, a literal's octets, or the number of literals. */
export type FrameLimit = 'line' | 'literal' | 'literalCount';

/** What a framer finds, in the order of the octets. */
export type FrameEvent =
  /** A whole command, none of whose literals was streamed. */
  | { readonly kind: 'command'; readonly segments: readonly CommandSegment[] }
  /** A synchronising literal within the limits is announced: answer `+` and accept it, or answer NO or BAD and refuse. */
  | {
      readonly kind: 'needContinuation';
      readonly segments: readonly CommandSegment[];
      readonly literal: CommandLiteral;
    }
  /**
   * A literal is about to be streamed: accept it (answer `+` first if it is synchronising) or refuse. `segments` are those
   * since the last streamed literal of the command; the last one announces this literal.
   */
  | {
      readonly kind: 'literalStart';
      readonly segments: readonly CommandSegment[];
      readonly literal: CommandLiteral;
      readonly isFirst: boolean;
    }
  /** Octets of the streamed literal; they are the receiver's. */
  | { readonly kind: 'literalData'; readonly octets: Buffer }
  | { readonly kind: 'literalEnd' }
  /** The end of a command with streamed literals; `segments` are those since the last of them. */
  | { readonly kind: 'commandEnd'; readonly segments: readonly CommandSegment[] }
  /** The raw line that expectLine() asked for, without its line end. */
  | { readonly kind: 'line'; readonly octets: Buffer }
  /**
   * The command (or raw line) passes a limit: answer BAD. The framer drops the rest of it, `discardOctets` of literal to begin
   * with; where those are more than is worth reading, answer BYE and close.
   */
  | {
      readonly kind: 'tooLong';
      readonly limit: FrameLimit;
      readonly tag: string | undefined;
      readonly discardOctets: number;
    };

/** Cuts one connection's octets. One session owns it. */
export interface CommandFramer {
  /** Adds what arrived. The chunk belongs to the framer from now on. */
  push(chunk: Buffer): void;
  /** The next event, or undefined when more octets, or a decision on the last event, are needed first. */
  next(): FrameEvent | undefined;
  /** Decides on needContinuation or literalStart: the literal's octets are read. */
  acceptLiteral(): void;
  /**
   * Gives up the command in hand, which the session has answered or is about to: what the client still sends of it is
   * dropped. After a refused synchronising literal that is nothing; within a streamed literal it is its rest.
   */
  refuseCommand(): void;
  /** Makes the next line raw: the client's answer to a challenge, or DONE. Once for each line. */
  expectLine(): void;
  /** Changes limits from the next line on. */
  setLimits(limits: Partial<FramerLimits>): void;
  /** Forgets all octets not yet taken and answers how many: at STARTTLS, so that nothing sent in the clear counts afterwards. */
  discardInput(): number;
  /** Takes all octets pushed and not yet taken: what follows COMPRESS is no command yet. */
  takeInput(): Buffer;
  /** Octets pushed and not yet taken. */
  readonly waitingOctets: number;
}

/**
 * A command as it stands on the wire: lines, each of which may end by announcing a literal.
 *
 * RFC 3501 section 4.3 (literal), RFC 7888 section 3 (non-synchronising literals), RFC 4466 section 3 (literal8).
 * Made by framing.ts, read by decoder.ts.
 * Trust: an announced octet count is only what the client says; it is capped here and bounded by framing.ts's limits.
 */

/** A literal: announced, and collected unless it is one that is streamed. */
export interface CommandLiteral {
  /** Octets that the client announces; Number.MAX_SAFE_INTEGER stands for any larger number. */
  readonly octetCount: number;
  /** Whether the client waits for a command continuation request before it sends the octets. */
  readonly isSynchronising: boolean;
  /** `~{n}`: may hold NUL. */
  readonly isLiteral8: boolean;
  /** Offset of the first octet of its content within the command. */
  readonly offset: number;
  /** The content; undefined while it is only announced, and for ever where it is streamed. */
  readonly octets: Buffer | undefined;
}

/** A line without its line end and without the announcement of the literal that follows. */
export interface CommandSegment {
  /** A view of what was pushed into the framer; not to be written to. */
  readonly line: Buffer;
  /** Offset of the line's first octet within the command. */
  readonly offset: number;
  readonly literal: CommandLiteral | undefined;
}

/** What the end of a line announces. */
export interface LiteralAnnouncement {
  /** Index of the `{` or `~` in the line. */
  readonly start: number;
  readonly octetCount: number;
  readonly isSynchronising: boolean;
  readonly isLiteral8: boolean;
}

const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const PLUS = 0x2b;
const TILDE = 0x7e;
const ZERO = 0x30;
const NINE = 0x39;
const SAFE_DIGITS = 15; // 10^15 - 1 is below 2^53, so up to here Number is exact

/**
 * The literal that `line` (without its line end) announces. Every line is asked, whatever it says before, because
 * RFC 7888 section 3 has the receiver check the end of every line.
 */
export function parseLiteralAnnouncement(line: Buffer): LiteralAnnouncement | undefined {
  let index = line.length - 1;
  if (line[index] !== BRACE_CLOSE) return undefined;
  index -= 1;
  const isSynchronising = line[index] !== PLUS;
  if (!isSynchronising) index -= 1;
  const digitsEnd = index + 1;
  while (isDigit(line[index])) index -= 1;
  const digitsStart = index + 1;
  if (digitsStart === digitsEnd || line[index] !== BRACE_OPEN) return undefined;
  const isLiteral8 = line[index - 1] === TILDE;
  return {
    start: isLiteral8 ? index - 1 : index,
    octetCount: countOf(line.toString('latin1', digitsStart, digitsEnd)),
    isSynchronising,
    isLiteral8,
  };
}

function isDigit(octet: number | undefined): boolean {
  return octet !== undefined && octet >= ZERO && octet <= NINE;
}

function countOf(digits: string): number {
  const significant = digits.replace(/^0+/, '');
  return significant.length > SAFE_DIGITS ? Number.MAX_SAFE_INTEGER : Number(significant);
}

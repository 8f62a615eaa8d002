/**
 * What TOP sends of a message: its header, the blank line, and so many lines of its body.
 *
 * RFC 1939 section 7, TOP. In: the message in CRLF form, cut anywhere; out goes to the dot-stuffer. A message without a blank
 * line is all header. `isDone` tells the session to read no further: TOP 1 0 of a message of 150 MB costs its header.
 * Trust: the octets of a message; work is linear in them, nothing is kept but two counts.
 */

/** Takes from one message what TOP asks for. */
export interface TopLimiter {
  /** The part of the chunk that belongs to the answer, in the chunk's own memory. */
  push(chunk: Buffer): Buffer;
  /** Whether the answer is complete. */
  readonly isDone: boolean;
}

/** A limiter at the start of a message; `lines` of the body, 0 to as many as anybody asks for (fetchmail: 99999999). */
export function createTopLimiter(lines: number): TopLimiter {
  let isInHeader = true;
  let linesLeft = lines;
  /** Octets of the header's line under way. */
  let lineOctets = 0;

  /** Where the body begins in `chunk`; its end when that is not known yet. */
  const skipHeader = (chunk: Buffer): number => {
    let lineStart = 0;
    while (isInHeader && lineStart < chunk.length) {
      const lineEnd = chunk.indexOf(LF, lineStart);
      if (lineEnd < 0) {
        lineOctets += chunk.length - lineStart;
        return chunk.length;
      }
      isInHeader = lineOctets + lineEnd - lineStart > BLANK_LINE_OCTETS;
      lineOctets = 0;
      lineStart = lineEnd + 1;
    }
    return lineStart;
  };
  return {
    push: (chunk) => {
      const bodyStart = skipHeader(chunk);
      if (isInHeader) return chunk;
      const { end, count } = findLines(chunk, bodyStart, linesLeft);
      linesLeft -= count;
      return chunk.subarray(0, end);
    },
    get isDone() {
      return !isInHeader && linesLeft <= 0;
    },
  };
}

const LF = 0x0a;
/** In CRLF form the blank line has one octet before its LF, the CR. */
const BLANK_LINE_OCTETS = 1;

/**
 * The end of the `limit`th line of `chunk` from `start` on, or of the chunk, and how many lines there are up to it. Octet by
 * octet: with a search for each line, 150 MB of empty lines would cost seconds.
 */
function findLines(chunk: Buffer, start: number, limit: number): { end: number; count: number } {
  let end = start;
  let count = 0;
  for (; end < chunk.length && count < limit; end += 1) if (chunk[end] === LF) count += 1;
  return { end, count };
}

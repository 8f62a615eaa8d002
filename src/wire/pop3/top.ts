/**
 * What TOP sends of a message: its header, the blank line, and so many lines of its body.
 *
 * RFC 1939 section 7, TOP. In: the message in CRLF form, cut anywhere; out goes to the dot-stuffer. A message without a blank
 * line is all header. `isDone` tells the session to read no further: TOP 1 0 of a message of 150 MB costs its header.
 * Trust: the octets of a message; one search for each line, nothing kept but two counts.
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
  let isDone = false;
  /** Octets that earlier chunks held of the line under way. */
  let lineOctets = 0;

  const endLine = (octets: number): void => {
    if (!isInHeader) linesLeft -= 1;
    else if (octets <= BLANK_LINE_OCTETS) isInHeader = false;
    isDone = !isInHeader && linesLeft <= 0;
  };
  return {
    push: (chunk) => {
      let lineStart = 0;
      while (!isDone) {
        const lineEnd = chunk.indexOf(LF, lineStart);
        if (lineEnd < 0) {
          lineOctets += chunk.length - lineStart;
          return chunk;
        }
        endLine(lineOctets + lineEnd - lineStart);
        lineOctets = 0;
        lineStart = lineEnd + 1;
      }
      return chunk.subarray(0, lineStart);
    },
    get isDone() {
      return isDone;
    },
  };
}

const LF = 0x0a;
/** In CRLF form the blank line has one octet before its LF, the CR. */
const BLANK_LINE_OCTETS = 1;

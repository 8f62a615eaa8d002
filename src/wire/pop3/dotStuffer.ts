/**
 * The body of a RETR or TOP reply: dots stuffed, and the line with the dot alone at the end.
 *
 * RFC 1939 section 3. In: the message in CRLF form (wire/mime/crlf.ts), cut anywhere; out: one buffer for each chunk.
 * A dot is stuffed after LF, so that clients which end lines at LF alone are not misled either (Python's poplib does).
 * Trust: the octets of a message, as many and as odd as they like. Work and memory are linear in a chunk, 20 MB of lines that
 * begin with a dot included: dots are counted first, so that the chunk is copied once and not at all where there are none.
 */

/** Stuffs one message. */
export interface DotStuffer {
  /** The chunk stuffed: the chunk itself where nothing had to be, at most twice as long otherwise. */
  push(chunk: Buffer): Buffer;
  /** What ends the reply: the CRLF that the last line may lack, and the line with the dot. */
  end(): Buffer;
}

/** A stuffer at the start of a message. */
export function createDotStuffer(): DotStuffer {
  // As if an empty line had come before: a message may begin with a dot, and an empty one needs no CRLF before the end.
  let beforeLast = CR;
  let last = LF;
  return {
    push: (chunk) => {
      const startsWithDot = last === LF && chunk[0] === DOT;
      const dots = countStuffed(chunk) + (startsWithDot ? 1 : 0);
      beforeLast = chunk.at(-2) ?? (chunk.length === 1 ? last : beforeLast);
      last = chunk.at(-1) ?? last;
      return dots === 0 ? chunk : stuffed(chunk, dots, startsWithDot);
    },
    end: () => (beforeLast === CR && last === LF ? END : END_OF_OPEN_LINE),
  };
}

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const LF_DOT = Buffer.from('\n.');
const END = Buffer.from('.\r\n');
const END_OF_OPEN_LINE = Buffer.from('\r\n.\r\n');

/** Dots that begin a line within the chunk. */
function countStuffed(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(LF_DOT); at >= 0; at = chunk.indexOf(LF_DOT, at + 2)) count += 1;
  return count;
}

function stuffed(chunk: Buffer, dots: number, startsWithDot: boolean): Buffer {
  const out = Buffer.allocUnsafe(chunk.length + dots);
  let to = 0;
  if (startsWithDot) to = out.writeUInt8(DOT, to);
  let from = 0;
  for (let at = chunk.indexOf(LF_DOT); at >= 0; at = chunk.indexOf(LF_DOT, from)) {
    to += chunk.copy(out, to, from, at + 1);
    to = out.writeUInt8(DOT, to);
    from = at + 1;
  }
  chunk.copy(out, to, from);
  return out;
}

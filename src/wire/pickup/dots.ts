/**
 * Whether the lines of a file that begin with a dot have one too many, and the file without them.
 *
 * RFC 5321 section 4.5.2. The Windows SMTP service takes a dot off every such line of its pickup directory, and programs of its time put
 * it there (.NET Framework, CDO) and end the file with a line of one dot; later ones do neither (.NET 5 and later).
 * Stuffed is what ends with that line, or has every line that begins with a dot begin with two; raw is what has one line of a dot and
 * other text, or a line of one dot with text behind it. Octets are the decoder's: every line ends with CRLF. Blocks may be cut anywhere.
 * Not by smtp/dataDecoder.ts: there a line of one dot is the end whatever follows, here it stays where text follows.
 * Trust: nothing. Linear; of what may be the end HELD_LIMIT_OCTETS are kept.
 */

import { KIB } from '../../base/units.ts';

/** Listens to a file and tells how it was written. */
export interface DotJudge {
  push(block: Buffer): void;
  end(): 'stuffed' | 'raw';
  /** Whether the other answer is possible too: known after `end`, and only where the answers make a difference. */
  readonly isAmbiguous: boolean;
}

/** Takes stuffed dots out. What comes out may share the block's memory. */
export interface DotUnstuffer {
  push(block: Buffer): Buffer;
  end(): Buffer;
}

/** Octets of blank lines behind a line of one dot: with more, that line is no end. Writers leave one or two. */
export const HELD_LIMIT_OCTETS = 64 * KIB;

const DOT = 0x2e;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const LF_DOT = Buffer.from('\n.');
const END_LINE = Buffer.from('.\r\n');
const NOTHING = Buffer.alloc(0);

/** Where in a line a reader is. */
type Place = 'lineStart' | 'dot' | 'dotReturn' | 'text' | 'afterEnd';

/** A judge of nothing. */
export function createDotJudge(): DotJudge {
  let place: Place = 'lineStart';
  let doubled = false;
  let single = false;
  /** A line of one dot with text behind it. */
  let inner = false;
  let last = LF;
  const hasEnd = () => place === 'afterEnd' || place === 'dot' || place === 'dotReturn';
  return {
    push(block) {
      for (let at = 0; at < block.length; at += 1) {
        if (place === 'text') {
          at = block.indexOf(LF, at);
          if (at < 0) return;
          place = 'lineStart';
          last = LF;
          continue;
        }
        const octet = block[at] as number;
        if (place === 'dotReturn' || place === 'dot') {
          if (octet === CR && place === 'dot') place = 'dotReturn';
          else if (octet === LF) place = 'afterEnd';
          else {
            if (octet === DOT && place === 'dot') doubled = true;
            else single = true;
            place = 'text';
          }
        } else if (place === 'lineStart' || !isBlank(octet)) {
          if (place === 'afterEnd') inner = true;
          if (octet !== LF) place = octet === DOT && last === LF ? 'dot' : 'text';
        }
        last = octet;
      }
    },
    end: () => (single || inner || !(doubled || hasEnd()) ? 'raw' : 'stuffed'),
    get isAmbiguous() {
      if (single || inner) return hasEnd();
      return doubled && !hasEnd();
    },
  };
}

/** An unstuffer at the start of a message. */
export function createDotUnstuffer(): DotUnstuffer {
  let place: Place = 'lineStart';
  /** A line of one dot, and blank lines behind it. */
  let held: number[] = [];
  return {
    push(block) {
      const isInside = place === 'text' || (place === 'lineStart' && block[0] !== DOT);
      if (isInside && !block.includes(LF_DOT)) {
        if (block.length > 0) place = block.at(-1) === LF ? 'lineStart' : 'text';
        return block;
      }
      const out = Buffer.allocUnsafe(block.length + held.length + END_LINE.length);
      let length = 0;
      for (const octet of block) {
        if (place === 'dot' && octet === CR) {
          place = 'dotReturn';
          continue;
        }
        if ((place === 'dot' || place === 'dotReturn') && octet === LF) {
          held = [...END_LINE];
          place = 'afterEnd';
          continue;
        }
        if (place === 'afterEnd' && isBlank(octet) && held.length < HELD_LIMIT_OCTETS) {
          held.push(octet);
          continue;
        }
        if (place === 'afterEnd') {
          place = held.at(-1) === LF ? 'lineStart' : 'text';
          for (const before of held) out[length++] = before;
          held = [];
        }
        if (place === 'lineStart' && octet === DOT) {
          place = 'dot';
          continue;
        }
        if (place === 'dotReturn') out[length++] = CR;
        out[length++] = octet;
        place = octet === LF ? 'lineStart' : 'text';
      }
      return out.subarray(0, length);
    },
    end: () => NOTHING,
  };
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB || octet === CR || octet === LF;
}

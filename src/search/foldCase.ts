/**
 * Text in the form in which it is compared: lower case, composed (Unicode NFC), and the two small sigmas made one.
 *
 * Folding does not look around: a piece of a text folds to the same characters wherever it stands, or a text would not be
 * found in another one that holds it. JavaScript's lower case looks around in one case, the sigma at the end of a word.
 * Composition joins a letter and the marks behind it, so a text that comes in pieces is cut before a letter (createFolder).
 */

/** `text` folded. */
export function foldCase(text: string): string {
  const lower = text.toLowerCase();
  // Below U+0300 nothing composes and no sigma is: most mail.
  return BEYOND_LATIN.test(lower) ? lower.replaceAll('ς', 'σ').normalize('NFC') : lower;
}

/** Folds a text that comes in pieces; all it gives, joined, is `foldCase` of all it took. */
export interface Folder {
  push(piece: string): string;
  end(): string;
}

/** A folder for one text. It holds back a letter and its marks, HELD_LIMIT_CHARS at most. */
export function createFolder(): Folder {
  let held = '';
  return {
    push: (piece) => {
      const text = held + piece;
      const cut = lastLetter(text);
      held = text.slice(cut);
      return foldCase(text.slice(0, cut));
    },
    end: () => {
      const rest = foldCase(held);
      held = '';
      return rest;
    },
  };
}

const BEYOND_LATIN = /[\u0300-\uffff]/;
/** What may compose with the letter before it: marks, and the second and third letters of Korean syllables. */
const JOINING = /^[\p{M}\u1160-\u11ff\ud7b0-\ud7ff\u{16d67}]$/u;
/** Marks on one letter that are kept together; Unicode's stream-safe form has 30. */
const HELD_LIMIT_CHARS = 256;

/** Where the last letter begins: before it the text can be cut. */
function lastLetter(text: string): number {
  const first = Math.max(0, text.length - HELD_LIMIT_CHARS);
  let at = text.length;
  while (at > first) {
    at -= isLowSurrogate(text, at - 1) && at > 1 ? 2 : 1;
    if (!JOINING.test(String.fromCodePoint(text.codePointAt(at) as number))) break;
  }
  return at;
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}

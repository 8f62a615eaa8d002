/**
 * A header field of ours whose text may be anybody's: folded, and in encoded words where it is not ASCII (RFC 2047 section 5 (1),
 * RFC 5322 sections 2.2.3 and 3.2.5).
 *
 * Invariant: whatever the text is, it stays one field of ASCII lines. Control characters become spaces.
 */

/** RFC 5322 section 2.1.1. */
const LINE_AIM_CHARS = 78;
/** An encoded word has 75 characters at most (RFC 2047 section 2): 12 around its base64, which leaves 45 octets. */
const WORD_LIMIT_OCTETS = 45;

/** The field with its CRLF. `name` is ours to answer for. */
export function formatUnstructured(name: string, text: string): string {
  const clean = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .toWellFormed()
    .trim();
  const words = /^[ -~]*$/.test(clean) && !clean.includes('=?') ? clean.split(/ +/) : encodedWords(clean);
  let folded = `${name}:`;
  let lineStart = 0;
  for (const word of words) {
    const isFull = folded.length - lineStart + 1 + word.length > LINE_AIM_CHARS;
    if (isFull && folded.length - lineStart > name.length + 1) {
      folded += '\r\n';
      lineStart = folded.length;
    }
    folded += ` ${word}`;
  }
  return `${folded}\r\n`;
}

/** Each holds whole characters (RFC 2047 section 5). */
function encodedWords(text: string): string[] {
  const words: string[] = [];
  let piece = '';
  for (const character of text) {
    if (Buffer.byteLength(piece + character) > WORD_LIMIT_OCTETS) {
      words.push(encodedWord(piece));
      piece = '';
    }
    piece += character;
  }
  return [...words, encodedWord(piece)];
}

function encodedWord(text: string): string {
  return `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
}

/**
 * i;unicode-casemap: the collation by which SORT and THREAD compare texts (RFC 5051 section 2, RFC 5256 section 7).
 *
 * Each character becomes its titlecase character (the simple mapping of UnicodeData.txt) and is then decomposed, compatibly
 * and for good; keys are compared by their octets in UTF-8. A key has one character for each octet, so that comparing strings
 * compares octets, and it shares no memory with the text that it was made from.
 */

/** Digraphs, whose titlecase is neither their upper case nor their lower case. */
const DIGRAPHS: ReadonlyMap<string, string> = new Map(
  ['\u01c4\u01c5\u01c6', '\u01c7\u01c8\u01c9', '\u01ca\u01cb\u01cc', '\u01f1\u01f2\u01f3'].flatMap((forms) =>
    [...forms].map((form): [string, string] => [form, forms.charAt(1)]),
  ),
);
const NON_ASCII = /[^\0-\x7f]/gu;
/** Georgian letters that have an upper case, but are their own titlecase. */
const GEORGIAN = /[\u10d0-\u10ff]/;
/** From a Greek letter with iota below to its titlecase: U+1F80 to U+1F88, U+1FB3 to U+1FBC. Upper case makes it two letters. */
const GREEK_DISTANCES = [8, 9];

/** The key by which `text` is compared. */
export function casemapKey(text: string): string {
  const mapped = text
    .replace(/[a-z]+/g, (letters) => letters.toUpperCase())
    .replace(NON_ASCII, (character) => titlecase(character).normalize('NFKD'));
  return Buffer.from(mapped, 'utf8').toString('latin1');
}

function titlecase(character: string): string {
  const digraph = DIGRAPHS.get(character);
  if (digraph !== undefined) return digraph;
  if (GEORGIAN.test(character)) return character;
  const upper = character.toUpperCase();
  if ([...upper].length === 1) return upper;
  const code = character.codePointAt(0) ?? 0;
  for (const distance of GREEK_DISTANCES) {
    const candidate = String.fromCodePoint(code + distance);
    if (candidate.toLowerCase() === character) return candidate;
  }
  return character;
}

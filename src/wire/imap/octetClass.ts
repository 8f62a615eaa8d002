/**
 * Which octets belong to which of IMAP's character rules, as one table of bits.
 *
 * RFC 3501 section 9: ASTRING-CHAR, ATOM-CHAR, list-char, tag; RFC 4466 section 3: tagged-label-char. Looked up octet by
 * octet by decoder.ts and by the formatters that choose between atom, quoted and literal.
 * Deviates from RFC 3501 because home-made clients send passwords and mailbox names in 8-bit without quotes: an astring and
 * a list-mailbox take 0x80 to 0xFF as well. An atom never does.
 */

/** ASTRING-CHAR and, by the deviation above, 8-bit. */
export const ASTRING_CHAR = 1;
/** ATOM-CHAR. */
export const ATOM_CHAR = 2;
/** list-char and, by the deviation above, 8-bit. */
export const LIST_CHAR = 4;
/** An octet of a tag: ASTRING-CHAR without "+". */
export const TAG_CHAR = 8;
/** tagged-label-char: names of commands, keys, items and options are made of them. */
export const LABEL_CHAR = 16;
/** DIGIT. */
export const DIGIT = 32;

/** The bits of each octet; 256 of them. */
export const OCTET_CLASSES: Uint8Array = classify();

/** Whether every character of `text` (U+0000 to U+00FF) belongs to `octetClass`; an empty text belongs to none. */
export function isMadeOf(text: string, octetClass: number): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (((OCTET_CLASSES[text.charCodeAt(index)] ?? 0) & octetClass) === 0) return false;
  }
  return text.length > 0;
}

function classify(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let octet = 0x21; octet < 0x7f; octet += 1) classes[octet] = classesOf(String.fromCharCode(octet));
  classes.fill(ASTRING_CHAR | LIST_CHAR, 0x80);
  return classes;
}

function classesOf(char: string): number {
  let bits = 0;
  const isAtomChar = !'(){%*"\\]'.includes(char);
  if (isAtomChar) bits |= ATOM_CHAR;
  if (isAtomChar || char === ']') bits |= ASTRING_CHAR;
  if (isAtomChar || ']%*'.includes(char)) bits |= LIST_CHAR;
  if ((isAtomChar || char === ']') && char !== '+') bits |= TAG_CHAR;
  if (/[A-Za-z0-9._:-]/.test(char)) bits |= LABEL_CHAR;
  if (/[0-9]/.test(char)) bits |= DIGIT;
  return bits;
}

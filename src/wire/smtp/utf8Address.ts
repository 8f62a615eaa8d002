/**
 * Addresses of the type utf-8 in ASCII: utf-8-addr-xtext (RFC 6533 section 3), for ORCPT and for reports that have to pass servers
 * without SMTPUTF8.
 */

/** The address with each character that is not QCHAR as `\x{...}`. What is in this form already stays as it is. */
export function escapeUtf8Address(address: string): string {
  if (isEscaped(address)) return address;
  return address
    .toWellFormed()
    .replace(/[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]/gu, (character) => `\\x{${hexPoint(character)}}`);
}

/** The address with its characters as they are; an escape that names no character stays. */
export function unescapeUtf8Address(address: string): string {
  return address.replace(/\\x\{([0-9A-F]{2,6})\}/g, (all, digits: string) => {
    const point = Number.parseInt(digits, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : all;
  });
}

function isEscaped(address: string): boolean {
  return /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]|\\x\{[0-9A-F]{2,6}\})*$/.test(address);
}

/** EmbeddedUnicodeChar: two digits at least. */
function hexPoint(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0');
}

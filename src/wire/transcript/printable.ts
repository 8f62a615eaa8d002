/**
 * Octets of a client or a server as text that a terminal shows and does not obey: every octet that is not printable US-ASCII
 * becomes `\xNN`.
 *
 * A backslash stands for itself, as `DOMAIN\user` is to be read as it was sent; before `x` and two hexadecimal digits it is
 * doubled, so that nothing reads like an escape that is none.
 */

const ESCAPED = /[^\x20-\x7e]|\\(?=x[0-9a-fA-F]{2})/g;

/** `octets` as printable US-ASCII. */
export function printable(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    .toString('latin1')
    .replace(ESCAPED, (char) =>
      char === '\\' ? '\\\\' : `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}

/** `text` (UTF-8 where it is more than US-ASCII) as printable US-ASCII. */
export function printableText(text: string): string {
  return printable(Buffer.from(text, 'utf8'));
}

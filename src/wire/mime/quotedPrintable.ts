/**
 * Octets as quoted-printable (RFC 2045 section 6.7), for bodies that we write ourselves and that have to pass every server.
 *
 * CRLF stays a line end; a CR or LF alone is an octet like any other. Lines have 76 characters at most.
 */

/** RFC 2045 section 6.7 rule 5, without the `=` of a soft line break. */
const LINE_LIMIT_CHARS = 75;

/** The octets in ASCII. */
export function encodeQuotedPrintable(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
  return text.split('\r\n').map(encodeLine).join('\r\n');
}

function encodeLine(line: string): string {
  let encoded = '';
  let length = 0;
  for (const [index, character] of [...line].entries()) {
    const piece = isPlain(character, index === line.length - 1) ? character : hexOf(character);
    if (length + piece.length > LINE_LIMIT_CHARS) {
      encoded += '=\r\n';
      length = 0;
    }
    encoded += piece;
    length += piece.length;
  }
  return encoded;
}

function isPlain(character: string, isLast: boolean): boolean {
  if (character === ' ' || character === '\t') return !isLast;
  return character >= '!' && character <= '~' && character !== '=';
}

function hexOf(character: string): string {
  return `=${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

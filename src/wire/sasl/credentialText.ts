/**
 * User names and passwords as text.
 *
 * RFC 4616 section 2 has UTF-8. Deviates from it because legacy applications on Windows send their code page: octets that are
 * not UTF-8 are read as ISO 8859-1, so that a password with an umlaut is the same one from every client. Used for SASL, IMAP's
 * LOGIN and POP3's USER and PASS.
 */

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of `octets`. Never throws. */
export function decodeCredentialText(octets: Buffer): string {
  try {
    return UTF8.decode(octets);
  } catch {
    return octets.toString('latin1');
  }
}

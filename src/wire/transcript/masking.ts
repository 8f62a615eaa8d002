/**
 * What stands in a transcript in place of what nobody may read: one mark for every secret, whatever its form and length.
 */

/** In place of a secret, and of everything that might be one. */
export const MASK = '***';

/** Mechanisms whose names are shown. What stands in the place of one and is none may be a client's base64. RFC 4422 section 8.1. */
export const MECHANISMS: ReadonlySet<string> = new Set(
  (
    'PLAIN LOGIN CRAM-MD5 DIGEST-MD5 NTLM MSN SPA GSSAPI GSS-SPNEGO KERBEROS_V4 EXTERNAL ANONYMOUS XOAUTH XOAUTH2 OAUTHBEARER ' +
    'SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS SRP SKEY S/KEY OTP XYMCOOKIE'
  ).split(' '),
);

/** In place of `count` octets of a message, or of any other content that has no place in a transcript. */
export function summary(count: number): string {
  return `[${count} octets]`;
}

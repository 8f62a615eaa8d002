/**
 * What a failed TLS handshake means, said so that an administrator knows what to change.
 *
 * The codes are Node's names for OpenSSL's reasons (ERR_SSL_ and the reason in capitals). Legacy clients fail in few ways
 * (facts: .NET 4.5, Java 7, Delphi with OpenSSL 1.0 and many scanners speak only TLS 1.0), and the log line is the only place
 * where anybody sees why. Called by tlsUpgrade.ts; the text goes to the log, never to the other side.
 */

const MEANINGS: readonly (readonly [code: RegExp, meaning: string])[] = [
  [
    /UNSUPPORTED_PROTOCOL|UNKNOWN_PROTOCOL|VERSION_TOO_LOW/,
    'the client speaks only TLS versions older than this listener takes; a listener with the legacy TLS profile would take it',
  ],
  [
    /NO_SHARED_CIPHER|NO_SUITABLE_|DH_KEY_TOO_SMALL|UNSUPPORTED_ELLIPTIC/,
    'the client and this listener have no cipher in common; a listener with the legacy TLS profile may take it',
  ],
  [
    /HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LENGTH|BAD_RECORD_TYPE/,
    'the client sent something else than TLS: it is set to plain text or STARTTLS on a port with TLS from the first octet, or it sent more after STARTTLS',
  ],
  [
    /ALERT_(UNKNOWN_CA|CERTIFICATE_|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE)/,
    'the client does not trust the certificate; import it there, or use one from an authority that the client knows',
  ],
  [/ALERT_PROTOCOL_VERSION/, 'the client refuses the TLS versions of this listener'],
  [
    /ALERT_HANDSHAKE_FAILURE/,
    'the client refuses the ciphers or the key of this listener (an old client may know RSA keys only)',
  ],
];

/** One sentence on why a handshake failed. */
export function explainTlsFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  for (const [pattern, meaning] of MEANINGS) if (pattern.test(code)) return `${meaning} (${code})`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the client broke off during the TLS handshake';
  return error instanceof Error ? error.message : String(error);
}

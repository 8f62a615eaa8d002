/**
 * What a SASL mechanism is to the session that runs it: a small machine that is fed decoded responses.
 *
 * RFC 4422 section 3 and 5. The session sends challenges in base64 and decodes what comes back (base64.ts); a machine lives for
 * one exchange. It throws WireError where a message breaks the mechanism's grammar, which is a syntax error to the client.
 * Trust: machines only read; whether the credentials are right is decided by accounts.
 */

/** What a client says it is. Never to be logged. */
export interface SaslCredentials {
  /** Whom the client wants to act as; empty: as whom it authenticates (RFC 4616 section 2). */
  readonly authorizationId: string;
  readonly authenticationId: string;
  readonly password: string;
}

/** What the session does next. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly challenge: Buffer }
  | { readonly kind: 'credentials'; readonly credentials: SaslCredentials };

/** One exchange: start() once, then respond() after each challenge. Both throw WireError. */
export interface SaslExchange {
  /** `initialResponse` is undefined where the client sent none. */
  start(initialResponse: Buffer | undefined): SaslStep;
  respond(response: Buffer): SaslStep;
}

/**
 * Access tokens as whoever logs in with them sees them (RFC 6749 section 1.4): asked for each time, kept and renewed elsewhere.
 */

/** What asking for a token ends with. No text has a token or a secret in it. */
export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: string }
  /** The token endpoint says no, and will until somebody changes something. */
  | { readonly kind: 'refused'; readonly reason: string; readonly advice: string }
  /** It cannot be asked now, or is overloaded. */
  | {
      readonly kind: 'unavailable';
      readonly reason: string;
      readonly retryAfterMs?: number | undefined;
    };

/** Where tokens come from: one application, resource and user. */
export interface AccessTokens {
  /**
   * A token that is good for some minutes at least. `rejected` is one that the server did not take: it is not answered again.
   * Never rejects but for an abort.
   */
  token(signal: AbortSignal, rejected?: string): Promise<TokenAnswer>;
}

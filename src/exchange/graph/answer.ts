/**
 * What a request to Graph ended with, in the classes by which a queue goes on.
 *
 * The relay turns them into outcomes of recipients and trouble of the hop; the client makes them.
 */

/** `reply` and `reason` are one line, with the request's ids where Graph named them; no token is in them. */
export type GraphAnswer =
  /** 202: Graph has taken the message over. That is not delivery; what becomes of it is told to the mailbox. */
  | { readonly kind: 'accepted'; readonly reply: string }
  /** This message will never go this way. `isUnsuited`: another way may take it. */
  | {
      readonly kind: 'permanent';
      readonly reply: string;
      /** RFC 3463, class 5. */
      readonly status: string;
      readonly isUnsuited: boolean;
    }
  /**
   * Not now. `isLost`: there was no answer; `isDoubtful`: nor before the whole message had left, so Graph may have taken it all the
   * same.
   */
  | {
      readonly kind: 'temporary';
      readonly reply: string;
      /** RFC 3463, class 4. */
      readonly status: string;
      readonly retryAfterMs?: number | undefined;
      readonly isLost: boolean;
      readonly isDoubtful: boolean;
    }
  | { readonly kind: 'throttled'; readonly reason: string; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'quota'; readonly reason: string; readonly advice: string }
  | { readonly kind: 'misconfigured'; readonly reason: string; readonly advice: string }
  /** Graph could not be reached, or what was reached is not Graph. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** The message could not be read, or is not as long as was said. */
  | { readonly kind: 'unreadable'; readonly error: unknown }
  /** By the caller, before the message's end had left. */
  | { readonly kind: 'aborted' };

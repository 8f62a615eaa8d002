/**
 * What can be set for the sake of old programs, by name: for all, for a listener, for an account, or by a profile
 * (compatibility.ts says which of them decides).
 */

/** Non-synchronising literals of any length (LITERAL+), or of up to 4096 octets (LITERAL-, RFC 7888 section 5). */
export type LiteralForm = 'plus' | 'minus';

/** Whether POP3 sessions may have one maildrop at the same time, or only one after the other (RFC 1939 section 4). */
export type Sharing = 'shared' | 'exclusive';

/** What can be set, by name. */
export interface CompatibilityKeys {
  /** The whole text of the greeting behind OK; the server's name and its capabilities where absent. */
  readonly 'imap.greeting'?: string | undefined;
  readonly 'imap.delimiter'?: '/' | '.' | undefined;
  readonly 'imap.literals'?: LiteralForm | undefined;
  readonly 'imap.hiddenCapabilities'?: readonly string[] | undefined;
  /** As `imap.greeting`. No `<`: clients would take it for an APOP timestamp (RFC 1939 section 7). */
  readonly 'pop3.greeting'?: string | undefined;
  /** Whether RETR sets \Seen. */
  readonly 'pop3.marksSeen'?: boolean | undefined;
  readonly 'pop3.sharing'?: Sharing | undefined;
  readonly 'pop3.hiddenCapabilities'?: readonly string[] | undefined;
}

/** The name of a key. */
export type CompatibilityKey = keyof CompatibilityKeys;

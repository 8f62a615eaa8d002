/**
 * What POP3 says to people: every text behind +OK and -ERR, in one language (RFC 6856 section 3).
 *
 * Programs read the status, the response code and the figures; the texts are for logs and persons, so a translation may order
 * its words as it likes. RFC 1939 has ASCII only: that holds for English, the language of every session that asks for no other.
 */

import type { MailErrorCode } from '../../base/error.ts';

/** The texts of one language. */
export interface Phrases {
  /** The language's tag (BCP 47). */
  readonly tag: string;
  /** The language's name in the language itself. */
  readonly name: string;
  readonly languageListing: string;
  readonly languageChosen: string;
  readonly languageUnknown: string;
  readonly capabilityListing: string;
  readonly utf8Chosen: string;
  readonly beginTls: string;
  readonly tlsUnavailable: string;
  readonly nowThePassword: string;
  readonly userFirst: string;
  readonly mechanismListing: string;
  readonly mechanismUnsupported: string;
  readonly authenticationCancelled: string;
  loggedIn(messages: number, octets: number): string;
  readonly logInFirst: string;
  readonly notAfterLogin: string;
  readonly unknownCommand: string;
  readonly lineTooLong: string;
  syntaxError(expected: string): string;
  listing(messages: number, octets: number): string;
  readonly noSuchMessage: string;
  wholeMessage(octets: number): string;
  readonly topOfMessage: string;
  markedDeleted(message: number): string;
  unmarked(messages: number, octets: number): string;
  readonly nothingDone: string;
  readonly goodbye: string;
  goodbyeAfter(deletedMessages: number): string;
  readonly deletedRemain: string;
  readonly noLoginInTime: string;
  readonly silentTooLong: string;
  error(code: MailErrorCode): string;
}

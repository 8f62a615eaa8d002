/**
 * POP3's texts in English: ASCII, and what every session begins with.
 */

import { MAIL_ERRORS } from '../../base/error.ts';
import type { Phrases } from './phrases.ts';

/** English. */
export const ENGLISH: Phrases = {
  tag: 'en',
  name: 'English',
  languageListing: 'Language listing follows',
  languageChosen: 'Language changed',
  languageUnknown: 'This language is not available',
  capabilityListing: 'Capability list follows',
  utf8Chosen: 'UTF-8 from here on',
  beginTls: 'Begin TLS',
  tlsUnavailable: 'TLS is not available now',
  nowThePassword: 'Now the password',
  userFirst: 'USER comes first',
  mechanismListing: 'Mechanisms follow',
  mechanismUnsupported: 'Unsupported authentication mechanism',
  authenticationCancelled: 'Authentication cancelled',
  loggedIn: (messages, octets) => `Logged in, ${messages} messages (${octets} octets)`,
  logInFirst: 'Log in first',
  notAfterLogin: 'Not after login',
  unknownCommand: 'Unknown command',
  lineTooLong: 'Line too long',
  syntaxError: (expected) => `Syntax error: expected ${expected}`,
  listing: (messages, octets) => `${messages} messages (${octets} octets)`,
  noSuchMessage: 'No such message',
  wholeMessage: (octets) => `${octets} octets`,
  topOfMessage: 'Top of message follows',
  markedDeleted: (message) => `Message ${message} deleted`,
  unmarked: (messages, octets) => `Maildrop has ${messages} messages (${octets} octets)`,
  nothingDone: 'Nothing done',
  goodbye: 'Goodbye',
  goodbyeAfter: (deletedMessages) => `Goodbye, ${deletedMessages} messages deleted`,
  deletedRemain: 'Some deleted messages were not removed',
  noLoginInTime: 'Too long without a login',
  silentTooLong: 'Too long without a command',
  error: (code) => MAIL_ERRORS[code].publicText,
};

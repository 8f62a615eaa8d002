/**
 * Every number that bounds an SMTP session, with its reason. What an administrator may change is in smtpd.ts's options.
 */

import { HOUR_MS, KIB, MINUTE_MS, SECOND_MS } from '../base/units.ts';

/** From one complete command to the next; RFC 5321 section 4.5.3.2.7 asks a server for 5 minutes at least. No octet extends it. */
export const COMMAND_DEADLINE_MS = 5 * MINUTE_MS;
/** Between messages: from the greeting or the last accepted message to the next DATA. NOOP must not hold a place for ever. */
export const PROGRESS_DEADLINE_MS = 15 * MINUTE_MS;
/**
 * How long data may come at any pace, and the most that octets can buy at a time; a client may pause for 3 minutes between blocks (RFC
 * 5321 section 4.5.3.2.5).
 */
export const DATA_GRACE_MS = 5 * MINUTE_MS;
/** Octets of a message, by DATA or in chunks, that buy it a second (Postfix's smtpd_min_data_rate). */
export const DATA_RATE_OCTETS_PER_SECOND = 500;
/** A whole session, whatever it does: 150 MiB over an ISDN line take 5.5 hours. */
export const SESSION_DEADLINE_MS = 6 * HOUR_MS;
/** What answering a command may take: some reads of the directory. */
export const HANDLER_DEADLINE_MS = 30 * SECOND_MS;
/** What a login may take: a hash's turn (20 s) behind the longest delay that can be set (30 s). */
export const LOGIN_DEADLINE_MS = MINUTE_MS;
/** How long after an accepted message a full listener evicts nobody: as long as a client needs for its next one, not as it may wait. */
export const PLACE_KEPT_MS = MINUTE_MS;
/**
 * What accepting a message may take when all of it has come. transfer has deadlines of its own, of 5 minutes for the commit; this one
 * stands behind them. A client waits for 10 minutes (RFC 5321 section 4.5.3.2.6).
 */
export const ACCEPT_DEADLINE_MS = 9 * MINUTE_MS;
/** How long a session that we have ended waits for the client to read the last reply and to close. */
export const LINGER_MS = 5 * SECOND_MS;

/** Octets of a command line: RFC 5321 section 4.5.3.1.4 asks for 512, extensions add some hundred. */
export const COMMAND_LINE_LIMIT_OCTETS = 4 * KIB;
/** Octets of AUTH and of a line that answers a challenge: RFC 4954 section 4 has servers accept 12,288 of base64. */
export const LOGIN_LINE_LIMIT_OCTETS = 12 * KIB + 64;
/** Wrong commands since the last accepted message (Postfix's smtpd_hard_error_limit). */
export const ERROR_LIMIT = 20;
/** Commands that lead nowhere since the last accepted message (Postfix's smtpd_junk_command_limit). */
export const JUNK_COMMAND_LIMIT = 100;
/**
 * Commands of any kind since the last accepted message: twice the most recipients that can be set. RCPT beyond the limit of
 * recipients is answered 452, which is no error, and transactions that come to nothing are none either.
 */
export const COMMAND_LIMIT = 20_000;
/** Failed logins in one session, as in POP3 and IMAP sessions. An accepted message does not forgive them. */
export const FAILED_LOGIN_LIMIT = 5;
/**
 * Refused recipients since the last accepted message. Exchange Online sends up to 1000 recipients at a time: with fewer a
 * message to 999 that are gone and one that is not would be cut off at every try, and never arrive.
 */
export const REFUSED_RECIPIENT_LIMIT = 1000;

/** Chunks (BDAT) since the last accepted message, however small: Exim sends 150 MiB in 19,200 of 8 KiB. */
export const FREE_CHUNKS = 10_000;
/** Beyond those, the octets that chunks must have on average: each one costs us as much as a command. */
export const CHUNK_AVERAGE_OCTETS = 64;

/** Octets of a message that wait for the store before the client is kept waiting. */
export const BODY_WINDOW_OCTETS = 128 * KIB;
/** Replies gathered before they are written although more commands are at hand. */
export const REPLY_BATCH_OCTETS = 16 * KIB;

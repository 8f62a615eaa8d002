/**
 * Every number that bounds an SMTP session, with its reason. What an administrator may change is in smtpd.ts's options.
 */

import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/units.ts';

/** From one reply to the next complete command; RFC 5321 section 4.5.3.2.7 asks a server for 5 minutes at least. */
export const COMMAND_DEADLINE_MS = 5 * MINUTE_MS;
/** A session that hands over no message for so long ends, whatever it sends: NOOP must not hold a place for ever. */
export const SESSION_DEADLINE_MS = HOUR_MS;
/** A message has to arrive within this time; a scanner on a slow line sends 20 MB in 20 minutes. */
export const DATA_DEADLINE_MS = HOUR_MS;
/** Octets per second that a message has to arrive with on average (Postfix's smtpd_min_data_rate under stress) ... */
export const DATA_RATE_LIMIT_OCTETS = 500;
/** ... once it has been arriving for so long; a client may pause for 3 minutes between blocks (RFC 5321 section 4.5.3.2.5). */
export const DATA_RATE_GRACE_MS = 3 * MINUTE_MS;
/** How often all sessions' deadlines are looked at; they are late by so much at the most. */
export const DEADLINE_PERIOD_MS = 5 * SECOND_MS;
/** What answering MAIL or RCPT may take: some reads of the directory. */
export const HANDLER_DEADLINE_MS = 30 * SECOND_MS;
/** Replies of the 4yz and 5yz kinds since the last accepted message, after which the session ends: guessing of addresses. */
export const REFUSALS_LIMIT = 100;
/** Octets of a command line: RFC 5321 section 4.5.3.1.4 asks for 512, extensions add to it. */
export const COMMAND_LINE_LIMIT_OCTETS = 4096;

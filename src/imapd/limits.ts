/**
 * What bounds an IMAP session, each with its reason. Limits of lines and literals are the framer's (wire/imap/framing.ts).
 *
 * What an administrator may change is in options.ts; these are what no setting should reach.
 */

import { KIB, MIB, MINUTE_MS, SECOND_MS } from '../base/units.ts';

/** Silence before login. RFC 9051 section 5.4 allows less than 30 minutes there; Exchange has 1 minute. */
export const LOGIN_IDLE_TIMEOUT_MS = MINUTE_MS;
/** The whole time before login: an octet each 50 seconds shall not hold a connection for ever. */
export const LOGIN_DEADLINE_MS = 5 * MINUTE_MS;
/** Autologout after login, the least that RFC 3501 section 5.4 allows. */
export const IDLE_TIMEOUT_MS = 30 * MINUTE_MS;
/**
 * Sessions of one account at a time. A mail program takes 5 to 10, and an application may have some for each of its threads;
 * a listener takes 1,000 connections, so that ten accounts that leak them use it up and one does not.
 */
export const SESSIONS_PER_ACCOUNT_LIMIT = 100;
/** In IDLE a line goes out this often: it keeps a NAT's table entry alive and finds clients that are gone. */
export const STILL_HERE_PERIOD_MS = 5 * MINUTE_MS;
/** Commands before login. A client needs five: CAPABILITY, ID, STARTTLS, CAPABILITY, LOGIN. */
export const LOGIN_COMMAND_LIMIT = 100;
/** Failed logins in one connection. S22.Imap tries five mechanisms blindly before LOGIN, but those are unknown, not failed. */
export const LOGIN_FAILURE_LIMIT = 5;
/** Commands in a row that are not understood, before BYE. A client that tries things out gets some wrong. */
export const BAD_COMMAND_LIMIT = 20;
/** Octets of a refused non-synchronising literal that are read and dropped; more is not worth the bandwidth: BYE (RFC 7888 section 4). */
export const DISCARD_LIMIT_OCTETS = 8 * MIB;
/** Octets of a non-synchronising literal where LITERAL- is offered (RFC 7888 section 5). */
export const LITERAL_MINUS_LIMIT_OCTETS = 4096;
/** Messages of one APPEND: their drafts and structures are held until the last one has come. */
export const APPEND_MESSAGE_LIMIT = 1000;
/** Sessions of a server that are compressed at a time: 170 MiB with what each costs (net/compression.ts). */
export const COMPRESSED_SESSION_LIMIT = 1000;
/** How long a closing server waits for a client to read its BYE. */
export const BYE_DEADLINE_MS = 2 * SECOND_MS;
/** Messages whose derived data is asked for at a time: an ENVELOPE and a structure are some KiB each. */
export const FETCH_BATCH_MESSAGES = 32;
/** Octets of messages that are opened at a time, but for a single one: a session holds no more than a piece of a large one has. */
export const FETCH_BATCH_OCTETS = 256 * KIB;
/** Messages that a search for MAX begins with at the mailbox's end; each block before it is twice as large. */
export const SEARCH_FIRST_BLOCK_MESSAGES = 64;
/** Characters of a subject, name or address that SORT and THREAD compare: more than a line of a message may have (998). */
export const SORT_TEXT_CHARS = 1000;
/** Characters of sort values, subjects and message IDs that one SORT or THREAD keeps: 200,000 messages with 200 each. */
export const SORT_KEPT_CHARS_LIMIT = 64 * MIB;
/** Message IDs of one References field, the last ones. Threads of hundreds exist; a field of 1 MiB would have 20,000. */
export const REFERENCES_LIMIT = 500;

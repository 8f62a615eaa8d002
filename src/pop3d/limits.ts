/**
 * What a POP3 session may cost, and how long it may be silent. docs/LIMITS.md is made from these comments.
 */

import { MINUTE_MS } from '../base/units.ts';

/** Silence before login: a person with Telnet gets by, a scanner of ports does not stay. */
export const LOGIN_TIMEOUT_MS = MINUTE_MS;
/** The whole time before login: a command now and then, or without a pause, shall not hold a connection for ever. */
export const LOGIN_DEADLINE_MS = 5 * MINUTE_MS;
/** Silence after login (RFC 1939 section 3: at least 10 minutes). What a client still takes of a message is no silence. */
export const IDLE_TIMEOUT_MS = 10 * MINUTE_MS;
/** Commands in a row that were refused: old clients try a few unknown ones. */
export const REFUSED_COMMAND_LIMIT = 20;
/** Failed logins in one session. */
export const FAILED_LOGIN_LIMIT = 5;
/**
 * Silence, neither a command nor an octet of an answer taken, after which a newer login gets an exclusive maildrop: two polls of
 * a fetcher that comes each minute, and longer than an application ponders over a message between RETR and DELE.
 */
export const TAKEOVER_SILENCE_MS = 2 * MINUTE_MS;
/** Logins that are remembered for LOGIN-DELAY, by account and address; the oldest is forgotten beyond them. Some 2 MB. */
export const LOGIN_DELAY_ENTRY_LIMIT = 20_000;

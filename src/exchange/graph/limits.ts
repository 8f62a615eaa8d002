/**
 * The limits of talking with Microsoft Graph: its own, as Microsoft publishes them, and how long and how much we wait for.
 */

import { DAY_MS, KIB, MINUTE_MS, SECOND_MS } from '../../base/units.ts';

/** Requests at a time of one application, whatever the mailboxes (throttling-limits.md, "Limits per app ID"). */
export const APPLICATION_TURNS = 4;
/** Requests at a time in one mailbox. One age of Microsoft's page counts its four by mailbox; half of it leaves room for others. */
export const MAILBOX_TURNS = 2;
/** Until TCP and TLS stand, the DNS included. */
export const CONNECT_DEADLINE_MS = 30 * SECOND_MS;
/** Without an octet of the message leaving; as a block of SMTP's data (RFC 5321 section 4.5.3.2.5). */
export const SEND_DEADLINE_MS = 3 * MINUTE_MS;
/**
 * From the message's last octet to the answer. Graph's gateway gives up first, with 504; giving up before it would leave unknown
 * whether the message went.
 */
export const ANSWER_DEADLINE_MS = 5 * MINUTE_MS;
/** The same once the caller has given up: a double is worse than a short wait. */
export const ABORTED_ANSWER_DEADLINE_MS = 20 * SECOND_MS;
/** From an answer's head to the end of its body, which is only read to tell why. */
export const ANSWER_BODY_DEADLINE_MS = 10 * SECOND_MS;
/** Of an answer's body; Graph's errors have some hundred octets, a proxy's page may have more than anyone wants. */
export const ANSWER_BODY_LIMIT_OCTETS = 64 * KIB;
/** Of a header of an answer, all fields. */
export const ANSWER_HEAD_LIMIT_OCTETS = 32 * KIB;
/** Characters of what Graph said, as it goes into a trace. */
export const REPLY_LIMIT_CHARACTERS = 500;
/** Error objects inside each other that are looked into. */
export const INNER_ERROR_LIMIT = 10;
/** The longest that Retry-After is believed. */
export const RETRY_AFTER_LIMIT_MS = DAY_MS;

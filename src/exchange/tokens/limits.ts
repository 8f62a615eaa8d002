/**
 * How long and how much asking for tokens may take.
 */

import { DAY_MS, HOUR_MS, KIB, MINUTE_MS, SECOND_MS } from '../../base/units.ts';

/** One request from the connection to the end of the answer; Entra answers within a second or two. */
export const REQUEST_DEADLINE_MS = 20 * SECOND_MS;
/** The body of an answer; Entra's have some 3 KB, 8 KB with many roles. */
export const ANSWER_LIMIT_OCTETS = 256 * KIB;
/** A token of Entra has up to some 5 KB; a line of SMTP AUTH takes 12,288 octets in base64 (RFC 4954 section 4.5.3.1). */
export const TOKEN_LIMIT_CHARS = 16 * KIB;
/** Before its end a token is renewed while the old one is still used, so that no message waits for it. */
export const RENEWAL_MS = 5 * MINUTE_MS;
/** So long before its end a token is no longer handed out: the login that it is for takes a moment. */
export const LAST_USE_MS = 10 * SECOND_MS;
/** A token whose answer does not say how long it is good for; RFC 6749 section 5.1 leaves that open. */
export const UNSAID_LIFETIME_MS = 10 * MINUTE_MS;
/** Longer ones are taken as this; with continuous access evaluation Entra's are good for 28 hours. */
export const LIFETIME_LIMIT_MS = 2 * DAY_MS;
/** Requests of one renewal, when the endpoint asks to come again within PATIENCE_MS. */
export const ATTEMPTS = 3;
/** A wait longer than this is left to whoever asks; shorter ones are waited for here. */
export const PATIENCE_MS = 5 * SECOND_MS;
/** The first wait after trouble that passes; doubled at each further one, and a fifth more or less of it. */
export const FIRST_WAIT_MS = SECOND_MS;
/** Waits grow no further. */
export const WAIT_LIMIT_MS = 5 * MINUTE_MS;
/** A Retry-After beyond this is taken as this: somebody may mend the endpoint earlier. */
export const RETRY_AFTER_LIMIT_MS = HOUR_MS;
/** After a refusal nothing is asked for so long; less than the quarter of an hour in which a held relay is probed. */
export const REFUSAL_REST_MS = 10 * MINUTE_MS;
/** A token that is rejected so soon after it came would be followed by one like it. */
export const REJECTION_REST_MS = 30 * SECOND_MS;
/** Rejected tokens that are remembered (as hashes), lest the endpoint gives one again. */
export const REJECTED_MEMORY = 16;
/** A clock that is off by more than this against the endpoint's is told of, once an hour. */
export const SKEW_LIMIT_MS = 2 * MINUTE_MS;
/** An assertion is good for so long; Microsoft asks for 5 to 10 minutes. */
export const ASSERTION_LIFETIME_MS = 10 * MINUTE_MS;
/** A file of certificates or of a key that is larger is another file. */
export const PEM_LIMIT_OCTETS = 64 * KIB;
/** Between two questions for a login by code, unless the endpoint says otherwise (RFC 8628 section 3.2). */
export const DEVICE_INTERVAL_MS = 5 * SECOND_MS;
/** The shortest wait between two of them, whatever the endpoint says. */
export const DEVICE_INTERVAL_MINIMUM_MS = SECOND_MS;
/** Added after each `slow_down` (RFC 8628 section 3.5). */
export const SLOW_DOWN_MS = 5 * SECOND_MS;
/** A code is good for 15 minutes at Microsoft; longer ones are not waited for. */
export const DEVICE_LIFETIME_LIMIT_MS = HOUR_MS;
/** Entra forgets a refresh token that was not used for 90 days. */
export const REFRESH_LIFETIME_MS = 90 * DAY_MS;
/** A refresh token that was not used for so long is warned of. */
export const REFRESH_IDLE_WARNING_MS = 60 * DAY_MS;

/**
 * Every number that bounds a session with a next hop, with its reason. Times are by the handed-in clock, and no octet of the other
 * side extends them but where it says so.
 *
 * RFC 5321 section 4.5.3.2 has the least that a client should wait.
 */

import { KIB, MINUTE_MS, SECOND_MS } from '../../base/units.ts';

/** From the first packet to a connection, all addresses of a host together (Postfix's smtp_connect_timeout). */
export const CONNECT_DEADLINE_MS = 30 * SECOND_MS;
/** One address of a host before the next one is tried; the last has what is left. */
export const ADDRESS_DEADLINE_MS = 5 * SECOND_MS;
/** The greeting; RFC 5321 section 4.5.3.2.1. */
export const GREETING_DEADLINE_MS = 5 * MINUTE_MS;
/** The answer to EHLO, STARTTLS, RSET, NOOP, and to each step of AUTH: what a server knows by itself. */
export const COMMAND_DEADLINE_MS = 2 * MINUTE_MS;
/** A TLS handshake. */
export const TLS_DEADLINE_MS = 30 * SECOND_MS;
/** The answer to MAIL; RFC 5321 section 4.5.3.2.2. */
export const MAIL_DEADLINE_MS = 5 * MINUTE_MS;
/** The answer to each RCPT, counted from the answer before; RFC 5321 section 4.5.3.2.3. */
export const RCPT_DEADLINE_MS = 5 * MINUTE_MS;
/** The answer to DATA; RFC 5321 section 4.5.3.2.4. */
export const DATA_DEADLINE_MS = 2 * MINUTE_MS;
/** How long the server may take no octet of the data; RFC 5321 section 4.5.3.2.5. */
export const BLOCK_DEADLINE_MS = 3 * MINUTE_MS;
/** The answer to the end of the data; RFC 5321 section 4.5.3.2.6, to keep doubles rare. */
export const FINAL_DEADLINE_MS = 10 * MINUTE_MS;
/** The same once we are told to end: then the message may come twice, but a server that shuts down must come to its end. */
export const ABORTED_FINAL_DEADLINE_MS = 20 * SECOND_MS;
/** The answer to QUIT, before the connection is closed anyway. */
export const QUIT_DEADLINE_MS = 2 * SECOND_MS;

/** How long a connection without work is kept for the next message; Exchange Online counts it against its three. */
export const IDLE_CONNECTION_MS = 5 * SECOND_MS;
/** Messages over one connection; some servers refuse more, and load spreads over a name's addresses. */
export const MESSAGES_PER_CONNECTION = 100;
/** The age at which a connection takes no further message, so that the first host gets its turn again (Postfix's smtp_connection_reuse_time_limit). */
export const CONNECTION_AGE_MS = 5 * MINUTE_MS;
/** How long a host that could not be reached stands behind the others. */
export const HOST_REST_MS = MINUTE_MS;
/**
 * How long a message that was taken shows that the relay is set up well: until then an answer such as `no connector fits` counts as the
 * sender's and recipient's own (Exchange Online looks at the sender's domain), and does not hold up everybody's mail.
 */
export const PROVEN_MS = 15 * MINUTE_MS;

/** Octets of one reply: 512 a line (RFC 5321 section 4.5.3.1.5), and the answer to EHLO has some thirty. */
export const REPLY_LIMIT_OCTETS = 64 * KIB;
/** Octets of a header that are looked at for UTF-8; a longer one counts as if it had some. */
export const HEADER_LOOK_LIMIT_OCTETS = 1024 * KIB;
/** Transactions that one message may take: a server that takes few recipients at a time is offered the rest at once. */
export const TRANSACTIONS_PER_MESSAGE = 20;

/** One question to the DNS, all tries of the resolver together. */
export const DNS_DEADLINE_MS = 20 * SECOND_MS;
/** One try; Node's resolver doubles it at each of its tries. */
export const DNS_TRY_MS = 3 * SECOND_MS;
/** Tries of one question at each name server. */
export const DNS_TRIES = 2;
/** Mail exchangers of a domain that are tried; five is what most senders try (Postfix's smtp_mx_address_limit counts addresses). */
export const HOSTS_PER_DOMAIN = 5;
/** Addresses of one mail exchanger. */
export const ADDRESSES_PER_HOST = 5;
/** How long the exchangers of a domain are known without asking again. */
export const EXCHANGERS_KEPT_MS = 5 * MINUTE_MS;

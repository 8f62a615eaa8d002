/**
 * The rows of docs/LIMITS.md for next hops by SMTP: every named limit of a session of ours with what comes of it, and its test.
 */

import type { LimitRow } from './limits.ts';

const HOP = 'outbound/smtp/limits.ts';
const SILENCE = 'every wait for a hop that says nothing';
const KEPT = 'a kept connection carries further messages';
const DIRECT = 'mail goes straight to the exchangers';
const MANY = 'of a domain with very many hosts';
const UNREACHABLE = 'the relay pauses, no attempt is counted';

function row(name: string, answer: string, test: string): LimitRow {
  return { name, file: HOP, answer, test };
}

/** In the order in which a session meets them. */
export const HOP_LIMITS: readonly LimitRow[] = [
  row('CONNECT_DEADLINE_MS', UNREACHABLE, 'a host that does not answer'),
  row('ADDRESS_DEADLINE_MS', 'the next address', 'a host that does not answer'),
  row('GREETING_DEADLINE_MS', UNREACHABLE, SILENCE),
  row('COMMAND_DEADLINE_MS', UNREACHABLE, SILENCE),
  row('TLS_DEADLINE_MS', UNREACHABLE, 'a handshake that hangs'),
  row('MAIL_DEADLINE_MS', UNREACHABLE, SILENCE),
  row('RCPT_DEADLINE_MS', UNREACHABLE, SILENCE),
  row('DATA_DEADLINE_MS', UNREACHABLE, SILENCE),
  row('BLOCK_DEADLINE_MS', 'the relay pauses, and the message is deferred', 'a hop that takes no data'),
  row('FINAL_DEADLINE_MS', 'the message is deferred: it may come twice', SILENCE),
  row(
    'ABORTED_FINAL_DEADLINE_MS',
    'the message is deferred: it may come twice',
    'an abort after the lone dot',
  ),
  row('QUIT_DEADLINE_MS', 'the connection is closed', 'closing says QUIT'),
  row('REPLY_LIMIT_OCTETS', UNREACHABLE, 'each way of misbehaving'),
  row('IDLE_CONNECTION_MS', 'QUIT', KEPT),
  row('MESSAGES_PER_CONNECTION', 'QUIT', KEPT),
  row('CONNECTION_AGE_MS', 'QUIT', KEPT),
  row('HOST_REST_MS', 'the host is tried again in its turn', 'the next host takes over'),
  row('PROVEN_MS', 'the answer is trouble of the relay again', 'an answer that depends on the sender'),
  row('HEADER_LOOK_LIMIT_OCTETS', 'the message needs SMTPUTF8', 'SMTPUTF8 is asked for'),
  row('TRANSACTIONS_PER_MESSAGE', 'the other recipients wait', 'a hop that takes few recipients'),
  row('DNS_DEADLINE_MS', 'recipients are deferred', 'a DNS that says nothing'),
  row('DNS_TRY_MS', 'the question is asked again', 'the resolver asks a real name server'),
  row('DNS_TRIES', 'recipients are deferred', 'the resolver asks a real name server'),
  row('HOSTS_PER_DOMAIN', 'the others are not tried', MANY),
  row('ADDRESSES_PER_HOST', 'the others are not tried', MANY),
  row('EXCHANGERS_KEPT_MS', 'the DNS is asked again', DIRECT),
];

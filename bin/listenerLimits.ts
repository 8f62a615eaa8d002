/**
 * The rows of docs/LIMITS.md for listeners of every protocol: who may connect, and what becomes of who may not.
 */

import type { LimitRow } from './limits.ts';

const CAPS = 'net/connectionCaps.ts';
const GOODBYE = '`421`, `-ERR [SYS/TEMP]` or `* BYE [LIMIT]`; under implicit TLS just the end';

/** In the order in which a connection meets them. */
export const LISTENER_LIMITS: readonly LimitRow[] = [
  {
    name: 'BACKLOG_CONNECTIONS',
    file: 'net/listener.ts',
    answer: 'none: the client`s system tries again',
    test: 'a listener asks the system for a long queue',
  },
  {
    name: 'listeners[].connectionsPerMinuteLimit',
    answer: GOODBYE,
    test: 'an address has so many new connections a minute',
  },
  {
    name: 'RATED_ADDRESSES_LIMIT',
    file: 'net/connectionRates.ts',
    answer: 'none: the address that came first begins anew',
    test: 'of addresses no more than a limit are remembered',
  },
  {
    name: 'listeners[].connectionsPerAddressLimit',
    answer: GOODBYE,
    test: 'connections of one address beyond the cap',
  },
  {
    name: 'STALE_AGE_MS',
    file: CAPS,
    answer: 'the end of the old one, and the new one gets its place',
    test: 'at its own cap an address replaces what it has forgotten',
  },
  {
    name: 'STALE_OCTETS_PER_SECOND',
    file: CAPS,
    answer: 'as above',
    test: 'at its own cap an address replaces what it has forgotten',
  },
  {
    name: 'listeners[].connectionLimit',
    answer: `the end of another one (${GOODBYE}), or the same for the newcomer`,
    test: 'connections beyond the cap of a listener',
  },
  {
    name: 'EVICTED_REST_MS',
    file: CAPS,
    answer: `${GOODBYE}, while the listener is full`,
    test: 'who had to make room rests for a while',
  },
  {
    name: 'EVICTION_CANDIDATE_LIMIT',
    file: CAPS,
    answer: 'none: younger ones are not looked at',
    test: 'a flood of single connections evicts the slow',
  },
  {
    name: 'REFUSED_LIMIT',
    file: 'net/refusals.ts',
    answer: 'the end without a word',
    test: 'beyond its cap a client is told so and closed',
  },
  {
    name: 'REFUSED_LINGER_MS',
    file: 'net/refusals.ts',
    answer: 'the end',
    test: 'beyond its cap a client is told so and closed',
  },
  {
    name: 'HANDSHAKE_DEADLINE_MS',
    file: 'net/tlsUpgrade.ts',
    answer: 'the end',
    test: 'STARTTLS: a handshake has a deadline',
  },
];

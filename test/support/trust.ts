/**
 * IP ranges for tests that fail to log in again and again and mean no attack: everybody is trusted, so that the throttle
 * neither delays nor bans.
 */

import type { IpRanges } from '../../src/accounts/ipRanges.ts';

/** One range with every address in it, trusted. */
export const TRUST_EVERYBODY: Pick<IpRanges, 'rangeOf'> = {
  rangeOf: () => ({
    name: 'Everybody',
    priority: 1,
    addresses: ['0.0.0.0/0', '::/0'],
    protocols: ['smtp', 'pop3', 'imap'],
    needsTls: false,
    isTrusted: true,
    submission: 'login',
    settings: {},
    isBuiltIn: false,
  }),
};

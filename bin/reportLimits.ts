/**
 * The rows of docs/LIMITS.md for reports and rewritten senders: how much of a message comes back, and how long a sender can be had back.
 */

import type { LimitRow } from './limits.ts';

const RETURNED = 'wire/dsn/returnedPart.ts';

/** In the order in which a report is written. */
export const REPORT_LIMITS: readonly LimitRow[] = [
  {
    name: 'EXPLAINED_RECIPIENT_LIMIT',
    file: 'wire/dsn/explanation.ts',
    answer: 'the others stand in the status part alone',
    test: 'people read of fifty recipients, programs of all',
  },
  {
    name: 'RETURNED_MESSAGE_LIMIT_OCTETS',
    file: RETURNED,
    answer: 'the header comes back',
    test: 'RET=FULL brings a small message back whole',
  },
  {
    name: 'RETURNED_HEADER_LIMIT_OCTETS',
    file: RETURNED,
    answer: 'fields behind it are left out, and the report says so',
    test: 'of a long header whole fields come back',
  },
  {
    name: 'SRS_LIFETIME_DAYS',
    file: 'wire/smtp/srs.ts',
    answer: '`550 5.1.1`',
    test: 'what we have not made, or long ago, is not had back',
  },
];

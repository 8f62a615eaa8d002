/**
 * A watch of the protocol log in words, for `status` and `protocol-log`.
 */

import type { Watch } from './watches.ts';

/** One line without its end. */
export function formatWatch({ id, subject, protocols, endsAt, by }: Watch): string {
  const spoken = protocols === undefined ? '' : `, ${protocols.join(' and ')} only`;
  return `Protocol log ${id}: ${subjectText(subject)}${spoken}, until ${new Date(endsAt).toISOString()} or a restart, switched on by ${by}`;
}

function subjectText(subject: Watch['subject']): string {
  switch (subject.kind) {
    case 'account':
      return `account ${subject.address}`;
    case 'address':
      return `address ${subject.range}`;
    case 'all':
      return 'all sessions';
  }
}

/**
 * Merges the changes of a batch: fifty deliveries into one mailbox are one nudge.
 */

import type { MailboxId } from '../../../base/ids.ts';
import type { Change } from '../../contract/feed.ts';

/** `changes` with repetitions taken out: of each mailbox the last, of everything else the first of its kind. */
export function mergeChanges(changes: readonly Change[]): readonly Change[] {
  if (changes.length < 2) return changes;
  const merged = new Map<MailboxId | string, Change>();
  for (const change of changes) merged.set(keyOf(change), change);
  return [...merged.values()];
}

function keyOf(change: Change): MailboxId | string {
  switch (change.kind) {
    case 'mailbox':
    case 'mailboxRemoved':
      return change.mailboxId;
    case 'mailboxList':
      return `list ${change.accountId}`;
    case 'queue':
    case 'directory':
      return change.kind;
  }
}

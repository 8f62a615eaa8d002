/**
 * The change feed: after a commit the writer publishes what changed. An event is a nudge and may be merged or repeated;
 * the truth is in the store, and subscribers pull it with one query.
 */

import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts';

/** What changed. */
export type Change =
  | { readonly kind: 'mailbox'; readonly mailboxId: MailboxId; readonly modSeq: ModSeq }
  | { readonly kind: 'mailboxRemoved'; readonly mailboxId: MailboxId }
  | { readonly kind: 'mailboxList'; readonly accountId: AccountId }
  | { readonly kind: 'queue' }
  | { readonly kind: 'directory' };

/** Ends a subscription; may be called more than once. */
export type Unsubscribe = () => void;

/** Where changes are heard. Listeners are called after the commit, one after the other; they must be quick and never throw. */
export interface ChangeFeed {
  /** Hears every change. */
  subscribe(listener: (change: Change) => void): Unsubscribe;
  /** Hears `mailbox` and `mailboxRemoved` of one mailbox; costs nothing for the others. */
  subscribeMailbox(mailboxId: MailboxId, listener: (change: Change) => void): Unsubscribe;
}

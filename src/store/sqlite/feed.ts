/**
 * The change feed of the SQLite store: listeners in the main thread, called after the commit.
 *
 * A thousand sessions in IDLE listen to one mailbox each, so those are found by a map look-up. A listener that throws is a
 * fault of its room; it is logged, and the others are still called.
 */

import type { MailboxId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import type { Change, ChangeFeed, Unsubscribe } from '../contract/feed.ts';

type Listener = (change: Change) => void;

/** The feed, and the end where the writer's changes come in. */
export class Feed implements ChangeFeed {
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  readonly #byMailbox = new Map<MailboxId, Set<Listener>>();

  constructor(log: Log) {
    this.#log = log;
  }

  subscribe(listener: Listener): Unsubscribe {
    // A listener of its own for each call, so that the same function can subscribe twice and leave once.
    const own: Listener = (change) => listener(change);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  subscribeMailbox(mailboxId: MailboxId, listener: Listener): Unsubscribe {
    const own: Listener = (change) => listener(change);
    const listeners = this.#byMailbox.get(mailboxId) ?? new Set();
    this.#byMailbox.set(mailboxId, listeners);
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#byMailbox.get(mailboxId) === listeners)
        this.#byMailbox.delete(mailboxId);
    };
  }

  /** Tells everybody; called after the commit. */
  publish(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#tell(this.#listeners, change);
      if (change.kind !== 'mailbox' && change.kind !== 'mailboxRemoved') continue;
      const listeners = this.#byMailbox.get(change.mailboxId);
      if (listeners !== undefined) this.#tell(listeners, change);
    }
  }

  #tell(listeners: ReadonlySet<Listener>, change: Change): void {
    for (const listener of [...listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.#log.error('store.listener.failed', { change: change.kind, error });
      }
    }
  }
}

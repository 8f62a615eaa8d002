/**
 * The Store contract: what every room above may ask of the message store, whatever stands behind it.
 *
 * All methods are asynchronous, all values plain data. A promise of a writing method resolves after the commit is on disk;
 * whoever acknowledges to the outside does so after it (nothing lost after the 250, the IMAP OK, the POP3 QUIT).
 * Every method may reject with MailError `storeUnavailable`, `diskFull` or `shuttingDown`. Rooms are handed only the view
 * that they need. One contract suite (test/store/contract) tests every implementation.
 */

import type { Contents } from './contents.ts';
import type { Deliveries } from './deliveries.ts';
import type { Directory } from './directory.ts';
import type { ChangeFeed } from './feed.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { Queue } from './queueWork.ts';
import type { Secrets } from './secrets.ts';
import type { Trace } from './trace.ts';

/** What `health` answers; each `problem` is one sentence for the administrator. */
export type StoreHealth =
  | { readonly kind: 'healthy'; readonly freeOctets: number }
  | { readonly kind: 'unhealthy'; readonly freeOctets: number | undefined; readonly problem: string };

/** An open store: its views, and its end. */
export interface Store {
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly contents: Contents;
  readonly mailboxes: Mailboxes;
  readonly deliveries: Deliveries;
  readonly queue: Queue;
  readonly trace: Trace;
  readonly feed: ChangeFeed;
  /** Whether the store takes writes now, and how much room the disk has. */
  health(): Promise<StoreHealth>;
  /** Finishes what was asked, then closes; later calls reject with `shuttingDown`. */
  close(): Promise<void>;
}

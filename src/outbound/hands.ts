/**
 * Hands: which items somebody in this process works on, so that nobody else does.
 *
 * The store's leases are by the calendar, which may be set; and what expires is listed before it is settled. Here an item has one
 * holder until that one lets go, whatever the calendar says. One for the room: schedulers and aging share it.
 */

import type { QueueId } from '../base/ids.ts';

/** Whether an item was free, or in whose hands it is. */
export type Taking = 'taken' | 'mine' | 'others';

/** Items in hands. */
export class Hands {
  readonly #holders = new Map<QueueId, object>();

  /** Takes an item, if nobody has it. */
  take(holder: object, id: QueueId): Taking {
    const current = this.#holders.get(id);
    if (current !== undefined) return current === holder ? 'mine' : 'others';
    this.#holders.set(id, holder);
    return 'taken';
  }

  /** Lets go of items that one has. */
  release(ids: Iterable<QueueId>): void {
    for (const id of ids) this.#holders.delete(id);
  }
}

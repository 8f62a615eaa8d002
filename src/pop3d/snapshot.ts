/**
 * The entries of a maildrop as columns: 16 octets a message, where objects took ten times as much (100,000 messages: 1.6 MB).
 *
 * Filled once, in UID order, then only read.
 */

import type { ContentId, Uid } from '../base/ids.ts';

/** Messages that there is room for at first; it doubles. */
const FIRST_ROOM = 64;

/** UIDs, contents and sizes by position, from 0. */
export class Snapshot {
  #uids = new Uint32Array(FIRST_ROOM);
  /** Exact up to 2^53, as SQLite's row ids here are. */
  #contentIds = new Float64Array(FIRST_ROOM);
  /** In CRLF form: below 2^32, since a message is 1 GiB at most. */
  #octets = new Uint32Array(FIRST_ROOM);
  #length = 0;
  #totalOctets = 0;

  get length(): number {
    return this.#length;
  }

  /** Octets of all. */
  get totalOctets(): number {
    return this.#totalOctets;
  }

  add(uid: Uid, contentId: ContentId, octets: number): void {
    if (this.#length === this.#uids.length) this.#grow();
    this.#uids[this.#length] = uid;
    this.#contentIds[this.#length] = contentId;
    this.#octets[this.#length] = octets;
    this.#length += 1;
    this.#totalOctets += octets;
  }

  uidAt(position: number): Uid {
    return this.#uids[position] as Uid;
  }

  contentIdAt(position: number): ContentId {
    return this.#contentIds[position] as ContentId;
  }

  octetsAt(position: number): number {
    return this.#octets[position] as number;
  }

  #grow(): void {
    this.#uids = enlarged(this.#uids, new Uint32Array(this.#length * 2));
    this.#contentIds = enlarged(this.#contentIds, new Float64Array(this.#length * 2));
    this.#octets = enlarged(this.#octets, new Uint32Array(this.#length * 2));
  }
}

function enlarged<Column extends Uint32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}

/**
 * Gives out content ids, each once in the life of the store. They are taken from the database in blocks, so that a delivery
 * does not rewrite the row that counts them; what is left of a block at the end is skipped.
 */

import type { ContentId } from '../../../base/ids.ts';
import type { Connection } from '../connection.ts';
import { CONTENT_ID_BLOCK } from '../limits.ts';

/** The writer thread's source of content ids. */
export class ContentIds {
  readonly #db: Connection;
  #next: number;
  #reserved: number;

  constructor(db: Connection) {
    this.#db = db;
    this.#reserved = readReserved(db);
    this.#next = this.#reserved;
  }

  /** The next id. Must be called inside a transaction. */
  take(): ContentId {
    if (this.#next >= this.#reserved) {
      this.#reserved = this.#next + CONTENT_ID_BLOCK;
      writeReserved(this.#db, this.#reserved);
    }
    const id = this.#next;
    this.#next += 1;
    return id as ContentId;
  }

  /** To be called when a transaction or savepoint was undone: the block may have gone with it. */
  rolledBack(): void {
    this.#reserved = readReserved(this.#db);
  }
}

function readReserved(db: Connection): number {
  return db.value<number>('SELECT content_ids_reserved FROM meta') ?? 1;
}

function writeReserved(db: Connection, reserved: number): void {
  db.run('UPDATE meta SET content_ids_reserved = ?', reserved);
}

/**
 * The main thread's read-only connection, with its end: errors leave here as MailErrors, and after the close every read is
 * refused. Reads are short and synchronous; whoever reads much does so in slices and yields between them, with no statement
 * and no transaction open meanwhile.
 */

import { MailError } from '../../base/error.ts';
import { type Connection, openForReading } from './connection.ts';
import { asStoreError } from './failure.ts';

/** Where the views read. */
export class Reader {
  readonly #connection: Connection;
  #isClosed = false;

  constructor(path: string) {
    this.#connection = openForReading(path);
  }

  /** Runs one short read (one statement, or several within `Connection.snapshot`). Errors: as every method of the Store. */
  read<Value>(query: (db: Connection) => Value): Value {
    if (this.#isClosed) throw new MailError('shuttingDown', 'the store is closed');
    try {
      return query(this.#connection);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }
}

/**
 * Derived data of contents: read from its table, and made anew from the octets where a row is missing or of an older version.
 *
 * Making anew happens in the main thread, piece by piece, outside the writer, which only gets the results to keep. It is rare
 * (after an upgrade, or when somebody dropped the table's rows) and gives the same answers: the walker is the same.
 */

import { MailError } from '../../base/error.ts';
import type { ContentId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import { yieldTurn } from '../../base/pacer.ts';
import { type EncodedMessage, encodeMessage, openEncoded, openMessage } from '../../wire/mime/encoding.ts';
import { createMimeWalker } from '../../wire/mime/walker.ts';
import type { DerivedMessage } from '../contract/derived.ts';
import type { Connection } from './connection.ts';
import type { DerivedItem } from './jobs/derived.ts';
import { DERIVED_SLICE_ROWS } from './limits.ts';
import type { Reader } from './reader.ts';
import type { Relief } from './relief.ts';
import { openContent } from './storedContent.ts';
import type { Writer } from './writer/client.ts';

/** Where derived data is read and rebuilt. */
export class Derived {
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #relief: Relief;
  readonly #log: Log;

  constructor(reader: Reader, writer: Writer, relief: Relief, log: Log) {
    this.#relief = relief;
    this.#reader = reader;
    this.#writer = writer;
    this.#log = log;
  }

  /** The derived data of these contents, in this order. Errors: `contentGone`, `contentCorrupt` (when made anew). */
  async read(ids: readonly ContentId[]): Promise<readonly DerivedMessage[]> {
    const messages: DerivedMessage[] = [];
    for (let first = 0; first < ids.length; first += DERIVED_SLICE_ROWS) {
      if (first > 0) await yieldTurn();
      const slice = ids.slice(first, first + DERIVED_SLICE_ROWS);
      messages.push(...(await this.#readSlice(slice)));
    }
    return messages;
  }

  /** Drops all derived data and makes it anew; answers of how many contents. Corrupt contents are logged and left out. */
  async rebuild(): Promise<number> {
    while (await this.#writer.run('dropDerived', undefined)) await yieldTurn();
    let rebuilt = 0;
    for (let after = 0; ; ) {
      const ids = this.#reader.read((db) => readContentIds(db, after));
      const last = ids.at(-1);
      if (last === undefined) return rebuilt;
      for (const id of ids) if (await this.#rebuildOne(id)) rebuilt += 1;
      after = last;
    }
  }

  async #readSlice(ids: readonly ContentId[]): Promise<readonly DerivedMessage[]> {
    const rows = this.#reader.read((db) => readDerived(db, ids));
    const made: DerivedItem[] = [];
    const messages: DerivedMessage[] = [];
    for (const id of ids) {
      const row = rows.get(id);
      const found = row === undefined ? undefined : openMessage(row);
      if (found !== undefined) {
        messages.push(found);
        continue;
      }
      const encoded = await this.#derive(id);
      made.push({ id, ...encoded });
      messages.push(openEncoded(encoded));
    }
    if (made.length > 0) this.#keep(made);
    return messages;
  }

  async #rebuildOne(id: ContentId): Promise<boolean> {
    try {
      const encoded = await this.#derive(id);
      await this.#writer.run('keepDerived', [{ id, ...encoded }]);
      return true;
    } catch (error) {
      const isExpected = error instanceof MailError && /^content/.test(error.code);
      if (!isExpected) throw error;
      return false;
    }
  }

  async #derive(id: ContentId): Promise<EncodedMessage> {
    const content = openContent(this.#reader, id, this.#relief, this.#log);
    const walker = createMimeWalker();
    for await (const piece of content.read(0, content.octets)) walker.push(piece);
    await yieldTurn();
    return encodeMessage(walker.end());
  }

  /** Writes what was made anew; nobody waits for it, and when it fails it is made once more. */
  #keep(items: readonly DerivedItem[]): void {
    this.#writer.run('keepDerived', items).catch((error: unknown) => {
      this.#log.warn('store.derived.unwritten', { contents: items.length, error });
    });
  }
}

/** One statement for all: a look-up for each of them took twice as long. */
function readDerived(db: Connection, ids: readonly ContentId[]): ReadonlyMap<ContentId, EncodedMessage> {
  const rows = db.tuples<readonly [id: ContentId, envelope: Buffer, structure: Buffer]>(
    `SELECT content_id, envelope, structure
     FROM json_each(?) AS asked CROSS JOIN derived ON derived.content_id = asked.value`,
    JSON.stringify(ids),
  );
  return new Map(rows.map(([id, envelope, structure]) => [id, { envelope, structure }]));
}

function readContentIds(db: Connection, after: number): ContentId[] {
  return db.column('SELECT id FROM content WHERE id > ? ORDER BY id LIMIT ?', after, DERIVED_SLICE_ROWS);
}

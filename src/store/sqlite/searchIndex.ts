/**
 * The index of texts: a database of its own beside the store's, owned by the search room's thread alone.
 *
 * Derived data that may be thrown away at any time: a file that is damaged, of another version or of another program is
 * deleted and begun anew, and commits are not synced one by one. SQLite's FTS5 holds for each content the trigrams of its
 * text (detail=none: neither positions nor the text itself), so that it answers candidates, never the truth. A text that is
 * not indexed whole has only its row in `document`, and is always to be looked at. No store thread ever touches this file.
 */

import { rmSync } from 'node:fs';

import type { ContentId } from '../../base/ids.ts';
import { type Connection, openRebuildable } from './connection.ts';
import type { ContentPrint } from './contentReader.ts';
import { asStoreError, isDamage, isSqliteError } from './failure.ts';
import { DOCUMENT_SLICE_ROWS } from './limits.ts';

/** A content that is put into the index. */
export interface IndexedDocument extends ContentPrint {
  /** Its text, folded; undefined where it cannot be indexed whole. */
  readonly text: string | undefined;
}

/** Contents that may hold a text, as the index knew it at a moment. */
export interface IndexCandidates {
  /** In rising order. */
  readonly ids: Float64Array;
  /** The index's state then: documents that came later are not judged by this. */
  readonly batch: number;
}

/** Whether the index's file, or what stands in it, is not what it should be: then it is to be dropped. */
export function isBrokenIndex(error: unknown): boolean {
  // What is no fault of the disk or the moment (a missing table, a row that is there twice) counts as well.
  return isDamage(error) || (isSqliteError(error) && asStoreError(error).code === 'internal');
}

/** Raised when the tables, the tokenizer or the folding of texts change: an older index is begun anew. */
const INDEX_VERSION = 1;
/** `PRAGMA application_id`: HPSX in ASCII. */
const APPLICATION_ID = 0x48505358;
const SCHEMA = `
  CREATE TABLE document (
    content_id INTEGER PRIMARY KEY,
    print INTEGER NOT NULL,
    is_whole INTEGER NOT NULL,
    batch INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), settled_up_to INTEGER NOT NULL, batch INTEGER NOT NULL) STRICT;
  INSERT INTO progress VALUES (1, 0, 0);
  CREATE VIRTUAL TABLE trigram USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
  );
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${INDEX_VERSION};
`;

/** The open index. Not for two threads. Any method may throw SQLite's errors: then its owner drops it. */
export class SearchIndex {
  readonly #db: Connection;
  readonly #path: string;

  private constructor(db: Connection, path: string) {
    this.#db = db;
    this.#path = path;
  }

  /** Opens the index at `path`; one that is missing, damaged or of another version is begun anew. */
  static open(path: string): SearchIndex {
    try {
      const db = openRebuildable(path);
      if (isOurs(db)) return new SearchIndex(db, path);
      db.close();
    } catch {
      // Whatever is wrong with the file: it holds nothing that cannot be made again.
    }
    removeFiles(path);
    const db = openRebuildable(path);
    db.script(`BEGIN; ${SCHEMA} COMMIT`);
    return new SearchIndex(db, path);
  }

  /** Every content up to this id was looked at. */
  get settledUpTo(): number {
    return this.#db.value<number>('SELECT settled_up_to FROM progress') ?? 0;
  }

  /** Puts documents in, and notes how far the looking came: all or nothing. */
  add(documents: readonly IndexedDocument[], settledUpTo: number): void {
    this.#write(() => {
      takeBatch(this.#db, settledUpTo);
      for (const { id, print, text } of documents) {
        insertDocument(this.#db, id, print, text !== undefined);
        if (text !== undefined) insertText(this.#db, id, text);
      }
    });
  }

  /** Takes documents out. */
  remove(ids: readonly ContentId[]): void {
    this.#write(() => {
      for (const id of ids) {
        if (isWhole(this.#db, id)) deleteText(this.#db, id);
        deleteDocument(this.#db, id);
      }
    });
  }

  /** The documents with ids above `after`, as many as one short statement reads. */
  documentsAfter(after: number): readonly ContentPrint[] {
    return this.#db.all(
      'SELECT content_id AS id, print FROM document WHERE content_id > ? ORDER BY content_id LIMIT ?',
      after,
      DOCUMENT_SLICE_ROWS,
    );
  }

  /** Those of `ids` that have a document. */
  documentsAmong(ids: readonly ContentId[]): ReadonlySet<ContentId> {
    return new Set(
      this.#db.column<ContentId>(
        'SELECT content_id FROM document WHERE content_id IN (SELECT value FROM json_each(?))',
        JSON.stringify(ids),
      ),
    );
  }

  /** Those of `ids` whose whole text was in the index at `batch`. */
  wholeAmong(ids: readonly ContentId[], batch: number): ReadonlySet<ContentId> {
    return new Set(
      this.#db.column<ContentId>(
        `SELECT content_id FROM document
         WHERE content_id IN (SELECT value FROM json_each(?)) AND is_whole = 1 AND batch <= ?`,
        JSON.stringify(ids),
        batch,
      ),
    );
  }

  /** The contents whose texts hold all of these trigrams; undefined when they are more than `limit`. */
  candidates(trigrams: readonly string[], limit: number): IndexCandidates | undefined {
    const ids = this.#db.column<number>(
      'SELECT rowid FROM trigram WHERE trigram MATCH ? LIMIT ?',
      trigrams.map((trigram) => `"${trigram.replaceAll('"', '""')}"`).join(' AND '),
      limit + 1,
    );
    if (ids.length > limit) return undefined;
    const batch = this.#db.value<number>('SELECT batch FROM progress') ?? 0;
    return { ids: Float64Array.from(ids), batch };
  }

  /** Closes the index and deletes its files. */
  drop(): void {
    try {
      this.close();
    } finally {
      removeFiles(this.#path);
    }
  }

  close(): void {
    this.#db.close();
  }

  #write(write: () => void): void {
    this.#db.run('BEGIN IMMEDIATE');
    try {
      write();
      this.#db.run('COMMIT');
    } catch (error) {
      if (this.#db.isInTransaction) this.#db.run('ROLLBACK');
      throw error;
    }
  }
}

function isOurs(db: Connection): boolean {
  const application = db.value<number>('PRAGMA application_id');
  return application === APPLICATION_ID && db.value<number>('PRAGMA user_version') === INDEX_VERSION;
}

function removeFiles(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
}

function takeBatch(db: Connection, settledUpTo: number): void {
  db.run('UPDATE progress SET batch = batch + 1, settled_up_to = ?', settledUpTo);
}

function insertDocument(db: Connection, id: ContentId, print: number, isWhole: boolean): void {
  db.run(
    'INSERT INTO document (content_id, print, is_whole, batch) SELECT ?, ?, ?, batch FROM progress',
    id,
    print,
    isWhole ? 1 : 0,
  );
}

function insertText(db: Connection, id: ContentId, text: string): void {
  db.run('INSERT INTO trigram (rowid, text) VALUES (?, ?)', id, text);
}

function isWhole(db: Connection, id: ContentId): boolean {
  return db.value('SELECT is_whole FROM document WHERE content_id = ?', id) === 1;
}

function deleteText(db: Connection, id: ContentId): void {
  db.run('DELETE FROM trigram WHERE rowid = ?', id);
}

function deleteDocument(db: Connection, id: ContentId): void {
  db.run('DELETE FROM document WHERE content_id = ?', id);
}

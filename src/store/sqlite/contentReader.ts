/**
 * Reads contents in a thread of its own, beside the open store: for whoever looks into many messages and must not do that in
 * the main thread's event loop.
 *
 * It can only read. Its owner closes it before the store closes, whose writer must be the last to let go of the database.
 */

import { join } from 'node:path';

import type { ContentId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import { type EncodedMessage, encodeMessage, openEncoded, openMessage } from '../../wire/mime/encoding.ts';
import { createMimeWalker } from '../../wire/mime/walker.ts';
import type { Content } from '../contract/contents.ts';
import type { DerivedMessage } from '../contract/derived.ts';
import type { Connection } from './connection.ts';
import { CONTENT_SLICE_ROWS } from './limits.ts';
import { Reader } from './reader.ts';
import { Relief } from './relief.ts';
import { openContent } from './storedContent.ts';

/** A content, and by what it is told from another one that a restored database may have under the same id. */
export interface ContentPrint {
  readonly id: ContentId;
  /** The first six octets of its SHA-256, as a number. */
  readonly print: number;
}

/** The next contents in the order of their ids. */
export interface ContentSlice {
  readonly contents: readonly ContentPrint[];
  /** All contents with ids up to this one are there: none of them is still being written. */
  readonly settledUpTo: number;
}

/** Reads contents of one data directory. Not for two threads. */
export interface ContentReader {
  /** Opens a content for reading. Errors: `contentGone`. */
  open(id: ContentId): Content;
  /** The content's derived data, made anew (and not kept) where the store has none. Errors: `contentGone`, `contentCorrupt`. */
  derived(id: ContentId): Promise<DerivedMessage>;
  /** The contents with ids above `after`, as many as one short statement reads; none when there are no more. */
  contentsAfter(after: number): ContentSlice;
  /** Those contents from `first` to `last` that are there. */
  contentsBetween(first: number, last: number): readonly ContentPrint[];
  /** Ids from this one on have not been given to any content. */
  idsEnd(): number;
  close(): void;
}

/** Opens a reader of the store's database, which must be there. Errors: `storeUnavailable`. */
export function openContentReader(directory: string, log: Log): ContentReader {
  const reader = new Reader(join(directory, 'hauspost.db'));
  const relief = new Relief();
  const open = (id: ContentId) => openContent(reader, id, relief, log);
  return {
    open,
    derived: async (id) => {
      const row = reader.read((db) => readDerived(db, id));
      return (row && openMessage(row)) ?? (await derive(open(id)));
    },
    contentsAfter: (after) => reader.read((db) => db.snapshot(() => readSlice(db, after))),
    contentsBetween: (first, last) => reader.read((db) => readPrints(db, first, last)),
    idsEnd: () => reader.read(readIdsEnd),
    close: () => reader.close(),
  };
}

async function derive(content: Content): Promise<DerivedMessage> {
  const walker = createMimeWalker();
  for await (const piece of content.read(0, content.octets)) walker.push(piece);
  return openEncoded(encodeMessage(walker.end()));
}

/** A draft that is open has its id already, and becomes a content behind the back of whoever went on to higher ids. */
function readSlice(db: Connection, after: number): ContentSlice {
  const contents = readPrintsAfter(db, after);
  const last = contents.at(-1)?.id ?? after;
  const draft = readFirstDraft(db) ?? Number.POSITIVE_INFINITY;
  return { contents, settledUpTo: Math.min(last, draft - 1) };
}

function readDerived(db: Connection, id: ContentId): EncodedMessage | undefined {
  return db.get('SELECT envelope, structure FROM derived WHERE content_id = ?', id);
}

function readFirstDraft(db: Connection): number | undefined {
  return db.value<number | null>('SELECT min(content_id) FROM draft') ?? undefined;
}

function readIdsEnd(db: Connection): number {
  return db.value<number>('SELECT content_ids_reserved FROM meta') ?? 0;
}

function readPrintsAfter(db: Connection, after: number): ContentPrint[] {
  const rows = db.all<PrintRow>(
    'SELECT id, substr(sha256, 1, 6) AS octets FROM content WHERE id > ? ORDER BY id LIMIT ?',
    after,
    CONTENT_SLICE_ROWS,
  );
  return rows.map(printOf);
}

function readPrints(db: Connection, first: number, last: number): ContentPrint[] {
  const rows = db.all<PrintRow>(
    'SELECT id, substr(sha256, 1, 6) AS octets FROM content WHERE id BETWEEN ? AND ?',
    first,
    last,
  );
  return rows.map(printOf);
}

interface PrintRow {
  readonly id: ContentId;
  readonly octets: Buffer;
}

function printOf({ id, octets }: PrintRow): ContentPrint {
  return { id, print: octets.readUIntBE(0, octets.length) };
}

/**
 * Opens many contents with one short read: those of one piece come with their octets, checked as every read is.
 *
 * For FETCH of whole mailboxes, where a message of 7 KB cost more in look-ups and promises than in octets. What is large, gone
 * or damaged is left to storedContent.ts, which reads in pieces and tells what is wrong.
 */

import { crc32 } from 'node:zlib';

import type { ContentId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import type { Content } from '../contract/contents.ts';
import { chunkId } from './chunkId.ts';
import type { Connection } from './connection.ts';
import { CHUNK_BYTES } from './limits.ts';
import type { Reader } from './reader.ts';
import type { Relief } from './relief.ts';
import { openContent } from './storedContent.ts';

/** The contents of one piece that are there and whole, in the order asked for; undefined stands for the others. */
export function openContents(
  reader: Reader,
  ids: readonly ContentId[],
  relief: Relief,
  log: Log,
): readonly (Content | undefined)[] {
  const found = reader.read((db) => db.snapshot(() => readSmallContents(db, ids)));
  return ids.map((id) => {
    const row = found.get(id);
    if (row === undefined) return undefined;
    relief.count(row.small.length);
    return new SmallContent(id, row, () => openContent(reader, id, relief, log));
  });
}

/** A content of one piece, with its octets. */
class SmallContent implements Content {
  readonly id: ContentId;
  readonly octets: number;
  readonly pop3Octets: number;
  readonly returnPathOctets: number;
  readonly small: Buffer;
  readonly #open: () => Content;

  constructor(id: ContentId, row: SmallContentRow, open: () => Content) {
    this.id = id;
    this.octets = row.octets;
    this.pop3Octets = row.pop3Octets;
    this.returnPathOctets = row.returnPathOctets;
    this.small = row.small;
    this.#open = open;
  }

  get sha256(): Buffer {
    return this.#open().sha256;
  }

  async *read(start: number, end: number): AsyncGenerator<Buffer> {
    const from = Math.max(start, 0);
    const to = Math.min(end, this.octets);
    if (from < to) yield this.small.subarray(from, to);
  }
}

interface SmallContentRow {
  readonly octets: number;
  readonly pop3Octets: number;
  readonly returnPathOctets: number;
  readonly small: Buffer;
}

function readSmallContents(
  db: Connection,
  ids: readonly ContentId[],
): ReadonlyMap<ContentId, SmallContentRow> {
  const found = new Map<ContentId, SmallContentRow>();
  const heads = readHeads(db, ids);
  const pieces = new Map<number, PieceTuple>();
  for (const piece of readPieces(db, heads)) pieces.set(piece[0], piece);
  for (const [id, octets, pop3Octets, returnPathOctets] of heads) {
    const piece = pieces.get(chunkId(id, 0));
    if (piece === undefined) continue;
    const [, checksum, small] = piece;
    if (small.length === octets && crc32(small) === checksum)
      found.set(id, { octets, pop3Octets, returnPathOctets, small });
  }
  return found;
}

type HeadTuple = readonly [id: ContentId, octets: number, pop3Octets: number, returnPathOctets: number];
type PieceTuple = readonly [id: number, checksum: number, octets: Buffer];

/** One statement for all: a look-up for each of them took three times as long. */
function readHeads(db: Connection, ids: readonly ContentId[]): readonly HeadTuple[] {
  return db.tuples<HeadTuple>(
    `SELECT content.id, octets, pop3_octets, return_path_octets
     FROM json_each(?) AS asked CROSS JOIN content ON content.id = asked.value
     WHERE octets <= ?`,
    JSON.stringify(ids),
    CHUNK_BYTES,
  );
}

function readPieces(db: Connection, heads: readonly HeadTuple[]): readonly PieceTuple[] {
  return db.tuples<PieceTuple>(
    `SELECT chunk.id, crc32, octets
     FROM json_each(?) AS asked CROSS JOIN chunk ON chunk.id = asked.value`,
    JSON.stringify(heads.map(([id]) => chunkId(id, 0))),
  );
}

/**
 * Reads the octets of a content, a stored piece at a time: each piece's checksum is checked before anybody sees it, and
 * between two pieces everything else has its turn and no lock is held.
 */

import { crc32 } from 'node:zlib';

import { MailError } from '../../base/error.ts';
import type { ContentId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import { yieldTurn } from '../../base/pacer.ts';
import type { Content } from '../contract/contents.ts';
import { chunkId } from './chunkId.ts';
import type { Connection } from './connection.ts';
import { isDamage } from './failure.ts';
import { CHUNK_BYTES } from './limits.ts';
import type { Reader } from './reader.ts';
import type { Relief } from './relief.ts';

interface ContentRow {
  readonly id: ContentId;
  readonly octets: number;
  readonly pop3Octets: number;
  readonly returnPathOctets: number;
  readonly sha256: Buffer;
}

/** Opens a content for reading; damage that is found is told to `log`, loudly. Errors: `contentGone`. */
export function openContent(reader: Reader, id: ContentId, relief: Relief, log: Log): Content {
  const row = reader.read((db) => readContentRow(db, id));
  if (row === undefined) throw new MailError('contentGone');
  return { ...row, read: (start, end) => readOctets(row, reader, relief, log, start, end) };
}

function readContentRow(db: Connection, id: ContentId): ContentRow | undefined {
  return db.get(
    `SELECT id, octets, pop3_octets AS pop3Octets, return_path_octets AS returnPathOctets, sha256
     FROM content WHERE id = ?`,
    id,
  );
}

async function* readOctets(
  row: ContentRow,
  reader: Reader,
  relief: Relief,
  log: Log,
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  const last = Math.min(end, row.octets);
  let at = Math.max(start, 0);
  while (at < last) {
    const number = Math.floor(at / CHUNK_BYTES);
    const piece = readPiece(row, reader, log, number);
    const first = number * CHUNK_BYTES;
    const from = at - first;
    const to = Math.min(last - first, piece.length);
    yield from === 0 && to === piece.length ? piece : piece.subarray(from, to);
    at = first + to;
    relief.count(piece.length);
    if (at < last) await yieldTurn();
  }
}

/** One piece, whole and checked. */
function readPiece(row: ContentRow, reader: Reader, log: Log, number: number): Buffer {
  const found = findPiece(row, reader, log, number);
  if (found === undefined) throw lost(row, reader, log, number);
  const expected = Math.min(row.octets - number * CHUNK_BYTES, CHUNK_BYTES);
  if (found.octets.length !== expected) throw corrupt(row, log, number, 'its length is wrong');
  if (crc32(found.octets) !== found.crc32) throw corrupt(row, log, number, 'its checksum is wrong');
  return found.octets;
}

function findPiece(row: ContentRow, reader: Reader, log: Log, number: number): ChunkRow | undefined {
  try {
    return reader.read((db) => readChunk(db, chunkId(row.id, number)));
  } catch (error) {
    if (error instanceof MailError && isDamage(error.cause)) throw corrupt(row, log, number, error.message);
    throw error;
  }
}

/** A missing piece: swept with its content, or lost. */
function lost(row: ContentRow, reader: Reader, log: Log, number: number): MailError {
  const isThere = reader.read((db) => readContentRow(db, row.id)) !== undefined;
  return isThere ? corrupt(row, log, number, 'it is missing') : new MailError('contentGone');
}

function corrupt(row: ContentRow, log: Log, number: number, reason: string): MailError {
  const text = `content ${row.id}, piece ${number}: ${reason}`;
  log.error('store.content.corrupt', { content: row.id, piece: number, reason });
  return new MailError('contentCorrupt', text);
}

interface ChunkRow {
  readonly crc32: number;
  readonly octets: Buffer;
}

function readChunk(db: Connection, id: number): ChunkRow | undefined {
  return db.get('SELECT crc32, octets FROM chunk WHERE id = ?', id);
}

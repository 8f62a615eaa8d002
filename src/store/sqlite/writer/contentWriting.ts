/**
 * A content while it is written: pieces go into the database as they come, and the hash and the MIME walker are fed with the
 * same octets, so that nothing is read twice. Writer thread only.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

import type { ContentId, TraceId } from '../../../base/ids.ts';
import { type EncodedMessage, encodeMessage } from '../../../wire/mime/encoding.ts';
import { createMimeWalker } from '../../../wire/mime/walker.ts';
import { chunkId } from '../chunkId.ts';
import type { Connection } from '../connection.ts';

/** What is known of a content once it is sealed. */
export interface SealedContent {
  readonly id: ContentId;
  readonly octets: number;
  readonly pop3Octets: number;
}

/** A content that grows, piece by piece, until it is sealed. */
export class ContentWriting {
  readonly contentId: ContentId;
  readonly #hash = createHash('sha256');
  readonly #walker = createMimeWalker();
  #chunks = 0;
  #octets = 0;

  constructor(contentId: ContentId) {
    this.contentId = contentId;
  }

  /** Writes the next piece; all but the last are of CHUNK_BYTES. */
  append(db: Connection, octets: Buffer): void {
    insertChunk(db, chunkId(this.contentId, this.#chunks), crc32(octets), octets);
    this.#hash.update(octets);
    this.#walker.push(octets);
    this.#chunks += 1;
    this.#octets += octets.length;
  }

  /** Makes it a content. */
  seal(db: Connection, returnPathOctets: number, traceId: TraceId | undefined): SealedContent {
    const message = this.#walker.end();
    const { contentId: id } = this;
    const sealed = { id, octets: this.#octets, pop3Octets: message.pop3Octets };
    insertContent(db, sealed, returnPathOctets, this.#hash.digest(), traceId ?? null);
    insertDerived(db, id, encodeMessage(message));
    return sealed;
  }
}

function insertDerived(db: Connection, id: ContentId, { envelope, structure }: EncodedMessage): void {
  db.run('INSERT INTO derived (content_id, envelope, structure) VALUES (?, ?, ?)', id, envelope, structure);
}

function insertChunk(db: Connection, id: number, checksum: number, octets: Buffer): void {
  db.run('INSERT INTO chunk (id, crc32, octets) VALUES (?, ?, ?)', id, checksum, octets);
}

function insertContent(
  db: Connection,
  content: SealedContent,
  returnPathOctets: number,
  sha256: Buffer,
  traceId: TraceId | null,
): void {
  db.run(
    `INSERT INTO content (id, octets, pop3_octets, return_path_octets, sha256, trace_id)
     VALUES (?, ?, ?, ?, ?, ?)`,
    content.id,
    content.octets,
    content.pop3Octets,
    returnPathOctets,
    sha256,
    traceId,
  );
}

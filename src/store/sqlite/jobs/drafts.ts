/**
 * Jobs of drafts, and the sealing that deliveries and appends have in common.
 *
 * A draft of at most one piece comes whole with the job that seals it and is never seen here before; a larger one has a row
 * in `draft` from its first piece on, which is what the sweep at start goes by.
 */

import { MailError } from '../../../base/error.ts';
import type { ContentId, TraceId } from '../../../base/ids.ts';
import type { Connection } from '../connection.ts';
import { CHUNK_BYTES, DRAFTS_OPEN_LIMIT } from '../limits.ts';
import { ContentWriting, type SealedContent } from '../writer/contentWriting.ts';
import type { DraftKey } from '../writer/openDrafts.ts';
import type { JobContext } from './context.ts';

/** Octets in a buffer that came over from the main thread; only the first `length` count. */
export interface Octets {
  readonly buffer: ArrayBuffer;
  readonly length: number;
}

/** A draft as the sealing job is given it: the octets that are not on disk yet, and which draft the others are. */
export interface DraftEnd {
  /** Undefined when there are no others. */
  readonly key: DraftKey | undefined;
  readonly tail: Octets;
  /** Octets in all. */
  readonly octets: number;
}

/** Jobs by name. */
export const DRAFT_JOBS = { writeDraft, discardDraft } as const;

/** Makes a draft a content. */
export function sealDraft(
  db: Connection,
  end: DraftEnd,
  returnPathOctets: number,
  traceId: TraceId | undefined,
  context: JobContext,
): SealedContent {
  const writing = writingOf(end, context);
  if (end.tail.length > 0) writing.append(db, asBuffer(end.tail));
  if (end.tail.buffer.byteLength === CHUNK_BYTES) context.giveBack(end.tail.buffer);
  const sealed = writing.seal(db, returnPathOctets, traceId);
  if (sealed.octets !== end.octets) throw new MailError('internal', 'a draft has lost octets');
  if (end.key !== undefined) {
    deleteDraftRow(db, sealed.id);
    context.drafts.seal(end.key);
  }
  return sealed;
}

function writeDraft(
  db: Connection,
  input: { readonly key: DraftKey; readonly isFirst: boolean; readonly octets: Octets },
  context: JobContext,
): void {
  context.giveBack(input.octets.buffer);
  const writing = input.isFirst ? beginDraft(db, input.key, context) : findDraft(input.key, context);
  writing.append(db, asBuffer(input.octets));
}

function discardDraft(db: Connection, input: { readonly key: DraftKey }, context: JobContext): void {
  const contentId = context.drafts.discard(input.key);
  if (contentId === undefined) return;
  insertOrphan(db, contentId, context.batch);
  deleteDraftRow(db, contentId);
}

function beginDraft(db: Connection, key: DraftKey, context: JobContext): ContentWriting {
  if (context.drafts.size >= DRAFTS_OPEN_LIMIT)
    throw new MailError('storeUnavailable', 'too many messages are coming in at the same time');
  const writing = context.drafts.begin(key, context.newContentId());
  insertDraftRow(db, writing.contentId);
  return writing;
}

function findDraft(key: DraftKey, context: JobContext): ContentWriting {
  const writing = context.drafts.find(key);
  if (writing === undefined)
    throw new MailError('storeUnavailable', 'the beginning of the draft was not kept');
  return writing;
}

function writingOf(end: DraftEnd, context: JobContext): ContentWriting {
  return end.key === undefined ? new ContentWriting(context.newContentId()) : findDraft(end.key, context);
}

function asBuffer(octets: Octets): Buffer {
  return Buffer.from(octets.buffer, 0, octets.length);
}

/** Puts a content among those that the sweep looks at; a later batch takes the place of an earlier one. */
export function insertOrphan(db: Connection, contentId: ContentId, batch: number): void {
  db.run(
    `INSERT INTO orphan (content_id, since) VALUES (?, ?)
     ON CONFLICT (content_id) DO UPDATE SET since = excluded.since`,
    contentId,
    batch,
  );
}

function insertDraftRow(db: Connection, contentId: ContentId): void {
  db.run('INSERT INTO draft (content_id) VALUES (?)', contentId);
}

function deleteDraftRow(db: Connection, contentId: ContentId): void {
  db.run('DELETE FROM draft WHERE content_id = ?', contentId);
}

/**
 * Drafts that have pieces on disk, as the writer thread keeps them between jobs.
 *
 * What a draft keeps in memory (hash, walker, counts) cannot be taken back, the database can: so when a job or a whole batch
 * is undone, the drafts that it touched are failed for good, and every later job for them throws the same error.
 */

import { MailError } from '../../../base/error.ts';
import type { ContentId } from '../../../base/ids.ts';
import { asStoreError } from '../failure.ts';
import { ContentWriting } from './contentWriting.ts';

/** A draft's number, given by the main thread. */
export type DraftKey = number;

interface OpenDraft {
  readonly key: DraftKey;
  readonly writing: ContentWriting;
  failure: MailError | undefined;
  isSealed: boolean;
}

/** The writer thread's open drafts. */
export class OpenDrafts {
  readonly #drafts = new Map<DraftKey, OpenDraft>();
  #ofJob: OpenDraft[] = [];
  #ofBatch: OpenDraft[] = [];

  /** Begins to keep a draft. */
  begin(key: DraftKey, contentId: ContentId): ContentWriting {
    const writing = new ContentWriting(contentId);
    const draft: OpenDraft = { key, writing, failure: undefined, isSealed: false };
    this.#drafts.set(key, draft);
    this.#ofJob.push(draft);
    return writing;
  }

  /** The draft, to be written to; undefined when it has no piece yet. Errors: whatever failed it, `cannot` once sealed. */
  find(key: DraftKey): ContentWriting | undefined {
    const draft = this.#drafts.get(key);
    if (draft === undefined) return undefined;
    if (draft.failure !== undefined) throw draft.failure;
    if (draft.isSealed) throw new MailError('cannot', 'the draft is sealed');
    this.#ofJob.push(draft);
    return draft.writing;
  }

  /** Marks the draft as one that became a content in this job. */
  seal(key: DraftKey): void {
    const draft = this.#drafts.get(key);
    if (draft !== undefined) draft.isSealed = true;
  }

  /** Forgets the draft; answers the content id of its pieces. */
  discard(key: DraftKey): ContentId | undefined {
    const draft = this.#drafts.get(key);
    this.#drafts.delete(key);
    return draft?.writing.contentId;
  }

  /** The running job succeeded. */
  jobDone(): void {
    this.#ofBatch.push(...this.#ofJob);
    this.#ofJob = [];
  }

  /** The running job is undone. */
  jobFailed(error: unknown): void {
    for (const draft of this.#ofJob) {
      draft.failure ??= asStoreError(error);
      draft.isSealed = false;
    }
    this.#ofJob = [];
  }

  /** The batch is on disk: what it sealed is a draft no more. */
  batchDone(): void {
    for (const draft of this.#ofBatch) if (draft.isSealed) this.#drafts.delete(draft.key);
    this.#ofBatch = [];
  }

  /** The batch was given up. */
  batchFailed(error: unknown): void {
    this.#ofJob.push(...this.#ofBatch);
    this.#ofBatch = [];
    this.jobFailed(error);
  }

  /** Number of drafts kept, for the limit. */
  get size(): number {
    return this.#drafts.size;
  }
}

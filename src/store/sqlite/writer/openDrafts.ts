/**
 * Drafts that have pieces on disk, as the writer thread keeps them between jobs.
 */

/** The writer thread's open drafts. */
export class OpenDrafts {
  /** To be called when a batch was given up: what its jobs did to drafts is not on disk. */
  batchFailed(): void {}
}

/**
 * Which messages a session has fetched whole and leaves, for the store to count their days from the first fetch.
 *
 * They gather until the session ends, so that a client that fetches thousands costs few commits. A message counts once all of it
 * has left; of deleted ones no day need be known. What a crash of the server takes along stays the longer: nothing goes too
 * early.
 */

import type { MaildropMessage } from './maildrop.ts';

/** Fetches that gather before the store is told of them; some 100 KB. */
const FETCHES_PER_COMMIT = 1_000;
/**
 * Lines from which TOP means the whole message: fetchmail asks so for what it keeps on the server (TOP n 99999999, measured
 * with 6.4.37). Fewer are a look at a message, even where they happen to be all of it.
 */
const WHOLE_MESSAGE_LINES = 99_999;

/** Whether a TOP of so many lines is how a client fetches. */
export function fetchesWhole(lines: number): boolean {
  return lines >= WHOLE_MESSAGE_LINES;
}

/** The fetches of one session that the store does not know yet. */
export class FirstFetches {
  #written: MaildropMessage[] = [];
  #left: MaildropMessage[] = [];

  /** A message was written to the connection. */
  add(message: MaildropMessage): void {
    this.#written.push(message);
  }

  /** Everything written has left. */
  confirm(): void {
    for (const message of this.#written) this.#left.push(message);
    this.#written = [];
  }

  /** Whether something may not have left yet. */
  get isWaiting(): boolean {
    return this.#written.length > 0;
  }

  get isFull(): boolean {
    return this.#left.length >= FETCHES_PER_COMMIT;
  }

  /** What has left; it is gathered no longer. */
  take(): readonly MaildropMessage[] {
    const left = this.#left;
    this.#left = [];
    return left;
  }
}

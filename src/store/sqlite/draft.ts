/**
 * A draft, from the main thread: octets gather in a buffer; each full piece goes to the writer at once, the rest goes with
 * the job that seals it. So a small message costs one job, and a large one never more memory than the window.
 */

import { MailError } from '../../base/error.ts';
import { KIB } from '../../base/units.ts';
import type { ContentDraft } from '../contract/contents.ts';
import type { ChunkWindow } from './chunkWindow.ts';
import type { FreeSpace } from './freeSpace.ts';
import type { DraftEnd } from './jobs/drafts.ts';
import { CHUNK_BYTES, CONTENT_LIMIT_BYTES, DRAFT_WINDOW_CHUNKS } from './limits.ts';
import type { Freight, Writer } from './writer/client.ts';
import type { DraftKey } from './writer/openDrafts.ts';

/** The smallest buffer: most messages with their trace fields fit, the others make it grow by doubling. */
const FIRST_BUFFER_BYTES = 8 * KIB;
/** What does not fit into this takes the buffer of a whole piece, which the writer hands back for reuse. */
const LAST_GROWN_BUFFER_BYTES = 64 * KIB;

/** What drafts have in common. */
export interface DraftSurroundings {
  readonly writer: Writer;
  readonly window: ChunkWindow;
  readonly space: FreeSpace;
  /** Called with each piece that goes to the writer. */
  readonly onShipped: (draft: Draft) => void;
  /** Called once, when the draft is sealed or discarded. */
  readonly onEnded: (draft: Draft) => void;
}

/** What a sealing job needs of a draft. */
export interface SealedDraft {
  readonly end: DraftEnd;
  readonly freight: Freight;
}

/** One draft. */
export class Draft implements ContentDraft {
  readonly #key: DraftKey;
  readonly #around: DraftSurroundings;
  /** Full pieces that wait for a place in the window. */
  readonly #full: ArrayBuffer[] = [];
  #buffer = new ArrayBuffer(0);
  #filled = 0;
  #octets = 0;
  #shipped = 0;
  #onTheWay = 0;
  #whenLanded: (() => void)[] = [];
  #state: 'open' | 'sealed' | 'discarded' = 'open';
  #failure: MailError | undefined;

  constructor(key: DraftKey, around: DraftSurroundings) {
    this.#key = key;
    this.#around = around;
  }

  get octets(): number {
    return this.#octets;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#requireOpen();
    if (this.#octets + chunk.length > CONTENT_LIMIT_BYTES)
      throw new MailError('messageTooLarge', 'the content would be larger than 4 GiB');
    this.#gather(chunk);
    while (this.#full.length > 0) await this.#ship();
  }

  discard(): void {
    void this.abandon();
  }

  /** Discards, and resolves when the pieces on disk are left to the sweep. Never rejects. */
  async abandon(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'discarded';
    this.#end();
    await this.#dropShipped();
  }

  /** Ends the writing for a job that makes a content of it. Errors: `cannot` when that was done, or is too early. */
  seal(): SealedDraft {
    this.#requireOpen();
    if (this.#full.length > 0) throw new MailError('cannot', 'the draft is still being written');
    this.#state = 'sealed';
    const tail = { buffer: this.#buffer, length: this.#filled };
    this.#end();
    const key = this.#shipped > 0 ? this.#key : undefined;
    const freight = { octets: tail.length, transfer: [tail.buffer] };
    return { end: { key, tail, octets: this.#octets }, freight };
  }

  /** The sealing job failed: nothing of the draft may stay. */
  sealFailed(): void {
    void this.#dropShipped();
  }

  #requireOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state !== 'open') throw new MailError('cannot', `the draft is ${this.#state}`);
  }

  /** Copies the octets, so that the caller's buffer is free before anything is waited for. */
  #gather(chunk: Uint8Array): void {
    this.#octets += chunk.length;
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#filled === CHUNK_BYTES) this.#queueFull();
      this.#grow(this.#filled + rest.length);
      const room = this.#buffer.byteLength - this.#filled;
      const part = rest.subarray(0, room);
      new Uint8Array(this.#buffer).set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
    }
  }

  #queueFull(): void {
    this.#full.push(this.#buffer);
    this.#buffer = new ArrayBuffer(0);
    this.#filled = 0;
  }

  #grow(needed: number): void {
    let size = Math.max(this.#buffer.byteLength, FIRST_BUFFER_BYTES);
    while (size < needed && size < CHUNK_BYTES) size *= 2;
    if (size <= this.#buffer.byteLength) return;
    const isPiece = size > LAST_GROWN_BUFFER_BYTES;
    const larger = isPiece ? this.#around.window.takeBuffer() : new ArrayBuffer(size);
    new Uint8Array(larger).set(new Uint8Array(this.#buffer, 0, this.#filled));
    this.#buffer = larger;
  }

  /** Sends the first full piece over, as soon as the windows let it. */
  async #ship(): Promise<void> {
    while (this.#onTheWay >= DRAFT_WINDOW_CHUNKS) await this.#landing();
    await this.#around.space.require();
    await this.#around.window.enter();
    const buffer = this.#full.shift();
    if (buffer === undefined || this.#state !== 'open' || this.#failure !== undefined) {
      this.#around.window.leave();
      return this.#requireOpen();
    }
    const octets = { buffer, length: CHUNK_BYTES };
    const input = { key: this.#key, isFirst: this.#shipped === 0, octets };
    const freight = { octets: CHUNK_BYTES, transfer: [buffer] };
    this.#onTheWay += 1;
    this.#shipped += 1;
    this.#around.onShipped(this);
    void this.#around.writer.run('writeDraft', input, freight).then(
      () => this.#landed(undefined),
      (error: MailError) => this.#landed(error),
    );
  }

  #landing(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenLanded.push(resolve);
    });
  }

  #landed(failure: MailError | undefined): void {
    this.#failure ??= failure;
    this.#onTheWay -= 1;
    this.#around.window.leave();
    for (const wake of this.#whenLanded.splice(0)) wake();
  }

  #end(): void {
    this.#full.length = 0;
    this.#buffer = new ArrayBuffer(0);
    this.#filled = 0;
    this.#around.onEnded(this);
  }

  async #dropShipped(): Promise<void> {
    if (this.#shipped === 0) return;
    // When this fails, the draft's row is still there, and the next opening of the store sweeps it.
    await this.#around.writer.run('discardDraft', { key: this.#key }).catch(() => {});
  }
}

/**
 * All drafts of an open store: begun here, sealed for jobs here, and discarded here when nobody goes on with them.
 */

import type { Clock } from '../../base/clock.ts';
import { MailError } from '../../base/error.ts';
import type { ContentDraft } from '../contract/contents.ts';
import type { ChunkWindow } from './chunkWindow.ts';
import { Draft, type SealedDraft } from './draft.ts';
import type { FreeSpace } from './freeSpace.ts';
import type { DraftEnd } from './jobs/drafts.ts';
import { CHUNK_BYTES, DRAFT_IDLE_LIMIT_MS } from './limits.ts';
import type { Relief } from './relief.ts';
import type { Freight, Writer } from './writer/client.ts';

/** Where drafts are begun and ended. */
export class Drafts {
  readonly #writer: Writer;
  readonly #space: FreeSpace;
  readonly #clock: Clock;
  readonly #window: ChunkWindow;
  readonly #relief: Relief;
  /** Drafts with pieces on disk, and when the last piece went there. */
  readonly #shipped = new Map<Draft, number>();
  #lastKey = 0;

  constructor(writer: Writer, space: FreeSpace, window: ChunkWindow, relief: Relief, clock: Clock) {
    this.#writer = writer;
    this.#space = space;
    this.#window = window;
    this.#relief = relief;
    this.#clock = clock;
  }

  begin(): ContentDraft {
    this.#lastKey += 1;
    return new Draft(this.#lastKey, {
      writer: this.#writer,
      window: this.#window,
      space: this.#space,
      onShipped: (draft) => {
        this.#shipped.set(draft, this.#clock.monotonic());
        this.#relief.count(CHUNK_BYTES);
      },
      onEnded: (draft) => void this.#shipped.delete(draft),
    });
  }

  /**
   * Seals drafts and runs the job that makes contents of them; when it fails, nothing of the drafts stays.
   * Errors: `cannot` for a draft that is not this store's, sealed or discarded, `diskFull` below the reserve.
   */
  async seal<Output>(
    drafts: readonly ContentDraft[],
    run: (ends: readonly DraftEnd[], freight: Freight) => Promise<Output>,
  ): Promise<Output> {
    await this.#space.require();
    const own = drafts.map(requireOwn);
    const sealed: SealedDraft[] = [];
    try {
      for (const draft of own) sealed.push(draft.seal());
      return await run(
        sealed.map(({ end }) => end),
        {
          octets: sealed.reduce((sum, { freight }) => sum + freight.octets, 0),
          transfer: sealed.flatMap(({ freight }) => freight.transfer),
        },
      );
    } catch (error) {
      for (const draft of own.slice(0, sealed.length)) draft.sealFailed();
      throw error;
    }
  }

  /** Discards drafts that took nothing for too long. */
  async discardIdle(): Promise<void> {
    const oldest = this.#clock.monotonic() - DRAFT_IDLE_LIMIT_MS;
    const idle = [...this.#shipped].filter(([, at]) => at <= oldest);
    await Promise.all(idle.map(([draft]) => draft.abandon()));
  }
}

function requireOwn(draft: ContentDraft): Draft {
  if (draft instanceof Draft) return draft;
  throw new MailError('cannot', 'the draft is of another store');
}

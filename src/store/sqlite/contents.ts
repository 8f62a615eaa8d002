/**
 * The Contents view of the SQLite store.
 *
 * Whoever reads a content holds it as long as he reads: what is expunged or leaves the queue meanwhile is swept later.
 */

import type { Log } from '../../base/log.ts';
import type { Content, Contents } from '../contract/contents.ts';
import type { Derived } from './derived.ts';
import type { Drafts } from './drafts.ts';
import type { Holds } from './holds.ts';
import type { Lifetime } from './lifetime.ts';
import { openContents } from './openedContents.ts';
import type { Reader } from './reader.ts';
import type { Relief } from './relief.ts';
import { openContent } from './storedContent.ts';

/** The Contents that read by `reader`. */
export function createContents(
  reader: Reader,
  drafts: Drafts,
  derived: Derived,
  lifetime: Lifetime,
  holds: Holds,
  relief: Relief,
  log: Log,
): Contents {
  return {
    begin: () => drafts.begin(),
    open: async (id) => heldContent(openContent(reader, id, relief, log), holds),
    openAll: async (ids) => openContents(reader, ids, relief, log),
    derived: (ids) => lifetime.run(() => derived.read(ids)),
  };
}

function heldContent(content: Content, holds: Holds): Content {
  return { ...content, read: (start, end) => readHeld(content, holds, start, end) };
}

async function* readHeld(content: Content, holds: Holds, start: number, end: number): AsyncGenerator<Buffer> {
  const hold = holds.take();
  try {
    yield* content.read(start, end);
  } finally {
    hold.release();
  }
}

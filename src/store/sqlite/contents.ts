/**
 * The Contents view of the SQLite store.
 */

import type { Log } from '../../base/log.ts';
import type { Contents } from '../contract/contents.ts';
import type { Derived } from './derived.ts';
import type { Drafts } from './drafts.ts';
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
  relief: Relief,
  log: Log,
): Contents {
  return {
    begin: () => drafts.begin(),
    open: async (id) => openContent(reader, id, relief, log),
    openAll: async (ids) => openContents(reader, ids, relief, log),
    derived: (ids) => lifetime.run(() => derived.read(ids)),
  };
}

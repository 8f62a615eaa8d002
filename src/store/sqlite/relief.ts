/**
 * Keeps the memory of large contents from piling up between V8's collections.
 *
 * Pieces of a content are buffers outside V8's heap; the collector looks at them only when 32 MB of young ones have gathered,
 * in each thread, so that a 150 MB message raised the process by 54 MB (bench/memory.ts). A collection of the young
 * generation alone, after every few megabytes of pieces, costs about a millisecond and keeps that at the window's size.
 * A small message counts as what it is; it takes thousands of them to ask for a collection.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { MIB } from '../../base/units.ts';

/** Octets of pieces between two collections. */
const RELIEF_OCTETS = 4 * MIB;

type CollectGarbage = (options: { readonly type: 'minor'; readonly execution: 'sync' }) => void;

/** Counts the octets of pieces that one store moves. */
export class Relief {
  readonly #collectGarbage = exposeGarbageCollection();
  #octets = 0;

  /** `octets` of a piece were moved. */
  count(octets: number): void {
    this.#octets += octets;
    if (this.#octets < RELIEF_OCTETS) return;
    this.#octets = 0;
    this.#collectGarbage({ type: 'minor', execution: 'sync' });
  }
}

/** V8's own function, which Node shows with the flag --expose-gc alone. */
function exposeGarbageCollection(): CollectGarbage {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

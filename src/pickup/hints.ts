/**
 * File events: a hint to look at the directory now, and evidence of files that came by a rename.
 *
 * Shares send no events, and kernels drop them; so nothing is missed without them, only later. A name that was told by a `rename` and
 * by no `change` has been moved in, since every write on this machine gives a `change`; once more events came than the kernel's
 * queue is sure to hold, they are no evidence until the next look at the directory has begun.
 */

import { type FSWatcher, watch } from 'node:fs';

import { type FileName, fileName } from './fileNames.ts';
import { EVENT_LIMIT } from './limits.ts';
import { codeOf } from './moveFile.ts';

/** What events told of a file: that it came by a rename and was not written to, that it was written to, or nothing. */
export type Told = 'movedIn' | 'written' | 'nothing';

/** Watches one directory. */
export class Hints {
  readonly #onEvent: (name: FileName, kind: 'rename' | 'change') => void;
  #watcher: FSWatcher | undefined;
  /** Since the last look began, and since the one before. */
  #evidence = new Map<FileName, 'rename' | 'change'>();
  #earlier: ReadonlyMap<FileName, 'rename' | 'change'> = new Map();
  #events = 0;

  /** `onEvent` hears of every event that names a file. */
  constructor(onEvent: (name: FileName, kind: 'rename' | 'change') => void) {
    this.#onEvent = onEvent;
  }

  /** Begins to watch, instead of what was watched before. Returns why it cannot be: the scans do without. */
  open(directory: string): string | undefined {
    this.close();
    try {
      const watcher = watch(directory, { persistent: false, encoding: 'buffer' }, (kind, octets) => {
        if (octets !== null) this.#note(fileName(octets), kind);
      });
      watcher.on('error', () => this.close());
      this.#watcher = watcher;
      return undefined;
    } catch (error) {
      return codeOf(error) ?? String(error);
    }
  }

  /** A look at the directory begins: what is new in it may have been told of since the last one. */
  beginLook(): void {
    this.#earlier = this.#evidence;
    this.#evidence = new Map();
    this.#events = 0;
  }

  /** What was told of a name that is new. */
  toldOf(name: FileName): Told {
    const kinds = [this.#earlier.get(name), this.#evidence.get(name)];
    if (kinds.includes('change')) return 'written';
    return kinds.includes('rename') ? 'movedIn' : 'nothing';
  }

  /** Nothing that was told so far counts. */
  forget(): void {
    this.#evidence.clear();
    this.#earlier = new Map();
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.forget();
  }

  #note(name: FileName, kind: 'rename' | 'change'): void {
    this.#events += 1;
    if (this.#events > EVENT_LIMIT) this.forget();
    else if (this.#evidence.get(name) !== 'change') this.#evidence.set(name, kind);
    this.#onEvent(name, kind);
  }
}

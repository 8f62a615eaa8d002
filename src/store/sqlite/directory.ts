/**
 * The Directory view of the SQLite store.
 */

import type { Directory } from '../contract/directory.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer/client.ts';

/** The Directory that reads by `reader` and writes by `writer`. */
export function createDirectory(_reader: Reader, _writer: Writer): Directory {
  return {} as Directory;
}

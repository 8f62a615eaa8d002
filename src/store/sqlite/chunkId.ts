/**
 * The id of a content's piece: content id and number in one integer, so that the octets lie in a tree of integers, side by
 * side. With 14 bits for the number, ids stay below 2^53 up to content 2^39.
 */

import type { ContentId } from '../../base/ids.ts';
import { CHUNKS_PER_CONTENT } from './limits.ts';

/** The id of piece `number` (from 0) of a content; with `CHUNKS_PER_CONTENT` as number, the first id behind its pieces. */
export function chunkId(contentId: ContentId, number: number): number {
  return contentId * CHUNKS_PER_CONTENT + number;
}

/**
 * What of a text the index knows: its trigrams, three characters (code points) side by side.
 *
 * Whatever holds a needle holds its trigrams, so they narrow down where a needle can be, never where it is. Index and needles
 * pass through here alike. NUL, which ends a text for parts of SQLite, is U+FFFD on both sides.
 */

import { TRIGRAM_LIMIT } from './limits.ts';

const TRIGRAM_CHARS = 3;

/** `text`, folded, as the index takes it. */
export function indexForm(text: string): string {
  return text.replaceAll('\0', '\ufffd');
}

/** Trigrams of `needle`, folded, TRIGRAM_LIMIT at most and those spread over it; none when it is too short to have any. */
export function trigramsOf(needle: string): readonly string[] {
  const characters = Array.from(indexForm(needle));
  const trigrams = new Set<string>();
  for (let at = 0; at + TRIGRAM_CHARS <= characters.length; at += 1) {
    trigrams.add(characters.slice(at, at + TRIGRAM_CHARS).join(''));
  }
  const all = [...trigrams];
  if (all.length <= TRIGRAM_LIMIT) return all;
  const step = all.length / TRIGRAM_LIMIT;
  return Array.from({ length: TRIGRAM_LIMIT }, (_none, index) => all[Math.floor(index * step)] as string);
}

/**
 * The base subject: what is left of a Subject without the marks of replies and forwards (RFC 5256 section 2.1).
 *
 * The steps are the RFC's, and so are the names: subj-leader, subj-refwd, subj-blob, subj-trailer, subj-fwd-hdr, subj-fwd-trl
 * of its section 5. Translated marks ("AW:", "WG:") stay (section 7).
 * Trust: nothing. Linear time: what is passed over is looked at a fixed number of times, however blobs and marks nest.
 */

import { decodeEncodedWords } from './encodedWord.ts';
import type { OctetString } from './structure.ts';

/** What a Subject says. */
export interface BaseSubject {
  /** In the case that it was written in. */
  readonly text: string;
  /** Whether a subj-refwd, a "(fwd)" or a "[fwd: ]" was taken off (section 3, THREAD). */
  readonly isReplyOrForward: boolean;
}

const REFWD_WORD = /(?:re|fwd?)[ \t]*/iy;
const FWD_HEADER = /\[fwd:/iy;
const FWD_TRAILER = '(fwd)';
const BLOB = /\[[^[\]]*\][ \t]*/y;

/** The base subject of a Subject field's value. */
export function baseSubjectOf(subject: OctetString): BaseSubject {
  return extract(
    decodeEncodedWords(Buffer.from(subject, 'latin1'))
      .replace(/[\t\r\n]+/g, ' ')
      .replace(/ {2,}/g, ' '),
  );
}

/** The text between `start` and `end`, and what was seen while both moved inwards. */
interface Extraction {
  readonly text: string;
  start: number;
  end: number;
  isReplyOrForward: boolean;
}

/** Steps (2) to (7). */
function extract(text: string): BaseSubject {
  const extraction = { text, start: 0, end: text.length, isReplyOrForward: false };
  do {
    removeTrailers(extraction);
    removeLeaders(extraction);
    removeBlobs(extraction);
  } while (removeForward(extraction));
  const { start, end, isReplyOrForward } = extraction;
  return { text: text.slice(start, end), isReplyOrForward };
}

/** (2): subj-trailer. */
function removeTrailers(extraction: Extraction): void {
  const { text } = extraction;
  for (;;) {
    const { start, end } = extraction;
    if (end > start && text.charAt(end - 1) === ' ') {
      extraction.end -= 1;
    } else if (end - FWD_TRAILER.length >= start && hasTrailer(text, end)) {
      extraction.end -= FWD_TRAILER.length;
      extraction.isReplyOrForward = true;
    } else {
      return;
    }
  }
}

function hasTrailer(text: string, end: number): boolean {
  return text.slice(end - FWD_TRAILER.length, end).toLowerCase() === FWD_TRAILER;
}

/** (3) and (5): subj-leader, that is space and marks with the blobs before them. */
function removeLeaders(extraction: Extraction): void {
  for (;;) {
    skipSpace(extraction);
    const mark = endOfRefwd(extraction, endOfBlobs(extraction, extraction.start));
    if (mark === undefined) return;
    extraction.start = mark;
    extraction.isReplyOrForward = true;
  }
}

/**
 * (4) and (5): subj-blob after subj-blob, as long as something is left. No mark can come to light, as the blobs before it
 * would have gone with it.
 */
function removeBlobs(extraction: Extraction): void {
  for (;;) {
    const end = endOfBlob(extraction, extraction.start);
    if (end === undefined || end >= extraction.end) return;
    extraction.start = end;
  }
}

/** (6): subj-fwd. */
function removeForward(extraction: Extraction): boolean {
  const { text, start, end } = extraction;
  const inner = matchEnd(FWD_HEADER, text, start);
  if (inner === undefined || inner > end - 1 || text.charAt(end - 1) !== ']') return false;
  extraction.start = inner;
  extraction.end = end - 1;
  extraction.isReplyOrForward = true;
  return true;
}

function skipSpace(extraction: Extraction): void {
  while (extraction.start < extraction.end && extraction.text.charAt(extraction.start) === ' ') {
    extraction.start += 1;
  }
}

/** After the subj-refwd at `at`. */
function endOfRefwd(extraction: Extraction, at: number): number | undefined {
  const word = matchEnd(REFWD_WORD, extraction.text, at);
  if (word === undefined || word >= extraction.end) return undefined;
  const colon = endOfBlob(extraction, word) ?? word;
  return colon < extraction.end && extraction.text.charAt(colon) === ':' ? colon + 1 : undefined;
}

function endOfBlobs(extraction: Extraction, at: number): number {
  let end = at;
  for (let next = endOfBlob(extraction, end); next !== undefined; next = endOfBlob(extraction, end))
    end = next;
  return end;
}

/** After the subj-blob at `at`, with the space behind it; undefined when none begins and ends within the text. */
function endOfBlob({ text, end }: Extraction, at: number): number | undefined {
  const blob = matchEnd(BLOB, text, at);
  return blob !== undefined && blob <= end ? blob : undefined;
}

function matchEnd(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

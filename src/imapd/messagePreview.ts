/**
 * A message's preview for FETCH (RFC 8970).
 *
 * Made anew each time from the first kilobytes of a text, in a millisecond or two; so LAZY gets the same answer, and never NIL.
 */

import { previewOf, previewSources } from '../wire/mime/preview.ts';
import type { Content } from '../store/contract/contents.ts';
import type { DerivedMessage } from '../store/contract/derived.ts';

/** The preview; empty where the message has no text to show. Errors: those of Content.read. */
export async function readPreview(content: Content, { structure }: DerivedMessage): Promise<string> {
  for (const source of previewSources(structure)) {
    const { bodyStart } = source.part;
    const pieces: Buffer[] = [];
    for await (const piece of content.read(bodyStart, bodyStart + source.sourceOctets)) pieces.push(piece);
    const preview = previewOf(source, Buffer.concat(pieces));
    if (preview !== '') return preview;
  }
  return '';
}

/**
 * A stored message's Message-ID and references (RFC 5256 section 3): References, which is read from its header, or else the
 * first message ID of In-Reply-To.
 *
 * Trust: a header is read up to the walker's limit, and of its message IDs the last REFERENCES_LIMIT are taken.
 */

import type { ContentId } from '../../base/ids.ts';
import { fieldValues, splitHeader } from '../../wire/mime/header.ts';
import { MAX_HEADER_OCTETS } from '../../wire/mime/limits.ts';
import { firstMessageIdOf, messageIdsOf } from '../../wire/mime/messageId.ts';
import type { Contents } from '../../store/contract/contents.ts';
import type { DerivedMessage } from '../../store/contract/derived.ts';
import { REFERENCES_LIMIT } from '../limits.ts';
import type { MessageReferences } from './referenceLinks.ts';

/** Reads them. Errors: those of Content.read. */
export async function readReferences(
  contents: Contents,
  contentId: ContentId,
  { envelope, structure }: DerivedMessage,
): Promise<MessageReferences> {
  const messageId = firstMessageIdOf(envelope.messageId ?? '');
  const header = await readHeader(contents, contentId, structure.bodyStart);
  const references = messageIdsOf(fieldValues(splitHeader(header), 'references').join(' '), REFERENCES_LIMIT);
  if (references.length > 0) return { messageId, references };
  const parent = firstMessageIdOf(envelope.inReplyTo ?? '');
  return { messageId, references: parent === undefined ? [] : [parent] };
}

async function readHeader(contents: Contents, contentId: ContentId, end: number): Promise<Buffer> {
  const content = await contents.open(contentId);
  const pieces: Buffer[] = [];
  for await (const piece of content.read(0, Math.min(end, MAX_HEADER_OCTETS))) pieces.push(piece);
  return Buffer.concat(pieces);
}

/**
 * Object identifiers of mailboxes and messages.
 *
 * RFC 8474 section 7: objectid. Their case counts.
 */

import type { CommandDecoder } from './decoder.ts';
import { ATOM_CHAR } from './octetClass.ts';

const OBJECT_ID = /^[A-Za-z0-9_-]{1,255}$/;

/** Takes an objectid. */
export function parseObjectId(decoder: CommandDecoder): string {
  const start = decoder.offset;
  const id = decoder.run(ATOM_CHAR, 'objectid').toString('latin1');
  if (!OBJECT_ID.test(id)) throw decoder.error('objectid', start);
  return id;
}

/** An objectid as responses and response codes hold it: in parentheses. */
export function formatObjectId(id: string): string {
  return `(${id})`;
}

/**
 * CREATE, with the special uses that the new mailbox shall have.
 *
 * RFC 3501 section 6.3.3 and section 9: create; RFC 4466 section 3: create-params; RFC 6154 section 6: USE, use-attr.
 * A use-attr that is not known is no syntax error: the command answers NO [USEATTR] to it (RFC 6154 section 3).
 */

import type { CommandDecoder } from './decoder.ts';
import { parseMailbox } from './mailboxName.ts';

/** The special-use attributes of RFC 6154 section 2. */
export const USE_ATTRIBUTES = [
  '\\All',
  '\\Archive',
  '\\Drafts',
  '\\Flagged',
  '\\Junk',
  '\\Sent',
  '\\Trash',
] as const;
export type UseAttribute = (typeof USE_ATTRIBUTES)[number];

/** CREATE's arguments. */
export interface CreateArguments {
  readonly mailbox: string;
  /** As the RFC writes them where they are known, else as they were sent, with the backslash. */
  readonly specialUses: readonly string[];
}

const SP = 0x20;

/** Takes CREATE's arguments. */
export function parseCreate(decoder: CommandDecoder): CreateArguments {
  decoder.sp();
  const mailbox = parseMailbox(decoder);
  const specialUses = decoder.accept(SP) ? decoder.list(() => parseUse(decoder)).flat() : [];
  decoder.eof();
  return { mailbox, specialUses };
}

/** Whether `attribute` is one that RFC 6154 defines, in the case that it writes it in. */
export function isUseAttribute(attribute: string): attribute is UseAttribute {
  return USE_ATTRIBUTES.some((known) => known === attribute);
}

function parseUse(decoder: CommandDecoder): readonly string[] {
  const start = decoder.offset;
  if (decoder.label('create-param') !== 'USE') throw decoder.error('USE', start);
  decoder.sp();
  return decoder.listOrEmpty(() => parseUseAttribute(decoder));
}

function parseUseAttribute(decoder: CommandDecoder): string {
  decoder.special('\\');
  const attribute = `\\${decoder.atom()}`;
  return USE_ATTRIBUTES.find((known) => known.toLowerCase() === attribute.toLowerCase()) ?? attribute;
}

/**
 * ID: what the client says it is.
 *
 * RFC 2971 section 3.1 and section 4: id, id_params_list.
 * Trust: of interest to logs and statistics only; at most as many fields as the RFC allows.
 */

import type { CommandDecoder } from './decoder.ts';

/** ID's arguments; undefined for NIL. Values undefined for NIL. One character for each octet. */
export interface IdArguments {
  readonly fields: readonly IdField[] | undefined;
}

/** One field of a client's ID. */
export interface IdField {
  readonly name: string;
  readonly value: string | undefined;
}

/** Fields of one ID: no more are to be sent (RFC 2971 section 3.3). */
export const ID_FIELD_LIMIT = 30;

/** Takes ID's arguments. */
export function parseId(decoder: CommandDecoder): IdArguments {
  decoder.sp();
  const start = decoder.offset;
  const fields = decoder.nil() ? undefined : decoder.listOrEmpty(() => parseField(decoder));
  if (fields !== undefined && fields.length > ID_FIELD_LIMIT) throw decoder.error('at most 30 fields', start);
  decoder.eof();
  return { fields };
}

function parseField(decoder: CommandDecoder): IdField {
  const name = decoder.string().toString('latin1');
  decoder.sp();
  return { name, value: decoder.nstring()?.toString('latin1') };
}

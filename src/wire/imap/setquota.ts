/**
 * SETQUOTA: a quota root and the limits that it is to have.
 *
 * RFC 9208 section 7: setquota, setquota-list, setquota-resource. Resources that nobody knows are read as well.
 */

import type { CommandDecoder } from './decoder.ts';

/** SETQUOTA's arguments. */
export interface SetQuotaArguments {
  /** One character for each octet; the case counts. */
  readonly root: string;
  readonly limits: readonly QuotaLimit[];
}

/** One resource and its limit. */
export interface QuotaLimit {
  /** In upper case. */
  readonly resource: string;
  readonly limit: number;
}

/** Takes SETQUOTA's arguments. */
export function parseSetQuota(decoder: CommandDecoder): SetQuotaArguments {
  decoder.sp();
  const root = decoder.astring().toString('latin1');
  decoder.sp();
  const limits = decoder.listOrEmpty(() => parseLimit(decoder));
  decoder.eof();
  return { root, limits };
}

function parseLimit(decoder: CommandDecoder): QuotaLimit {
  const resource = decoder.atom().toUpperCase();
  decoder.sp();
  return { resource, limit: decoder.number64() };
}

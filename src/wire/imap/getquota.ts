/**
 * GETQUOTA: one quota root.
 *
 * RFC 9208 section 7: getquota, quota-root-name.
 */

import type { CommandDecoder } from './decoder.ts';

/** GETQUOTA's argument. */
export interface GetQuotaArguments {
  /** One character for each octet; the case counts. */
  readonly root: string;
}

/** Takes GETQUOTA's argument. */
export function parseGetQuota(decoder: CommandDecoder): GetQuotaArguments {
  decoder.sp();
  const root = decoder.astring().toString('latin1');
  decoder.eof();
  return { root };
}

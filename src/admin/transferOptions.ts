/**
 * What the transfer room is opened with, and whoever asks what it would do.
 */

import type { TransferOptions } from '../transfer/contract.ts';
import type { Config } from '../config/schema.ts';

/** The transfer room's options of a configuration. */
export function transferOptions({
  smtp,
  store,
  transfer,
}: Config): Required<Pick<TransferOptions, 'sizeLimitOctets' | 'reserveOctets' | 'isRelaying'>> {
  const isRelaying = transfer.relayRoutes === 'on';
  const { freeReserveOctets: reserveOctets } = store;
  return { sizeLimitOctets: smtp.sizeLimitOctets, reserveOctets, isRelaying: () => isRelaying };
}

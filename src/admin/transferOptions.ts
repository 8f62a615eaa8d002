/**
 * What the transfer room is opened with, and whoever asks what it would do.
 */

import type { TransferOptions } from '../transfer/contract.ts';
import type { Config } from '../config/schema.ts';

/** The transfer room's options of a configuration. */
export function transferOptions({
  smtp,
  transfer,
}: Config): Required<Pick<TransferOptions, 'sizeLimitOctets' | 'isRelaying'>> {
  const isRelaying = transfer.relayRoutes === 'on';
  return { sizeLimitOctets: smtp.sizeLimitOctets, isRelaying: () => isRelaying };
}

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
  reports,
}: Config): Required<
  Pick<TransferOptions, 'sizeLimitOctets' | 'reserveOctets' | 'isRelaying' | 'refusalBudget' | 'reports'>
> {
  const isRelaying = transfer.relayRoutes === 'on';
  return {
    sizeLimitOctets: smtp.sizeLimitOctets,
    reserveOctets: store.freeReserveOctets,
    isRelaying: () => isRelaying,
    reports: { languages: reports.language, copyToPostmaster: reports.copyToPostmaster },
    refusalBudget: {
      perNetwork: transfer.tracedRefusalsPerNetworkPerHour,
      inAll: transfer.tracedRefusalsPerHour,
    },
  };
}

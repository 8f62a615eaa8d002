/**
 * The Deliveries view of the SQLite store: seals the draft and waits for the commit; answers about claims.
 */

import type { Deliveries } from '../contract/deliveries.ts';
import { selectHolder } from './claimQueries.ts';
import type { Drafts } from './drafts.ts';
import type { Lifetime } from './lifetime.ts';
import type { Reader } from './reader.ts';
import { selectSendingUse } from './sendingUseQueries.ts';
import type { Writer } from './writer/client.ts';

/** The Deliveries that write by `writer`. */
export function createDeliveries(
  writer: Writer,
  reader: Reader,
  drafts: Drafts,
  lifetime: Lifetime,
): Deliveries {
  return {
    deliver: ({ draft, ...plan }) =>
      lifetime.run(() =>
        drafts.seal([draft], async ([end], freight) => {
          if (end === undefined) throw new TypeError('one draft was sealed');
          return writer.run('deliver', { ...plan, draft: end }, freight);
        }),
      ),
    isClaimed: async (key, now) => reader.read((db) => selectHolder(db, key, now) !== undefined),
    renewClaim: (key, expiresAt) => lifetime.run(() => writer.run('renewClaim', { key, expiresAt })),
    sendingUse: async (subject, day) => reader.read((db) => selectSendingUse(db, subject, day)),
  };
}

/**
 * Handing a message over so that it is stored once although whoever does it may not hear the answer: the claim that the delivery takes
 * by the handover's name, in its own commit.
 *
 * A file is claimed on its disk, committed here, and removed there; a crash between the last two leaves the file, whose name says which
 * handover it was. The claim outlives the message, also one that was fetched and deleted.
 */

import type { Clock, UnixMs } from '../base/clock.ts';
import type { TraceId } from '../base/ids.ts';
import { DAY_MS } from '../base/units.ts';
import type { PlannedClaim } from '../store/contract/claims.ts';
import type { Store } from '../store/contract/store.ts';
import type { Envelope } from './contract.ts';
import { claimKey } from './onceOnly.ts';

/** How long a handover is remembered after it was last asked for: servers that crash are started again within a month. */
export const HANDOVER_DAYS = 30;

/** What looking at handovers needs. */
export interface HandoverSurroundings {
  readonly store: { readonly deliveries: Pick<Store['deliveries'], 'isClaimed' | 'renewClaim'> };
  readonly clock: Pick<Clock, 'now'>;
}

/** The claim of a handover, once for each recipient: who has one has had the message. None where it has no name. */
export function handoverClaims({ handoverId, recipients }: Envelope, at: UnixMs): readonly PlannedClaim[] {
  if (handoverId === undefined) return [];
  const claim = { kind: 'pickup', key: keyOf(handoverId), expiresAt: endOf(at) } as const;
  return recipients.map((recipient) => ({ ...claim, recipient }));
}

/** The claim of a report that is made while a message is handed over: where that is done again, nobody is told again. */
export function reportClaims(
  handoverId: string | undefined,
  to: string,
  at: UnixMs,
): readonly PlannedClaim[] {
  if (handoverId === undefined) return [];
  const key = claimKey(['pickup', 'report', handoverId, to]);
  return [{ kind: 'pickup', recipient: to, key, expiresAt: endOf(at) }];
}

/** See Transfer.wasAccepted. */
export function wasAccepted(
  { store, clock }: HandoverSurroundings,
  handoverId: string,
): Promise<TraceId | undefined> {
  return store.deliveries.renewClaim(keyOf(handoverId), endOf(clock.now()));
}

/** The message that has been accepted by the envelope's handover already, as far as a look tells; the delivery decides. Errors: the store's. */
export async function acceptedBefore(
  surroundings: HandoverSurroundings,
  { handoverId }: Envelope,
): Promise<TraceId | undefined> {
  const { store, clock } = surroundings;
  if (handoverId === undefined) return undefined;
  if (!(await store.deliveries.isClaimed(keyOf(handoverId), clock.now()))) return undefined;
  return wasAccepted(surroundings, handoverId);
}

function keyOf(handoverId: string): string {
  return claimKey(['pickup', handoverId]);
}

function endOf(at: UnixMs): UnixMs {
  return (at + HANDOVER_DAYS * DAY_MS) as UnixMs;
}

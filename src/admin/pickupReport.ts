/**
 * A pickup directory as an administrator sees it: what is configured, how it stands, and what waits in it.
 */

import type { UnixMs } from '../base/clock.ts';
import type { PickupStatus } from '../pickup/contract.ts';
import type { PickupConfig } from '../config/pickupKeys.ts';

/** `unreadable`: the directory is not there, or may not be read. `paused`: maintenance is on. */
export type PickupState = 'running' | 'paused' | 'unreadable';

/** What `pickup status` and `status` tell of a directory. Null is what there is not. */
export interface PickupReport
  extends Omit<PickupStatus, 'isReadable' | 'reason' | 'oldestWaitingSince' | 'lastFile' | 'oldestBadAt'> {
  readonly preset: string | null;
  readonly state: PickupState;
  /** Why it cannot be read. */
  readonly reason: string | null;
  readonly oldestWaitingSince: UnixMs | null;
  readonly lastFile: NonNullable<PickupStatus['lastFile']> | null;
  readonly oldestBadAt: UnixMs | null;
  readonly senders: readonly string[];
  readonly rewriteSender: string | null;
  readonly recipients: readonly string[];
  /** Where what is not for our domains goes; null: where routes say. */
  readonly relay: string | null;
  readonly messagesPerMinuteLimit: number;
}

/** A report for each directory that runs. */
export function reportPickups(
  statuses: readonly PickupStatus[],
  configured: readonly PickupConfig[],
  isPaused: boolean,
): readonly PickupReport[] {
  return statuses.map((status) => {
    const { isReadable, reason, ...rest } = status;
    const pickup = configured.find(({ name }) => name === status.name);
    return {
      ...rest,
      preset: pickup?.preset ?? null,
      state: stateOf(isReadable, isPaused),
      reason: reason ?? null,
      oldestWaitingSince: status.oldestWaitingSince ?? null,
      lastFile: status.lastFile ?? null,
      oldestBadAt: status.oldestBadAt ?? null,
      senders: pickup?.senders ?? [],
      rewriteSender: pickup?.rewriteSender ?? null,
      recipients: pickup?.recipients ?? [],
      relay: pickup?.relay ?? null,
      messagesPerMinuteLimit: pickup?.messagesPerMinuteLimit ?? 0,
    };
  });
}

function stateOf(isReadable: boolean, isPaused: boolean): PickupState {
  if (!isReadable) return 'unreadable';
  return isPaused ? 'paused' : 'running';
}

/**
 * Pickup, put together: the directories of the configuration as the room wants them, and what status, `hauspost pickup` and a reload
 * need of it. appliance.ts opens it after the door, and before anybody is told that the server is ready.
 */

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { SECOND_MS } from '../base/units.ts';
import { parseAddress } from '../accounts/address.ts';
import { SUBMISSION_SETTINGS } from '../accounts/submissionSettings.ts';
import type { DirectoryPolicy, Transfer } from '../transfer/contract.ts';
import type { Pickup, PickupDirectory } from '../pickup/contract.ts';
import { openPickup } from '../pickup/pickup.ts';
import { policyOf } from '../pickup/policy.ts';
import type { PickupConfig } from '../config/pickupKeys.ts';
import { badmailOf } from '../config/pickupProblems.ts';
import type { Config } from '../config/schema.ts';
import type { Maintenance } from './maintenance.ts';
import { type PickupReport, reportPickups } from './pickupReport.ts';

/** What pickup needs. */
export interface PickupSurroundings {
  readonly transfer: Transfer;
  /** While it is on, nothing is taken. */
  readonly maintenance: Pick<Maintenance, 'state'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Pickup as the running server sees it. */
export interface Pickups extends Pick<Pickup, 'listBad' | 'retry' | 'close'> {
  /** What files of each directory may do, as configured. */
  policies(): readonly DirectoryPolicy[];
  /** In the order of the configuration. */
  reports(): Promise<readonly PickupReport[]>;
  /** Takes the directories of another configuration. Errors: `invalid`, and then everything is as it was. */
  reload(config: Config): Promise<void>;
}

/** Begins to look at the directories; one that is not there is told and waited for. Errors: `invalid` (a pattern). */
export async function openPickups(config: Config, surroundings: PickupSurroundings): Promise<Pickups> {
  const { maintenance } = surroundings;
  const isPaused = () => maintenance.state() !== undefined;
  let configured = config.pickups;
  let policies = pickupPolicies(config);
  const pickup = await openPickup({ ...surroundings, directories: pickupDirectories(config), isPaused });
  return {
    policies: () => policies,
    listBad: (name, limit) => pickup.listBad(name, limit),
    retry: (name, files) => pickup.retry(name, files),
    close: (deadlineMs) => pickup.close(deadlineMs),
    reports: async () => reportPickups(await pickup.status(), configured, isPaused()),
    reload: async (fresh) => {
      await pickup.reconfigure(pickupDirectories(fresh));
      configured = fresh.pickups;
      policies = pickupPolicies(fresh);
    },
  };
}

/** What files of each directory may do. Errors: `invalid`. */
export function pickupPolicies(config: Config): readonly DirectoryPolicy[] {
  return pickupDirectories(config).map(policyOf);
}

/** The room's options of each `[[pickups]]` table. Errors: `invalid`. */
export function pickupDirectories({ pickups, smtp }: Config): readonly PickupDirectory[] {
  return pickups.map((pickup) => ({
    name: pickup.name,
    kind: pickup.kind,
    directory: pickup.directory,
    badmailDirectory: badmailOf(pickup),
    fileNames: pickup.names,
    dots: pickup.dots,
    senderFirst: pickup.senderFirst,
    removesTrace: pickup.removesTrace,
    defaultSender: pickup.defaultSender,
    scanMs: pickup.scanSeconds * SECOND_MS,
    settleMs: pickup.settleSeconds * SECOND_MS,
    messagesPerMinuteLimit: pickup.messagesPerMinuteLimit,
    headerLimitOctets: pickup.headerLimitOctets,
    recipientLimit: pickup.recipientLimit,
    sizeLimitOctets: Math.min(pickup.sizeLimitOctets ?? smtp.sizeLimitOctets, smtp.sizeLimitOctets),
    senders: patternsOf(pickup, 'senders'),
    rewriteSender: pickup.rewriteSender === undefined ? undefined : addressOf(pickup, pickup.rewriteSender),
    recipients: patternsOf(pickup, 'recipients'),
    relay: pickup.relay,
  }));
}

/** Patterns in the one form in which they are compared. */
function patternsOf(pickup: PickupConfig, key: 'senders' | 'recipients'): readonly string[] {
  return pickup[key].flatMap((text) => {
    const parsed = SUBMISSION_SETTINGS['submission.senders'].parse(text);
    if (parsed !== undefined) return parsed;
    throw unusable(pickup, key, text);
  });
}

function addressOf(pickup: PickupConfig, text: string): string {
  const parsed = parseAddress(text);
  if (parsed.kind === 'address') return parsed.address;
  throw unusable(pickup, 'rewriteSender', text);
}

function unusable({ name }: PickupConfig, key: string, text: string): MailError {
  return new MailError(
    'invalid',
    `The pickup “${name}” cannot be used: ${key} has “${text}”, which is no domain or address.`,
  );
}

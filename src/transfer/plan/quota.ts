/**
 * Recipients whose mailboxes turn out to be full at the end of the data, when the message's size is known.
 *
 * Full is a recipient all of whose copies go beyond their accounts' quotas, and of whom nothing else becomes: an archive behind
 * an alias that is full does not keep the mail from the application beside it, and gets its copy. When nobody else is left, the
 * sender keeps the message (452). Otherwise the message is accepted and the sender is told of the full ones (RFC 5321 section
 * 6.1), as long as there is a way to tell; where there is none, the copy is stored, over quota or not.
 */

import { MailError } from '../../base/error.ts';
import type { AccountId } from '../../base/ids.ts';
import type { Envelope } from '../contract.ts';
import type { Deliveries } from './deliveries.ts';
import type { PlanSurroundings } from './surroundings.ts';

/** A recipient that cannot have the message. */
export interface UndeliveredRecipient {
  readonly recipient: string;
  readonly error: MailError;
  /** Whose copies are of no use to anybody else, and are left out once the sender has been told. */
  readonly accounts: ReadonlySet<AccountId>;
}

/** Finds the full recipients of a plan. Errors: `overQuota` when nobody else is left, the store's. */
export async function findFull(
  surroundings: PlanSurroundings,
  deliveries: Deliveries,
  { envelope, octets }: { readonly envelope: Envelope; readonly octets: number },
): Promise<readonly UndeliveredRecipient[]> {
  const full = await fullAccounts(surroundings, deliveries, octets);
  if (full.size === 0) return [];
  const accountsOf = (recipient: string) => deliveries.ways.get(recipient)?.accounts ?? new Set<AccountId>();
  // A copy that stands for another account's, or that a recipient with room needs too, stays.
  const kept = new Set(deliveries.heirs);
  for (const recipient of envelope.recipients)
    if (!isFull(deliveries, full, recipient)) for (const id of accountsOf(recipient)) kept.add(id);
  const undelivered = envelope.recipients
    .filter((recipient) => isFull(deliveries, full, recipient))
    .filter((recipient) => [...accountsOf(recipient)].every((id) => !kept.has(id)))
    .map((recipient) => ({ recipient, error: new MailError('overQuota'), accounts: accountsOf(recipient) }));
  const left = new Set(undelivered.flatMap(({ accounts }) => [...accounts]));
  if (left.size === deliveries.reached.size && deliveries.queued.size === 0)
    throw new MailError('overQuota', 'all recipients are over quota');
  return undelivered;
}

async function fullAccounts(
  { accounts }: PlanSurroundings,
  { copies }: Deliveries,
  octets: number,
): Promise<ReadonlySet<AccountId>> {
  const full = new Set<AccountId>();
  for (const { account } of copies.values()) {
    if (account.quotaOctets !== undefined && (await accounts.isOverQuota(account, octets)))
      full.add(account.id);
  }
  return full;
}

function isFull({ ways }: Deliveries, full: ReadonlySet<AccountId>, recipient: string): boolean {
  const way = ways.get(recipient);
  if (way === undefined || way.isQueued || way.accounts.size === 0) return false;
  return [...way.accounts].every((id) => full.has(id));
}

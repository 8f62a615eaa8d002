/**
 * The plan of a message: which accounts get a copy. Made once, at the end of the data, with the directory as it is then.
 *
 * A recipient that was removed between its RCPT and now gets nothing, which the trace tells; when nobody is left, the message is
 * refused. (Routes, rules and replies will be planned here.)
 */

import type { UnixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { AccountId } from '../base/ids.ts';
import { yieldTurn } from '../base/pacer.ts';
import type { PlannedCopy } from '../store/contract/deliveries.ts';
import type { TraceEvent } from '../store/contract/trace.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { parseAddress } from '../accounts/address.ts';

/** Recipients resolved in one turn of the event loop, some milliseconds. */
const STEPS_PER_TURN = 100;

/** What is to be done with a message. */
export interface Plan {
  /** One for each account, however many of the recipients lead to it. */
  readonly copies: readonly PlannedCopy[];
  /** Recipients that lead to nobody any more. */
  readonly events: readonly TraceEvent[];
}

/**
 * Plans a message to `recipients` that says in Delivered-To that it was delivered to `deliveredTo` before.
 * Errors: `mailLoop`, `recipientUnknown`, the store's.
 */
export async function plan(
  accounts: Pick<Accounts, 'resolveRecipient'>,
  recipients: readonly string[],
  deliveredTo: readonly string[],
  at: UnixMs,
): Promise<Plan> {
  const before = new Set(deliveredTo.map(normalized));
  const copies = new Map<AccountId, PlannedCopy>();
  const events: TraceEvent[] = [];
  for (const [index, recipient] of recipients.entries()) {
    if (index % STEPS_PER_TURN === STEPS_PER_TURN - 1) await yieldTurn();
    refuseLoop(before, recipient);
    const found = await accounts.resolveRecipient(recipient);
    if (found.kind !== 'accounts') {
      events.push({ at, kind: 'refused', fields: { recipient, reason: found.kind } });
      continue;
    }
    for (const { id, address } of found.accounts) {
      refuseLoop(before, address);
      if (!copies.has(id)) copies.set(id, { accountId: id, recipient });
    }
  }
  if (copies.size === 0)
    throw new MailError('recipientUnknown', 'no recipient is left at the end of the data');
  return { copies: [...copies.values()], events };
}

function refuseLoop(before: ReadonlySet<string>, address: string): void {
  if (before.size > 0 && before.has(normalized(address)))
    throw new MailError('mailLoop', `it was delivered to ${address} before (Delivered-To)`);
}

function normalized(address: string): string {
  const parsed = parseAddress(address);
  return parsed.kind === 'address' ? parsed.address : address.toLowerCase();
}

/**
 * Items of a leased message as transactions: what may share one MAIL goes together, up to the hop's limit of recipients.
 *
 * RFC 5321 section 4.5.4.1: one copy for all recipients of a host. NOTIFY and ORCPT (RFC 3461) are each recipient's own. Pure.
 */

import type { LeasedMessage } from '../store/contract/queueWork.ts';
import type { QueueItem } from '../store/contract/queue.ts';

/** Items that leave in one transaction, in lease order: one or more, of one content. */
export interface Transaction {
  readonly items: readonly QueueItem[];
  /** Sender and recipient of each item, as one text: of each pair one attempt is made at a time. */
  readonly pairs: ReadonlySet<string>;
}

/** Transactions of a message, in the order of their first items; `recipientLimit` is 1 or more. */
export function transactionsOf(message: LeasedMessage, recipientLimit: number): readonly Transaction[] {
  const open = new Map<string, { items: QueueItem[]; pairs: Set<string> }>();
  const transactions: Transaction[] = [];
  for (const item of message) {
    const envelope = envelopeOf(item);
    const pair = pairOf(item);
    let transaction = open.get(envelope);
    if (
      transaction === undefined ||
      transaction.items.length >= recipientLimit ||
      transaction.pairs.has(pair)
    ) {
      transaction = { items: [], pairs: new Set() };
      open.set(envelope, transaction);
      transactions.push(transaction);
    }
    transaction.items.push(item);
    transaction.pairs.add(pair);
  }
  return transactions;
}

/**
 * The first transaction none of whose pairs is under way or stands in one before it, so that nothing overtakes on the way from one
 * sender to one recipient; undefined when there is none.
 */
export function nextTransaction<Waiting extends Transaction>(
  waiting: readonly Waiting[],
  underWay: ReadonlySet<string>,
): Waiting | undefined {
  const taken = new Set(underWay);
  for (const transaction of waiting) {
    const pairs = [...transaction.pairs];
    if (!pairs.some((pair) => taken.has(pair))) return transaction;
    for (const pair of pairs) taken.add(pair);
  }
  return undefined;
}

/** What one MAIL says, and what stands in front of the message. */
function envelopeOf({ reversePath, isSmtpUtf8, ret, envid, forwardedFor }: QueueItem): string {
  return JSON.stringify([reversePath, isSmtpUtf8, ret, envid, forwardedFor]);
}

function pairOf({ reversePath, recipient }: QueueItem): string {
  return `${reversePath}\n${recipient}`;
}

/**
 * A transaction made ready to leave: its addresses checked, its content opened as it goes on the wire.
 *
 * RFC 5321 sections 4.1.2 (what an address is) and 4.4 (Return-path is for the final delivery and is left out); Delivered-To goes in
 * front of what is forwarded, which stops loops. A content that is damaged or gone is never sent in part and never lost: its items
 * are held.
 * Trust: addresses were checked when they came in; what a path of a message or of an administrator's change has become in the
 * database is checked anew, since a line end in it would be a command.
 */

import { asMailError, type MailError } from '../base/error.ts';
import type { QueueId } from '../base/ids.ts';
import type { Content, Contents } from '../store/contract/contents.ts';
import type { QueueItem } from '../store/contract/queue.ts';
import type { RecipientOutcome, RelayedMessage } from '../transfer/relay.ts';
import type { Transaction } from './grouping.ts';
import { faultInPath } from './smtp/checkPath.ts';

/** What leaves, and what does not. */
export interface Departure {
  /** Undefined when nothing may leave. */
  readonly message: RelayedMessage | undefined;
  /** The items of the message, in the order of its recipients. */
  readonly items: readonly QueueItem[];
  /** Items that do not get as far as the next hop. */
  readonly stopped: ReadonlyMap<QueueId, RecipientOutcome>;
  /** Why the content could not be read, once that was tried. */
  fault(): ContentFault | undefined;
}

/** Trouble with our own copy: `damaged` stays, `unreadable` may pass. */
export interface ContentFault {
  readonly kind: 'damaged' | 'unreadable';
  readonly reason: string;
}

/** Makes a transaction ready. Never rejects. */
export async function prepareDeparture(
  contents: Pick<Contents, 'open'>,
  transaction: Transaction,
): Promise<Departure> {
  const [first] = transaction.items;
  if (first === undefined)
    return { message: undefined, items: [], stopped: new Map(), fault: () => undefined };
  const stopped = new Map<QueueId, RecipientOutcome>();
  for (const item of transaction.items) {
    const outcome = addressOutcome(item);
    if (outcome !== undefined) stopped.set(item.id, outcome);
  }
  const items = transaction.items.filter(({ id }) => !stopped.has(id));
  if (items.length === 0) return { message: undefined, items, stopped, fault: () => undefined };
  let fault: ContentFault | undefined;
  try {
    const content = await contents.open(first.contentId);
    const message = messageOf(first, items, content, (error) => {
      fault = faultOf(error);
    });
    return { message, items, stopped, fault: () => fault };
  } catch (error) {
    fault = faultOf(asMailError(error));
    return { message: undefined, items, stopped, fault: () => fault };
  }
}

function messageOf(
  first: QueueItem,
  items: readonly QueueItem[],
  content: Content,
  onFault: (error: MailError) => void,
): RelayedMessage {
  const { traceId, reversePath, isSmtpUtf8, ret, envid, forwardedFor } = first;
  const front = forwardedFor === undefined ? undefined : Buffer.from(`Delivered-To: ${forwardedFor}\r\n`);
  return {
    traceId,
    reversePath,
    recipients: items.map(({ id, recipient, notify, orcpt }) => ({
      queueId: id,
      address: recipient,
      notify,
      orcpt,
    })),
    isSmtpUtf8,
    ret,
    envid,
    octets: (front?.length ?? 0) + content.octets - content.returnPathOctets,
    async *open() {
      if (front !== undefined) yield front;
      try {
        yield* content.read(content.returnPathOctets, content.octets);
      } catch (error) {
        onFault(asMailError(error));
        throw error;
      }
    },
  };
}

/** RFC 3463 section 3.2: 5.1.3 and 5.1.7, bad syntax of a recipient's and of the sender's address. */
function addressOutcome({ reversePath, recipient, forwardedFor }: QueueItem): RecipientOutcome | undefined {
  const fault = faultInPath(recipient, 'forward');
  if (fault !== undefined) return { kind: 'failed', status: '5.1.3', reply: fault };
  const senderFault = faultInPath(reversePath, 'reverse');
  if (senderFault !== undefined) return { kind: 'failed', status: '5.1.7', reply: senderFault };
  if (forwardedFor !== undefined && faultInPath(forwardedFor, 'forward') !== undefined)
    return { kind: 'held', reason: 'The local address that forwards it cannot be written in Delivered-To' };
  return undefined;
}

function faultOf({ code, message }: MailError): ContentFault {
  const isDamaged = code === 'contentCorrupt' || code === 'contentGone';
  return isDamaged
    ? { kind: 'damaged', reason: `The stored message cannot be read (${code}): ${message}` }
    : { kind: 'unreadable', reason: `The store could not be read: ${message}` };
}

/**
 * A message as THREAD sees it, and the tree that it becomes a member of (RFC 5256 section 3).
 */

/** What threading needs of a message. */
export interface ThreadedMessage {
  /** As it is told: sequence number or UID. Both go up with the mailbox's order, which breaks ties. */
  readonly number: number;
  /** The sent date (section 2.2), in milliseconds since 1970. */
  readonly sentMs: number;
  /** The base subject, as it is compared. */
  readonly subject: string;
  /** Whether the original subject was a reply's or a forward's. */
  readonly isReplyOrForward: boolean;
}

/** A member of a thread; without a message it is a dummy, whose children are messages. */
export interface ThreadNode {
  readonly message: ThreadedMessage | undefined;
  readonly number: number | undefined;
  children: ThreadNode[];
}

/** A member without children. */
export function threadNode(message: ThreadedMessage | undefined): ThreadNode {
  return { message, number: message?.number, children: [] };
}

/** By sent date, then by the mailbox's order. */
export function compareSent(left: ThreadedMessage, right: ThreadedMessage): number {
  return left.sentMs - right.sentMs || left.number - right.number;
}

/**
 * STATUS lines.
 *
 * RFC 3501 section 7.2.4 and section 9: status-att-list; RFC 4466 section 3: status-att-val.
 */

import { formatMailbox } from './mailboxName.ts';
import type { StatusItem } from './status.ts';

/** A counter, or what stands for a value that is none, in the form in which it is told. */
export type StatusValue = number | string;

/** A STATUS line with its CRLF: the items in the order given. */
export function formatStatus(mailbox: string, values: ReadonlyMap<StatusItem, StatusValue>): string {
  const items = [...values].map(([item, value]) => `${item} ${value}`);
  return `* STATUS ${formatMailbox(mailbox)} (${items.join(' ')})\r\n`;
}

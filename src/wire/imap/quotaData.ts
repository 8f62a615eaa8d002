/**
 * QUOTA and QUOTAROOT lines.
 *
 * RFC 9208 section 4.2 and section 7: quota-response, quota-list, quotaroot-response. A root without limits has an empty list,
 * as section 4.2.1 has it though its grammar has not.
 */

import { formatAstring } from './format.ts';
import { formatMailbox } from './mailboxName.ts';

/** What of a resource is used, and how much may be, in the resource's own unit. */
export interface QuotaResource {
  readonly name: 'STORAGE';
  readonly usage: number;
  readonly limit: number;
}

/** A QUOTA line with its CRLF. */
export function formatQuota(root: string, resources: readonly QuotaResource[]): string {
  const triplets = resources.map(({ name, usage, limit }) => `${name} ${usage} ${limit}`);
  return `* QUOTA ${formatAstring(root)} (${triplets.join(' ')})\r\n`;
}

/** A QUOTAROOT line with its CRLF. */
export function formatQuotaRoot(mailbox: string, roots: readonly string[]): string {
  return `* QUOTAROOT ${[formatMailbox(mailbox), ...roots.map(formatAstring)].join(' ')}\r\n`;
}

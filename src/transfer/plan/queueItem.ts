/**
 * What goes to a next hop, with the DSN parameters that go with it (RFC 3461 section 5.2.7).
 *
 * A list ends them. An alias or a forward hands them on; where it leads to several, or a copy stays, without SUCCESS, since
 * nobody could say of such a recipient that it got the message. The sender adds Delivered-To (`forwardedFor`) when it leaves.
 */

import { escapeUtf8Address } from '../../wire/smtp/utf8Address.ts';
import { encodeXtext } from '../../wire/smtp/xtext.ts';
import type { DsnCondition, PlannedQueueItem } from '../../store/contract/queue.ts';
import type { EnvelopeDsn } from '../contract.ts';
import type { Finding } from './findings.ts';

/** A message as far as its queue items need it. */
export interface QueuedMessage {
  /** Undefined where DSN was not offered. */
  readonly dsn: EnvelopeDsn | undefined;
  readonly isSmtpUtf8: boolean;
  /** Whether its sender had logged in or is in a trusted range. */
  readonly isSubmitted: boolean;
}

/** The item for a next hop; `recipient` is the one of the envelope that led there. */
export function queueItem(
  { dsn, isSmtpUtf8, isSubmitted }: QueuedMessage,
  found: Extract<Finding, { kind: 'nextHop' }>,
  recipient: string,
  forwardedFor: string | undefined,
): PlannedQueueItem {
  const { nextHop, reversePath } = found;
  const item: PlannedQueueItem = {
    recipient: found.recipient,
    nextHop,
    reversePath,
    ...(found.recipient === recipient ? {} : { via: recipient }),
    isSmtpUtf8: isSmtpUtf8 || !isAscii(found.recipient) || !isAscii(reversePath),
    ...(forwardedFor === undefined ? {} : { forwardedFor }),
    ...(isSubmitted ? { isSubmitted } : {}),
  };
  if (dsn === undefined || found.dsn === 'none') return item;
  const asked = dsn.recipients.get(recipient);
  const notify = found.dsn === 'withoutSuccess' ? withoutSuccess(asked?.notify) : asked?.notify;
  return {
    ...item,
    ...(notify === undefined ? {} : { notify }),
    ...(asked?.orcpt === undefined ? {} : { orcpt: xtextAddress(asked.orcpt) }),
    ...(dsn.ret === undefined ? {} : { ret: dsn.ret }),
    ...(dsn.envid === undefined ? {} : { envid: encodeXtext(dsn.envid) }),
  };
}

/** Whoever asked for nothing but SUCCESS hears of nothing else. */
function withoutSuccess(notify: readonly DsnCondition[] | undefined): readonly DsnCondition[] | undefined {
  if (notify === undefined) return undefined;
  const others = notify.filter((condition) => condition !== 'SUCCESS');
  return others.length === 0 ? ['NEVER'] : others;
}

/** addr-type ";" xtext; of the type utf-8 in the form that needs no SMTPUTF8 (RFC 6533 section 3). */
function xtextAddress(orcpt: string): string {
  const semicolon = orcpt.indexOf(';');
  const [type, address] = [orcpt.slice(0, semicolon), orcpt.slice(semicolon + 1)];
  const isUtf8 = type.toLowerCase() === 'utf-8';
  return `${type};${isUtf8 ? escapeUtf8Address(address) : encodeXtext(address)}`;
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

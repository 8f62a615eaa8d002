/**
 * What a file in a drop directory is called, and what stands in front of the message in it. Pure.
 *
 * The name begins with the lowest queue id, so that names sort as messages came, and has the message's trace id, so that an
 * administrator finds it by `hauspost trace`, and so that no other server and no other message has the same. It is made of nothing else:
 * a repeat of the same transaction has the same name, and nothing that came from outside is in it.
 * The lines are those of the Windows SMTP service (IIS): `x-sender`, then `x-receiver` for each recipient, paths without brackets, the
 * null path as `<>`. Addresses beyond ASCII (RFC 6531) stand there in UTF-8, as they do in the message.
 */

import type { TraceId } from '../../base/ids.ts';
import type { RelayedMessage, RelayRecipient } from '../../transfer/relay.ts';

/** What a file consists of: the message alone, or with lines in front that name sender and recipients. */
export type DropFormat = 'iis' | 'plain';

const QUEUE_ID_DIGITS = 12;
const NAME = /^\d{12,16}-[0-9A-Z]{20}(-\d{1,2})?\.eml$/;
const UNFINISHED_NAME = /^\.\d{12,16}-[0-9A-Z]{20}\.eml\.[0-9a-f]{16}\.part$/;

/** The name of the file for these recipients: one or more. */
export function dropFileName(traceId: TraceId, recipients: readonly RelayRecipient[]): string {
  const lowest = Math.min(...recipients.map(({ queueId }) => queueId));
  return `${String(lowest).padStart(QUEUE_ID_DIGITS, '0')}-${traceId}.eml`;
}

/** The name with a number, from 2 on, for where it is taken. */
export function numberedName(name: string, number: number): string {
  return number === 1 ? name : name.replace(/\.eml$/, `-${number}.eml`);
}

/**
 * The name that the file has until it is complete: hidden, and of no ending that readers look for. `attempt` (16 hex digits) makes it
 * one that no other attempt has.
 */
export function unfinishedName(name: string, attempt: string): string {
  return `.${name}.${attempt}.part`;
}

/** Whether a file has a name as we give them. */
export function isOurs(name: string): boolean {
  return NAME.test(name);
}

/** Whether a file has a name as we give them until they are complete. */
export function isUnfinished(name: string): boolean {
  return UNFINISHED_NAME.test(name);
}

/** Whether it counts as a message that waits for a reader, whoever wrote it. */
export function isMessage(name: string): boolean {
  return /^[^.].*\.eml$/i.test(name);
}

/** What stands in front of the message. */
export function linesInFront(
  format: DropFormat,
  { reversePath }: Pick<RelayedMessage, 'reversePath'>,
  recipients: readonly RelayRecipient[],
): Buffer {
  if (format === 'plain') return Buffer.alloc(0);
  const receivers = recipients.map(({ address }) => `x-receiver: ${address}\r\n`);
  return Buffer.from(`x-sender: ${reversePath === '' ? '<>' : reversePath}\r\n${receivers.join('')}`);
}

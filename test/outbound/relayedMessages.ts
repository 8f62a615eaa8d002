/**
 * Messages for a relay under test.
 */

import type { QueueId, TraceId } from '../../src/base/ids.ts';
import type { RelayedMessage, RelayRecipient } from '../../src/transfer/relay.ts';

/** A message with these octets for these recipients; `pieceOctets` is how much it yields at a time. */
export function messageOf(
  octets: string | Buffer,
  recipients: readonly (string | Partial<RelayRecipient>)[] = ['recipient@example.org'],
  others: Partial<RelayedMessage> & { readonly pieceOctets?: number } = {},
): RelayedMessage {
  const { pieceOctets = 256 * 1024, ...rest } = others;
  const all = Buffer.from(octets as string);
  return {
    traceId: 'trace-1' as TraceId,
    reversePath: 'sender@example.com',
    isSmtpUtf8: false,
    octets: all.length,
    recipients: recipients.map((recipient, index) => ({
      queueId: (index + 1) as QueueId,
      address: 'recipient@example.org',
      ...(typeof recipient === 'string' ? { address: recipient } : recipient),
    })),
    open: async function* () {
      for (let at = 0; at < all.length; at += pieceOctets) yield all.subarray(at, at + pieceOctets);
    },
    ...rest,
  };
}

/**
 * Items of the queue as a scheduler leases them, for tests that need no store.
 */

import { unixMs } from '../../src/base/clock.ts';
import type { ContentId, QueueId, TraceId } from '../../src/base/ids.ts';
import type { QueueItem } from '../../src/store/contract/queue.ts';

/** An item; what is not said is ordinary. */
export function queueItem({
  id = 1,
  ...said
}: Partial<Omit<QueueItem, 'id'>> & { readonly id?: number }): QueueItem {
  return {
    id: id as QueueId,
    traceId: '00000000000000000000' as TraceId,
    contentId: 1 as ContentId,
    recipient: 'a@x.example',
    nextHop: { kind: 'relay', name: 'm365' },
    reversePath: 's@app.example',
    isSmtpUtf8: false,
    octets: 1000,
    priority: 0,
    state: 'leased',
    attempts: 0,
    createdAt: unixMs(0),
    nextAttemptAt: unixMs(0),
    leasedUntil: undefined,
    lastReply: undefined,
    ...said,
  };
}

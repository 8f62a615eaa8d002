/**
 * The trace's jobs, and what deliveries write into the trace within their own transaction.
 */

import type { UnixMs } from '../../../base/clock.ts';
import type { TraceId } from '../../../base/ids.ts';
import type { TraceEvent } from '../../contract/trace.ts';
import type { Connection } from '../connection.ts';

/** Jobs by name. */
export const TRACE_JOBS = {} as const;

/** A message that a delivery brings. */
export interface TracedDelivery {
  readonly traceId: TraceId;
  readonly acceptedAt: UnixMs;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly octets: number;
  /** What the plan brought, then one `stored` for each copy. */
  readonly events: readonly TraceEvent[];
}

/** Writes a delivered message's trace, within the delivery's savepoint. */
export function insertDeliveryTrace(_db: Connection, _delivery: TracedDelivery): void {}

/** Deletes some of the traces that were accepted before `before`; answers whether there may be more. */
export function deleteOldTraces(_db: Connection, _before: UnixMs): boolean {
  return false;
}

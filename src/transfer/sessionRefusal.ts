/**
 * A session's refusal as the trace has it: what was refused, the client's answer, and who it was.
 */

import type { Clock } from '../base/clock.ts';
import type { TraceId } from '../base/ids.ts';
import type { SessionRefusal } from './contract.ts';
import { describeOrigin } from './describeOrigin.ts';
import type { Refusals } from './refusals.ts';

/** Notes what a session has refused. */
export function noteSessionRefusal(
  refusals: Refusals,
  clock: Clock,
  traceId: TraceId,
  { stage, origin, reply, reversePath, recipient, loginName }: SessionRefusal,
): void {
  const whose = {
    ...(recipient === undefined ? {} : { recipient }),
    ...(loginName === undefined ? {} : { loginName }),
  };
  refusals.note(origin.remoteAddress, {
    traceId,
    reversePath,
    recipients: recipient === undefined ? [] : [recipient],
    otherNames: loginName === undefined ? [] : [loginName],
    event: {
      at: clock.now(),
      kind: 'refused',
      fields: { stage, ...whose, reply, ...describeOrigin(origin) },
    },
  });
}

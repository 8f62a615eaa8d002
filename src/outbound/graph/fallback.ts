/**
 * What comes of a message that Graph cannot carry and another relay was asked for.
 *
 * The other relay's trouble is not the hop's, which goes on with what Graph can carry; so who was not tried because of it is deferred,
 * for as long as the trouble asks for. Every reply says by whom and why.
 */

import { HOUR_MS, MINUTE_MS } from '../../base/units.ts';
import type { HopTrouble, RecipientOutcome, RelayResult } from '../../transfer/relay.ts';

/** The result of the relay `name` as that of the relay by Graph; `why` Graph was not asked, or what it said. */
export function byFallback({ outcomes, trouble }: RelayResult, name: string, why: string): RelayResult {
  const note = `(by ${name}, since it cannot go by Graph: ${why})`;
  return {
    outcomes: outcomes.map((outcome): RecipientOutcome => {
      if (outcome.kind === 'held') return { kind: 'held', reason: `${outcome.reason} ${note}` };
      if (outcome.kind !== 'untried') return { ...outcome, reply: `${outcome.reply} ${note}` };
      if (trouble === undefined) return outcome;
      return {
        kind: 'deferred',
        reply: `${adviceOf(trouble)} ${note}`,
        status: STATUS_OF_TROUBLE[trouble.kind],
        retryAfterMs: waitFor(trouble),
      };
    }),
  };
}

/** RFC 3463: 4.4.1 no answer from host, 4.3.2 not accepting messages, 4.3.5 incorrectly configured. */
const STATUS_OF_TROUBLE: Readonly<Record<HopTrouble['kind'], string>> = {
  unreachable: '4.4.1',
  throttled: '4.3.2',
  quota: '4.3.2',
  misconfigured: '4.3.5',
};

function adviceOf(trouble: HopTrouble): string {
  return 'advice' in trouble ? `${trouble.reason} (${trouble.advice})` : trouble.reason;
}

/** As the schedule of hops has it: a quota waits an hour, what is set up wrongly is probed every 15 minutes. */
function waitFor(trouble: HopTrouble): number | undefined {
  switch (trouble.kind) {
    case 'unreachable':
      return undefined;
    case 'throttled':
      return trouble.retryAfterMs;
    case 'quota':
      return HOUR_MS;
    case 'misconfigured':
      return 15 * MINUTE_MS;
  }
}

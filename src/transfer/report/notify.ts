/**
 * Whether a sender wants to hear of it: NOTIFY (RFC 3461 sections 4.1, 5.2.2, 5.2.5 and 5.2.6).
 */

import type { ReportedAction } from '../../wire/dsn/texts/reportTexts.ts';
import type { DsnCondition } from '../../store/contract/queue.ts';

const CONDITIONS: Readonly<Record<ReportedAction, DsnCondition>> = {
  failed: 'FAILURE',
  delayed: 'DELAY',
  delivered: 'SUCCESS',
  relayed: 'SUCCESS',
  expanded: 'SUCCESS',
};

/** Without NOTIFY failures and delays are told. */
export function isWanted(action: ReportedAction, notify: readonly DsnCondition[] | undefined): boolean {
  const condition = CONDITIONS[action];
  return notify === undefined ? condition !== 'SUCCESS' : notify.includes(condition);
}

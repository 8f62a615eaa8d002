/**
 * The one door for messages in transit: whoever takes one in hands it to `accept`, and may acknowledge it when that answers
 * `accepted`, which is after the commit.
 *
 * RCPT is answered by `checkRecipient`, which refuses whatever neither a route nor one of our domains takes (plan/routes.ts says who
 * may use a route: there is no open relay).
 * Trust: paths and octets are the other side's. Messages in transit pass through, in pieces, and stay nowhere but in the store.
 */

import { accept } from './accept.ts';
import { noteBadFile } from './badFile.ts';
import { checkRecipient } from './checkRecipient.ts';
import type { Transfer, TransferOptions } from './contract.ts';
import { createFreeSpace } from './freeSpace.ts';
import { wasAccepted } from './handover.ts';
import { followRoutingTables } from './plan/routingTables.ts';
import type { PlanSurroundings } from './plan/surroundings.ts';
import { Refusals } from './refusals.ts';
import { noteSessionRefusal } from './sessionRefusal.ts';
import { checkSender, refuseMoreRecipients, withOwnSender, withSubmission } from './submission/submission.ts';

/** What decisions are made from: the door's, and those of whoever only asks what would happen. */
export function createPlanning(
  options: Pick<TransferOptions, 'accounts' | 'isRelaying' | 'senderRewriting' | 'log'> & {
    readonly store: Pick<TransferOptions['store'], 'directory' | 'feed'>;
  },
): PlanSurroundings {
  const { store, accounts, isRelaying = () => false, senderRewriting, log } = options;
  const { directory, feed } = store;
  const tables = followRoutingTables({ routing: directory, feed, log });
  return { directory, routing: directory, accounts, log, tables, isRelaying, senderRewriting };
}

/** Opens the door. */
export function createTransfer(options: TransferOptions): Transfer {
  const freeSpace = createFreeSpace({ reserveOctets: 0, ...options });
  const planning = createPlanning(options);
  const { store, clock, log, refusalBudget: budget } = options;
  const refusals = new Refusals({ trace: store.trace, budget, clock, log });
  const surroundings = { ...withSubmission(options), planning, refusals, freeSpace };
  return {
    note: (traceId, refusal) => noteSessionRefusal(refusals, clock, traceId, refusal),
    noteBadFile: (refused) => noteBadFile(refusals, clock, refused),
    wasAccepted: (handoverId) => wasAccepted(options, handoverId),
    checkSender: (reversePath, submitter, declaredOctets = 0) =>
      checkSender(surroundings, reversePath, submitter, declaredOctets),
    async checkRecipient(path, question) {
      const asked = await withOwnSender(surroundings, question);
      const verdict = await checkRecipient(planning, freeSpace, path, asked);
      const refusal =
        verdict.kind === 'accepted' ? await refuseMoreRecipients(surroundings, asked) : undefined;
      return refusal === undefined ? verdict : { kind: 'refused', error: refusal };
    },
    accept: (envelope, message, origin, inspection) =>
      accept(surroundings, envelope, message, origin, inspection),
  };
}

/**
 * What RCPT is answered with: whether anybody takes mail for a path, and whether there is room for the message.
 *
 * Asked of the same code that plans the message at its end (plan/expansion.ts), up to the first that takes it. A recipient that
 * means several accounts is refused for quota only when none of them has room: a full archive behind an alias must not keep the
 * mail from the application beside it.
 */

import { MailError } from '../base/error.ts';
import type { RecipientQuestion, RecipientVerdict } from './contract.ts';
import type { FreeSpace } from './freeSpace.ts';
import { createDomainNames } from './plan/domainNames.ts';
import { expand, type ExpandedMessage } from './plan/expansion.ts';
import { type Finding, type Refusal, refusalError, type Step, worstOf } from './plan/findings.ts';
import { createSender } from './plan/sender.ts';
import type { PlanSurroundings } from './plan/surroundings.ts';

/** What beside the answer is to be known: each step on the way. */
export interface RecipientSteps {
  readonly onStep?: (step: Step) => void;
  /** Whether this server itself writes the message. */
  readonly isOfHouse?: boolean;
}

/** Checks one forward path. Errors: the store's. */
export async function checkRecipient(
  surroundings: PlanSurroundings,
  freeSpace: FreeSpace,
  path: string,
  question: RecipientQuestion,
  { onStep, isOfHouse = false }: RecipientSteps = {},
): Promise<RecipientVerdict> {
  const { reversePath, octets } = question;
  const domainNames = createDomainNames(surroundings.directory);
  const message: ExpandedMessage = {
    surroundings,
    tables: await surroundings.tables(),
    domainNames,
    sender: createSender(surroundings, domainNames, question),
    ...(onStep === undefined ? {} : { onStep }),
  };
  const refusals: Refusal[] = [];
  let isSomeFull = false;
  for await (const found of expand(message, { key: path, path, isOfHouse, reversePath, dsn: 'all' })) {
    if (found.kind === 'refusal') refusals.push(found.refusal);
    else if (await isFull(surroundings, found, octets)) isSomeFull = true;
    else return spaceVerdict(freeSpace, octets);
  }
  if (refusals.some(({ reason }) => reason === 'relayRoutesOff'))
    surroundings.log.warn('transfer.route.off', { recipient: path, from: reversePath });
  if (isSomeFull) return { kind: 'refused', error: new MailError('overQuota') };
  return { kind: 'refused', error: refusalError(worstOf(refusals) ?? { address: path, reason: 'unknown' }) };
}

/** A list has room as long as it has members, a next hop always; an account that passes all its mail on needs none. */
async function isFull(
  { accounts, routing }: PlanSurroundings,
  found: Finding,
  octets: number,
): Promise<boolean> {
  if (found.kind !== 'account' || !(await accounts.isOverQuota(found.account, octets))) return false;
  const forward = await routing.forwardOf(found.account.id);
  return forward === undefined || !forward.isEnabled || forward.keepsCopy;
}

async function spaceVerdict(freeSpace: FreeSpace, octets: number): Promise<RecipientVerdict> {
  const code = await freeSpace(octets);
  return code === undefined ? { kind: 'accepted' } : { kind: 'refused', error: new MailError(code) };
}

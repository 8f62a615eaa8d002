/**
 * Plans in short words for tests: `a@x.example:INBOX` for a copy, `b@y.example via relay m365 from s@z.example` for what goes on,
 * `550 5.7.1 Relaying denied` for a refusal.
 */

import { asMailError } from '../../src/base/error.ts';
import { unixMs } from '../../src/base/clock.ts';
import { parseMessageHeader } from '../../src/wire/mime/messageHeader.ts';
import { checkRecipient } from '../../src/transfer/checkRecipient.ts';
import type { EnvelopeDsn, Submitter } from '../../src/transfer/contract.ts';
import { plan, type Plan } from '../../src/transfer/plan/plan.ts';
import type { PlanSurroundings } from '../../src/transfer/plan/surroundings.ts';
import { accountsOf, planningIn, type RoutingWorld } from './routingWorld.ts';

/** A message to plan. */
export interface TestMessage {
  readonly from?: string;
  readonly to: readonly string[];
  readonly submitter?: Submitter;
  readonly header?: string;
  readonly octets?: number;
  readonly dsn?: EnvelopeDsn;
}

/** Nobody has logged in. */
export const ANYONE: Submitter = { kind: 'anyone' };

/** Somebody who has logged in as this account of the world. */
export function loggedIn(world: RoutingWorld, address: string): Submitter {
  const account = accountsOf(world).find((candidate) => candidate.address === address);
  if (account === undefined) throw new Error(`no account ${address}`);
  return { kind: 'account', account };
}

/** The plan itself. */
export function planIn(
  world: RoutingWorld,
  message: TestMessage,
  surroundings: PlanSurroundings = planningIn(world),
): Promise<Plan> {
  const { from = 's@sender.example', to, submitter = ANYONE, header = '', octets = 1000, dsn } = message;
  return plan(surroundings, {
    envelope: { reversePath: from, recipients: to, ...(dsn === undefined ? {} : { dsn }) },
    submitter,
    header: parseMessageHeader(Buffer.from(`${header}\r\n`, 'latin1'), true),
    octets,
    at: unixMs(0),
  });
}

/** What becomes of a message, in order of words; a refusal stands alone. Asked of the world, or of what it was put into. */
export async function outcomeIn(
  world: RoutingWorld,
  message: TestMessage,
  surroundings: PlanSurroundings = planningIn(world),
): Promise<readonly string[]> {
  const addresses = new Map(accountsOf(world).map(({ id, address }) => [id, address]));
  const watched: PlanSurroundings['directory'] = {
    ...surroundings.directory,
    async resolve(address) {
      const found = await surroundings.directory.resolve(address);
      if (found.kind === 'account') addresses.set(found.account.id, found.account.address);
      return found;
    },
  };
  try {
    const { copies, queued } = await planIn(world, message, { ...surroundings, directory: watched });
    return [
      ...copies.map(({ accountId, mailbox = ['INBOX'], flags }) => {
        const words = [...(flags?.keywords ?? []), ...(flags?.system ? [String(flags.system)] : [])];
        return [`${addresses.get(accountId)}:${mailbox.join('/')}`, ...words].join(' ');
      }),
      ...queued.map(
        ({ recipient, nextHop, reversePath, forwardedFor }) =>
          `${recipient} via ${nextHop.kind} ${nextHop.name} from ${reversePath}${forwardedFor === undefined ? '' : ` for ${forwardedFor}`}`,
      ),
    ].sort();
  } catch (error) {
    return [replyText(error)];
  }
}

/** What RCPT answers. */
export async function verdictIn(
  world: RoutingWorld,
  path: string,
  { from = 's@sender.example', submitter = ANYONE, octets = 1000 }: Partial<TestMessage> = {},
): Promise<string> {
  try {
    const question = { reversePath: from, submitter, octets };
    const verdict = await checkRecipient(planningIn(world), async () => undefined, path, question);
    return verdict.kind === 'accepted' ? 'accepted' : replyText(verdict.error);
  } catch (error) {
    return replyText(error);
  }
}

function replyText(error: unknown): string {
  const { smtp, publicText } = asMailError(error).reply;
  if (!(error instanceof Error) || error.name !== 'MailError') throw error;
  return `${smtp.code} ${smtp.status} ${publicText}`;
}

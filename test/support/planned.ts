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
export function planIn(world: RoutingWorld, message: TestMessage): Promise<Plan> {
  const { from = 's@sender.example', to, submitter = ANYONE, header = '', octets = 1000, dsn } = message;
  return plan(planningIn(world), {
    envelope: { reversePath: from, recipients: to, ...(dsn === undefined ? {} : { dsn }) },
    submitter,
    header: parseMessageHeader(Buffer.from(`${header}\r\n`, 'latin1'), true),
    octets,
    at: unixMs(0),
  });
}

/** What becomes of a message, in order of words; a refusal stands alone. */
export async function outcomeIn(world: RoutingWorld, message: TestMessage): Promise<readonly string[]> {
  try {
    const { copies, queued } = await planIn(world, message);
    const accounts = accountsOf(world);
    return [
      ...copies.map(({ accountId, mailbox = ['INBOX'], flags }) => {
        const words = [...(flags?.keywords ?? []), ...(flags?.system ? [String(flags.system)] : [])];
        return [`${accounts[accountId - 1]?.address}:${mailbox.join('/')}`, ...words].join(' ');
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

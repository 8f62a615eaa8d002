/**
 * `route.test`: what would become of a message, by the code that decides about real ones (transfer/explain.ts).
 */

import { z } from 'zod';
import { systemClock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Directory } from '../store/contract/directory.ts';
import { parseAddress } from '../accounts/address.ts';
import type { DirectoryPolicy, Submitter } from '../transfer/contract.ts';
import { explain, type RouteExplanation } from '../transfer/explain.ts';
import type { PlanSurroundings } from '../transfer/plan/surroundings.ts';
import { type ConfiguredHops, missingHop } from './routeWarnings.ts';

/** Octets of a message's start that are looked at: any usual header. */
export const MESSAGE_START_LIMIT_OCTETS = 128 * 1024;

const text = z.string().max(1024);

/** What the operation takes. */
export const ROUTE_TEST_INPUT = z.strictObject({
  sender: text,
  recipient: text,
  account: text.optional(),
  range: text.optional(),
  pickup: text.optional(),
  message: z
    .strictObject({ start: z.base64().max(2 * MESSAGE_START_LIMIT_OCTETS), octets: z.int().min(0) })
    .optional(),
});

/** What it answers. */
export interface RouteTestReport extends RouteExplanation {
  readonly sender: string;
  readonly recipient: string;
  /** Who hands the message over, in words. */
  readonly by: string;
  /** What an administrator should know of where it would go. */
  readonly warnings: readonly string[];
}

/** What of the configuration decides. */
export interface RouteTestConfiguration extends ConfiguredHops {
  /** What files of each pickup directory may do. */
  policies(): readonly DirectoryPolicy[];
}

/** Runs it, with hops and directories as configured. Errors: `notFound` (the account, the range, the directory), the store's. */
export async function testRoute(
  planning: PlanSurroundings,
  directory: Pick<Directory, 'findAccount' | 'findIpRange'>,
  configured: RouteTestConfiguration,
  input: z.infer<typeof ROUTE_TEST_INPUT>,
): Promise<RouteTestReport> {
  const { message } = input;
  const sender = withoutBrackets(input.sender);
  const recipient = withoutBrackets(input.recipient);
  const { submitter, by } = await submitterOf(directory, configured, input);
  const start = message === undefined ? undefined : Buffer.from(message.start, 'base64');
  const question = {
    sender,
    recipient,
    submitter,
    ...(message === undefined || start === undefined ? {} : { message: { start, octets: message.octets } }),
  };
  const explanation = await explain(planning, question, systemClock.now());
  const warnings = explanation.queued.flatMap(({ nextHop }) => missingHop(nextHop, configured) ?? []);
  return { sender, recipient, by, ...explanation, warnings: [...new Set(warnings)] };
}

function withoutBrackets(path: string): string {
  return path.startsWith('<') && path.endsWith('>') ? path.slice(1, -1) : path;
}

async function submitterOf(
  directory: Pick<Directory, 'findAccount' | 'findIpRange'>,
  { policies }: RouteTestConfiguration,
  { account: address, range: name, pickup }: z.infer<typeof ROUTE_TEST_INPUT>,
): Promise<{ readonly submitter: Submitter; readonly by: string }> {
  if (address !== undefined) {
    const parsed = parseAddress(address);
    const account = parsed.kind === 'address' ? await directory.findAccount(parsed.address) : undefined;
    if (account === undefined) throw new MailError('notFound', `There is no account “${address}”.`);
    return { submitter: { kind: 'account', account }, by: `${account.address}, logged in` };
  }
  if (name !== undefined) {
    const range = await directory.findIpRange(name);
    if (range === undefined) throw new MailError('notFound', `There is no IP range “${name}”.`);
    return {
      submitter: { kind: 'range', range },
      by: `a client in the IP range ${range.name}, which need not log in`,
    };
  }
  if (pickup !== undefined) {
    const policy = policies().find((one) => one.name === pickup);
    if (policy === undefined) throw new MailError('notFound', `There is no pickup directory “${pickup}”.`);
    return {
      submitter: { kind: 'directory', directory: policy },
      by: `a file in the pickup directory ${policy.name}`,
    };
  }
  return { submitter: { kind: 'anyone' }, by: 'somebody who has not logged in' };
}

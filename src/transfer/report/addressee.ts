/**
 * Who is told what became of a message, and whether the report may leave the house: the rule against backscatter.
 *
 * A reverse path is what a stranger wrote. A report to it leaves to other servers only where the sender had logged in or is in a
 * trusted range; else it is for addresses of our own domains. Where a foreign sender must not be told, whoever of ours had the
 * message forwarded is. Nobody is told of a report (RFC 5321 section 4.5.5, RFC 3461 section 6.1): the null path ends it.
 */

import type { ReportAudience } from '../../wire/dsn/report.ts';
import type { Directory } from '../../store/contract/directory.ts';
import { parsePath } from '../plan/parsePath.ts';
import { isRewrittenPath } from '../plan/senderRewriting.ts';

/** What decides. */
export interface ReportedSender {
  /** Without angle brackets; empty for the null path. */
  readonly reversePath: string;
  /** Whether the sender had logged in, or is in a trusted range. */
  readonly isSubmitted: boolean;
  /** The local address that forwarded the message. */
  readonly forwardedFor?: string | undefined;
}

/** Who is told. */
export type Addressee =
  | {
      readonly kind: 'told';
      readonly to: string;
      readonly audience: ReportAudience;
      /** Whether the report may go to other servers by routes that take mail of the house. */
      readonly mayLeave: boolean;
    }
  /** `nullPath`: it is a report itself. `foreignSender`: he may have nothing to do with it. */
  | { readonly kind: 'nobody'; readonly reason: 'nullPath' | 'foreignSender' };

/** Decides. Errors: the store's. */
export async function addresseeOf(
  directory: Pick<Directory, 'findDomain'>,
  { reversePath, isSubmitted, forwardedFor }: ReportedSender,
): Promise<Addressee> {
  if (reversePath === '') return { kind: 'nobody', reason: 'nullPath' };
  const isSenders = isSubmitted || ((await isOurs(directory, reversePath)) && !isRewrittenPath(reversePath));
  if (isSenders)
    return { kind: 'told', to: reversePath, audience: { kind: 'sender' }, mayLeave: isSubmitted };
  if (forwardedFor === undefined) return { kind: 'nobody', reason: 'foreignSender' };
  const audience = { kind: 'forwarder', address: forwardedFor } as const;
  return { kind: 'told', to: forwardedFor, audience, mayLeave: false };
}

/** The first of these addresses' domains that is ours. */
export async function ownDomainOf(
  directory: Pick<Directory, 'findDomain'>,
  addresses: readonly string[],
): Promise<string | undefined> {
  for (const address of addresses) {
    const parsed = parsePath(address);
    if (parsed.kind === 'address' && (await directory.findDomain(parsed.domain)) !== undefined)
      return parsed.domain;
  }
  return undefined;
}

async function isOurs(directory: Pick<Directory, 'findDomain'>, path: string): Promise<boolean> {
  if (parsePath(path).kind === 'postmaster') return true;
  return (await ownDomainOf(directory, [path])) !== undefined;
}

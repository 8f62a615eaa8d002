/**
 * What a submitter may do: its own settings before the server's.
 */

import type { IpRange } from '../../store/contract/directory.ts';
import type { SendingSubject } from '../../store/contract/sendingUse.ts';
import { readAccountSettings } from '../../accounts/accountSettings.ts';
import { readRangeSettings } from '../../accounts/rangeSettings.ts';
import type { DirectoryPolicy, SubmissionLimits, Submitter } from '../contract.ts';
import { directoryName } from '../describeOrigin.ts';

/** Without options: no limits. */
export const NO_SUBMISSION_LIMITS: SubmissionLimits = {
  recipientLimit: 0,
  recipientsPerDayLimit: 0,
  messagesPerMinuteLimit: 0,
};

/** What one submitter may do. */
export interface SubmissionPolicy extends SubmissionLimits {
  /** Whose day it counts for; undefined for directories, which have no limit of a day. */
  readonly subject: SendingSubject | undefined;
  /** Names the submitter in log and trace; of ranges `range:Printers`, of directories `pickup:Orders`. */
  readonly name: string;
  /** The pickup directory, where it is one: what may not be is final, since nobody will hand over a file again by himself. */
  readonly directory?: string;
  /** Names it to the other side: `app@app.example.com`, `clients of the IP range Printers`. */
  readonly publicName: string;
  /** Patterns of accounts/submissionSettings.ts. */
  readonly senders: readonly string[];
  /** Takes the place of senders that are not allowed. */
  readonly rewriteSender: string | undefined;
}

/** The policy for a submitter; undefined for whoever only relays mail to us. */
export function policyOf(submitter: Submitter, limits: SubmissionLimits): SubmissionPolicy | undefined {
  switch (submitter.kind) {
    case 'anyone':
      return undefined;
    case 'account': {
      const { id, address, settings } = submitter.account;
      const subject = { kind: 'account', accountId: id } as const;
      const own = readAccountSettings(settings);
      return {
        ...limitsOf(own, limits),
        subject,
        name: address,
        publicName: address,
        ...sendersOf(own, 'own'),
      };
    }
    case 'range':
      return policyOfRange(submitter.range, limits);
    case 'directory':
      return policyOfDirectory(submitter.directory);
  }
}

function policyOfRange({ name, settings }: IpRange, limits: SubmissionLimits): SubmissionPolicy {
  const own = readRangeSettings(settings);
  return {
    ...limitsOf(own, limits),
    subject: { kind: 'range', name },
    name: `range:${name}`,
    publicName: `clients of the IP range ${name}`,
    ...sendersOf(own, 'local'),
  };
}

function policyOfDirectory({ name, senders, rewriteSender, limits }: DirectoryPolicy): SubmissionPolicy {
  return {
    ...NO_SUBMISSION_LIMITS,
    ...limits,
    subject: undefined,
    name: directoryName(name),
    directory: name,
    publicName: `files of the pickup directory ${name}`,
    senders,
    rewriteSender,
  };
}

type OwnSettings = ReturnType<typeof readRangeSettings>;

function sendersOf(own: OwnSettings, usual: 'own' | 'local') {
  return { senders: own['submission.senders'] ?? [usual], rewriteSender: own['submission.rewriteSender'] };
}

function limitsOf(own: OwnSettings, limits: SubmissionLimits): SubmissionLimits {
  return {
    recipientLimit: own['submission.recipientLimit'] ?? limits.recipientLimit,
    recipientsPerDayLimit: own['submission.recipientsPerDayLimit'] ?? limits.recipientsPerDayLimit,
    messagesPerMinuteLimit: own['submission.messagesPerMinuteLimit'] ?? limits.messagesPerMinuteLimit,
    sizeLimitOctets: own['submission.sizeLimitOctets'] ?? limits.sizeLimitOctets,
  };
}

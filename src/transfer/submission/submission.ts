/**
 * What is asked of a submitter at MAIL and RCPT, and which sender a message gets: the verdicts that smtpd hears.
 */

import { asMailError, type MailError } from '../../base/error.ts';
import type { RecipientQuestion, SenderVerdict, Submitter, TransferOptions } from '../contract.ts';
import { refuseDay, refuseRecipients, refuseSize } from './limits.ts';
import { NO_SUBMISSION_LIMITS, policyOf, type SubmissionPolicy } from './policy.ts';
import { createRates, type RatePlace, type Rates } from './rates.ts';
import { senderFor } from './senders.ts';

/** Transfer's options with what is remembered of submitters. */
export interface SubmissionSurroundings extends TransferOptions {
  readonly rates: Rates;
}

/** Begins to remember. */
export function withSubmission(options: TransferOptions): SubmissionSurroundings {
  return { ...options, rates: createRates(options.clock) };
}

/** What a submitter may do; undefined for whoever only relays mail to us. */
export function policyFor(options: TransferOptions, submitter: Submitter): SubmissionPolicy | undefined {
  return policyOf(submitter, options.submission ?? NO_SUBMISSION_LIMITS);
}

/** See Transfer.checkSender. */
export async function checkSender(
  surroundings: SubmissionSurroundings,
  reversePath: string,
  submitter: Submitter,
  declaredOctets: number,
): Promise<SenderVerdict> {
  const policy = policyFor(surroundings, submitter);
  if (policy === undefined) return { kind: 'accepted' };
  try {
    refuseSize(policy, declaredOctets);
    await senderFor(surroundings, policy, reversePath);
    surroundings.rates.check(policy);
    return { kind: 'accepted' };
  } catch (caught) {
    const error = asMailError(caught);
    if (!REFUSALS.has(error.code)) throw caught;
    surroundings.log.warn('transfer.sender.refused', {
      code: error.code,
      from: reversePath,
      submitter: policy.name,
      reason: error.message,
    });
    return { kind: 'refused', error };
  }
}

/** Takes a message's place in the minute of its submitter; undefined for whoever only relays mail to us. Errors: `sendingLimit`. */
export function takePlace(surroundings: SubmissionSurroundings, submitter: Submitter): RatePlace | undefined {
  const policy = policyFor(surroundings, submitter);
  return policy === undefined ? undefined : surroundings.rates.take(policy);
}

/** Refuses one recipient more; undefined where there is room. Errors: the store's. */
export async function refuseMoreRecipients(
  surroundings: SubmissionSurroundings,
  { submitter, acceptedRecipients = 0 }: RecipientQuestion,
): Promise<MailError | undefined> {
  const policy = policyFor(surroundings, submitter);
  if (policy === undefined) return undefined;
  try {
    refuseRecipients(policy, acceptedRecipients + 1);
    await refuseDay(surroundings.store, policy, surroundings.clock.now(), acceptedRecipients + 1);
    return undefined;
  } catch (caught) {
    const error = asMailError(caught);
    if (!REFUSALS.has(error.code)) throw caught;
    return error;
  }
}

/** A question about a recipient as it is to be asked for the sender that the message will have. Errors: the store's. */
export async function withOwnSender(
  surroundings: SubmissionSurroundings,
  question: RecipientQuestion,
): Promise<RecipientQuestion> {
  const policy = policyFor(surroundings, question.submitter);
  // Without rewriting MAIL was refused, or the sender stays.
  if (policy?.rewriteSender === undefined) return question;
  const reversePath = await senderFor(surroundings, policy, question.reversePath);
  return { ...question, reversePath };
}

/** Refusals by policy; whatever else is thrown is an error of ours. */
const REFUSALS: ReadonlySet<string> = new Set([
  'messageTooLarge',
  'senderRefused',
  'sendingLimit',
  'tooManyRecipients',
]);

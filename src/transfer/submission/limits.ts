/**
 * How much a submitter may send: octets and recipients of a message, recipients of a day. (Messages within a minute: rates.ts.)
 *
 * Limits of number are temporary refusals (452), since the rest may be sent later, but for files; that of size is permanent (552).
 */

import { calendarDay } from '../../base/calendarDay.ts';
import { MailError } from '../../base/error.ts';
import { KIB, MIB } from '../../base/units.ts';
import type { Store } from '../../store/contract/store.ts';
import type { SubmissionPolicy } from './policy.ts';

/** Refuses a message of so many octets. Errors: `messageTooLarge`. */
export function refuseSize({ sizeLimitOctets, publicName }: SubmissionPolicy, octets: number): void {
  if (sizeLimitOctets === undefined || octets <= sizeLimitOctets) return;
  throw new MailError('messageTooLarge', `more than ${sizeLimitOctets} octets by ${publicName}`, {
    publicText: `A message by ${publicName} may have ${sizeText(sizeLimitOctets)} at most`,
  });
}

/** Refuses more recipients than one message may have. Errors: `tooManyRecipients`, of a file `policyRefused`. */
export function refuseRecipients(
  { recipientLimit, publicName, directory }: SubmissionPolicy,
  recipients: number,
): void {
  if (recipientLimit === 0 || recipients <= recipientLimit) return;
  // A client brings the others later; a file stays as it is.
  throw new MailError(directory === undefined ? 'tooManyRecipients' : 'policyRefused', undefined, {
    publicText: `A message by ${publicName} may have ${recipientLimit} recipients at most`,
  });
}

/** Refuses a recipient for whom nothing of the day's limit is left, `recipients` of this message included. Errors: `sendingLimit`, the store's. */
export async function refuseDay(
  { deliveries }: Pick<Store, 'deliveries'>,
  policy: SubmissionPolicy,
  at: Parameters<typeof calendarDay>[0],
  recipients: number,
): Promise<void> {
  const { recipientsPerDayLimit: limit, subject, publicName } = policy;
  if (limit === 0 || subject === undefined) return;
  const used = await deliveries.sendingUse(subject, calendarDay(at));
  if (used.recipients + recipients <= limit) return;
  throw new MailError('sendingLimit', `${used.recipients} of ${limit} recipients a day are used`, {
    publicText: `The ${limit} recipients a day of ${publicName} are used up, please try again tomorrow`,
  });
}

function sizeText(octets: number): string {
  if (octets % MIB === 0) return `${octets / MIB} MiB`;
  return octets % KIB === 0 ? `${octets / KIB} KiB` : `${octets} octets`;
}

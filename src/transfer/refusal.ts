/**
 * Which errors end a message for good, and which only put it off: permanent is what the other side did, or what nobody will mend.
 *
 * Exchange Online reports a message at once on 5yz and keeps it for a day on 4yz (facts of 2026), so whatever is our fault is 4yz, whatever
 * the error's own code says. A table test holds it for every code there is (test/smtpd/ourFaults.test.ts).
 */

import { asMailError, MailError, type MailErrorCode } from '../base/error.ts';

/** Refusals that are the other side's fault and so may be permanent: an unknown recipient, policy, size, form, loops. */
export const FAULTS_OF_OTHERS: ReadonlySet<MailErrorCode> = new Set([
  'messageTooLarge',
  'bareLineEnd',
  'mailLoop',
  'recipientUnknown',
  'recipientDisabled',
  'relayingDenied',
  'policyRefused',
  'senderRefused',
  'signatureRequired',
]);

/** An error as the other side hears it: permanent only where trying again is of no use. */
export function asRefusal(caught: unknown): MailError {
  const error = asMailError(caught);
  if (error.reply.isTemporary || FAULTS_OF_OTHERS.has(error.code)) return error;
  return new MailError('internal', error.message, { cause: error });
}

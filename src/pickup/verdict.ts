/**
 * Why a file is bad, as a person is told: what is wrong, where, and what to do.
 *
 * What the grammar finds has its texts there (wire/pickup/problems.ts); here are those for what transfer refuses, and for what only
 * shows once a file is read. docs/PICKUP.md explains them at length.
 */

import type { MailError, MailErrorCode } from '../base/error.ts';
import type { TraceId } from '../base/ids.ts';
import { explainProblem, type PickupProblem } from '../wire/pickup/problems.ts';

/** Why a file is bad. */
export interface Verdict {
  /** Of the message, or of the file where there never was one. */
  readonly traceId: TraceId;
  /** A problem of the grammar or the code of a MailError. */
  readonly code: string;
  /** A sentence. */
  readonly what: string;
  /** `line 3, field X-Receiver: "…"`; undefined where it is the whole file. */
  readonly where?: string | undefined;
  /** A sentence. */
  readonly whatToDo: string;
  /** The envelope as far as it is known; a sender is empty for the null path. */
  readonly reversePath?: string | undefined;
  readonly recipients?: readonly string[] | undefined;
}

/** Envelope of a bad file, as far as it is known. */
type KnownEnvelope = Pick<Verdict, 'reversePath' | 'recipients'>;

/** What to do about a refusal of the door. */
const WHAT_TO_DO: Partial<Record<MailErrorCode, string>> = {
  senderRefused:
    "Write an address into the file that may send from this directory, or allow its sender in the directory's settings (senders, rewriteSender).",
  recipientUnknown: "Correct the recipient's address, or add the account, alias or route that it needs.",
  recipientDisabled: 'Use another recipient, or enable the account.',
  relayingDenied:
    "Add a route for the recipient's domain, or allow the recipient in the directory's settings (recipients).",
  policyRefused: "Allow the recipient in the directory's settings (recipients), or use another one.",
  messageTooLarge:
    'Make the message smaller, or raise the limit (sizeLimitOctets of the directory, smtp.sizeLimitOctets).',
  overQuota: 'Make room in the mailbox or raise its quota, and put the file back.',
  mailLoop: 'Remove the Received and Delivered-To fields if the message is meant to be sent again.',
};
const WHAT_ELSE = 'Look up the trace for what the server did, correct the file and put it back.';

/** What the grammar found. */
export function verdictOnProblem(problem: PickupProblem, traceId: TraceId, envelope: KnownEnvelope): Verdict {
  const { what, whatToDo } = explainProblem(problem);
  return { traceId, code: problem.code, what, where: placeOf(problem), whatToDo, ...envelope };
}

/** What the door refused for good. */
export function verdictOnRefusal(error: MailError, traceId: TraceId, envelope: KnownEnvelope): Verdict {
  const { smtp, publicText } = error.reply;
  const what = `${publicText.replace(/\.$/, '')} (${smtp.code} ${smtp.status}).`;
  return { traceId, code: error.code, what, whatToDo: WHAT_TO_DO[error.code] ?? WHAT_ELSE, ...envelope };
}

/** Somebody wrote to the file after its message had been committed. */
export function verdictOnGrowth(traceId: TraceId, envelope: KnownEnvelope): Verdict {
  return {
    traceId,
    code: 'grewAfterwards',
    what: 'The file grew after it was taken: its message was sent without what was written later.',
    whatToDo:
      'Do not put it back as it is, or it is sent again. Let the application write under another name, as x.tmp, and rename the file when it is complete; or raise settleSeconds.',
    ...envelope,
  };
}

/** The server ended before it could look whether a file had stayed what it was, and the file's time says that it had not. */
export function verdictOnLateGrowth(traceId: TraceId): Verdict {
  return {
    traceId,
    code: 'writtenAfterwards',
    what: 'The server ended while it took this file; its message was sent, and the file was written to afterwards, as its time tells.',
    whatToDo:
      'Compare it with the message that was sent (see the trace). Do not put it back as it is, or it is sent again.',
  };
}

function placeOf({ line, field, text }: PickupProblem): string | undefined {
  const place = [
    line === undefined ? [] : [`line ${line}`],
    field === undefined ? [] : [`field ${field}`],
  ].flat();
  if (text !== undefined) place.push(JSON.stringify(text));
  return place.length === 0 ? undefined : place.join(', ');
}

/**
 * What submission does to a message before it is stored (RFC 6409 sections 6.1 and 8): senders are checked or rewritten, blind
 * copies go, missing fields come.
 *
 * Only messages of submission listeners are touched; mail that is relayed to us passes as it is. Octets of the body are never
 * looked at, so a Bcc there or in an attached message stays.
 * Trust: a header that is too long to be read as a whole is refused, since a Bcc may stand in the rest of it.
 */

import { calendarDay } from '../../base/calendarDay.ts';
import type { UnixMs } from '../../base/clock.ts';
import { MailError } from '../../base/error.ts';
import type { TraceId } from '../../base/ids.ts';
import { type MessageHeader, valuesOf } from '../../wire/mime/messageHeader.ts';
import { withFrom } from '../../wire/mime/rewrittenFrom.ts';
import { completed, hidesBlindCopies, withoutBlindCopies } from '../../wire/mime/submittedHeader.ts';
import type { PlannedSendingUse } from '../../store/contract/sendingUse.ts';
import type { Envelope, Origin } from '../contract.ts';
import { formatDate } from '../traceFields.ts';
import { refuseRecipients, refuseSize } from './limits.ts';
import type { SubmissionPolicy } from './policy.ts';
import { refuseFrom, senderFor } from './senders.ts';
import { policyFor, type SubmissionSurroundings } from './submission.ts';

/** What is known when a message's header has been read. */
export interface Handover {
  readonly traceId: TraceId;
  readonly begunAt: UnixMs;
  readonly zoneMinutes: number;
  readonly envelope: Envelope;
  readonly origin: Origin;
}

/** A message ready to be stored. */
export interface Prepared {
  readonly header: MessageHeader;
  /** The reverse path that it gets. */
  readonly reversePath: string;
  /** Refuses more octets than its submitter may send. Errors: `messageTooLarge`. */
  refuseSize(octets: number): void;
  /** What is counted for the submitter. */
  readonly sendingUse: PlannedSendingUse | undefined;
  /** What was added, removed and rewritten, for log and trace: `completed: 'Date, From'`. */
  readonly changes: Readonly<Record<string, string>>;
}

/** Prepares a message. Errors: `messageTooLarge` (the header), `bareLineEnd`, `senderRefused`, `tooManyRecipients`, the store's. */
export async function prepare(
  surroundings: SubmissionSurroundings,
  handover: Handover,
  header: MessageHeader,
): Promise<Prepared> {
  const { origin, envelope, begunAt } = handover;
  const { reversePath, recipients } = envelope;
  const untouched = { header, reversePath, refuseSize: () => {}, sendingUse: undefined, changes: {} };
  if (origin.role !== 'submission') return untouched;
  refuseUnsearchable(header);
  const policy = policyFor(surroundings, origin.submitter);
  const shown = withoutBlindCopies(header);
  const removed = shown.removed.length === 0 ? {} : { removed: namesText(shown.removed) };
  if (policy === undefined) {
    const whole = complete(surroundings, handover, shown.header, reversePath, undefined);
    return { ...untouched, header: whole.header, changes: { ...removed, ...whole.changes } };
  }
  refuseRecipients(policy, recipients.length);
  const sender = await senderFor(surroundings, policy, reversePath);
  const signed = await withAllowedFrom(surroundings, policy, shown.header);
  const whole = complete(surroundings, handover, signed.header, sender, policy);
  return {
    header: whole.header,
    reversePath: sender,
    refuseSize: (octets) => refuseSize(policy, octets),
    sendingUse: useOf(policy, begunAt, recipients.length),
    changes: {
      ...removed,
      ...(sender === reversePath ? {} : { rewrittenSender: reversePath }),
      ...signed.changes,
      ...whole.changes,
    },
  };
}

function refuseUnsearchable(header: MessageHeader): void {
  if (!header.isWhole)
    throw new MailError('messageTooLarge', 'its header is too long to be searched for Bcc', {
      publicText:
        'The header of the message is too long: a blank line has to come within 1 MiB and 10000 lines',
    });
  if (hidesBlindCopies(header))
    throw new MailError('bareLineEnd', 'its header has a Bcc behind a CR alone', {
      publicText: 'The header of the message has a Bcc behind a CR that is not part of CRLF',
    });
}

/** A header of a stage, and what is told about it. */
interface Stage {
  readonly header: MessageHeader;
  readonly changes: Readonly<Record<string, string>>;
}

async function withAllowedFrom(
  surroundings: SubmissionSurroundings,
  policy: SubmissionPolicy,
  header: MessageHeader,
): Promise<Stage> {
  const refusal = await refuseFrom(surroundings, policy, header);
  if (refusal === undefined) return { header, changes: {} };
  if (policy.rewriteSender === undefined) throw refusal;
  const rewrittenFrom = Buffer.from(valuesOf(header, 'from').join(', '), 'latin1').toString();
  return { header: withFrom(header, policy.rewriteSender), changes: { rewrittenFrom } };
}

function complete(
  { serverName }: SubmissionSurroundings,
  { traceId, begunAt, zoneMinutes, origin }: Handover,
  header: MessageHeader,
  sender: string,
  policy: SubmissionPolicy | undefined,
): Stage {
  const { submitter } = origin;
  const known = submitter.kind === 'account' ? submitter.account.address : policy?.rewriteSender;
  const given = sender === '' ? known : sender;
  // No listener lets through anything of the kind; other origins may.
  const from = given !== undefined && /\p{C}/u.test(given) ? undefined : given;
  const { header: whole, added } = completed(header, {
    date: formatDate(begunAt, zoneMinutes),
    messageId: `${traceId}@${idDomain(serverName, from)}`,
    from,
  });
  return { header: whole, changes: added.length === 0 ? {} : { completed: added.join(', ') } };
}

/** Our name where it is one of the Internet, else the sender's domain: filters distrust ids of a name without a dot. */
function idDomain(serverName: string, from: string | undefined): string {
  const domain = from?.slice(from.lastIndexOf('@') + 1) ?? '';
  return serverName.includes('.') || !/^[A-Za-z0-9.-]+$/.test(domain) ? serverName : domain;
}

function useOf({ subject, recipientsPerDayLimit }: SubmissionPolicy, at: UnixMs, recipients: number) {
  if (subject === undefined) return undefined;
  const limit = recipientsPerDayLimit === 0 ? undefined : recipientsPerDayLimit;
  return { subject, day: calendarDay(at), recipients, recipientsPerDayLimit: limit };
}

/** Each name once, as it is known. */
function namesText(names: readonly string[]): string {
  return [...new Set(names)].map((name) => (name === 'bcc' ? 'Bcc' : 'Resent-Bcc')).join(', ');
}

/**
 * Tells the sender of recipients that could not have a message although it was accepted, or that have it where he wants to know.
 *
 * RFC 5321 section 6.1, RFC 3461 section 4.1. A failure is told BEFORE the message is committed: a crash in between makes the client
 * send again and the report come twice, and never not at all. Where nobody can be told (addressee.ts), full mailboxes get their copies
 * all the same, which the trace tells as `dsnDue`. The message is not at hand any more when this is asked: what comes back is its
 * header, whatever RET says (RFC 3461 section 6.2 has that as a SHOULD).
 */

import type { UnixMs } from '../../base/clock.ts';
import type { TraceId } from '../../base/ids.ts';
import { returnedHeader } from '../../wire/dsn/returnedPart.ts';
import { formatMessageHeader, type MessageHeader } from '../../wire/mime/messageHeader.ts';
import type { Duplicate } from '../../store/contract/claims.ts';
import type { TraceEvent } from '../../store/contract/trace.ts';
import type { Envelope, Submitter } from '../contract.ts';
import { namesOf } from '../messageNames.ts';
import type { Plan } from '../plan/plan.ts';
import type { UndeliveredRecipient } from '../plan/quota.ts';
import { isWanted } from './notify.ts';
import {
  reportedEvent,
  type ReportedMessage,
  type Reporter,
  type Telling,
  type ToldRecipient,
} from './reporter.ts';

/** The message that is reported about. */
export interface AcceptedMessage {
  readonly traceId: TraceId;
  readonly envelope: Envelope;
  readonly submitter: Submitter;
  readonly header: MessageHeader;
  readonly begunAt: UnixMs;
}

/** A plan of which the sender has been told what he is to be told before the commit. */
export type SettledPlan = Pick<Plan, 'copies' | 'queued' | 'events'>;

/** Tells of failures, and leaves out what full recipients would have got. Never rejects. */
export async function reportFailures(
  reporter: Reporter,
  message: AcceptedMessage,
  plan: Plan,
  at: UnixMs,
): Promise<SettledPlan> {
  const { copies, queued, events, undelivered } = plan;
  if (undelivered.length === 0) return plan;
  const { dsn } = message.envelope;
  const wanted = undelivered.filter(({ recipient }) =>
    isWanted('failed', dsn?.recipients.get(recipient)?.notify),
  );
  const telling = wanted.length === 0 ? undefined : await tell(reporter, message, wanted.map(failure));
  const isReport = message.envelope.reversePath === '';
  const isUntold = (one: UndeliveredRecipient) =>
    !isReport && telling?.kind === 'untold' && wanted.includes(one);
  const notes = undelivered.flatMap((one): TraceEvent[] => {
    const { recipient, error, accounts } = one;
    const fields = { recipient, reason: error.code };
    if (isUntold(one)) return [{ at, kind: 'dsnDue', fields: { ...fields, isStored: accounts.size > 0 } }];
    return [
      ...(accounts.size > 0 ? [{ at, kind: 'withheld', fields } as const] : []),
      ...(telling?.kind === 'told' && wanted.includes(one) ? [reportedEvent(at, recipient, telling)] : []),
    ];
  });
  const accountsOf = (some: readonly UndeliveredRecipient[]) =>
    new Set(some.flatMap(({ accounts }) => [...accounts]));
  const kept = accountsOf(undelivered.filter(isUntold));
  const full = accountsOf(undelivered);
  return {
    copies: copies.filter(({ accountId }) => kept.has(accountId) || !full.has(accountId)),
    queued,
    events: [...events, ...notes],
  };
}

/** Tells of recipients that have the message, after the commit; not of those that had it before. Never rejects. */
export async function reportSuccesses(
  reporter: Reporter,
  message: AcceptedMessage,
  { delivered }: Plan,
  duplicates: readonly Duplicate[],
): Promise<void> {
  const had = new Set(duplicates.map(({ recipient }) => recipient));
  const fresh = delivered.filter(({ recipient }) => !had.has(recipient));
  if (fresh.length === 0 || message.envelope.reversePath === '') return;
  const recipients = fresh.map(({ recipient, isExpanded }): ToldRecipient => {
    const action = isExpanded ? 'expanded' : 'delivered';
    return { address: recipient, action, status: '2.0.0', reply: '' };
  });
  await tell(reporter, message, recipients);
}

/** Nothing is tried again, so what was temporary at RCPT is final now (RFC 3463 section 2: class 5). */
function failure({ recipient, error }: UndeliveredRecipient): ToldRecipient {
  const { smtp, publicText } = error.reply;
  const status = smtp.status.replace(/^4/, '5');
  return { address: recipient, action: 'failed', status, reply: publicText };
}

function tell(
  reporter: Reporter,
  { traceId, envelope, submitter, header, begunAt }: AcceptedMessage,
  recipients: readonly ToldRecipient[],
): Promise<Telling> {
  const { reversePath, dsn } = envelope;
  const message: ReportedMessage = {
    traceId,
    reversePath,
    isSubmitted: submitter.kind !== 'anyone',
    arrivedAt: begunAt,
    envelopeId: dsn?.envid,
    names: namesOf(header),
    returned: returnedHeader(formatMessageHeader(header), header.isWhole),
    handoverId: envelope.handoverId,
  };
  return reporter.tell(
    message,
    recipients.map((one) => ({ ...one, originalRecipient: dsn?.recipients.get(one.address)?.orcpt })),
  );
}

/**
 * Tells the sender of recipients that could not have a message although it was accepted, or that have it where he wants to know.
 *
 * RFC 5321 section 6.1: the report has the null reverse path and comes in by the one door, so that routes and rules hold for it;
 * nothing is reported of a message that had the null path itself. RFC 3461 section 4.1: NOTIFY=NEVER.
 * A failure is told BEFORE the message is committed: a crash in between makes the client send again and the report come twice, and
 * never not at all. Where the sender cannot be reached (nothing is relayed to other servers yet, unless a route does), full
 * mailboxes get their copies all the same, which the trace tells as `dsnDue`.
 */

import type { UnixMs } from '../base/clock.ts';
import { asMailError } from '../base/error.ts';
import type { TraceId } from '../base/ids.ts';
import { formatDeliveryReport, type ReportedRecipient } from '../wire/dsn/deliveryReport.ts';
import { formatMessageHeader, type MessageHeader } from '../wire/mime/messageHeader.ts';
import type { Duplicate } from '../store/contract/claims.ts';
import type { TraceEvent } from '../store/contract/trace.ts';
import type { Acceptance, Envelope, Origin, TransferOptions } from './contract.ts';
import { parsePath } from './plan/parsePath.ts';
import type { Plan } from './plan/plan.ts';
import type { UndeliveredRecipient } from './plan/quota.ts';
import { formatDate } from './traceFields.ts';

/** The message that is reported about. */
export interface ReportedMessage {
  readonly traceId: TraceId;
  readonly envelope: Envelope;
  readonly header: MessageHeader;
  readonly begunAt: UnixMs;
  readonly zoneMinutes: number;
}

/** What reporting needs. */
export interface ReportSurroundings extends Pick<TransferOptions, 'serverName' | 'clock' | 'log'> {
  /** The one door. */
  accept(envelope: Envelope, message: AsyncIterable<Buffer>, origin: Origin): Promise<Acceptance>;
}

/** A plan of which the sender has been told what he is to be told before the commit. */
export type SettledPlan = Pick<Plan, 'copies' | 'queued' | 'events'>;

/** Tells of failures, and leaves out what full recipients would have got. Never rejects. */
export async function reportFailures(
  surroundings: ReportSurroundings,
  message: ReportedMessage,
  plan: Plan,
): Promise<SettledPlan> {
  const { copies, queued, events, undelivered } = plan;
  if (undelivered.length === 0) return plan;
  const wanted = undelivered.filter(({ recipient }) => isWanted(message.envelope, recipient));
  const told = wanted.length === 0 ? undefined : await send(surroundings, message, wanted.map(failure));
  const isUntold = (one: UndeliveredRecipient) => wanted.includes(one) && told === undefined;
  const at = surroundings.clock.now();
  const notes = undelivered.flatMap((one): TraceEvent[] => {
    const { recipient, error, accounts } = one;
    const fields = { recipient, reason: error.code };
    if (isUntold(one)) return [{ at, kind: 'dsnDue', fields: { ...fields, isStored: accounts.size > 0 } }];
    const isTold = told !== undefined && wanted.includes(one);
    return [
      ...(accounts.size > 0 ? [{ at, kind: 'withheld', fields } as const] : []),
      ...(isTold ? [{ at, kind: 'reported', fields: { recipient, report: told } } as const] : []),
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
  surroundings: ReportSurroundings,
  message: ReportedMessage,
  { delivered }: Plan,
  duplicates: readonly Duplicate[],
): Promise<void> {
  const had = new Set(duplicates.map(({ recipient }) => recipient));
  const fresh = delivered.filter(({ recipient }) => !had.has(recipient));
  if (fresh.length === 0 || message.envelope.reversePath === '') return;
  const recipients = fresh.map(({ recipient, isExpanded }): ReportedRecipient => {
    const action = isExpanded ? 'expanded' : 'delivered';
    const explanation = isExpanded ? 'It was sent on to several addresses' : 'It was delivered';
    return { address: recipient, action, status: '2.0.0', explanation };
  });
  await send(surroundings, message, recipients);
}

/** RFC 3461 section 4.1: without NOTIFY failures are told. */
function isWanted({ reversePath, dsn }: Envelope, recipient: string): boolean {
  if (reversePath === '') return false;
  const notify = dsn?.recipients.get(recipient)?.notify;
  return notify === undefined || notify.includes('FAILURE');
}

/** Nothing is tried again, so what was temporary at RCPT is final now (RFC 3463 section 2: class 5). */
function failure({ recipient, error }: UndeliveredRecipient): ReportedRecipient {
  const { smtp, publicText } = error.reply;
  return {
    address: recipient,
    action: 'failed',
    status: smtp.status.replace(/^4/, '5'),
    explanation: publicText,
  };
}

/** Answers the report's trace id, or undefined where the door does not take it. */
async function send(
  surroundings: ReportSurroundings,
  { traceId, envelope, header, begunAt, zoneMinutes }: ReportedMessage,
  recipients: readonly ReportedRecipient[],
): Promise<TraceId | undefined> {
  const { serverName, clock, log, accept } = surroundings;
  const { reversePath, dsn } = envelope;
  const origin: Origin = {
    kind: 'report',
    listener: '',
    remoteAddress: '',
    heloName: serverName,
    isExtended: true,
    tls: undefined,
    role: 'relayIn',
    submitter: { kind: 'anyone' },
  };
  try {
    const octets = formatDeliveryReport({
      reportingServer: serverName,
      from: `postmaster@${domainOf(recipients[0]?.address ?? '') ?? serverName}`,
      to: reversePath,
      date: formatDate(clock.now(), zoneMinutes),
      arrivedAt: formatDate(begunAt, zoneMinutes),
      id: traceId,
      envelopeId: dsn?.envid,
      recipients: recipients.map((one) => ({
        ...one,
        originalRecipient: dsn?.recipients.get(one.address)?.orcpt,
      })),
      header: formatMessageHeader(header),
    });
    const answer = await accept({ reversePath: '', recipients: [reversePath] }, once(octets), origin);
    if (answer.kind === 'accepted') return answer.traceId;
    log.warn('transfer.report.refused', { trace: traceId, to: reversePath, reason: answer.error.message });
  } catch (error) {
    log.error('transfer.report.failed', { trace: traceId, error: asMailError(error) });
  }
  return undefined;
}

function domainOf(path: string): string | undefined {
  const parsed = parsePath(path);
  return parsed.kind === 'address' ? parsed.domain : undefined;
}

async function* once(octets: Buffer): AsyncGenerator<Buffer> {
  yield octets;
}

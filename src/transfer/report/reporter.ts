/**
 * The one place where reports are made: who is told (addressee.ts), what it says (wire/dsn), and its way in by the one door.
 *
 * RFC 3461 section 6, RFC 3464. A report has the null reverse path, so that none is ever made of it. Items of the queue that it tells of
 * are settled by the commit that takes it in. Used at acceptance (atAcceptance.ts) and by the outbound room after an attempt.
 */

import type { UnixMs } from '../../base/clock.ts';
import { asMailError, type MailErrorCode } from '../../base/error.ts';
import { newTraceId, type TraceId } from '../../base/ids.ts';
import { formatDeliveryReport } from '../../wire/dsn/deliveryReport.ts';
import type { DeliveryReport, ReportAudience, ReportedRecipient } from '../../wire/dsn/report.ts';
import type { Returned } from '../../wire/dsn/returnedPart.ts';
import type { SettledItems } from '../../store/contract/deliveries.ts';
import type { MessageNames, TraceEvent } from '../../store/contract/trace.ts';
import type {
  Acceptance,
  Envelope,
  Origin,
  ReportSettings,
  SessionOrigin,
  TransferOptions,
} from '../contract.ts';
import { reportClaims } from '../handover.ts';
import { inOnePiece, ownOrigin } from '../ownMessage.ts';
import { formatDate } from '../traceFields.ts';
import { type Addressee, addresseeOf, ownDomainOf, type ReportedSender } from './addressee.ts';

/** Unless something is set. */
export const DEFAULT_REPORTS: ReportSettings = { languages: 'both', copyToPostmaster: 'off' };

/** What ends by itself. A full mailbox, or aliases that lead nowhere, would hold up a failed message for long. */
const STORE_TROUBLE: ReadonlySet<MailErrorCode> = new Set([
  'deadlineExceeded',
  'diskFull',
  'shuttingDown',
  'storeUnavailable',
]);

/** The message that is reported about. */
export interface ReportedMessage extends ReportedSender {
  readonly traceId: TraceId;
  readonly arrivedAt: UnixMs;
  /** ENVID, decoded. */
  readonly envelopeId?: string | undefined;
  readonly names: MessageNames;
  readonly returned: Returned;
  /** Of a message that is not committed yet: by which handover, so that it is reported once however often that is tried. */
  readonly handoverId?: string | undefined;
}

/** What is told of one recipient. */
export interface ToldRecipient
  extends Pick<
    ReportedRecipient,
    'address' | 'action' | 'status' | 'reply' | 'server' | 'originalRecipient'
  > {
  readonly lastAttemptAt?: UnixMs | undefined;
  readonly willRetryUntil?: UnixMs | undefined;
}

/** How telling ended. */
export type Telling =
  | { readonly kind: 'told'; readonly report: TraceId; readonly audience: ReportAudience['kind'] }
  /** Nobody of those who may be told could be. `isTemporary`: the store has trouble, and may take the report later. */
  | { readonly kind: 'untold'; readonly reason: string; readonly isTemporary: boolean };

/** A report about to be taken in. */
export interface ReportAtDoor {
  readonly report: TraceId;
  readonly audience: ReportAudience['kind'];
}

/** Makes reports. */
export interface Reporter {
  /**
   * Tells whoever is to be told about `recipients` of a message, all of one kind: failed, delayed, or had it. `settled` says which items
   * of the queue the report settles; they are settled exactly if the answer is `told`. Never rejects.
   */
  tell(
    message: ReportedMessage,
    recipients: readonly ToldRecipient[],
    settled?: (told: ReportAtDoor) => SettledItems,
  ): Promise<Telling>;
}

/** What reporting needs. */
export interface ReportSurroundings
  extends Pick<TransferOptions, 'serverName' | 'clock' | 'log' | 'reports'> {
  readonly store: {
    readonly directory: Pick<TransferOptions['store']['directory'], 'findDomain' | 'domains'>;
  };
  /** The one door. */
  accept(envelope: Envelope, message: AsyncIterable<Buffer>, origin: Origin): Promise<Acceptance>;
}

/** A reporter at this door. */
export function createReporter(surroundings: ReportSurroundings): Reporter {
  return {
    async tell(message, recipients, settled) {
      try {
        return await tell(surroundings, message, recipients, settled);
      } catch (caught) {
        const error = asMailError(caught);
        surroundings.log.error('transfer.report.failed', { trace: message.traceId, error });
        return { kind: 'untold', reason: error.code, isTemporary: STORE_TROUBLE.has(error.code) };
      }
    },
  };
}

/** What the trace of the message says of a report about a recipient. */
export function reportedEvent(at: UnixMs, recipient: string, { report, audience }: ReportAtDoor): TraceEvent {
  const told = audience === 'sender' ? {} : { told: audience };
  return { at, kind: 'reported', fields: { recipient, report, ...told } };
}

async function tell(
  surroundings: ReportSurroundings,
  message: ReportedMessage,
  recipients: readonly ToldRecipient[],
  settled: ((told: ReportAtDoor) => SettledItems) | undefined,
): Promise<Telling> {
  const { copyToPostmaster } = surroundings.reports ?? DEFAULT_REPORTS;
  const isFailure = recipients.some(({ action }) => action === 'failed');
  const addressee = await addresseeOf(surroundings.store.directory, message);
  const told =
    addressee.kind === 'told'
      ? await hand(surroundings, message, recipients, addressee, settled)
      : ({ kind: 'untold', reason: addressee.reason, isTemporary: false } as const);
  if (!isFailure || copyToPostmaster === 'off') return told;
  if (told.kind === 'told' ? copyToPostmaster === 'untold' : told.isTemporary) return told;
  const postmaster = {
    kind: 'told',
    to: 'postmaster',
    audience: { kind: 'postmaster', sender: message.reversePath },
    mayLeave: false,
  } as const;
  // A copy settles nothing; where nobody else could be told, it is the report.
  if (told.kind === 'untold') {
    const copied = await hand(surroundings, message, recipients, postmaster, settled);
    return copied.kind === 'told' ? copied : told;
  }
  await hand(surroundings, message, recipients, postmaster, undefined);
  return told;
}

async function hand(
  surroundings: ReportSurroundings,
  message: ReportedMessage,
  recipients: readonly ToldRecipient[],
  addressee: Extract<Addressee, { kind: 'told' }>,
  settled: ((told: ReportAtDoor) => SettledItems) | undefined,
): Promise<Telling> {
  const { clock, log, accept } = surroundings;
  const { to, audience } = addressee;
  const report = newTraceId(clock.now());
  const isSmtpUtf8 = !/^[\0-\x7f]*$/.test(to);
  const octets = formatDeliveryReport(await reportOf(surroundings, message, recipients, addressee, report));
  const envelope: Envelope = {
    traceId: report,
    reversePath: '',
    recipients: [to],
    isSmtpUtf8,
    claims: reportClaims(message.handoverId, to, clock.now()),
    ...(settled === undefined ? {} : { settled: settled({ report, audience: audience.kind }) }),
  };
  const answer = await accept(envelope, inOnePiece(octets), originOf(surroundings, message, addressee));
  if (answer.kind === 'accepted') return { kind: 'told', report: answer.traceId, audience: audience.kind };
  const { code } = answer.error;
  log.warn('transfer.report.refused', { trace: message.traceId, to, reason: answer.error.message });
  return { kind: 'untold', reason: code, isTemporary: STORE_TROUBLE.has(code) };
}

async function reportOf(
  surroundings: ReportSurroundings,
  message: ReportedMessage,
  recipients: readonly ToldRecipient[],
  { to, audience }: Extract<Addressee, { kind: 'told' }>,
  report: TraceId,
): Promise<DeliveryReport> {
  const { serverName, clock, store, reports = DEFAULT_REPORTS } = surroundings;
  const addresses = [to, ...recipients.slice(0, 1).map(({ address }) => address)];
  const own = (await ownDomainOf(store.directory, addresses)) ?? (await store.directory.domains())[0]?.name;
  return {
    reportingServer: serverName,
    from: `postmaster@${own ?? serverName}`,
    to,
    date: dateOf(clock.now()),
    arrivedAt: dateOf(message.arrivedAt),
    id: report,
    messageTrace: message.traceId,
    envelopeId: message.envelopeId,
    recipients: recipients.map(({ lastAttemptAt, willRetryUntil, ...told }) => ({
      ...told,
      ...(lastAttemptAt === undefined ? {} : { lastAttemptAt: dateOf(lastAttemptAt) }),
      ...(willRetryUntil === undefined ? {} : { willRetryUntil: dateOf(willRetryUntil) }),
    })),
    audience,
    languages: reports.languages,
    ...message.names,
    returned: message.returned,
    isSmtpUtf8: !/^[\0-\x7f]*$/.test(to),
  };
}

function originOf(
  { serverName }: ReportSurroundings,
  { traceId }: ReportedMessage,
  { audience, mayLeave }: Extract<Addressee, { kind: 'told' }>,
): SessionOrigin {
  return {
    ...ownOrigin(serverName),
    about: traceId,
    mayLeave,
    // The forward may be what fails.
    keepsCopies: audience.kind === 'forwarder',
  };
}

function dateOf(at: UnixMs): string {
  return formatDate(at, -new Date(at).getTimezoneOffset());
}

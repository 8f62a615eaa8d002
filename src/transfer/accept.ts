/**
 * Takes one message: its header is read and inspected, trace fields are put in front, the octets go into a draft as they come,
 * then the plan and one commit.
 *
 * Whatever goes wrong, the draft is given up and the refusal is told to log and trace. Errors that are not the other side's
 * fault are temporary ones, whatever their code says, so that the sender keeps the message and tries again.
 */

import type { UnixMs } from '../base/clock.ts';
import { within } from '../base/deadline.ts';
import { MailError } from '../base/error.ts';
import { newTraceId, type TraceId } from '../base/ids.ts';
import { MINUTE_MS } from '../base/units.ts';
import { formatMessageHeader, type MessageHeader } from '../wire/mime/messageHeader.ts';
import type { ContentDraft } from '../store/contract/contents.ts';
import type { MessageNames } from '../store/contract/trace.ts';
import type {
  Acceptance,
  Envelope,
  Inspection,
  Origin,
  PickupOrigin,
  SessionOrigin,
  TransferOptions,
} from './contract.ts';
import { describeOrigin, sourceFields, sourceName } from './describeOrigin.ts';
import type { FreeSpace } from './freeSpace.ts';
import { acceptedBefore, handoverClaims } from './handover.ts';
import { refuseHops } from './loops.ts';
import { namesOf } from './messageNames.ts';
import { createFingerprint, type Fingerprint } from './onceOnly.ts';
import { planForRelay } from './plan/forRelay.ts';
import { plan } from './plan/plan.ts';
import type { PlanSurroundings } from './plan/surroundings.ts';
import { readHeader } from './readHeader.ts';
import { asRefusal } from './refusal.ts';
import type { Refusals } from './refusals.ts';
import { reportFailures, reportSuccesses, type SettledPlan } from './report/atAcceptance.ts';
import { createReporter } from './report/reporter.ts';
import { type Prepared, prepare } from './submission/prepare.ts';
import type { RatePlace } from './submission/rates.ts';
import { type SubmissionSurroundings, takePlace } from './submission/submission.ts';
import { replyForVacations } from './vacation/replies.ts';
import { submitterFields } from './submitterFields.ts';
import { formatReceived, formatReturnPath } from './traceFields.ts';

/** The store commits within milliseconds; a disk that takes longer is out of order. RFC 5321 section 4.5.3.2.6 gives us 10 minutes. */
export const COMMIT_DEADLINE_MS = 5 * MINUTE_MS;
/** How long the store may take until it wants the next octets. */
export const WRITE_DEADLINE_MS = 2 * MINUTE_MS;

/** What other messages do not say of themselves. */
const NO_REPORT: Pick<SessionOrigin, 'mayLeave' | 'onBehalfOf' | 'keepsCopies'> = {};

/** What accepting needs: the room's options, and what planning is handed. */
export interface AcceptSurroundings extends SubmissionSurroundings {
  readonly planning: PlanSurroundings;
  readonly refusals: Refusals;
  readonly freeSpace: FreeSpace;
}

/** What this server writes itself, at its own door. */
type OwnMessage = readonly [Envelope, AsyncIterable<Buffer>, Origin];

/** What is known of a message when its data begins. */
interface Arrival {
  readonly traceId: TraceId;
  readonly begunAt: UnixMs;
  readonly zoneMinutes: number;
  readonly envelope: Envelope;
  readonly origin: Origin;
  readonly inspection: Inspection | undefined;
  readonly fingerprint: Fingerprint;
  /** Known once the header has come. */
  names: MessageNames;
}

/** See Transfer.accept. */
export async function accept(
  options: AcceptSurroundings,
  envelope: Envelope,
  message: AsyncIterable<Buffer>,
  origin: Origin,
  inspection?: Inspection,
): Promise<Acceptance> {
  const begunAt = options.clock.now();
  const traceId = envelope.traceId ?? newTraceId(begunAt);
  const zoneMinutes = -new Date(begunAt).getTimezoneOffset();
  const fingerprint = createFingerprint(options.onceOnly, envelope, origin);
  const moment = { traceId, begunAt, zoneMinutes };
  const arrival: Arrival = { ...moment, envelope, origin, inspection, fingerprint, names: {} };
  let draft: ContentDraft | undefined;
  let place: RatePlace | undefined;
  try {
    const before = await acceptedBefore(options, envelope);
    if (before !== undefined) return acceptedAgain(options, arrival, before);
    place = takePlace(options, origin.submitter);
    if (origin.kind === 'pickup') await refuseWithoutSpace(options, origin);
    draft = options.store.contents.begin();
    const written = await writeMessage(options, arrival, message, draft);
    const holder = await deliver(options, arrival, draft, written);
    return { kind: 'accepted', traceId: holder ?? traceId };
  } catch (caught) {
    const error = asRefusal(caught);
    noteRefusal(options, arrival, draft?.octets ?? 0, error);
    draft?.discard();
    place?.giveBack();
    return { kind: 'refused', traceId, error };
  }
}

function acceptedAgain({ log }: AcceptSurroundings, { origin }: Arrival, traceId: TraceId): Acceptance {
  log.info('transfer.message.handedOverAgain', { trace: traceId, ...sourceFields(origin) });
  return { kind: 'accepted', traceId };
}

/** Whoever brings a file has not asked at RCPT. Errors: `diskFull`, the store's. */
async function refuseWithoutSpace({ freeSpace }: AcceptSurroundings, { octets }: PickupOrigin) {
  const code = await freeSpace(octets ?? 0);
  if (code !== undefined) throw new MailError(code);
}

/** What was written of a message: its header as it is stored, and what became of it before. */
interface Written extends Prepared {
  readonly returnPathOctets: number;
  /** Of the message as it came. */
  readonly octets: number;
}

/** Writes trace fields and message. Errors: what `message` and the inspection throw, `messageTooLarge`, `mailLoop`, the store's. */
async function writeMessage(
  options: AcceptSurroundings,
  arrival: Arrival,
  message: AsyncIterable<Buffer>,
  draft: ContentDraft,
): Promise<Written> {
  const { inspection, fingerprint } = arrival;
  const blocks = message[Symbol.asyncIterator]();
  try {
    const opening = await readHeader(blocks, options.sizeLimitOctets);
    arrival.names = namesOf(opening.header);
    refuseHops(opening.header, options.serverName);
    fingerprint.header(opening.header);
    fingerprint.octets(opening.octets);
    const prepared = await prepare(options, arrival, await inspectHeader(inspection, opening.header));
    await inspection?.octets?.(opening.octets);
    const returnPathOctets = await writeTraceFields(options, arrival, draft, prepared.reversePath);
    await write(options, draft, formatMessageHeader(prepared.header));
    let octets = opening.octets.length;
    for (let block = opening.rest; ; ) {
      octets += block.length;
      if (octets > options.sizeLimitOctets) throw new MailError('messageTooLarge');
      prepared.refuseSize(octets);
      if (block.length > 0) {
        fingerprint.octets(block);
        await inspection?.octets?.(block);
        await write(options, draft, block);
      }
      const { value, done } = await blocks.next();
      if (done === true) break;
      block = value;
    }
    const refusal = await inspection?.end?.();
    if (refusal !== undefined) throw refusal;
    return { ...prepared, returnPathOctets, octets };
  } finally {
    await blocks.return?.();
  }
}

async function inspectHeader(
  inspection: Inspection | undefined,
  header: MessageHeader,
): Promise<MessageHeader> {
  const verdict = (await inspection?.header(header)) ?? header;
  if (verdict instanceof MailError) throw verdict;
  return verdict;
}

async function writeTraceFields(
  options: AcceptSurroundings,
  { traceId, begunAt, zoneMinutes, envelope, origin }: Arrival,
  draft: ContentDraft,
  reversePath: string,
): Promise<number> {
  const returnPath = formatReturnPath(reversePath);
  const { serverName } = options;
  const received = formatReceived({ ...envelope, origin, serverName, traceId, now: begunAt, zoneMinutes });
  await write(options, draft, Buffer.concat([returnPath, received]));
  return returnPath.length;
}

async function write({ clock }: TransferOptions, draft: ContentDraft, octets: Buffer): Promise<void> {
  await within(clock, WRITE_DEADLINE_MS, 'writing to the store', draft.write(octets));
}

/** Commits; answers which message the handover was of, where this is not the first. */
async function deliver(
  options: AcceptSurroundings,
  { traceId, begunAt, zoneMinutes, envelope, origin, inspection, fingerprint }: Arrival,
  draft: ContentDraft,
  { header, reversePath, returnPathOctets, octets, sendingUse, changes }: Written,
): Promise<TraceId | undefined> {
  const { clock, log, store, planning } = options;
  const acceptedAt = clock.now();
  const { recipients } = envelope;
  const { submitter } = origin;
  const sent = { ...envelope, reversePath };
  const { mayLeave, onBehalfOf, keepsCopies } = origin.kind === 'report' ? origin : NO_REPORT;
  const asked = {
    envelope: sent,
    submitter: onBehalfOf === undefined ? submitter : ({ kind: 'account', account: onBehalfOf } as const),
    isOfHouse: mayLeave === true,
    keepsCopies: keepsCopies === true,
    header,
    octets,
    at: acceptedAt,
  };
  const planned =
    envelope.relay === undefined ? await plan(planning, asked) : planForRelay(sent, envelope.relay);
  const door = { ...options, accept: (...message: OwnMessage) => accept(options, ...message) };
  const reporter = createReporter(door);
  const reported = { traceId, envelope: sent, submitter, header, begunAt };
  const { copies, queued, events } = await reportFailures(reporter, reported, planned, acceptedAt);
  const isVouchedFor = inspection?.isVouchedFor === true;
  const reached = reachedOf(recipients, { copies, queued, events });
  const ownClaims = await fingerprint.claims(reached, acceptedAt, isVouchedFor);
  const claims = [...handoverClaims(envelope, acceptedAt), ...ownClaims, ...(envelope.claims ?? [])];
  const accepted = {
    at: acceptedAt,
    kind: 'accepted',
    fields: { ...describeOrigin(origin), ...changes },
  } as const;
  const committing = store.deliveries.deliver({
    traceId,
    draft,
    returnPathOctets,
    acceptedAt,
    zoneMinutes,
    reversePath,
    recipients,
    copies,
    queued,
    events: [accepted, ...events],
    claims,
    sendingUse,
    settled: envelope.settled,
    ...namesOf(header),
  });
  const outcome = await within(clock, COMMIT_DEADLINE_MS, 'the commit', committing);
  log.info('transfer.message.accepted', {
    trace: traceId,
    from: reversePath,
    recipients: recipients.length,
    copies: outcome.copies.length,
    queued: outcome.queued.length,
    octets: draft.octets,
    ...sourceFields(origin),
    ...changes,
    ...submitterFields(origin.submitter),
  });
  for (const { recipient, kind, of } of outcome.duplicates) {
    const first = { reason: kind, of, from: reversePath, ...sourceFields(origin) };
    log.info('transfer.message.duplicate', { trace: traceId, recipient, ...first });
  }
  await reportSuccesses(reporter, reported, planned, outcome.duplicates);
  const accountIds = outcome.copies.map(({ accountId }) => accountId);
  await replyForVacations(door, { traceId, contentId: outcome.contentId, reversePath, header, accountIds });
  return outcome.duplicates.find(({ kind }) => kind === 'pickup')?.of;
}

/**
 * Recipients that have the message, all of it or some: the others may be given it when it comes again. That a rule deletes it is no
 * failure.
 */
function reachedOf(
  recipients: readonly string[],
  { copies, queued, events }: SettledPlan,
): readonly string[] {
  const failed = events.filter(({ kind }) => kind === 'refused' || kind === 'withheld');
  const missed = new Set(failed.map(({ fields }) => fields.recipient));
  const given = new Set([
    ...copies.map(({ recipient }) => recipient),
    ...queued.map(({ via, recipient }) => via ?? recipient),
  ]);
  return recipients.filter((recipient) => !missed.has(recipient) || given.has(recipient));
}

function noteRefusal(
  { clock, log, refusals }: AcceptSurroundings,
  { traceId, envelope, origin, names }: Arrival,
  octets: number,
  error: MailError,
): void {
  const { reversePath, recipients } = envelope;
  const fields = {
    trace: traceId,
    code: error.code,
    octets,
    from: reversePath,
    ...sourceFields(origin),
  };
  if (error.code === 'internal') log.error('transfer.message.refused', { ...fields, error });
  else log.warn('transfer.message.refused', { ...fields, reason: error.message });
  const { smtp, publicText } = error.reply;
  const refusal = {
    stage: 'message',
    reason: error.code,
    reply: `${smtp.code} ${smtp.status} ${publicText}`,
  };
  refusals.note(sourceName(origin), {
    traceId,
    reversePath,
    recipients,
    ...names,
    event: { at: clock.now(), kind: 'refused', fields: { ...describeOrigin(origin), ...refusal } },
  });
}

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
import type { TraceEvent } from '../store/contract/trace.ts';
import type { Acceptance, Envelope, Inspection, Origin, TransferOptions } from './contract.ts';
import { refuseHops } from './loops.ts';
import { createFingerprint, type Fingerprint } from './onceOnly.ts';
import { plan } from './plan/plan.ts';
import type { PlanSurroundings } from './plan/surroundings.ts';
import { readHeader } from './readHeader.ts';
import { asRefusal } from './refusal.ts';
import { type ReportSurroundings, reportFailures, reportSuccesses } from './report.ts';
import { type Prepared, prepare } from './submission/prepare.ts';
import type { RatePlace } from './submission/rates.ts';
import { type SubmissionSurroundings, takePlace } from './submission/submission.ts';
import { submitterFields } from './submitterFields.ts';
import { formatReceived, formatReturnPath } from './traceFields.ts';

/** The store commits within milliseconds; a disk that takes longer is out of order. RFC 5321 section 4.5.3.2.6 gives us 10 minutes. */
export const COMMIT_DEADLINE_MS = 5 * MINUTE_MS;
/** How long the store may take until it wants the next octets. */
export const WRITE_DEADLINE_MS = 2 * MINUTE_MS;

/** What accepting needs: the room's options, and what planning is handed. */
export interface AcceptSurroundings extends SubmissionSurroundings {
  readonly planning: PlanSurroundings;
}

/** What is known of a message when its data begins. */
interface Arrival {
  readonly traceId: TraceId;
  readonly begunAt: UnixMs;
  readonly zoneMinutes: number;
  readonly envelope: Envelope;
  readonly origin: Origin;
  readonly inspection: Inspection | undefined;
  readonly fingerprint: Fingerprint;
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
  const traceId = newTraceId(begunAt);
  const zoneMinutes = -new Date(begunAt).getTimezoneOffset();
  const fingerprint = createFingerprint(options.onceOnly, envelope, origin);
  const arrival: Arrival = { traceId, begunAt, zoneMinutes, envelope, origin, inspection, fingerprint };
  let draft: ContentDraft | undefined;
  let place: RatePlace | undefined;
  try {
    place = takePlace(options, origin.submitter);
    draft = options.store.contents.begin();
    const written = await writeMessage(options, arrival, message, draft);
    await deliver(options, arrival, draft, written);
    return { kind: 'accepted', traceId };
  } catch (caught) {
    const error = asRefusal(caught);
    noteRefusal(options, arrival, draft?.octets ?? 0, error);
    draft?.discard();
    place?.giveBack();
    return { kind: 'refused', traceId, error };
  }
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
    refuseHops(opening.header, options.serverName);
    fingerprint.header(opening.header);
    fingerprint.octets(opening.octets);
    const prepared = await prepare(options, arrival, await inspectHeader(inspection, opening.header));
    await inspection?.octets?.(opening.octets);
    const returnPathOctets = await writeTraceFields(options, arrival, draft, prepared.reversePath);
    await write(options, draft, formatMessageHeader(prepared.header));
    const limit = Math.min(options.sizeLimitOctets, prepared.sizeLimitOctets ?? options.sizeLimitOctets);
    let octets = opening.octets.length;
    for (let block = opening.rest; ; ) {
      octets += block.length;
      if (octets > limit) throw new MailError('messageTooLarge');
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
  const received = formatReceived({ origin, serverName, traceId, ...envelope, now: begunAt, zoneMinutes });
  await write(options, draft, Buffer.concat([returnPath, received]));
  return returnPath.length;
}

async function write({ clock }: TransferOptions, draft: ContentDraft, octets: Buffer): Promise<void> {
  await within(clock, WRITE_DEADLINE_MS, 'writing to the store', draft.write(octets));
}

async function deliver(
  options: AcceptSurroundings,
  { traceId, begunAt, zoneMinutes, envelope, origin, inspection, fingerprint }: Arrival,
  draft: ContentDraft,
  { header, reversePath, returnPathOctets, octets, sendingUse, changes }: Written,
): Promise<void> {
  const { clock, log, store, planning } = options;
  const acceptedAt = clock.now();
  const { recipients } = envelope;
  const { submitter } = origin;
  const isOfHouse = origin.kind === 'report';
  const sent = { ...envelope, reversePath };
  const planned = await plan(planning, {
    envelope: sent,
    submitter,
    isOfHouse,
    header,
    octets,
    at: acceptedAt,
  });
  const door: ReportSurroundings = { ...options, accept: (...message) => accept(options, ...message) };
  const reported = { traceId, envelope: sent, header, begunAt, zoneMinutes };
  const { copies, queued, events } = await reportFailures(door, reported, planned);
  const isVouchedFor = inspection?.isVouchedFor === true;
  const claims = await fingerprint.claims(reachedOf(recipients, events), acceptedAt, isVouchedFor);
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
  });
  const outcome = await within(clock, COMMIT_DEADLINE_MS, 'the commit', committing);
  log.info('transfer.message.accepted', {
    trace: traceId,
    from: reversePath,
    recipients: recipients.length,
    copies: outcome.copies.length,
    queued: outcome.queued.length,
    octets: draft.octets,
    remote: origin.remoteAddress,
    ...changes,
    ...submitterFields(origin.submitter),
  });
  for (const { recipient, kind, of } of outcome.duplicates) {
    const first = { reason: kind, of, from: reversePath, remote: origin.remoteAddress };
    log.info('transfer.message.duplicate', { trace: traceId, recipient, ...first });
  }
  await reportSuccesses(door, reported, planned, outcome.duplicates);
}

/** Recipients that have the message, or of whom the sender was told: the others may be given it at the next try. */
function reachedOf(recipients: readonly string[], events: readonly TraceEvent[]): readonly string[] {
  const named = (kinds: readonly string[]) =>
    new Set(events.filter(({ kind }) => kinds.includes(kind)).map(({ fields }) => fields.recipient));
  const missed = named(['refused', 'withheld']);
  const told = named(['reported']);
  return recipients.filter((recipient) => !missed.has(recipient) || told.has(recipient));
}

function noteRefusal(
  { clock, log, store }: TransferOptions,
  { traceId, envelope, origin }: Arrival,
  octets: number,
  error: MailError,
): void {
  const { reversePath, recipients } = envelope;
  const fields = {
    trace: traceId,
    code: error.code,
    octets,
    from: reversePath,
    remote: origin.remoteAddress,
  };
  if (error.code === 'internal') log.error('transfer.message.refused', { ...fields, error });
  else log.warn('transfer.message.refused', { ...fields, reason: error.message });
  store.trace.noteRefusal({
    traceId,
    reversePath,
    recipients,
    event: { at: clock.now(), kind: 'refused', fields: { ...describeOrigin(origin), reason: error.code } },
  });
}

function describeOrigin(origin: Origin): Record<string, string> {
  return {
    protocol: origin.kind,
    listener: origin.listener,
    remote: origin.remoteAddress,
    helo: origin.heloName,
    ...(origin.tls === undefined ? {} : { tls: origin.tls }),
    ...submitterFields(origin.submitter),
  };
}

/**
 * The job behind the 250: a planned message becomes a content, one entry for each copy, what its riders write, and its trace.
 *
 * Quota is not asked here: RCPT was answered already, and a message that was accepted is kept. A copy for an account that
 * went meanwhile is left out; when all went and nothing is queued, the job is undone. A plan of neither makes an orphan.
 */

import type { UnixMs } from '../../../base/clock.ts';
import { MailError } from '../../../base/error.ts';
import type { TraceId } from '../../../base/ids.ts';
import type { PlannedClaim } from '../../contract/claims.ts';
import type { DeliveredCopy, DeliveryOutcome, PlannedCopy, SettledItems } from '../../contract/deliveries.ts';
import type { PlannedQueueItem } from '../../contract/queue.ts';
import type { PlannedSendingUse } from '../../contract/sendingUse.ts';
import type { MessageNames, TraceEvent } from '../../contract/trace.ts';
import type { Connection } from '../connection.ts';
import { selectAddress } from '../directoryQueries.ts';
import type { SealedContent } from '../writer/contentWriting.ts';
import { takeClaims, traceDuplicates } from './claimRows.ts';
import type { JobContext } from './context.ts';
import { takeDeliveryPlace } from './deliveryPlace.ts';
import { type DraftEnd, insertOrphan, sealDraft } from './drafts.ts';
import { insertEntry } from './entryRows.ts';
import { insertQueueItems } from './queueRows.ts';
import { countSendingUse } from './sendingUse.ts';
import { settleItems } from './settle.ts';
import { insertDeliveryTrace } from './trace.ts';

/** A planned delivery as it comes over from the main thread. */
export interface DeliverInput extends MessageNames {
  readonly traceId: TraceId;
  readonly draft: DraftEnd;
  readonly returnPathOctets: number;
  readonly acceptedAt: UnixMs;
  readonly zoneMinutes: number;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly copies: readonly PlannedCopy[];
  readonly queued?: readonly PlannedQueueItem[] | undefined;
  readonly events: readonly TraceEvent[];
  readonly claims?: readonly PlannedClaim[];
  readonly sendingUse?: PlannedSendingUse | undefined;
  readonly settled?: SettledItems | undefined;
}

/** Jobs by name. */
export const DELIVER_JOBS = { deliver } as const;

function deliver(db: Connection, asked: DeliverInput, context: JobContext): DeliveryOutcome {
  const duplicates = takeClaims(db, asked.traceId, asked.claims ?? [], context.now);
  countSendingUse(db, asked.sendingUse, duplicates.size);
  if (asked.settled !== undefined) settleItems(db, asked.settled, context);
  const input = duplicates.size === 0 ? asked : withoutDuplicates(asked, duplicates);
  const content = sealDraft(db, input.draft, input.returnPathOctets, input.traceId, context);
  const copies: DeliveredCopy[] = [];
  const stored: TraceEvent[] = [];
  for (const planned of input.copies) {
    const copy = deliverCopy(db, input, planned, content, context);
    if (copy === undefined) continue;
    copies.push(copy.copy);
    stored.push(copy.event);
  }
  const queued = insertQueueItems(db, input, content.id, context);
  const isForNobody = copies.length === 0 && queued.ids.length === 0;
  if (isForNobody && input.copies.length > 0)
    throw new MailError('recipientUnknown', 'every account of the plan has gone');
  if (isForNobody) insertOrphan(db, content.id, context.batch);
  const { traceId, acceptedAt, reversePath, recipients, messageId, subject } = input;
  const told = traceDuplicates(db, traceId, duplicates.values(), context.now);
  const events = [...input.events, ...told, ...stored, ...queued.events];
  const { octets } = content;
  const message = { traceId, acceptedAt, reversePath, recipients, octets, messageId, subject };
  insertDeliveryTrace(db, { ...message, events });
  return { contentId: content.id, copies, queued: queued.ids, duplicates: [...duplicates.values()] };
}

/** What is left of a plan for recipients that have not had the message yet. */
function withoutDuplicates(input: DeliverInput, duplicates: ReadonlyMap<string, unknown>): DeliverInput {
  const isLeft = ({ recipient }: { readonly recipient?: unknown }) =>
    typeof recipient !== 'string' || !duplicates.has(recipient);
  const copies = input.copies.filter(isLeft);
  const queued = input.queued?.filter(({ via, recipient }) => isLeft({ recipient: via ?? recipient }));
  const isSomeLeft = copies.length > 0 || (queued?.length ?? 0) > 0;
  // What was planned for the message as a whole (a rule for all) is told only where something comes of it.
  const isTold = ({ kind, fields }: TraceEvent) =>
    kind === 'accepted' || (isLeft(fields) && (isSomeLeft || fields.recipient !== undefined));
  return { ...input, copies, queued, events: input.events.filter(isTold) };
}

function deliverCopy(
  db: Connection,
  input: DeliverInput,
  planned: PlannedCopy,
  content: SealedContent,
  context: JobContext,
): { readonly copy: DeliveredCopy; readonly event: TraceEvent } | undefined {
  const place = takeDeliveryPlace(db, planned, content, context);
  if (place === undefined) return undefined;
  const { mailboxId, uid, modSeq, name } = place;
  const { accountId, recipient } = planned;
  const internalDate = { at: input.acceptedAt, zoneMinutes: input.zoneMinutes };
  insertEntry(db, place, content, place.flags, internalDate, context.now);
  context.publish({ kind: 'mailbox', mailboxId, modSeq });
  const account = selectAddress(db, accountId) ?? '';
  const fields = { recipient, account, mailbox: name.join('/'), uid };
  return { copy: { accountId, mailboxId, uid }, event: { at: context.now, kind: 'stored', fields } };
}

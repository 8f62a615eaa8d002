/**
 * The job behind the 250: a planned message becomes a content, one entry in the INBOX of each account, and its trace.
 *
 * Quota is not asked here: RCPT was answered already, and a message that was accepted is kept. A copy for an account that
 * went meanwhile is left out; when all went, the job is undone. A plan without copies makes an orphan.
 */

import type { UnixMs } from '../../../base/clock.ts';
import { MailError } from '../../../base/error.ts';
import type { AccountId, MailboxId, ModSeq, TraceId, Uid } from '../../../base/ids.ts';
import type { PlannedClaim } from '../../contract/claims.ts';
import type { DeliveredCopy, DeliveryOutcome, PlannedCopy } from '../../contract/deliveries.ts';
import type { TraceEvent } from '../../contract/trace.ts';
import type { Connection } from '../connection.ts';
import { UID_LIMIT } from '../limits.ts';
import type { SealedContent } from '../writer/contentWriting.ts';
import { takeClaims, traceDuplicates } from './claimRows.ts';
import type { JobContext } from './context.ts';
import { type DraftEnd, insertOrphan, sealDraft } from './drafts.ts';
import { insertEntry } from './entryRows.ts';
import { insertDeliveryTrace } from './trace.ts';

/** A planned delivery as it comes over from the main thread. */
export interface DeliverInput {
  readonly traceId: TraceId;
  readonly draft: DraftEnd;
  readonly returnPathOctets: number;
  readonly acceptedAt: UnixMs;
  readonly zoneMinutes: number;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly copies: readonly PlannedCopy[];
  readonly events: readonly TraceEvent[];
  readonly claims?: readonly PlannedClaim[];
}

/** Jobs by name. */
export const DELIVER_JOBS = { deliver } as const;

function deliver(db: Connection, asked: DeliverInput, context: JobContext): DeliveryOutcome {
  const duplicates = takeClaims(db, asked.traceId, asked.claims ?? [], context.now);
  const input = duplicates.size === 0 ? asked : withoutDuplicates(asked, duplicates);
  const content = sealDraft(db, input.draft, input.returnPathOctets, input.traceId, context);
  const copies: DeliveredCopy[] = [];
  const stored: TraceEvent[] = [];
  for (const planned of input.copies) {
    const copy = deliverCopy(db, input, planned, content, context);
    if (copy === undefined) continue;
    copies.push(copy);
    stored.push(storedEvent(db, planned, copy, context.now));
  }
  if (copies.length === 0 && input.copies.length > 0)
    throw new MailError('recipientUnknown', 'every account of the plan has gone');
  if (copies.length === 0) insertOrphan(db, content.id, context.batch);
  const { traceId, acceptedAt, reversePath, recipients } = input;
  const told = traceDuplicates(db, traceId, duplicates.values(), context.now);
  const events = [...input.events, ...told, ...stored];
  insertDeliveryTrace(db, { traceId, acceptedAt, reversePath, recipients, octets: content.octets, events });
  return { contentId: content.id, copies, queued: [], duplicates: [...duplicates.values()] };
}

/** What is left of a plan for recipients that have not had the message yet. */
function withoutDuplicates(input: DeliverInput, duplicates: ReadonlyMap<string, unknown>): DeliverInput {
  const isLeft = ({ recipient }: { readonly recipient?: unknown }) =>
    typeof recipient !== 'string' || !duplicates.has(recipient);
  return {
    ...input,
    copies: input.copies.filter(isLeft),
    events: input.events.filter(({ kind, fields }) => kind === 'accepted' || isLeft(fields)),
  };
}

function deliverCopy(
  db: Connection,
  input: DeliverInput,
  planned: PlannedCopy,
  content: SealedContent,
  context: JobContext,
): DeliveredCopy | undefined {
  const place = takeInboxUid(db, planned.accountId, content);
  if (place === undefined) return undefined;
  const { mailboxId, uid, modSeq } = place;
  if (uid > UID_LIMIT) throw new MailError('limit', 'no UID is left in this INBOX');
  const internalDate = { at: input.acceptedAt, zoneMinutes: input.zoneMinutes };
  insertEntry(db, place, content, { system: 0, low: 0, high: 0 }, internalDate, context.now);
  context.publish({ kind: 'mailbox', mailboxId, modSeq });
  return { accountId: planned.accountId, mailboxId, uid };
}

function storedEvent(db: Connection, planned: PlannedCopy, copy: DeliveredCopy, now: UnixMs): TraceEvent {
  const account = findAddress(db, copy.accountId) ?? '';
  const { recipient } = planned;
  return { at: now, kind: 'stored', fields: { recipient, account, mailbox: 'INBOX', uid: copy.uid } };
}

/** Counts one more unseen message in an account's INBOX; undefined when there is no such account. */
function takeInboxUid(
  db: Connection,
  accountId: AccountId,
  content: SealedContent,
): { readonly mailboxId: MailboxId; readonly uid: Uid; readonly modSeq: ModSeq } | undefined {
  return db.get(
    `UPDATE mailbox
     SET uid_next = uid_next + 1, highest_modseq = highest_modseq + 1, messages = messages + 1,
       unseen = unseen + 1, octets = octets + ?, pop3_octets = pop3_octets + ?
     WHERE account_id = ? AND name = '["INBOX"]'
     RETURNING id AS mailboxId, uid_next - 1 AS uid, highest_modseq AS modSeq`,
    content.octets,
    content.pop3Octets,
    accountId,
  );
}

/** Names are put together here: the same in SQL, over a join, takes ten times as long. */
function findAddress(db: Connection, accountId: AccountId): string | undefined {
  const row = readAddressParts(db, accountId);
  return row === undefined ? undefined : `${row.localPart}@${row.domain}`;
}

function readAddressParts(
  db: Connection,
  accountId: AccountId,
): { readonly localPart: string; readonly domain: string } | undefined {
  return db.get(
    `SELECT local_part AS localPart, (SELECT name FROM domain WHERE id = domain_id) AS domain
     FROM account WHERE id = ?`,
    accountId,
  );
}

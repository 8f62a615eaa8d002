/**
 * The one door for messages in transit: whoever takes one in hands it to `accept`, and may acknowledge it when that answers
 * `accepted`, which is after the commit.
 *
 * `accept` gives the message its trace id, writes Return-Path and Received in front, streams it into a draft with
 * back-pressure, finds loops on the way, plans the copies once at the end of the data, and commits them in one transaction.
 * Trust: paths and octets are the other side's. Whatever is not ours to deliver is refused: there is no way to relay here.
 */

import type { Clock, UnixMs } from '../base/clock.ts';
import { asMailError, MailError, type MailErrorCode } from '../base/error.ts';
import { newTraceId, type TraceId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { MINUTE_MS } from '../base/units.ts';
import type { ContentDraft } from '../store/contract/contents.ts';
import type { PlannedCopy } from '../store/contract/deliveries.ts';
import type { Store } from '../store/contract/store.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { createHeaderWatch, type HeaderWatch, RECEIVED_LIMIT } from './headerWatch.ts';
import { formatReceived, formatReturnPath, type Origin } from './traceFields.ts';

/** The store answers within milliseconds; a disk that takes longer is out of order, and the sender may try again. RFC 5321 section 4.5.3.2.6 gives us 10 minutes. */
const COMMIT_DEADLINE_MS = 5 * MINUTE_MS;

/** An envelope: paths without angle brackets (RFC 5321 section 4.1.1). */
export interface Envelope {
  /** Empty for the null path. */
  readonly reversePath: string;
  /** Forward paths that `checkRecipient` accepted; at least one. */
  readonly recipients: readonly string[];
}

/** What RCPT is answered with. */
export type RecipientVerdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: MailErrorCode };

/** How an acceptance ended. */
export type Acceptance =
  | { readonly kind: 'accepted'; readonly traceId: TraceId }
  | { readonly kind: 'refused'; readonly traceId: TraceId; readonly error: MailError };

/** What the room is handed. */
export interface TransferOptions {
  readonly store: Pick<Store, 'contents' | 'deliveries' | 'health' | 'trace'>;
  readonly accounts: Pick<Accounts, 'isOverQuota' | 'resolveRecipient'>;
  /** Names us in Received fields. */
  readonly serverName: string;
  /** Octets of the largest message, our trace fields not counted. */
  readonly sizeLimitOctets: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The door. */
export interface Transfer {
  /** Whether a forward path (without angle brackets) is ours and has room for `octets` more. Errors: the store's. */
  checkRecipient(path: string, octets: number): Promise<RecipientVerdict>;
  /**
   * Takes a message. Reads `message` to its end whatever becomes of it; rejects only with what `message` itself rejects with
   * (the connection was lost), and then nothing is stored.
   */
  accept(envelope: Envelope, message: AsyncIterable<Buffer>, origin: Origin): Promise<Acceptance>;
}

/** Opens the door. */
export function createTransfer(options: TransferOptions): Transfer {
  return {
    checkRecipient: (path, octets) => checkRecipient(options, path, octets),
    accept: (envelope, message, origin) => accept(options, envelope, message, origin),
  };
}

async function checkRecipient(
  options: TransferOptions,
  path: string,
  octets: number,
): Promise<RecipientVerdict> {
  const resolved = await options.accounts.resolveRecipient(path);
  switch (resolved.kind) {
    case 'unknown':
      return { kind: 'refused', code: 'recipientUnknown' };
    case 'disabled':
      return { kind: 'refused', code: 'recipientDisabled' };
    case 'foreign':
      return { kind: 'refused', code: 'relayingDenied' };
    case 'accounts':
      break;
  }
  const health = await options.store.health();
  if (health.kind === 'unhealthy') return { kind: 'refused', code: 'diskFull' };
  const isFull = await Promise.all(
    resolved.accounts.map((account) => options.accounts.isOverQuota(account, octets)),
  );
  return isFull.every(Boolean) ? { kind: 'refused', code: 'overQuota' } : { kind: 'accepted' };
}

async function accept(
  options: TransferOptions,
  envelope: Envelope,
  message: AsyncIterable<Buffer>,
  origin: Origin,
): Promise<Acceptance> {
  const { clock, store } = options;
  const now = clock.now();
  const traceId = newTraceId(now);
  const arrival: Arrival = {
    traceId,
    now,
    zoneMinutes: -new Date(now).getTimezoneOffset(),
    envelope,
    origin,
  };
  const draft = store.contents.begin();
  const watch = createHeaderWatch();
  let error: MailError | undefined;
  try {
    const returnPathOctets = await writeTraceFields(options, arrival, draft);
    error = await writeMessage(options, message, draft, watch);
    error ??= loopError(watch, envelope);
    if (error === undefined) await deliver(options, arrival, draft, returnPathOctets);
  } catch (caught) {
    draft.discard();
    if (!(caught instanceof MailError) || caught.code === 'connectionLost') throw caught;
    error = caught;
  }
  if (error === undefined) return { kind: 'accepted', traceId };
  draft.discard();
  noteRefusal(options, arrival, error);
  return { kind: 'refused', traceId, error };
}

/** What is known of a message when its data begins. */
interface Arrival {
  readonly traceId: TraceId;
  readonly now: UnixMs;
  readonly zoneMinutes: number;
  readonly envelope: Envelope;
  readonly origin: Origin;
}

async function writeTraceFields(
  options: TransferOptions,
  arrival: Arrival,
  draft: ContentDraft,
): Promise<number> {
  const { reversePath, recipients } = arrival.envelope;
  const returnPath = formatReturnPath(reversePath);
  const received = formatReceived({ ...arrival, reversePath, recipients, serverName: options.serverName });
  await draft.write(Buffer.concat([returnPath, received]));
  return returnPath.length;
}

/** Writes the message; what comes after a refusal is read and dropped, so that the reply finds a listening client. */
async function writeMessage(
  options: TransferOptions,
  message: AsyncIterable<Buffer>,
  draft: ContentDraft,
  watch: HeaderWatch,
): Promise<MailError | undefined> {
  let octets = 0;
  let error: MailError | undefined;
  for await (const chunk of message) {
    octets += chunk.length;
    if (error !== undefined) continue;
    if (octets > options.sizeLimitOctets) error = new MailError('messageTooLarge');
    else {
      watch.push(chunk);
      error = await draft.write(chunk).then(() => undefined, asMailError);
    }
    if (error !== undefined) draft.discard();
  }
  return error;
}

function loopError(watch: HeaderWatch, { recipients }: Envelope): MailError | undefined {
  if (watch.received > RECEIVED_LIMIT) return new MailError('mailLoop', `${watch.received} Received fields`);
  const own = recipients.find((recipient) => watch.deliveredTo.includes(recipient.toLowerCase()));
  return own === undefined ? undefined : new MailError('mailLoop', `it was delivered to ${own} before`);
}

async function deliver(
  options: TransferOptions,
  arrival: Arrival,
  draft: ContentDraft,
  returnPathOctets: number,
): Promise<void> {
  const { clock, log, store } = options;
  const { traceId, envelope, origin, zoneMinutes } = arrival;
  const copies = await planCopies(options, envelope);
  const committing = store.deliveries.deliver({
    traceId,
    draft,
    returnPathOctets,
    acceptedAt: clock.now(),
    zoneMinutes,
    reversePath: envelope.reversePath,
    recipients: envelope.recipients,
    copies,
    events: [{ at: clock.now(), kind: 'accepted', fields: describeOrigin(origin) }],
  });
  const outcome = await within(clock, COMMIT_DEADLINE_MS, committing);
  log.info('transfer.message.accepted', {
    trace: traceId,
    from: envelope.reversePath,
    recipients: envelope.recipients.length,
    copies: outcome.copies.length,
    octets: draft.octets,
    remote: origin.remoteAddress,
  });
}

/** One copy for each account, however often it is addressed. Errors: `recipientUnknown` when nobody is left. */
async function planCopies(options: TransferOptions, envelope: Envelope): Promise<PlannedCopy[]> {
  const copies = new Map<number, PlannedCopy>();
  for (const recipient of envelope.recipients) {
    const resolved = await options.accounts.resolveRecipient(recipient);
    if (resolved.kind !== 'accounts') continue;
    for (const { id } of resolved.accounts) if (!copies.has(id)) copies.set(id, { accountId: id, recipient });
  }
  if (copies.size === 0) throw new MailError('recipientUnknown');
  return [...copies.values()];
}

function describeOrigin(origin: Origin): Record<string, string> {
  return {
    protocol: origin.kind,
    listener: origin.listener,
    remote: origin.remoteAddress,
    helo: origin.heloName,
    ...(origin.tls === undefined ? {} : { tls: origin.tls }),
  };
}

function noteRefusal(options: TransferOptions, arrival: Arrival, error: MailError): void {
  const { traceId, envelope, origin } = arrival;
  const at = options.clock.now();
  options.log.warn('transfer.message.refused', {
    trace: traceId,
    code: error.code,
    error,
    remote: origin.remoteAddress,
  });
  options.store.trace.noteRefusal({
    traceId,
    reversePath: envelope.reversePath,
    recipients: envelope.recipients,
    event: { at, kind: 'refused', fields: { ...describeOrigin(origin), reason: error.code } },
  });
}

/** `promise`, or `deadlineExceeded`. The work itself goes on: the sender may then send a second copy. */
function within<T>(clock: Clock, deadlineMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(deadlineMs, () =>
      reject(new MailError('deadlineExceeded', 'the store did not commit in time')),
    );
    promise.then(resolve, reject).finally(() => timer.clear());
  });
}

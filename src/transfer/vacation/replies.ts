/**
 * Answers for accounts whose owners are away, after the commit of what is answered, by the one door.
 *
 * RFC 3834: silence.ts says what is not answered; beside that an account answers only what is addressed to it (section 2), once
 * to each sender within its days, to the reverse path (section 4), with the null one of its own (section 3.3). The commit that
 * takes an answer in takes its claim, so that no answer is doubled; one that is lost in a crash is given to the next message.
 * A new text is told again. Answers leave the house by the routes that the account itself may use.
 */

import { asMailError } from '../../base/error.ts';
import type { UnixMs } from '../../base/clock.ts';
import { type AccountId, type ContentId, newTraceId, type TraceId } from '../../base/ids.ts';
import { DAY_MS } from '../../base/units.ts';
import { formatVacationReply } from '../../wire/dsn/vacationReply.ts';
import { parseAddressList } from '../../wire/mime/address.ts';
import { type MessageHeader, valuesOf } from '../../wire/mime/messageHeader.ts';
import type { Account } from '../../store/contract/directory.ts';
import type { Vacation } from '../../store/contract/vacation.ts';
import type { Acceptance, Envelope, Origin, TransferOptions } from '../contract.ts';
import { namesOf } from '../messageNames.ts';
import { claimKey, normalizedPath } from '../onceOnly.ts';
import { inOnePiece, ownOrigin } from '../ownMessage.ts';
import { formatDate } from '../traceFields.ts';
import { isAway, messageSilence } from './silence.ts';

/** Addresses in To and Cc that are looked at, the first ones. */
export const ADDRESSEES_LIMIT = 100;
/** Octets of one To or Cc that are looked at. */
const FIELD_LIMIT_OCTETS = 65_536;
/** Accounts that answer one message. */
export const REPLIES_LIMIT = 50;

/** A message that has been stored. */
export interface StoredMessage {
  readonly traceId: TraceId;
  readonly contentId: ContentId;
  readonly reversePath: string;
  readonly header: MessageHeader;
  /** Accounts that have a copy. */
  readonly accountIds: readonly AccountId[];
}

/** What answering needs. */
export interface ReplySurroundings
  extends Pick<TransferOptions, 'serverName' | 'clock' | 'log' | 'accounts' | 'store'> {
  /** The one door. */
  accept(envelope: Envelope, message: AsyncIterable<Buffer>, origin: Origin): Promise<Acceptance>;
}

/** Answers for whoever is away. Never rejects. */
export async function replyForVacations(
  surroundings: ReplySurroundings,
  message: StoredMessage,
): Promise<void> {
  if (message.accountIds.length === 0) return;
  if (messageSilence(message.reversePath, message.header) !== undefined) return;
  try {
    for (const vacation of await vacationsOf(surroundings, message))
      await reply(surroundings, message, vacation);
  } catch (caught) {
    surroundings.log.error('transfer.vacation.failed', {
      trace: message.traceId,
      error: asMailError(caught),
    });
  }
}

/** Answers of those who have a copy and are away. */
async function vacationsOf(
  { store, clock }: ReplySurroundings,
  { accountIds }: StoredMessage,
): Promise<readonly Vacation[]> {
  const away: Vacation[] = [];
  for (const id of accountIds) {
    const vacation = await store.directory.vacationOf(id);
    if (vacation !== undefined && isAway(vacation, clock.now())) away.push(vacation);
    if (away.length === REPLIES_LIMIT) break;
  }
  return away;
}

async function reply(
  surroundings: ReplySurroundings,
  message: StoredMessage,
  vacation: Vacation,
): Promise<void> {
  const { store, clock, log } = surroundings;
  const { reversePath } = message;
  const account = await store.directory.findAccount(vacation.account);
  if (account === undefined || !(await isAnswerable(surroundings, message, account))) return;
  const at = clock.now();
  const key = keyOf(account, vacation, reversePath);
  if (await store.deliveries.isClaimed(key, at)) return;
  const expiresAt = (at + vacation.daysBetween * DAY_MS) as UnixMs;
  const traceId = newTraceId(at);
  const envelope: Envelope = {
    traceId,
    reversePath: '',
    recipients: [reversePath],
    isSmtpUtf8: !/^[\0-\x7f]*$/.test(account.address + reversePath),
    claims: [{ kind: 'vacation', recipient: reversePath, key, expiresAt }],
  };
  const octets = formatReply(surroundings, message, vacation, traceId);
  const answer = await surroundings.accept(envelope, inOnePiece(octets), originOf(surroundings, account));
  if (answer.kind === 'refused') {
    log.warn('transfer.vacation.refused', {
      trace: message.traceId,
      account: account.address,
      to: reversePath,
      reason: answer.error.message,
    });
    return;
  }
  const fields = { recipient: reversePath, account: account.address, report: traceId };
  store.trace.note(message.contentId, { at, kind: 'replied', fields });
}

/** Whether the sender is somebody else who can be answered, and means this account by name (RFC 3834 section 2). */
async function isAnswerable(
  { accounts }: ReplySurroundings,
  { reversePath, header }: StoredMessage,
  { id }: Account,
): Promise<boolean> {
  const sender = await accounts.resolveRecipient(reversePath);
  // Lists are nobody to this, nor is who sends in the name of an address that we do not have.
  if (sender.kind === 'unknown' || sender.kind === 'disabled') return false;
  if (sender.kind === 'accounts' && sender.accounts.some((account) => account.id === id)) return false;
  for (const address of addressees(header)) {
    const meant = await accounts.resolveRecipient(address);
    if (meant.kind === 'accounts' && meant.accounts.some((account) => account.id === id)) return true;
  }
  return false;
}

/** Addresses in To and Cc, each once. */
function addressees(header: MessageHeader): ReadonlySet<string> {
  const fields = [...valuesOf(header, 'to'), ...valuesOf(header, 'cc')].slice(0, ADDRESSEES_LIMIT);
  const addresses = fields.flatMap((field) =>
    parseAddressList(field.slice(0, FIELD_LIMIT_OCTETS)).flatMap(({ mailbox, host }) =>
      mailbox === null || host === null || mailbox === ''
        ? []
        : [Buffer.from(`${mailbox}@${host}`, 'latin1').toString()],
    ),
  );
  return new Set(addresses.slice(0, ADDRESSEES_LIMIT));
}

/** With the text, so that who changes it tells everybody anew (RFC 5230 section 4.2). */
function keyOf({ id }: Account, { subject = '', text }: Vacation, reversePath: string): string {
  return claimKey(['vacation', String(id), normalizedPath(reversePath), subject, text]);
}

function formatReply(
  { serverName, clock }: ReplySurroundings,
  { reversePath, header }: StoredMessage,
  { account, subject, text }: Vacation,
  traceId: TraceId,
): Buffer {
  const at = clock.now();
  const names = namesOf(header);
  return formatVacationReply({
    from: account,
    to: reversePath,
    subject,
    originalSubject: names.subject,
    date: formatDate(at, -new Date(at).getTimezoneOffset()),
    messageId: `${traceId}@${serverName}`,
    inReplyTo: names.messageId,
    text,
  });
}

function originOf({ serverName }: ReplySurroundings, account: Account): Origin {
  return {
    ...ownOrigin(serverName),
    onBehalfOf: account,
  };
}

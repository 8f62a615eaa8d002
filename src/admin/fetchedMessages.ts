/**
 * What `hauspost fetched` shows and restores: messages that POP3 has deleted and that are retained (docs/RETENTION.md).
 *
 * Trust: senders and subjects are a stranger's octets; they are decoded, freed of what a terminal could act upon, and cut.
 */

import { unixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { AccountId } from '../base/ids.ts';
import { decodeEncodedWords } from '../wire/mime/encodedWord.ts';
import type { EnvelopeAddress } from '../wire/mime/structure.ts';
import type { Mailbox } from '../store/contract/mailboxes.ts';
import { FETCHED_MAILBOX } from '../store/contract/retention.ts';
import type { Store } from '../store/contract/store.ts';

/** Messages that one answer lists. */
export const FETCHED_LIST_LIMIT = 1000;
/** Characters that are shown of a sender or a subject. */
const SHOWN_LIMIT_CHARS = 200;
/** Envelopes read in one go, some milliseconds. */
const ENVELOPES_AT_A_TIME = 50;

/** A message that waits in Fetched. */
export interface FetchedMessage {
  /** Names it to `restore`. */
  readonly uid: number;
  /** ISO 8601 in UTC: when POP3 deleted it, or its days after the fetch were over. */
  readonly retainedAt: string;
  /** When it came. */
  readonly receivedAt: string;
  readonly from: string;
  readonly subject: string;
  readonly octets: number;
}

/** What to restore: single messages, or all since a time (0 for all). */
export type FetchedChoice =
  | { readonly kind: 'uids'; readonly uids: readonly number[] }
  | { readonly kind: 'since'; readonly since: number };

/** What a restore did. */
export interface RestoreReport {
  readonly restored: number;
  /** Their UIDs, and unique ids of POP3, in the INBOX. */
  readonly inboxUids: readonly number[];
}

type FetchedStore = Pick<Store, 'mailboxes' | 'contents'>;

/** Retained messages since a time (Unix milliseconds), the newest first. */
export async function listFetched(
  { mailboxes, contents }: FetchedStore,
  accountId: AccountId,
  since: number,
  limit: number,
): Promise<readonly FetchedMessage[]> {
  const fetched = await mailboxes.find(accountId, FETCHED_MAILBOX);
  if (fetched === undefined) return [];
  const hold = mailboxes.hold();
  try {
    const entries = await mailboxes.retainedEntries(fetched.id, unixMs(since), limit);
    const messages: FetchedMessage[] = [];
    for (let from = 0; from < entries.length; from += ENVELOPES_AT_A_TIME) {
      const some = entries.slice(from, from + ENVELOPES_AT_A_TIME);
      const derived = await contents.derived(some.map(({ contentId }) => contentId));
      for (const [index, { uid, octets, retainedAt, internalAt }] of some.entries()) {
        const envelope = derived[index]?.envelope;
        messages.push({
          uid,
          retainedAt: new Date(retainedAt).toISOString(),
          receivedAt: new Date(internalAt).toISOString(),
          from: senderOf(envelope?.from?.[0]),
          subject: shown(envelope?.subject),
          octets,
        });
      }
    }
    return messages;
  } finally {
    hold.release();
  }
}

/** Moves retained messages back into the INBOX, all or none. Errors: `notFound` (one of them), `overQuota`. */
export async function restoreFetched(
  { mailboxes }: FetchedStore,
  accountId: AccountId,
  choice: FetchedChoice,
): Promise<RestoreReport> {
  const fetched = await mailboxes.find(accountId, FETCHED_MAILBOX);
  const inbox = await mailboxes.find(accountId, ['INBOX']);
  if (inbox === undefined) throw new MailError('mailboxMissing', 'The account has no INBOX.');
  const uids = await chosenUids(mailboxes, fetched, choice);
  if (fetched === undefined || uids.length === 0) return { restored: 0, inboxUids: [] };
  const ranges = uids.map((uid) => ({ first: uid, last: uid }));
  const { to } = await mailboxes.move(fetched.id, ranges, inbox.id);
  return { restored: to.length, inboxUids: to };
}

async function chosenUids(
  mailboxes: Store['mailboxes'],
  fetched: Mailbox | undefined,
  choice: FetchedChoice,
): Promise<readonly number[]> {
  const since = unixMs(choice.kind === 'since' ? choice.since : 0);
  const retained = fetched === undefined ? [] : await mailboxes.retainedUids(fetched.id, since);
  if (choice.kind === 'since') return retained;
  const known = new Set<number>(retained);
  const unknown = choice.uids.find((uid) => !known.has(uid));
  if (unknown === undefined) return choice.uids;
  throw new MailError('notFound', `Message ${unknown} does not wait in Fetched; nothing was restored.`);
}

function senderOf(address: EnvelopeAddress | undefined): string {
  if (address === undefined) return '';
  const name = shown(address.name);
  return name === '' ? shown(`${address.mailbox ?? ''}@${address.host ?? ''}`) : name;
}

/** Decoded, in one line, without controls and characters that turn the line around. */
function shown(octets: string | null | undefined): string {
  if (octets === null || octets === undefined) return '';
  const text = decodeEncodedWords(Buffer.from(octets, 'latin1'));
  return text
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, SHOWN_LIMIT_CHARS)
    .toWellFormed();
}

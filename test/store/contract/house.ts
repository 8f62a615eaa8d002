/**
 * What the contract suite needs of an implementation, and small words for its tests: an account, a delivery, all entries.
 */

import type { Test } from 'tap';

import { type UnixMs, unixMs } from '../../../src/base/clock.ts';
import { type AccountId, type ContentId, type MailboxId, newTraceId } from '../../../src/base/ids.ts';
import type { MimeMessage } from '../../../src/wire/mime/structure.ts';
import type { ContentDraft } from '../../../src/store/contract/contents.ts';
import type { DerivedMessage } from '../../../src/store/contract/derived.ts';
import type { DeliveryOutcome, PlannedDelivery } from '../../../src/store/contract/deliveries.ts';
import type { Entry, EntryFlags, Flags, UidRange } from '../../../src/store/contract/mailboxes.ts';
import type { NextHop, PlannedQueueItem } from '../../../src/store/contract/queue.ts';
import type { Store } from '../../../src/store/contract/store.ts';

/** The implementation under test. */
export interface StoreUnderTest {
  /** A store that other tests may have used and will use; every test makes accounts of its own. */
  storeOf(): Promise<Store>;
  /** A new and empty store, for a test that closes it. */
  newStore(): Promise<Store>;
}

/** Tests of one part of the contract, by what they say. */
export type ContractTests = Readonly<Record<string, (t: Test, under: StoreUnderTest) => Promise<void>>>;

/** Every UID there can be. */
export const ALL: readonly UidRange[] = [{ first: 1, last: 4_294_967_295 }];
/** When the suite's messages came. */
export const AT: UnixMs = unixMs(Date.UTC(2026, 0, 15, 10, 0, 0));
/** No flags at all. */
export const NO_FLAGS: Flags = { system: 0, keywords: [] };

/** A small message. */
export const MESSAGE = Buffer.from('From: <a@example.org>\r\nSubject: one\r\n\r\nHello.\r\n');

/** An account and its INBOX. */
export interface Tenant {
  readonly address: string;
  readonly accountId: AccountId;
  readonly inbox: MailboxId;
}

let tenants = 0;

/** Makes an account of a new name, with a quota where one is given. */
export async function addTenant(store: Store, quotaOctets?: number): Promise<Tenant> {
  tenants += 1;
  const domain = `tenant${tenants}.example`;
  await store.directory.addDomain(domain, {});
  const address = `in@${domain}`;
  const account = await store.directory.addAccount({ address, passwordHash: '$x$', quotaOctets });
  const inbox = await store.mailboxes.find(account.id, ['INBOX']);
  if (inbox === undefined) throw new Error('a new account has no INBOX');
  return { address, accountId: account.id, inbox: inbox.id };
}

/** A draft that has taken `octets`, in pieces of at most `pieceOctets`. */
export async function draftOf(
  store: Store,
  octets: Uint8Array,
  pieceOctets = 64 * 1024,
): Promise<ContentDraft> {
  const draft = store.contents.begin();
  for (let at = 0; at < octets.length; at += pieceOctets)
    await draft.write(octets.subarray(at, at + pieceOctets));
  return draft;
}

/** Delivers `octets` to the accounts. */
export async function deliver(
  store: Store,
  octets: Uint8Array,
  accountIds: readonly AccountId[],
): Promise<DeliveryOutcome> {
  return deliverDraft(store, await draftOf(store, octets), accountIds);
}

/** Delivers a draft to the accounts. */
export function deliverDraft(
  store: Store,
  draft: ContentDraft,
  accountIds: readonly AccountId[],
): Promise<DeliveryOutcome> {
  return store.deliveries.deliver({
    ...plannedDelivery(draft),
    copies: accountIds.map((accountId) => ({ accountId, recipient: 'in@tenant.example' })),
  });
}

/** A delivery of the draft to nobody. */
export function plannedDelivery(draft: ContentDraft): PlannedDelivery {
  return {
    traceId: newTraceId(AT),
    draft,
    returnPathOctets: 0,
    acceptedAt: AT,
    zoneMinutes: 60,
    reversePath: 'a@example.org',
    recipients: ['in@tenant.example'],
    copies: [],
    events: [],
  };
}

/** An item for the relay "exchange", unless said. */
export function plannedItem(
  recipient: string,
  nextHop: NextHop = { kind: 'relay', name: 'exchange' },
): PlannedQueueItem {
  return { recipient, nextHop, reversePath: 'a@example.org', isSmtpUtf8: false };
}

/** Appends `count` small messages with these flags. */
export async function append(
  store: Store,
  mailboxId: MailboxId,
  count: number,
  flags: Flags = NO_FLAGS,
): Promise<void> {
  const appendices = [];
  for (let index = 0; index < count; index += 1)
    appendices.push({
      draft: await draftOf(store, MESSAGE),
      flags,
      internalDate: { at: AT, zoneMinutes: 0 },
    });
  await store.mailboxes.append(mailboxId, appendices);
}

/** All entries of a mailbox, slices joined. */
export async function entriesOf(
  store: Store,
  mailboxId: MailboxId,
  range: UidRange = { first: 1, last: 4_294_967_295 },
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const slice of store.mailboxes.entries(mailboxId, range)) entries.push(...slice);
  return entries;
}

/** The UIDs of all entries of a mailbox. */
export async function uidsOf(store: Store, mailboxId: MailboxId): Promise<readonly number[]> {
  return (await entriesOf(store, mailboxId)).map(({ uid }) => uid);
}

/** Octets of a content. */
export async function octetsOf(
  store: Store,
  contentId: ContentId,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): Promise<Buffer> {
  const content = await store.contents.open(contentId);
  const pieces: Buffer[] = [];
  for await (const piece of content.read(start, end)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Octets that repeat at no power of two, so that pieces in a wrong order are seen. */
export function patterned(length: number): Buffer {
  const octets = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index += 1) octets[index] = (index * 31 + (index >> 8) * 7) & 0xff;
  return octets;
}

/** What is decoded of derived data, to be compared with what a walker finds. */
export function plain({ structure, envelope, octets, pop3Octets }: DerivedMessage): MimeMessage {
  return { structure, envelope, octets, pop3Octets };
}

/** What of an entry may change. */
export function flagsOf({ uid, flags, modSeq }: EntryFlags): EntryFlags {
  return { uid, flags, modSeq };
}

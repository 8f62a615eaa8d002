/**
 * A selected mailbox: the session's view of it, fed from the store (RFC 3501 sections 5.2, 6.3.1 and 6.3.2).
 *
 * The change feed only marks the view as stale; `pull` asks the store what changed and applies it, and the client is told
 * when its command allows it. A session reads what it was told of while its hold lives, expunged by others or not.
 * Opened by SELECT and EXAMINE; whoever leaves the mailbox closes it.
 */

import { MailError } from '../base/error.ts';
import type { MailboxId, ModSeq, Uid } from '../base/ids.ts';
import type { Pacer } from '../base/pacer.ts';
import type { ChangeFeed } from '../store/contract/feed.ts';
import { FLAG } from '../store/contract/mailboxes.ts';
import type {
  EntryFlags,
  Hold,
  Mailbox,
  MailboxChanges,
  MailboxStatus,
  Mailboxes,
} from '../store/contract/mailboxes.ts';
import { ClientModSeq } from './clientModSeq.ts';
import { KeywordList } from './keywordList.ts';
import type { RecentClaims } from './recentClaims.ts';
import { MailboxView } from './view.ts';
import type { TellOptions, ViewUpdate } from './view.ts';

/** What a selection needs. */
export interface SelectionOptions {
  readonly mailboxes: Mailboxes;
  readonly feed: ChangeFeed;
  readonly recentClaims: RecentClaims;
  readonly mailbox: Mailbox;
  /** EXAMINE: nothing is changed, \Recent is shown and not claimed. */
  readonly isReadOnly: boolean;
  readonly pacer: Pacer;
}

/** Opens `mailbox`. Errors: `mailboxMissing`. */
export async function openSelection(options: SelectionOptions): Promise<Selection> {
  const selection = new Selection(options);
  try {
    await selection.open();
    return selection;
  } catch (error) {
    selection.close();
    throw error;
  }
}

/** One session's selected mailbox. */
export class Selection {
  readonly mailbox: Mailbox;
  readonly isReadOnly: boolean;
  /** What the client takes for HIGHESTMODSEQ. */
  readonly clientModSeq = new ClientModSeq();
  readonly #mailboxes: Mailboxes;
  readonly #recentClaims: RecentClaims;
  readonly #pacer: Pacer;
  readonly #hold: Hold;
  readonly #unsubscribe: () => void;
  #view = new MailboxView([], [], 0);
  #keywords = new KeywordList([], 0);
  #status: MailboxStatus | undefined;
  #firstUnseen: number | undefined;
  #isStale = false;
  #isRemoved = false;
  #recentClaim: Promise<void> = Promise.resolve();
  #onNews: (() => void) | undefined;

  constructor(options: SelectionOptions) {
    this.mailbox = options.mailbox;
    this.isReadOnly = options.isReadOnly;
    this.#mailboxes = options.mailboxes;
    this.#recentClaims = options.recentClaims;
    this.#pacer = options.pacer;
    this.#hold = options.mailboxes.hold();
    this.#unsubscribe = options.feed.subscribeMailbox(options.mailbox.id, (change) => {
      if (change.kind === 'mailboxRemoved') this.#isRemoved = true;
      else if (change.kind !== 'mailbox' || change.modSeq <= this.#view.modSeq) return;
      this.#isStale = true;
      this.#onNews?.();
    });
  }

  get id(): MailboxId {
    return this.mailbox.id;
  }

  /** The client's numbering. */
  get view(): MailboxView {
    return this.#view;
  }

  /** The keywords that the client has been told of. */
  get keywords(): KeywordList {
    return this.#keywords;
  }

  /** The counters at the time of opening. */
  get status(): MailboxStatus {
    if (this.#status === undefined) throw new MailError('internal', 'a selection is used before it is open');
    return this.#status;
  }

  /** The number of the first message without \Seen at the time of opening. */
  get firstUnseen(): number | undefined {
    return this.#firstUnseen;
  }

  /** Whether the mailbox has been deleted. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** Reads the mailbox. Called once, by openSelection. */
  async open(): Promise<void> {
    const status = this.isReadOnly
      ? await this.#mailboxes.status(this.id)
      : await this.#recentClaims.claimAll(this.id);
    const uids: Uid[] = [];
    const recent: Uid[] = [];
    // Entries behind UIDNEXT came after these counters: they are the next pull's, with an EXISTS of their own.
    for await (const entries of this.#mailboxes.flags(this.id, { first: 1, last: status.uidNext - 1 })) {
      for (const { uid, flags } of entries) {
        uids.push(uid);
        if (uid >= status.firstRecentUid) recent.push(uid);
        if ((flags.system & FLAG.seen) === 0) this.#firstUnseen ??= uids.length;
      }
      await this.#pacer.breathe();
    }
    this.#status = status;
    this.#view = new MailboxView(uids, recent, status.highestModSeq, status.uidNext);
    this.#keywords = new KeywordList(status.keywords, this.#mailboxes.keywordLimit);
  }

  /** Marks the view as stale, because the session itself has written. */
  touch(): void {
    this.#isStale = true;
  }

  /** Brings what changed in the store into the view, if anything did; `isForced` asks the store in any case. */
  async pull(isForced = false): Promise<void> {
    if ((!this.#isStale && !isForced) || this.#isRemoved) return;
    this.#isStale = false;
    try {
      const changes = await this.#mailboxes.changes(this.id, this.#view.modSeq);
      const arrived = changes.isComplete ? await this.#apply(changes) : await this.#applyWhole(changes);
      if (arrived.length > 0) this.#claimRecent(arrived);
    } catch (error) {
      this.#isStale = true;
      if (!(error instanceof MailError) || error.code !== 'mailboxMissing') throw error;
      this.#isRemoved = true;
    }
  }

  /** Resolves when it is known which of the messages pulled so far are \Recent here; rejects where the store cannot tell. */
  recentKnown(): Promise<void> {
    return this.#recentClaim;
  }

  /** Moves the view on; see MailboxView.tell. Lets go of contents once their expunge has been told. */
  tell(options: TellOptions): ViewUpdate[] {
    const updates = this.#view.tell(options);
    if (options.mayExpunge) this.#hold.renew();
    return updates;
  }

  /** Calls `listener` at each sign of news from now on, until another takes its place: one listener at a time. */
  onNews(listener: (() => void) | undefined): void {
    this.#onNews = listener;
  }

  /** Lets the mailbox go. May be called more than once. */
  close(): void {
    this.#unsubscribe();
    this.#hold.release();
  }

  /** Applies changes, of which there may be thousands, in slices; the last one reaches up to the store's mod-sequence. */
  async #apply({ changed, expunged, highestModSeq, isComplete }: MailboxChanges): Promise<readonly Uid[]> {
    const arrived: Uid[] = [];
    const slices = Math.ceil(Math.max(changed.length, expunged.length) / APPLIED_SLICE);
    for (let slice = 0; slice < slices - 1; slice += 1) {
      const [from, to] = [slice * APPLIED_SLICE, (slice + 1) * APPLIED_SLICE];
      const part = { changed: changed.slice(from, to), expunged: expunged.slice(from, to) };
      const { modSeq } = this.#view;
      for (const uid of this.#view.apply({ ...part, highestModSeq: modSeq as ModSeq, isComplete }))
        arrived.push(uid);
      await this.#pacer.breathe();
    }
    const from = Math.max(0, slices - 1) * APPLIED_SLICE;
    const rest = { changed: changed.slice(from), expunged: expunged.slice(from) };
    for (const uid of this.#view.apply({ ...rest, highestModSeq, isComplete })) arrived.push(uid);
    return arrived;
  }

  /** The store has forgotten expunges that old: reads the mailbox whole. */
  async #applyWhole(changes: MailboxChanges): Promise<readonly Uid[]> {
    const present: EntryFlags[] = [];
    const all = { first: 1, last: UID_MAX };
    for await (const entries of this.#mailboxes.flags(this.id, all)) present.push(...entries);
    return this.#view.applyWhole(present, changes.highestModSeq);
  }

  /** Finds out which new messages are \Recent here; what could be told without waiting for that is. */
  #claimRecent(arrived: readonly Uid[]): void {
    const before = this.#recentClaim.catch(() => {});
    this.#recentClaim = before.then(async () => {
      this.#view.markRecent(await this.#recentAmong(arrived));
      this.#onNews?.();
    });
    // IDLE does not wait for it: a failure is whoever's that asks recentKnown(), and nobody's if nobody does.
    this.#recentClaim.catch(() => {});
  }

  async #recentAmong(arrived: readonly Uid[]): Promise<readonly Uid[]> {
    const firstRecentUid = this.isReadOnly
      ? (await this.#mailboxes.status(this.id)).firstRecentUid
      : await this.#recentClaims.claimNew(this.id, arrived.at(-1) ?? 0);
    return arrived.filter((uid) => uid >= firstRecentUid);
  }
}

const UID_MAX = 0xffff_ffff;
/** Changes applied to the view in one step, about a millisecond. */
const APPLIED_SLICE = 2000;

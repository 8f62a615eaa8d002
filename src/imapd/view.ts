/**
 * The sequence-number view: what one session has been told about its selected mailbox (RFC 3501 sections 2.3.1.2, 5.2, 7.4.1).
 *
 * Pure: the store's changes are applied to it, and `tell` answers which untagged responses they call for. Number n is the
 * n-th UID that the client knows; nothing moves until the client is told. Expunges wait while FETCH, STORE or SEARCH
 * runs, new messages get their number only with EXISTS, and a flag change that the client has seen or made itself is not
 * repeated. UIDs only grow, so what is new always stands behind what is known.
 */

import type { ModSeq, Uid } from '../base/ids.ts';
import type { EntryFlags, Flags, MailboxChanges, UidRange } from '../store/contract/mailboxes.ts';

/** One untagged response that a change calls for, in the order in which it must be sent. */
export type ViewUpdate =
  | { readonly kind: 'expunge'; readonly number: number; readonly uid: Uid }
  | { readonly kind: 'exists'; readonly count: number }
  | { readonly kind: 'recent'; readonly count: number }
  | {
      readonly kind: 'flags';
      readonly number: number;
      readonly uid: Uid;
      readonly flags: Flags;
      readonly modSeq: ModSeq;
    };

/** Messages `first` to `last` by number, both included and both known to the client. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** What `tell` may say at this moment. */
export interface TellOptions {
  /** False while FETCH, STORE or SEARCH runs (RFC 3501 section 7.4.1). */
  readonly mayExpunge: boolean;
}

/** UIDs looked at in one go, well below a millisecond. */
const SLICE_UIDS = 1000;

/** One session's numbering of one mailbox. Lives as long as the mailbox stays selected. */
export class MailboxView {
  #uids: Uid[];
  #modSeq: number;
  #toldModSeq: number;
  #uidNext: number;
  #toldRecentCount: number;
  /** Index behind the message whose number was asked for last. */
  #asked = 0;
  readonly #recent: Set<Uid>;
  readonly #arrived: Uid[] = [];
  readonly #expunged = new Set<Uid>();
  readonly #flagChanges = new Map<Uid, EntryFlags>();
  /** Mod-sequences whose flags the client has, until the store's changes have passed them. */
  readonly #known = new Map<Uid, ModSeq>();
  /** The search result variable. Between the ends of a range the client knows no UID that is not in it. */
  #saved: readonly UidRange[] = [];

  /**
   * `uids` in order are what SELECT tells; `recent` are those among them that are \Recent here; `modSeq` is one up to which
   * the store's changes are in `uids` (later ones may be too: applying them again does nothing). UIDs below `uidNext` that
   * are not in `uids` are gone.
   */
  constructor(
    uids: readonly Uid[],
    recent: Iterable<Uid>,
    modSeq: number,
    uidNext: number = (uids.at(-1) ?? 0) + 1,
  ) {
    this.#uids = [...uids];
    this.#recent = new Set(recent);
    this.#toldRecentCount = this.#recent.size;
    this.#modSeq = modSeq;
    this.#toldModSeq = modSeq;
    this.#uidNext = uidNext;
  }

  /** Messages that the client knows of. */
  get count(): number {
    return this.#uids.length;
  }

  /** \Recent messages among them. */
  get recentCount(): number {
    return this.#toldRecentCount;
  }

  /** The mod-sequence up to which changes have been applied; the next pull starts here. */
  get modSeq(): number {
    return this.#modSeq;
  }

  /** The mod-sequence up to which the client has been told everything: lower than `modSeq` while an expunge waits. */
  get toldModSeq(): number {
    return this.#toldModSeq;
  }

  /** The highest UID that the client knows; 0 in an empty mailbox. */
  get lastUid(): number {
    return this.#uids.at(-1) ?? 0;
  }

  /** The UID of message `number`; undefined when the client knows no such number. */
  uidOf(number: number): Uid | undefined {
    return this.#uids[number - 1];
  }

  /** The number of the message with this UID; undefined when the client does not know it. */
  numberOf(uid: number): number | undefined {
    // Most ask for one message after another.
    const index = this.#uids[this.#asked] === uid ? this.#asked : this.#indexFrom(uid);
    if (this.#uids[index] !== uid) return undefined;
    this.#asked = index + 1;
    return index + 1;
  }

  /** Whether the message is \Recent in this session. */
  isRecent(uid: Uid): boolean {
    return this.#recent.has(uid);
  }

  /**
   * What the last SEARCH with SAVE found and has not been expunged since (RFC 5182 section 2.1): ascending, disjoint.
   * It needs less memory than the numbering itself: two messages make a range at most.
   */
  get savedMessages(): readonly Span[] {
    return this.#saved.flatMap(({ first, last }) => this.spanOfUids(first, last) ?? []);
  }

  /** Sets the search result variable: messages by number, ascending. */
  saveMessages(numbers: Iterable<number>): void {
    const spans: { first: number; last: number }[] = [];
    for (const number of numbers) {
      const previous = spans.at(-1);
      if (previous !== undefined && number === previous.last + 1) previous.last = number;
      else spans.push({ first: number, last: number });
    }
    this.#saved = spans.map((span) => this.uidRange(span));
  }

  /** Takes over what the store says has changed since `modSeq`; answers the UIDs that are new. */
  apply(changes: MailboxChanges): readonly Uid[] {
    const arrived: Uid[] = [];
    for (const entry of changes.changed) {
      if (entry.uid > this.#lastArrived()) {
        this.#arrived.push(entry.uid);
        arrived.push(entry.uid);
      } else if (this.numberOf(entry.uid) !== undefined && (this.#known.get(entry.uid) ?? 0) < entry.modSeq) {
        this.#flagChanges.set(entry.uid, entry);
      }
    }
    this.#uidNext = Math.max(this.#uidNext, this.#lastArrived() + 1);
    this.#expunge(new Set(changes.expunged));
    this.#advance(changes.highestModSeq);
    return arrived;
  }

  /**
   * Does what `apply` does when the store no longer remembers every expunge: `present` are all entries as they are now,
   * `highestModSeq` one from before they were read.
   */
  applyWhole(present: readonly EntryFlags[], highestModSeq: ModSeq): readonly Uid[] {
    const uids = new Set(present.map((entry) => entry.uid));
    const expunged = [...this.#uids, ...this.#arrived].filter((uid) => !uids.has(uid));
    const changed = present.filter((entry) => entry.modSeq > this.#modSeq);
    return this.apply({ changed, expunged, highestModSeq, isComplete: true });
  }

  /** Marks messages, told or not, as \Recent in this session. */
  markRecent(uids: Iterable<Uid>): void {
    for (const uid of uids) this.#recent.add(uid);
  }

  /** The client has been sent the flags of `entry` by the command that runs. */
  noteTold(entry: EntryFlags): void {
    const pending = this.#flagChanges.get(entry.uid);
    if (pending !== undefined && pending.modSeq <= entry.modSeq) this.#flagChanges.delete(entry.uid);
    this.#note(entry);
  }

  /**
   * The client made this change itself and asked not to be told; changes by others that wait are told with it. Answers
   * whether that is so.
   */
  noteOwn(entry: EntryFlags): boolean {
    const isWaiting = this.#flagChanges.has(entry.uid);
    if (isWaiting) this.#flagChanges.set(entry.uid, entry);
    this.#note(entry);
    return isWaiting;
  }

  /** Moves the numbering on and answers what the client must now be sent, all of it and in this order. */
  tell({ mayExpunge }: TellOptions): ViewUpdate[] {
    const updates: ViewUpdate[] = mayExpunge ? this.#tellExpunged() : [];
    if (this.#arrived.length > 0) {
      for (const uid of this.#arrived.splice(0)) this.#uids.push(uid);
      updates.push({ kind: 'exists', count: this.#uids.length });
    }
    const recentCount = this.#recent.size;
    if (recentCount !== this.#toldRecentCount) {
      this.#toldRecentCount = recentCount;
      updates.push({ kind: 'recent', count: recentCount });
    }
    for (const { uid, flags, modSeq } of this.#flagChanges.values()) {
      const number = this.numberOf(uid);
      if (number !== undefined) updates.push({ kind: 'flags', number, uid, flags, modSeq });
    }
    this.#flagChanges.clear();
    if (this.#expunged.size === 0) this.#toldModSeq = this.#modSeq;
    return updates;
  }

  /** The known messages with UIDs `first` to `last`, as at most one span. */
  spanOfUids(first: number, last: number): Span | undefined {
    const from = this.#indexFrom(first);
    const to = this.#indexFrom(last + 1);
    return from < to ? { first: from + 1, last: to } : undefined;
  }

  /** The UIDs of a span, as one range: nothing that the client does not know lies between. */
  uidRange(span: Span): UidRange {
    return { first: this.uidOf(span.first) ?? 0, last: this.uidOf(span.last) ?? 0 };
  }

  /**
   * Those UIDs within `ranges`, which are in order, that were given to messages and are gone; in slices, so that the caller can
   * breathe between them.
   */
  *goneWithin(ranges: readonly UidRange[]): Generator<readonly UidRange[], void> {
    for (const range of ranges) {
      const last = Math.min(range.last, this.#uidNext - 1);
      let { first } = range;
      for (let index = this.#indexFrom(first); first <= last; index += SLICE_UIDS) {
        const gone: UidRange[] = [];
        for (const uid of this.#slice(index)) {
          const end = Math.min(uid - 1, last);
          if (first <= end) gone.push({ first, last: end });
          first = Math.max(first, uid + 1);
        }
        yield gone;
      }
    }
  }

  /** UIDs that are there from an index of known ones on, those not told yet behind them, and at the end one above all. */
  #slice(index: number): readonly number[] {
    const slice: readonly number[] = this.#uids.slice(index, index + SLICE_UIDS);
    return slice.length === SLICE_UIDS ? slice : [...slice, ...this.#arrived, Number.POSITIVE_INFINITY];
  }

  #lastArrived(): number {
    return this.#arrived.at(-1) ?? this.lastUid;
  }

  #expunge(expunged: ReadonlySet<Uid>): void {
    if (expunged.size === 0) return;
    for (const uid of expunged) {
      this.#flagChanges.delete(uid);
      if (this.numberOf(uid) === undefined) this.#recent.delete(uid);
      else this.#expunged.add(uid);
    }
    const kept = this.#arrived.filter((uid) => !expunged.has(uid));
    this.#arrived.splice(0, this.#arrived.length, ...kept);
  }

  #advance(modSeq: ModSeq): void {
    // All that is known lies above: most slices of a large change have nothing to pass.
    if (modSeq <= this.#modSeq) return;
    this.#modSeq = modSeq;
    for (const [uid, known] of this.#known) if (known <= this.#modSeq) this.#known.delete(uid);
  }

  #note(entry: EntryFlags): void {
    if (entry.modSeq > this.#modSeq) this.#known.set(entry.uid, entry.modSeq);
  }

  #tellExpunged(): ViewUpdate[] {
    const updates: ViewUpdate[] = [];
    if (this.#expunged.size === 0) return updates;
    const kept: Uid[] = [];
    for (const uid of this.#uids) {
      if (!this.#expunged.has(uid)) {
        kept.push(uid);
        continue;
      }
      updates.push({ kind: 'expunge', number: kept.length + 1, uid });
      this.#recent.delete(uid);
    }
    this.#uids = kept;
    this.#expunged.clear();
    return updates;
  }

  /** Index of the first known UID that is at least `uid` (binary search). */
  #indexFrom(uid: number): number {
    let low = 0;
    let high = this.#uids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#uids[middle] ?? 0) < uid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

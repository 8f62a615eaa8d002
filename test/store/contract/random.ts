/**
 * Hundreds of random changes of two mailboxes, held against a model in memory: entries, counters and what changed since.
 * The seed is printed with a failure; the same seed makes the same changes.
 */

import type { MailboxId } from '../../../src/base/ids.ts';
import { FLAG, type Flags, type UidRange } from '../../../src/store/contract/mailboxes.ts';
import type { Store } from '../../../src/store/contract/store.ts';
import { AT, addTenant, draftOf, entriesOf, type ContractTests } from './house.ts';

const SEED = 20_260_115;
const STEPS = 400;
const KEYWORDS = ['$Label', 'Work', 'later', '$Forwarded'];

interface ModelEntry {
  uid: number;
  octets: number;
  system: number;
  keywords: Set<string>;
}

/** A mailbox as it ought to be. */
class Model {
  entries: ModelEntry[] = [];
  uidNext = 1;

  add(octets: number, flags: Flags): void {
    this.entries.push({
      uid: this.uidNext,
      octets,
      system: flags.system,
      keywords: new Set(flags.keywords),
    });
    this.uidNext += 1;
  }

  within(range: UidRange): readonly ModelEntry[] {
    return this.entries.filter(({ uid }) => uid >= range.first && uid <= range.last);
  }

  drop(dropped: readonly ModelEntry[]): void {
    this.entries = this.entries.filter((entry) => !dropped.includes(entry));
  }
}

/** What a client would have by asking for changes only. */
class Follower {
  readonly known = new Map<number, Flags>();
  modSeq = 0;
}

/** The random suite. */
export const RANDOM_TESTS: ContractTests = {
  [`${STEPS} random changes keep entries, counters and the log of changes right`]: async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const { id: other } = await store.mailboxes.create(accountId, ['other']);
    const ids = [inbox, other] as const;
    const models = [new Model(), new Model()] as const;
    const followers = [new Follower(), new Follower()] as const;
    const random = randomOf(SEED);
    for (let step = 0; step < STEPS; step += 1) {
      const which = random(2) as 0 | 1;
      const text = await change(store, ids, models, which, random);
      for (const index of [0, 1] as const) {
        const isRight = await agrees(store, ids[index], models[index]);
        const follows = step % 7 !== 0 || (await follow(store, ids[index], models[index], followers[index]));
        if (isRight && follows) continue;
        t.fail(`mailbox ${index} is wrong after step ${step} (${text}), seed ${SEED}`);
        return;
      }
    }
    t.pass();
  },
};

async function change(
  store: Store,
  ids: readonly [MailboxId, MailboxId],
  models: readonly [Model, Model],
  which: 0 | 1,
  random: (below: number) => number,
): Promise<string> {
  const { mailboxes } = store;
  const id = ids[which];
  const model = models[which];
  const range = randomRange(model, random);
  const flags = randomFlags(random);
  switch (random(7)) {
    case 0:
    case 1: {
      const octets = random(500);
      const draft = await draftOf(store, Buffer.alloc(octets, 'x\r\n'));
      await mailboxes.append(id, [{ draft, flags, internalDate: { at: AT, zoneMinutes: 0 } }]);
      model.add(octets, flags);
      return 'append';
    }
    case 2: {
      const operation = (['add', 'remove', 'replace'] as const)[random(3)] ?? 'add';
      await mailboxes.setFlags(id, [range], operation, flags);
      for (const entry of model.within(range)) applyFlags(entry, operation, flags);
      return operation;
    }
    case 3: {
      const isOnlyDeleted = random(2) === 0;
      await mailboxes.expunge(id, [range], isOnlyDeleted);
      const doomed = model.within(range);
      model.drop(isOnlyDeleted ? doomed.filter(({ system }) => (system & FLAG.deleted) !== 0) : doomed);
      return 'expunge';
    }
    case 4:
    case 5: {
      const to = random(2) as 0 | 1;
      const source = model.within(range);
      await mailboxes.copy(id, [range], ids[to]);
      for (const { octets, system, keywords } of source)
        models[to].add(octets, { system, keywords: [...keywords] });
      return 'copy';
    }
    default: {
      const to = random(2) as 0 | 1;
      const source = model.within(range);
      await mailboxes.move(id, [range], ids[to]);
      model.drop(source);
      for (const { octets, system, keywords } of source)
        models[to].add(octets, { system, keywords: [...keywords] });
      return 'move';
    }
  }
}

async function agrees(store: Store, id: MailboxId, model: Model): Promise<boolean> {
  const status = await store.mailboxes.status(id);
  const octets = model.entries.reduce((sum, entry) => sum + entry.octets, 0);
  const count = (bit: number, value: number) =>
    model.entries.filter(({ system }) => (system & bit) === value).length;
  const entries = await entriesOf(store, id);
  const text = (uid: number, system: number, keywords: Iterable<string>, size: number) =>
    `${uid} ${system} ${[...keywords].sort()} ${size}`;
  return (
    status.messages === model.entries.length &&
    status.octets === octets &&
    status.pop3Octets === entries.reduce((sum, entry) => sum + entry.pop3Octets, 0) &&
    status.unseen === count(FLAG.seen, 0) &&
    status.deleted === count(FLAG.deleted, FLAG.deleted) &&
    status.uidNext === model.uidNext &&
    entries.map((entry) => text(entry.uid, entry.flags.system, entry.flags.keywords, entry.octets)).join() ===
      model.entries.map((entry) => text(entry.uid, entry.system, entry.keywords, entry.octets)).join()
  );
}

/** Takes what changed since the last time, and answers whether that was enough to know the mailbox. */
async function follow(store: Store, id: MailboxId, model: Model, follower: Follower): Promise<boolean> {
  const changes = await store.mailboxes.changes(id, follower.modSeq);
  for (const uid of changes.expunged) follower.known.delete(uid);
  for (const { uid, flags } of changes.changed) follower.known.set(uid, flags);
  follower.modSeq = changes.highestModSeq;
  const known = [...follower.known].map(
    ([uid, { system, keywords }]) => `${uid} ${system} ${[...keywords].sort()}`,
  );
  const expected = model.entries.map(
    ({ uid, system, keywords }) => `${uid} ${system} ${[...keywords].sort()}`,
  );
  return changes.isComplete && known.sort().join() === expected.sort().join();
}

function applyFlags(entry: ModelEntry, operation: 'add' | 'remove' | 'replace', flags: Flags): void {
  if (operation === 'replace') {
    entry.system = 0;
    entry.keywords = new Set();
  }
  if (operation === 'remove') {
    entry.system &= ~flags.system;
    for (const keyword of flags.keywords) entry.keywords.delete(keyword);
  } else {
    entry.system |= flags.system;
    for (const keyword of flags.keywords) entry.keywords.add(keyword);
  }
}

function randomRange(model: Model, random: (below: number) => number): UidRange {
  const first = 1 + random(model.uidNext + 1);
  return random(6) === 0 ? { first, last: 4_294_967_295 } : { first, last: first + random(8) };
}

function randomFlags(random: (below: number) => number): Flags {
  return { system: random(32), keywords: KEYWORDS.filter(() => random(3) === 0) };
}

/** A linear congruential generator (Numerical Recipes' constants): whole numbers below a bound, the same for one seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

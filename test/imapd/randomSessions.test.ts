/**
 * Several sessions on one mailbox do random things, and others do so behind the server's back; each session knows only what it
 * is told. After each step all are flushed, and what each knows equals a model that is nothing but a list of messages.
 * Sessions with QRESYNC also lose their connection at any moment and come back with what they remember. Then the same with all
 * at once, where the store tells what came of it and the order is another each time.
 *
 * RANDOM_SEED and RANDOM_STEPS change the run.
 */

import t from 'tap';

import type { MailboxId } from '../../src/base/ids.ts';
import { FLAG } from '../../src/store/contract/mailboxes.ts';
import type { Entry, FlagOperation, Flags } from '../../src/store/contract/mailboxes.ts';
import { openImapSite } from './harness.ts';
import type { ImapSite } from './harness.ts';
import { MirrorClient } from './mirrorClient.ts';
import type { MirrorKind } from './mirrorClient.ts';

const SEED = Number(process.env.RANDOM_SEED ?? 7162);
const STEPS = Number(process.env.RANDOM_STEPS ?? 100);

const KINDS: readonly MirrorKind[] = ['plain', 'condstore', 'qresync', 'qresync'];
const FLAGS = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft', 'red', '$Label1'];
const BITS: Readonly<Record<string, number>> = {
  '\\Seen': FLAG.seen,
  '\\Answered': FLAG.answered,
  '\\Flagged': FLAG.flagged,
  '\\Deleted': FLAG.deleted,
  '\\Draft': FLAG.draft,
};
t.setTimeout(300_000 + STEPS * 300);

/** Enough for gaps and runs, few enough that everything happens to every message. */
const MESSAGE_LIMIT = 25;

/** Numbers below `choices`, the same for the same seed (mulberry32). */
function randomOf(seed: number): (choices: number) => number {
  let state = seed >>> 0;
  return (choices) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % choices;
  };
}

interface ModelMessage {
  readonly uid: number;
  flags: readonly string[];
}

/** What INBOX holds. */
class Model {
  messages: ModelMessage[] = [];
  #uidNext = 1;

  add(flags: readonly string[]): void {
    this.messages.push({ uid: this.#uidNext, flags: [...flags].sort() });
    this.#uidNext += 1;
  }

  change(uids: readonly number[], operation: FlagOperation, flags: readonly string[]): void {
    for (const message of this.messages) {
      if (uids.includes(message.uid)) message.flags = changed(message.flags, operation, flags);
    }
  }

  remove(isGone: (message: ModelMessage) => boolean): void {
    this.messages = this.messages.filter((message) => !isGone(message));
  }

  has(uid: number): boolean {
    return this.messages.some((message) => message.uid === uid);
  }

  copy(uids: readonly number[]): void {
    for (const { flags } of this.messages.filter(({ uid }) => uids.includes(uid))) this.add(flags);
  }
}

function changed(
  before: readonly string[],
  operation: FlagOperation,
  flags: readonly string[],
): readonly string[] {
  if (operation === 'remove') return before.filter((flag) => !flags.includes(flag));
  return [...new Set([...(operation === 'add' ? before : []), ...flags])].sort();
}

/** The sessions, the mailbox behind them, and the model. */
class World {
  readonly model = new Model();
  readonly log: string[] = [];
  readonly pick: (choices: number) => number;
  readonly #site: ImapSite;
  readonly #inbox: MailboxId;
  readonly #clients: MirrorClient[] = [];

  constructor(site: ImapSite, inbox: MailboxId, seed: number) {
    this.#site = site;
    this.#inbox = inbox;
    this.pick = randomOf(seed);
  }

  async openAll(): Promise<void> {
    for (const kind of KINDS) this.#clients.push(await this.#open(kind));
  }

  /** Some operations by some sessions, each knowing what it knows. */
  async step(): Promise<void> {
    for (let count = 2 + this.pick(9); count > 0; count -= 1) {
      const index = this.pick(KINDS.length);
      const client = this.#clients[index] as MirrorClient;
      const operations = [
        () => this.#append(client),
        () => this.#store(client),
        () => this.#store(client),
        () => this.#expunge(client),
        () => this.#copyOrMove(client),
        () => this.#fetch(client),
        () => this.#behind(),
        () => this.#flush(client),
        () => this.#reconnect(index),
        () => this.#together(),
      ];
      await operations[this.pick(operations.length)]?.();
    }
  }

  /** Everybody does something at the same moment; what comes of it only the store knows. */
  async storm(): Promise<void> {
    const storms = this.#clients.map(async (client, index) => {
      for (let count = 1 + this.pick(4); count > 0; count -= 1) await this.#anything(client);
      if (client.kind === 'qresync' && this.pick(4) === 0) await this.#comeBack(index);
    });
    await Promise.all([...storms, this.#behind(), this.#behind()]);
    const entries = [...(await this.#entries()).values()];
    this.model.messages = entries.map(({ uid, flags }) => ({ uid, flags: namesOf(flags) }));
  }

  /** Every session has been told everything: what it knows is what there is. */
  async compare(): Promise<void> {
    const expected = JSON.stringify(this.model.messages);
    for (const client of this.#clients) {
      await this.#flush(client);
      const known = JSON.stringify(client.messages.map(({ uid, flags }) => ({ uid, flags })));
      if (known !== expected) throw new Error(`${client.kind} knows ${known}, there is ${expected}`);
    }
  }

  async #open(kind: MirrorKind, memory?: Parameters<MirrorClient['open']>[0]): Promise<MirrorClient> {
    const client = new MirrorClient(await this.#site.selected(''), kind);
    await client.open(memory, this.pick);
    return client;
  }

  async #run(client: MirrorClient, command: string, mayExpunge: boolean): Promise<readonly string[]> {
    this.log.push(`${this.#clients.indexOf(client)} ${client.kind}: ${command}`);
    return client.run(command, mayExpunge);
  }

  #someFlags(): readonly string[] {
    return FLAGS.filter(() => this.pick(4) === 0);
  }

  /** Some messages that the client knows: a set by number or UID, and which they are. */
  #someOf(
    client: MirrorClient,
  ): { indexes: number[]; set: string; uids: number[]; prefix: string } | undefined {
    const known = client.messages.flatMap(({ uid }, index) => (uid === 0 ? [] : [index]));
    const indexes = known.filter(() => this.pick(3) === 0);
    if (indexes.length === 0) return undefined;
    const uids = indexes.map((index) => client.messages[index]?.uid ?? 0);
    const isUid = this.pick(2) === 0;
    const set = (isUid ? uids : indexes.map((index) => index + 1)).join();
    return { indexes, set, uids, prefix: isUid ? 'UID ' : '' };
  }

  async #append(client: MirrorClient): Promise<void> {
    if (this.model.messages.length >= MESSAGE_LIMIT) return;
    const flags = this.#someFlags();
    this.model.add(flags);
    await this.#run(client, `APPEND INBOX (${flags.join(' ')}) {3+}\r\nx\r\n`, true);
  }

  async #store(client: MirrorClient): Promise<void> {
    const some = this.#someOf(client);
    if (some === undefined) return;
    const flags = this.#someFlags();
    const operation = (['add', 'remove', 'replace'] as const)[this.pick(3)] ?? 'add';
    const silent = this.pick(2) === 0 ? '.SILENT' : '';
    const since = client.kind !== 'plain' && this.pick(2) === 0 ? this.#someModSeq(client) : undefined;
    const entries = await this.#entries();
    const isLeft = (uid: number) => since !== undefined && (entries.get(uid)?.modSeq ?? 0) > since;
    const passed = some.uids.filter((uid) => !isLeft(uid));
    this.model.change(passed, operation, flags);
    if (silent !== '') {
      const indexes = some.indexes.filter((index) => passed.includes(client.messages[index]?.uid ?? 0));
      client.assume(indexes, (before) => changed(before, operation, flags));
    }
    const modifier = since === undefined ? '' : ` (UNCHANGEDSINCE ${since})`;
    const item = `${{ add: '+', remove: '-', replace: '' }[operation]}FLAGS${silent}`;
    const command = `${some.prefix}STORE ${some.set}${modifier} ${item} (${flags.join(' ')})`;
    const answer = await this.#run(client, command, some.prefix !== '');
    const left = some.uids.filter((uid) => entries.has(uid) && isLeft(uid));
    const named =
      some.prefix === ''
        ? left.map((uid) => some.indexes[some.uids.indexOf(uid)] ?? 0).map((index) => index + 1)
        : left;
    const modified = /\[MODIFIED ([\d,:]+)\]/.exec(answer.at(-1) ?? '')?.[1];
    if (spread(modified) !== named.join()) throw new Error(`MODIFIED ${modified}, expected ${named.join()}`);
  }

  #someModSeq(client: MirrorClient): number {
    return client.messages[this.pick(Math.max(1, client.messages.length))]?.modSeq ?? 1;
  }

  async #anything(client: MirrorClient): Promise<void> {
    const some = this.#someOf(client);
    const flags = this.#someFlags();
    const list = `(${flags.join(' ')})`;
    const isFull = this.model.messages.length >= MESSAGE_LIMIT;
    if (some === undefined) {
      await this.#run(client, `APPEND INBOX ${list} {3+}\r\nx\r\n`, true);
      return;
    }
    const { prefix, set, indexes } = some;
    const isUid = prefix !== '';
    const operations = [
      () => this.#run(client, `${prefix}STORE ${set} -FLAGS ${list}`, isUid),
      () => {
        client.assume(indexes, (before) => changed(before, 'add', flags));
        return this.#run(client, `${prefix}STORE ${set} +FLAGS.SILENT ${list}`, isUid);
      },
      () => this.#run(client, `${prefix}FETCH ${set} (FLAGS BODY[])`, isUid),
      () => this.#run(client, `${prefix}COPY ${set} ${isFull ? 'Trash' : 'INBOX'}`, true),
      () => this.#run(client, `${prefix}MOVE ${set} Trash`, true),
      () => this.#run(client, 'EXPUNGE', true),
      () => this.#run(client, 'NOOP', true),
    ];
    await operations[this.pick(operations.length)]?.();
  }

  async #entries(): Promise<ReadonlyMap<number, Entry>> {
    const entries = new Map<number, Entry>();
    const all = this.#site.store.mailboxes.entries(this.#inbox, { first: 1, last: 0xffff_ffff });
    for await (const slice of all) for (const entry of slice) entries.set(entry.uid, entry);
    return entries;
  }

  async #expunge(client: MirrorClient): Promise<void> {
    const some = this.pick(2) === 0 ? this.#someOf(client) : undefined;
    this.model.remove(({ uid, flags }) => flags.includes('\\Deleted') && (some?.uids.includes(uid) ?? true));
    await this.#run(client, some === undefined ? 'EXPUNGE' : `UID EXPUNGE ${some.uids.join()}`, true);
  }

  async #copyOrMove(client: MirrorClient): Promise<void> {
    const some = this.#someOf(client);
    if (some === undefined) return;
    const command = this.pick(2) === 0 ? 'COPY' : 'MOVE';
    const isSelf = this.pick(2) === 0 && this.model.messages.length < MESSAGE_LIMIT;
    if (isSelf) this.model.copy(some.uids);
    if (command === 'MOVE') this.model.remove(({ uid }) => some.uids.includes(uid));
    await this.#run(client, `${some.prefix}${command} ${some.set} ${isSelf ? 'INBOX' : 'Trash'}`, true);
  }

  async #fetch(client: MirrorClient): Promise<void> {
    const some = this.#someOf(client);
    if (some === undefined) return;
    const items = ['(FLAGS)', '(UID FLAGS)', 'BODY[]', '(BODY[TEXT] FLAGS)', 'BODY.PEEK[]'];
    if (client.kind !== 'plain') items.push('(MODSEQ)', '(FLAGS MODSEQ)', '(MODSEQ BODY[])');
    const item = items[this.pick(items.length)] ?? '';
    if (item.includes('BODY[')) this.model.change(some.uids, 'add', ['\\Seen']);
    await this.#run(client, `${some.prefix}FETCH ${some.set} ${item}`, some.prefix !== '');
    if (this.pick(3) === 0) await this.#run(client, 'SEARCH 1:* UNDELETED', false);
    if (this.pick(3) === 0) await this.#run(client, 'UID SEARCH 1:* DELETED', false);
  }

  /** What POP3, a delivery or another server does. */
  async #behind(what = this.pick(3)): Promise<void> {
    const { mailboxes } = this.#site.store;
    const uids = this.model.messages.map(({ uid }) => uid).filter(() => this.pick(4) === 0);
    const ranges = uids.map((uid) => ({ first: uid, last: uid }));
    this.log.push(`behind: ${what} ${uids.join()}`);
    if (what === 0 && this.model.messages.length < MESSAGE_LIMIT) {
      await this.#site.put(['INBOX'], 'y\r\n');
      this.model.add([]);
    } else if (what === 1) {
      this.model.remove(({ uid }) => uids.includes(uid));
      await mailboxes.expunge(this.#inbox, ranges, false);
    } else if (what === 2) {
      const flags = this.#someFlags();
      this.model.change(uids, 'add', flags);
      const system = flags.reduce((bits, flag) => bits | (BITS[flag] ?? 0), 0);
      const keywords = flags.filter((flag) => BITS[flag] === undefined);
      await mailboxes.setFlags(this.#inbox, ranges, 'add', { system, keywords });
    }
  }

  async #flush(client: MirrorClient): Promise<void> {
    const how = this.pick(3);
    if (how < 2) await this.#run(client, how === 0 ? 'NOOP' : 'CHECK', true);
    else {
      this.log.push(`${this.#clients.indexOf(client)} ${client.kind}: IDLE`);
      await client.idle();
      await this.#run(client, 'NOOP', true);
    }
  }

  /** The connection is lost, whatever waits to be told: often an expunge, with the flags of a later change told already. */
  async #reconnect(index: number): Promise<void> {
    const client = this.#clients[index] as MirrorClient;
    if (this.pick(2) === 0) {
      await this.#behind(1);
      await this.#behind(2);
      if (client.messages.length > 0) await this.#run(client, 'FETCH 1:* (FLAGS)', false);
    }
    await this.#comeBack(index);
  }

  async #comeBack(index: number): Promise<void> {
    const client = this.#clients[index] as MirrorClient;
    this.log.push(`${index} ${client.kind}: connection lost`);
    const memory = client.break();
    this.#clients[index] = await this.#open(client.kind, client.kind === 'qresync' ? memory : undefined);
  }

  /** Two sessions at the same moment, with flags that do not touch each other. */
  async #together(): Promise<void> {
    const [one, other] = [this.#clients[0], this.#clients[2]] as [MirrorClient, MirrorClient];
    if (one.messages.length === 0 || other.messages.length === 0) return;
    this.model.change(
      one.messages.map(({ uid }) => uid),
      'add',
      ['left'],
    );
    this.model.change(
      other.messages.map(({ uid }) => uid),
      'add',
      ['right'],
    );
    one.assume([...one.messages.keys()], (before) => [...before, 'left']);
    other.assume([...other.messages.keys()], (before) => [...before, 'right']);
    await Promise.all([
      this.#run(one, 'STORE 1:* +FLAGS.SILENT (left)', false),
      this.#run(other, 'STORE 1:* +FLAGS.SILENT (right)', false),
    ]);
  }
}

/** The store's flags as the model has them. */
function namesOf({ system, keywords }: Flags): readonly string[] {
  const names = Object.keys(BITS).filter((name) => (system & (BITS[name] ?? 0)) !== 0);
  return [...names, ...keywords].sort();
}

/** `1:3,7` as `1,2,3,7`. */
function spread(set = ''): string {
  const parts = set.split(',').filter((part) => part !== '');
  return parts
    .flatMap((part) => {
      const [first = 0, last = first] = part.split(':').map(Number);
      return Array.from({ length: last - first + 1 }, (_none, index) => first + index);
    })
    .join();
}

for (const { name, steps, run } of [
  {
    name: 'what each session is told equals what there is',
    steps: STEPS,
    run: (world: World) => world.step(),
  },
  {
    name: 'so it is after all did something at the same moment',
    steps: Math.ceil(STEPS / 2),
    run: (world: World) => world.storm(),
  },
]) {
  t.test(`${name}, in ${steps} steps (seed ${SEED})`, async (t) => {
    t.comment(`RANDOM_SEED=${SEED} RANDOM_STEPS=${STEPS}`);
    const site = await openImapSite(t);
    const inbox = await site.store.mailboxes.find(site.account.id, ['INBOX']);
    if (inbox === undefined) throw new Error('no INBOX');
    const world = new World(site, inbox.id, SEED);
    await world.openAll();
    for (let step = 1; step <= steps; step += 1) {
      try {
        await run(world);
        await world.compare();
      } catch (error) {
        const last = world.log.slice(-40).join('\n');
        const { message } = error as Error;
        throw new Error(`step ${step}, RANDOM_SEED=${SEED}: ${message}\n${last}`, { cause: error });
      }
    }
    t.pass(`${steps} steps`);
  });
}

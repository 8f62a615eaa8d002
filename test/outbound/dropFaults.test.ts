/**
 * What a file system does to a drop directory: each of its errors by a share that fails (FUSE) or a disk that is full, read-only or gone,
 * never by a mock of ours. Whatever happens, nothing has a name that readers take but whole files, nothing is left beside them, no message
 * fails, and the next attempt makes exactly one file.
 */

import { mkdirSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

import t, { type Test } from 'tap';

import type { TraceId } from '../../src/base/ids.ts';
import { LOOK_DEADLINE_MS, STALL_DEADLINE_MS, STALL_LOOK_MS } from '../../src/outbound/drop/limits.ts';
import { createDropLook } from '../../src/outbound/drop/lookAtDrop.ts';
import type { Relay, RelayedMessage } from '../../src/transfer/relay.ts';
import { createTestClock } from '../support/clock.ts';
import { createNetworkMount, networkMountSkip, type ShareFault } from '../support/networkMount.ts';
import { mountSmallDisk, smallDiskSkip } from '../support/smallDisk.ts';
import { dropOptions, makeDropDirectory, openDrop, readDrop } from './dropSite.ts';
import { messageOf } from './relayedMessages.ts';
import { inShort, NEVER } from './smtpHop.ts';

t.setTimeout(180_000);

const TEXT = 'Received: by a\r\nSubject: a\r\n\r\nbody\r\n';
const LARGE = Buffer.concat([Buffer.from(TEXT), Buffer.alloc(1_000_000, 'x')]);

let traces = 0;

/** A message of its own, which yields a little at a time. */
function freshMessage(octets: string | Buffer = TEXT): RelayedMessage {
  traces += 1;
  const traceId = String(traces).padStart(20, '0') as TraceId;
  return messageOf(octets, ['a@example.org'], { traceId, pieceOctets: 100_000 });
}

/** A message during whose reading something happens, behind its first piece. */
function interrupted(octets: Buffer, happen: () => void): RelayedMessage {
  const message = freshMessage(octets);
  return {
    ...message,
    open: async function* () {
      let pieces = 0;
      for await (const piece of message.open()) {
        pieces += 1;
        if (pieces === 2) happen();
        yield piece;
      }
    },
  };
}

/** Tries again, and holds that exactly one whole file is there now; takes it. */
async function goesOn(t: Test, relay: Relay, message: RelayedMessage, directory: string, what: string) {
  t.equal(inShort(await relay.relay(message, NEVER)), 'relayed', `${what}, then`);
  t.equal(readdirSync(directory).length, 1, `${what}: one file, and nothing beside it`);
  const [file] = readDrop(directory);
  t.equal(file?.message.length, message.octets, what);
  if (file !== undefined) unlinkSync(join(directory, file.name));
}

type Row = readonly [Omit<ShareFault, 'times' | 'path'> & { readonly path?: string }, reason: RegExp];

const UNFINISHED = '\\.part$';
/** Where one call fails, nothing is there afterwards. */
const ERRORS: readonly Row[] = [
  [{ operation: 'readdir', error: 'EIO', path: '^/$' }, /cannot be relied on.*\(EIO\)/],
  [{ operation: 'create', error: 'EACCES' }, /no right to \(EACCES\)/],
  [{ operation: 'create', error: 'EROFS' }, /read-only for the service \(EROFS\)/],
  [{ operation: 'create', error: 'ENOSPC' }, /is full \(ENOSPC\)/],
  [{ operation: 'create', error: 'EDQUOT' }, /quota .*\(EDQUOT\)/],
  [{ operation: 'create', error: 'EMFILE' }, /too many files are open \(EMFILE\)/],
  [{ operation: 'create', error: 'ESTALE' }, /is away \(ESTALE\)/],
  [{ operation: 'create', error: 'EBUSY' }, /cannot be written to \(EBUSY\)/],
  [{ operation: 'write', error: 'ENOSPC' }, /is full \(ENOSPC\)/],
  [{ operation: 'write', error: 'EIO' }, /\(EIO\)/],
  [{ operation: 'fsync', error: 'EIO' }, /\(EIO\)/],
  [{ operation: 'fsync', error: 'ENOSPC' }, /\(ENOSPC\)/],
  [{ operation: 'rename', error: 'EACCES' }, /\(EACCES\)/],
  [{ operation: 'rename', error: 'ENOTCONN' }, /is away \(ENOTCONN\)/],
];
/** Here the file is there, and nobody knows: the next attempt finds it. */
const LOST_ANSWERS: readonly Row[] = [
  [{ operation: 'rename', error: 'EIO', isDone: true }, /\(EIO\)/],
  [{ operation: 'fsyncdir', error: 'EIO', path: '^/$' }, /\(EIO\)/],
];

t.test(
  'each error of a share is told in words, and the next attempt goes on',
  { skip: networkMountSkip },
  async (t) => {
    const { directory, backing, setRules } = await createNetworkMount(t);
    const relay = openDrop(t, dropOptions(directory, { fileLimit: 1000 }), createTestClock());
    const fail = async ([fault, reason]: Row, message: RelayedMessage) => {
      // The kernel itself tries again what is stale.
      setRules({ faults: [{ path: UNFINISHED, ...fault, times: fault.error === 'ESTALE' ? 9 : 1 }] });
      const { outcomes, trouble } = await relay.relay(message, NEVER);
      const what = `${fault.operation} ${fault.error}`;
      t.match([outcomes, trouble], [[{ kind: 'untried' }], { kind: 'unreachable', reason }], what);
      t.match(trouble && 'advice' in trouble && trouble.advice, /\w{2,} \w/, what);
      return what;
    };
    for (const row of ERRORS) {
      const message = freshMessage(LARGE);
      const what = await fail(row, message);
      t.same(readDrop(backing), [], `${what}: nothing that a reader would take`);
      setRules({});
      await goesOn(t, relay, message, backing, what);
    }
    for (const row of LOST_ANSWERS) {
      const message = freshMessage(LARGE);
      const what = await fail(row, message);
      t.equal(readDrop(backing)[0]?.message.length, LARGE.length, `${what}: whole, or not there`);
      setRules({});
      await goesOn(t, relay, message, backing, what);
    }
  },
);

t.test('what a share has not is done without', { skip: networkMountSkip }, async (t) => {
  const { directory, backing, setRules } = await createNetworkMount(t);
  const relay = openDrop(t, dropOptions(directory));
  for (const error of ['EINVAL', 'ENOSYS', 'EOPNOTSUPP']) {
    setRules({ faults: [{ operation: 'fsyncdir', error, path: '^/$', times: 1 }] });
    await goesOn(t, relay, freshMessage(), backing, error);
  }
  setRules({ faults: [{ operation: 'unlink', error: 'EIO', path: UNFINISHED, times: 1 }] });
  const { outcomes } = await relay.relay(
    interrupted(LARGE, () => {}),
    AbortSignal.abort(),
  );
  t.match(outcomes, [{ kind: 'untried' }]);
  setRules({
    attributeCacheMs: 3000,
    listingCacheMs: 3000,
    timeStepMs: 2000,
    faults: [{ operation: 'write', error: 'EFBIG', path: UNFINISHED, times: 1 }],
  });
  const { outcomes: tooLarge, trouble } = await relay.relay(freshMessage(), NEVER);
  t.match([tooLarge, trouble], [[{ kind: 'deferred', status: '4.3.1' }], undefined], 'smaller ones may go');
  await goesOn(t, relay, freshMessage(), backing, 'old attributes');
});

t.test(
  'a share that does not answer holds nobody up for ever, and is not asked meanwhile',
  { skip: networkMountSkip },
  async (t) => {
    const share = await createNetworkMount(t);
    const clock = createTestClock();
    const relay = openDrop(t, dropOptions(share.directory), clock);
    const look = createDropLook(share.directory, clock);
    const silent = { kind: 'unreachable', reason: `${share.directory} does not answer` };
    const stuck = freshMessage();
    share.stop();
    const first = relay.relay(stuck, NEVER);
    const looks = [look(), look()];
    await new Promise(setImmediate);
    clock.advance(LOOK_DEADLINE_MS + 1);
    for (const seen of looks) t.match(await seen, { kind: 'unseen', trouble: silent });
    clock.advance(STALL_DEADLINE_MS + STALL_LOOK_MS);
    t.match(await first, { outcomes: [{ kind: 'untried' }], trouble: silent });
    const other = freshMessage();
    t.match(await relay.relay(other, NEVER), { outcomes: [{ kind: 'untried' }], trouble: silent });
    share.goOn();
    while ((await relay.relay(other, NEVER)).trouble !== undefined) await new Promise(setImmediate);
    t.same(
      readDrop(share.backing).map(({ name }) => name.slice(13, 33)),
      [other.traceId],
      'what came back late was given up',
    );
    unlinkSync(join(share.backing, readDrop(share.backing)[0]?.name ?? ''));
    await goesOn(t, relay, stuck, share.backing, 'its next attempt');
    t.match(await look(), { kind: 'seen', files: 0 });

    share.stop();
    const abort = new AbortController();
    const ended = relay.relay(freshMessage(), abort.signal);
    await new Promise(setImmediate);
    abort.abort();
    clock.advance(10 * STALL_LOOK_MS);
    t.same(await ended, { outcomes: [{ kind: 'untried' }] }, 'who is told to end ends soon');
    share.goOn();
  },
);

t.test(
  'a disk that is full, read-only or gone keeps nothing, and mail goes on when it is back',
  { skip: smallDiskSkip },
  async (t) => {
    const directory = makeDropDirectory(t);
    const disk = await mountSmallDisk(t, directory, 4);
    if (disk === undefined) return t.comment('skipped: no tmpfs could be mounted');
    const drop = join(directory, 'in');
    mkdirSync(drop);
    const relay = openDrop(t, dropOptions(drop));
    const fails = async (message: RelayedMessage, reason: RegExp) =>
      t.match(await relay.relay(message, NEVER), {
        outcomes: [{ kind: 'untried' }],
        trouble: { kind: 'unreachable', reason },
      });
    const message = freshMessage(LARGE);
    for (const octets of [0, 500_000]) {
      disk.leave(octets);
      await fails(message, /is full \(ENOSPC\)/);
      t.same(readdirSync(drop), [], 'nothing of it is left');
    }
    disk.empty();
    await goesOn(t, relay, message, drop, 'a disk with room');
    await disk.setReadOnly(true);
    await fails(message, /read-only for the service \(EROFS\)/);
    t.match(await relay.check(NEVER), { isReady: false, trouble: { reason: /\(EROFS\)/ } });
    await disk.setReadOnly(false);
    await goesOn(t, relay, message, drop, 'a disk that may be written again');
    await disk.unmount();
    await fails(message, /is missing \(ENOENT\)/);
    return undefined;
  },
);

t.test(
  'a directory that goes away in the middle of a message, and files that others take away',
  async (t) => {
    const directory = makeDropDirectory(t);
    const relay = openDrop(t, dropOptions(directory));
    const away = `${directory}.away`;
    const moved = interrupted(LARGE, () => renameSync(directory, away));
    t.match(await relay.relay(moved, NEVER), {
      outcomes: [{ kind: 'untried' }],
      trouble: { reason: `${directory} is missing (ENOENT)` },
    });
    t.same(readDrop(away), []);
    rmSync(away, { recursive: true });
    mkdirSync(directory);
    const robbed = interrupted(LARGE, () => {
      for (const name of readdirSync(directory)) unlinkSync(join(directory, name));
    });
    t.match(await relay.relay(robbed, NEVER), {
      outcomes: [{ kind: 'untried' }],
      trouble: { reason: `${directory} has lost a file that was being written`, advice: /begin with a dot/ },
    });
    await goesOn(t, relay, freshMessage(LARGE), directory, 'a directory that is back');
  },
);

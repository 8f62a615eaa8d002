/**
 * What fails around a pickup directory, for as long as it fails, on the whole server and by real means: small disks that are full or
 * read-only, directories that go and come back, calls that strace makes fail, a limit of open files, a share that loses answers, a
 * calendar that jumps. Each row has its defined end: nothing is lost, nothing is sent twice, nothing is misjudged, others are answered
 * meanwhile, and once the fault is gone all files go through without a restart.
 */

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';

import type { RunningServer } from '../support/appliance.ts';
import { createJumpingCalendar, jumpingCalendarSkip } from '../support/jumpingCalendar.ts';
import { createNetworkMount, networkMountSkip, type ShareFault } from '../support/networkMount.ts';
import { findProgram, runProgram } from '../support/peers.ts';
import { pickupMessage } from '../support/pickupMessages.ts';
import { ALL_WELL, createPickupSite, PICKUP_NAME, type PickupSite } from '../support/pickupSite.ts';
import { type Way, WAYS, writeFileBy } from '../support/pickupWriters.ts';
import { RawImap } from '../support/rawImap.ts';
import { mountSmallDisk, type SmallDisk, smallDiskSkip } from '../support/smallDisk.ts';
import { beginFault, type CallFault } from '../support/straceFault.ts';

const MIB = 1024 * 1024;
const STORE_MIB = 160;
/** What the store keeps free: less is a full disk to it. */
const RESERVE = 48 * MIB;
const MET_DEADLINE_MS = 60_000;
const LOOK_MS = 50;
/** How long a fault lasts that nobody sees from outside: some scans. */
const LAST_MS = 2500;
/** Generous, since the machine may be busy; a server that hangs never answers. */
const ANSWER_LIMIT_MS = 10_000;
const CALENDAR_JUMPS = [3, -3, 40, -400, 400, 0];

t.setTimeout(1_200_000);

/** Something that fails. */
interface Row {
  readonly name: string;
  /** Begins it; the answer ends it, and may wait until it was met. */
  begin(rig: Rig): Promise<Fault> | Fault;
  /** Files are written before it begins, but so that they are not taken yet. */
  readonly isWrittenBefore?: boolean;
}

interface Fault {
  /** Resolves when the server has run into it. */
  met(): Promise<void>;
  end(): Promise<void> | void;
}

interface Rig {
  readonly t: Test;
  readonly pickup: PickupSite;
  readonly server: RunningServer;
  readonly disks: { readonly store: SmallDisk; readonly pickup: SmallDisk; readonly badmail: SmallDisk };
  /** Paths of the files of this row. */
  readonly paths: readonly string[];
}

/** A call that fails, for these files alone or for all the server does. */
const failing = (name: string, fault: Omit<CallFault, 'paths'>, isForFiles = false): Row => ({
  name,
  async begin({ t, server, paths }) {
    const running = await beginFault(t, server.pid, isForFiles ? { ...fault, paths } : fault);
    return { met: () => running.untilMet(2), end: running.end };
  },
});

const ROWS: readonly Row[] = [
  failing('a rename that is not allowed', { calls: 'rename', error: 'EACCES' }, true),
  failing('a rename of a file that somebody holds', { calls: 'rename', error: 'EBUSY' }, true),
  failing('a rename on a directory that has become read-only', { calls: 'rename', error: 'EROFS' }, true),
  failing(
    'a rename of a file that is not there any more, as it seems',
    { calls: 'rename', error: 'ENOENT' },
    true,
  ),
  failing('files that cannot be removed', { calls: 'unlink', error: 'EACCES' }),
  failing('every other removal fails', { calls: 'unlink', error: 'EIO', when: '1+2' }),
  failing('no file can be opened', { calls: 'openat', error: 'EMFILE' }),
  failing('every other file cannot be opened', { calls: 'openat', error: 'EACCES', when: '1+2' }),
  failing('the directory cannot be listed', { calls: 'getdents64', error: 'EIO' }),
  failing('handles of a share have become stale', { calls: 'statx', error: 'ESTALE' }),
  failing('no sync succeeds', { calls: 'fsync,fdatasync', error: 'EIO' }),
  failing('the store cannot write', { calls: 'pwrite64', error: 'ENOSPC' }),
  failing('no second name is given', { calls: 'link', error: 'EPERM' }),
  failing('the disk has no room for a name in badmail', { calls: 'link', error: 'ENOSPC' }),
  {
    name: 'the store is full',
    begin({ disks, pickup }) {
      disks.store.leave(RESERVE / 2);
      return { met: () => untilStatus(pickup, ({ deferred }) => deferred > 0), end: disks.store.empty };
    },
  },
  {
    name: 'badmail is full',
    begin({ disks, pickup }) {
      disks.badmail.leave(0);
      return { met: () => untilStatus(pickup, ({ alarms }) => alarms.length > 0), end: disks.badmail.empty };
    },
  },
  {
    name: 'the file system becomes read-only',
    isWrittenBefore: true,
    async begin({ disks, pickup }) {
      await disks.pickup.setReadOnly(true);
      // On a machine that was busy for a second the files were taken before; from now on nothing can take them.
      const isOver = () => readdirSync(pickup.directory).length === 0;
      return {
        met: () => untilStatus(pickup, ({ alarms }) => alarms.length > 0 || isOver()),
        end: () => disks.pickup.setReadOnly(false),
      };
    },
  },
  {
    name: 'the directory goes and comes back',
    isWrittenBefore: true,
    begin({ pickup }) {
      const away = `${pickup.directory}-away`;
      renameSync(pickup.directory, away);
      return {
        met: () => untilStatus(pickup, ({ isReadable }) => !isReadable),
        end: () => renameSync(away, pickup.directory),
      };
    },
  },
  {
    name: 'the directory is removed and made again',
    begin({ pickup }) {
      rmSync(pickup.directory, { recursive: true });
      return {
        met: async () => {},
        end: () => {},
      };
    },
  },
  {
    name: 'another directory is mounted over it and goes',
    isWrittenBefore: true,
    async begin({ t, pickup }) {
      const over = await mountSmallDisk(t, pickup.directory, 1);
      return { met: () => pause(LAST_MS), end: () => over?.unmount() };
    },
  },
  {
    name: 'the process may open no more files',
    async begin({ server }) {
      const limit = (soft: string) =>
        runProgram('prlimit', ['--pid', String(server.pid), `--nofile=${soft}:`]);
      const before = await runProgram('prlimit', [
        '--pid',
        String(server.pid),
        '--nofile',
        '--output=SOFT',
        '--noheadings',
      ]);
      await limit('3');
      return {
        met: () => pause(LAST_MS),
        end: async () => {
          await limit(before.stdout.toString().trim());
        },
      };
    },
  },
];

const SKIP = smallDiskSkip || (findProgram('strace') === undefined && 'not installed: strace');

t.test(
  'whatever fails, nothing is lost or doubled, and all goes through when it is over',
  { skip: SKIP },
  async (t) => {
    const { pickup, disks } = await createDisks(t);
    const server = await pickup.site.serve();
    const names: string[] = [];
    const imap = await RawImap.open(server.ports.imap, pickup.boxes[0]);
    for (const [index, row] of ROWS.entries()) {
      const mine = namesOfRow(`row${index}`);
      names.push(...mine);
      const paths = mine.map((name) => join(pickup.directory, `${name}.eml`));
      if (row.isWrittenBefore === true) await writeAll(pickup, mine, ['inPlace']);
      const fault = await row.begin({ t, pickup, server, disks, paths });
      if (row.isWrittenBefore !== true) {
        mkdirSync(pickup.directory, { recursive: true });
        await writeAll(pickup, mine, ['movedIn', 'inPlace', 'linked']);
      }
      await fault.met();
      const askedMs = performance.now();
      await imap.command('NOOP');
      t.ok(performance.now() - askedMs < ANSWER_LIMIT_MS, `${row.name}: another session is answered`);
      await fault.end();
      await goOn(pickup);
      await t.resolves(pickup.drain(), `${row.name}: all goes through afterwards`);
    }
    const { counts, ...faults } = await pickup.findOutcome(server, names);
    t.same(faults, ALL_WELL);
    t.comment(`${counts.delivered} files were sent, ${counts.bad} are in badmail`);
    await imap.logout();
    t.equal((await server.stop()).exitCode, 0);
  },
);

/** Some good files and a bad one. */
function namesOfRow(row: string): string[] {
  const names = Array.from({ length: 100 }, (_none, number) => `${row}-n${number}`);
  const isBad = (name: string) => pickupMessage(name).recipients.length === 0;
  return [...names.filter((name) => !isBad(name)).slice(0, 6), ...names.filter(isBad).slice(0, 1)];
}

/** A site whose store, pickup directory and badmail have small disks of their own. */
async function createDisks(t: Test) {
  const root = mkdtempSync(join(tmpdir(), 'hauspost-disks-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const mounted = async (name: string, mib: number) => {
    const directory = join(root, name);
    mkdirSync(directory);
    const disk = await mountSmallDisk(t, directory, mib);
    if (disk === undefined) throw new Error('no tmpfs could be mounted');
    return disk;
  };
  const disks = {
    store: await mounted('store', STORE_MIB),
    pickup: await mounted('pickup', 16),
    badmail: await mounted('badmail', 4),
  };
  const pickup = await createPickupSite(t, {
    directory: join(root, 'pickup', 'in'),
    badmailDirectory: join(root, 'badmail', 'bad'),
    extra: [
      `[server]\ndataDirectory = ${JSON.stringify(join(root, 'store'))}`,
      `[store]\nfreeReserveOctets = ${RESERVE}`,
      `[smtp]\nsizeLimitOctets = ${2 * MIB}`,
    ].join('\n'),
  });
  return { pickup, disks };
}

async function writeAll(pickup: PickupSite, names: readonly string[], ways: readonly Way[]): Promise<void> {
  for (const [index, name] of names.entries()) {
    const way = ways[index % ways.length] ?? 'inPlace';
    await writeFileBy(way, pickup.writer, `${name}.eml`, pickupMessage(name).file);
  }
}

interface ShownStatus {
  readonly deferred: number;
  readonly isReadable: boolean;
  readonly alarms: readonly string[];
}

async function untilStatus(pickup: PickupSite, isMet: (status: ShownStatus) => boolean): Promise<void> {
  const begunMs = performance.now();
  for (;;) {
    const status = await statusOf(pickup);
    if (isMet(status)) return;
    if (performance.now() - begunMs > MET_DEADLINE_MS) throw new Error(JSON.stringify(status));
    await pause(LOOK_MS);
  }
}

async function statusOf({ site }: PickupSite): Promise<ShownStatus> {
  const [status] = (await site.cliJson(['pickup', 'status'])) as readonly ShownStatus[];
  if (status === undefined) throw new Error('there is no pickup directory');
  return status;
}

/** As an administrator who has mended something: what was put off is tried at once. */
async function goOn({ site }: PickupSite): Promise<void> {
  await site.cli(['pickup', 'retry', PICKUP_NAME]);
}

/** A share's habits: caches that outlast the time for which a file has to be still, and coarse times. */
const HABITS = { attributeCacheMs: 1500, listingCacheMs: 700, timeStepMs: 2000 };
const anyFile = '\\.(eml|tmp)$';
const onShare = (
  operation: ShareFault['operation'],
  error: string,
  { times = 10, path = anyFile, isDone = false }: Partial<ShareFault> = {},
): ShareFault => ({ operation, error, times, path, isDone });

const SHARE_ROWS: readonly { readonly name: string; readonly faults: readonly ShareFault[] }[] = [
  { name: 'nothing but its habits', faults: [] },
  { name: 'renames are refused at first', faults: [onShare('rename', 'EBUSY'), onShare('rename', 'ESTALE')] },
  {
    name: 'the answer to a rename that was done is that nothing is there',
    faults: [onShare('rename', 'ENOENT', { isDone: true, times: 4 })],
  },
  {
    name: 'answers to renames and removals that were done are lost',
    faults: [
      onShare('rename', 'EIO', { isDone: true, times: 3 }),
      onShare('unlink', 'EIO', { isDone: true, times: 3 }),
    ],
  },
  { name: 'files cannot be removed at first', faults: [onShare('unlink', 'EBUSY', { times: 20 })] },
  { name: 'files cannot be opened at first', faults: [onShare('open', 'EACCES'), onShare('open', 'ESTALE')] },
  { name: 'reading fails', faults: [onShare('read', 'EIO', { times: 12 })] },
  {
    name: 'files are not there when they are looked at',
    faults: [onShare('getattr', 'ENOENT', { times: 20 })],
  },
  { name: 'handles have become stale', faults: [onShare('getattr', 'ESTALE', { times: 20 })] },
  { name: 'it cannot be listed', faults: [onShare('readdir', 'EIO', { times: 3, path: '^/$' })] },
  { name: 'it knows no hard links', faults: [onShare('link', 'EOPNOTSUPP', { times: 1000 })] },
  {
    name: 'it knows no hard links, and has its own word for it',
    faults: [onShare('link', 'ENOSYS', { times: 1000 })],
  },
  {
    name: 'the answer to a link that was made is lost',
    faults: [onShare('link', 'EIO', { isDone: true, times: 2 })],
  },
  {
    name: 'directories cannot be synced',
    faults: [onShare('fsyncdir', 'EINVAL', { times: 1000, path: '.' })],
  },
];

t.test(
  'what other machines write on a share comes whole and once, whatever the share does',
  { skip: networkMountSkip },
  async (t) => {
    const mount = await createNetworkMount(t, HABITS);
    for (const directory of ['in', 'in-stage']) mkdirSync(join(mount.backing, directory));
    const pickup = await createPickupSite(t, {
      directory: join(mount.directory, 'in'),
      writtenDirectory: join(mount.backing, 'in'),
    });
    const server = await pickup.site.serve();
    const names: string[] = [];
    const broken = new Set<string>();
    for (const [index, { name, faults }] of SHARE_ROWS.entries()) {
      mount.setRules({ ...HABITS, faults });
      const mine = namesOfRow(`share${index}`);
      await Promise.all(
        mine.map(async (each, number) => {
          const way = WAYS[number] ?? 'inPlace';
          const { isKept } = await writeFileBy(way, pickup.writer, `${each}.eml`, pickupMessage(each).file);
          if (isKept) names.push(each);
          else broken.add(each);
        }),
      );
      // Further faults would hit the waits that follow the first ones.
      await pause(LAST_MS);
      await goOn(pickup);
      await t.resolves(pickup.drain(), `${name}: all goes through`);
    }
    const { counts, ...faults } = await pickup.findOutcome(server, names, broken);
    t.same(faults, ALL_WELL);
    t.comment(
      `${counts.delivered} files were sent, ${counts.bad} are in badmail, ${broken.size} were written too slowly`,
    );
    t.equal((await server.stop()).exitCode, 0);
  },
);

t.test(
  'a calendar that jumps by days neither keeps files back nor sends one twice',
  { skip: jumpingCalendarSkip },
  async (t) => {
    const pickup = await createPickupSite(t);
    const calendar = createJumpingCalendar(t);
    const server = await pickup.site.serve({ env: calendar.env });
    const names: string[] = [];
    for (const [index, days] of CALENDAR_JUMPS.entries()) {
      const mine = Array.from({ length: 12 }, (_none, number) => `jump${index}-n${number}`);
      names.push(...mine);
      await writeAll(pickup, mine.slice(0, 6), ['inPlace', 'movedIn', 'copied']);
      calendar.jump(days);
      await writeAll(pickup, mine.slice(6), ['inPlace', 'movedIn', 'copied']);
      await t.resolves(pickup.drain(), `${days} days off: all goes through`);
    }
    const { counts, ...faults } = await pickup.findOutcome(server, names);
    t.same(faults, ALL_WELL);
    t.comment(`${counts.delivered} files were sent, ${counts.bad} are in badmail`);
    t.equal((await server.stop()).exitCode, 0);
  },
);

/**
 * Faults of disks and directories, real ones: each has its defined end, no file is lost and none is sent twice.
 *
 * Small file systems of their own are full, read-only or go away; files that may not be changed are made so by chattr, since rights stop
 * nobody who is root.
 */

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';

import { MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import { createNetworkMount, networkMountSkip } from '../support/networkMount.ts';
import { mountSmallDisk, smallDiskSkip } from '../support/smallDisk.ts';
import { letter, openPickupRoom, reasonOf } from './pickupRoom.ts';

t.setTimeout(300_000);

const BAD = 'From: box@example.com\r\nSubject: nobody\r\n\r\nHello.\r\n';
const CLAIM = /^a\.eml\.[0-9a-f]{16}\.tmp$/;

/** A small disk in a directory of its own; undefined where none can be mounted. */
async function openDisk(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-pickup-disk-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const disk = await mountSmallDisk(t, directory, 1);
  return disk && { ...disk, directory };
}

t.test(
  'a full badmail leaves the file claimed, with an alarm, until there is room',
  { skip: smallDiskSkip },
  async (t) => {
    const disk = await openDisk(t);
    if (disk === undefined) return t.comment('skipped: no tmpfs could be mounted');
    const room = await openPickupRoom(t, { rules: { badmailDirectory: disk.directory } });
    disk.leave(0);
    room.write('a.eml', BAD);
    await room.until(async () => (await room.status()).deferred === 1);
    t.match(room.names(), [CLAIM]);
    t.match((await room.status()).alarms, [
      /^1 file cannot be moved to badmail: a\.eml\..*: the disk is full \(ENOSPC\)\.$/,
    ]);
    t.same(readdirSync(disk.directory), ['.ballast'], 'no half of a reason stays');
    room.write('b.eml', letter('b'));
    await room.until(async () => (await room.status()).taken === 1);
    await room.pass(MINUTE_MS);
    disk.empty();
    await room.until(async () => (await room.status()).bad === 1, 500);
    t.same(room.names(), []);
    t.match(reasonOf(disk.directory, 'a.eml'), /^Nobody is named as recipient/);
    t.equal(room.logged.filter(([event]) => event === 'pickup.file.deferred').length, 1);
    t.equal(room.logged.filter(([event]) => event === 'pickup.file.bad').length, 1);
  },
);

t.test(
  'a directory that turns read-only keeps its files, with an alarm, until it is writable',
  { skip: smallDiskSkip },
  async (t) => {
    const disk = await openDisk(t);
    if (disk === undefined) return t.comment('skipped: no tmpfs could be mounted');
    const room = await openPickupRoom(t, { rules: { directory: disk.directory } });
    room.write('a.eml', letter('a'));
    await disk.setReadOnly(true);
    await room.until(async () => (await room.status()).alarms.length === 1);
    t.match((await room.status()).alarms, [
      /cannot be renamed, so none is taken: the file system is read-only \(EROFS\)/,
    ]);
    await room.pass(5 * MINUTE_MS);
    t.same(room.names(), ['a.eml']);
    t.match(await room.status(), { waiting: 1, taken: 0 });
    t.equal(room.logged.filter(([event]) => event === 'pickup.directory.unclaimable').length, 1);
    await disk.setReadOnly(false);
    await room.until(async () => (await room.subjects()).length === 1, 500);
    await room.until(() => room.names().length === 0);
    t.same((await room.status()).alarms, []);
  },
);

t.test(
  'a file that is sent and cannot be removed is not sent again, also after a restart',
  { skip: smallDiskSkip },
  async (t) => {
    const disk = await openDisk(t);
    if (disk === undefined) return t.comment('skipped: no tmpfs could be mounted');
    let handed = 0;
    const room = await openPickupRoom(t, {
      rules: { directory: disk.directory },
      door: (transfer) => ({
        ...transfer,
        accept: async (...message) => {
          handed += 1;
          const acceptance = await transfer.accept(...message);
          await disk.setReadOnly(true);
          return acceptance;
        },
      }),
    });
    room.write('a.eml', letter('a'));
    await room.until(async () => (await room.status()).deferred === 1);
    t.match((await room.status()).alarms, [
      /^1 file was sent and cannot be removed; it is not sent again: a\.eml\..*read-only/,
    ]);
    t.match(room.names(), [CLAIM]);
    await room.reopen();
    await room.until(async () => (await room.status()).alarms.length === 1);
    t.match((await room.status()).alarms, [/was sent and cannot be removed/]);
    await disk.setReadOnly(false);
    await room.until(() => room.names().length === 0, 500);
    t.equal(handed, 1);
    t.same(await room.subjects(), ['a']);
  },
);

t.test(
  'a mount that goes and comes back is noticed, and its claims are taken up',
  { skip: smallDiskSkip },
  async (t) => {
    const disk = await openDisk(t);
    if (disk === undefined) return t.comment('skipped: no tmpfs could be mounted');
    const room = await openPickupRoom(t, { rules: { directory: disk.directory } });
    room.write('hidden.eml', letter('hidden'));
    await room.until(async () => (await room.status()).waiting === 1);
    await disk.unmount();
    await room.pass(MINUTE_MS);
    t.match(await room.status(), { isReadable: true, waiting: 0, taken: 0 });
    const next = await mountSmallDisk(t, disk.directory, 1);
    if (next === undefined) return t.comment('skipped: no tmpfs could be mounted');
    room.write('a.eml.00000000000000dd.tmp', letter('claimed'));
    await room.until(() => room.names().length === 0);
    t.same(await room.subjects(), ['claimed']);
  },
);

t.test(
  'a share whose reads fail for a while loses and doubles nothing',
  { skip: networkMountSkip },
  async (t) => {
    const share = await createNetworkMount(t, { timeStepMs: 1000 });
    mkdirSync(join(share.backing, 'in'));
    const directory = join(share.directory, 'in');
    const room = await openPickupRoom(t, { rules: { directory } });
    const write = (name: string, text: string) => writeFileSync(join(share.backing, 'in', name), text);
    await room.pass(2 * SECOND_MS);
    share.setRules({
      timeStepMs: 1000,
      faults: [
        { operation: 'read', error: 'EIO', times: 3, path: 'a\\.eml' },
        { operation: 'open', error: 'EACCES', times: 2, path: 'b\\.eml' },
        { operation: 'rename', error: 'EACCES', times: 2, path: 'c\\.eml' },
        { operation: 'rename', error: 'EIO', times: 1, path: 'd\\.eml', isDone: true },
        { operation: 'unlink', error: 'EBUSY', times: 2, path: 'e\\.eml' },
        { operation: 'unlink', error: 'EIO', times: 1, path: 'f\\.eml', isDone: true },
        { operation: 'readdir', error: 'ESTALE', times: 2, path: '/in' },
      ],
    });
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) write(`${name}.eml`, letter(name));
    await room.until(async () => (await room.subjects()).length === 6, 200);
    await room.until(() => readdirSync(join(share.backing, 'in')).length === 0, 200);
    t.same(await room.subjects(), ['a', 'b', 'c', 'd', 'e', 'f']);
  },
);

t.test(
  'the alarm of a file that cannot be claimed goes with the file',
  { skip: networkMountSkip },
  async (t) => {
    const share = await createNetworkMount(t, {});
    const room = await openPickupRoom(t, { rules: { directory: share.directory } });
    share.setRules({ faults: [{ operation: 'rename', error: 'EACCES', times: 1000, path: 'a\\.eml' }] });
    writeFileSync(join(share.backing, 'a.eml'), letter('a'));
    await room.until(async () => (await room.status()).alarms.length === 1);
    t.match((await room.status()).alarms, [/cannot be renamed, so none is taken: no permission/]);
    rmSync(join(share.backing, 'a.eml'));
    await room.until(async () => (await room.status()).alarms.length === 0);
  },
);

t.test(
  'a file on a share that is written by another machine is waited for without events',
  { skip: networkMountSkip },
  async (t) => {
    const share = await createNetworkMount(t, {
      attributeCacheMs: 100,
      listingCacheMs: 100,
      timeStepMs: 2000,
    });
    const room = await openPickupRoom(t, { rules: { directory: share.directory } });
    const path = join(share.backing, 'a.eml');
    const whole = letter('a');
    for (let octets = 10; octets <= whole.length; octets += 20) {
      writeFileSync(path, whole.slice(0, octets));
      await room.pass(2 * SECOND_MS);
    }
    writeFileSync(path, whole);
    await room.until(async () => (await room.subjects()).length === 1);
    const [message] = await room.site.inbox(room.account);
    t.match(message?.toString(), /Hello\.\r\n$/);
    writeFileSync(join(share.backing, 'b.tmp'), letter('b'));
    await room.pass(5 * SECOND_MS);
    renameSync(join(share.backing, 'b.tmp'), join(share.backing, 'b.eml'));
    await room.until(async () => (await room.subjects()).length === 2);
  },
);

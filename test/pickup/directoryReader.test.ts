/**
 * Reading a directory while others write into it, at moments that no file system gives by itself: each step is the test's, the
 * directory and its events are real.
 */

import { once } from 'node:events';
import { closeSync, openSync, renameSync, watch, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t, { type Test } from 'tap';

import { silentLog } from '../../src/base/log.ts';
import { ClaimedFiles } from '../../src/pickup/claimedFiles.ts';
import { DirectoryReader } from '../../src/pickup/directoryReader.ts';
import { fileNameOf } from '../../src/pickup/fileNames.ts';
import { KnownFiles } from '../../src/pickup/knownFiles.ts';
import { lookAtFile } from '../../src/pickup/looking.ts';
import { createTestClock } from '../support/clock.ts';
import { rulesFor } from './pickupRoom.ts';

const NAME = fileNameOf('a.eml');

/** A directory that has been read once, so that what comes now is new. */
async function openReader(t: Test, before: (directory: string) => void = () => {}) {
  const root = t.testdir({ pickup: {}, stage: {} });
  const directory = join(root, 'pickup');
  before(directory);
  const rules = rulesFor(directory);
  const clock = createTestClock();
  const known = new KnownFiles();
  const claims = new ClaimedFiles();
  const reader = new DirectoryReader({ rules, clock, log: silentLog, known, claims, awake: () => {} });
  await reader.scan();
  // Its events come behind those of the reader.
  const watcher = watch(directory);
  t.teardown(() => {
    reader.close();
    watcher.close();
  });
  const wasHidden: DirectoryReader['wasHidden'] = (look) => reader.wasHidden(look);
  return {
    path: join(directory, NAME),
    /** Beside the directory. */
    staged: join(root, 'stage', NAME),
    /** Does something, and waits until its events are there. */
    async heard(act: () => void): Promise<void> {
      const event = once(watcher, 'change');
      act();
      await event;
      await nextTurn();
    },
    scan: () => reader.scan(),
    /** Looks at the file for the first time; answers whether it counts as moved in. */
    async look(): Promise<boolean | undefined> {
      const file = known.find(NAME);
      if (file === undefined) throw new Error('the scan has not found it');
      await lookAtFile({ rules, clock, known, wasHidden }, file);
      return file.observation?.isMovedIn;
    },
  };
}

t.test('a file whose octets come between the scan and the first look was not moved in', async (t) => {
  const { path, heard, scan, look } = await openReader(t);
  let handle = 0;
  await heard(() => {
    handle = openSync(path, 'wx');
  });
  await scan();
  await heard(() => void writeSync(handle, 'From: box@exam'));
  t.equal(await look(), false);
  closeSync(handle);
});

t.test('a file that gets its name while its writer goes on was not moved in', async (t) => {
  let handle = 0;
  const { path, heard, scan, look } = await openReader(t, (directory) => {
    handle = openSync(join(directory, 'a.part'), 'wx');
    writeSync(handle, 'From: box@exam');
  });
  await heard(() => renameSync(path.replace(/eml$/, 'part'), path));
  await scan();
  await heard(() => void writeSync(handle, 'ple.com'));
  t.equal(await look(), false);
  closeSync(handle);
});

t.test('nor was one whose writer went on before the scan found it', async (t) => {
  let handle = 0;
  const { path, heard, scan, look } = await openReader(t, (directory) => {
    handle = openSync(join(directory, 'a.part'), 'wx');
    writeSync(handle, 'From: box@exam');
  });
  await heard(() => renameSync(path.replace(/eml$/, 'part'), path));
  await heard(() => void writeSync(handle, 'ple.com'));
  await scan();
  t.equal(await look(), false);
  closeSync(handle);
});

t.test('a file that came by a rename was moved in', async (t) => {
  const { path, staged, heard, scan, look } = await openReader(t);
  writeFileSync(staged, 'From: box@example.com\r\n\r\n');
  await heard(() => renameSync(staged, path));
  await scan();
  t.equal(await look(), true);
});

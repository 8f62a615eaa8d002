/** The maintenance switch: what holds, how long, over a restart, and what becomes of a file that cannot be read or written. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t, { type Test } from 'tap';

import { createLog } from '../../src/base/log.ts';
import { DAY_MS, MINUTE_MS } from '../../src/base/units.ts';
import { MAINTENANCE_FILE, MAINTENANCE_TEXT, openMaintenance } from '../../src/admin/maintenance.ts';
import { createTestClock, TEST_CLOCK_START } from '../support/clock.ts';

/** A directory, and switches on it that are opened one after the other. */
function createStage(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-maintenance-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const clock = createTestClock();
  const events: unknown[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      const { level, event } = JSON.parse(String(chunk));
      events.push([level, event]);
      done();
    },
  });
  const open = () => {
    const maintenance = openMaintenance({ directory, clock, log: createLog(stream, 'info') });
    t.teardown(() => maintenance.close());
    return maintenance;
  };
  return { directory, file: join(directory, MAINTENANCE_FILE), clock, events, open };
}

t.test('it is off, on until it is switched off, over a restart, and in the log', async (t) => {
  const { open, events, clock, file } = createStage(t);
  const first = open();
  t.same([first.state(), first.off(), events], [undefined, false, []]);
  const expected = { since: TEST_CLOCK_START, until: null, text: MAINTENANCE_TEXT, isKept: true };
  t.same(first.on({}), expected);
  clock.advance(40 * DAY_MS);
  const second = open();
  t.same(second.state(), expected);
  t.match(second.on({ text: 'Moving house' }), { since: TEST_CLOCK_START, text: 'Moving house' });
  t.same([second.off(), second.state(), existsSync(file)], [true, undefined, false]);
  t.equal(open().state(), undefined);
  const on = ['warn', 'admin.maintenance.on'];
  t.same(events, [on, on, on, ['info', 'admin.maintenance.ended']]);
});

t.test('it ends by itself after the minutes that it was given, also while the server is down', async (t) => {
  const { open, events, clock, file } = createStage(t);
  const first = open();
  const minutes = 3 * 24 * 60;
  t.match(first.on({ minutes }), { until: TEST_CLOCK_START + minutes * MINUTE_MS });
  clock.advance(minutes * MINUTE_MS - 1);
  t.ok(first.state());
  t.ok(open().state());
  clock.advance(1);
  t.equal(first.state(), undefined);
  t.match(events.at(-1), ['info', 'admin.maintenance.ended']);
  t.notOk(existsSync(file));
  first.on({ minutes: 5 });
  first.close();
  clock.advance(5 * MINUTE_MS);
  t.equal(open().state(), undefined, 'its time was over before the start');
  t.notOk(existsSync(file));
  first.on({ minutes: 5 });
  t.match(first.on({}), { until: null }, 'given anew without an end it has none');
});

t.test('minutes and texts are checked', async (t) => {
  const maintenance = createStage(t).open();
  for (const minutes of [0, -1, 1.5, 43_201, Number.NaN])
    t.throws(() => maintenance.on({ minutes }), { code: 'invalid' }, `${minutes}`);
  for (const text of ['', ' x', 'a\r\n250 ok', 'ü', 'x'.repeat(201)])
    t.throws(() => maintenance.on({ text }), { code: 'invalid' }, JSON.stringify(text));
  t.equal(maintenance.state(), undefined, 'and change nothing');
});

t.test('a file that cannot be read means that it is on; one that cannot be written is told', async (t) => {
  const { open, events, file } = createStage(t);
  writeFileSync(file, '');
  t.match(open().state(), { until: null, text: MAINTENANCE_TEXT });
  writeFileSync(file, '{"text":"a\\r\\n250 ok"}');
  t.match(open().state(), { text: MAINTENANCE_TEXT }, 'no line gets into a reply');
  t.match(events[0], ['error', 'admin.maintenance.file']);
  rmSync(file);
  mkdirSync(`${file}.new`);
  const maintenance = open();
  t.match(maintenance.on({}), { isKept: false });
  t.ok(maintenance.state(), 'it holds all the same');
  rmSync(`${file}.new`, { recursive: true });
  t.match(maintenance.on({}), { isKept: true });
  t.match(JSON.parse(readFileSync(file, 'utf8')), { text: MAINTENANCE_TEXT });
});

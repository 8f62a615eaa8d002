/** Pickup directories as admin makes them of the configuration, and as it tells of them. */

import t from 'tap';
import { unixMs } from '../../src/base/clock.ts';
import type { PickupStatus } from '../../src/pickup/contract.ts';
import type { PickupConfig } from '../../src/config/pickupKeys.ts';
import { overlayPickupPresets } from '../../src/config/pickupPresets.ts';
import { configSchema } from '../../src/config/schema.ts';
import { reportPickups } from '../../src/admin/pickupReport.ts';
import { pickupDirectories, pickupPolicies } from '../../src/admin/pickups.ts';
import { testRoute } from '../../src/admin/routeTesting.ts';
import { planningIn, route, type RoutingWorld } from '../support/routingWorld.ts';
import { badFileTable, pickupFields, pickupTable, retryText } from '../../src/admin/pickupText.ts';

/** A configuration with one pickup of these keys. */
const configWith = (keys: Readonly<Record<string, unknown>>, smtp = {}) =>
  configSchema.parse(
    overlayPickupPresets({ smtp, pickups: [{ name: 'erp', directory: '/srv/erp', ...keys }] }),
  );

const NOON = unixMs(Date.UTC(2026, 10, 28, 12));

const status = (changes: Partial<PickupStatus> = {}): PickupStatus => ({
  name: 'erp',
  kind: 'pickup',
  directory: '/srv/erp',
  badmailDirectory: '/srv/erp/badmail',
  isReadable: true,
  reason: undefined,
  waiting: 0,
  unfinished: 0,
  deferred: 0,
  oldestWaitingSince: undefined,
  taken: 0,
  takenLastMinute: 0,
  lastFile: undefined,
  bad: 0,
  oldestBadAt: undefined,
  alarms: [],
  ...changes,
});

t.test(
  'the room gets complete rules, patterns and addresses in the form in which they are compared',
  async (t) => {
    const keys = {
      preset: 'iis',
      senders: ['LOCAL', 'Grüße.example', '*.Example.COM', 'ERP@Example.com'],
      rewriteSender: 'ERP@Example.com',
    };
    t.match(pickupDirectories(configWith(keys)), [
      {
        badmailDirectory: '/srv/erp/badmail',
        fileNames: 'any',
        dots: 'auto',
        senderFirst: true,
        scanMs: 1000,
        settleMs: 5000,
        sizeLimitOctets: 157_286_400,
        senders: ['local', 'xn--gre-6ka8l.example', '*.example.com', 'erp@example.com'],
        rewriteSender: 'erp@example.com',
        recipients: ['*'],
      },
    ]);
    const [small] = pickupDirectories(
      configWith({ sizeLimitOctets: 1_000_000 }, { sizeLimitOctets: 100_000 }),
    );
    t.equal(small?.sizeLimitOctets, 100_000, 'never more than the server takes');
    t.throws(
      () => pickupDirectories(configWith({ recipients: ['аpp.example'] })),
      /^The pickup “erp” cannot be used: recipients has “аpp\.example”, which is no domain or address\.$/,
      'a domain of mixed scripts',
    );
  },
);

t.test('a directory is told of in a line, and whole', async (t) => {
  const { pickups } = configWith({ senders: ['local'], rewriteSender: 'erp@example.com', relay: 'out' });
  const report = (
    changes: Partial<PickupStatus>,
    isPaused = false,
    configured: readonly PickupConfig[] = pickups,
  ) => reportPickups([status(changes)], configured, isPaused);
  const busy = {
    waiting: 3,
    unfinished: 1,
    deferred: 1,
    oldestWaitingSince: NOON,
    taken: 1,
    takenLastMinute: 1,
    lastFile: { name: 'a.eml', at: NOON },
    bad: 1,
    oldestBadAt: NOON,
    alarms: ['b.eml grows since 12:00'],
  };
  t.equal(
    pickupTable(report(busy)),
    'PICKUP  STATE    DIRECTORY  WAITING  DEFERRED  OLDEST                    TAKEN  LAST TAKEN                BAD\n' +
      'erp     running  /srv/erp   3        1         2026-11-28T12:00:00.000Z  1      2026-11-28T12:00:00.000Z  1\n',
  );
  const [whole] = report(busy);
  if (whole === undefined) throw new Error('no report');
  t.equal(
    pickupFields(whole),
    [
      'Name:            erp',
      'Preset:          none',
      'Kind:            pickup',
      'Directory:       /srv/erp',
      'Badmail:         /srv/erp/badmail',
      'State:           running',
      'Waiting:         3 files, 1 of them still being written, the oldest since 2026-11-28T12:00:00.000Z',
      'Deferred:        1 file, tried again and again',
      'Taken:           1 message since the start, 1 in the last minute',
      'Last taken:      a.eml at 2026-11-28T12:00:00.000Z',
      'Bad:             1 file, the oldest since 2026-11-28T12:00:00.000Z',
      'Senders:         our domains (local); others become erp@example.com',
      'Recipients:      anybody',
      'Mail for others: goes by relay:out',
      'Limit:           100 messages a minute',
      'alarm: b.eml grows since 12:00',
      '',
    ].join('\n'),
  );
  const gone = { isReadable: false, reason: 'it does not exist (ENOENT)' };
  t.match(pickupTable(report(gone, true)), /\nerp {5}unreadable .*\nerp: it does not exist \(ENOENT\)\n$/);
  t.match(pickupTable(report({}, true)), /\nerp {5}paused /);
  t.match(report({}, false, []), [{ preset: null, relay: null, lastFile: null, reason: null }]);
  t.equal(pickupTable([]), 'No pickup directories.\n');
});

t.test('bad files and what became of a retry are told in words', async (t) => {
  t.equal(badFileTable([]), 'No bad files.\n');
  const files = [
    { file: 'a.eml', octets: 2048, at: NOON, reason: 'It has no recipient.' },
    { file: 'b\u001b[2J.eml', octets: 1, at: NOON, reason: undefined },
  ];
  t.equal(
    badFileTable(files),
    'SINCE                     SIZE  FILE            REASON\n' +
      '2026-11-28T12:00:00.000Z  2 KB  a.eml           It has no recipient.\n' +
      '2026-11-28T12:00:00.000Z  1 B   b\\u{1b}[2J.eml  no reason is kept beside it\n',
  );
  t.equal(
    retryText('erp', { moved: ['a.eml'], failed: [{ file: 'b.eml', reason: 'it is not there' }] }),
    'a.eml is back in erp and is taken as soon as it may be.\nb.eml is not put back: it is not there.\n',
  );
  t.equal(
    retryText('erp', { moved: [], failed: [] }),
    'erp is looked at now; what could not be taken is tried again.\n',
  );
});

t.test('route test says what becomes of a file, by the directory`s own rules', async (t) => {
  const world: RoutingWorld = {
    domains: [{ name: 'app.example' }],
    accounts: [{ address: 'a@app.example' }],
    routes: [route({ name: 'all', recipients: ['*'], target: { kind: 'relay', relay: 'smarthost' } })],
  };
  const none = { findAccount: async () => undefined, findIpRange: async () => undefined };
  const ask = (keys: Readonly<Record<string, unknown>>, recipient: string, pickup = 'erp') => {
    const hops = { relays: () => [{ name: 'own' }, { name: 'smarthost' }], drops: () => [] };
    const configured = { ...hops, policies: () => pickupPolicies(configWith(keys)) };
    return testRoute(planningIn(world), none, configured, { sender: 'a@app.example', recipient, pickup });
  };
  const barred = await ask({ recipients: ['local'] }, 'b@far.example');
  t.match(barred, {
    by: 'a file in the pickup directory erp',
    recipientReply: { code: 550, text: /its recipients would have to name far\.example$/ },
    steps: [{ kind: 'refused', refusal: { reason: 'notForDirectory' } }],
  });
  const byOwnRelay = await ask({ relay: 'own' }, 'b@far.example');
  t.match(byOwnRelay.queued, [{ nextHop: { name: 'own' } }]);
  t.match(byOwnRelay.steps, [{ kind: 'directoryRelay', directory: 'erp', relay: 'own' }]);
  t.match((await ask({}, 'b@far.example')).queued, [{ nextHop: { name: 'smarthost' } }]);
  t.match(await ask({ recipients: ['local'] }, 'a@app.example'), { copies: [{ account: 'a@app.example' }] });
  await t.rejects(ask({}, 'b@far.example', 'none'), { code: 'notFound' });
});

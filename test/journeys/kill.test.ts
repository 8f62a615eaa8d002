/**
 * Nothing is lost after the 250, and nothing is there twice: the server is killed under load again and again, with DATA and BDAT, a
 * rule that files some of it, and clients that send again what got no answer. After every fifth restart and the last
 * every acknowledged message is served once, whole, by POP3 and IMAP. HAUSPOST_KILL_ROUNDS makes it longer; HAUSPOST_KILL_SEED repeats a run.
 * Negative controls: a copy of the server whose 250 does not wait for the commit loses mail, and a server that does not know again
 * what comes again has it twice.
 */

import t, { type Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { findTraces } from '../../src/admin/findTraces.ts';
import { addAccount, createSite, type Site } from '../support/appliance.ts';
import { findServed, loadAndKill, seededRandom } from '../support/killRig.ts';
import { createPatchedCopy, EARLY_REPLY } from '../support/patchedCopy.ts';

const ROUNDS = Number(process.env.HAUSPOST_KILL_ROUNDS ?? 20);
const SEED = Number(process.env.HAUSPOST_KILL_SEED ?? 20261124);
const CONNECTIONS = 6;
/** After so many kills, and at the end, every message so far is asked for: after each, the asking would cost more than the load. */
const CHECK_EVERY = 5;
/** Replies after which the kill comes, at most: enough that commits of several messages are under way. */
const REPLIES_LIMIT = 60;
/** Rounds within which the broken server must have lost something; the first one nearly always does. */
const CONTROL_ROUNDS = 10;
const FILED = 'Filed';
/** Of so many acknowledged messages one comes again. */
const RESEND_EVERY = 10;
/** Messages whose traces are looked at. */
const TRACED = 25;

t.setTimeout(Math.max(ROUNDS, 20) * 40_000);

t.test(`no acknowledged message is lost or there twice in ${ROUNDS} kills under load`, async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'ticket');
  const rule = ['rule', 'add', 'odd', '--if', 'subject contains -c3-', '--then', `fileInto ${FILED}`];
  t.equal((await site.cli(rule)).exitCode, 0);
  const random = seededRandom(SEED);
  const acknowledged: string[] = [];
  let inDoubt: readonly string[] = [];
  let resent = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const replies = 1 + Math.floor(random() * REPLIES_LIMIT);
    const server = await site.serve();
    if (round > 0 && round % CHECK_EVERY === 0) {
      const served = await findServed(server, box, acknowledged, ['INBOX', FILED]);
      t.strictSame(served.lost, [], `seed ${SEED}, lost after kill ${round}`);
      t.strictSame(served.doubled, [], `seed ${SEED}, twice after kill ${round}`);
    }
    resent += inDoubt.length;
    const load = { round, connections: CONNECTIONS, replies, again: inDoubt, resendEvery: RESEND_EVERY };
    const outcome = await loadAndKill(server, box, load);
    acknowledged.push(...outcome.acknowledged);
    inDoubt = outcome.inDoubt;
  }
  const server = await site.serve();
  const { lost, doubled, byMailbox } = await findServed(server, box, acknowledged, ['INBOX', FILED]);
  t.strictSame(lost, [], `seed ${SEED}, lost after the last kill`);
  t.strictSame(doubled, [], `seed ${SEED}, twice after the last kill`);
  const filed = byMailbox.get(FILED) ?? [];
  t.ok(filed.length > 0 && filed.every((name) => name.includes('-c3-')), `${filed.length} were filed`);
  t.notOk(
    byMailbox.get('INBOX')?.some((name) => name.includes('-c3-')),
    'and are nowhere else',
  );
  t.equal((await server.stop()).exitCode, 0);
  t.comment(`${acknowledged.length} messages were acknowledged, ${resent} in doubt were sent again`);
  await expectTraces(t, site, acknowledged.slice(-TRACED));
});

t.test('the same check finds messages twice where what comes again is not known again', async (t) => {
  const site = createSite('[transfer]\nsuppressResends = false\n');
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'ticket');
  const load = { round: 0, connections: CONNECTIONS, replies: REPLIES_LIMIT, resendEvery: RESEND_EVERY };
  const { acknowledged } = await loadAndKill(await site.serve(), box, load);
  const server = await site.serve();
  const { lost, doubled } = await findServed(server, box, acknowledged);
  t.strictSame(lost, []);
  t.ok(doubled.length > 0, `twice: ${doubled.join(', ')}`);
  await server.stop();
});

t.test('the same check finds losses when the 250 does not wait for the commit', async (t) => {
  const site = createSite('', createPatchedCopy(t, EARLY_REPLY));
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'ticket');
  const random = seededRandom(SEED);
  const acknowledged: string[] = [];
  let lost: readonly string[] = [];
  for (let round = 0; round < CONTROL_ROUNDS && lost.length === 0; round += 1) {
    const replies = 1 + Math.floor(random() * REPLIES_LIMIT);
    const load = { round, connections: CONNECTIONS, replies };
    acknowledged.push(...(await loadAndKill(await site.serve(), box, load)).acknowledged);
    const server = await site.serve();
    ({ lost } = await findServed(server, box, acknowledged));
    await server.stop();
  }
  t.ok(lost.length > 0, `${acknowledged.length} acknowledged, lost: ${lost.join(', ')}`);
});

/** Each message is found by its subject, stored once; every further time that it came tells of the first one. */
async function expectTraces(t: Test, site: Site, names: readonly string[]): Promise<void> {
  const store = await openStore({ directory: site.directory, clock: systemClock, log: silentLog });
  for (const name of names) {
    const found = await findTraces(store.trace, { subject: name, by: 'subject', limit: 100 });
    const traces = found.filter(({ subject }) => subject === name);
    const stored = traces.filter(({ events }) => events.some(({ kind }) => kind === 'stored'));
    t.equal(stored.length, 1, name);
    for (const { traceId, events } of traces) {
      if (traceId === stored[0]?.traceId) continue;
      t.match(
        events,
        [{ kind: 'accepted' }, { kind: 'duplicate', fields: { of: stored[0]?.traceId } }],
        name,
      );
    }
  }
  await store.close();
}

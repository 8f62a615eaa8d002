/**
 * Nothing is lost after the 250: the server is killed under load again and again, and every acknowledged message is served,
 * whole, by POP3 and IMAP after each restart. HAUSPOST_KILL_ROUNDS makes it longer; HAUSPOST_KILL_SEED repeats a run.
 * The negative control is a copy of the server whose 250 does not wait for the commit: there the same check finds losses.
 */

import t from 'tap';

import { addAccount, createSite } from '../support/appliance.ts';
import { findLost, loadAndKill, seededRandom } from '../support/killRig.ts';
import { createPatchedCopy, EARLY_REPLY } from '../support/patchedCopy.ts';

const ROUNDS = Number(process.env.HAUSPOST_KILL_ROUNDS ?? 20);
const SEED = Number(process.env.HAUSPOST_KILL_SEED ?? 20261124);
const CONNECTIONS = 6;
/** Replies after which the kill comes, at most: enough that commits of several messages are under way. */
const REPLIES_LIMIT = 60;
/** Rounds within which the broken server must have lost something; the first one nearly always does. */
const CONTROL_ROUNDS = 10;

t.setTimeout(Math.max(ROUNDS, 20) * 15_000);

t.test(`no acknowledged message is lost in ${ROUNDS} kills under load`, async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'ticket');
  const random = seededRandom(SEED);
  const acknowledged: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const replies = 1 + Math.floor(random() * REPLIES_LIMIT);
    const server = await site.serve();
    if (round > 0)
      t.strictSame(await findLost(server, box, acknowledged), [], `seed ${SEED}, after kill ${round}`);
    acknowledged.push(...(await loadAndKill(server, box, { round, connections: CONNECTIONS, replies })));
  }
  const server = await site.serve();
  t.strictSame(await findLost(server, box, acknowledged), [], `seed ${SEED}, after the last kill`);
  t.equal((await server.stop()).exitCode, 0);
  t.comment(`${acknowledged.length} messages were acknowledged`);
});

t.test('the same check finds losses when the 250 does not wait for the commit', async (t) => {
  const site = createSite('', createPatchedCopy(t, EARLY_REPLY));
  t.teardown(() => site.remove());
  const box = await addAccount(site, 'ticket');
  const random = seededRandom(SEED);
  const acknowledged: string[] = [];
  let lost: string[] = [];
  for (let round = 0; round < CONTROL_ROUNDS && lost.length === 0; round += 1) {
    const replies = 1 + Math.floor(random() * REPLIES_LIMIT);
    acknowledged.push(
      ...(await loadAndKill(await site.serve(), box, { round, connections: CONNECTIONS, replies })),
    );
    const server = await site.serve();
    lost = await findLost(server, box, acknowledged);
    await server.stop();
  }
  t.ok(lost.length > 0, `${acknowledged.length} acknowledged, lost: ${lost.join(', ')}`);
});

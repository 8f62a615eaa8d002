/**
 * Half a minute of the soak (`npm run soak` is the long form): 100 clients that poll by POP3 and IMAP beside 20 deliveries a second,
 * no error, every message fetched once and whole, and no memory that stays. HAUSPOST_SOAK_SECONDS changes its length.
 */

import t from 'tap';

import { growthMb, runSoak } from '../support/soak.ts';

const SECONDS = Number(process.env.HAUSPOST_SOAK_SECONDS ?? 30);
/** Half of those of the long form: the first login of each costs a hash. */
const CLIENTS = 100;
/** Of what the main thread still uses after a collection, between 40 % of the time and its end. */
const USED_LIMIT_MB = 10;
/** Of resident memory in so short a time: V8 makes room for young objects until the second minute. */
const RESIDENT_LIMIT_MB = 60;

const WHERE = { skip: process.platform !== 'linux' && 'resident memory is read from /proc' };

// Before the time counts, 200 passwords are hashed.
t.setTimeout((SECONDS + 240) * 1000);

t.test(`${SECONDS} s of polling and delivering end without error, loss and leak`, WHERE, async (t) => {
  const report = await runSoak({ seconds: SECONDS, clients: CLIENTS, collects: true });
  t.same(report.faults, []);
  t.equal(report.fetched, report.delivered);
  t.equal(report.delivered, SECONDS * 20);
  const [early = Number.NaN, late = Number.NaN] = report.usedMb;
  t.ok(late - early < USED_LIMIT_MB, `${early.toFixed(1)} MB in use became ${late.toFixed(1)} MB`);
  t.ok(growthMb(report) < RESIDENT_LIMIT_MB, `${growthMb(report).toFixed(1)} MB more are resident`);
});

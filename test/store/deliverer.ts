/**
 * A process that only delivers: opens a store, delivers messages of its own making from several sides at once, and prints
 * `ack <SHA-256>` for each one that the store acknowledged, `no <code>` for each
 * one that it refused. Killed, traced and given I/O errors by kill.test.ts and sync.test.ts.
 *
 * Arguments: directory, deliveries at a time, deliveries in all (0: without end), octets of each (0: of many sizes), and
 * `early` to print the acknowledgement before the store gave it, which is the fault that the tests must notice: it kills itself
 * behind one of them, for a kill from outside may come when all that was acknowledged has been committed.
 */

import { createHash, randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';

import { systemClock } from '../../src/base/clock.ts';
import type { MailError } from '../../src/base/error.ts';
import { type AccountId, newTraceId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { openStore, type SqliteStore } from '../../src/store/sqlite/open.ts';

const ADDRESS = 'in@app.example';
/** Acknowledged too early before it kills itself. */
const EARLY_MESSAGES = 60;
const SIZES = [0, 100, 5_000, 5_000, 60_000, 262_144, 700_000];

const [directory = '', atATime = '1', inAll = '0', octets = '0', acknowledging = ''] = process.argv.slice(2);
const store = await openStore({ directory, clock: systemClock, log: silentLog });
const accountId = await findAccount(store);
let begun = 0;
tell('ready');
await Promise.all(Array.from({ length: Number(atATime) }, deliverOn));
await store.close();
tell(`memory ${memoryPeak()}`);

async function deliverOn(): Promise<void> {
  while (inAll === '0' || begun < Number(inAll)) {
    begun += 1;
    const size = octets === '0' ? (SIZES[begun % SIZES.length] ?? 0) : Number(octets);
    await deliverOne(size).catch((error: MailError) => tell(`no ${error.code}`));
  }
}

async function deliverOne(size: number): Promise<void> {
  const draft = store.contents.begin();
  const hash = createHash('sha256');
  const unique = randomBytes(16);
  for (let left = size; left > 0 || draft.octets === 0; left -= 65_536) {
    const piece = Buffer.alloc(Math.max(16, Math.min(left, 65_536)), unique);
    hash.update(piece);
    await draft.write(piece);
  }
  const line = `ack ${hash.digest('hex')}`;
  if (acknowledging === 'early') {
    tell(line);
    if (begun >= EARLY_MESSAGES) process.kill(process.pid, 'SIGKILL');
  }
  const now = systemClock.now();
  await store.deliveries.deliver({
    traceId: newTraceId(now),
    draft,
    returnPathOctets: 0,
    acceptedAt: now,
    zoneMinutes: 0,
    reversePath: 'a@example.org',
    recipients: [ADDRESS],
    copies: [{ accountId, recipient: ADDRESS }],
    events: [],
  });
  if (acknowledging !== 'early') tell(line);
}

async function findAccount({ directory }: SqliteStore): Promise<AccountId> {
  const found = await directory.findAccount(ADDRESS);
  if (found !== undefined) return found.id;
  await directory.addDomain('app.example', {});
  return (await directory.addAccount({ address: ADDRESS, passwordHash: '$x$' })).id;
}

/** At once and not through a stream: what is printed must be out when the process is killed. */
function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

/** The highest resident memory so far, in kibibytes. */
function memoryPeak(): number {
  return process.resourceUsage().maxRSS;
}

/**
 * A process that renews a token again and again on a store of its own: what tokenLogins.test.ts kills.
 *
 * Arguments: the data directory, and the token client's options as JSON. Each round is a new client, so that nothing is remembered but
 * what is on disk; `renewed` is printed when the access token could be used. With `STEPS` it waits for a line before each round.
 */

import { createInterface } from 'node:readline';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { createTokenClient } from '../../src/exchange/tokens/tokenClient.ts';
import { createTokenVault } from '../../src/admin/tokenVault.ts';

const [directory = '', options = ''] = process.argv.slice(2);
const store = await openStore({ directory, clock: systemClock, log: silentLog });
const vault = createTokenVault(store.secrets);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
process.stdout.write('ready\n');
for (;;) {
  if (process.env.STEPS !== undefined) await lines.next();
  const client = createTokenClient(JSON.parse(options), { clock: systemClock, log: silentLog, vault });
  const answer = await client.token(new AbortController().signal);
  process.stdout.write(answer.kind === 'token' ? 'renewed\n' : `denied: ${answer.reason}\n`);
  client.close();
}

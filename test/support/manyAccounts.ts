/**
 * Accounts by the dozen on a running server, through its control socket from this process: a CLI call each would cost a second.
 */

import { systemClock } from '../../src/base/clock.ts';
import { callControlServer, controlSocketPath } from '../../src/admin/controlSocket.ts';
import type { Site } from './appliance.ts';
import type { Login } from './rawPop3.ts';

/** Adds the domain app.example.com and an account for each of `names` in it; the site's server has to run. */
export async function addAccounts(site: Site, names: readonly string[]): Promise<Login[]> {
  await callServer(site, 'domain.add', { name: 'app.example.com' });
  const accounts: Login[] = [];
  for (const name of names) {
    const account = { address: `${name}@app.example.com`, password: `secret of ${name}` };
    await callServer(site, 'account.add', account);
    accounts.push(account);
  }
  return accounts;
}

/** What an operation of the control socket answers. */
export async function callServer(site: Site, operation: string, input: unknown): Promise<unknown> {
  const answer = await callControlServer(controlSocketPath(site.directory), systemClock, {
    operation,
    input,
  });
  if (answer === undefined) throw new Error(`no server runs on ${site.directory}`);
  return answer.result;
}

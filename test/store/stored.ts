/**
 * What a killed or disturbed deliverer.ts left in its data directory.
 */

import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { entriesOf } from './contract/house.ts';

/** The program to be started with process.execPath. */
export const DELIVERER: string = fileURLToPath(new URL('./deliverer.ts', import.meta.url));

/** The hashes of all messages, each read whole and hashed anew. */
export async function storedHashes(t: Test, directory: string): Promise<ReadonlySet<string>> {
  const store = await openStore({ directory, clock: systemClock, log: silentLog });
  const hashes = new Set<string>();
  const account = await store.directory.findAccount('in@app.example');
  const inbox = account && (await store.mailboxes.find(account.id, ['INBOX']));
  if (inbox === undefined) throw new Error('the account is gone');
  const entries = await entriesOf(store, inbox.id);
  for (const { contentId } of entries) {
    const content = await store.contents.open(contentId);
    const hash = createHash('sha256');
    for await (const piece of content.read(0, content.octets)) hash.update(piece);
    const digest = hash.digest('hex');
    if (digest !== content.sha256.toString('hex')) t.fail(`content ${contentId} was changed`);
    hashes.add(digest);
  }
  t.equal((await store.mailboxes.status(inbox.id)).messages, entries.length);
  await store.close();
  return hashes;
}

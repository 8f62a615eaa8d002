/**
 * Retention as POP3's clients see it, or rather do not: what QUIT deletes is gone from the maildrop and waits in Fetched; and
 * which fetches are remembered. What becomes of it with the days: test/store/retention.test.ts.
 */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import t from 'tap';
import { MailError } from '../../src/base/error.ts';
import { createRetentionPolicy } from '../../src/accounts/retention.ts';
import type { RoomSite } from '../support/site.ts';
import { ADDRESS, ask, inboxUids, logIn, MULTI_LINE, openServer, play, SYSTEM_TIME } from './harness.ts';

const RETAINING = {
  ...SYSTEM_TIME,
  retention: createRetentionPolicy({ retentionDays: 7, deleteAfterFetchDays: 0 }),
};
const ALL = [{ first: 1, last: 4_294_967_295 }];
const THREE = ['one', 'two', 'three'].map((name) => `Subject: ${name}\r\n\r\n${name}\r\n`);

t.test('a deleted message is never listed again, and is in Fetched with its trace', async (t) => {
  const { site, loggedIn } = await openServer(t, RETAINING);
  await fill(site);
  const client = await loggedIn();
  await play(
    client,
    'C: RETR 1\nS: +OK *\nS: Subject: one\nS: \nS: one\nS: .\nC: DELE 1\nS: +OK *\nC: DELE 3\nS: +OK *',
  );
  await play(client, 'C: QUIT\nS: +OK Goodbye, 2 messages deleted');
  t.same(await inboxUids(site), [2]);
  const next = await loggedIn();
  t.match(await ask(next, 'UIDL', MULTI_LINE), /^\+OK.*\r\n1 2\r\n\.\r\n$/);
  t.same(await fetchedUids(site), [1, 2]);
  await site.store.close();
  t.same(askDatabase(site, `SELECT fields ->> 'uid' FROM trace_event WHERE kind = 'retained'`), [1, 2]);
  t.same(askDatabase(site, `SELECT kind FROM trace_event WHERE kind = 'deleted'`), []);
});

t.test('a restored message has a new unique id, so that a client fetches it again', async (t) => {
  const { site, loggedIn } = await openServer(t, RETAINING);
  const account = await fill(site);
  const client = await loggedIn();
  await play(client, 'C: DELE 3\nS: +OK *\nC: QUIT\nS: +OK *');
  const fetched = await site.store.mailboxes.find(account.id, ['Fetched']);
  const inbox = await site.store.mailboxes.find(account.id, ['INBOX']);
  await site.store.mailboxes.move(fetched?.id ?? (0 as never), ALL, inbox?.id ?? (0 as never));
  const next = await loggedIn();
  t.match(await ask(next, 'UIDL', MULTI_LINE), /^\+OK.*\r\n1 1\r\n2 2\r\n3 4\r\n\.\r\n$/);
  t.match(await ask(next, 'RETR 3', MULTI_LINE), /\r\nthree\r\n/);
});

t.test('nothing moves without QUIT, after RSET, or where nothing is marked', async (t) => {
  const { site, loggedIn, pop3d } = await openServer(t, RETAINING);
  const account = await fill(site);
  const cut = await loggedIn();
  await play(cut, 'C: DELE 1\nS: +OK *');
  cut.socket.destroy();
  await play(await loggedIn(), 'C: DELE 2\nS: +OK *\nC: RSET\nS: +OK *\nC: QUIT\nS: +OK Goodbye');
  await play(await loggedIn(), 'C: QUIT\nS: +OK Goodbye');
  await pop3d.close(0);
  t.same(await inboxUids(site), [1, 2, 3]);
  t.equal(await site.store.mailboxes.find(account.id, ['Fetched']), undefined);
});

t.test('two sessions that share a snapshot delete the same message once', async (t) => {
  const { site, loggedIn } = await openServer(t, RETAINING);
  await fill(site);
  const [one, other] = [await loggedIn(), await loggedIn()];
  await play(one, 'C: DELE 1\nS: +OK *\nC: DELE 2\nS: +OK *');
  await play(other, 'C: DELE 2\nS: +OK *\nC: DELE 3\nS: +OK *');
  await Promise.all([play(one, 'C: QUIT\nS: +OK *'), play(other, 'C: QUIT\nS: +OK *')]);
  const counts = [one, other].map(({ received }) => Number(/(\d) messages deleted/.exec(received)?.[1]));
  t.same(counts.sort(), [1, 2]);
  t.same(await inboxUids(site), []);
  t.same(await fetchedUids(site), [1, 2, 3]);
});

t.test('a QUIT that cannot retain answers [SYS/TEMP], and nothing is deleted', async (t) => {
  for (const code of ['diskFull', 'limit', 'storeUnavailable'] as const) {
    const { site, loggedIn } = await openServer(t, {
      ...RETAINING,
      mailboxes: (real) => ({ ...real, retain: async () => Promise.reject(new MailError(code)) }),
    });
    const account = await fill(site);
    const client = await loggedIn();
    await play(client, 'C: DELE 1\nS: +OK *');
    t.match(await ask(client, 'QUIT'), /^-ERR \[SYS\/TEMP\] /, code);
    t.same(await inboxUids(site), [1, 2, 3]);
    t.equal(await site.store.mailboxes.find(account.id, ['Fetched']), undefined);
  }
});

t.test('a full quota stands in no deletion’s way, and makes room', async (t) => {
  const { site, loggedIn } = await openServer(t, RETAINING);
  const account = await fill(site, 10);
  t.equal(await site.accounts.isOverQuota(account, 0), true);
  const client = await loggedIn();
  await play(client, 'C: DELE 1\nS: +OK *\nC: DELE 2\nS: +OK *\nC: DELE 3\nS: +OK *\nC: QUIT\nS: +OK *');
  t.same(await fetchedUids(site), [1, 2, 3]);
  t.equal(await site.accounts.isOverQuota(account, 0), false);
});

t.test('the account’s setting wins over the server’s, either way, from the next login on', async (t) => {
  const cases = [
    { server: 0, own: undefined, isRetained: false },
    { server: 0, own: '5', isRetained: true },
    { server: 7, own: undefined, isRetained: true },
    { server: 7, own: '0', isRetained: false },
  ];
  for (const { server, own, isRetained } of cases) {
    const retention = createRetentionPolicy({ retentionDays: server, deleteAfterFetchDays: 0 });
    const { site, loggedIn } = await openServer(t, { ...SYSTEM_TIME, retention });
    await fill(site);
    if (own !== undefined)
      await site.administration.accounts.set(ADDRESS, { settings: { 'pop3.retentionDays': own } });
    await play(await loggedIn(), 'C: DELE 1\nS: +OK *\nC: QUIT\nS: +OK *');
    t.same(await inboxUids(site), [2, 3]);
    t.same(await fetchedUids(site), isRetained ? [1] : [], `server ${server}, account ${own}`);
  }
});

t.test('whole fetches are remembered for what is left, however the session ends', async (t) => {
  const { site, loggedIn, pop3d } = await openServer(t, SYSTEM_TIME);
  await fill(site, undefined, 8);
  const client = await loggedIn();
  for (const line of ['RETR 1', 'RETR 2', 'TOP 3 99999999', 'TOP 4 50000', 'TOP 5 0'])
    await ask(client, line, MULTI_LINE);
  await play(client, 'C: DELE 2\nS: +OK *\nC: QUIT\nS: +OK *');
  const pipelining = await loggedIn();
  pipelining.send('RETR 6\r\nQUIT\r\n');
  await pipelining.closed();
  const cut = await loggedIn();
  await ask(cut, 'RETR 7', MULTI_LINE);
  await ask(cut, 'NOOP');
  cut.socket.destroy();
  await pop3d.close(1000);
  await site.store.close();
  const fetched = askDatabase(site, 'SELECT uid FROM entry WHERE fetched_at IS NOT NULL ORDER BY uid');
  t.same(fetched, [1, 3, 7, 8], 'looks at a message are no fetches');
});

t.test('a client that deletes what it fetches costs no note of its fetches', async (t) => {
  let notes = 0;
  const { site, loggedIn } = await openServer(t, {
    ...SYSTEM_TIME,
    mailboxes: (real) => ({
      ...real,
      markFetched: async (...args) => {
        notes += 1;
        return real.markFetched(...args);
      },
    }),
  });
  await fill(site);
  const client = await loggedIn();
  for (const number of [1, 2, 3]) {
    await ask(client, `RETR ${number}`, MULTI_LINE);
    await ask(client, `DELE ${number}`);
  }
  await ask(client, 'QUIT');
  t.equal(notes, 0);
  t.same(await inboxUids(site), []);
});

t.test('a store that cannot note a fetch costs no session its mail or its QUIT', async (t) => {
  const { site, loggedIn } = await openServer(t, {
    ...RETAINING,
    mailboxes: (real) => ({
      ...real,
      markFetched: async () => Promise.reject(new MailError('storeUnavailable')),
    }),
  });
  await fill(site);
  const client = await loggedIn();
  await ask(client, 'RETR 1', MULTI_LINE);
  await play(client, 'C: DELE 2\nS: +OK *\nC: QUIT\nS: +OK *');
  t.same(await inboxUids(site), [1, 3]);
});

t.test(
  'EXPIRE tells the days after a fetch: the server’s, and after login those of the account',
  async (t) => {
    const retention = createRetentionPolicy({ retentionDays: 7, deleteAfterFetchDays: 14 });
    const { site, connect } = await openServer(t, { ...SYSTEM_TIME, retention });
    await fill(site);
    const client = await connect();
    await client.until(/\r\n$/);
    t.match(await ask(client, 'CAPA', MULTI_LINE), /\r\nEXPIRE 14\r\n/);
    for (const [own, told] of [
      ['30', 'EXPIRE 30'],
      ['0', 'EXPIRE NEVER'],
    ] as const) {
      await site.administration.accounts.set(ADDRESS, { settings: { 'pop3.deleteAfterFetchDays': own } });
      const other = await connect();
      await logIn(other);
      t.match(await ask(other, 'CAPA', MULTI_LINE), new RegExp(`\\r\\n${told}\\r\\n`));
    }
  },
);

async function fill(site: RoomSite, quotaOctets?: number, count = 3) {
  const account = await site.addAccount(ADDRESS, quotaOctets);
  for (let index = 0; index < count; index += 1) await site.deliver(THREE[index % 3] ?? '', account);
  return account;
}

async function fetchedUids({ store }: RoomSite): Promise<number[]> {
  const account = await store.directory.findAccount(ADDRESS);
  const fetched = account && (await store.mailboxes.find(account.id, ['Fetched']));
  const uids: number[] = [];
  if (fetched === undefined) return uids;
  for await (const slice of store.mailboxes.entries(fetched.id, { first: 1, last: 4_294_967_295 }))
    for (const { uid } of slice) uids.push(uid);
  return uids;
}

/** The first column of what the database of a site answers. */
function askDatabase({ directory }: RoomSite, sql: string): unknown[] {
  const db = new Sqlite(join(directory, 'hauspost.db'), { readonly: true });
  const values = db.prepare(sql).pluck().all();
  db.close();
  return values;
}

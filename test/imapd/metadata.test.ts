/** What the store knows of messages and mailboxes beside their octets: object ids, save dates, quotas, limits. */

import t from 'tap';

import { unixMs } from '../../src/base/clock.ts';
import type { ContentId } from '../../src/base/ids.ts';
import type { Log } from '../../src/base/log.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Entry } from '../../src/store/contract/mailboxes.ts';
import { emailIdOf } from '../../src/imapd/objectIds.ts';
import { settingsOf } from '../../src/imapd/options.ts';
import { ADDRESS, LOGIN, openImapSite, playScript } from './harness.ts';
import type { RawClient, SiteOptions } from './harness.ts';

/** The one match of `pattern` in what a command answers. */
async function told(client: RawClient, command: string, pattern: RegExp): Promise<string> {
  const lines = await client.command(command);
  const found = lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
  if (found.length !== 1) throw new Error(`${command}: ${lines.join('\n')}`);
  return found[0] ?? '';
}

const MAILBOX_ID = /MAILBOXID \((F[0-9a-f]{32})\)/;
const EMAIL_ID = /EMAILID \((M[0-9a-f]+-[0-9a-f]{32})\)/;

t.test(
  'MAILBOXID is one for CREATE, SELECT, EXAMINE, STATUS and LIST, and stays through RENAME',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('');
    const id = await told(client, 'CREATE a', MAILBOX_ID);
    t.equal(await told(client, 'SELECT a', MAILBOX_ID), id);
    t.equal(await told(client, 'EXAMINE a', MAILBOX_ID), id);
    t.equal(await told(client, 'STATUS a (MESSAGES MAILBOXID)', MAILBOX_ID), id);
    t.equal(await told(client, 'LIST "" a RETURN (STATUS (MAILBOXID))', MAILBOX_ID), id);
    await client.command('RENAME a b/c');
    t.equal(await told(client, 'STATUS b/c (MAILBOXID)', MAILBOX_ID), id, 'renamed');
    t.not(await told(client, 'CREATE a', MAILBOX_ID), id, 'the name made anew');
    const inbox = await told(client, 'STATUS INBOX (MAILBOXID)', MAILBOX_ID);
    await client.command('RENAME INBOX old');
    t.equal(
      await told(client, 'STATUS INBOX (MAILBOXID)', MAILBOX_ID),
      inbox,
      'RENAME of INBOX moves messages only',
    );
    t.not(await told(client, 'STATUS old (MAILBOXID)', MAILBOX_ID), inbox);
    const all = (await client.command('LIST "" * RETURN (STATUS (MAILBOXID))')).flatMap(
      (line) => MAILBOX_ID.exec(line)?.[1] ?? [],
    );
    t.ok(all.length > 6 && new Set(all).size === all.length, 'no two have one');
  },
);

t.test('EMAILID goes along with COPY and MOVE, and no other message has it', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected();
  const append = (date: string) => client.command(`APPEND INBOX "${date}" {4+}\r\nx: y`);
  await append('01-Jan-2024 00:00:00 +0000');
  await append('01-Jan-2024 00:00:00 +0100');
  const first = await told(client, 'FETCH 1 (EMAILID THREADID)', /\(EMAILID \(([^)]+)\) THREADID NIL\)$/);
  const second = await told(client, 'UID FETCH 2 EMAILID', EMAIL_ID);
  t.not(first, second, 'the internal date is immutable with the id: another date, another id');
  await client.command('CREATE other');
  await client.command('COPY 1 other');
  await client.command('MOVE 2 other');
  t.equal(await told(client, 'FETCH 1 EMAILID', EMAIL_ID), first, 'the source keeps it');
  await client.command('SELECT other');
  t.equal(await told(client, 'FETCH 1 EMAILID', EMAIL_ID), first, 'copied');
  t.equal(await told(client, 'FETCH 2 EMAILID', EMAIL_ID), second, 'moved');
  await client.command('STORE 1:2 +FLAGS (\\Seen x)');
  t.equal(await told(client, 'FETCH 2 EMAILID', EMAIL_ID), second, 'flags change nothing');
  const find = (keys: string) => told(client, `SEARCH ${keys}`, /^\* SEARCH ?(.*)$/);
  t.equal(await find(`EMAILID ${second}`), '2');
  t.equal(await find(`OR EMAILID ${first} EMAILID ${second}`), '1 2');
  t.equal(await find(`NOT EMAILID ${second}`), '1');
  t.equal(await find(`EMAILID ${second.toUpperCase()}`), '', 'the case counts');
  t.equal(await find(`EMAILID ${second.slice(0, -1)}${second.endsWith('0') ? '1' : '0'}`), '');
  t.equal(await find(`EMAILID ${second.slice(0, -1)}`), '');
  t.equal(await find('EMAILID nothing-like-it'), '');
  t.equal(await find(`THREADID ${second}`), '');
  t.equal(await find('NOT THREADID T1'), '1 2');
});

t.test('an EMAILID differs where the octets, the internal date or the content differ', (t) => {
  const date = { at: unixMs(1000), zoneMinutes: 0 };
  const content = { id: 7 as ContentId, sha256: Buffer.alloc(32, 1) };
  const ids = [
    emailIdOf(content, date),
    emailIdOf({ ...content, sha256: Buffer.alloc(32, 2) }, date),
    emailIdOf({ ...content, id: 8 as ContentId }, date),
    emailIdOf(content, { ...date, at: unixMs(1001) }),
    emailIdOf(content, { ...date, zoneMinutes: 60 }),
  ];
  t.equal(new Set(ids).size, ids.length, 'so a number given again after a restore is no clash');
  t.equal(emailIdOf({ ...content }, { ...date }), ids[0]);
  t.end();
});

/** A server whose entries have these save dates, in the order of their UIDs. */
function savedAt(...times: readonly (number | undefined)[]): SiteOptions {
  const dated = (entry: Entry): Entry => {
    const time = times[entry.uid - 1];
    return { ...entry, savedAt: time === undefined ? undefined : unixMs(time) };
  };
  return {
    wrap: (store) => ({
      ...store,
      mailboxes: {
        ...store.mailboxes,
        async *entries(mailboxId, range) {
          for await (const slice of store.mailboxes.entries(mailboxId, range)) yield slice.map(dated);
        },
      },
    }),
  };
}

t.test('SAVEDATE is told in the server’s zone, and searched by its day there', async (t) => {
  const { TZ } = process.env;
  process.env.TZ = 'Asia/Kolkata';
  t.teardown(() => {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  });
  const site = await openImapSite(
    t,
    savedAt(Date.UTC(2026, 0, 14, 18, 29, 59), Date.UTC(2026, 0, 14, 18, 30)),
  );
  const client = await site.selected();
  for (let count = 0; count < 3; count += 1) {
    await client.command('APPEND INBOX "20-Feb-2020 23:59:59 -0800" {1+}\r\nx');
  }
  t.same(await client.command('FETCH 1:3 SAVEDATE'), [
    '* 1 FETCH (SAVEDATE "14-Jan-2026 23:59:59 +0530")',
    '* 2 FETCH (SAVEDATE "15-Jan-2026 00:00:00 +0530")',
    '* 3 FETCH (SAVEDATE NIL)',
    't6 OK FETCH completed',
  ]);
  const find = (keys: string) => told(client, `SEARCH ${keys}`, /^\* SEARCH ?(.*)$/);
  t.equal(await find('SAVEDON 14-Jan-2026'), '1');
  t.equal(await find('SAVEDON 15-Jan-2026'), '2');
  t.equal(await find('SAVEDSINCE 14-Jan-2026'), '1 2');
  t.equal(await find('SAVEDBEFORE 15-Jan-2026'), '1 3', 'where it is not known the internal date counts');
  t.equal(await find('SAVEDON 20-Feb-2020'), '3');
  t.equal(await find('SAVEDATESUPPORTED'), '1 2 3');
  t.equal(await find('NOT SAVEDATESUPPORTED'), '');
});

t.test('APPEND, COPY and MOVE give a save date, whatever internal date a message has', async (t) => {
  const site = await openImapSite(t);
  const client = await site.client();
  await client.command(LOGIN);
  const before = Math.floor(Date.now() / 1000) * 1000;
  await client.command('APPEND INBOX "01-Jan-2001 00:00:00 +0000" {1+}\r\nx');
  await client.command('CREATE other');
  await client.command('SELECT INBOX');
  const date = await told(client, 'FETCH 1 SAVEDATE', /SAVEDATE "([^"]+)"/);
  t.ok(Date.parse(date) >= before && Date.parse(date) <= Date.now(), date);
  await client.command('COPY 1 other');
  await client.command('MOVE 1 other');
  await client.command('SELECT other');
  for (const number of [1, 2]) {
    const line = await told(client, `FETCH ${number} (SAVEDATE INTERNALDATE)`, /(SAVEDATE .*)\)$/);
    t.match(line, /^SAVEDATE "[^"]+" INTERNALDATE " 1-Jan-2001 00:00:00 \+0000"$/);
    t.ok(Date.parse(line.slice(10, 36)) >= before, line);
  }
});

t.test('the transcript quota goes as written', async (t) => {
  await playScript(t, 'quota', { quotaOctets: 3000 });
});

t.test(
  'the quota that is told and asked is the one of now; usage is rounded up as the limit is',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected();
    t.match(await client.command('GETQUOTAROOT INBOX'), [
      '* QUOTAROOT "INBOX" Account',
      '* QUOTA Account ()',
      /OK/,
    ]);
    await site.put(['INBOX'], 'x'.repeat(2049));
    await client.command('NOOP');
    for (const [quotaOctets, told] of [
      [4096, 'STORAGE 3 4'],
      [2049, 'STORAGE 3 3'],
      [1, 'STORAGE 3 1'],
      [0, 'STORAGE 3 0'],
    ] as const) {
      await site.store.directory.setAccount(ADDRESS, { quotaOctets });
      t.match(await client.command('GETQUOTA Account'), [`* QUOTA Account (${told})`, /OK/]);
    }
    await client.command('CREATE other');
    t.match((await client.command('COPY 1 other')).at(-1), /NO \[OVERQUOTA\]/);
    t.match((await client.command('MOVE 1 Trash')).at(-1), /OK/, 'a move within the account adds nothing');
    await site.store.directory.setAccount(ADDRESS, { quotaOctets: null });
    t.match(await client.command('GETQUOTA Account'), ['* QUOTA Account ()', /OK/]);
  },
);

t.test('APPEND asks the quota of now, before the literal', async (t) => {
  const site = await openImapSite(t, { quotaOctets: 10 });
  const client = await site.selected();
  t.match(await client.command('APPEND INBOX {11}'), [/NO \[OVERQUOTA\]/]);
  await site.store.directory.setAccount(ADDRESS, { quotaOctets: 11 });
  t.match((await client.command('APPEND INBOX {11+}\r\nSubject: ab')).at(-1), /OK \[APPENDUID/);
  t.match(await client.command('APPEND INBOX {1}'), [/NO \[OVERQUOTA\]/]);
  await site.store.directory.setAccount(ADDRESS, { quotaOctets: null });
  t.match((await client.command('APPEND INBOX {1+}\r\nx')).at(-1), /OK \[APPENDUID/);
});

t.test('APPENDLIMIT is hidden by its name, and no more than its grammar can say', async (t) => {
  const hidden = await openImapSite(t, { hiddenCapabilities: ['APPENDLIMIT', 'QUOTA'] });
  const [line] = await (await hidden.client()).command('CAPABILITY');
  t.notMatch(line, /APPENDLIMIT|QUOTA /);
  t.equal(settingsOf({ appendLimitOctets: 2 ** 40 }).appendLimitOctets, 2 ** 32 - 1);
});

t.test('who asks for previews stands in the log; messages stay unseen', async (t) => {
  const asked: unknown[] = [];
  const log: Log = {
    ...silentLog,
    debug: (event, fields) => event === 'imapd.preview.asked' && asked.push(fields),
    with: () => log,
  };
  const site = await openImapSite(t, { log });
  await site.put(
    ['INBOX'],
    'Subject: x\r\n\r\nfirst words',
    Buffer.from('Subject: y\r\n\r\n\xe4\0', 'latin1'),
  );
  const client = await site.selected();
  await client.command('FETCH 1:2 (FLAGS UID)');
  t.same(asked, []);
  t.match(await client.command('FETCH 1:2 (PREVIEW (LAZY) FLAGS)'), [
    '* 1 FETCH (PREVIEW "first words" FLAGS (\\Recent))',
    '* 2 FETCH (PREVIEW {2}\r\n\xc3\xa4 FLAGS (\\Recent))',
    /OK/,
  ]);
  t.same(asked, [{ address: ADDRESS }]);
});

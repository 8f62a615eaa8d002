/** What an administrator sets for one account or one listener: hidden capabilities, the hierarchy delimiter, sessions at a time. */

import t from 'tap';
import type { Test } from 'tap';

import { MailError } from '../../src/base/error.ts';
import { ACCOUNT_CAPABILITIES, LISTENER_CAPABILITIES } from '../../src/imapd/capabilities.ts';
import { ADDRESS, LOGIN, openImapSite, RawClient } from './harness.ts';
import type { ImapSite } from './harness.ts';

/** A client that has read the greeting of the listener of this number. */
async function clientOf(t: Test, site: ImapSite, listener = 0): Promise<RawClient> {
  const client = await RawClient.connect(t, site.imapd.listeners[listener]?.port ?? 0);
  await client.line();
  return client;
}

/** What the client is told after its tag, and in the untagged CAPABILITY. */
async function toldTo(client: RawClient): Promise<{ code: string; list: string }> {
  const [login = ''] = await client.command(LOGIN);
  const [list = ''] = await client.command('CAPABILITY');
  return { code: /\[CAPABILITY ([^\]]*)\]/.exec(login)?.[1] ?? '', list: list.replace('* CAPABILITY ', '') };
}

t.test('an account’s hidden capabilities are told before login, not after it, and work', async (t) => {
  const site = await openImapSite(t);
  const { accounts } = site.administration;
  const before = await clientOf(t, site);
  await accounts.set(ADDRESS, { settings: { 'imap.hiddenCapabilities': 'move,IDLE' } });
  const old = await toldTo(before);
  t.notMatch(old.code, / (MOVE|IDLE)( |$)/, 'as set when the login is answered');
  const client = await clientOf(t, site);
  t.match(await client.command('CAPABILITY'), [/ IDLE .* MOVE /], 'nobody is known yet');
  const told = await toldTo(client);
  t.equal(told.code, told.list);
  t.match(told.list, /^IMAP4rev1 .*UIDPLUS/);
  t.notMatch(told.list, / (MOVE|IDLE)( |$)/);
  await site.put(['INBOX'], 'one\r\n');
  await client.command('SELECT INBOX');
  t.match((await client.command('MOVE 1 Trash')).at(-1), /OK/);
  client.send('i IDLE\r\n');
  t.equal(await client.line(), '+ idling');
  client.send('DONE\r\n');
  await client.answer('i');
  await accounts.set(ADDRESS, { settings: { 'imap.hiddenCapabilities': null } });
  t.notMatch((await client.command('CAPABILITY'))[0], / IDLE /, 'a session keeps what was set at its login');
  t.match((await toldTo(await clientOf(t, site))).list, / IDLE .* MOVE /, 'the next login counts');
});

t.test(
  'a listener’s hidden capabilities are told neither in the greeting nor later, an account’s add to them',
  async (t) => {
    const site = await openImapSite(t, { listeners: [{ 'imap.hiddenCapabilities': ['ID', 'AUTH=LOGIN'] }] });
    await site.administration.accounts.set(ADDRESS, { settings: { 'imap.hiddenCapabilities': 'IDLE' } });
    const client = await RawClient.connect(t, site.imapd.listeners[1]?.port ?? 0);
    const greeting = await client.line();
    t.match(greeting, /\[CAPABILITY IMAP4rev1 .*AUTH=PLAIN .*IDLE /);
    t.notMatch(greeting, /AUTH=LOGIN| ID /);
    t.notMatch((await client.command('CAPABILITY'))[0], /AUTH=LOGIN| ID /);
    const told = await toldTo(client);
    t.equal(told.code, told.list);
    t.notMatch(told.list, / (ID|IDLE)( |$)/);
    t.match(await client.command('ID NIL'), [/^\* ID /, /OK/], 'hidden, not gone');
    t.match((await toldTo(await clientOf(t, site, 0))).list, / ID /, 'the other listener tells it');
  },
);

t.test('each capability but IMAP4rev1 can be hidden, and UIDONLY is never told', async (t) => {
  const listeners = [{ 'imap.hiddenCapabilities': LISTENER_CAPABILITIES }];
  const site = await openImapSite(t, { compression: true, listeners });
  const client = await clientOf(t, site, 1);
  t.same(await client.command('CAPABILITY'), ['* CAPABILITY IMAP4rev1', 't1 OK Capability completed']);
  t.same((await toldTo(client)).list, 'IMAP4rev1');
  const open = await clientOf(t, site);
  const [before = ''] = await open.command('CAPABILITY');
  const told = new Set([...before.split(' ').slice(2), ...(await toldTo(open)).list.split(' ')]);
  told.delete('IMAP4rev1');
  const nameOf = (capability: string) => capability.replace(/^APPENDLIMIT=\d+$/, 'APPENDLIMIT');
  t.same(
    [...told].filter((capability) => !LISTENER_CAPABILITIES.includes(nameOf(capability))),
    [],
  );
  for (const list of [ACCOUNT_CAPABILITIES, LISTENER_CAPABILITIES, [...told]]) {
    t.notOk(list.some((capability) => /UIDONLY|LOGINDISABLED|IMAP4rev1/i.test(capability)));
    t.equal(new Set(list).size, list.length);
  }
});

t.test(
  'an account with dots and one with slashes work side by side, each with the other’s delimiter in names',
  async (t) => {
    const site = await openImapSite(t);
    const dotted = 'dotted@app.example.com';
    await site.addAccount(dotted);
    t.teardown(() => site.store.directory.removeAccount(dotted));
    await site.administration.accounts.set(dotted, { settings: { 'imap.delimiter': '.' } });
    const slash = await site.selected('');
    const dot = await site.client();
    await dot.command(`LOGIN ${dotted} secret`);
    for (const [client, d, other] of [
      [slash, '/', '.'],
      [dot, '.', '/'],
    ] as const) {
      const name = `Kunden${d}A${other}B${d}2024`;
      t.match(await client.command('NAMESPACE'), [`* NAMESPACE (("" "${d}")) NIL NIL`, /OK/]);
      t.match(await client.command('LIST "" ""'), [`* LIST (\\Noselect) "${d}" ""`, /OK/]);
      t.match((await client.command(`CREATE ${name}`)).at(-1), /OK/);
      t.match((await client.command(`SUBSCRIBE ${name}`)).at(-1), /OK/);
      t.match(await client.command('LIST "" "Kunden*"'), [
        `* LIST (\\HasChildren) "${d}" "Kunden"`,
        `* LIST (\\HasChildren) "${d}" "Kunden${d}A${other}B"`,
        `* LIST (\\HasNoChildren) "${d}" "${name}"`,
        /OK/,
      ]);
      t.match(await client.command(`LIST "" "Kunden${d}%"`), [/"Kunden.A.B"$/, /OK/]);
      t.match(await client.command(`LIST Kunden${d} % RETURN (STATUS (MESSAGES))`), [
        /^\* LIST/,
        `* STATUS "Kunden${d}A${other}B" (MESSAGES 0)`,
        /OK/,
      ]);
      t.match(await client.command('LSUB "" "Kunden*"'), [`* LSUB () "${d}" "${name}"`, /OK/]);
      t.match(await client.command(`STATUS ${name} (MESSAGES)`), [`* STATUS "${name}" (MESSAGES 0)`, /OK/]);
      t.match((await client.command(`APPEND ${name} {1+}\r\nx`)).at(-1), /OK/);
      t.match((await client.command(`SELECT ${name}`)).at(-1), /OK/);
      t.match((await client.command(`COPY 1 Kunden`)).at(-1), /OK/);
      t.match((await client.command(`RENAME Kunden${d}A${other}B Kunden${d}C`)).at(-1), /OK/);
      t.match(await client.command(`LIST "" "Kunden${d}C*"`), [/"Kunden.C"$/, /"Kunden.C.2024"$/, /OK/]);
      t.match((await client.command('CLOSE')).at(-1), /OK/);
      t.match((await client.command(`DELETE Kunden${d}C${d}2024`)).at(-1), /OK/);
      t.match((await client.command(`UNSUBSCRIBE ${name}`)).at(-1), /OK/);
      t.match(await client.command('LSUB "" "Kunden*"'), [/OK/]);
    }
  },
);

t.test(
  'the account’s delimiter goes before the listener’s, that before the server’s, from the next login on',
  async (t) => {
    const site = await openImapSite(t, { delimiter: '.', listeners: [{ 'imap.delimiter': '/' }] });
    const delimiterOf = async (client: RawClient) =>
      /\(\("" "(.)"\)\)/.exec((await client.command('NAMESPACE'))[0] ?? '')?.[1];
    const loggedIn = async (listener: number) => {
      const client = await clientOf(t, site, listener);
      await client.command(LOGIN);
      return client;
    };
    t.equal(await delimiterOf(await loggedIn(0)), '.');
    const early = await loggedIn(1);
    t.equal(await delimiterOf(early), '/');
    await site.administration.accounts.set(ADDRESS, { settings: { 'imap.delimiter': '.' } });
    t.equal(await delimiterOf(await loggedIn(1)), '.');
    t.equal(await delimiterOf(early), '/');
  },
);

t.test(
  'a mailbox whose level holds the delimiter is shown under no other name, and is back with the old delimiter',
  async (t) => {
    const site = await openImapSite(t);
    const { accounts } = site.administration;
    const slash = await site.selected('');
    await slash.command('CREATE a.b/c');
    await slash.command('SUBSCRIBE a.b/c');
    await slash.command('CREATE a');
    await site.put(['a.b', 'c'], 'kept\r\n');
    await accounts.set(ADDRESS, { settings: { 'imap.delimiter': '.' } });
    const dot = await site.selected('');
    t.match(await dot.command('LIST "" "a*"'), ['* LIST (\\HasNoChildren) "." "a"', /OK/]);
    t.match(await dot.command('LSUB "" "a*"'), [/OK/]);
    t.match(await dot.command('SELECT a.b.c'), [/NO \[NONEXISTENT\]/]);
    t.match(await dot.command('CREATE a.b'), [/OK/], 'another mailbox, a level below');
    t.match(await dot.command('DELETE a.b'), [/OK/]);
    await accounts.set(ADDRESS, { settings: { 'imap.delimiter': null } });
    const again = await site.selected('a.b/c');
    t.match(await again.command('FETCH 1 BODY[]'), [/kept/, /OK/]);
  },
);

t.test(
  'one session too many is NO [LIMIT], and its place is free as soon as another ends, however it ends',
  async (t) => {
    const site = await openImapSite(t, { sessionsPerAccountLimit: 2 });
    const full = /^t\d NO \[LIMIT\] This account has too many sessions open$/;
    const ends: readonly [string, (client: RawClient) => void][] = [
      ['LOGOUT', (client) => client.send('z LOGOUT\r\n')],
      ['FIN', (client) => client.socket.end()],
      ['reset', (client) => client.socket.resetAndDestroy()],
    ];
    const other = 'other@app.example.com';
    await site.addAccount(other);
    t.teardown(() => site.store.directory.removeAccount(other));
    await site.selected();
    let second = await site.selected();
    for (const [name, end] of ends) {
      const refused = await site.client();
      t.match(await refused.command(LOGIN), [full], name);
      t.match(await refused.command(`LOGIN ${other} secret`), [/OK/], 'another account is not concerned');
      const retrying = await site.client();
      t.match(await retrying.command('SELECT INBOX'), [/BAD/], 'it is not logged in');
      end(second);
      let answer = full.source;
      while (/\[LIMIT/.test(answer)) [answer = ''] = await retrying.command(LOGIN);
      t.match(answer, /OK \[CAPABILITY/);
      refused.socket.destroy();
      second = retrying;
    }
    while (site.imapd.sessionCount > 2) await new Promise((resolve) => setImmediate(resolve));
    t.match(await (await site.client()).command(`LOGIN ${ADDRESS} wrong`), [/AUTHENTICATIONFAILED/]);
  },
);

t.test(
  'a session gives its place up with the answer to LOGOUT, whether its client closes or not',
  async (t) => {
    const site = await openImapSite(t, { sessionsPerAccountLimit: 1 });
    const lingering = await site.selected();
    lingering.socket.allowHalfOpen = true;
    await lingering.command('LOGOUT');
    t.match(await (await site.client()).command(LOGIN), [/OK/]);
  },
);

t.test('a session whose client is gone gives its place up before its command is done', async (t) => {
  const stuck = Promise.withResolvers<never>();
  const site = await openImapSite(t, {
    sessionsPerAccountLimit: 1,
    wrap: (store) => ({ ...store, mailboxes: { ...store.mailboxes, status: () => stuck.promise } }),
  });
  t.teardown(() => stuck.reject(new MailError('storeUnavailable')));
  const reader = await site.selected('');
  reader.send('s STATUS INBOX (MESSAGES)\r\n');
  const next = await site.client();
  t.match(await next.command(LOGIN), [/NO \[LIMIT\]/], 'a session that is stuck holds it');
  reader.socket.resetAndDestroy();
  let answer = '[LIMIT]';
  for (let count = 0; /\[LIMIT/.test(answer) && count < 90; count += 1)
    [answer = ''] = await next.command(LOGIN);
  t.match(answer, /OK/);
});

t.test('an account’s own number of sessions goes before the server’s, whether more or less', async (t) => {
  const site = await openImapSite(t, { sessionsPerAccountLimit: 1 });
  const set = (limit: string | null) =>
    site.administration.accounts.set(ADDRESS, { settings: { 'imap.sessionLimit': limit } });
  await set('3');
  for (let count = 0; count < 3; count += 1) await site.selected();
  t.match(await (await site.client()).command(LOGIN), [/NO \[LIMIT\]/]);
  await set(null);
  t.match(await (await site.client()).command(LOGIN), [/NO \[LIMIT\]/], 'those that are open stay open');
});

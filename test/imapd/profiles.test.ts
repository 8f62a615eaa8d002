/** Profiles in IMAP: whole sessions as clients of other servers speak them, and which of listener and account decides. */

import t from 'tap';
import type { Test } from 'tap';

import { PROFILE_NAMES, PROFILES } from '../../src/accounts/profiles.ts';
import { LISTENER_CAPABILITIES } from '../../src/imapd/capabilities.ts';
import { ADDRESS, LOGIN, openImapSite, playScript, RawClient } from './harness.ts';
import type { ImapSite } from './harness.ts';

for (const profile of ['hmailserver', 'exchange'] as const) {
  t.test(`a session with the profile ${profile} goes as such a server's clients expect`, async (t) => {
    await playScript(t, `../profiles/imap-${profile}`, { profile });
  });
}

t.test('profiles tell only capabilities that exist', async (t) => {
  for (const name of PROFILE_NAMES) {
    const told = PROFILES[name]['imap.toldCapabilities'] ?? [];
    t.same(
      told.filter((capability) => !LISTENER_CAPABILITIES.includes(capability)),
      [],
    );
  }
});

/** A client of the listener of this number, and its greeting. */
async function greeted(t: Test, site: ImapSite, listener: number) {
  const client = await RawClient.connect(t, site.imapd.listeners[listener]?.port ?? 0);
  return { client, greeting: await client.line() };
}

const delimiterOf = async (client: RawClient) =>
  /\(\("" "(.)"\)\)/.exec((await client.command('NAMESPACE'))[0] ?? '')?.[1];

t.test('two accounts with different profiles have each their own on one listener, after login', async (t) => {
  const site = await openImapSite(t);
  const dotted = 'dotted@app.example.com';
  await site.addAccount(dotted);
  t.teardown(() => site.store.directory.removeAccount(dotted));
  const { accounts } = site.administration;
  await accounts.set(ADDRESS, { settings: { profile: 'exchange' } });
  await accounts.set(dotted, { settings: { profile: 'hmailserver' } });
  for (const [login, delimiter, told, hidden] of [
    [LOGIN, '/', / ID /, / SORT/],
    [`LOGIN ${dotted} secret`, '.', / SORT/, / ID /],
  ] as const) {
    const { client, greeting } = await greeted(t, site, 0);
    t.match(greeting, /^\* OK \[CAPABILITY IMAP4rev1 .* ID .* SORT.*\] mail\.example\.com IMAP4rev1/);
    const answer = await client.command(login);
    t.equal(answer.length, 1, 'nothing untagged comes with the login');
    t.match(answer[0], told);
    t.notMatch(answer[0], hidden);
    t.equal(await delimiterOf(client), delimiter);
  }
});

t.test('an account’s profile stands for all that its listener has, its own keys go before it', async (t) => {
  const site = await openImapSite(t, {
    delimiter: '.',
    listeners: [{ profile: 'exchange', 'imap.hiddenCapabilities': ['MOVE'], 'imap.greeting': 'Hello' }],
  });
  const { accounts } = site.administration;
  const session = async () => {
    const { client, greeting } = await greeted(t, site, 1);
    t.equal(greeting, '* OK Hello', 'whoever it will be');
    const [login = ''] = await client.command(LOGIN);
    return { login, delimiter: await delimiterOf(client) };
  };
  t.match(await session(), { login: / ID .*UNSELECT\]/, delimiter: '/' });
  await accounts.set(ADDRESS, { settings: { profile: 'default' } });
  t.match(await session(), { login: / MOVE .* SORT/, delimiter: '.' });
  await accounts.set(ADDRESS, { settings: { profile: 'hmailserver', 'imap.delimiter': '/' } });
  t.match(await session(), { login: / MOVE .* SORT/, delimiter: '/' });
  await accounts.set(ADDRESS, { settings: { profile: null, 'imap.delimiter': null } });
});

t.test('LITERAL- is the listener’s before login, the account’s after it', async (t) => {
  const site = await openImapSite(t, { literals: 'minus', listeners: [{ 'imap.literals': 'plus' }] });
  const { accounts } = site.administration;
  const long = `{5000+}\r\n${'x'.repeat(5000)}`;
  const { client: strict, greeting } = await greeted(t, site, 0);
  t.match(greeting, / LITERAL- /);
  t.match(await strict.command(`LOGIN ${long} secret`), [/ BAD \[TOOBIG\]/]);
  await accounts.set(ADDRESS, { settings: { 'imap.literals': 'plus' } });
  t.match(await strict.command(LOGIN), [/ LITERAL\+ .*OK|OK .* LITERAL\+ /]);
  t.match((await strict.command(`STATUS ${long} (MESSAGES)`)).at(-1), / NO /, 'read, and no such mailbox');
  await accounts.set(ADDRESS, { settings: { 'imap.literals': 'minus' } });
  const { client: open, greeting: other } = await greeted(t, site, 1);
  t.match(other, / LITERAL\+ /);
  t.match(await open.command(`LOGIN ${long} secret`), [/ NO \[AUTHENTICATIONFAILED\]/]);
  t.match(await open.command(LOGIN), [/ LITERAL- /]);
  t.match((await open.command(`STATUS ${long} (MESSAGES)`)).at(-1), / BAD \[TOOBIG\]/);
  await accounts.set(ADDRESS, { settings: { 'imap.literals': null } });
});

t.test('LOGINDISABLED is told whatever the profile', async (t) => {
  const site = await openImapSite(t, { tls: 'required', profile: 'hmailserver' });
  const { client } = await greeted(t, site, 0);
  t.match(await client.command('CAPABILITY'), [
    '* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED IDLE NAMESPACE CHILDREN UIDPLUS UNSELECT MOVE QUOTA SORT',
    /OK/,
  ]);
});

for (const profile of PROFILE_NAMES) {
  t.test(
    `S22.Imap logs in with the profile ${profile}: blind tries, then nothing untagged but CAPABILITY`,
    async (t) => {
      const { client, greeting } = await greeted(t, await openImapSite(t, { profile }), 0);
      t.match(greeting, /^\* OK /);
      for (const mechanism of ['SRP', 'NTLM', 'SCRAM-SHA-1', 'DIGEST-MD5', 'CRAM-MD5']) {
        t.match(await client.command(`AUTHENTICATE ${mechanism}`), [/^\S+ NO /], mechanism);
      }
      const answer = await client.command(LOGIN);
      t.same(
        answer.slice(0, -1).filter((line) => !line.startsWith('* CAPABILITY ')),
        [],
      );
      t.match(answer.at(-1), /^\S+ OK /);
    },
  );
}

/** Profiles in POP3: whole sessions as clients of other servers speak them, and which of listener and account decides. */

import t, { type Test } from 'tap';

import { PROFILE_NAMES, PROFILES } from '../../src/accounts/profiles.ts';
import { FLAG } from '../../src/store/contract/mailboxes.ts';
import { CAPABILITIES } from '../../src/pop3d/capabilities.ts';
import { openRoomSite, type RoomSite } from '../support/site.ts';
import type { Client } from '../support/sockets.ts';
import { playTranscript, readTranscript } from '../support/transcript.ts';
import {
  ADDRESS,
  ask,
  inboxEntries,
  inboxUids,
  MULTI_LINE,
  serveSite,
  type ServerOptions,
} from './harness.ts';

/** A site with two messages for ADDRESS, and a server on it. */
async function openWithMail(t: Test, options: ServerOptions = {}) {
  const site = await openRoomSite(t);
  const account = await site.addAccount(ADDRESS);
  await site.deliver('one\r\n', account);
  await site.deliver('Subject: two\r\n\r\n', account);
  return serveSite(t, site, options);
}

const seen = async (site: RoomSite) =>
  (await inboxEntries(site)).filter(({ flags }) => (flags.system & FLAG.seen) !== 0).map(({ uid }) => uid);

/** What a client of the server hears first. */
async function greeted(server: Pick<Awaited<ReturnType<typeof serveSite>>, 'connect'>) {
  const client = await server.connect();
  return { client, greeting: await client.until(/\r\n/) };
}

/** Logs in after whatever was said before; answers what PASS is answered. */
async function logInAs(client: Client, address: string): Promise<string> {
  await ask(client, `USER ${address}`);
  return ask(client, 'PASS secret');
}

const capabilitiesOf = async (client: Client) =>
  (await ask(client, 'CAPA', MULTI_LINE)).split('\r\n').slice(1, -2);

for (const [profile, uids, seenUids] of [
  ['hmailserver', [2], []],
  ['exchange', [1, 2], [1]],
] as const) {
  t.test(`a session with the profile ${profile} goes as such a server's clients expect`, async (t) => {
    const { site, connect } = await openWithMail(t, { compatibility: { profile } });
    await playTranscript(await connect(), readTranscript(`profiles/pop3-${profile}`));
    t.same(await inboxUids(site), uids);
    t.same(await seen(site), seenUids, 'RETR marks a message as seen in Exchange');
  });
}

t.test('profiles tell only capabilities that exist, and every capability can be hidden', async (t) => {
  for (const name of PROFILE_NAMES) {
    const told = PROFILES[name]['pop3.toldCapabilities'] ?? [];
    t.same(
      told.filter((capability) => !CAPABILITIES.includes(capability)),
      [],
    );
  }
  const { client } = await greeted(await openWithMail(t, { loginDelaySeconds: 5 }));
  const offered = (await capabilitiesOf(client)).map((line) => line.split(' ')[0]);
  t.same(offered.sort(), [...CAPABILITIES].sort());
  const hidden = { 'pop3.hiddenCapabilities': CAPABILITIES };
  const { client: quiet } = await greeted(await openWithMail(t, { compatibility: hidden }));
  t.same(await capabilitiesOf(quiet), []);
  await logInAs(quiet, ADDRESS);
  t.match(await ask(quiet, 'UIDL 2'), /^\+OK 2 2/, 'hidden, not gone');
});

t.test('the profile hmailserver lets one session have the maildrop, exchange any number', async (t) => {
  for (const [profile, second] of [
    ['hmailserver', /^-ERR \[IN-USE\]/],
    ['exchange', /^\+OK/],
  ] as const) {
    const server = await openWithMail(t, { compatibility: { profile } });
    await server.loggedIn();
    t.match(await logInAs((await greeted(server)).client, ADDRESS), second, profile);
  }
});

t.test('two accounts with different profiles have each their own on one listener, after login', async (t) => {
  const server = await openWithMail(t, { marksSeen: true });
  const { site } = server;
  const other = 'other@app.example.com';
  await site.addAccount(other);
  const { accounts } = site.administration;
  await accounts.set(ADDRESS, { settings: { profile: 'hmailserver' } });
  await accounts.set(other, { settings: { profile: 'exchange', 'pop3.hiddenCapabilities': 'sasl' } });
  for (const [address, told] of [
    [ADDRESS, ['TOP', 'UIDL', 'USER']],
    [other, ['TOP', 'UIDL', 'USER']],
  ] as const) {
    const { client, greeting } = await greeted(server);
    t.equal(greeting, '+OK mail.example.com POP3 server ready\r\n', 'nobody is known yet');
    t.ok((await capabilitiesOf(client)).includes('UTF8 USER'));
    t.match(await logInAs(client, address), /^\+OK/);
    t.same(await capabilitiesOf(client), told, address);
    if (address === ADDRESS) await ask(client, 'RETR 1', MULTI_LINE);
    const { client: again } = await greeted(server);
    t.match(await logInAs(again, address), address === ADDRESS ? /^-ERR \[IN-USE\]/ : /^\+OK/);
  }
  t.same(await seen(site), [], 'hMailServer did not, whatever the server has');
});

t.test('single keys go before a profile, an account’s before its listener’s', async (t) => {
  const server = await openWithMail(t, {
    compatibility: { profile: 'exchange', 'pop3.marksSeen': false, 'pop3.greeting': 'Ready' },
  });
  const { site, loggedIn } = server;
  t.equal((await greeted(server)).greeting, '+OK Ready\r\n');
  await ask(await loggedIn(), 'RETR 1', MULTI_LINE);
  t.same(await seen(site), []);
  await site.administration.accounts.set(ADDRESS, { settings: { 'pop3.marksSeen': 'true' } });
  const client = await loggedIn();
  await ask(client, 'RETR 1', MULTI_LINE);
  await ask(client, 'NOOP');
  t.same(await seen(site), [1]);
});

t.test(
  'OpenPop.NET and JavaMail log in under each profile: no APOP in sight, UIDL told before login',
  async (t) => {
    for (const profile of PROFILE_NAMES) {
      const { client, greeting } = await greeted(await openWithMail(t, { compatibility: { profile } }));
      t.match(greeting, /^\+OK [^<>]+\r\n$/, profile);
      const told = await capabilitiesOf(client);
      t.ok(
        ['UIDL', 'TOP', 'USER'].every((name) => told.includes(name)),
        told.join(' '),
      );
      t.match(await logInAs(client, ADDRESS), /^\+OK/);
      t.match(await ask(client, 'NOOP'), /^\+OK/);
    }
  },
);

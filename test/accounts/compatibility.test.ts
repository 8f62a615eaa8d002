/** Who decides what an old program gets: the table of account, listener, profiles, server and defaults. */

import t from 'tap';

import {
  COMPATIBILITY_DEFAULTS,
  type CompatibilityLayers,
  findCompatibility,
  isTold,
  LISTENER_ONLY_KEYS,
  resolveCompatibility,
  toldCapabilities,
} from '../../src/accounts/compatibility.ts';
import { PROFILE_NAMES, PROFILES } from '../../src/accounts/profiles.ts';

const server = { 'imap.delimiter': '.', 'pop3.sharing': 'exclusive' } as const;
const none = { server: {}, listener: {} };

/** From the lowest place to the highest; each adds one that decides otherwise than the one before. */
const DELIMITERS: readonly (readonly [layers: CompatibilityLayers, value: string, source: string])[] = [
  [none, '/', 'default'],
  [{ ...none, server }, '.', 'server'],
  [{ server, listener: { profile: 'exchange' } }, '/', 'listener profile'],
  [{ server, listener: { profile: 'exchange', 'imap.delimiter': '.' } }, '.', 'listener'],
  [{ server, listener: { 'imap.delimiter': '.' }, account: { profile: 'exchange' } }, '/', 'account profile'],
  [
    {
      server,
      listener: { 'imap.delimiter': '/', profile: 'exchange' },
      account: { profile: 'exchange', 'imap.delimiter': '.' },
    },
    '.',
    'account',
  ],
  // A profile that does not set the key leaves it to the server.
  [{ server, listener: { profile: 'default' } }, '.', 'server'],
  [{ server, listener: { 'imap.delimiter': '/' }, account: { profile: 'default' } }, '.', 'server'],
  [{ server: {}, listener: { profile: 'hmailserver' }, account: { profile: 'default' } }, '/', 'default'],
  // An account without a profile, or with other keys alone, has its listener's.
  [{ server, listener: { profile: 'exchange' }, account: {} }, '/', 'listener profile'],
  [
    { server, listener: { profile: 'exchange' }, account: { 'pop3.marksSeen': true } },
    '/',
    'listener profile',
  ],
];

t.test(
  'account key, account profile, listener key, listener profile, server key, default: in this order',
  async (t) => {
    for (const [layers, value, source] of DELIMITERS) {
      t.strictSame(findCompatibility(layers, 'imap.delimiter'), { value, source });
      t.equal(resolveCompatibility(layers).imap.delimiter, value);
    }
    t.equal(new Set(DELIMITERS.map(([, , source]) => source)).size, 6);
  },
);

t.test('false and an empty list are values as others', async (t) => {
  const layers = { server: {}, listener: { profile: 'exchange', 'pop3.marksSeen': false } } as const;
  t.equal(resolveCompatibility(layers).pop3.marksSeen, false);
  t.equal(resolveCompatibility({ ...layers, account: { profile: 'exchange' } }).pop3.marksSeen, true);
});

t.test('each profile gives what it says, and the default what the server has', async (t) => {
  t.match(resolveCompatibility({ server: {}, listener: { profile: 'hmailserver' } }), {
    imap: { greeting: 'IMAPrev1', delimiter: '.', literals: 'plus' },
    pop3: { greeting: 'POP3', marksSeen: false, sharing: 'exclusive' },
  });
  t.match(resolveCompatibility({ server, listener: { profile: 'exchange' } }), {
    imap: { greeting: /Exchange IMAP4/, delimiter: '/', literals: 'plus' },
    pop3: { greeting: 'The Microsoft Exchange POP3 service is ready.', marksSeen: true, sharing: 'shared' },
  });
  const nothing = { greeting: undefined, capabilities: { told: undefined, hidden: [] } };
  const expected = {
    imap: { ...nothing, delimiter: '/', literals: 'plus' },
    pop3: { ...nothing, marksSeen: false, sharing: 'shared' },
  };
  for (const profile of [undefined, 'default'] as const) {
    t.strictSame(resolveCompatibility({ server: {}, listener: { profile } }), expected);
    t.strictSame(resolveCompatibility({ ...none, account: { profile } }), expected);
  }
});

t.test('greetings are the listener’s alone, whatever an account has', async (t) => {
  const account = { profile: 'exchange', 'pop3.greeting': 'mine', 'imap.greeting': 'mine' } as const;
  const layers = { server: {}, listener: { profile: 'hmailserver' }, account } as const;
  for (const key of LISTENER_ONLY_KEYS) {
    t.equal(findCompatibility(layers, key).source, 'listener profile', key);
  }
  t.match(resolveCompatibility(layers), { imap: { greeting: 'IMAPrev1' }, pop3: { greeting: 'POP3' } });
});

t.test('hidden capabilities add up, down to the account’s profile', async (t) => {
  const listener = { profile: 'exchange', 'imap.hiddenCapabilities': ['ID'] } as const;
  const exchange = PROFILES.exchange['imap.toldCapabilities'];
  const told = (account: CompatibilityLayers['account']) =>
    toldCapabilities({ server: {}, listener, account }, 'imap');
  t.strictSame(told(undefined), { told: exchange, hidden: ['ID'] });
  t.strictSame(told({ 'imap.hiddenCapabilities': ['MOVE'] }), { told: exchange, hidden: ['MOVE', 'ID'] });
  t.strictSame(told({ profile: 'default', 'imap.hiddenCapabilities': ['MOVE'] }), {
    told: undefined,
    hidden: ['MOVE'],
  });
  t.strictSame(toldCapabilities({ server: {}, listener }, 'pop3').hidden, [], 'each protocol its own');
});

t.test('a capability goes by its name, whatever number or arguments it has', async (t) => {
  const chosen = { told: ['APPENDLIMIT', 'SASL', 'AUTH=PLAIN', 'QUOTA'], hidden: ['QUOTA'] };
  for (const capability of ['APPENDLIMIT=5', 'SASL PLAIN LOGIN', 'AUTH=PLAIN']) {
    t.ok(isTold(chosen, capability), capability);
  }
  for (const capability of ['QUOTA', 'AUTH=LOGIN', 'SASL-IR'])
    t.notOk(isTold(chosen, capability), capability);
  t.ok(isTold({ told: undefined, hidden: ['SORT'] }, 'SORT=DISPLAY'));
});

t.test('profiles are fit for the wire: no angle bracket in a greeting, no capability twice', async (t) => {
  for (const name of PROFILE_NAMES) {
    const profile = PROFILES[name];
    for (const protocol of ['imap', 'pop3'] as const) {
      t.match(profile[`${protocol}.greeting`] ?? '', /^(?!\[)[\x20-\x3b\x3d\x3f-\x7e]{0,400}$/, name);
      const told = profile[`${protocol}.toldCapabilities`] ?? [];
      t.equal(new Set(told).size, told.length);
    }
    t.match(profile.meaning, /\.$/);
  }
  t.notOk('imap.greeting' in COMPATIBILITY_DEFAULTS);
});

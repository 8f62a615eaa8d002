/** The command line without a server: finding verbs, checking arguments, exit codes, tables, and the control socket. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import { MailError } from '../../src/base/error.ts';
import { silentLog } from '../../src/base/log.ts';
import { ACCOUNT_SETTING_NAMES } from '../../src/accounts/accountSettings.ts';
import { COMPATIBILITY_DEFAULTS, LISTENER_ONLY_KEYS } from '../../src/accounts/compatibility.ts';
import { findKey } from '../../src/config/keys.ts';
import { type CliBackend, runCli, Unreachable } from '../../src/admin/cli.ts';
import { COMPATIBILITY_ROWS, documentProfiles } from '../../src/admin/compatibilityTable.ts';
import { callControlServer, controlSocketPath, openControlServer } from '../../src/admin/controlSocket.ts';
import { formatOctets, formatTable, parseOctets } from '../../src/admin/table.ts';
import type { Verb } from '../../src/admin/verb.ts';
import { documentVerbs } from '../../src/admin/document.ts';
import { allVerbs } from '../../src/admin/verbs/all.ts';

const VERBS: readonly Verb[] = allVerbs({
  version: '1',
  nodeVersion: '24',
  load: () => ({ kind: 'faulty', problems: [{ where: 'x.toml', line: 3, key: 'smtp', text: 'is wrong' }] }),
  serve: async () => 0,
  demo: async () => 0,
});

const account = {
  address: 'a@b.example',
  isEnabled: true,
  quotaOctets: null,
  loginNames: [],
  settings: {},
  createdAt: '2026-01-01T00:00:00.000Z',
};

/** Of an account that has nothing. */
const HOLDINGS = {
  usedOctets: 0,
  messages: 0,
  retainedOctets: 0,
  retainedMessages: 0,
  sentToday: { messages: 1, recipients: 20 },
};

async function run(argv: readonly string[], call: CliBackend['call'] = async () => null, stdin = '') {
  const out = new PassThrough();
  const err = new PassThrough();
  const input = new PassThrough();
  input.end(stdin);
  const exitCode = await runCli(argv, VERBS, { call }, { out, err, in: input, environment: {} });
  return { exitCode, out: out.read()?.toString() ?? '', err: err.read()?.toString() ?? '' };
}

t.test('help lists every verb, and each verb explains each of its options', async (t) => {
  const { exitCode, out } = await run(['help']);
  t.equal(exitCode, 0);
  for (const verb of VERBS) {
    t.match(out, verb.words.join(' '));
    t.match(verb.summary, /\.$/);
    t.strictSame(Object.keys(verb.options).sort(), Object.keys(verb.optionHelp).sort(), verb.words.join(' '));
  }
  t.match((await run(['account', 'add', '--help'])).out, /--quota +What all its mailboxes/);
});

t.test('wrong usage says what is wrong and how it goes, with exit code 2', async (t) => {
  t.match(await run(['acount', 'add']), { exitCode: 2, err: /"acount add" is no verb/ });
  t.match(await run(['account', 'ad']), { exitCode: 2, err: /did you mean: account add, account list/ });
  t.match(await run(['account', 'add']), {
    exitCode: 2,
    err: /ADDRESS is missing\nusage: hauspost account add ADDRESS/,
  });
  t.match(await run(['domain', 'show', 'a', 'b']), { exitCode: 2, err: /"b" is one argument too many/ });
  t.match(await run(['account', 'add', 'a@b', '--qota', '1']), {
    exitCode: 2,
    err: /Unknown option '--qota'/,
  });
  t.match(await run(['account', 'add', 'a@b', '--quota', 'much']), {
    exitCode: 2,
    err: /found "much"; allowed: a size like 500MB/,
  });
  t.match(await run(['account', 'set', 'a@b', '--enable', '--disable']), {
    exitCode: 2,
    err: /exclude each other/,
  });
  t.match(await run(['range', 'set', 'Internet', '--tls', 'maybe']), {
    exitCode: 2,
    err: /--tls: found "maybe"; allowed: required or optional/,
  });
  t.match(await run(['range', 'add', 'X', '10.0.0.1', '--priority', 'high']), {
    exitCode: 2,
    err: /found "high"; allowed: a whole number from 0 to 1000/,
  });
  t.match(await run(['trace', 'x', '--limit', '0']), { exitCode: 2, err: /a whole number from 1 to 1000/ });
});

t.test('refusals are exit code 1, a missing server is 3, and both say why on standard error', async (t) => {
  const refuse = async () => {
    throw new MailError('conflict', 'The address is taken.');
  };
  const absent = async () => {
    throw new Unreachable('no server runs on /data');
  };
  t.match(await run(['domain', 'add', 'x'], refuse), {
    exitCode: 1,
    out: '',
    err: 'hauspost domain add: The address is taken.\n',
  });
  t.match(await run(['status'], absent), { exitCode: 3, out: '', err: /no server runs on \/data/ });
});

t.test('verbs hand their options to the operation and show its result, as text or as JSON', async (t) => {
  const calls: unknown[] = [];
  const call = async (operation: string, input: unknown) => {
    calls.push([operation, input]);
    return operation === 'account.list' ? [account] : { account, generatedPassword: 'secret' };
  };
  const added = await run(['account', 'add', 'a@b.example', '--quota', '5GB', '--login-names', 'x, y'], call);
  t.match(added.out, /Added the account a@b\.example\.\nIts password is secret/);
  await run(['account', 'passwd', 'a@b.example', '--password-stdin'], call, ' pass word \r\nrest');
  const list = await run(['account', 'list', '--json'], call);
  t.strictSame(JSON.parse(list.out), [account]);
  t.strictSame(calls, [
    ['account.add', { address: 'a@b.example', quotaOctets: 5 * 1024 ** 3, loginNames: ['x', 'y'] }],
    ['account.passwd', { address: 'a@b.example', password: ' pass word ' }],
    ['account.list', {}],
  ]);
  t.match(
    (await run(['account', 'list'], call)).out,
    /^ACCOUNT +STATE +QUOTA +LOGIN NAMES\na@b\.example +enabled +none\n$/,
  );
});

t.test(
  'what strangers sent is shown by a terminal and never obeyed, nor taken for a row of its own',
  async (t) => {
    const name = '\u001b]0;owned\u0007\r\n192.0.2.1 \u009b2J\u202eerp müller';
    const ban = {
      kind: 'nameAndAddress',
      address: '192.0.2.9',
      loginName: name,
      protocol: 'imap',
      failures: 10,
    };
    const call = async () => [{ ...ban, endsAt: 0 }];
    const shown = String.raw`\u{1b}]0;owned\u{7}\u{d}\u{a}192.0.2.1 \u{9b}2J\u{202e}erp müller`;
    const { out } = await run(['ban', 'list'], call);
    t.equal(out.split('\n')[1], `192.0.2.9  ${shown}  imap      10        1970-01-01T00:00:00.000Z`);
    t.equal(out.split('\n').length, 3);
    t.notMatch((await run(['ban', 'clear'], call)).out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    t.same(JSON.parse((await run(['ban', 'list', '--json'], call)).out)[0].loginName, name);
  },
);

t.test('each setting of accounts is an option, which none takes away, and is shown', async (t) => {
  const calls: unknown[] = [];
  const call = async (_operation: string, input: unknown) => {
    calls.push(input);
    const settings = { 'imap.delimiter': '.' };
    return { ...account, ...HOLDINGS, settings };
  };
  const address = 'a@b.example';
  const options = ['--imap-delimiter', '.', '--imap-session-limit', 'none'];
  const shown = await run(
    ['account', 'set', address, ...options, '--imap-hidden-capabilities', 'IDLE,ID'],
    call,
  );
  await run(['account', 'set', address, '--disable'], call);
  t.strictSame(calls, [
    {
      address,
      settings: {
        'imap.delimiter': '.',
        'imap.hiddenCapabilities': 'IDLE,ID',
        'imap.sessionLimit': null,
      },
    },
    { address, isEnabled: false },
  ]);
  t.match(shown.out, /^imap\.delimiter: +\.$/m);
  t.match(shown.out, /^Sent today: +1 message to 20 recipients$/m);
  t.notMatch(shown.out, /imap\.sessionLimit/);
});

t.test('profiles are listed and shown, and an account’s is shown with what it comes to', async (t) => {
  t.match((await run(['profile', 'list'])).out, /^hmailserver +For programs .*hMailServer/m);
  const shown = await run(['profile', 'show', 'hmailserver']);
  t.match(shown.out, /^imap\.capabilities: STARTTLS IDLE .*MOVE$/m);
  t.match(shown.out, /^imap\.literals: +as the server has it$/m);
  t.match(JSON.parse((await run(['profile', 'show', 'exchange', '--json'])).out), {
    'pop3.marksSeen': 'true',
  });
  t.match(await run(['profile', 'show', 'constructor']), { exitCode: 2, err: /are default, hmailserver/ });
  const settings = {
    profile: 'hmailserver',
    'imap.hiddenCapabilities': 'IDLE,SORT',
    'pop3.marksSeen': 'true',
    'imap.sessionLimit': '7',
  };
  const call = async () => ({ ...account, ...HOLDINGS, settings });
  const { out } = await run(['account', 'show', 'a@b.example'], call);
  for (const line of [
    /^profile: +hmailserver$/m,
    /^imap\.delimiter: +\. \(profile\)$/m,
    /^imap\.literals: +as the server has it$/m,
    /^imap\.capabilities: STARTTLS QUOTA NAMESPACE CHILDREN UIDPLUS UNSELECT MOVE/m,
    /^pop3\.marksSeen: +true$/m,
    /^pop3\.sharing: +exclusive \(profile\)$/m,
    /^imap\.sessionLimit: +7$/m,
  ]) {
    t.match(out, line);
  }
  t.notMatch(out, /greeting|hiddenCapabilities/, 'greetings are the listener’s');
});

t.test('docs/PROFILES.md holds what profiles set and the keys that go before them', async (t) => {
  const text = readFileSync(new URL('../../docs/PROFILES.md', import.meta.url), 'utf8');
  t.ok(text.includes(documentProfiles()), 'run `npm run docs` and commit the result');
  for (const { key, listenerKey, serverKey } of COMPATIBILITY_ROWS) {
    const isAccountKey = ACCOUNT_SETTING_NAMES.some((name) => name === key);
    t.equal(isAccountKey, !LISTENER_ONLY_KEYS.includes(key), key);
    t.ok(findKey(`listeners[].${listenerKey}`), listenerKey);
    if (serverKey !== undefined) {
      const { defaultValue } = findKey(serverKey) ?? {};
      t.equal(defaultValue, (COMPATIBILITY_DEFAULTS as Record<string, unknown>)[key], serverKey);
    }
  }
});

t.test('sizes are read and written as administrators write them', async (t) => {
  const cases: [string, number | undefined][] = [
    ['1024', 1024],
    ['5GB', 5 * 1024 ** 3],
    ['1.5 mb', 1572864],
    ['10 B', 10],
    ['-1', undefined],
    ['5XB', undefined],
    ['99999999999999999GB', undefined],
  ];
  for (const [text, octets] of cases) t.equal(parseOctets(text), octets, text);
  t.equal(formatOctets(1572864), '1.5 MB');
  t.equal(formatTable(['A'], [], 'Nothing.'), 'Nothing.\n');
});

t.test('the control socket carries results and errors, and outlives junk', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-control-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = controlSocketPath(directory);
  t.equal(
    await callControlServer(path, systemClock, { operation: 'x', input: {} }),
    undefined,
    'nobody listens',
  );
  const server = await openControlServer({
    path,
    clock: systemClock,
    log: silentLog,
    run: async ({ operation, input }) => {
      if (operation === 'fail') throw new MailError('notFound', 'There is no such thing.');
      return { operation, input };
    },
  });
  for (const junk of ['{"operation"\n', '\n', 'GET / HTTP/1.1\r\n\r\n', '']) await send(path, junk);
  t.strictSame(await callControlServer(path, systemClock, { operation: 'do', input: [1, 'ü'] }), {
    result: { operation: 'do', input: [1, 'ü'] },
  });
  await t.rejects(callControlServer(path, systemClock, { operation: 'fail', input: {} }), {
    code: 'notFound',
    message: 'There is no such thing.',
  });
  await server.close();
  t.equal(await callControlServer(path, systemClock, { operation: 'x', input: {} }), undefined, 'closed');
});

t.test(
  'a data directory whose name leaves no room for the control socket is refused with a sentence',
  async (t) => {
    t.equal(controlSocketPath('/srv/hauspost'), '/srv/hauspost/control.sock');
    t.throws(() => controlSocketPath(`/srv/${'x'.repeat(200)}`), {
      code: 'invalid',
      message: /too long a name/,
    });
  },
);

function send(path: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.end(text));
    socket.resume();
    socket.on('close', () => resolve());
  });
}

t.test('a faulty configuration is told fault by fault, and serves nothing', async (t) => {
  for (const argv of [['serve'], ['config', 'check'], ['config', 'print']]) {
    t.match(await run(argv), { exitCode: 1, err: 'x.toml:3: smtp: is wrong\n' }, argv.join(' '));
  }
  t.match(JSON.parse((await run(['config', 'check', '--json'])).out), { problems: [{ line: 3 }] });
});

t.test('docs/CLI.md holds every verb as the tables have it', async (t) => {
  const text = readFileSync(new URL('../../docs/CLI.md', import.meta.url), 'utf8');
  t.ok(text.includes(documentVerbs()), 'run `npm run docs` and commit the result');
});

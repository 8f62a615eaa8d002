/**
 * POP3's extensions and settings: capabilities, response codes, UTF8 and LANG, LOGIN-DELAY, the exclusive lock, \Seen on RETR
 * (RFC 2449, RFC 3206, RFC 6856).
 */

import { Writable } from 'node:stream';
import t from 'tap';
import { createLog } from '../../src/base/log.ts';
import { MAIL_ERRORS, MailError } from '../../src/base/error.ts';
import { FLAG } from '../../src/store/contract/mailboxes.ts';
import { capabilityLines } from '../../src/pop3d/capabilities.ts';
import { LOGIN_DELAY_ENTRY_LIMIT, TAKEOVER_SILENCE_MS } from '../../src/pop3d/limits.ts';
import { LoginDelays } from '../../src/pop3d/loginDelays.ts';
import { findLanguage, LANGUAGES } from '../../src/pop3d/phrases/languages.ts';
import type { Phrases } from '../../src/pop3d/phrases/phrases.ts';
import { createTestClock } from '../support/clock.ts';
import { secureClient } from '../support/sockets.ts';
import {
  ADDRESS,
  ask,
  countingClient,
  inboxEntries,
  inboxUids,
  logIn,
  MULTI_LINE,
  openServer,
  play,
  SYSTEM_TIME,
} from './harness.ts';

// Each test has a store of its own; a loaded machine needs a minute for all of them.
t.setTimeout(300_000);

const utf8 = (text: string) => Buffer.from(text).toString('latin1');
const capabilities = (answer: string) => answer.split('\r\n').slice(1, -2);

t.test('CAPA tells the same before and after login, but for STLS', async (t) => {
  const { site, connect } = await openServer(t, { loginDelaySeconds: 5 });
  await site.addAccount(ADDRESS);
  const client = await connect();
  await client.until(/^\+OK .*\r\n/);
  const before = capabilities(await ask(client, 'CAPA', MULTI_LINE));
  t.same(before, [
    'TOP',
    'UIDL',
    'USER',
    'SASL PLAIN LOGIN',
    'PIPELINING',
    'RESP-CODES',
    'AUTH-RESP-CODE',
    'EXPIRE NEVER',
    'LOGIN-DELAY 5',
    'UTF8 USER',
    'LANG',
    'STLS',
  ]);
  await play(client, `C: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: +OK *`);
  const after = capabilities(await ask(client, 'capa', MULTI_LINE));
  t.same(
    after,
    before.filter((line) => line !== 'STLS'),
  );
});

t.test('CAPA hides USER and SASL where a password is refused, and STLS once TLS is on', async (t) => {
  const { connect } = await openServer(t, { tls: 'required' });
  const client = await connect();
  await client.until(/^\+OK .*\r\n/);
  const plain = capabilities(await ask(client, 'CAPA', MULTI_LINE));
  t.notOk(plain.some((line) => /^(USER|SASL)/.test(line)));
  t.ok(plain.includes('STLS'));
  client.send('STLS\r\n');
  await client.until(/Begin TLS\r\n/);
  const secure = await secureClient(t, client.socket);
  const after = capabilities(await ask(secure, 'CAPA', MULTI_LINE));
  t.ok(after.includes('USER') && after.includes('SASL PLAIN LOGIN'));
  t.notOk(after.includes('STLS'));
});

t.test('the days that messages stay, and a delay between logins, are told as they are set', async (t) => {
  const situation = {
    mayStartTls: false,
    mayLogIn: true,
    loginDelaySeconds: 0,
    expireDays: undefined,
    chosen: { told: undefined, hidden: [] },
  };
  t.ok(capabilityLines(situation).includes('EXPIRE NEVER\r\n'));
  t.notMatch(capabilityLines(situation).join(''), /LOGIN-DELAY/);
  t.ok(capabilityLines({ ...situation, expireDays: 14 }).includes('EXPIRE 14\r\n'));
  t.ok(capabilityLines({ ...situation, loginDelaySeconds: 300 }).includes('LOGIN-DELAY 300\r\n'));
});

t.test(
  'a response code says whose fault it is: [SYS/...] the server`s alone, [AUTH] the login`s',
  async (t) => {
    for (const [code, { isTemporary, pop3 }] of Object.entries(MAIL_ERRORS)) {
      if (pop3.code === 'SYS/TEMP') t.ok(isTemporary, code);
      if (pop3.code === 'SYS/PERM') t.notOk(isTemporary, code);
    }
    const byCode = (wanted: string) =>
      Object.entries(MAIL_ERRORS).flatMap(([code, { pop3 }]) => (pop3.code === wanted ? [code] : []));
    t.same(byCode('SYS/PERM'), ['contentCorrupt']);
    t.same(byCode('AUTH'), ['authenticationFailed']);
    t.same(byCode('IN-USE'), ['maildropInUse']);
    t.same(byCode('LOGIN-DELAY'), ['loginTooSoon']);
    let failure: 'tooBusy' | 'storeUnavailable' = 'tooBusy';
    const { site, connect } = await openServer(t, {
      mailboxes: (real) => ({
        ...real,
        find: () => Promise.reject(new MailError(failure)),
        hold: () => real.hold(),
      }),
    });
    await site.addAccount(ADDRESS);
    const client = await connect();
    await play(
      client,
      `S: +OK *\nC: USER ${ADDRESS}\nS: +OK *\nC: PASS wrong\nS: -ERR [AUTH] *\nC: PASS secret\nS: -ERR USER comes first\nC: STAT\nS: -ERR Log in first\nC: LIST x\nS: -ERR Log in first\nC: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: -ERR [SYS/TEMP] Too many *`,
    );
    failure = 'storeUnavailable';
    await play(
      client,
      `C: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: -ERR [SYS/TEMP] The message store *`,
    );
  },
);

t.test('every -ERR text that begins with a bracket is a response code, in every language', async (t) => {
  for (const phrases of Object.values(LANGUAGES)) {
    for (const text of textsOf(phrases)) {
      t.notMatch(text, /^\[/, text);
      t.ok(text.length > 3 && Buffer.byteLength(text) < 200, text);
      if (phrases.tag === 'en') t.match(text, /^[ -~]+$/, 'English is ASCII');
    }
  }
});

/** Every text of a language. */
function textsOf(phrases: Phrases): string[] {
  const { tag, error, ...rest } = phrases;
  const codes = Object.keys(MAIL_ERRORS) as (keyof typeof MAIL_ERRORS)[];
  const texts = Object.values(rest).map((text) => (typeof text === 'string' ? text : text(1 as never, 2)));
  return [...texts, ...codes.map((code) => error(code))];
}

t.test('no text is English still in another language', async (t) => {
  const english = textsOf(LANGUAGES.en);
  t.same(
    textsOf(LANGUAGES.de).filter((text) => english.includes(text)),
    [],
  );
});

t.test('LANG lists the languages, changes the texts and says which was chosen', async (t) => {
  const { site, connect } = await openServer(t, { preferredLanguage: 'de' });
  await site.deliver('a\r\n', await site.addAccount(ADDRESS));
  const changed = utf8('S: +OK de Sprache geändert');
  const client = await connect();
  await play(
    client,
    [
      'S: +OK *',
      'C: LANG\nS: +OK Language listing follows\nS: en English\nS: de Deutsch\nS: .',
      'C: LANG mul\nS: -ERR This language is not available',
      `C: lang DE-at\n${changed}`,
      'C: LANG uga\nS: -ERR Diese Sprache gibt es hier nicht',
      'C: LANG de en\nS: -ERR Fehler im Aufbau: CRLF erwartet',
      'C: LANG \\xe4\nS: -ERR Fehler im Aufbau: language-range erwartet',
      'C: PASS x\nS: -ERR Zuerst USER',
      'C: USER nobody@example.com\nS: +OK Jetzt das Kennwort\nC: PASS x\nS: -ERR [AUTH] Anmeldung fehlgeschlagen',
      `C: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: +OK Angemeldet, 1 Nachrichten (3 Oktette)`,
      'C: LANG en\nS: +OK en Language changed\nC: NOOP\nS: +OK Nothing done',
      `C: LANG *\n${changed}\nC: STAT\nS: +OK 1 3\nC: LIST 1\nS: +OK 1 3\nC: UIDL 1\nS: +OK 1 1`,
      utf8(
        'C: DELE 1\nS: +OK Nachricht 1 gelöscht\nC: QUIT\nS: +OK Auf Wiedersehen, 1 Nachrichten gelöscht\nX:',
      ),
    ].join('\n'),
  );
  t.same(await inboxUids(site), []);
});

t.test('a language range finds the language that is nearest (RFC 4647 section 3.4)', async (t) => {
  const table: [range: string, tag: string | undefined][] = [
    ['de', 'de'],
    ['DE', 'de'],
    ['de-Latn-AT-1996', 'de'],
    ['en-GB', 'en'],
    ['*', 'en'],
    ['d', undefined],
    ['den', undefined],
    ['fr-de', undefined],
    ['constructor', undefined],
    ['toString', undefined],
  ];
  for (const [range, tag] of table) t.equal(findLanguage(range, 'en')?.tag, tag, range);
});

t.test('STLS begins in English again, and is refused after UTF8', async (t) => {
  const { connect } = await openServer(t);
  const client = await connect();
  await play(client, utf8('S: +OK *\nC: LANG de\nS: +OK de Sprache geändert\nC: STLS\nS: +OK TLS beginnt'));
  const secure = await secureClient(t, client.socket);
  await play(secure, 'C: PASS x\nS: -ERR USER comes first');
  const other = await connect();
  await play(other, 'S: +OK *\nC: UTF8\nS: +OK *\nC: STLS\nS: -ERR TLS is not available now');
  t.notOk(capabilities(await ask(other, 'CAPA', MULTI_LINE)).includes('STLS'));
});

t.test('UTF8 is a command before login alone, and takes no argument', async (t) => {
  const { site, connect } = await openServer(t);
  await site.addAccount(ADDRESS);
  const client = await connect();
  await play(
    client,
    `S: +OK *\nC: UTF8 USER\nS: -ERR Syntax error*\nC: utf8\nS: +OK UTF-8 from here on\nC: UTF8\nS: +OK *\nC: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: +OK *\nC: UTF8\nS: -ERR Not after login`,
  );
});

t.test('names and passwords in UTF-8 log in with and without UTF8, by USER and by AUTH', async (t) => {
  const { site, connect } = await openServer(t);
  await site.addAccount(ADDRESS);
  const name = 'bücher@app.example.com';
  await site.administration.accounts.add({ address: name, password: 'Käse und Brot €' });
  const plain = Buffer.from(`\0${name}\0Käse und Brot €`).toString('base64');
  const user = `C: USER ${utf8(name)}\nS: +OK *\nC: PASS ${utf8('Käse und Brot €')}\nS: +OK Logged in*`;
  const decomposed = `C: USER ${utf8(name.normalize('NFD'))}\nS: +OK *\nC: PASS ${utf8('Käse und Brot €'.normalize('NFD'))}\nS: +OK Logged in*`;
  for (const way of [user, decomposed, `C: AUTH PLAIN ${plain}\nS: +OK Logged in*`]) {
    for (const mode of ['', 'C: UTF8\nS: +OK *\n']) {
      const client = await connect();
      await play(client, `S: +OK *\n${mode}${way}\nC: QUIT\nS: +OK *\nX:`);
    }
  }
  t.pass('every way logged in');
});

t.test(
  'after UTF8 a name or password that is no UTF-8 is refused; before it a code page of Windows will do',
  async (t) => {
    const { site, connect } = await openServer(t);
    await site.addAccount(ADDRESS);
    await site.administration.accounts.add({ address: 'kai@app.example.com', password: 'Käse-Igel' });
    const client = await connect();
    await play(
      client,
      'S: +OK *\nC: UTF8\nS: +OK *\nC: USER b\\xfccher@app.example.com\nS: -ERR Syntax error: expected UTF-8\nC: USER kai@app.example.com\nS: +OK *\nC: PASS K\\xe4se-Igel\nS: -ERR Syntax error: expected UTF-8',
    );
    const old = await connect();
    await play(
      old,
      'S: +OK *\nC: USER kai@app.example.com\nS: +OK *\nC: PASS K\\xe4se-Igel\nS: +OK Logged in*',
    );
  },
);

t.test(
  'a message with raw UTF-8 is sent as it is, in the size that LIST says, with and without UTF8',
  async (t) => {
    const { site, connect } = await openServer(t);
    const octets = 'Subject: Grüße\r\nFrom: Jürgen <jürgen@exämple.com>\r\n\r\n日本\r\n';
    await site.deliver(octets, await site.addAccount(ADDRESS));
    for (const mode of ['', 'C: UTF8\nS: +OK *\n']) {
      const client = await connect();
      await play(client, `S: +OK *\n${mode}C: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: +OK *`);
      const size = Buffer.byteLength(octets);
      t.equal(await ask(client, 'LIST 1'), `+OK 1 ${size}\r\n`);
      t.equal(await ask(client, 'RETR 1', MULTI_LINE), utf8(`+OK ${size} octets\r\n${octets}.\r\n`));
      t.equal(await ask(client, 'TOP 1 1', MULTI_LINE), utf8(`+OK Top of message follows\r\n${octets}.\r\n`));
    }
  },
);

t.test(
  'a login too soon after the last is [LOGIN-DELAY], by account and address, and tells no stranger',
  async (t) => {
    const { site, connect, clock } = await openServer(t, { loginDelaySeconds: 30 });
    await site.addAccount(ADDRESS);
    await site.addAccount('other@app.example.com');
    const first = await connect();
    await logIn(first);
    await play(first, 'C: QUIT\nS: +OK *\nX:');
    const second = await connect();
    const tooSoon = `C: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: -ERR [LOGIN-DELAY] *`;
    await play(second, `S: +OK *\n${tooSoon}\nC: USER ${ADDRESS}\nS: +OK *\nC: PASS wrong\nS: -ERR [AUTH] *`);
    await logIn(await connect(), 'other@app.example.com');
    clock.advance(29_000);
    await play(second, tooSoon);
    clock.advance(1_000);
    await play(second, `C: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: +OK Logged in*`);
  },
);

t.test('delays between logins are counted for each address, and remembered up to a limit', async (t) => {
  const clock = createTestClock();
  const delays = new LoginDelays(clock, 60);
  const account = (number: number) => number as never;
  delays.note(account(1), '192.0.2.1');
  t.notOk(delays.isOver(account(1), '192.0.2.1'));
  t.ok(delays.isOver(account(1), '192.0.2.2'), 'another address');
  t.ok(delays.isOver(account(2), '192.0.2.1'), 'another account');
  for (let number = 2; number <= LOGIN_DELAY_ENTRY_LIMIT; number += 1)
    delays.note(account(number), '192.0.2.1');
  t.notOk(delays.isOver(account(1), '192.0.2.1'));
  delays.note(account(0), '192.0.2.1');
  t.ok(delays.isOver(account(1), '192.0.2.1'), 'the oldest is forgotten');
  t.notOk(delays.isOver(account(2), '192.0.2.1'));
});

t.test(
  'an exclusive maildrop is [IN-USE] for a second session, and free at once when the first ends',
  async (t) => {
    const { site, connect } = await openServer(t, { sharing: 'exclusive' });
    await site.deliver('a\r\n', await site.addAccount(ADDRESS));
    await site.addAccount('other@app.example.com');
    await logIn(await connect(), 'other@app.example.com');
    const ends: ((client: Awaited<ReturnType<typeof connect>>) => void)[] = [
      (client) => client.send('QUIT\r\n'),
      (client) => client.socket.end(),
      (client) => client.socket.destroy(),
      (client) => client.socket.resetAndDestroy(),
    ];
    for (const end of ends) {
      const holder = await connect();
      await logIn(holder);
      const second = await connect();
      await play(
        second,
        `S: +OK *\nC: USER ${ADDRESS}\nS: +OK *\nC: PASS wrong\nS: -ERR [AUTH] *\nC: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: -ERR [IN-USE] Another session has the maildrop`,
      );
      end(holder);
      // Nothing tells when the server has heard of a lost connection: it is asked until it has.
      let answer = '';
      for (let tries = 0; tries < 50 && !answer.startsWith('+OK'); tries += 1)
        answer = await tryLogin(await connect());
      t.match(answer, /^\+OK Logged in/);
    }
  },
);

/** Logs in, answers what PASS was answered, and leaves. */
async function tryLogin(client: Parameters<typeof ask>[0]): Promise<string> {
  await client.until(/^\+OK .*\r\n/);
  await ask(client, `USER ${ADDRESS}`);
  const answer = await ask(client, 'PASS secret');
  client.send('QUIT\r\n');
  await client.closed();
  return answer;
}

t.test(
  'a holder that has been silent for two minutes loses its maildrop to a newer login, and deletes nothing',
  async (t) => {
    const { site, clock, connect, loggedIn } = await openServer(t, { sharing: 'exclusive' });
    await site.deliver('a\r\n', await site.addAccount(ADDRESS));
    const silent = await loggedIn();
    await play(silent, 'C: DELE 1\nS: +OK *');
    clock.advance(TAKEOVER_SILENCE_MS - 1);
    const early = await connect();
    await play(early, `S: +OK *\nC: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: -ERR [IN-USE] *`);
    clock.advance(1);
    const newer = await loggedIn();
    await silent.closed();
    await play(newer, 'C: STAT\nS: +OK 1 3');
    const late = await connect();
    await play(late, `S: +OK *\nC: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: -ERR [IN-USE] *`);
    t.same(await inboxUids(site), [1]);
  },
);

t.test('a holder that only downloads slowly keeps its maildrop', async (t) => {
  const { site, clock, connect, port } = await openServer(t, { sharing: 'exclusive' });
  await site.deliver(Buffer.alloc(20 * 1024 * 1024, `${'x'.repeat(70)}\r\n`), await site.addAccount(ADDRESS));
  const slow = await countingClient(t, port);
  await slow.ask('PASS secret\r\n', /\r\n$/);
  slow.socket.write('RETR 1\r\n');
  for (let part = 1; part <= 4; part += 1) {
    await slow.untilOctets(slow.octets + 300_000);
    slow.socket.pause();
    clock.advance(45_000);
    slow.socket.resume();
  }
  await slow.untilOctets(slow.octets + 300_000);
  slow.socket.pause();
  const second = await connect();
  await play(second, `S: +OK *\nC: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: -ERR [IN-USE] *`);
  t.ok(slow.octets < 20 * 1024 * 1024, 'the download still goes on');
});

t.test('RETR sets \\Seen only where it is set so, and only after the whole message; TOP never', async (t) => {
  for (const marksSeen of [false, true]) {
    const { site, loggedIn } = await openServer(t, { marksSeen });
    const account = await site.addAccount(ADDRESS);
    for (const text of ['one\r\n', 'two\r\n', 'three\r\n']) await site.deliver(text, account);
    const client = await loggedIn();
    await ask(client, 'TOP 1 99999999', MULTI_LINE);
    await ask(client, 'RETR 2', MULTI_LINE);
    await play(client, 'C: NOOP\nS: +OK *');
    const seen = (await inboxEntries(site)).filter(({ flags }) => (flags.system & FLAG.seen) !== 0);
    t.same(
      seen.map(({ uid }) => uid),
      marksSeen ? [2] : [],
    );
  }
});

t.test('a message that was cut off is not \\Seen', async (t) => {
  const { site, loggedIn } = await openServer(t, { ...SYSTEM_TIME, marksSeen: true });
  await site.deliver(Buffer.alloc(20 * 1024 * 1024, `${'x'.repeat(70)}\r\n`), await site.addAccount(ADDRESS));
  const client = await loggedIn();
  client.send('RETR 1\r\n');
  await client.until(/octets\r\n/);
  client.socket.destroy();
  const other = await loggedIn();
  await play(other, 'C: STAT\nS: +OK 1 *');
  t.equal((await inboxEntries(site))[0]?.flags.system, 0);
});

t.test('the end of a session is logged with what was fetched and deleted', async (t) => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const { site, loggedIn } = await openServer(t, { log: createLog(sink, 'info') });
  const account = await site.addAccount(ADDRESS);
  for (const text of ['Subject: one\r\n\r\n.1\r\n', 'Subject: two\r\n\r\n2\r\n'])
    await site.deliver(text, account);
  const client = await loggedIn();
  await play(client, 'C: TOP 1 0\nS: +OK *\nS: Subject: one\nS: \nS: .');
  await play(client, 'C: RETR 1\nS: +OK *\nS: Subject: one\nS: \nS: ..1\nS: .');
  await play(
    client,
    'C: DELE 1\nS: +OK *\nC: DELE 2\nS: +OK *\nC: RSET\nS: +OK *\nC: DELE 1\nS: +OK *\nC: QUIT\nS: +OK *\nX:',
  );
  const cut = await loggedIn();
  cut.socket.destroy();
  await site.deliver('x', account);
  const events = () => lines.map((line) => JSON.parse(line)).filter(({ event }) => /quit|cut/.test(event));
  while (events().length < 2) await new Promise((resolve) => setImmediate(resolve));
  const [quit, other] = events();
  t.match(quit, {
    event: 'pop3d.session.quit',
    account: ADDRESS,
    remote: '127.0.0.1',
    top: 1,
    topOctets: 16,
    retr: 1,
    retrOctets: 21,
    deleted: 1,
    messages: 2,
    octets: 39,
  });
  t.match(other, { event: 'pop3d.session.cut', account: ADDRESS, retr: 0, deleted: 0, messages: 1 });
});

t.test('a maildrop that could not be opened is not locked', async (t) => {
  let isFailing = true;
  const { site, connect } = await openServer(t, {
    sharing: 'exclusive',
    mailboxes: (real) => ({
      ...real,
      hold: () => {
        if (isFailing) throw new MailError('storeUnavailable');
        return real.hold();
      },
    }),
  });
  await site.addAccount(ADDRESS);
  const client = await connect();
  const login = `C: USER ${ADDRESS}\nS: +OK *\nC: PASS secret`;
  await play(client, `S: +OK *\n${login}\nS: -ERR [SYS/TEMP] *`);
  isFailing = false;
  await play(client, `${login}\nS: +OK Logged in*`);
});

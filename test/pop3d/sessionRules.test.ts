/**
 * The rules of POP3 sessions, one test for each, over sockets and the real store: sizes and octets, unique ids, message numbers,
 * deleting, names and passwords, pipelining, lines, time-outs and failures (RFC 1939, RFC 2449). What is set or negotiated:
 * extensions.test.ts; which point of the checklist is which test: checklist.test.ts.
 */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import t from 'tap';
import { MailError } from '../../src/base/error.ts';
import type { Contents } from '../../src/store/contract/contents.ts';
import { LOGIN_DEADLINE_MS, LOGIN_TIMEOUT_MS } from '../../src/pop3d/limits.ts';
import { openRoomSite } from '../support/site.ts';
import {
  ADDRESS,
  ask,
  countingClient,
  inboxUids,
  logIn,
  MULTI_LINE,
  openServer,
  play,
  serveSite,
  SYSTEM_TIME,
} from './harness.ts';

// Each test has a store of its own; a loaded machine needs a minute for all of them.
t.setTimeout(300_000);

/** Counts the octets that a server has read of messages. */
function watchReading() {
  const watched = {
    octets: 0,
    contents: (real: Contents): Contents => ({
      ...real,
      async open(id) {
        const content = await real.open(id);
        return {
          ...content,
          async *read(start, end) {
            for await (const piece of content.read(start, end)) {
              watched.octets += piece.length;
              yield piece;
            }
          },
        };
      },
    }),
  };
  return watched;
}

const PASS = `C: USER ${ADDRESS}\nS: +OK *\nC: PASS secret\nS: +OK *`;

t.test('STAT, LIST and RETR agree on the octets, and TOP with all lines is RETR', async (t) => {
  const { site, loggedIn } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  const messages = [
    '',
    '.',
    'a\n.\nb',
    'Subject: x\r\n\r\n..\r\n.',
    'no end',
    `${'y'.repeat(9000)}\r\n\r\n\r\n`,
  ];
  for (const octets of messages) await site.deliver(octets, account);
  const client = await loggedIn();
  const listed = (await ask(client, 'LIST', MULTI_LINE)).split('\r\n').slice(1, -2);
  let sum = 0;
  for (const [index, row] of listed.entries()) {
    const [number, octets = ''] = row.split(' ');
    t.equal(number, String(index + 1));
    const whole = await ask(client, `RETR ${number}`, MULTI_LINE);
    const body = whole.slice(whole.indexOf('\r\n') + 2, -3).replace(/^\.\./gm, '.');
    t.equal(body.length, Number(octets), `octets of message ${number}`);
    t.match(whole, new RegExp(`^\\+OK ${octets} octets\\r\\n`));
    const top = await ask(client, `TOP ${number} 99999999`, MULTI_LINE);
    t.equal(top.slice(top.indexOf('\r\n')), whole.slice(whole.indexOf('\r\n')));
    sum += Number(octets);
  }
  t.equal(await ask(client, 'STAT'), `+OK ${messages.length} ${sum}\r\n`);
});

t.test('long lines, 8-bit octets and NUL pass unchanged; a CR alone becomes a line end', async (t) => {
  const { site, loggedIn } = await openServer(t);
  const all = Buffer.from(
    Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => octet !== 10 && octet !== 13),
  );
  const octets = Buffer.concat([Buffer.from('\r\n'), Buffer.alloc(12_000, all), Buffer.from('\r\n')]);
  const account = await site.addAccount(ADDRESS);
  await site.deliver(octets, account);
  await site.deliver('a\rb\r\n', account);
  const client = await loggedIn();
  const answer = await ask(client, 'RETR 1', MULTI_LINE);
  t.equal(answer, `+OK ${octets.length} octets\r\n${octets.toString('latin1')}.\r\n`);
  t.equal(await ask(client, 'RETR 2', MULTI_LINE), '+OK 6 octets\r\na\r\nb\r\n.\r\n');
});

t.test('a unique id is never given again: not after DELE, nor after a restart', async (t) => {
  const first = await openServer(t);
  const account = await first.site.addAccount(ADDRESS);
  for (const text of ['a\r\n', 'b\r\n', 'c\r\n']) await first.site.deliver(text, account);
  const client = await first.loggedIn();
  t.equal(await ask(client, 'UIDL', MULTI_LINE), '+OK 3 messages (9 octets)\r\n1 1\r\n2 2\r\n3 3\r\n.\r\n');
  await play(client, 'C: DELE 3\nS: +OK *\nC: QUIT\nS: +OK *\nX:');
  await first.pop3d.close(0);
  await first.site.close();
  const second = await serveSite(t, await openRoomSite(t, undefined, first.site.directory));
  await second.site.deliver('d\r\n', account);
  const other = await second.loggedIn();
  t.equal(await ask(other, 'UIDL', MULTI_LINE), '+OK 3 messages (9 octets)\r\n1 1\r\n2 2\r\n3 4\r\n.\r\n');
});

t.test(
  'a message that IMAP moves away and back is a new one with a new id; the others keep theirs',
  async (t) => {
    const { site, loggedIn } = await openServer(t);
    const account = await site.addAccount(ADDRESS);
    for (const text of ['a\r\n', 'b\r\n']) await site.deliver(text, account);
    const { mailboxes } = site.store;
    const inbox = await mailboxes.find(account.id, ['INBOX']);
    const trash = await mailboxes.find(account.id, ['Trash']);
    if (inbox === undefined || trash === undefined) throw new Error('a mailbox is missing');
    await mailboxes.move(inbox.id, [{ first: 1, last: 1 }], trash.id);
    await mailboxes.move(trash.id, [{ first: 1, last: 1 }], inbox.id);
    t.match(await ask(await loggedIn(), 'UIDL', MULTI_LINE), /\r\n1 2\r\n2 3\r\n\.\r\n$/);
  },
);

t.test('LIST n and UIDL n answer one line with number, one space and value', async (t) => {
  const { site, loggedIn } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  for (const text of ['a\r\n', 'bb\r\n']) await site.deliver(text, account);
  const client = await loggedIn();
  await play(
    client,
    'C: UIDL 2\nS: +OK 2 2\nC: LIST 2\nS: +OK 2 4\nC: list  2 \nS: +OK 2 4\nC: UIDL 02\nS: +OK 2 2',
  );
});

t.test('a number of a deleted message, 0, negative, huge or no number at all is -ERR', async (t) => {
  const { site, loggedIn } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  for (const text of ['a\r\n', 'b\r\n', 'c\r\n']) await site.deliver(text, account);
  const client = await loggedIn();
  await play(
    client,
    'C: DELE 2\nS: +OK *\nC: LIST\nS: +OK *\nS: 1 3\nS: 3 3\nS: .\nC: UIDL\nS: +OK *\nS: 1 1\nS: 3 3\nS: .',
  );
  for (const command of ['LIST', 'UIDL', 'RETR', 'DELE', 'TOP']) {
    for (const number of [
      '2',
      '0',
      '-1',
      '4',
      '4294967297',
      '99999999999999999999',
      'x',
      '1.0',
      '1e0',
      '+1',
    ]) {
      const lines = command === 'TOP' ? ' 0' : '';
      t.match(await ask(client, `${command} ${number}${lines}`), /^-ERR [^[]/, `${command} ${number}`);
      await play(client, 'C: NOOP\nS: +OK *');
    }
  }
  for (const command of [
    'RETR',
    'DELE',
    'TOP',
    'LIST 1 1',
    'RETR 1 1',
    'TOP 1 0 0',
    'TOP 1 x',
    'STAT 1',
    'QUIT 1',
    'RSET 1',
  ])
    t.match(await ask(client, command), /^-ERR Syntax error/, command);
  await play(client, 'C: NOOP\nS: +OK *\nC: STAT\nS: +OK 2 6');
});

t.test('DELE marks once, STAT counts what is left, and RSET takes every mark away', async (t) => {
  const { site, loggedIn } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  for (const text of ['a\r\n', 'bb\r\n', 'ccc\r\n']) await site.deliver(text, account);
  const client = await loggedIn();
  await play(
    client,
    'C: DELE 2\nS: +OK Message 2 deleted\nC: DELE 2\nS: -ERR No such message\nC: DELE 3\nS: +OK *\nC: STAT\nS: +OK 1 3\nC: RSET\nS: +OK Maildrop has 3 messages (12 octets)\nC: STAT\nS: +OK 3 12\nC: RETR 2\nS: +OK 4 octets\nS: bb\nS: .\nC: QUIT\nS: +OK Goodbye\nX:',
  );
  t.same(await inboxUids(site), [1, 2, 3]);
});

t.test('QUIT before login updates nothing', async (t) => {
  const { site, connect } = await openServer(t);
  await site.deliver('a\r\n', await site.addAccount(ADDRESS));
  const client = await connect();
  await play(
    client,
    `S: +OK *\nC: DELE 1\nS: -ERR Log in first\nC: USER ${ADDRESS}\nS: +OK *\nC: QUIT\nS: +OK Goodbye\nX:`,
  );
  t.same(await inboxUids(site), [1]);
});

t.test(
  'QUIT answers -ERR when the store cannot delete, and the messages are there at the next login',
  async (t) => {
    let isFull = true;
    const { site, loggedIn } = await openServer(t, {
      mailboxes: (real) => ({
        ...real,
        expunge: (...given) => (isFull ? Promise.reject(new MailError('diskFull')) : real.expunge(...given)),
      }),
    });
    await site.deliver('a\r\n', await site.addAccount(ADDRESS));
    const client = await loggedIn();
    await play(
      client,
      'C: DELE 1\nS: +OK *\nC: QUIT\nS: -ERR [SYS/TEMP] Some deleted messages were not removed\nX:',
    );
    t.same(await inboxUids(site), [1]);
    isFull = false;
    const again = await loggedIn();
    await play(
      again,
      'C: STAT\nS: +OK 1 3\nC: DELE 1\nS: +OK *\nC: QUIT\nS: +OK Goodbye, 1 messages deleted\nX:',
    );
    t.same(await inboxUids(site), []);
  },
);

t.test('what IMAP expunges meanwhile can still be read, and deleting it does no harm', async (t) => {
  const { site, loggedIn } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  for (const text of ['a\r\n', 'b\r\n']) await site.deliver(text, account);
  const client = await loggedIn();
  const inbox = await site.store.mailboxes.find(account.id, ['INBOX']);
  if (inbox === undefined) throw new Error('no INBOX');
  await site.store.mailboxes.expunge(inbox.id, [{ first: 1, last: 1 }], false);
  await site.deliver('late\r\n', account);
  await play(
    client,
    'C: STAT\nS: +OK 2 6\nC: LIST 1\nS: +OK 1 3\nC: RETR 1\nS: +OK 3 octets\nS: a\nS: .\nC: DELE 1\nS: +OK *\nC: RETR 3\nS: -ERR *\nC: QUIT\nS: +OK Goodbye\nX:',
  );
  t.same(await inboxUids(site), [2, 3]);
});

t.test('TOP sends the header and so many lines; without a count the header alone', async (t) => {
  const { site, loggedIn } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  await site.deliver('Subject: x\r\nTo: y\r\n\r\n1\r\n.2\r\n3\r\n', account);
  await site.deliver('Subject: no body\r\n', account);
  const client = await loggedIn();
  const header = 'S: +OK *\nS: Subject: x\nS: To: y\nS: ';
  await play(
    client,
    `C: TOP 1 0\n${header}\nS: .\nC: TOP 1\n${header}\nS: .\nC: top 1 2\n${header}\nS: 1\nS: ..2\nS: .\nC: TOP 1 4000000000\n${header}\nS: 1\nS: ..2\nS: 3\nS: .\nC: TOP 2 5\nS: +OK *\nS: Subject: no body\nS: .`,
  );
});

t.test(
  'USER is +OK for everybody, and a password is all that follows, blanks and umlauts included',
  async (t) => {
    const { site, connect } = await openServer(t);
    await site.addAccount(ADDRESS);
    const password = '  zwei  Blanks, Käse ';
    await site.administration.accounts.add({ address: 'kai@app.example.com', password });
    const client = await connect();
    const sent = Buffer.from(password).toString('latin1');
    await play(
      client,
      `S: +OK *\nC: USER nobody at all\nS: +OK Now the password\nC: PASS x\nS: -ERR [AUTH] Authentication failed\nC: USER kai@APP.Example.COM\nS: +OK Now the password\nC: PASS ${sent.trim()}\nS: -ERR [AUTH] Authentication failed\nC: user KAI@app.example.com \nS: +OK *`,
    );
    t.match(await ask(client, Buffer.from(`pass ${password}\r\n`)), /^\+OK Logged in/);
  },
);

t.test('PASS comes right after USER, or is refused without a look at the password', async (t) => {
  const { site, connect } = await openServer(t);
  await site.addAccount(ADDRESS);
  const client = await connect();
  await play(
    client,
    `S: +OK *\nC: PASS secret\nS: -ERR USER comes first\nC: USER ${ADDRESS}\nS: +OK *\nC: CAPA\nS: +OK *`,
  );
  await client.until(/STLS\r\n\.\r\n$/);
  await play(
    client,
    `C: PASS secret\nS: -ERR USER comes first\nC: USER ${ADDRESS}\nS: +OK *\nC: XYZZY\nS: -ERR *\nC: PASS secret\nS: -ERR USER comes first`,
  );
  await play(client, `C: USER other@app.example.com\nS: +OK *\n${PASS}`);
});

t.test('the greeting has no angle bracket, so that no client tries APOP; APOP is no command', async (t) => {
  const { connect } = await openServer(t);
  const client = await connect();
  t.notMatch(await client.until(/\r\n$/), /[<>]/);
  await play(client, 'C: APOP mrose c4c9334bac560ecc979e58001b3e22fb\nS: -ERR Unknown command');
});

t.test('a mechanism that is not offered is refused at once, and is no failed login', async (t) => {
  const { site, connect } = await openServer(t);
  await site.addAccount(ADDRESS);
  const client = await connect();
  await client.until(/\r\n$/);
  for (const line of [
    'AUTH XOAUTH2',
    'AUTH XOAUTH2 dXNlcj0=',
    'AUTH NTLM',
    'AUTH CRAM-MD5',
    'AUTH SCRAM-SHA-1',
    'AUTH GSSAPI',
    'AUTH SRP',
  ])
    t.equal(await ask(client, line), '-ERR Unsupported authentication mechanism\r\n', line);
  await play(client, PASS);
});

t.test('a challenge is a plus and a blank, never +OK, and * cancels', async (t) => {
  const { site, connect } = await openServer(t);
  await site.addAccount(ADDRESS);
  const client = await connect();
  const login = Buffer.from('Username:').toString('base64');
  await play(
    client,
    `S: +OK *\nC: AUTH\nS: +OK *\nS: PLAIN\nS: LOGIN\nS: .\nC: AUTH PLAIN\nS: + \nC: *\nS: -ERR Authentication cancelled\nC: AUTH LOGIN\nS: + ${login}\nC: *\nS: -ERR Authentication cancelled\nC: AUTH PLAIN =\nS: -ERR *\n${PASS}`,
  );
});

t.test('login, STAT, LIST, UIDL and QUIT in one packet are answered in order', async (t) => {
  const { site, connect } = await openServer(t);
  await site.deliver('a\r\n', await site.addAccount(ADDRESS));
  const client = await connect();
  client.send(
    `CAPA\r\nUSER ${ADDRESS}\r\nPASS secret\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n`,
  );
  const answers = await client.closed();
  t.match(
    answers,
    /LANG\r\nSTLS\r\n\.\r\n\+OK Now.*\r\n\+OK Logged.*\r\n\+OK 1 3\r\n\+OK .*\r\n1 3\r\n\.\r\n\+OK .*\r\n1 1\r\n\.\r\n\+OK 3 octets\r\na\r\n\.\r\n\+OK Message 1 deleted\r\n\+OK Goodbye, 1 messages deleted\r\n$/,
  );
});

t.test(
  'commands that queue behind a large message wait for a slow reader, and are answered in order',
  async (t) => {
    const watched = watchReading();
    const { site, port, loggedIn } = await openServer(t, { ...SYSTEM_TIME, contents: watched.contents });
    const octets = Buffer.alloc(30 * 1024 * 1024, `${'x'.repeat(70)}\r\n`);
    await site.deliver(octets, await site.addAccount(ADDRESS));
    const client = await countingClient(t, port);
    await client.ask('PASS secret\r\n', /\r\n$/);
    client.socket.pause();
    const queue = 'NOOP\r\nLIST 1\r\n'.repeat(2500);
    client.socket.write(`RETR 1\r\nSTAT\r\n${queue}UIDL 1\r\n`);
    // Answers to another session show that the server goes on; it has gone as far as it can when it reads no more.
    const other = await loggedIn();
    let seen = -1;
    while (seen < watched.octets || seen === 0) {
      seen = watched.octets;
      for (let round = 0; round < 100; round += 1) await ask(other, 'NOOP');
    }
    t.ok(seen < 16 * 1024 * 1024, `the server has read ${seen} octets of the message, and waits`);
    client.socket.resume();
    await client.untilEnd(/\+OK Nothing done\r\n\+OK 1 \d+\r\n\+OK 1 1\r\n$/);
    t.ok(client.octets > octets.length);
  },
);

t.test(
  'lines may have 255 octets, 512 after UTF8, with passwords up to 1,024; a longer one is -ERR and does nothing else',
  async (t) => {
    const { site, connect } = await openServer(t);
    await site.addAccount(ADDRESS);
    const password = 'p'.repeat(1024);
    await site.administration.accounts.add({ address: 'long@app.example.com', password });
    const client = await connect();
    await client.until(/\r\n$/);
    const noop = (octets: number, keyword = 'LANG') => `${keyword}${' '.repeat(octets - 2 - keyword.length)}`;
    t.match(await ask(client, noop(255)), /^\+OK/);
    await client.until(/\r\n\.\r\n$/);
    t.equal(await ask(client, noop(256)), '-ERR Line too long\r\n');
    t.equal(await ask(client, noop(3000)), '-ERR Line too long\r\n');
    await play(client, 'C: UTF8\nS: +OK *');
    t.match(await ask(client, noop(512)), /^\+OK/);
    await client.until(/\r\n\.\r\n$/);
    t.equal(await ask(client, noop(513)), '-ERR Line too long\r\n');
    await play(client, `C: USER long@app.example.com\nS: +OK *\nC: PASS ${password}\nS: +OK Logged in*`);
    t.equal(await ask(client, `NOOP ${'x'.repeat(100_000)}`), '-ERR Line too long\r\n');
    await play(client, 'C: NOOP\nS: +OK *');
  },
);

t.test('commands are in any case, and a line may end with LF alone', async (t) => {
  const { site, connect } = await openServer(t);
  await site.addAccount(ADDRESS);
  const client = await connect();
  await client.until(/\r\n$/);
  client.send(`uSeR ${ADDRESS}\npAsS secret\nStAt\nquit\n`);
  t.match(await client.closed(), /\+OK Now.*\r\n\+OK Logged.*\r\n\+OK 0 0\r\n\+OK Goodbye\r\n$/);
});

t.test(
  'an unknown command is -ERR; twenty refused ones in a row end the session, and a right one counts anew',
  async (t) => {
    const { site, loggedIn } = await openServer(t);
    await site.addAccount(ADDRESS);
    const client = await loggedIn();
    for (let round = 0; round < 5; round += 1) {
      for (let count = 0; count < 19; count += 1)
        t.equal(await ask(client, 'XYZZY'), '-ERR Unknown command\r\n');
      await play(client, 'C: NOOP\nS: +OK *');
    }
    const done = client.received.length;
    client.send('HELP\r\n'.repeat(30));
    t.equal((await client.closed()).slice(done), '-ERR Unknown command\r\n'.repeat(20));
  },
);

t.test('STLS is refused after login, and where TLS is on or not to be had', async (t) => {
  const { site, loggedIn } = await openServer(t);
  await site.addAccount(ADDRESS);
  await play(await loggedIn(), 'C: STLS\nS: -ERR Not after login\nC: NOOP\nS: +OK *');
  const plain = await openServer(t, { tls: 'none' });
  const client = await plain.connect();
  await play(client, 'S: +OK *\nC: STLS\nS: -ERR TLS is not available now');
  t.notMatch(await ask(client, 'CAPA', MULTI_LINE), /STLS/);
});

t.test('a minute of silence before login ends a session', async (t) => {
  const { connect, clock } = await openServer(t);
  const client = await connect();
  await play(client, 'S: +OK *\nC: CAPA\nS: +OK *');
  await client.until(MULTI_LINE);
  clock.advance(59_999);
  await play(client, 'C: USER somebody\nS: +OK *');
  clock.advance(60_000);
  t.match(await client.closed(), /-ERR \[SYS\/TEMP\] Too long without a login\r\n$/);
});

t.test(
  'five minutes are all the time before login, also with commands now and then or at once',
  async (t) => {
    const { connect, clock, site } = await openServer(t);
    await site.addAccount(ADDRESS);
    const slow = await connect();
    const entered = await connect();
    await slow.until(/\r\n$/);
    await logIn(entered);
    for (let elapsed = 0; elapsed < LOGIN_DEADLINE_MS; elapsed += LOGIN_TIMEOUT_MS / 2) {
      t.match(await ask(slow, 'USER somebody'), /^\+OK/, `after ${elapsed} ms`);
      t.match(await ask(entered, 'NOOP'), /^\+OK/);
      clock.advance(LOGIN_TIMEOUT_MS / 2);
    }
    t.match(await slow.closed(), /-ERR \[SYS\/TEMP\] Too long without a login\r\n$/);
    t.match(await ask(entered, 'NOOP'), /^\+OK/, 'who has logged in has more time');
    const hasty = await connect();
    await hasty.until(/\r\n$/);
    hasty.send('USER somebody\r\n'.repeat(20_000));
    await hasty.until(/(\+OK[\s\S]*){9}/);
    clock.advance(LOGIN_DEADLINE_MS);
    const answers = await hasty.closed();
    t.match(answers, /Too long without a login\r\n$/);
    t.ok(answers.split('\r\n').length < 20_000, 'lines that are there already do not put it off');
  },
);

t.test('ten silent minutes end a session, which a slow download of eleven is not', async (t) => {
  const { site, clock, port } = await openServer(t);
  await site.deliver(Buffer.alloc(20 * 1024 * 1024, `${'x'.repeat(70)}\r\n`), await site.addAccount(ADDRESS));
  const slow = await countingClient(t, port);
  await slow.ask('PASS secret\r\n', /\r\n$/);
  slow.socket.write('RETR 1\r\n');
  for (let part = 1; part <= 15; part += 1) {
    await slow.untilOctets(slow.octets + 300_000);
    slow.socket.pause();
    clock.advance(45_000);
    slow.socket.resume();
  }
  await slow.untilEnd(MULTI_LINE);
  clock.advance(599_999);
  await slow.ask('DELE 1\r\n', /^\+OK .*\r\n$/);
  clock.advance(600_000);
  await slow.untilEnd(/^-ERR \[SYS\/TEMP\] Too long without a command\r\n$/m);
  t.same(await inboxUids(site), [1]);
});

t.test('an empty maildrop is +OK 0 0, and its LIST and UIDL are just the dot', async (t) => {
  const { site, loggedIn } = await openServer(t);
  await site.addAccount(ADDRESS);
  await play(
    await loggedIn(),
    'C: STAT\nS: +OK 0 0\nC: LIST\nS: +OK *\nS: .\nC: UIDL\nS: +OK *\nS: .\nC: RETR 1\nS: -ERR No such message\nC: QUIT\nS: +OK Goodbye\nX:',
  );
});

t.test('LAST, XTND XLST and other old commands are refused cleanly, and NOOP does nothing', async (t) => {
  const { site, loggedIn } = await openServer(t);
  await site.deliver('a\r\n', await site.addAccount(ADDRESS));
  const client = await loggedIn();
  for (const line of ['LAST', 'XTND XLST Subject', 'XTND XLST', 'RPOP ticket', 'XSENDER 1', 'HELP'])
    await play(client, `C: ${line}\nS: -ERR Unknown command\nC: NOOP\nS: +OK Nothing done`);
});

t.test(
  'a message that breaks in the middle ends the connection, and no dot makes it look whole',
  async (t) => {
    const { site, loggedIn } = await openServer(t);
    const account = await site.addAccount(ADDRESS);
    await site.deliver('small\r\n', account);
    await site.deliver(Buffer.alloc(1_000_000, `${'x'.repeat(70)}\r\n`), account);
    const db = new Sqlite(join(site.directory, 'hauspost.db'));
    // All pieces but the first of the large message; an honest disk does not, a failing one does.
    db.prepare(
      'UPDATE chunk SET octets = zeroblob(length(octets)) WHERE length(octets) > 1000 AND id % 16384 > 0',
    ).run();
    db.close();
    const client = await loggedIn();
    await play(client, 'C: RETR 1\nS: +OK *\nS: small\nS: .\nC: DELE 1\nS: +OK *');
    client.send('RETR 2\r\nQUIT\r\n');
    const received = await client.closed();
    t.match(received, /\+OK 1000002 octets\r\nxxx/);
    t.notMatch(received, /\r\n\.\r\n$|Goodbye/);
    t.same(await inboxUids(site), [1, 2], 'and nothing is deleted');
  },
);

t.test('a message whose first octets are damaged is -ERR [SYS/PERM], and the session goes on', async (t) => {
  const { site, loggedIn } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  await site.deliver('broken\r\n', account);
  await site.deliver('whole\r\n', account);
  const db = new Sqlite(join(site.directory, 'hauspost.db'));
  db.prepare(
    "UPDATE chunk SET octets = CAST('x' || substr(octets, 2) AS BLOB) WHERE instr(octets, CAST('broken' AS BLOB)) = 1",
  ).run();
  db.close();
  const client = await loggedIn();
  await play(
    client,
    'C: RETR 1\nS: -ERR [SYS/PERM] *\nC: TOP 1 0\nS: -ERR [SYS/PERM] *\nC: RETR 2\nS: +OK *\nS: whole\nS: .',
  );
});

t.test('messages come in order of arrival, which is the order of UIDs', async (t) => {
  const { site, loggedIn } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  const { mailboxes, contents } = site.store;
  const inbox = await mailboxes.find(account.id, ['INBOX']);
  if (inbox === undefined) throw new Error('no INBOX');
  await site.deliver('first\r\n', account);
  const draft = contents.begin();
  await draft.write(Buffer.from('old but late\r\n'));
  const internalDate = { at: 0 as never, zoneMinutes: 0 };
  await mailboxes.append(inbox.id, [{ draft, flags: { system: 0, keywords: [] }, internalDate }]);
  await site.deliver('last\r\n', account);
  await play(
    await loggedIn(),
    'C: UIDL\nS: +OK *\nS: 1 1\nS: 2 2\nS: 3 3\nS: .\nC: RETR 2\nS: +OK *\nS: old but late\nS: .\nC: RETR 3\nS: +OK *\nS: last\nS: .',
  );
});

t.test('POP3 sees the INBOX and no other mailbox', async (t) => {
  const { site, connect } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  await site.deliver('a\r\n', account);
  const { mailboxes } = site.store;
  const inbox = await mailboxes.find(account.id, ['INBOX']);
  const junk = await mailboxes.find(account.id, ['Junk']);
  if (inbox === undefined || junk === undefined) throw new Error('a mailbox is missing');
  await mailboxes.copy(inbox.id, [{ first: 1, last: 1 }], junk.id);
  const client = await connect();
  await logIn(client);
  await play(client, 'C: STAT\nS: +OK 1 3');
});

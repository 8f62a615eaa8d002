/** POP3 over real sockets and the real store: transcripts, pipelining, odd octets, STLS, deadlines, drops, two sessions at once. */

import t from 'tap';
import { secureClient } from '../support/sockets.ts';
import { playTranscript, readTranscript } from '../support/transcript.ts';
import { ADDRESS, inboxUids, logIn, openServer, play, SYSTEM_TIME } from './harness.ts';

t.test('a whole session goes as RFC 1939 says, and only QUIT deletes', async (t) => {
  const { site, connect } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  await site.deliver('Subject: one\r\n\r\nfirst\r\n.dot\r\n..two\r\n', account);
  await site.deliver('Subject: two\n\nbare lf\nend', account);
  await playTranscript(await connect(), readTranscript('pop3/session'));
  t.strictSame(await inboxUids(site), [1]);
});

t.test('a session cut at every octet of its input answers the same', async (t) => {
  const { site, connect } = await openServer(t);
  await site.deliver('Subject: one\r\n\r\nfirst\r\n', await site.addAccount(ADDRESS));
  const input = Buffer.from(
    `CAPA\r\nUSER ${ADDRESS}\r\nPASS secret\r\nSTAT\r\nUIDL\r\nRETR 1\r\nTOP 1 0\r\nQUIT\r\n`,
  );
  const whole = await connect();
  whole.send(input);
  const expected = await whole.closed();
  const pieces = await connect();
  for (const octet of input) {
    await new Promise<void>((resolve) => pieces.socket.write(Buffer.of(octet), () => resolve()));
  }
  t.equal(await pieces.closed(), expected);
  t.match(expected, /\+OK 1 23\r\n/);
});

t.test(
  'odd octets come out in CRLF form, stuffed, in the size that LIST says, and end only where they end',
  async (t) => {
    const { site, connect } = await openServer(t);
    const account = await site.addAccount(ADDRESS);
    const odd = [
      '',
      '.',
      '.\r\n',
      '\r\n.\r\n',
      'a\n.\nb',
      'a\r.\rb',
      'a\r\n.\r\nQUIT\r\n',
      '\n',
      '\r',
      'x\0y\xff\r\n',
      `${'z'.repeat(300_000)}\r`,
      '\r\r\n\n',
      'Subject: x\r\n\r\n..\r\n.',
    ];
    for (const octets of odd) await site.deliver(Buffer.from(octets, 'latin1'), account);
    const client = await connect();
    await logIn(client);
    for (const [index, octets] of odd.entries()) {
      const before = client.received.length;
      client.send(`RETR ${index + 1}\r\nNOOP\r\n`);
      const answer = (await client.until(new RegExp(`^[^]{${before}}[^]*\\+OK Nothing done\\r\\n$`))).slice(
        before,
      );
      const [, size = '', body = ''] =
        /^\+OK (\d+) octets\r\n([\s\S]*)\+OK Nothing done\r\n$/.exec(answer) ?? [];
      const lines = body.split('\r\n');
      t.strictSame(lines.slice(-2), ['.', ''], 'ends with the lone dot');
      const unstuffed = lines
        .slice(0, -2)
        .map((line) => `${line.startsWith('.') ? line.slice(1) : line}\r\n`)
        .join('');
      const canonical = octets.replace(/\r\n|\r|\n/g, '\r\n').replace(/([^\n])$/, '$1\r\n');
      t.equal(unstuffed, canonical);
      t.equal(Number(size), canonical.length);
    }
  },
);

t.test(
  'AUTH takes PLAIN and LOGIN with and without initial response, lists mechanisms, and is cancelled',
  async (t) => {
    const { site, connect } = await openServer(t);
    await site.addAccount(ADDRESS);
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const plain = base64(`\0${ADDRESS}\0secret`);
    const ways = [
      `C: AUTH PLAIN ${plain}`,
      `C: auth plain\nS: + \nC: ${plain}`,
      `C: AUTH LOGIN\nS: + ${base64('Username:')}\nC: ${base64(ADDRESS)}\nS: + ${base64('Password:')}\nC: ${base64('secret')}`,
      `C: AUTH LOGIN ${base64(ADDRESS)}\nS: + ${base64('Password:')}\nC: ${base64('secret')}`,
    ];
    for (const way of ways) {
      const client = await connect();
      await play(
        client,
        `S: +OK *\nC: AUTH\nS: +OK *\nS: PLAIN\nS: LOGIN\nS: .\nC: AUTH PLAIN\nS: + \nC: *\nS: -ERR Authentication cancelled\nC: AUTH NTLM\nS: -ERR *\nC: AUTH PLAIN ?\nS: -ERR *\n${way}\nS: +OK Logged in*\nC: QUIT\nS: +OK Goodbye\nX:`,
      );
    }
    t.pass('every way logged in');
  },
);

t.test(
  'a listener that demands TLS takes no password before it, and nothing sent in plain text survives STLS',
  async (t) => {
    const { site, connect } = await openServer(t, { tls: 'required' });
    await site.addAccount(ADDRESS);
    const client = await connect();
    await play(
      client,
      `S: +OK *\nC: USER ${ADDRESS}\nS: -ERR Logging in needs TLS first\nC: AUTH PLAIN AAAA\nS: -ERR Logging in needs TLS first`,
    );
    client.send('STLS\r\nNOOP\r\n');
    await client.until(/Begin TLS\r\n/);
    const secure = await secureClient(t, client.socket);
    secure.send(`STLS\r\nUSER ${ADDRESS}\r\nPASS secret\r\nSTAT\r\nQUIT\r\n`);
    t.match(
      await secure.closed(),
      /^-ERR TLS is not available now\r\n\+OK [\s\S]*\+OK 0 0\r\n\+OK Goodbye\r\n$/,
    );
  },
);

t.test('a drop, a reset and a time-out delete nothing', async (t) => {
  const { site, connect, clock } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  await site.deliver('a\r\n', account);
  for (const end of ['destroy', 'resetAndDestroy', 'idle'] as const) {
    const client = await connect();
    await logIn(client);
    await play(client, 'C: DELE 1\nS: +OK *');
    if (end === 'idle') clock.advance(600_001);
    else client.socket[end]();
    t.match(
      await client.closed().catch((error: Error) => error.message),
      end === 'idle' ? /-ERR \[SYS\/TEMP\] Too long without a command/ : /./,
    );
  }
  t.strictSame(await inboxUids(site), [1]);
});

t.test('two sessions share a maildrop: each keeps its snapshot, and both deletes count', async (t) => {
  const { site, connect } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  for (const octets of ['one\r\n', 'two\r\n', 'three\r\n']) await site.deliver(octets, account);
  const first = await connect();
  const second = await connect();
  await logIn(first);
  await logIn(second);
  await site.deliver('four\r\n', account);
  await play(first, 'C: DELE 1\nS: +OK *\nC: STAT\nS: +OK 2 12\nC: QUIT\nS: +OK *\nX:');
  t.strictSame(await inboxUids(site), [2, 3, 4]);
  await play(
    second,
    'C: STAT\nS: +OK 3 17\nC: RETR 1\nS: +OK 5 octets\nS: one\nS: .\nC: DELE 1\nS: +OK *\nC: DELE 2\nS: +OK *\nC: QUIT\nS: +OK Goodbye, 1 messages deleted\nX:',
  );
  t.strictSame(await inboxUids(site), [3, 4]);
});

t.test(
  'junk, overlong lines and guessed passwords end in errors, then in the end of that session alone',
  async (t) => {
    const { site, connect } = await openServer(t);
    await site.addAccount(ADDRESS);
    const canary = await connect();
    await logIn(canary);
    const junk = await connect();
    junk.send(`${'x'.repeat(100_000)}\r\n${'\x16\x03\x01 \0\r\n'.repeat(100)}`);
    t.equal((await junk.closed()).match(/-ERR/g)?.length, 20);
    const guesser = await connect();
    guesser.send(`USER ${ADDRESS}\r\nPASS wrong\r\n`.repeat(50));
    t.equal((await guesser.closed()).match(/-ERR \[AUTH\]/g)?.length, 5);
    await play(canary, 'C: STAT\nS: +OK 0 0\nC: QUIT\nS: +OK Goodbye\nX:');
  },
);

t.test('closing the server tells every session and deletes nothing', async (t) => {
  const { site, pop3d, connect } = await openServer(t);
  await site.deliver('a\r\n', await site.addAccount(ADDRESS));
  const client = await connect();
  await logIn(client);
  await play(client, 'C: DELE 1\nS: +OK *');
  client.socket.on('end', () => client.socket.end());
  const closed = client.closed();
  await pop3d.close(5_000);
  t.match(await closed, /-ERR \[SYS\/TEMP\] The server is shutting down/);
  t.strictSame(await inboxUids(site), [1]);
});

t.test('a client that pipelines thousands of commands lets others have their turn', async (t) => {
  const { site, connect } = await openServer(t, SYSTEM_TIME);
  await site.deliver('small\r\n', await site.addAccount(ADDRESS));
  const flood = await connect();
  await logIn(flood);
  const other = await connect();
  await other.until(/^\+OK .*\r\n/);
  flood.send('RETR 1\r\n'.repeat(10_000));
  other.send('CAPA\r\n');
  await other.until(/\r\n\.\r\n$/);
  const answered = flood.received.match(/^small\r\n/gm)?.length ?? 0;
  t.ok(answered < 10_000, `the other session was answered after ${answered} of 10,000 messages`);
});

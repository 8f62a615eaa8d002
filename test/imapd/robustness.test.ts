/** What goes wrong on the wire and behind it: cut input, junk, limits, drops, deadlines, TLS, a store that fails, shutdown. */

import t from 'tap';
import type { Test } from 'tap';

import { MailError } from '../../src/base/error.ts';
import { MINUTE_MS } from '../../src/base/units.ts';
import { createTestClock } from '../support/clock.ts';
import { ADDRESS, LOGIN, openImapSite, play, RawClient } from './harness.ts';
import type { ImapSite } from './harness.ts';

/** A session with every kind of token, sent without waiting for any answer. */
const WHOLE_SESSION = [
  'a1 CAPABILITY',
  `a2 LOGIN {${ADDRESS.length}}\r\n${ADDRESS} {6+}\r\nsecret`,
  'a3 CREATE "Entw&APw-rfe"',
  'a4 APPEND "Entw&APw-rfe" (\\Seen kw) " 1-Jan-2024 01:02:03 +0000" {34+}\r\nSubject: one\r\n\r\nLOGOUT\r\n1 LOGOUT\r\n',
  'a5 APPEND "Entw&APw-rfe" {18}\r\nSubject: two\r\n\r\nx\n',
  'a6 SELECT "Entw&APw-rfe"',
  'a7 FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS ({7+}\r\nsubject)] BODY[])',
  'a8 UID SEARCH CHARSET UTF-8 OR SUBJECT {3}\r\ntwo TEXT "logout"',
  'a9 UID STORE 1:2 +FLAGS (\\Deleted)',
  'a10 COPY 1 INBOX',
  'a11 IDLE\r\nDONE',
  'a12 BOGUS {3+}\r\nabc',
  'a13 EXPUNGE',
  'a14 LIST (SUBSCRIBED) "" (INBOX "E*") RETURN (CHILDREN)',
  'a15 AUTHENTICATE PLAIN',
  'a16 NOOP\na17 LOGOUT',
  '',
].join('\r\n');

function settled(output: string): string {
  return output.replace(/(UIDVALIDITY|COPYUID|APPENDUID) \d+/g, '$1 0').replace(/^\+ .*\r\n/gm, '');
}

async function wholeAnswer(site: ImapSite, t: Test, send: (client: RawClient) => Promise<void> | void) {
  const client = await RawClient.connect(t, site.port);
  await send(client);
  const answer = settled(await client.closed());
  await site.store.mailboxes.remove(site.account.id, ['Entwürfe']);
  return answer;
}

t.test('a session cut at every octet of its input answers the same', async (t) => {
  const site = await openImapSite(t);
  const expected = await wholeAnswer(site, t, (client) => client.send(WHOLE_SESSION));
  t.match(expected, /a7 OK[\s\S]*\* SEARCH 1 2\r\n[\s\S]*a13 OK[\s\S]*a17 OK LOGOUT completed\r\n$/);
  const cut = await wholeAnswer(site, t, async (client) => {
    for (const octet of Buffer.from(WHOLE_SESSION, 'latin1')) {
      await new Promise<void>((resolve) => client.socket.write(Buffer.of(octet), () => resolve()));
    }
  });
  t.equal(withoutCounts(cut), withoutCounts(expected));
  const halves = await wholeAnswer(site, t, async (client) => {
    const half = WHOLE_SESSION.indexOf('1 LOGOUT\r\n') + 3;
    client.send(WHOLE_SESSION.slice(0, half));
    await client.line();
    client.send(WHOLE_SESSION.slice(half));
  });
  t.equal(withoutCounts(halves), withoutCounts(expected.replace(/^.*\r\n/, '')));
});

/** INBOX grows from run to run: the UIDs of its copies differ, and so do the ids of mailboxes made anew. */
function withoutCounts(answer: string): string {
  return answer.replace(/COPYUID 0 1 \d+/, 'COPYUID 0 1 n').replace(/MAILBOXID \(\w+\)/g, 'MAILBOXID (id)');
}

t.test('junk ends in BAD, then in the end of that session alone', async (t) => {
  const site = await openImapSite(t);
  const canary = await site.selected();
  const junk = await site.client();
  junk.send(`${'\x16\x03\x01 \0\xff\r\n'.repeat(100)}`);
  const said = await junk.closed();
  t.equal(said.match(/ BAD /g)?.length, 20);
  t.match(said, /\* BYE Too many bad commands\r\n$/);
  const binary = await site.client();
  let state = 7;
  binary.send(
    Buffer.from(
      Array.from({ length: 200_000 }, () => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        return state >> 16;
      }),
    ),
  );
  binary.socket.end();
  await binary.closed();
  const chatty = await site.client();
  chatty.send('x NOOP\r\n'.repeat(200));
  t.match(await chatty.closed(), /\* BYE Too many commands before login\r\n$/);
  t.same(await canary.command('NOOP'), ['t3 OK NOOP completed']);
});

t.test('lines and literals beyond the limits are BAD, and what follows is read aright', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected();
  t.same(await client.command(`SEARCH SUBJECT ${'x'.repeat(70_000)}`), [
    't3 BAD [TOOBIG] The line is too long',
  ]);
  t.same(await client.command('SEARCH SUBJECT {100000}'), ['t4 BAD [TOOBIG] Too much literal data']);
  client.send(`l SEARCH SUBJECT {100000+}\r\n${'a NOOP\r\n'.repeat(12_500)}\r\n`);
  t.same(await client.answer('l'), ['l BAD [TOOBIG] Too much literal data']);
  t.same(await client.command(`UID FETCH ${'1,3,'.repeat(12_000)}5 FLAGS`), ['t5 OK FETCH completed']);
  t.match(await client.command(`SEARCH ${'NOT '.repeat(2_000)}SEEN`), [/^t6 BAD/]);
  client.send('h APPEND INBOX {999999999+}\r\n');
  t.match(await client.closed(), /h NO \[TOOBIG\].*\r\n\* BYE \[TOOBIG\] The literal is too large\r\n$/);
});

t.test('a client that is lost in a literal leaves nothing behind', async (t) => {
  const site = await openImapSite(t);
  for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const client = await site.selected();
    client.send('a APPEND INBOX {1000000+}\r\n');
    await new Promise<void>((resolve) => client.socket.write('x'.repeat(500_000), () => resolve()));
    client.socket[end]();
    while (site.imapd.sessionCount > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const after = await site.selected();
  t.match(await after.command('STATUS INBOX (MESSAGES)'), ['* STATUS "INBOX" (MESSAGES 0)']);
});

t.test(
  'STARTTLS forgets what came before it, and a listener that wants TLS takes no password in the clear',
  async (t) => {
    const site = await openImapSite(t, { tls: 'required' });
    const client = await site.client();
    t.match(await client.command('CAPABILITY'), [/ STARTTLS LOGINDISABLED (?!.*AUTH=)/]);
    t.same(await client.command(LOGIN), ['t2 NO [PRIVACYREQUIRED] Logging in needs TLS first']);
    t.same(await client.command('LOGIN {5}'), ['t3 NO [PRIVACYREQUIRED] Logging in needs TLS first']);
    t.same(await client.command('AUTHENTICATE PLAIN'), [
      't4 NO [PRIVACYREQUIRED] Logging in needs TLS first',
    ]);
    client.send('s STARTTLS\r\nx NOOP\r\n');
    t.equal(await client.line(), 's OK Begin TLS negotiation now');
    const secure = await client.secure(t);
    t.match(await secure.command('CAPABILITY'), [/^\* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN /]);
    t.same(await secure.command('STARTTLS'), ['t2 BAD TLS is on already']);
    t.match(await secure.command(LOGIN), [/^t3 OK/]);
  },
);

t.test('a listener without TLS offers none, and a capability can be hidden', async (t) => {
  const site = await openImapSite(t, { tls: 'none', hiddenCapabilities: ['IDLE'] });
  const client = await site.client();
  t.match(await client.command('CAPABILITY'), [/^(?!.*(STARTTLS|IDLE))\* CAPABILITY/]);
  t.same(await client.command('STARTTLS'), ['t2 BAD TLS is not available']);
});

t.test('silence ends a session, before login soon, and IDLE shows that it lives', async (t) => {
  const clock = createTestClock();
  const site = await openImapSite(t, { clock });
  const silent = await site.client();
  const idle = await site.selected();
  const waiting = await site.selected();
  idle.send('i IDLE\r\n');
  await idle.line();
  clock.advance(MINUTE_MS + 1);
  t.equal(await silent.closed(), '* BYE Autologout: idle for too long\r\n');
  for (let minute = 5; minute < 30; minute += 5) {
    clock.advance(5 * MINUTE_MS);
    t.equal(await idle.line(), '* OK Still here');
  }
  t.ok(waiting.isQuiet);
  clock.advance(5 * MINUTE_MS);
  t.match(await idle.closed(), /\* BYE Autologout: idle for too long\r\n$/);
  t.equal(await waiting.closed(), '* BYE Autologout: idle for too long\r\n');
});

t.test('closing the server tells every session, after the command that runs', async (t) => {
  const site = await openImapSite(t);
  const idle = await site.selected();
  idle.send('i IDLE\r\n');
  await idle.line();
  const quiet = await site.selected();
  for (const client of [idle, quiet]) client.socket.on('end', () => client.socket.end());
  await Promise.all([
    site.imapd.close(5_000),
    idle.closed().then((said) => t.equal(said, '* BYE Server is shutting down\r\n')),
    quiet.closed().then((said) => t.equal(said, '* BYE Server is shutting down\r\n')),
  ]);
  t.equal(site.imapd.sessionCount, 0);
});

t.test('quota is answered before the literal is asked for', async (t) => {
  const site = await openImapSite(t, { quotaOctets: 1000 });
  const client = await site.selected();
  t.same(await client.command('APPEND INBOX {1001}'), ['t3 NO [OVERQUOTA] The mailbox is over its quota']);
  await site.put(['INBOX'], 'x'.repeat(900));
  t.match((await client.command('COPY 1 Trash')).at(-1), /BAD/);
  await client.command('NOOP');
  t.same(await client.command('COPY 1 Trash'), ['t6 NO [OVERQUOTA] The mailbox is over its quota']);
});

t.test('a store that fails is NO and the session goes on', async (t) => {
  let failing: MailError | undefined;
  const site = await openImapSite(t, {
    wrap: (store) => ({
      ...store,
      mailboxes: {
        ...store.mailboxes,
        setFlags: (...args) => (failing ? Promise.reject(failing) : store.mailboxes.setFlags(...args)),
        status: (...args) => (failing ? Promise.reject(failing) : store.mailboxes.status(...args)),
      },
      contents: {
        ...store.contents,
        open: (id) => (failing ? Promise.reject(failing) : store.contents.open(id)),
      },
    }),
  });
  await site.put(['INBOX'], 'one\r\n', 'two\r\n');
  const client = await site.selected();
  failing = new MailError('storeUnavailable');
  t.match(await client.command('STORE 1 +FLAGS (\\Seen)'), [/^t3 NO \[UNAVAILABLE\]/]);
  t.match(await client.command('STATUS Sent (MESSAGES)'), [/^t4 NO \[UNAVAILABLE\]/]);
  failing = new MailError('contentCorrupt');
  t.match(await client.command('FETCH 1:2 (UID BODY.PEEK[])'), [/^t5 NO \[CORRUPTION\]/]);
  t.match(await client.command('FETCH 1:2 (UID)'), ['* 1 FETCH (UID 1)', '* 2 FETCH (UID 2)', /^t6 OK/]);
  failing = new MailError('internal', 'a secret path');
  t.match(await client.command('STORE 1 +FLAGS (\\Seen)'), [
    't7 NO [SERVERBUG] Temporary server error, please try again later',
  ]);
  failing = undefined;
  t.match(await client.command('STORE 1 +FLAGS (\\Seen)'), [/^\* 1 FETCH/, /^t8 OK/]);
});

t.test('a content that breaks in the middle ends the connection, never with a whole answer', async (t) => {
  const site = await openImapSite(t, {
    wrap: (store) => ({
      ...store,
      contents: {
        ...store.contents,
        open: async (id) => {
          const content = await store.contents.open(id);
          return {
            ...content,
            octets: content.octets,
            async *read(start: number, end: number) {
              let count = 0;
              for await (const piece of content.read(start, end)) {
                count += 1;
                if (count > 2) throw new MailError('contentCorrupt');
                yield piece;
              }
            },
          };
        },
      },
    }),
  });
  await site.put(['INBOX'], Buffer.alloc(2_000_000, 'x'));
  const client = await site.selected();
  client.send('a FETCH 1 BODY[]\r\n');
  const said = await client.closed();
  t.match(said, /^\* 1 FETCH \(BODY\[\] \{2000000\}\r\nx+$/);
  t.ok(said.length < 2_000_000);
  const after = await site.selected();
  t.match(await after.command('FETCH 1 (FLAGS)'), ['* 1 FETCH (FLAGS ())'], 'and the message stays unseen');
});

t.test('a delimiter of the administrator’s choice', async (t) => {
  const site = await openImapSite(t, { delimiter: '.' });
  await play(
    `S: * OK <any>
     C: a ${LOGIN}
     S: a OK <any>
     C: a CREATE a.b/c
     S: a OK [MAILBOXID (F<any>)] CREATE completed
     C: a LIST "" a*
     S: * LIST (\\\\HasChildren) "." "a"
     S: * LIST (\\\\HasNoChildren) "." "a.b/c"
     S: a OK LIST completed
     C: a NAMESPACE
     S: * NAMESPACE (("" ".")) NIL NIL
     S: a OK NAMESPACE completed`,
    { client: () => RawClient.connect(t, site.port), put: async () => {} },
  );
});

t.test(
  'a large message passes both ways whole, whole and in pieces, while another session is served',
  async (t) => {
    const site = await openImapSite(t);
    const message = Buffer.alloc(20_000_000);
    for (let index = 0; index < message.length; index += 1) message[index] = 1 + ((index * 7919) % 255);
    const [client, other] = [await site.selected(), await site.selected()];
    client.send(`a APPEND INBOX {${message.length}+}\r\n`);
    client.send(message);
    client.send('\r\n');
    t.match(await other.command('STATUS Sent (MESSAGES)'), ['* STATUS "Sent" (MESSAGES 0)']);
    t.match((await client.answer('a')).at(-1), /^a OK \[APPENDUID \d+ 1\]/);
    client.send('b FETCH 1 BODY.PEEK[]\r\n');
    t.equal(await client.line(), `* 1 FETCH (BODY[] {${message.length}}`);
    t.match(await other.command('STATUS Sent (MESSAGES)'), ['* STATUS "Sent" (MESSAGES 0)']);
    t.ok((await client.octets(message.length)).equals(message));
    t.same(await client.answer('b'), [')', 'b OK FETCH completed']);
    // As Thunderbird fetches it, one chunk past the end.
    const chunk = 393_216;
    const pieces: Buffer[] = [];
    for (let start = 0; start <= message.length; start += chunk) {
      client.send(`c UID FETCH 1 BODY.PEEK[]<${start}.${chunk}>\r\n`);
      const [, count] = /\{(\d+)\}$/.exec(await client.line()) ?? [];
      pieces.push(await client.octets(Number(count)));
      await client.answer('c');
    }
    t.ok(Buffer.concat(pieces).equals(message));
  },
);

t.test('a message that is expunged and swept while it is sent is sent to its end', async (t) => {
  const site = await openImapSite(t);
  const message = Buffer.alloc(8_000_000, 'm\r\n');
  await site.put(['INBOX'], message);
  const [reader, other] = [await site.selected(), await site.selected()];
  reader.socket.pause();
  reader.send('a FETCH 1 BODY.PEEK[]\r\n');
  await other.command('STORE 1 +FLAGS.SILENT (\\Deleted)');
  t.match((await other.command('EXPUNGE'))[0], '* 1 EXPUNGE');
  await maintain(site);
  reader.socket.resume();
  t.equal(await reader.line(), `* 1 FETCH (BODY[] {${message.length}}`);
  t.ok((await reader.octets(message.length)).equals(message));
  t.same(await reader.answer('a'), [')', 'a OK FETCH completed']);
});

async function maintain({ store }: ImapSite): Promise<void> {
  if ('maintain' in store && typeof store.maintain === 'function') await store.maintain();
  else throw new Error('the store has no sweeper to run');
}

t.test('a message’s trace says who fetched, appended and deleted it', async (t) => {
  const notes: string[] = [];
  const site = await openImapSite(t, {
    wrap: (store) => ({
      ...store,
      trace: {
        ...store.trace,
        note: (contentId, { kind, fields }) => {
          notes.push(
            `${kind} ${fields.protocol} ${fields.account} ${fields.remoteAddress} uid ${fields.uid}`,
          );
          store.trace.note(contentId, { at: site.clock.now(), kind, fields });
        },
      },
    }),
  });
  const { contentId } = await site.deliver('Subject: x\r\n\r\nbody\r\n', site.account);
  const client = await site.selected();
  const who = `imap ${ADDRESS} 127.0.0.1`;
  await client.command('FETCH 1 (FLAGS ENVELOPE BODY.PEEK[HEADER] BODY.PEEK[]<0.3>)');
  t.same(notes, []);
  await client.command('FETCH 1 BODY[]');
  t.same(notes.splice(0), [`fetched ${who} uid 1`]);
  await client.command('FETCH 1 (RFC822.HEADER BODY.PEEK[TEXT])');
  t.same(notes.splice(0), [`fetched ${who} uid 1`], 'as fetchmail fetches');
  await client.command('APPEND INBOX {1+}\r\nx');
  t.same(notes.splice(0), [`appended ${who} uid 2`]);
  await client.command('STORE 1 +FLAGS (\\Deleted)');
  await client.command('CLOSE');
  t.same(notes.splice(0), [`deleted ${who} uid 1`]);
  t.type(contentId, 'number');
});

/** The form of commands over sockets: literals, quoted strings, case, words too many or too few (points 1 to 15 of the checklist). */

import t from 'tap';

import { outcome, told } from './answers.ts';
import { ADDRESS, openImapSite } from './harness.ts';

t.test(
  'a synchronising literal is asked for with a plus, a space and text; the other kind is not',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.client();
    client.send(`a LOGIN {${ADDRESS.length}}\r\n`);
    t.match(await client.line(), /^\+ \S/);
    client.send(`${ADDRESS} {6+}\r\nsecret\r\n`);
    t.match(await client.line(), /^a OK /, 'nothing was asked for before it');
    client.send('b APPEND INBOX {1}\r\n');
    t.match(await client.line(), /^\+ \S/);
    client.send('x\r\n');
    t.match(await client.line(), /^b OK /);
  },
);

t.test(
  'a literal stands wherever an astring may, several in one command, and none of its octets is a command',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], 'Subject: some words\r\nFrom: a@b\r\n\r\nbody\r\n');
    const client = await site.client();
    t.match(await outcome(client, `LOGIN {${ADDRESS.length}+}\r\n${ADDRESS} {6+}\r\nsecret`), /^OK/);
    t.match(await outcome(client, 'SELECT {5+}\r\nINBOX'), /^OK/);
    t.same(await told(t, client, 'SEARCH SUBJECT {5+}\r\nwords FROM {3+}\r\na@b'), ['SEARCH 1']);
    t.match(
      (await told(t, client, 'FETCH 1 BODY.PEEK[HEADER.FIELDS ({7+}\r\nSubject {4+}\r\nFrom)]'))[0],
      /some words.*a@b/s,
    );
    t.match(await outcome(client, 'RENAME {5+}\r\nTrash {3+}\r\nBin'), /^OK/);
    t.same(await told(t, client, 'LIST {0+}\r\n {3+}\r\nB%n'), ['LIST (\\HasNoChildren \\Trash) "/" "Bin"']);
    t.same(await told(t, client, 'STATUS {3+}\r\nBin (MESSAGES)'), ['STATUS "Bin" (MESSAGES 0)']);
    t.match(await outcome(client, 'CREATE {17+}\r\na\r\nx DELETE Bin\r\n'), /^BAD/, 'a line end in a name');
    t.same(
      await told(t, client, 'LIST "" Bin'),
      ['LIST (\\HasNoChildren \\Trash) "/" "Bin"'],
      'was no command',
    );
  },
);

t.test('an empty literal is an empty string, and NUL in one is BAD', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], 'Subject: x\r\n\r\nbody\r\n');
  const client = await site.selected('INBOX');
  t.same(await told(t, client, 'SEARCH SUBJECT {0+}\r\n'), ['SEARCH 1'], 'who has the field');
  t.same(await told(t, client, 'SEARCH HEADER X-NONE {0+}\r\n'), ['SEARCH'], 'nobody has this one');
  t.match(await outcome(client, 'SEARCH SUBJECT {3+}\r\na\0b'), /^BAD/);
  t.match(await outcome(client, 'CREATE {3+}\r\na\0b'), /^BAD/);
  t.match(await outcome(client, 'CREATE {0+}\r\n'), /^NO \[CANNOT\]/);
  client.send('z SEARCH SUBJECT {0}\r\n');
  t.match(await client.line(), /^\+ /);
  client.send('\r\n');
  t.equal(await client.line(), '* SEARCH 1');
});

t.test(
  'a quoted string has two escapes and no line end, and 8-bit octets are taken but never sent',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], 'Subject: "quoted" \\ \xe4\r\n\r\nbody\r\n');
    const client = await site.selected('INBOX');
    t.same(await told(t, client, 'SEARCH SUBJECT "\\"quoted\\" \\\\"'), ['SEARCH 1']);
    for (const wrong of ['"a\\b"', '"a\\', '"open', '"a\rb"', '"a"b', '"a\0b"'])
      t.match(await outcome(client, `SEARCH SUBJECT ${wrong}`), /^BAD/, JSON.stringify(wrong));
    t.match(await outcome(client, 'SEARCH CHARSET UTF-8 SUBJECT "\xc3\xa4"'), /^OK/);
    const [envelope = ''] = await told(t, client, 'FETCH 1 ENVELOPE');
    t.match(envelope, /\{\d+\}\r\n/);
    t.notMatch(envelope, /"[^"]*[\x80-\xff][^"]*"/, 'a literal instead');
  },
);

t.test(
  'commands, keys, flags and INBOX are read in any case, keywords and names keep theirs, tags come back as they went',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], 'Subject: x\r\n\r\nbody\r\n');
    const client = await site.selected('');
    t.match(await outcome(client, 'sElEcT iNbOx'), /^OK/);
    await told(t, client, 'store 1 +fLaGs.silent (\\sEEN KeyWord)');
    t.equal(
      (await told(t, client, 'fetch 1 (flags uid)')).at(-1),
      '1 FETCH (FLAGS (\\Seen \\Recent KeyWord) UID 1)',
    );
    t.same(await told(t, client, 'uid search seen keyword KEYWORD subject X'), ['SEARCH 1']);
    t.match(await outcome(client, 'create CaSe'), /^OK/);
    t.match(await outcome(client, 'select case'), /^NO \[NONEXISTENT\]/);
    for (const tag of ['A.1', ']', '0', '-_/\\'.slice(0, 3), 'tag'.repeat(50)]) {
      client.send(`${tag} NOOP\r\n`);
      t.equal(await client.line(), `${tag} OK NOOP completed`, tag);
    }
    for (const tag of ['+', 'a+b', '(', '"x"', '*']) {
      client.send(`${tag} NOOP\r\n`);
      t.match(await client.line(), /^\* BAD /, tag);
    }
  },
);

t.test(
  'words too many, too few or too far apart are BAD and nothing else, and a bare LF ends a line at most',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('INBOX');
    for (const wrong of [
      'NOOP ',
      ' NOOP',
      'NOOP  ',
      'SELECT',
      'SELECT ',
      'SELECT  INBOX',
      'SELECT INBOX ',
      'SELECT INBOX x',
      'STATUS INBOX',
      'STATUS INBOX ( MESSAGES)',
      'FETCH 1',
      'UID',
      'UID NOOP',
      'LIST ""',
      'SEARCH  ALL',
      'STORE 1 FLAGS',
      'COPY 1',
    ])
      t.match(await outcome(client, wrong), /^BAD/, JSON.stringify(wrong));
    await told(t, client, 'NOOP');
    client.send('a NOOP\nb NOOP\n');
    t.equal(await client.line(), 'a OK NOOP completed');
    t.equal(await client.line(), 'b OK NOOP completed');
  },
);

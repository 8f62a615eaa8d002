/** Mailbox names, LIST, LSUB, CREATE, DELETE, RENAME and SUBSCRIBE over sockets: points 16 to 28 of the checklist (checklist.test.ts). */

import t from 'tap';
import type { Test } from 'tap';

import { outcome, told } from './answers.ts';
import { LOGIN, openImapSite } from './harness.ts';
import type { RawClient } from './harness.ts';

/** The names that LIST or LSUB tells. */
async function names(t: Test, client: RawClient, command: string): Promise<string[]> {
  return (await told(t, client, command)).map((line) => /"([^"]*)"$/.exec(line)?.[1] ?? line);
}

/** The number after UIDVALIDITY. */
async function uidValidity(t: Test, client: RawClient, mailbox: string): Promise<number> {
  const [line = ''] = await told(t, client, `STATUS ${mailbox} (UIDVALIDITY)`);
  return Number(/UIDVALIDITY (\d+)/.exec(line)?.[1]);
}

async function create(t: Test, client: RawClient, ...mailboxes: readonly string[]): Promise<void> {
  for (const mailbox of mailboxes) t.match(await outcome(client, `CREATE ${mailbox}`), /^OK/, mailbox);
}

t.test('a name has one form in modified UTF-7, and every other form is refused', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected('');
  const wrong = [
    ['&AGEA-', 'base64 of printable US-ASCII'],
    ['&AOk', 'base64 that does not end'],
    ['"&AOk=-"', 'padding'],
    ['&AOl-', 'padding bits that are not zero'],
    ['&AOk-&AOk-', 'a shift that could be left out'],
    ['&2D0-', 'a lone surrogate'],
    ['&3gDYPQ-', 'surrogates the wrong way round'],
    ['&A-', 'half a code unit'],
    ['&AO/p-', 'a slash in place of the comma'],
    ['caf\xe9', 'Latin-1'],
    ['"caf\xc3\xa9"', 'UTF-8'],
    ['a&b', 'a bare ampersand'],
    ['&AAo-', 'a line feed'],
  ] as const;
  for (const [name, why] of wrong) {
    // A session of its own: twenty wrong commands end one.
    const guesser = await site.selected('');
    for (const command of [
      `CREATE ${name}`,
      `RENAME Trash ${name}`,
      `SELECT ${name}`,
      `STATUS ${name} (MESSAGES)`,
    ])
      t.match(await outcome(guesser, command), /^BAD/, `${why}: ${command}`);
  }
  t.same(
    await names(t, client, 'LIST "" *'),
    ['INBOX', 'Drafts', 'Junk', 'Sent', 'Trash'],
    'nothing was made',
  );
  const right = ['&AOk-', '&-', 'a&-b', '&2D3eAA-', '&AOk-&-', '&U,BTFw-', '&AOk-/&AOk-'];
  await create(t, client, ...right);
  for (const name of right) {
    t.same(await names(t, client, `LIST "" ${name}`), [name], name);
    t.match(await outcome(client, `SELECT ${name}`), /^OK/, name);
  }
});

t.test('one name is one mailbox, however its umlaut is composed, and for every session', async (t) => {
  const site = await openImapSite(t);
  const [one, other] = [await site.selected(''), await site.selected('')];
  await create(t, one, 'o&Awg-'); // o and a combining diaeresis
  t.same(await names(t, other, 'LIST "" &APY-'), ['&APY-'], 'composed');
  t.match(await outcome(other, 'CREATE &APY-'), /^NO \[ALREADYEXISTS\]/);
  t.match(await outcome(other, 'SELECT o&Awg-'), /^OK/);
});

t.test('INBOX is one mailbox in any case, and so is what is below it', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], 'Subject: one\r\n\r\nx\r\n');
  const client = await site.selected('');
  for (const name of ['inbox', 'InBoX', '"iNBOX"', '{5+}\r\nInBox']) {
    t.same(await told(t, client, `STATUS ${name} (MESSAGES)`), ['STATUS "INBOX" (MESSAGES 1)'], name);
    t.match(await outcome(client, `CREATE ${name}`), /^NO \[ALREADYEXISTS\]/, name);
  }
  await create(t, client, 'inbox/sub', 'a/inbox');
  t.match(await outcome(client, 'CREATE Inbox/sub'), /^NO \[ALREADYEXISTS\]/);
  t.match(await outcome(client, 'CREATE inbox/Sub'), /^OK/, 'below it, case counts');
  await create(t, client, 'a/INBOX', 'inboxes');
  t.same(
    await names(t, client, 'LIST "" (a/* inboxe%)'),
    ['a/INBOX', 'a/inbox', 'inboxes'],
    'no INBOX elsewhere',
  );
  for (const pattern of ['inbox', 'INBOX', 'iNb%', 'InBoX']) {
    t.ok((await names(t, client, `LIST "" ${pattern}`)).includes('INBOX'), pattern);
  }
  t.same(await names(t, client, 'LIST inbox/ %'), ['INBOX/Sub', 'INBOX/sub']);
  t.ok((await names(t, client, 'LIST "" %')).includes('INBOX'), 'as INBOX');
  await told(t, client, 'SUBSCRIBE inBOX/sub');
  t.same(await names(t, client, 'LSUB "" INBOX/*'), ['INBOX/sub']);
});

t.test('LIST with an empty pattern tells the delimiter and the root, whatever the reference', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected('');
  for (const reference of ['""', 'nowhere', 'INBOX', 'a/b/']) {
    t.same(await told(t, client, `LIST ${reference} ""`), ['LIST (\\Noselect) "/" ""'], reference);
  }
  t.same(await told(t, client, 'LIST "" ("")'), [], 'the extended form asks for a mailbox without name');
});

t.test(
  '% stops at the delimiter, * does not, and the reference stands before the pattern as it is',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('');
    for (const name of ['Drafts', 'Junk', 'Sent', 'Trash']) await told(t, client, `DELETE ${name}`);
    await create(t, client, 'a/b/c', 'ab/c', 'xa', 'INBOX/x');
    const table: readonly (readonly [reference: string, pattern: string, expected: string])[] = [
      ['""', '%', 'INBOX a ab xa'],
      ['""', '*', 'INBOX INBOX/x a a/b a/b/c ab ab/c xa'],
      ['""', '%/%', 'INBOX/x a/b ab/c'],
      ['""', '%/%/%', 'a/b/c'],
      ['""', '*a%', 'a ab xa'],
      ['""', '*/c', 'a/b/c ab/c'],
      ['""', 'a*', 'a a/b a/b/c ab ab/c'],
      ['""', 'a%', 'a ab'],
      ['""', 'a/%', 'a/b'],
      ['""', 'INBOX%', 'INBOX'],
      ['""', 'INBOX*', 'INBOX INBOX/x'],
      ['""', 'inbox/%', 'INBOX/x'],
      ['""', '%a', 'a xa'],
      ['""', '*%*', 'INBOX INBOX/x a a/b a/b/c ab ab/c xa'],
      ['""', 'A', ''],
      ['a/', '%', 'a/b'],
      ['a/', '*', 'a/b a/b/c'],
      ['a', '%', 'a ab'],
      ['a', '/b', 'a/b'],
      ['a/b', '/%', 'a/b/c'],
      ['nowhere/', '*', ''],
    ];
    for (const [reference, pattern, expected] of table) {
      const listed = await names(t, client, `LIST ${reference} "${pattern}"`);
      t.equal(listed.sort().join(' '), expected, `${reference} ${pattern}`);
    }
  },
);

t.test(
  'every parent is a real mailbox, and \\HasChildren is right after CREATE, DELETE and RENAME',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('');
    const attributes = async (pattern: string) =>
      (await told(t, client, `LIST "" ${pattern}`)).map((line) =>
        line.replace('LIST ', '').replace(' "/"', ''),
      );
    await create(t, client, 'a/b/c');
    t.same(await attributes('a*'), [
      '(\\HasChildren) "a"',
      '(\\HasChildren) "a/b"',
      '(\\HasNoChildren) "a/b/c"',
    ]);
    for (const name of ['a', 'a/b'])
      t.match(await outcome(client, `SELECT ${name}`), /^OK/, `${name} can be selected`);
    await told(t, client, 'DELETE a/b/c');
    t.same(await attributes('a*'), ['(\\HasChildren) "a"', '(\\HasNoChildren) "a/b"']);
    await told(t, client, 'RENAME a/b z/b');
    t.same(await attributes('a*'), ['(\\HasNoChildren) "a"']);
    t.same(await attributes('z*'), ['(\\HasChildren) "z"', '(\\HasNoChildren) "z/b"']);
    for (const line of await told(t, client, 'LIST "" *')) {
      t.notMatch(line, /Noselect|NonExistent/, line);
      t.not(line.includes('\\HasChildren'), line.includes('\\HasNoChildren'), line);
    }
  },
);

t.test(
  'CREATE takes a delimiter at the end, makes missing parents, and refuses what exists or cannot be',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('');
    await create(t, client, 'a/', 'p/q/r', '"with space"', 'b.c');
    t.same(await names(t, client, 'LIST "" p*'), ['p', 'p/q', 'p/q/r']);
    for (const name of ['a', 'a/', 'p/q', 'INBOX', 'Inbox', 'Trash'])
      t.match(await outcome(client, `CREATE ${name}`), /^NO \[ALREADYEXISTS\]/, name);
    for (const name of ['""', '/', '//', '/x', 'x//', 'x//y', '"x*"', '"x%"'])
      t.match(await outcome(client, `CREATE ${name}`), /^NO \[CANNOT\]/, name);
    t.match(await outcome(client, `CREATE ${'x'.repeat(5000)}`), /^NO \[LIMIT\]/, 'a long name');
    t.match(await outcome(client, `CREATE ${'x/'.repeat(500)}x`), /^NO \[LIMIT\]/, 'a deep name');
    t.same(await names(t, client, 'LIST "" x*'), [], 'and nothing of it was made');
  },
);

t.test(
  'names like NIL, 123 and those with brackets, quotes and backslashes come back as they went',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('');
    const table = [
      ['NIL', 'NIL'],
      ['nil', 'nil'],
      ['123', '123'],
      ['a]b', 'a]b'],
      ['"a[b"', 'a[b'],
      ['"a b"', 'a b'],
      ['"(x) {5}"', '(x) {5}'],
      ['"q\\"q"', 'q\\"q'],
      ['"b\\\\b"', 'b\\\\b'],
      ['{3+}\r\nlit', 'lit'],
      ['"{3}"', '{3}'],
      ['~x', '~x'],
      ['#news', '#news'],
    ] as const;
    for (const [sent, quoted] of table) {
      t.match(await outcome(client, `CREATE ${sent}`), /^OK/, sent);
      const [line = ''] = await told(t, client, `STATUS ${sent} (MESSAGES)`);
      t.equal(line, `STATUS "${quoted}" (MESSAGES 0)`);
      t.match(await outcome(client, `SELECT "${quoted}"`), /^OK/, sent);
    }
    const all = await told(t, client, 'LIST "" *');
    for (const [, quoted] of table) t.ok(all.includes(`LIST (\\HasNoChildren) "/" "${quoted}"`), quoted);
  },
);

t.test(
  'DELETE of a parent is NO [HASCHILDREN] and harms nothing; of INBOX and of what is missing NO',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('');
    await create(t, client, 'p/q');
    await site.put(['p'], 'Subject: kept\r\n\r\nx\r\n');
    t.match(await outcome(client, 'DELETE p'), /^NO \[HASCHILDREN\]/);
    t.match(await outcome(client, 'DELETE p'), /^NO \[HASCHILDREN\]/, 'the second time as well');
    t.same(await told(t, client, 'STATUS p (MESSAGES)'), ['STATUS "p" (MESSAGES 1)'], 'with its message');
    t.match(await outcome(client, 'DELETE p/q'), /^OK/);
    t.match(await outcome(client, 'DELETE p'), /^OK/);
    t.match(await outcome(client, 'DELETE p'), /^NO \[NONEXISTENT\]/);
    for (const name of ['INBOX', 'inbox', 'InBox'])
      t.match(await outcome(client, `DELETE ${name}`), /^NO/, name);
    for (const name of ['nowhere', '""', 'p/', 'x//y', '*'])
      t.match(await outcome(client, `DELETE ${name}`), /^(NO \[NONEXISTENT\]|BAD)/, name);
  },
);

t.test(
  'a session whose mailbox is deleted and made anew elsewhere never sees the new one’s messages',
  async (t) => {
    const site = await openImapSite(t);
    const other = await site.selected('');
    await create(t, other, 'box');
    await site.put(['box'], 'Subject: old\r\n\r\nold\r\n');
    const client = await site.selected('box');
    await told(t, other, 'DELETE box');
    await create(t, other, 'box');
    await site.put(['box'], 'Subject: new\r\n\r\nnew\r\n');
    client.send('x FETCH 1 BODY.PEEK[]\r\nx UID FETCH 1 BODY.PEEK[]\r\n');
    const answer = await client.closed();
    t.notMatch(answer, /new/);
    t.match(answer, /\* BYE /);
    t.same(await told(t, other, 'STATUS box (MESSAGES)'), ['STATUS "box" (MESSAGES 1)']);
  },
);

t.test(
  'RENAME takes the children along, makes missing parents, and refuses a target that exists',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('');
    await create(t, client, 'a/b/c', 'ab', 'taken');
    t.match(await outcome(client, 'RENAME a new/place/a2'), /^OK/);
    t.same(await names(t, client, 'LIST "" new*'), [
      'new',
      'new/place',
      'new/place/a2',
      'new/place/a2/b',
      'new/place/a2/b/c',
    ]);
    t.same(await names(t, client, 'LIST "" a*'), ['ab'], 'what only begins alike stays');
    for (const [from, to, expected] of [
      ['ab', 'taken', 'ALREADYEXISTS'],
      ['ab', 'ab', 'ALREADYEXISTS'],
      ['ab', 'INBOX', 'ALREADYEXISTS'],
      ['ab', 'inbox', 'ALREADYEXISTS'],
      ['INBOX', 'taken', 'ALREADYEXISTS'],
      ['new', 'new/below', 'CANNOT'],
      ['ab', '""', 'CANNOT'],
      ['ab', 'x//y', 'CANNOT'],
      ['ab', '"x*"', 'CANNOT'],
      ['nowhere', 'x', 'NONEXISTENT'],
      ['nowhere', 'taken', 'NONEXISTENT'],
      ['""', 'x', 'NONEXISTENT'],
    ] as const) {
      t.match(
        await outcome(client, `RENAME ${from} ${to}`),
        new RegExp(`^NO \\[${expected}\\]`),
        `${from} to ${to}`,
      );
    }
    t.match(await outcome(client, 'RENAME ab last/'), /^OK/, 'a delimiter at the end');
    t.match(await outcome(client, 'RENAME last Last'), /^OK/, 'another case is another name');
    t.match(await outcome(client, 'RENAME new/place/a2/b new'), /^NO \[ALREADYEXISTS\]/);
    t.match(await outcome(client, 'RENAME new/place/a2/b top'), /^OK/, 'upwards');
    t.same(await names(t, client, 'LIST "" top*'), ['top', 'top/c']);
  },
);

t.test('RENAME of INBOX moves its messages and leaves it empty, with what is below it', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], 'Subject: one\r\n\r\n1\r\n', 'Subject: two\r\n\r\n2\r\n');
  const client = await site.selected('');
  const watcher = await site.selected('INBOX');
  await create(t, client, 'INBOX/below');
  const before = await uidValidity(t, client, 'INBOX');
  t.match(await outcome(client, 'RENAME inbox old/mail'), /^OK/);
  t.same(
    await told(t, client, 'STATUS INBOX (MESSAGES UIDNEXT)'),
    ['STATUS "INBOX" (MESSAGES 0 UIDNEXT 3)'],
    'its UIDs go on',
  );
  t.equal(await uidValidity(t, client, 'INBOX'), before);
  t.same(await told(t, client, 'STATUS old/mail (MESSAGES)'), ['STATUS "old/mail" (MESSAGES 2)']);
  t.same(await names(t, client, 'LIST "" INBOX*'), ['INBOX', 'INBOX/below']);
  t.same(
    (await told(t, watcher, 'NOOP'))
      .map((line) => line.replace(/^\d+ RECENT$/, ''))
      .filter((line) => line !== ''),
    ['1 EXPUNGE', '1 EXPUNGE'],
  );
});

t.test('UIDs and UIDVALIDITY stay with a renamed mailbox, and no name has a UIDVALIDITY twice', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected('');
  await create(t, client, 'box');
  await site.put(['box'], 'Subject: one\r\n\r\n1\r\n', 'Subject: two\r\n\r\n2\r\n');
  const first = await uidValidity(t, client, 'box');
  await told(t, client, 'RENAME box moved');
  t.equal(await uidValidity(t, client, 'moved'), first);
  await told(t, client, 'SELECT moved');
  t.same(await told(t, client, 'UID SEARCH ALL'), ['SEARCH 1 2']);
  const seen = [first];
  for (let round = 0; round < 3; round += 1) {
    await create(t, client, 'box');
    const next = await uidValidity(t, client, 'box');
    t.ok(next > Math.max(...seen) && next < 2 ** 32, `${next} after ${seen.join(', ')}`);
    seen.push(next);
    await told(t, client, 'DELETE box');
  }
});

t.test(
  'SUBSCRIBE wants a mailbox, a subscription outlives it, and LSUB tells \\Noselect where there is none',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('');
    for (const name of ['INBOX', 'Drafts', 'Junk', 'Sent', 'Trash'])
      await told(t, client, `UNSUBSCRIBE ${name}`);
    t.same(await told(t, client, 'LSUB "" *'), []);
    t.match(await outcome(client, 'SUBSCRIBE nowhere'), /^NO \[NONEXISTENT\]/);
    await told(t, client, 'UNSUBSCRIBE nowhere');
    await told(t, client, 'UNSUBSCRIBE x//y');
    await create(t, client, 'p/q/r', 's');
    for (const name of ['p/q/r', 's', 's']) await told(t, client, `SUBSCRIBE ${name}`);
    t.same(
      await told(t, client, 'LSUB "" %'),
      ['LSUB () "/" "s"', 'LSUB (\\Noselect) "/" "p"'],
      'a parent that is not subscribed',
    );
    t.same(await told(t, client, 'LSUB "" p/%'), ['LSUB (\\Noselect) "/" "p/q"']);
    t.same(await told(t, client, 'LSUB p/ *'), ['LSUB () "/" "p/q/r"']);
    await told(t, client, 'SUBSCRIBE p');
    t.same(await told(t, client, 'LSUB "" %'), ['LSUB () "/" "p"', 'LSUB () "/" "s"'], 'one that is');
    await told(t, client, 'DELETE s');
    t.same(await told(t, client, 'LSUB "" s'), ['LSUB (\\Noselect) "/" "s"'], 'deleted');
    t.same(await told(t, client, 'LIST (SUBSCRIBED) "" s'), [
      'LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" "s"',
    ]);
    await told(t, client, 'RENAME p/q p/z');
    t.same(await names(t, client, 'LSUB "" p/*'), ['p/q/r'], 'renamed: the subscription is of the name');
    await told(t, client, 'UNSUBSCRIBE s');
    t.same(await told(t, client, 'LSUB "" s'), []);
  },
);

t.test(
  'LIST selects by subscription and special use, with several patterns, and returns what is asked for',
  async (t) => {
    const site = await openImapSite(t);
    const client = await site.selected('');
    await create(t, client, 'a/b', 'a/c');
    await told(t, client, 'SUBSCRIBE a/b');
    t.same(await names(t, client, 'LIST (SPECIAL-USE) "" *'), ['Drafts', 'Junk', 'Sent', 'Trash']);
    t.same(await told(t, client, 'LIST (SUBSCRIBED) "" (a% a/% Sent)'), [
      'LIST (\\HasNoChildren \\Subscribed \\Sent) "/" "Sent"',
      'LIST (\\HasNoChildren \\Subscribed) "/" "a/b"',
    ]);
    t.same(await told(t, client, 'LIST (RECURSIVEMATCH SUBSCRIBED) "" (a)'), [
      'LIST (\\HasChildren) "/" "a" ("CHILDINFO" ("SUBSCRIBED"))',
    ]);
    t.same(await names(t, client, 'LIST "" (a a/b a* a/b)'), ['a', 'a/b', 'a/c'], 'each once');
    const rows = await told(
      t,
      client,
      'LIST () "" (a/b a/c) RETURN (SUBSCRIBED CHILDREN STATUS (MESSAGES UIDNEXT))',
    );
    t.same(rows, [
      'LIST (\\HasNoChildren \\Subscribed) "/" "a/b"',
      'STATUS "a/b" (MESSAGES 0 UIDNEXT 1)',
      'LIST (\\HasNoChildren) "/" "a/c"',
      'STATUS "a/c" (MESSAGES 0 UIDNEXT 1)',
    ]);
    for (const command of [
      'LIST (X) "" *',
      'LIST "" * RETURN (X)',
      'LIST (RECURSIVEMATCH) "" *',
      'LIST "" ()',
    ])
      t.match(await outcome(client, command), /^BAD/, command);
  },
);

t.test('NAMESPACE has one personal namespace, with the delimiter that LIST tells', async (t) => {
  for (const delimiter of ['/', '.'] as const) {
    await t.test(delimiter, async (t) => {
      const site = await openImapSite(t, { delimiter });
      const client = await site.selected('');
      t.same(await told(t, client, 'NAMESPACE'), [`NAMESPACE (("" "${delimiter}")) NIL NIL`]);
      t.same(await told(t, client, 'LIST "" ""'), [`LIST (\\Noselect) "${delimiter}" ""`]);
      await create(t, client, `a${delimiter}b`);
      t.same(await told(t, client, 'LIST "" a'), [`LIST (\\HasChildren) "${delimiter}" "a"`]);
    });
  }
});

t.test('another session sees at once what was created, renamed and deleted', async (t) => {
  const site = await openImapSite(t);
  const [one, other] = [await site.selected(''), await site.selected('')];
  await create(t, one, 'a/b');
  t.same(await names(t, other, 'LIST "" a*'), ['a', 'a/b']);
  await told(t, one, 'RENAME a c');
  t.same(await names(t, other, 'LIST "" %'), ['INBOX', 'Drafts', 'Junk', 'Sent', 'Trash', 'c']);
  t.match(await outcome(other, 'SELECT c/b'), /^OK/);
  await told(t, one, 'DELETE c/b');
  const late = await site.client();
  await late.command(LOGIN);
  t.same(await names(t, late, 'LIST "" c*'), ['c']);
});

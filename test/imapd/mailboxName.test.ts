// Mailbox names between the client and the store.

import t from 'tap';

import {
  isSameMailboxName,
  mailboxNameOf,
  mailboxText,
  newMailboxNameOf,
} from '../../src/imapd/mailboxName.ts';

t.test('a name is split at the delimiter of the session', async (t) => {
  const table: [text: string, delimiter: string, name: string[] | undefined][] = [
    ['a', '/', ['a']],
    ['a/b/c', '/', ['a', 'b', 'c']],
    ['a/b', '.', ['a/b']],
    ['a.b', '.', ['a', 'b']],
    ['inbox', '/', ['INBOX']],
    ['InBox/Sub', '/', ['INBOX', 'Sub']],
    ['Inboxes', '/', ['Inboxes']],
    ['a/inbox', '/', ['a', 'inbox']],
    ['', '/', undefined],
    ['/a', '/', undefined],
    ['a//b', '/', undefined],
    ['a/', '/', undefined],
    ['Entwu\u0308rfe', '/', ['Entwürfe']],
  ];
  for (const [text, delimiter, name] of table) t.same(mailboxNameOf(text, delimiter), name, text);
});

t.test('a new name may end with the delimiter, and has no wildcards or control characters', async (t) => {
  t.same(newMailboxNameOf('a/b/', '/'), ['a', 'b']);
  t.same(newMailboxNameOf('a b & c', '/'), ['a b & c']);
  for (const text of ['a//', '/', 'a%', 'b*/c', 'a\u0000', 'a\r\nb', 'a\u007f', 'a\ud800', 'a\u2028'])
    t.equal(newMailboxNameOf(text, '/'), undefined, encodeURI(text.toWellFormed()));
});

t.test('a name that the delimiter cannot write has no text', async (t) => {
  t.equal(mailboxText(['a', 'b'], '.'), 'a.b');
  t.equal(mailboxText(['a.b', 'c'], '.'), undefined);
  t.equal(mailboxText(['a.b', 'c'], '/'), 'a.b/c');
});

t.test('names are the same component by component', async (t) => {
  t.ok(isSameMailboxName(['a', 'b'], ['a', 'b']));
  t.notOk(isSameMailboxName(['a', 'b'], ['a']));
  t.notOk(isSameMailboxName(['a'], ['A']));
});

import t from 'tap';

import {
  isSameMailboxName,
  joinMailboxName,
  splitMailboxName,
  splitNewMailboxName,
} from '../../src/imapd/mailboxName.ts';
import { mailboxMatcher } from '../../src/imapd/mailboxPattern.ts';

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
  for (const [text, delimiter, name] of table) t.same(splitMailboxName(text, delimiter), name, text);
});

t.test('a new name may end with the delimiter, and has no wildcards or control characters', async (t) => {
  t.same(splitNewMailboxName('a/b/', '/'), ['a', 'b']);
  t.same(splitNewMailboxName('a b & c', '/'), ['a b & c']);
  for (const text of ['a//', '/', 'a%', 'b*/c', 'a\u0000', 'a\r\nb', 'a\u007f', 'a\ud800', 'a\u2028'])
    t.equal(splitNewMailboxName(text, '/'), undefined, encodeURI(text.toWellFormed()));
});

t.test('a name that the delimiter cannot write has no text', async (t) => {
  t.equal(joinMailboxName(['a', 'b'], '.'), 'a.b');
  t.equal(joinMailboxName(['a.b', 'c'], '.'), undefined);
  t.equal(joinMailboxName(['a.b', 'c'], '/'), 'a.b/c');
});

t.test('names are the same component by component', async (t) => {
  t.ok(isSameMailboxName(['a', 'b'], ['a', 'b']));
  t.notOk(isSameMailboxName(['a', 'b'], ['a']));
  t.notOk(isSameMailboxName(['a'], ['A']));
});

t.test('LIST patterns', async (t) => {
  const names = [
    'INBOX',
    'INBOX/sub',
    'INBOX/sub/deep',
    'a',
    'a/b',
    'a/b/c',
    'ab',
    'inboxes',
    'xay',
    'Ünter',
  ];
  const table: [pattern: string, matches: string][] = [
    ['*', names.join(' ')],
    ['%', 'INBOX a ab inboxes xay Ünter'],
    ['%/%', 'INBOX/sub a/b'],
    ['%/%/%', 'INBOX/sub/deep a/b/c'],
    ['a', 'a'],
    ['a*', 'a a/b a/b/c ab'],
    ['a%', 'a ab'],
    ['a/%', 'a/b'],
    ['a/*', 'a/b a/b/c'],
    ['*b', 'INBOX/sub a/b ab'],
    ['*x%', 'INBOX inboxes xay'],
    ['INBOX%', 'INBOX'],
    ['inbox', 'INBOX'],
    ['iNbO%', 'INBOX'],
    ['inbox/%', 'INBOX/sub'],
    ['INBOX/SUB', ''],
    ['A', ''],
    ['%c', ''],
    ['*c', 'a/b/c'],
    ['a/%/c', 'a/b/c'],
    ['*%*a', 'a'],
    ['%*%', names.join(' ')],
    ['U\u0308%', 'Ünter'],
    ['', ''],
  ];
  for (const [pattern, matches] of table) {
    const isMatch = mailboxMatcher(pattern, '/');
    t.equal(names.filter((name) => isMatch?.(name)).join(' '), matches, pattern);
  }
});

t.test('a pattern of many wildcards takes no longer than its length allows', async (t) => {
  const isMatch = mailboxMatcher('%a'.repeat(500), '/');
  t.equal(isMatch?.(`${'a'.repeat(1000)}b`), false);
  t.equal(isMatch?.('a'.repeat(1000)), true);
  t.equal(mailboxMatcher('%a'.repeat(501), '/'), undefined);
});

// Mailbox names between the client and the store, and which of them LIST names.

import t from 'tap';

import type { AccountId, MailboxId } from '../../src/base/ids.ts';
import type { ListSelection } from '../../src/wire/imap/list.ts';
import { listMailboxes } from '../../src/imapd/mailboxListing.ts';
import { mailboxNameOf, mailboxText, newMailboxNameOf } from '../../src/imapd/mailboxName.ts';

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

/** Lines as `name attributes childInfo`, for mailboxes and subscriptions in text form. */
function listed(
  mailboxes: string,
  subscribed: string,
  args: { patterns: string[]; selection?: ListSelection[]; subscribedOption?: boolean },
): string[] {
  const tree = {
    mailboxes: mailboxes.split(' ').map((text, index) => ({
      id: index as MailboxId,
      accountId: 1 as AccountId,
      name: text.split('/'),
      specialUse: text === 'Sent' ? ('Sent' as const) : undefined,
      uidValidity: 1,
      objectId: '',
    })),
    subscriptions: subscribed.split(' ').map((text) => text.split('/')),
    delimiter: '/',
  };
  const listings = listMailboxes(tree, {
    reference: '',
    patterns: args.patterns,
    selection: new Set(args.selection),
    returns: { options: new Set(args.subscribedOption ? ['SUBSCRIBED'] : []), statusItems: [] },
  });
  return listings.map(({ line: { name, attributes, childInfo = [] } }) => {
    const told = attributes.filter((attribute) => !attribute.endsWith('Children'));
    return [name, ...told, ...childInfo.map((criterion) => `+${criterion}`)].join(' ');
  });
}

t.test('LIST-EXTENDED answers the examples of RFC 5258 section 5', async (t) => {
  // Example 9, with qux2 as it is here: every parent is a mailbox.
  const tree =
    'INBOX foo2 foo2/bar1 foo2/bar2 baz2 baz2/bar2 baz2/bar22 baz2/bar222 eps2 eps2/mamba qux2 qux2/bar2';
  const subscribed = 'foo2/bar1 foo2/bar2 baz2/bar2 baz2/bar22 baz2/bar222 eps2 eps2/mamba qux2/bar2';
  t.same(listed(tree, subscribed, { patterns: ['*2'], selection: ['RECURSIVEMATCH', 'SUBSCRIBED'] }), [
    'foo2 +SUBSCRIBED',
    'foo2/bar2 \\Subscribed',
    'baz2/bar2 \\Subscribed',
    'baz2/bar22 \\Subscribed',
    'baz2/bar222 \\Subscribed',
    'eps2 \\Subscribed +SUBSCRIBED',
    'qux2/bar2 \\Subscribed',
  ]);
  // Example 8: A, A2 (the parent does not exist), B, C.
  const foo = 'INBOX Foo Foo/Bar Foo/Baz Moo';
  const recursive: ListSelection[] = ['SUBSCRIBED', 'RECURSIVEMATCH'];
  t.same(listed(foo, 'Foo/Baz', { patterns: ['%'], selection: ['SUBSCRIBED'] }), []);
  t.same(listed(foo, 'Foo/Baz', { patterns: ['%'], selection: recursive }), ['Foo +SUBSCRIBED']);
  t.same(listed('INBOX Moo', 'Foo/Baz', { patterns: ['%'], selection: recursive }), [
    'Foo \\NonExistent +SUBSCRIBED',
  ]);
  t.same(listed(foo, 'nothing/here', { patterns: ['Foo*'], selection: recursive }), []);
  t.same(listed(foo, 'Foo Moo', { patterns: ['%'], selection: recursive }), [
    'Foo \\Subscribed',
    'Moo \\Subscribed',
  ]);
  // Examples 5 to 7: what does not exist comes with SUBSCRIBED as a criterion only; several patterns name a mailbox once.
  t.same(listed(foo, 'Foo Gone', { patterns: ['*'], selection: ['SUBSCRIBED', 'REMOTE'] }), [
    'Foo \\Subscribed',
    'Gone \\NonExistent \\Subscribed',
  ]);
  t.same(listed(foo, 'Foo Gone', { patterns: ['Foo', '%'], subscribedOption: true }), [
    'INBOX',
    'Foo \\Subscribed',
    'Moo',
  ]);
  t.same(listed('INBOX A A/Sent Sent', 'INBOX', { patterns: ['*'], selection: ['SPECIAL-USE'] }), [
    'Sent \\Sent',
  ]);
});

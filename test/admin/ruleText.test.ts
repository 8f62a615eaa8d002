/** Conditions and actions of rules as an administrator types them: the grammar, its errors, and that what is shown can be typed. */

import t from 'tap';
import { FLAG } from '../../src/store/contract/mailboxes.ts';
import type { RuleAction, RuleCondition } from '../../src/store/contract/routing.ts';
import { formatAction, formatCondition, parseAction, parseCondition } from '../../src/admin/ruleText.ts';
import { UsageError } from '../../src/admin/verb.ts';

t.test('conditions are read as they are typed, and shown so that they read the same', (t) => {
  const text = (
    match: 'contains' | 'is' | 'wildcard' | 'startsWith' | 'endsWith',
    value: string,
    isNegated = false,
  ) => ({
    match,
    text: value,
    isNegated,
  });
  const table: readonly (readonly [string, RuleCondition, string?])[] = [
    ['subject contains Rechnung', { kind: 'subject', ...text('contains', 'Rechnung') }],
    ['subject contains two words', { kind: 'subject', ...text('contains', 'two words') }],
    ['SUBJECT  CONTAINS  x ', { kind: 'subject', ...text('contains', 'x') }, 'subject contains x'],
    ['not subject is ""', { kind: 'subject', ...text('is', '', true) }],
    ['subject is " x"', { kind: 'subject', ...text('is', ' x') }],
    ['subject is ""x""', { kind: 'subject', ...text('is', '"x"') }],
    ['subject is "', { kind: 'subject', ...text('is', '"') }],
    ['subject is not', { kind: 'subject', ...text('is', 'not') }],
    [
      'Not Sender EndsWith @b.example',
      { kind: 'sender', ...text('endsWith', '@b.example', true) },
      'not sender endsWith @b.example',
    ],
    ['header X-Spam-Flag is YES', { kind: 'header', field: 'X-Spam-Flag', ...text('is', 'YES') }],
    ['header list-id wildcard *dev?', { kind: 'header', field: 'list-id', ...text('wildcard', '*dev?') }],
    ['header a startsWith b', { kind: 'header', field: 'a', ...text('startsWith', 'b') }],
    ['size over 10MB', { kind: 'size', comparison: 'over', octets: 10_485_760 }],
    ['size UNDER 1.5 KB', { kind: 'size', comparison: 'under', octets: 1536 }, 'size under 1536B'],
    ['size over 0', { kind: 'size', comparison: 'over', octets: 0 }, 'size over 0B'],
  ];
  for (const [typed, condition, shown = typed] of table) {
    t.strictSame(parseCondition(typed), condition, typed);
    t.equal(formatCondition(condition), shown);
    t.strictSame(parseCondition(shown), condition);
  }
  t.end();
});

t.test('actions are read as they are typed, and shown so that they read the same', (t) => {
  const table: readonly (readonly [string, RuleAction, string?])[] = [
    ['fileInto Invoices', { kind: 'fileInto', mailbox: ['Invoices'] }],
    [
      'fileinto Archive/Two Words',
      { kind: 'fileInto', mailbox: ['Archive', 'Two Words'] },
      'fileInto Archive/Two Words',
    ],
    ['fileInto "Quoted"', { kind: 'fileInto', mailbox: ['Quoted'] }, 'fileInto Quoted'],
    ['forward a@b.example', { kind: 'forward', address: 'a@b.example' }],
    ['DELETE', { kind: 'delete' }, 'delete'],
    ['flag \\seen', { kind: 'flag', flags: { system: FLAG.seen, keywords: [] } }, 'flag \\Seen'],
    ['flag \\Draft', { kind: 'flag', flags: { system: FLAG.draft, keywords: [] } }],
    ['flag Invoice', { kind: 'flag', flags: { system: 0, keywords: ['Invoice'] } }],
  ];
  for (const [typed, action, shown = typed] of table) {
    t.strictSame(parseAction(typed), action, typed);
    t.equal(formatAction(action), shown);
    t.strictSame(parseAction(shown), action);
  }
  const both = { system: FLAG.seen | FLAG.flagged, keywords: ['x'] };
  t.equal(formatAction({ kind: 'flag', flags: both }), 'flag \\Seen, flag \\Flagged, flag x');
  t.end();
});

t.test('what cannot be read says what was found and what is allowed', (t) => {
  const refused = (run: () => unknown, message: RegExp) => {
    try {
      run();
      t.fail(String(message));
    } catch (error) {
      t.ok(error instanceof UsageError);
      t.match((error as Error).message, message);
    }
  };
  const conditions: readonly (readonly [string, RegExp])[] = [
    ['', /found ""; allowed: subject, sender, header or size/],
    ['body contains x', /--if "body contains x": found "body"; allowed: subject, sender/],
    ['subject has x', /found "has"; allowed: contains, is, startsWith, endsWith, wildcard/],
    ['subject', /found ""; allowed: contains/],
    ['subject contains', /allowed: a text behind contains, "" for an empty one/],
    ['header', /the name of a header field/],
    ['header X-Spam', /found ""; allowed: contains/],
    ['size over', /allowed: a size like 500KB or 10MB/],
    ['size over many', /found "many"; allowed: a size/],
    ['size about 1MB', /found "about"; allowed: over or under/],
    ['not size over 1MB', /found "not"; allowed: size over or size under/],
    ['not', /found ""; allowed: subject/],
  ];
  for (const [typed, message] of conditions) refused(() => parseCondition(typed), message);
  const actions: readonly (readonly [string, RegExp])[] = [
    ['', /found ""; allowed: fileInto MAILBOX, forward ADDRESS, flag FLAG or delete/],
    ['move Trash', /--then "move Trash": found "move"; allowed: fileInto/],
    ['fileInto', /allowed: a value behind fileInto/],
    ['delete now', /found "now"; allowed: nothing behind delete/],
    [
      'flag \\Recent',
      /found "\\Recent"; allowed: \\Seen, \\Answered, \\Flagged, \\Deleted, \\Draft or a keyword/,
    ],
  ];
  for (const [typed, message] of actions) refused(() => parseAction(typed), message);
  t.end();
});

/** Patterns of routes, and rules on their own: how texts are compared, what a message is asked for, which rules fit. */

import fc from 'fast-check';
import t from 'tap';
import { parseMessageHeader } from '../../../src/wire/mime/messageHeader.ts';
import type { RuleCondition, TextMatch } from '../../../src/store/contract/routing.ts';
import { isMeant } from '../../../src/transfer/plan/addressPattern.ts';
import { factsOf, type MessageFacts } from '../../../src/transfer/plan/messageFacts.ts';
import { askRules } from '../../../src/transfer/plan/rules.ts';
import { folded, matchesText, WILDCARD_LIMIT_CHARS } from '../../../src/transfer/plan/textMatch.ts';
import { rule } from '../../support/routingWorld.ts';
import { threadMs } from '../../support/threadTime.ts';

const HEADER = [
  'From: =?utf-8?Q?M=C3=BCller?= <mueller@example.org>, other@example.net',
  'Subject: =?utf-8?B?w4RudHJhZyA=?=\r\n =?utf-8?B?TnIuIDQ3?= vom\r\n\tMontag',
  'X-Alarm: yes',
  'x-alarm : NO',
  'X-Folded: one\r\n two',
  'X-Raw: caf\xe9',
].join('\r\n');

function facts(reversePath = 'bounce@example.org', octets = 1000): MessageFacts {
  const header = parseMessageHeader(Buffer.from(`${HEADER}\r\n\r\n`, 'latin1'), true);
  return factsOf(header, reversePath, octets);
}

function isFitting(condition: RuleCondition, message = facts()): boolean {
  const asked = askRules(
    [rule({ name: 'r', conditions: [condition], actions: [{ kind: 'delete' }] })],
    message,
  );
  return asked.deletedBy === 'r';
}

t.test('a pattern means an address, a domain, what is below it, everything, or the null path', async (t) => {
  const address = { localPart: 'a', domains: ['app.example.org', 'alias.example'] };
  const table: readonly (readonly [string, boolean])[] = [
    ['a@app.example.org', true],
    ['a@alias.example', true],
    ['b@app.example.org', false],
    ['a@example.org', false],
    ['app.example.org', true],
    ['alias.example', true],
    ['example.org', false],
    ['pp.example.org', false],
    ['*.example.org', true],
    ['*.app.example.org', false],
    ['*.org', true],
    ['*', true],
    ['<>', false],
  ];
  for (const [pattern, expected] of table) t.equal(isMeant([pattern], address), expected, pattern);
  t.equal(isMeant(['<>'], undefined), true);
  t.equal(isMeant(['*'], undefined), false);
  t.equal(isMeant([], address), false);
  t.equal(isMeant(['nobody@nowhere.example', 'alias.example'], address), true);
});

t.test('texts are compared without regard to case', async (t) => {
  const table: readonly (readonly [TextMatch, string, string, boolean])[] = [
    ['contains', 'ÄNTRAG', 'ein Äntrag', true],
    ['contains', '', '', true],
    ['is', 'yes', 'YES', true],
    ['is', 'yes', 'yes ', false],
    ['startsWith', 're:', 'Re: x', true],
    ['endsWith', '.PDF', 'a.pdf', true],
    ['endsWith', 'longer', 'x', false],
    ['is', 'caf\u00e9', 'cafe\u0301', true],
    ['wildcard', 'alarm ?: *', 'Alarm 7: down', true],
    ['wildcard', 'alarm ?: *', 'Alarm 77: down', false],
    ['wildcard', '*', '', true],
    ['wildcard', '?', '', false],
    ['wildcard', 'a*b*a', 'aba', true],
    ['wildcard', 'a*ba*a', 'aba', false],
    ['wildcard', '[x].*', '[X].y', true],
  ];
  for (const [match, wanted, text, expected] of table)
    t.equal(matchesText(match, wanted, folded(text)), expected, `${match} ${wanted} ${text}`);
});

t.test('a wildcard pattern fits what its regular expression fits', async (t) => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 12 });
  fc.assert(
    fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 20 }), (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      return matchesText('wildcard', pattern, folded(text)) === expression.test(text);
    }),
    { numRuns: 5_000 },
  );
  t.pass('5,000 runs');
});

t.test('no pattern and no text make a rule slow', async (t) => {
  const before = threadMs();
  matchesText('wildcard', `${'?a*'.repeat(300)}b`, folded('a'.repeat(10 * WILDCARD_LIMIT_CHARS)));
  matchesText('wildcard', `*${'?'.repeat(900)}b*`, folded('a'.repeat(10 * WILDCARD_LIMIT_CHARS)));
  t.ok(threadMs() - before < 500, `${threadMs() - before} ms`);
});

t.test('no header makes the rules of many recipients slow', async (t) => {
  const text = { match: 'contains', text: 'zzz', isNegated: false } as const;
  const kinds = [
    { kind: 'subject', ...text },
    { kind: 'header', field: 'to', ...text },
    { kind: 'sender', ...text },
  ] as const;
  const conditions = kinds.flatMap((kind) => Array.from({ length: 10 }, () => kind));
  const rules = [rule({ name: 'r', matches: 'any', conditions, actions: [{ kind: 'delete' }] })];
  const headers = [
    `Subject: ${'a'.repeat(2 ** 20)}\r\n\r\n`,
    `From: ${'a@example.org,'.repeat(70_000)}\r\n\r\n`,
    `${`From: ${'a@b.c,'.repeat(12)}\r\n`.repeat(9_999)}\r\n`,
    `${`To: ${'x'.repeat(90)}\r\n`.repeat(9_999)}\r\n`,
  ];
  for (const header of headers) {
    const message = factsOf(parseMessageHeader(Buffer.from(header), true), '', 2 ** 20);
    const before = threadMs();
    for (let recipient = 0; recipient < 50; recipient += 1) askRules(rules, message);
    const took = threadMs() - before;
    t.ok(took < 1500, `${header.slice(0, 20)}: ${took} ms for 50 recipients`);
  }
  const begin = `Subject: ${'a'.repeat(100_000)} end\r\nTo: a@example.org\r\n\r\n`;
  const seen = factsOf(parseMessageHeader(Buffer.from(begin), true), '', 1000);
  t.ok(isFitting({ kind: 'subject', match: 'endsWith', text: ' END', isNegated: false }, seen));
});

t.test('a rule sees fields decoded and unfolded, in any case, every one of them', async (t) => {
  const text = (match: TextMatch, wanted: string, isNegated = false) => ({ match, text: wanted, isNegated });
  t.ok(isFitting({ kind: 'subject', ...text('is', 'Äntrag Nr. 47 vom Montag') }));
  t.ok(isFitting({ kind: 'header', field: 'x-alarm', ...text('is', 'no') }));
  t.ok(isFitting({ kind: 'header', field: 'x-folded', ...text('is', 'one two') }));
  t.ok(isFitting({ kind: 'header', field: 'x-raw', ...text('is', 'café') }), '8-bit octets are windows-1252');
  t.ok(isFitting({ kind: 'header', field: 'from', ...text('contains', 'Müller') }));
  t.notOk(isFitting({ kind: 'header', field: 'x-none', ...text('contains', '') }));
  t.ok(isFitting({ kind: 'header', field: 'x-none', ...text('contains', '', true) }));
  t.notOk(isFitting({ kind: 'header', field: 'x-alarm', ...text('is', 'no', true) }), 'one of both fits');
  t.ok(isFitting({ kind: 'sender', ...text('is', 'bounce@example.org') }));
  t.ok(isFitting({ kind: 'sender', ...text('endsWith', '@example.net') }), 'the second address of From');
  t.ok(isFitting({ kind: 'sender', ...text('is', '') }, facts('')), 'the null path');
  t.ok(isFitting({ kind: 'size', comparison: 'over', octets: 999 }));
  t.notOk(isFitting({ kind: 'size', comparison: 'over', octets: 1000 }));
  t.notOk(isFitting({ kind: 'size', comparison: 'under', octets: 1000 }));
  t.ok(isFitting({ kind: 'size', comparison: 'under', octets: 1001 }));
});

t.test('a message without Subject has an empty one', async (t) => {
  const bare = factsOf(parseMessageHeader(Buffer.from('\r\n'), true), '', 2);
  t.ok(isFitting({ kind: 'subject', match: 'is', text: '', isNegated: false }, bare));
});

t.test(
  'rules are asked in order: all or any, the later mailbox, all flags, until one ends them',
  async (t) => {
    const yes = { kind: 'size', comparison: 'over', octets: 0 } as const;
    const no = { kind: 'size', comparison: 'under', octets: 0 } as const;
    const file = (mailbox: string) => ({ kind: 'fileInto', mailbox: [mailbox] }) as const;
    const asked = askRules(
      [
        rule({ name: 'all', matches: 'all', conditions: [yes, no], actions: [file('No')] }),
        rule({ name: 'any', matches: 'any', conditions: [no, yes], actions: [file('First')] }),
        rule({ name: 'off', isEnabled: false, actions: [{ kind: 'delete' }] }),
        rule({
          name: 'last',
          actions: [
            file('Last'),
            { kind: 'flag', flags: { system: 1, keywords: ['A', 'b'] } },
            { kind: 'flag', flags: { system: 4, keywords: ['a'] } },
            { kind: 'forward', address: 'x@y.example' },
          ],
          endsRules: true,
        }),
        rule({ name: 'never', actions: [{ kind: 'delete' }] }),
      ],
      facts(),
    );
    t.match(asked, {
      mailbox: ['Last'],
      flags: { system: 5, keywords: ['A', 'b'] },
      forwards: [{ rule: 'last', address: 'x@y.example' }],
      deletedBy: undefined,
      fitting: ['any', 'last'],
      isEnded: true,
    });
  },
);

t.test('a rule that cannot be evaluated is left out, and the next one is asked', async (t) => {
  const broken = rule({ name: 'broken', conditions: [null as never], actions: [{ kind: 'delete' }] });
  const asked = askRules(
    [broken, rule({ name: 'next', actions: [{ kind: 'fileInto', mailbox: ['X'] }] })],
    facts(),
  );
  t.match(asked, { deletedBy: undefined, mailbox: ['X'], fitting: ['next'], failed: [{ rule: 'broken' }] });
});

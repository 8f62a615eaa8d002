/** Commands and literals on the wire: what a server has to read and to refuse before any command's own rules begin. */

import t from 'tap';

import { LOGIN, openImapSite } from './harness.ts';

t.test('LITERAL-: up to 4096 octets come unasked, more is TOOBIG and never a command', async (t) => {
  const site = await openImapSite(t, { literals: 'minus' });
  const client = await site.client();
  t.match(await client.command('CAPABILITY'), [/^(?=.* LITERAL-( |$))(?!.*LITERAL\+)/]);
  t.match((await client.command(LOGIN)).at(-1), /\[CAPABILITY (?=.* LITERAL-[ \]])(?!.*LITERAL\+)/);
  t.match((await client.command('SELECT {5+}\r\nINBOX')).at(-1), /^t3 OK/);
  client.send(`a APPEND INBOX {4096+}\r\n${'x'.repeat(4096)}\r\n`);
  t.match((await client.answer('a')).at(-1), /^a OK \[APPENDUID \d+ 1\]/);
  const smuggled = 'z LOGOUT\r\n'.repeat(500);
  client.send(`b APPEND INBOX {${smuggled.length}+}\r\n${smuggled}\r\n`);
  t.same(await client.answer('b'), ['b BAD [TOOBIG] Too much literal data']);
  client.send(`c SEARCH SUBJECT {4097+}\r\n${'x'.repeat(4097)}\r\n`);
  t.same(await client.answer('c'), ['c BAD [TOOBIG] Too much literal data']);
  client.send('s SEARCH SUBJECT {4097}\r\n');
  t.equal(await client.line(), '+ OK', 'one that the client waits with is asked for');
  client.send(`${'x'.repeat(4097)}\r\n`);
  t.same(await client.answer('s'), ['* SEARCH', 's OK SEARCH completed']);
  client.send('d APPEND INBOX {5000}\r\n');
  t.equal(await client.line(), '+ Ready for literal data');
  client.send(`${'x'.repeat(5000)} {4097+}\r\n${'y'.repeat(4097)}\r\n`);
  t.same(await client.answer('d'), ['d BAD [TOOBIG] The command is too long'], 'MULTIAPPEND as well');
  t.match(await client.command('STATUS INBOX (MESSAGES)'), ['* STATUS "INBOX" (MESSAGES 1)']);
  client.send('e APPEND INBOX {9000000+}\r\n');
  t.equal(await client.closed(), '* BYE [TOOBIG] The literal is too large\r\n');
});

/**
 * Every limit of IMAP sessions is reached here, answered as docs/LIMITS.md says, and not felt by another session. Limits of
 * time, junk and the literals of APPEND that robustness.test.ts reaches are not reached twice.
 */

import t from 'tap';
import type { Test } from 'tap';

import { ConnectionCaps } from '../../src/net/connectionCaps.ts';
import { LOGIN_DEADLINE_MS, LOGIN_IDLE_TIMEOUT_MS } from '../../src/imapd/limits.ts';
import { createTestClock } from '../support/clock.ts';
import { ADDRESS, LOGIN, openImapSite, RawClient } from './harness.ts';
import type { ImapSite, SiteOptions } from './harness.ts';

const TOO_LONG = 'BAD [TOOBIG] The line is too long';
const TOO_MUCH = 'BAD [TOOBIG] Too much literal data';
const LIMIT = 'NO [LIMIT] A limit of this server has been reached';
const clock = createTestClock();

interface Stage {
  readonly t: Test;
  readonly site: ImapSite;
  /** Has INBOX selected. */
  readonly client: RawClient;
}

/** A test on a server of its own; when it is done, another client is asked whether it has been served all along. */
function limitTest(name: string, options: SiteOptions, run: (stage: Stage) => Promise<void>): void {
  t.test(name, async (t) => {
    const site = await openImapSite(t, options);
    const canary = await site.selected();
    await run({ t, site, client: await site.selected() });
    t.equal(await completion(canary, 'NOOP'), 'OK NOOP completed', 'another session does not feel it');
  });
}

/** The completion of a command without its tag. */
async function completion(client: RawClient, command: string): Promise<string> {
  return (await client.command(command)).at(-1)?.replace(/^t\d+ /, '') ?? '';
}

limitTest(
  'a line is as long as is set, before login never longer than usual, and the next command is read',
  { lineLimitOctets: 100_000 },
  async ({ t, site, client }) => {
    const search = (octets: number) => `SEARCH SUBJECT ${'x'.repeat(octets)}`;
    t.match(await completion(client, search(99_000)), /^OK/);
    t.equal(await completion(client, search(100_000)), TOO_LONG);
    t.match(await completion(client, 'NOOP'), /^OK/);
    const stranger = await site.client();
    t.equal(await completion(stranger, `LOGIN x ${'x'.repeat(70_000)}`), TOO_LONG);
    t.match(await completion(stranger, LOGIN), /^OK/);
    t.match(await completion(stranger, search(99_000).replace('SEARCH', 'NOOP')), /^BAD Syntax/);
  },
);

limitTest(
  'a shorter line limit holds before login too, and never below what RFC 2683 asks for',
  { lineLimitOctets: 8000 },
  async ({ t, site }) => {
    const stranger = await site.client();
    t.match(await completion(stranger, `LOGIN x ${'x'.repeat(7900)}`), /^NO \[AUTHENTICATIONFAILED\]/);
    t.equal(await completion(stranger, `LOGIN x ${'x'.repeat(8000)}`), TOO_LONG);
  },
);

limitTest(
  'literals of a command are as large as is set, together and in number',
  { literalLimitOctets: 100_000 },
  async ({ t, site, client }) => {
    t.equal(await completion(client, 'SEARCH SUBJECT {100001}'), TOO_MUCH);
    client.send(
      `l SEARCH SUBJECT {60000+}\r\n${'x'.repeat(60_000)} TO {60000+}\r\n${'x'.repeat(60_000)}\r\n`,
    );
    t.same(await client.answer('l'), [`l ${TOO_MUCH}`], 'together');
    client.send(`m SEARCH SUBJECT {99000+}\r\n${'x'.repeat(99_000)}\r\n`);
    t.match(await client.answer('m'), [/^\* SEARCH/, /^m OK/]);
    const fields = (count: number) => Array.from({ length: count }, () => '{1+}\r\nx').join(' ');
    t.match(await completion(client, `FETCH 1 BODY.PEEK[HEADER.FIELDS (${fields(1000)})]`), /^(?!.*TOOBIG)/);
    t.equal(await completion(client, `FETCH 1 BODY.PEEK[HEADER.FIELDS (${fields(1001)})]`), TOO_MUCH);
    t.match(await completion(client, 'NOOP'), /^OK/);
    const stranger = await site.client();
    t.equal(await completion(stranger, 'LOGIN {70000}'), TOO_MUCH, 'before login as ever');
  },
);

limitTest(
  'a message over the limit of APPEND is NO [TOOBIG] before it is sent, an equal one is taken',
  { appendLimitOctets: 10 },
  async ({ t, client }) => {
    t.equal(
      await completion(client, 'APPEND INBOX {11}'),
      'NO [TOOBIG] The message is larger than this server accepts',
    );
    t.match(await completion(client, 'APPEND INBOX {11+}\r\n12345678901'), /^NO \[TOOBIG\]/);
    t.match(await completion(client, 'APPEND INBOX {10+}\r\n1234567890'), /^OK/);
    client.send('m APPEND INBOX {10+}\r\n1234567890 {11+}\r\n12345678901\r\n');
    t.match(await client.answer('m'), [/^m NO \[TOOBIG\]/]);
    t.match(await completion(client, 'STATUS INBOX (MESSAGES)'), /^OK/);
  },
);

limitTest(
  'one APPEND takes a thousand messages and none of a thousand and one',
  {},
  async ({ t, client }) => {
    t.equal(await completion(client, `APPEND Trash${' {1+}\r\nx'.repeat(1001)}`), LIMIT);
    t.match(await client.command('STATUS Trash (MESSAGES)'), ['* STATUS "Trash" (MESSAGES 0)', /OK/]);
    t.match(
      await completion(client, `APPEND Trash${' {1+}\r\nx'.repeat(1000)}`),
      /^OK \[APPENDUID \d+ 1:1000\]/,
    );
  },
);

limitTest(
  'as many commands as are set may be wrong in a row, then BYE; a right one counts from the start',
  { badCommandLimit: 5 },
  async ({ t, site }) => {
    const client = await site.selected('');
    client.send(`${'x BOGUS\r\n'.repeat(4)}y NOOP\r\n${'x BOGUS\r\n'.repeat(5)}z NOOP\r\n`);
    const said = await client.closed();
    t.equal(said.match(/^x BAD/gm)?.length, 9);
    t.match(said, /\* BYE Too many bad commands\r\n$/);
    t.notMatch(said, /^z /m);
  },
);

limitTest(
  'five failed logins end a connection, and a hundred commands without one',
  {},
  async ({ t, site }) => {
    const guessing = await site.client();
    guessing.send(`x LOGIN ${ADDRESS} wrong\r\n`.repeat(6));
    const guessed = await guessing.closed();
    t.equal(guessed.match(/^x NO \[AUTHENTICATIONFAILED\]/gm)?.length, 5);
    t.match(guessed, /\* BYE Too many failed logins\r\n$/);
    const chatting = await site.client();
    chatting.send('x NOOP\r\n'.repeat(101));
    const chatted = await chatting.closed();
    t.equal(chatted.match(/^x OK/gm)?.length, 100);
    t.match(chatted, /\* BYE Too many commands before login\r\n$/);
  },
);

limitTest(
  'a client has a minute of silence and five minutes in all to log in, and the answer is BYE',
  { clock },
  async ({ t, site, client }) => {
    const slow = await site.client();
    for (let elapsed = 0; elapsed < LOGIN_DEADLINE_MS; elapsed += LOGIN_IDLE_TIMEOUT_MS / 2) {
      t.match(await completion(slow, 'NOOP'), /^OK/, `after ${elapsed} ms`);
      await client.command('NOOP');
      clock.advance(LOGIN_IDLE_TIMEOUT_MS / 2);
    }
    t.equal(await slow.closed(), '* BYE Autologout: idle for too long\r\n');
  },
);

limitTest(
  'nested and many search keys, and many texts to look for, are refused',
  {},
  async ({ t, client }) => {
    t.match(await completion(client, `SEARCH ${'NOT '.repeat(500)}SEEN`), /^OK/);
    t.match(await completion(client, `SEARCH ${'NOT '.repeat(501)}SEEN`), /^BAD .*at most 500 nested/);
    t.match(await completion(client, `SEARCH ${'('.repeat(501)}SEEN${')'.repeat(501)}`), /^BAD .*nested/);
    t.match(await completion(client, `SEARCH${' SEEN'.repeat(5000)}`), /^OK/);
    t.match(await completion(client, `SEARCH${' SEEN'.repeat(5001)}`), /^BAD .*at most 5000 search keys/);
    const texts = (count: number) => Array.from({ length: count }, (_, index) => ` TEXT x${index}`).join('');
    t.match(await completion(client, `SEARCH${texts(50)}`), /^OK/);
    t.equal(await completion(client, `SEARCH${texts(51)}`), LIMIT);
    t.match(await completion(client, `SEARCH${' SUBJECT x'.repeat(1000)}`), /^OK/);
    t.equal(await completion(client, `SEARCH${' SUBJECT x'.repeat(1001)}`), LIMIT);
  },
);

limitTest('many items of FETCH and many fields of ID are refused', {}, async ({ t, site, client }) => {
  await site.put(['INBOX'], 'x\r\n');
  await client.command('NOOP');
  t.match(await completion(client, `FETCH 1 (${Array(256).fill('UID').join(' ')})`), /^OK/);
  t.match(await completion(client, `FETCH 1 (${Array(257).fill('UID').join(' ')})`), /^BAD/);
  const fields = (count: number) => Array.from({ length: count }, (_, index) => `"f${index}" "x"`).join(' ');
  t.match(await completion(client, `ID (${fields(30)})`), /^OK/);
  t.match(await completion(client, `ID (${fields(31)})`), /^BAD/);
});

limitTest(
  'a mailbox takes a hundred keywords, says when it is full, and still takes those that it knows',
  {},
  async ({ t, site, client }) => {
    await site.put(['INBOX'], 'x\r\n');
    await client.command('CREATE full');
    await client.command('COPY 1 full');
    await client.command('NOOP');
    await client.command('COPY 1 full');
    const other = await site.selected('full');
    const opened = await client.command('SELECT full');
    t.match(
      opened.find((line) => /PERMANENTFLAGS/.test(line)),
      / \\\*\)\]/,
    );
    const names = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => `k${from + index}`).join(' ');
    t.match(await completion(client, `STORE 1 +FLAGS (${names(0, 99)})`), /^OK/);
    t.equal(await completion(client, `STORE 1 +FLAGS (${names(99, 101)})`), LIMIT, 'all or none');
    await other.command('NOOP');
    t.match(await completion(client, 'STORE 1 +FLAGS (k99)'), /^OK/);
    const heard = (await other.command('NOOP')).find((line) => /PERMANENTFLAGS/.test(line)) ?? '';
    t.match(heard, / k98 k99\)\]/, 'others hear that no more are taken');
    t.equal(await completion(client, 'STORE 1 +FLAGS (k100)'), LIMIT);
    t.match(await completion(client, 'STORE 1 FLAGS (K99 \\Seen)'), /^OK/);
    t.equal(await completion(client, 'APPEND full (k100) {1+}\r\nx'), LIMIT);
    t.match(await completion(client, 'APPEND full (k99) {1+}\r\nx'), /^OK/);
    const full = (await client.command('SELECT full')).find((line) => /PERMANENTFLAGS/.test(line)) ?? '';
    t.match(full, / k98 k99\)\]/);
    t.equal(await completion(client, `STORE 1 +FLAGS (${'k'.repeat(101)})`), LIMIT, 'a long one');
    t.match(await completion(client, 'SELECT INBOX'), /^OK/);
    t.match(await completion(client, 'STORE 1 +FLAGS (k100)'), /^OK/, 'another mailbox has room');
  },
);

limitTest(
  'an account has ten thousand mailboxes, names of 1000 characters and 32 levels',
  {},
  async ({ t, client }) => {
    const levels = (name: string, count: number) => [name, ...Array(count - 1).fill('x')].join('/');
    t.match(await completion(client, `CREATE ${levels('deep', 32)}`), /^OK/);
    t.equal(await completion(client, `CREATE ${levels('deeper', 33)}`), LIMIT);
    t.match(await completion(client, `CREATE ${'n'.repeat(1000)}`), /^OK/);
    t.equal(await completion(client, `CREATE ${'n'.repeat(1001)}`), LIMIT);
    // With the five of a new account and the two above there are 38.
    const creations = Array.from({ length: 311 }, (_, index) => `c CREATE ${levels(`m${index}`, 32)}\r\n`);
    client.send(`${creations.join('')}d CREATE ${levels('last', 10)}\r\n`);
    t.match((await client.answer('d')).at(-1), /^d OK/);
    t.equal(await completion(client, 'CREATE more'), LIMIT);
    t.equal(await completion(client, 'RENAME last below/last'), LIMIT, 'a parent would be one more');
    t.match(await completion(client, `DELETE ${levels('last', 10)}`), /^OK/);
    t.match(await completion(client, 'CREATE more'), /^OK/);
  },
);

limitTest(
  'connections of one address beyond the cap are told BYE, and one that ends makes room',
  { caps: new ConnectionCaps({ total: 10, perAddress: 3 }) },
  refuseTheFourth,
);

limitTest(
  'connections beyond the cap of a listener are told BYE, and one that ends makes room',
  { caps: new ConnectionCaps({ total: 3, perAddress: 10 }) },
  refuseTheFourth,
);

async function refuseTheFourth({ t, site, client }: Stage): Promise<void> {
  const third = await site.client();
  const refused = await RawClient.connect(t, site.port);
  t.match(await refused.closed(), /^\* BYE \[LIMIT\] Too many connections/);
  t.match(await completion(client, 'NOOP'), /^OK/);
  third.socket.destroy();
  while (site.imapd.sessionCount > 2) await new Promise((resolve) => setImmediate(resolve));
  t.match(await completion(await site.client(), LOGIN), /^OK/);
}

limitTest('a response of a SASL mechanism is bounded like a line', {}, async ({ t, site }) => {
  const stranger = await site.client();
  stranger.send('a AUTHENTICATE PLAIN\r\n');
  t.equal(await stranger.line(), '+ ');
  stranger.send(`${'A'.repeat(12_292)}\r\n`);
  t.match(await stranger.answer('a'), [/^a BAD/]);
  stranger.send(`b AUTHENTICATE PLAIN\r\n`);
  await stranger.line();
  stranger.send(`${'A'.repeat(70_000)}\r\n`);
  t.match(await stranger.answer('b'), [/^b BAD/]);
  t.match(await completion(stranger, LOGIN), /^OK/);
});

/** COMPRESS=DEFLATE: the same sessions in fewer octets, and no more memory for whoever sends a bomb (RFC 4978). */

import { connect } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';

import { ImapFlow } from 'imapflow';
import t from 'tap';
import type { Test } from 'tap';

import { MIB } from '../../src/base/units.ts';
import { INFLATE_FREE_OCTETS, INFLATE_RATIO_LIMIT } from '../../src/net/compression.ts';
import { CompressionSlots } from '../../src/imapd/compressionSlots.ts';
import { COMPRESSED_SESSION_LIMIT } from '../../src/imapd/limits.ts';
import { ADDRESS, LOGIN, openImapSite, RawClient } from './harness.ts';
import type { ImapSite } from './harness.ts';

/** A client that has logged in, compresses, and has INBOX selected. */
async function compressed(t: Test, site: ImapSite): Promise<RawClient> {
  const plain = await site.client();
  await plain.command(LOGIN);
  t.same(await plain.command('COMPRESS DEFLATE'), ['t2 OK DEFLATE active']);
  const client = plain.deflated(t);
  await client.command('SELECT INBOX');
  return client;
}

/** Octets as a client compresses them, flushed. */
function deflated(text: string | Buffer): Buffer {
  return deflateRawSync(Buffer.from(text as string, 'latin1'), { finishFlush: constants.Z_SYNC_FLUSH });
}

t.test('compression is offered after login, where it is wanted, once', async (t) => {
  const site = await openImapSite(t, { compression: true });
  const plain = await site.client();
  t.match(await plain.command('CAPABILITY'), [/^(?!.*COMPRESS)/]);
  t.match(await plain.command('COMPRESS DEFLATE'), ['t2 BAD Not in this state: notAuthenticated']);
  t.match(await plain.command(LOGIN), [/\[CAPABILITY .* COMPRESS=DEFLATE\]/]);
  t.match(await plain.command('CAPABILITY'), [/ COMPRESS=DEFLATE( |$)/]);
  t.match(await plain.command('COMPRESS'), [/^t5 BAD Syntax error/]);
  t.match(await plain.command('COMPRESS LZ4'), [/^t6 BAD Syntax error: expected DEFLATE/]);
  t.match(await plain.command('COMPRESS DEFLATE x'), [/^t7 BAD Syntax error/]);
  t.match(await plain.command('NOOP'), ['t8 OK NOOP completed'], 'a refusal compresses nothing');
  t.match(await plain.command('compress deflate'), ['t9 OK DEFLATE active']);
  const client = plain.deflated(t);
  t.match(await client.command('CAPABILITY'), [/^(?!.*COMPRESS)\* CAPABILITY IMAP4rev1 /]);
  t.match(await client.command('COMPRESS DEFLATE'), ['t2 NO [COMPRESSIONACTIVE] DEFLATE is active already']);
  t.match(await client.command('NOOP'), ['t3 OK NOOP completed']);
  t.match(await client.command('LOGOUT'), ['* BYE Logging out', 't4 OK LOGOUT completed']);
  t.equal(await client.closed(), '');
});

t.test('compression is not offered unless it is wanted', async (t) => {
  const site = await openImapSite(t);
  const plain = await site.client();
  t.match(await plain.command(LOGIN), [/^(?!.*COMPRESS)/]);
  t.same(await plain.command('COMPRESS DEFLATE'), ['t2 BAD Compression is not offered']);
});

for (const tls of ['required', 'implicit'] as const) {
  t.test(`compression goes above TLS: ${tls}`, async (t) => {
    const site = await openImapSite(t, { compression: true, tls });
    const plain = new RawClient(t, connect({ port: site.port, host: '127.0.0.1' }));
    if (tls === 'required') {
      await plain.line();
      t.match(await plain.command('STARTTLS'), [/^t1 OK/]);
    }
    const secure = await plain.secure(t);
    if (tls === 'implicit') await secure.line();
    await secure.command(LOGIN);
    t.match(await secure.command('COMPRESS DEFLATE'), [/^t2 OK/]);
    const client = secure.deflated(t);
    t.match((await client.command('SELECT INBOX')).at(-1), /^t1 OK/);
    t.match(await client.command('LOGOUT'), [/^\* BYE/, /^t2 OK/]);
  });
}

const SESSION = [
  'a1 SELECT INBOX',
  'a2 APPEND INBOX (\\Seen) {29+}\r\nSubject: one\r\n\r\n9 LOGOUT\r\nxyz',
  'a3 NOOP',
  'a4 FETCH 1 (UID FLAGS BODY.PEEK[])',
  'a5 SEARCH SUBJECT {3+}\r\none',
  'a6 BOGUS {3+}\r\nabc',
  'a7 STORE 1 +FLAGS (\\Deleted)',
  'a8 EXPUNGE',
  'a9 LOGOUT',
  '',
].join('\r\n');

function settled(answer: string): string {
  return answer.replace(/(UIDVALIDITY|UIDNEXT|APPENDUID|UID|MAILBOXID|HIGHESTMODSEQ) \(?[\w ]+\)?/g, '$1 n');
}

t.test('what follows the COMPRESS line is compressed, however the octets come', async (t) => {
  const site = await openImapSite(t, { compression: true });
  const prelude = `p1 ${LOGIN}\r\np2 NOOP\r\np3 COMPRESS DEFLATE\r\n`;
  const plain = await site.client();
  plain.send(prelude.replace('COMPRESS DEFLATE', 'NOOP') + SESSION);
  await plain.answer('p3');
  const expected = settled(await plain.closed());
  t.match(expected, /a4 OK[\s\S]*a8 OK[\s\S]*a9 OK LOGOUT completed\r\n$/);
  const input = Buffer.concat([Buffer.from(prelude), deflated(SESSION)]);
  for (const step of [1, 7, input.length]) {
    const raw = await site.client();
    for (let at = 0; at < input.length; at += step) {
      await new Promise<void>((resolve) => raw.socket.write(input.subarray(at, at + step), () => resolve()));
    }
    t.match((await raw.answer('p3')).slice(-2), ['p2 OK NOOP completed', 'p3 OK DEFLATE active']);
    t.equal(settled(await raw.deflated(t).closed()), expected, `${step} octets at a time`);
  }
});

t.test('IDLE pushes arrive as they happen', async (t) => {
  const site = await openImapSite(t, { compression: true });
  const client = await compressed(t, site);
  client.send('i IDLE\r\n');
  t.equal(await client.line(), '+ idling');
  for (const count of [1, 2]) {
    await site.put(['INBOX'], 'news');
    t.equal(await client.line(), `* ${count} EXISTS`);
    t.equal(await client.line(), `* ${count} RECENT`);
  }
  client.send('DONE\r\n');
  t.same(await client.answer('i'), ['i OK IDLE completed']);
});

t.test('20 MB pass both ways whole, while another session is served', async (t) => {
  const site = await openImapSite(t, { compression: true });
  const message = Buffer.alloc(20_000_000);
  for (let index = 0; index < message.length; index += 1) message[index] = 1 + (((index * 7919) >>> 3) % 255);
  const [client, other] = [await compressed(t, site), await compressed(t, site)];
  client.send(`a APPEND INBOX {${message.length}+}\r\n`);
  client.send(message);
  client.send('\r\n');
  t.match(await other.command('STATUS Sent (MESSAGES)'), ['* STATUS "Sent" (MESSAGES 0)']);
  t.match((await client.answer('a')).at(-1), /^a OK \[APPENDUID \d+ 1\]/);
  client.send('b FETCH 1 BODY.PEEK[]\r\n');
  t.equal(await client.line(), `* 1 FETCH (BODY[] {${message.length}}`);
  t.match((await other.command('NOOP')).at(-1), /^t3 OK/);
  t.ok((await client.octets(message.length)).equals(message));
  t.same(await client.answer('b'), [')', 'b OK FETCH completed']);
});

t.test('a bomb costs its sender the session and nobody else anything', async (t) => {
  const site = await openImapSite(t, { compression: true });
  const canary = await site.selected();
  const small = await compressed(t, site);
  // A kilobyte that stands for a megabyte: one line too long, and the next command.
  small.send(`${'x'.repeat(MIB)}\r\ny NOOP\r\n`);
  t.match(await small.answer('y'), [/BAD \[TOOBIG\] The line is too long/, 'y OK NOOP completed']);
  const plain = await site.client();
  await plain.command(LOGIN);
  await plain.command('COMPRESS DEFLATE');
  const block = deflateRawSync(Buffer.alloc(MIB, 'x'), { finishFlush: constants.Z_FULL_FLUSH });
  const bomb = Buffer.concat(Array.from({ length: 256 }, () => block));
  t.ok(bomb.length * INFLATE_RATIO_LIMIT < 256 * MIB - INFLATE_FREE_OCTETS, 'is beyond the limit');
  const client = plain.deflated(t);
  plain.socket.write(bomb);
  t.match(await client.closed(), /\* BYE The compressed data stands for too much\r\n$/);
  t.same(await canary.command('NOOP'), ['t3 OK NOOP completed']);
});

t.test('damaged data ends the session with BYE, a client that leaves ends it without', async (t) => {
  const site = await openImapSite(t, { compression: true });
  const plain = await site.client();
  await plain.command(LOGIN);
  await plain.command('COMPRESS DEFLATE');
  const client = plain.deflated(t);
  plain.socket.write('a NOOP\r\nplain text after all\r\n');
  t.equal(await client.closed(), '* BYE The compressed data is damaged\r\n');
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const leaving = await compressed(t, site);
    leaving.send('a APPEND INBOX {1000000+}\r\n');
    await new Promise<void>((resolve) => leaving.socket.write(Buffer.alloc(500_000, 'x'), () => resolve()));
    leaving.socket[leave]();
    while (site.imapd.sessionCount > 0) await new Promise((resolve) => setImmediate(resolve));
  }
});

t.test('closing the server says BYE through compression', async (t) => {
  const site = await openImapSite(t, { compression: true });
  const client = await compressed(t, site);
  client.send('i IDLE\r\n');
  t.equal(await client.line(), '+ idling');
  const closing = site.imapd.close(5_000);
  t.equal(await client.closed(), '* BYE Server is shutting down\r\n');
  client.socket.destroy();
  await closing;
});

t.test('sessions that are compressed are counted, and given back', async (t) => {
  const slots = new CompressionSlots();
  const taken = Array.from({ length: COMPRESSED_SESSION_LIMIT }, () => slots.take());
  t.notOk(taken.includes(false));
  t.notOk(slots.take());
  slots.release();
  t.ok(slots.take());
});

t.test('imapflow compresses, fetches and waits', async (t) => {
  const site = await openImapSite(t, { compression: true });
  await site.put(['INBOX'], `Subject: one\r\n\r\n${'line\r\n'.repeat(10_000)}`);
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: site.port,
    secure: false,
    tls: { rejectUnauthorized: false },
    auth: { user: ADDRESS, pass: 'secret' },
    logger: false,
  });
  await client.connect();
  t.match(client, { _deflate: Object, _inflate: Object }, 'it has turned compression on');
  await client.mailboxOpen('INBOX');
  const message = await client.fetchOne('1', { source: true, envelope: true });
  t.equal(message ? message.envelope?.subject : undefined, 'one');
  t.equal(message ? message.source?.length : 0, 16 + 60_000);
  const exists = new Promise((resolve) => client.once('exists', resolve));
  const idling = client.idle();
  await site.put(['INBOX'], 'Subject: two\r\n\r\n');
  t.match(await exists, { count: 2 });
  await client.logout();
  await idling;
});

/** Submission over real sockets and the real store: who may submit, AUTH in all its forms, trusted ranges, old clients' writing. */

import type { Test } from 'tap';
import t from 'tap';

import { MailError } from '../../src/base/error.ts';
import type { Accounts } from '../../src/accounts/accounts.ts';
import { cramDigest } from '../../src/accounts/challengeLogins.ts';
import type { Envelope, Origin, Transfer } from '../../src/transfer/contract.ts';
import { FAILED_LOGIN_LIMIT, LOGIN_DEADLINE_MS, LOGIN_LINE_LIMIT_OCTETS } from '../../src/smtpd/limits.ts';
import { type Client, secureClient } from '../support/sockets.ts';
import { playTranscript, readTranscript } from '../support/transcript.ts';
import { ask, DOMAIN, handOver as handOverFrom, openSmtpSite, type ServerOptions } from './harness.ts';

const site = await openSmtpSite(t);
const { tickets, archive } = site;
const { administration } = site.site;
const TICKETS = `tickets@${DOMAIN}`;
// `My computer` is trusted by default: nobody there has to log in, and failures are neither counted nor delayed. That stays.
await administration.ipRanges.set('My computer', { submission: 'login' });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const plain = (name: string, password: string, other = '') => base64(`${other}\0${name}\0${password}`);

const serve = (t: Test, options: ServerOptions = {}) => site.serve(t, { role: 'submission', ...options });
/** Senders of submission are the account's own. */
const handOver = (client: Client, text: string, sender = TICKETS) =>
  handOverFrom(client, text, undefined, sender);
const lastMessage = async (account = tickets) =>
  ((await site.inbox(account)).at(-1) ?? Buffer.alloc(0)).toString();

/** A transfer that remembers what it is handed beside the messages. */
function watchedTransfer(): { readonly transfer: Transfer; readonly accepted: [Envelope, Origin][] } {
  const transfer = site.createTransfer();
  const accepted: [Envelope, Origin][] = [];
  const accept: Transfer['accept'] = (envelope, message, origin, inspection) => {
    accepted.push([envelope, origin]);
    return transfer.accept(envelope, message, origin, inspection);
  };
  return { transfer: { ...transfer, accept }, accepted };
}

t.test('a whole session goes as RFC 4954 and RFC 6409 say', async (t) => {
  const { transfer, accepted } = watchedTransfer();
  const server = await serve(t, { transfer });
  await playTranscript(await server.connect(), readTranscript('smtp/submission'));
  const message = await lastMessage(archive);
  t.match(message, /^Return-Path: <tickets@app\.example\.com>\r\nReceived: from .*\r\n? with ESMTPA id /s);
  t.notMatch(/Received:.*?\r\n(?! )/s.exec(message)?.[0], 'tickets', 'the name that logged in is not told');
  const [[envelope, origin] = []] = accepted;
  t.strictSame(envelope?.dsn, {
    ret: 'HDRS',
    envid: 'QQ314',
    recipients: new Map([
      [`archive@${DOMAIN}`, { notify: ['FAILURE', 'DELAY'], orcpt: 'rfc822;Archive@app.example.com' }],
    ]),
  });
  t.match(origin, { role: 'submission', submitter: { kind: 'account', account: { address: TICKETS } } });
});

const LOGIN_TABLE: readonly (readonly [what: string, lines: readonly string[], reply: string])[] = [
  ['PLAIN with an initial response', [`AUTH PLAIN ${plain(TICKETS, 'secret')}`], '235 2.7.0'],
  ['PLAIN without', ['AUTH PLAIN', plain(TICKETS, 'secret')], '235 2.7.0'],
  ['PLAIN in lower case, with blanks', [`auth  plain ${plain(TICKETS, 'secret')} `], '235 2.7.0'],
  ['PLAIN as itself', [`AUTH PLAIN ${plain(TICKETS, 'secret', TICKETS)}`], '235 2.7.0'],
  ['PLAIN as another', [`AUTH PLAIN ${plain(TICKETS, 'secret', `archive@${DOMAIN}`)}`], '535 5.7.8'],
  ['LOGIN', ['AUTH LOGIN', base64(TICKETS), base64('secret')], '235 2.7.0'],
  ['LOGIN with the name at once', [`AUTH LOGIN ${base64(TICKETS)}`, base64('secret')], '235 2.7.0'],
  ['LOGIN with an empty start', ['AUTH LOGIN =', base64(TICKETS), base64('secret')], '235 2.7.0'],
  ['a wrong password', [`AUTH PLAIN ${plain(TICKETS, 'wrong')}`], '535 5.7.8 Authentication failed\r\n'],
  [
    'an unknown name',
    [`AUTH PLAIN ${plain(`x@${DOMAIN}`, 'secret')}`],
    '535 5.7.8 Authentication failed\r\n',
  ],
  ['a disabled account', ['AUTH LOGIN', base64(`gone@${DOMAIN}`), base64('secret')], '535 5.7.8'],
  ['an empty password', ['AUTH LOGIN', base64(TICKETS), ''], '535 5.7.8'],
  ['an empty name', ['AUTH LOGIN', '', base64('secret')], '535 5.7.8'],
  ['a NUL', ['AUTH LOGIN', base64('a\0b')], '501 5.5.2'],
  ['a mechanism that nobody has', ['AUTH GSSAPI'], '504 5.5.4'],
  ['a mechanism that is none', ['AUTH ?'], '501 5.5.2'],
  ['too long an answer', ['AUTH LOGIN', 'A'.repeat(12_292)], '500 5.5.6'],
  ['too long an initial response', [`AUTH PLAIN ${'A'.repeat(12_292)}`], '501 5.5.2'],
  ['the longest answer', ['AUTH PLAIN', 'A'.repeat(12_288)], '501 5.5.2'],
];

t.test('AUTH is answered by the table', async (t) => {
  const server = await serve(t);
  for (const [what, lines, expected] of LOGIN_TABLE) {
    const client = await server.greeted();
    for (const line of lines.slice(0, -1)) t.match(await ask(client, `${line}\r\n`, '\\d'), /^334 /, what);
    const reply = await ask(client, `${lines.at(-1)}\r\n`, '\\d');
    t.equal(reply.slice(0, expected.length), expected, what);
    const mail = await ask(client, `MAIL FROM:<${TICKETS}>\r\n`, '\\d');
    t.equal(mail.slice(0, 9), expected.startsWith('235') ? '250 2.1.0' : '530 5.7.0', what);
    client.socket.destroy();
  }
});

t.test('an exchange in pieces, and pipelined in one, is answered the same', async (t) => {
  const server = await serve(t);
  const input = `AUTH LOGIN\r\n${base64(TICKETS)}\r\n${base64('secret')}\r\nNOOP\r\nQUIT\r\n`;
  const whole = await server.greeted();
  const before = whole.received.length;
  whole.send(input);
  const expected = (await whole.closed()).slice(before);
  t.match(expected, /^334 \S+\r\n334 \S+\r\n235 [^\r]*\r\n250 [^\r]*\r\n221 [^\r]*\r\n$/);
  const pieces = await server.greeted();
  for (const octet of Buffer.from(input))
    await new Promise<void>((done) => pieces.socket.write(Buffer.of(octet), () => done()));
  t.equal((await pieces.closed()).slice(before), expected);
});

t.test('a password in clear is asked for only where TLS is not needed', async (t) => {
  const login = `AUTH PLAIN ${plain(TICKETS, 'secret')}\r\n`;
  const byRange = { needsTls: () => true };
  const options: readonly ServerOptions[] = [{ tls: 'required' }, { tls: 'starttls', ...byRange }];
  for (const each of [...options, { tls: 'none', ...byRange } as const]) {
    const client = await (await serve(t, each)).greeted();
    t.notMatch(client.received, 'AUTH');
    t.match(await ask(client, login, '\\d'), '538 5.7.11 ');
    t.match(await ask(client, `MAIL FROM:<${TICKETS}>\r\n`, '\\d'), '530 5.7.0 ');
    if (each.tls === 'none') continue;
    await ask(client, 'STARTTLS\r\n', '220');
    const secure = await secureClient(t, client.socket);
    t.match(await ask(secure, 'EHLO client.example.org\r\n', '250 '), '250-AUTH PLAIN LOGIN\r\n');
    t.match(await ask(secure, login, '\\d'), '235 ');
    t.match(await handOver(secure, 'Subject: secure'), '250 2.0.0');
    t.match(await lastMessage(), 'with ESMTPSA id ');
  }
  const plainText = await (await serve(t, { tls: 'none' })).greeted();
  t.match(plainText.received, '250-AUTH PLAIN LOGIN\r\n250-AUTH=PLAIN LOGIN\r\n');
  t.match(await ask(plainText, login, '\\d'), '235 ');
});

t.test('STARTTLS forgets a login', async (t) => {
  const client = await (await serve(t)).greeted();
  await ask(client, `AUTH PLAIN ${plain(TICKETS, 'secret')}\r\n`, '235');
  await ask(client, 'STARTTLS\r\n', '220');
  const secure = await secureClient(t, client.socket);
  await ask(secure, 'EHLO client.example.org\r\n', '250 ');
  t.match(await ask(secure, `MAIL FROM:<${TICKETS}>\r\n`, '\\d'), '530 5.7.0');
});

t.test('SMTPUTF8 behind a login has its own word in Received', async (t) => {
  const client = await (await serve(t)).greeted();
  await ask(client, `AUTH PLAIN ${plain(TICKETS, 'secret')}\r\n`, '235');
  await ask(client, `MAIL FROM:<${TICKETS}> SMTPUTF8\r\nRCPT TO:<${TICKETS}>\r\nDATA\r\n`, '354');
  t.match(await ask(client, 'x\r\n.\r\n', '\\d'), '250 2.0.0');
  t.match(await lastMessage(), 'with UTF8SMTPA id ');
});

t.test('too many failed logins end a session, and other mistakes are none', async (t) => {
  const server = await serve(t);
  const client = await server.greeted();
  for (const harmless of ['AUTH NTLM', 'AUTH PLAIN !', 'AUTH', 'AUTH NTLM', 'AUTH CRAM-MD5'])
    t.match(await ask(client, `${harmless}\r\n`, '\\d'), /^50[14] /);
  const wrong = `AUTH PLAIN ${plain(TICKETS, 'wrong')}\r\n`;
  for (let times = 1; times < FAILED_LOGIN_LIMIT; times += 1)
    t.match(await ask(client, wrong, '\\d'), /^535 5\.7\.8 [^\r]*\r\n$/);
  client.send(wrong);
  t.match(await client.closed(), /535 5\.7\.8 [^\r]*\r\n421 4\.7\.0 Too many failed logins\r\n$/);
});

t.test('what accounts cannot decide now is answered so that the client tries again', async (t) => {
  const cases: readonly (readonly [Accounts['authenticate'], string])[] = [
    [async () => ({ kind: 'throttled' }), '454 4.7.0'],
    [() => Promise.reject(new MailError('tooBusy')), '454 4.7.0'],
    [() => Promise.reject(new MailError('storeUnavailable')), '451 4.3.0'],
    [() => Promise.reject(new Error('broken')), '451 4.3.0'],
  ];
  for (const [authenticate, expected] of cases) {
    const client = await (await serve(t, { accounts: { ...site.site.accounts, authenticate } })).greeted();
    t.match(await ask(client, `AUTH PLAIN ${plain(TICKETS, 'secret')}\r\n`, '\\d'), expected);
    t.match(await ask(client, 'NOOP\r\n', '\\d'), '250', 'the session goes on');
  }
});

t.test('a login that waits is given up when the server stops or the client leaves', async (t) => {
  for (const end of ['server', 'client'] as const) {
    let signal: AbortSignal | undefined;
    const asked = Promise.withResolvers<void>();
    const authenticate: Accounts['authenticate'] = (request) => {
      signal = request.signal;
      asked.resolve();
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(signal?.reason as Error)),
      );
    };
    const server = await serve(t, { accounts: { ...site.site.accounts, authenticate } });
    const client = await server.greeted();
    client.send(`AUTH PLAIN ${plain(TICKETS, 'secret')}\r\n`);
    await asked.promise;
    if (end === 'client') client.socket.destroy();
    const closed = server.close(10_000);
    if (end === 'server') {
      t.match(await client.closed(), /421 4\.3\.2 /);
      client.socket.destroy();
    }
    await closed;
    t.equal(signal?.aborted, true, end);
  }
});

t.test('a line that is too long for its command ends nothing but itself', async (t) => {
  const client = await (await serve(t)).greeted();
  t.match(await ask(client, `NOOP ${'x'.repeat(8000)}\r\n`, '\\d'), '500 5.5.2 Line too long');
  t.match(await ask(client, 'NOOP\r\n', '\\d'), '250');
  client.send(`AUTH PLAIN ${'A'.repeat(LOGIN_LINE_LIMIT_OCTETS)}`);
  t.match(await client.closed(), /500 5\.5\.2 Line too long\r\n421 4\.7\.0 [^\r]*\r\n$/, 'what never ends');
});

t.test(
  'a trusted range submits without a login, and nobody else, and on relay-in it proves nothing',
  async (t) => {
    const range = { addresses: ['127.0.0.1'], priority: 50, submission: 'trusted' } as const;
    await administration.ipRanges.add({ name: 'Devices', ...range });
    t.teardown(() => administration.ipRanges.remove('Devices'));
    const { transfer, accepted } = watchedTransfer();
    const server = await serve(t, { transfer });
    const client = await server.greeted();
    t.match(client.received, '250-AUTH PLAIN', 'who wants to may log in all the same');
    t.match(await handOver(client, 'Subject: from a device'), '250 2.0.0');
    t.match(await lastMessage(), / with ESMTP\s+id /, 'nobody has authenticated');
    t.match(accepted[0]?.[1], {
      role: 'submission',
      submitter: { kind: 'range', range: { name: 'Devices' } },
    });
    await ask(client, `AUTH PLAIN ${plain(`archive@${DOMAIN}`, 'secret')}\r\n`, '235');
    await handOver(client, 'Subject: from an account', `archive@${DOMAIN}`);
    t.match(accepted[1]?.[1].submitter, { kind: 'account', account: { address: `archive@${DOMAIN}` } });
    t.match(
      await ask(client, 'MAIL FROM:<x@y.example>\r\n', '\\d'),
      '550 5.7.1 The sender address x@y.example ',
    );
    await ask(client, `MAIL FROM:<archive@${DOMAIN}>\r\n`, '250');
    t.match(await ask(client, 'RCPT TO:<someone@elsewhere.example>\r\n', '\\d'), '550 5.7.1 ');
    const relayIn = await (await site.serve(t, { transfer })).greeted();
    await handOver(relayIn, 'x');
    t.match(accepted[2]?.[1], { role: 'relayIn', submitter: { kind: 'anyone' } });
    await administration.ipRanges.set('Devices', { submission: 'login' });
    const later = await server.greeted();
    t.match(await ask(later, 'MAIL FROM:<x@y.example>\r\n', '\\d'), '530 5.7.0', 'a change counts at once');
  },
);

/** What devices and programs of old write; each line with its reply where the listener is lenient, and where it is not. */
const OLD_WRITING: readonly (readonly [line: string, lenient: string, strict: string])[] = [
  ['HELO', '250', '501'],
  ['HELO my scanner', '250', '501'],
  ['EHLO', '250', '501'],
  ['HELO scanner', '250', '250'],
  [`AUTH LOGIN ${base64(TICKETS)}`, '334', '503'],
  [base64('secret'), '235', '500'],
  [`MAIL FROM: <${TICKETS}>`, '250', '501'],
  ['RSET', '250', '250'],
  [`MAIL FROM:${TICKETS}`, '250', '501'],
  [`RCPT TO: ${TICKETS}`, '250', '501'],
  [`RCPT TO: <archive@${DOMAIN}>`, '250', '501'],
  ['RCPT TO:postmaster@elsewhere.example', '550', '501'],
];

t.test("old clients' writing is taken where the listener is set so", async (t) => {
  for (const isLenient of [true, false]) {
    const client = await (await serve(t, { isLenient })).connect();
    await client.until(/^220 /);
    for (const [line, lenient, strict] of OLD_WRITING) {
      const reply = await ask(client, `${line}\r\n`, '\\d{3} ');
      t.equal(
        reply.slice(0, 3),
        isLenient ? lenient : strict,
        `${line} (${isLenient ? 'lenient' : 'strict'})`,
      );
    }
    if (!isLenient) continue;
    await ask(client, 'DATA\r\n', '354');
    t.match(await ask(client, 'Subject: old\r\n.\r\n', '\\d'), '250 2.0.0');
    t.match(await lastMessage(archive), / with SMTP\s+id /);
  }
});

t.test('a bare line feed ends a command, lenient or not, and no message', async (t) => {
  for (const isLenient of [true, false]) {
    const client = await (await serve(t, { isLenient })).connect();
    const greeted = ask(client, 'EHLO client.example.org\n', '250 ');
    t.match(await greeted, '250-AUTH PLAIN LOGIN');
    t.match(await ask(client, `AUTH PLAIN ${plain(TICKETS, 'secret')}\n`, '\\d'), '235');
    const commands = `MAIL FROM:<${TICKETS}>\nRCPT TO:<${TICKETS}>\nDATA\n`;
    await ask(client, commands, '354');
    t.match(await ask(client, 'one\n.\nMAIL FROM:<x@y.example>\r\n.\r\n', '\\d'), '250 2.0.0');
    t.match(await lastMessage(), /\r\none\n\.\nMAIL FROM:<x@y\.example>\r\n$/);
  }
});

/** VRFY, EXPN, HELP, the null sender and `<postmaster>` are the same on both roles. */
t.test('what every server has to answer is answered on both roles', async (t) => {
  await administration.aliases.add({ address: `postmaster@${DOMAIN}`, targets: [`archive@${DOMAIN}`] });
  t.teardown(() => administration.aliases.remove(`postmaster@${DOMAIN}`));
  for (const role of ['relayIn', 'submission'] as const) {
    const client: Client = await (await site.serve(t, { role })).greeted();
    t.match(await ask(client, 'VRFY tickets\r\n', '\\d'), '252 2.0.0', role);
    t.match(await ask(client, 'EXPN all\r\n', '\\d'), '502 5.5.1', role);
    t.match(await ask(client, 'HELP\r\n', '\\d{3} '), /^214-2\.0\.0 Commands: .*\bMAIL\b/, role);
    if (role === 'submission') await ask(client, `AUTH PLAIN ${plain(TICKETS, 'secret')}\r\n`, '235');
    t.match(await ask(client, 'MAIL FROM:<>\r\n', '\\d'), '250 2.1.0', role);
    t.match(await ask(client, 'RCPT TO:<Postmaster>\r\n', '\\d'), '250 2.1.5', role);
  }
});

t.test('a login that takes too long is answered, and comes too late', async (t) => {
  const outcome = Promise.withResolvers<Awaited<ReturnType<Accounts['authenticate']>>>();
  const asked = Promise.withResolvers<void>();
  const authenticate: Accounts['authenticate'] = () => {
    asked.resolve();
    return outcome.promise;
  };
  const server = await serve(t, { accounts: { ...site.site.accounts, authenticate } });
  const client = await server.greeted();
  const answered = ask(client, `AUTH PLAIN ${plain(TICKETS, 'secret')}\r\n`, '\\d');
  await asked.promise;
  await new Promise(setImmediate);
  server.clock.advance(LOGIN_DEADLINE_MS);
  t.match(await answered, '451 4.4.2');
  outcome.resolve({ kind: 'authenticated', account: tickets });
  t.match(await ask(client, `MAIL FROM:<${TICKETS}>\r\n`, '\\d'), '530 5.7.0');
});

/** Asks for a challenge and answers it as RFC 2195 says. */
async function answerChallenge(client: Client, name: string, secret: string): Promise<string> {
  const asked = await ask(client, 'AUTH CRAM-MD5\r\n', '\\d');
  const challenge = Buffer.from(asked.slice('334 '.length).trimEnd(), 'base64').toString();
  return ask(client, `${base64(`${name} ${cramDigest(secret, challenge)}`)}\r\n`, '\\d');
}

t.test('CRAM-MD5 is there while somebody has a secret for it', async (t) => {
  const server = await serve(t);
  const before = await server.greeted();
  t.notMatch(before.received, 'CRAM-MD5');
  t.match(await ask(before, 'AUTH CRAM-MD5\r\n', '\\d'), '504 5.5.4');
  await administration.secrets.set(TICKETS, 'a device');
  t.teardown(() => administration.secrets.remove(TICKETS));
  const client = await server.greeted();
  t.match(client.received, '250-AUTH PLAIN LOGIN CRAM-MD5\r\n250-AUTH=PLAIN LOGIN CRAM-MD5\r\n');
  const first = await ask(client, 'AUTH CRAM-MD5\r\n', '\\d');
  const decoded = Buffer.from(first.slice(4).trimEnd(), 'base64').toString();
  t.match(decoded, /^<[0-9a-f]{32}@mail\.example\.com>$/);
  t.match(await ask(client, '*\r\n', '\\d'), '501 5.7.0 Authentication cancelled');
  t.not(await ask(client, 'auth cram-md5\r\n', '\\d'), first, 'no challenge is given twice');
  t.match(await ask(client, `${base64('tickets')}\r\n`, '\\d'), '501 5.5.2');
  t.match(await ask(client, `AUTH CRAM-MD5 ${base64('x')}\r\n`, '\\d'), '501 5.7.0');
  const refused = await answerChallenge(client, TICKETS, 'wrong');
  t.equal(refused, '535 5.7.8 Authentication failed\r\n');
  t.equal(await answerChallenge(client, `nobody@${DOMAIN}`, 'a device'), refused);
  t.equal(await answerChallenge(client, `archive@${DOMAIN}`, 'secret'), refused, 'a password is no secret');
  t.equal(await answerChallenge(client, TICKETS, 'a device'), '235 2.7.0 Authentication successful\r\n');
  t.match(await ask(client, `MAIL FROM:<${TICKETS}>\r\n`, '\\d'), '250 2.1.0');
});

t.test(
  'an account that is disabled or removed in the middle of a session submits nothing more',
  async (t) => {
    const server = await serve(t);
    for (const end of ['account', 'domain', 'removal'] as const) {
      const address = `${end}@leaving.example.com`;
      await site.site.addAccount(address);
      const client = await server.greeted();
      await ask(client, `AUTH PLAIN ${plain(address, 'secret')}\r\n`, '235');
      t.match(await ask(client, `MAIL FROM:<${address}>\r\n`, '\\d'), '250 2.1.0');
      await ask(client, 'RSET\r\n', '250');
      if (end === 'account') await administration.accounts.set(address, { isEnabled: false });
      if (end === 'domain') await administration.domains.set('leaving.example.com', { isEnabled: false });
      if (end === 'removal') await administration.accounts.remove(address);
      t.match(await ask(client, `MAIL FROM:<${address}>\r\n`, '\\d'), '530 5.7.0', end);
      await administration.domains.set('leaving.example.com', { isEnabled: true });
    }
  },
);

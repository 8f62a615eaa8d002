/**
 * Bad input on all three protocols: it ends in the right error, the session goes on or is ended as it should be, nothing of it
 * is stored, and the sessions of others are served as if it had not happened. The server is a process of its own: it must be
 * alive at the end, with no error in its log.
 */

import t, { type Test } from 'tap';

import { createSite } from '../support/appliance.ts';
import { addAccounts } from '../support/manyAccounts.ts';
import { PeerSocket } from '../support/peerSocket.ts';
import { RawImap } from '../support/rawImap.ts';
import { RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

type Protocol = 'smtp' | 'pop3' | 'imap';

/** One thing that a client should not do. */
interface BadInput {
  readonly name: string;
  /** Octets, Latin-1; `@` stands for an account's address. */
  readonly input: string;
  /** What the server answers behind its greeting, in this order; nothing where the session just ends. */
  readonly answers: readonly RegExp[];
  /** Whether the session goes on, so that the polite command at its end is answered. */
  readonly stays?: boolean;
  /** How the client leaves instead of reading to the end. */
  readonly leaves?: 'halfClose' | 'reset';
}

const JUNK = String.fromCharCode(...Array.from({ length: 2048 }, (_, index) => (index * 89 + 7) % 256));
const CLIENT_HELLO = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03';
const HTTP = 'GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n';

const TRANSACTION = 'EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<@>\r\nDATA\r\n';
const IN_DATA = [/^250 .*\r\n250 .*\r\n250 .*\r\n354 /m];

const SMTP: readonly BadInput[] = [
  { name: 'an unknown command', input: 'WIZ\r\n', answers: [/^500 5\.5\.2 /m], stays: true },
  { name: 'an empty line', input: '\r\n', answers: [/^500 5\.5\.2 /m], stays: true },
  {
    name: 'MAIL before EHLO',
    input: 'MAIL FROM:<a@example.org>\r\n',
    answers: [/^503 5\.5\.1 /m],
    stays: true,
  },
  { name: 'RCPT before MAIL', input: 'EHLO x\r\nRCPT TO:<@>\r\n', answers: [/^503 5\.5\.1 /m], stays: true },
  { name: 'DATA before RCPT', input: 'EHLO x\r\nDATA\r\n', answers: [/^503 5\.5\.1 /m], stays: true },
  {
    name: 'a second MAIL',
    input: 'EHLO x\r\nMAIL FROM:<a@example.org>\r\nMAIL FROM:<a@example.org>\r\n',
    answers: [/^250 2\.1\.0 /m, /^503 5\.5\.1 /m],
    stays: true,
  },
  { name: 'EHLO without a name', input: 'EHLO\r\n', answers: [/^501 /m], stays: true },
  { name: 'MAIL without a path', input: 'EHLO x\r\nMAIL FROM:\r\n', answers: [/^501 /m], stays: true },
  {
    name: 'a path without its end',
    input: 'EHLO x\r\nMAIL FROM:<a@example.org\r\n',
    answers: [/^501 /m],
    stays: true,
  },
  {
    name: 'a recipient with a line end inside',
    input: 'EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<in\n@app.example.com>\r\n',
    answers: [/^250 2\.1\.0 /m, /^5\d\d /m],
    stays: true,
  },
  {
    name: 'an empty recipient',
    input: 'EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\n',
    answers: [/^5\d\d /m],
    stays: true,
  },
  {
    name: 'a size beyond the limit',
    input: 'EHLO x\r\nMAIL FROM:<> SIZE=999999999\r\n',
    answers: [/^552 5\.3\.4 /m],
    stays: true,
  },
  {
    name: 'recipients elsewhere',
    input:
      'EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<in%example.org@app.example.com>\r\nRCPT TO:<@app.example.com:a@example.org>\r\n',
    answers: [/^550 5\.7\.1 /m, /^550 5\.1\.1 /m, /^550 5\.7\.1 /m],
    stays: true,
  },
  { name: 'a command line of 5 kB', input: `NOOP ${'x'.repeat(5000)}\r\n`, answers: [/^421 .*too long/m] },
  { name: '100 kB without a line end', input: 'x'.repeat(100_000), answers: [/^421 .*too long/m] },
  { name: 'binary junk', input: JUNK, answers: [/^[45]\d\d /m], leaves: 'halfClose' },
  { name: 'a TLS handshake', input: `${CLIENT_HELLO}\r\n`, answers: [/^500 5\.5\.2 /m], stays: true },
  { name: 'an HTTP request', input: HTTP, answers: [/^(421|500) /m] },
  { name: '200 unknown commands', input: 'WIZ\r\n'.repeat(200), answers: [/^500 /m, /^421 /m] },
  { name: 'half a command', input: 'EHLO x\r\nMAIL FR', answers: [/^250 /m], leaves: 'halfClose' },
  { name: 'half a command and a reset', input: 'EHLO x\r\nMAIL FR', answers: [/^250 /m], leaves: 'reset' },
  {
    name: 'half a message',
    input: `${TRANSACTION}Subject: half\r\n\r\nhal`,
    answers: IN_DATA,
    leaves: 'halfClose',
  },
  {
    name: 'half a message and a reset',
    input: `${TRANSACTION}Subject: half\r\n\r\n${'half\r\n'.repeat(100_000)}`,
    answers: IN_DATA,
    leaves: 'reset',
  },
  {
    name: 'a message whose end is smuggled',
    input: `${TRANSACTION}Subject: half\r\n\r\nx\n.\nMAIL FROM:<evil@example.org>\r\nx\n.\r\nRCPT TO:<@>\r\n\r.\r\r\n.\n`,
    answers: IN_DATA,
    leaves: 'halfClose',
  },
];

const POP3_LOGIN = 'USER @\r\nPASS secret of in\r\n';

const POP3: readonly BadInput[] = [
  { name: 'an unknown command', input: 'WIZ\r\n', answers: [/^-ERR /m], stays: true },
  { name: 'an empty line', input: '\r\n', answers: [/^-ERR /m], stays: true },
  { name: 'RETR before login', input: 'RETR 1\r\n', answers: [/^-ERR Log in first/m], stays: true },
  { name: 'PASS before USER', input: 'PASS x\r\n', answers: [/^-ERR /m], stays: true },
  { name: 'USER without a name', input: 'USER\r\n', answers: [/^-ERR Syntax error/m], stays: true },
  {
    name: 'a wrong password',
    input: 'USER @\r\nPASS no\r\n',
    answers: [/^\+OK/m, /^-ERR \[AUTH\] /m],
    stays: true,
  },
  { name: 'AUTH with junk', input: 'AUTH PLAIN ====!\r\n', answers: [/^-ERR /m], stays: true },
  { name: 'AUTH of another kind', input: 'AUTH GSSAPI\r\n', answers: [/^-ERR /m], stays: true },
  {
    name: 'a second login',
    input: `${POP3_LOGIN}USER @\r\n`,
    answers: [/^-ERR Not after login/m],
    stays: true,
  },
  {
    name: 'message numbers that are none',
    input: `${POP3_LOGIN}RETR\r\nRETR 0\r\nRETR -1\r\nRETR x\r\nRETR 99999999999999999999\r\nLIST 2 2\r\nDELE 7e0\r\n`,
    answers: Array.from({ length: 7 }, () => /^-ERR /m),
    stays: true,
  },
  {
    name: 'TOP with odd numbers',
    input: `${POP3_LOGIN}TOP 1 -1\r\nTOP x y z\r\n`,
    answers: [/^-ERR /m, /^-ERR /m],
    stays: true,
  },
  {
    name: 'a message deleted twice',
    input: `${POP3_LOGIN}DELE 1\r\nDELE 1\r\nRETR 1\r\nRSET\r\n`,
    answers: [/^\+OK/m, /^-ERR /m, /^-ERR /m, /^\+OK/m],
    stays: true,
  },
  {
    name: 'a line of 3 kB',
    input: `NOOP ${'x'.repeat(3000)}\r\n`,
    answers: [/^-ERR Line too long/m],
    stays: true,
  },
  {
    name: 'a line of 1 MB',
    input: `${'x'.repeat(1_000_000)}\r\n`,
    answers: [/^-ERR Line too long/m],
    stays: true,
  },
  { name: 'binary junk', input: JUNK, answers: [/^-ERR /m], leaves: 'halfClose' },
  { name: 'a TLS handshake', input: `${CLIENT_HELLO}\r\n`, answers: [/^-ERR /m], stays: true },
  { name: 'an HTTP request', input: HTTP, answers: [/^-ERR /m], stays: true },
  { name: '30 unknown commands', input: 'WIZ\r\n'.repeat(30), answers: [/^-ERR /m] },
  { name: 'seven wrong passwords', input: 'USER @\r\nPASS no\r\n'.repeat(7), answers: [/^-ERR \[AUTH\]/m] },
  { name: 'half a command', input: `${POP3_LOGIN}DELE 1\r\nQUI`, answers: [/^\+OK/m], leaves: 'halfClose' },
  {
    name: 'half a command and a reset',
    input: `${POP3_LOGIN}DELE 1\r\nQUI`,
    answers: [/^\+OK/m],
    leaves: 'reset',
  },
  {
    name: 'a reset inside RETR',
    input: `${POP3_LOGIN}RETR 1\r\n`,
    answers: [/^\+OK \d+ octets/m, /x{70}/],
    leaves: 'reset',
  },
];

const IMAP_LOGIN = 'l LOGIN @ "secret of in"\r\n';
const SELECTED = `${IMAP_LOGIN}s SELECT INBOX\r\n`;

const IMAP: readonly BadInput[] = [
  { name: 'an unknown command', input: 'a WIZ\r\n', answers: [/^a BAD Unknown command/m], stays: true },
  { name: 'an empty line', input: '\r\n', answers: [/^\* BAD /m], stays: true },
  { name: 'a command without a tag', input: 'NOOP\r\n', answers: [/^(\*|NOOP) BAD /m], stays: true },
  {
    name: 'a tag that is none',
    input: '+a NOOP\r\n(a NOOP\r\n',
    answers: [/^\* BAD /m, /^\* BAD /m],
    stays: true,
  },
  { name: 'FETCH before login', input: 'a FETCH 1 FLAGS\r\n', answers: [/^a BAD /m], stays: true },
  {
    name: 'FETCH before SELECT',
    input: `${IMAP_LOGIN}a FETCH 1 FLAGS\r\n`,
    answers: [/^a BAD /m],
    stays: true,
  },
  { name: 'a second login', input: `${IMAP_LOGIN}a LOGIN a b\r\n`, answers: [/^a BAD /m], stays: true },
  {
    name: 'a wrong password',
    input: 'a LOGIN @ no\r\n',
    answers: [/^a NO \[AUTHENTICATIONFAILED\]/m],
    stays: true,
  },
  {
    name: 'a missing argument',
    input: `${IMAP_LOGIN}a SELECT\r\nb COPY\r\n`,
    answers: [/^a BAD /m, /^b BAD /m],
    stays: true,
  },
  {
    name: 'a mailbox that is not there',
    input: `${IMAP_LOGIN}a SELECT Nowhere\r\n`,
    answers: [/^a NO \[NONEXISTENT\]/m],
    stays: true,
  },
  {
    name: 'sets and sections that are none',
    input: `${SELECTED}a FETCH 0 FLAGS\r\nb FETCH 1:x FLAGS\r\nc FETCH 1 BODY[1.0]\r\nd FETCH 1 (FLAGS\r\ne SEARCH FOO\r\n`,
    answers: [/^a BAD /m, /^b BAD /m, /^c BAD /m, /^d BAD /m, /^e BAD /m],
    stays: true,
  },
  {
    name: '5,000 parentheses',
    input: `${SELECTED}a SEARCH ${'('.repeat(5000)}ALL${')'.repeat(5000)}\r\n`,
    answers: [/^a (BAD|NO) /m],
    stays: true,
  },
  {
    name: 'a line of 1 MB',
    input: `a NOOP ${'x'.repeat(1_000_000)}\r\n`,
    answers: [/^a BAD \[TOOBIG\] /m],
    stays: true,
  },
  {
    name: 'a literal of 4 GB before login',
    input: 'a LOGIN {4294967295}\r\n',
    answers: [/^a BAD /m],
    stays: true,
  },
  {
    name: 'a literal of 4 GB that is not asked for',
    input: 'a LOGIN {4294967295+}\r\n',
    answers: [/^\* BYE /m],
  },
  {
    name: 'a literal of no number',
    input: 'a LOGIN {99999999999999999999}\r\n',
    answers: [/^a BAD /m],
    stays: true,
  },
  {
    name: 'a message that is too large',
    input: `${IMAP_LOGIN}a APPEND INBOX {999999999}\r\n`,
    answers: [/^a NO \[TOOBIG\]/m],
    stays: true,
  },
  { name: 'binary junk', input: JUNK, answers: [/BAD /m], leaves: 'halfClose' },
  { name: 'a TLS handshake', input: `${CLIENT_HELLO}\r\n`, answers: [/^\* BAD /m], stays: true },
  { name: 'an HTTP request', input: HTTP, answers: [/^GET BAD /m], stays: true },
  { name: '50 unknown commands', input: 'a WIZ\r\n'.repeat(50), answers: [/^a BAD /m, /^\* BYE /m] },
  {
    name: 'junk in IDLE',
    input: `${SELECTED}a IDLE\r\nwhat?\r\n`,
    answers: [/^\+ /m, /^a BAD /m],
    stays: true,
  },
  {
    name: 'half a command',
    input: `${SELECTED}a STORE 1 +FLAGS (\\Del`,
    answers: [/^s OK /m],
    leaves: 'halfClose',
  },
  {
    name: 'half a message and a reset',
    input: `${IMAP_LOGIN}a APPEND INBOX {600000+}\r\n${'half\r\n'.repeat(90_000)}`,
    answers: [/^l OK /m],
    leaves: 'reset',
  },
  {
    name: 'half a literal',
    input: `${IMAP_LOGIN}a LOGIN {20+}\r\nhalf`,
    answers: [/^l OK /m],
    leaves: 'halfClose',
  },
  {
    name: 'a reset inside FETCH',
    input: `${SELECTED}a FETCH 1 BODY[]\r\n`,
    answers: [/x{70}/],
    leaves: 'reset',
  },
];

const POLITE_END: Readonly<Record<Protocol, { readonly command: string; readonly answer: RegExp }>> = {
  smtp: { command: 'QUIT\r\n', answer: /^221 /m },
  pop3: { command: 'QUIT\r\n', answer: /^\+OK (?!.*ready)/m },
  imap: { command: 'zz LOGOUT\r\n', answer: /^zz OK /m },
};

t.setTimeout(300_000);

const site = createSite();
t.teardown(() => site.remove());
const server = await site.serve();
const [account = { address: '', password: '' }] = await addAccounts(site, ['in']);
const { ports } = server;
const canaries = {
  smtp: await RawSmtp.open(ports.smtp),
  pop3: await RawPop3.open(ports.pop3, account),
  imap: await RawImap.open(ports.imap, account),
};
const LARGE = Buffer.from(`Subject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(30_000)}`);
await canaries.smtp.deliver({ from: 'a@example.org', to: [account.address] }, LARGE);

for (const [protocol, inputs] of Object.entries({ smtp: SMTP, pop3: POP3, imap: IMAP })) {
  for (const input of inputs) {
    t.test(`${protocol}: ${input.name}`, async (t) => {
      await tryInput(t, protocol as Protocol, input);
      await askCanaries();
    });
  }
}

t.test('nothing of it was stored or deleted, and the server lives', async (t) => {
  const imap = await RawImap.open(ports.imap, account);
  t.equal(await imap.select(), 1);
  const [message] = await imap.fetch('1:*');
  t.ok(message?.octets.subarray(-LARGE.length).equals(LARGE));
  await imap.logout();
  await canaries.smtp.quit();
  await canaries.pop3.quit();
  await canaries.imap.logout();
  const { exitCode, stdout, stderr } = await server.stop();
  t.equal(exitCode, 0);
  t.notMatch(stdout.toString(), /"level":"error"/);
  t.notMatch(stderr.toString(), /error|warning|^ +at /im);
});

async function tryInput(t: Test, protocol: Protocol, bad: BadInput): Promise<void> {
  const socket = await PeerSocket.connect(ports[protocol]);
  await socket.readLine();
  const end = POLITE_END[protocol];
  const input = Buffer.from(bad.input.replace(/(?<=[ <])@(?=[\r >])/g, account.address), 'latin1');
  const wanted = bad.stays === true ? [...bad.answers, end.answer] : bad.answers;
  // The server may end the session while the client still writes.
  await socket.write(input).catch(() => {});
  if (bad.stays === true) await socket.write(end.command);
  const answered = await readUntil(socket, wanted, bad.leaves === undefined);
  if (bad.leaves === 'halfClose') await socket.close();
  else if (bad.leaves === 'reset') socket.reset();
  else socket.destroy();
  t.equal(findInOrder(answered, wanted), undefined, `answered: ${JSON.stringify(answered.slice(0, 400))}`);
}

/** Reads until every pattern has come, or, where the server ends the session, to the end. */
async function readUntil(
  socket: PeerSocket,
  patterns: readonly RegExp[],
  toTheEnd: boolean,
): Promise<string> {
  if (toTheEnd) return (await socket.readToEnd()).toString('latin1');
  let text = '';
  while (findInOrder(text, patterns) !== undefined) {
    const piece = await socket.readPiece().catch(() => undefined);
    if (piece === undefined) return `${text} (end)`;
    text += piece.toString('latin1');
  }
  return text;
}

/** The first pattern that is not found behind those before it. */
function findInOrder(text: string, patterns: readonly RegExp[]): RegExp | undefined {
  let rest = text;
  for (const pattern of patterns) {
    const found = pattern.exec(rest);
    if (found === null) return pattern;
    rest = rest.slice(found.index + found[0].length);
  }
  return undefined;
}

async function askCanaries(): Promise<void> {
  await Promise.all([
    canaries.smtp.command('NOOP'),
    canaries.pop3.command('NOOP'),
    canaries.imap.command('NOOP'),
  ]);
}

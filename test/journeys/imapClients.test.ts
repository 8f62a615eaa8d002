/**
 * Real IMAP clients against the server: imapflow, Python's imaplib and curl get every octet; fetchmail, getmail6, mbsync and
 * neomutt get the same after undoing what each is documented to change.
 */

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ImapFlow } from 'imapflow';
import t from 'tap';
import type { Test } from 'tap';

import { ADDRESS, openImapSite } from '../imapd/harness.ts';
import type { ImapSite } from '../imapd/harness.ts';
import { peerTest, runProgram } from '../support/peers.ts';
import { writeGetmailrc } from './getmail.ts';

/** Ordinary messages, which every client leaves alone but for line ends. */
const PLAIN = [
  'From: a@example.org\r\nTo: ticket@app.example.com\r\nSubject: =?utf-8?q?B=C3=BCcher?=\r\nDate: Fri, 9 Feb 2024 12:00:00 +0100\r\nMessage-ID: <1@x>\r\n\r\nfirst\r\n',
  'From: b@example.org\r\nTo: ticket@app.example.com\r\nSubject: parts\r\nDate: Fri, 9 Feb 2024 12:00:00 +0100\r\nMessage-ID: <2@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n',
  `From: c@example.org\r\nTo: ticket@app.example.com\r\nSubject: long\r\nDate: Fri, 9 Feb 2024 12:00:00 +0100\r\nMessage-ID: <3@x>\r\n\r\n${`${'z'.repeat(900)}\r\n`.repeat(200)}.\r\n..\r\nFrom here\r\n`,
];

/** Odd messages, for clients that hand over octets. */
const ODD = [
  ...PLAIN,
  'Subject: bare\n\nlf\n.\nend',
  'Subject: cr\r\n\r\na\rb\r\n.\r\n',
  'no header, no line end',
  '\r\n',
  `Subject: x\r\n\r\n${'y'.repeat(10_000)}\xff\xfe\r\n`,
  'Subject: {3}\r\n\r\n) a1 OK done\r\n* 1 FETCH (FLAGS ())\r\n',
];

function octets(messages: readonly string[]): Buffer[] {
  return messages.map((message) => Buffer.from(message, 'latin1'));
}

/** A directory that goes with the test. */
function directoryOf(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-clients-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function siteWith(t: Test, messages: readonly string[]): Promise<ImapSite> {
  const site = await openImapSite(t);
  await site.put(['INBOX'], ...octets(messages));
  return site;
}

/** How many messages INBOX holds, with how many unseen. */
async function inboxOf({ store, account }: ImapSite): Promise<{ messages: number; unseen: number }> {
  const inbox = await store.mailboxes.find(account.id, ['INBOX']);
  if (inbox === undefined) throw new Error('no INBOX');
  const { messages, unseen } = await store.mailboxes.status(inbox.id);
  return { messages, unseen };
}

t.test(
  'imapflow lists, fetches, searches, flags, appends, moves, deletes, and hears of new mail',
  async (t) => {
    const site = await siteWith(t, ODD);
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: site.port,
      secure: false,
      tls: { rejectUnauthorized: false },
      auth: { user: ADDRESS, pass: 'secret' },
      logger: false,
    });
    t.teardown(() => client.close());
    await client.connect();
    const listed = await client.list();
    const boxes = listed.map(({ path, specialUse }) => `${path} ${specialUse ?? ''}`.trim());
    t.same(boxes.sort(), ['Drafts \\Drafts', 'INBOX \\Inbox', 'Junk \\Junk', 'Sent \\Sent', 'Trash \\Trash']);
    await client.mailboxOpen('INBOX');
    const sources: Buffer[] = [];
    for await (const message of client.fetch('1:*', {
      source: true,
      envelope: true,
      bodyStructure: true,
      flags: true,
    })) {
      sources.push(message.source ?? Buffer.alloc(0));
    }
    t.same(sources, octets(ODD));
    t.same(await client.search({ subject: 'bücher' }), [1]);
    t.same(await client.search({ body: 'Grüße' }, { uid: true }), [2]);
    const download = await client.download('3', undefined, { uid: true });
    const chunks: Buffer[] = [];
    for await (const chunk of download.content ?? []) chunks.push(chunk);
    t.ok(Buffer.concat(chunks).equals(Buffer.from(PLAIN[2] ?? '', 'latin1')));
    t.ok(await client.messageFlagsAdd('1', ['\\Seen', 'Ticket']));
    t.same(
      ((await client.fetchOne('1', { flags: true })) || undefined)?.flags,
      new Set(['\\Seen', '\\Recent', 'Ticket']),
    );
    const appended = await client.append('Sent', 'Subject: sent\r\n\r\nx\r\n', ['\\Seen']);
    t.match(appended, { destination: 'Sent', uid: 1 });
    t.match(await client.messageMove('1:2', 'Trash'), { destination: 'Trash' });
    t.ok(await client.messageDelete('1:3', { uid: false }));
    t.match(await client.status('Trash', { messages: true, unseen: true }), { messages: 2, unseen: 1 });
    t.match(await client.mailboxCreate('Work/Bücher'), { path: 'Work/Bücher', created: true });
    const exists = new Promise<{ count: number }>((resolve) => client.once('exists', resolve));
    const idling = client.idle();
    await site.put(['INBOX'], 'Subject: new\r\n\r\n');
    t.equal((await exists).count, ODD.length - 5 + 1);
    await client.noop();
    await idling;
    await client.logout();
  },
);

peerTest(t, ['python3'], 'Python’s imaplib gets every octet, in the clear and after STARTTLS', async (t) => {
  const site = await siteWith(t, ODD);
  const script = `
import imaplib, json, ssl, sys
host, port, user, password = sys.argv[1:5]
def check(answer):
    typ, data = answer
    assert typ == 'OK', answer
    return data
result = {}
m = imaplib.IMAP4(host, int(port))
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
check(m.starttls(context))
check(m.login(user, password))
result['boxes'] = [line.decode() for line in check(m.list())]
result['count'] = int(check(m.select('INBOX'))[0])
numbers = check(m.search(None, 'UNSEEN'))[0].split()
result['bodies'] = []
for number in numbers:
    data = check(m.fetch(number, '(RFC822)'))
    result['bodies'].append(data[0][1].decode('latin-1'))
result['seen'] = [f.decode() for f in check(m.fetch('1', '(FLAGS)'))]
check(m.store('1:2', '+FLAGS', '\\\\Deleted'))
result['expunged'] = [f.decode() for f in check(m.expunge())]
check(m.append('"Sent"', '\\\\Seen', imaplib.Time2Internaldate(0), b'Subject: x\\r\\n\\r\\nbody\\r\\n'))
check(m.copy('1', 'Trash'))
check(m.create('"Work"'))
result['quota'] = m.uid('SEARCH', 'CHARSET', 'UTF-8', 'TEXT', '"y"')[0]
result['status'] = check(m.status('Sent', '(MESSAGES UNSEEN)'))[0].decode()
check(m.close()); m.logout()
n = imaplib.IMAP4(host, int(port))
n.authenticate('PLAIN', lambda _: b'\\0' + user.encode() + b'\\0' + password.encode())
check(n.select('INBOX', readonly=True))
result['last'] = check(n.fetch('*', '(BODY.PEEK[])'))[0][1].decode('latin-1')
n.logout()
print(json.dumps(result))
`;
  const { stdout, stderr, exitCode } = await runProgram(
    'python3',
    ['-', '127.0.0.1', String(site.port), ADDRESS, 'secret'],
    { stdin: script },
  );
  t.equal(exitCode, 0, stderr.toString());
  const result = JSON.parse(stdout.toString());
  t.equal(result.count, ODD.length);
  t.same(result.bodies, ODD);
  t.match(result.seen, [/\\Seen/]);
  t.same(result.expunged, ['1', '1']);
  t.equal(result.status, '"Sent" (MESSAGES 1 UNSEEN 0)');
  t.equal(result.last, ODD.at(-1));
});

peerTest(t, ['curl'], 'curl gets every octet, and puts one', async (t) => {
  const site = await siteWith(t, ODD);
  const curl = async (...args: readonly string[]) => {
    const result = await runProgram('curl', ['-sS', '-k', '-u', `${ADDRESS}:secret`, ...args]);
    t.equal(result.exitCode, 0, result.stderr.toString());
    return result.stdout;
  };
  const url = `imap://127.0.0.1:${site.port}`;
  for (const [index, message] of octets(ODD).entries()) {
    const got = await curl('--ssl-reqd', `${url}/INBOX;UID=${index + 1}`);
    t.ok(got.equals(message), `message ${index + 1}`);
  }
  t.match((await curl(`${url}/INBOX;UID=2;SECTION=1`)).toString(), 'Grüße');
  t.equal((await curl(`${url}/INBOX?SUBJECT%20parts`)).toString(), '* SEARCH 2\r\n');
  t.match((await curl(url)).toString(), /^\* LIST \(\\HasNoChildren\) "\/" "INBOX"\r\n/);
  const file = join(directoryOf(t), 'message');
  writeFileSync(file, 'Subject: put\r\n\r\nby curl\r\n');
  await curl('-T', file, `${url}/Sent`);
  t.equal((await curl(`${url}/Sent;UID=1`)).toString(), 'Subject: put\r\n\r\nby curl\r\n');
});

/** With LF for line ends, as mailboxes on Unix have it. */
function withLf(message: string): string {
  return message.replaceAll('\r\n', '\n');
}

/** `mail` without fields (of one line) that a client added to it. */
function without(mail: string, fields: readonly string[]): string {
  return mail.replace(new RegExp(`^(${fields.join('|')}):.*\\n`, 'gm'), '');
}

/** What a program has put into files `*.mail`. */
function mailsIn(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.mail'));
  return names.map((name) => readFileSync(join(directory, name), 'latin1'));
}

function filesIn(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => readFileSync(join(directory, name), 'latin1'));
}

peerTest(t, ['fetchmail'], 'fetchmail fetches what is unseen and deletes it', async (t) => {
  const site = await siteWith(t, PLAIN);
  const directory = directoryOf(t);
  const rc = join(directory, 'rc');
  // It hands each message to a program, with LF, and without `invisible` adds a Received field.
  const lines = [
    'set no bouncemail',
    `poll 127.0.0.1 protocol imap service ${site.port} auth password user "${ADDRESS}" password "secret"`,
    `sslproto "" no rewrite pass8bits fetchall nokeep mda "cat > ${directory}/$$.mail" `,
  ];
  writeFileSync(rc, lines.join('\n'), { mode: 0o600 });
  // Root's has its own place beside whatever FETCHMAILHOME says, and where it is taken fetchmail does nothing.
  const args = ['-f', rc, '--pidfile', join(directory, 'pid'), '--invisible', '-v'];
  const result = await runProgram('fetchmail', args, {
    env: { FETCHMAILHOME: directory, HOME: directory, LOGNAME: 'tester', USER: 'tester' },
  });
  t.equal(result.exitCode, 0, result.stdout.toString() + result.stderr.toString());
  t.same(mailsIn(directory).sort(), PLAIN.map(withLf).sort());
  t.same(await inboxOf(site), { messages: 0, unseen: 0 });
});

peerTest(t, ['getmail'], 'getmail6 fetches and deletes', async (t) => {
  const site = await siteWith(t, PLAIN);
  const directory = directoryOf(t);
  const messages = join(directory, 'messages');
  mkdirSync(messages);
  const login = { address: ADDRESS, password: 'secret' };
  const fetch = {
    protocol: 'imap',
    port: site.port,
    login,
    messages,
    readsAll: true,
    deletes: true,
  } as const;
  const result = await runProgram('getmail', writeGetmailrc(directory, fetch), { env: { HOME: directory } });
  t.equal(result.exitCode, 0, result.stdout.toString() + result.stderr.toString());
  // Its own two fields it adds whatever the options say.
  const undone = filesIn(messages).map((mail) =>
    without(mail, ['Return-Path', 'X-getmail-retrieved-from-mailbox']),
  );
  t.same(undone.sort(), PLAIN.map(withLf).sort());
  t.same(await inboxOf(site), { messages: 0, unseen: 0 });
});

peerTest(t, ['mbsync'], 'mbsync pulls, pushes and agrees on flags', async (t) => {
  const site = await siteWith(t, PLAIN);
  const directory = directoryOf(t);
  const rc = join(directory, 'rc');
  const lines = [
    'IMAPStore far',
    'Host 127.0.0.1',
    `Port ${site.port}`,
    `User ${ADDRESS}`,
    'Pass secret',
    'SSLType None',
    'AuthMechs LOGIN',
    '',
    'MaildirStore near',
    `Path ${directory}/mail/`,
    `Inbox ${directory}/mail/INBOX`,
    'SubFolders Verbatim',
    '',
    'Channel all',
    'Far :far:',
    'Near :near:',
    'Patterns *',
    'Create Both',
    'Expunge Both',
    'SyncState *',
    '',
  ];
  writeFileSync(rc, lines.join('\n'));
  mkdirSync(join(directory, 'mail'));
  const sync = async () => {
    const result = await runProgram('mbsync', ['-c', rc, '-a'], { env: { HOME: directory } });
    t.equal(result.exitCode, 0, result.stdout.toString() + result.stderr.toString());
  };
  await sync();
  const fresh = join(directory, 'mail', 'INBOX', 'new');
  const pulled = filesIn(fresh).map((mail) => without(mail, ['X-TUID']));
  t.same(pulled.sort(), PLAIN.map(withLf).sort());
  // One is read here, one is written here.
  const [first = ''] = readdirSync(fresh).sort();
  renameSync(
    join(fresh, first),
    join(directory, 'mail', 'INBOX', 'cur', `${first.replace(/:2,.*$/, '')}:2,S`),
  );
  writeFileSync(join(directory, 'mail', 'Drafts', 'new', '1.1.host'), 'Subject: draft\n\nx\n');
  await sync();
  t.same(await inboxOf(site), { messages: 3, unseen: 2 });
  const client = await site.selected('Drafts');
  t.match(await client.command('FETCH 1 BODY.PEEK[]'), [/Subject: draft\r\n(X-TUID: \S+\r\n)?\r\nx\r\n\)$/]);
});

peerTest(t, ['neomutt', 'script'], 'neomutt opens a mailbox and copies it', async (t) => {
  const site = await siteWith(t, PLAIN);
  const directory = directoryOf(t);
  const rc = join(directory, 'rc');
  const lines = [
    `set imap_user="${ADDRESS}"`,
    'set imap_pass="secret"',
    'set ssl_starttls=no',
    'set ssl_force_tls=no',
    'set mbox_type=Maildir',
    'set confirmcreate=no',
    'set confirmappend=no',
    'set copy=no',
    'set delete=no',
    'set header_cache=""',
    'set wait_key=no',
    'set tunnel=""',
  ];
  writeFileSync(rc, lines.join('\n'));
  const copies = PLAIN.map((_, index) => `<jump>${index + 1}<enter><copy-message>${directory}/copy<enter>`);
  const push = `push '${copies.join('')}<exit>'`;
  // Without a terminal it would send mail; script gives it one.
  const command = `neomutt -n -F ${rc} -f imap://127.0.0.1:${site.port}/INBOX -e "${push}"`;
  const result = await runProgram('script', ['-qec', command, '/dev/null'], {
    env: { HOME: directory, TERM: 'vt100' },
  });
  t.equal(result.exitCode, 0, result.stdout.toString() + result.stderr.toString());
  const copied = ['new', 'cur'].flatMap((name) => filesIn(join(directory, 'copy', name)));
  // It adds Status, Lines and Content-Length to what it writes.
  const undone = copied.map((mail) => without(mail, ['Status', 'Lines', 'Content-Length']));
  t.same(undone.sort(), PLAIN.map(withLf).sort());
});

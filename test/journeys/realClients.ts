/**
 * Real clients, each fetching an account's whole INBOX: curl, Python's poplib and imaplib, imapflow, fetchmail, getmail6,
 * mbsync, neomutt, and those of oldClients.ts. What each of them wrote comes back by trace id, which our Received field carries.
 *
 * None of them deletes anything, and every option that keeps a client from changing messages is set.
 */

import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ImapFlow } from 'imapflow';

import { runProgram } from '../support/peers.ts';
import type { Login } from '../support/rawPop3.ts';
import { writeGetmailrc } from './getmail.ts';
import { messagesIn, newPlace, oldClient } from './oldClients.ts';

/** Where a client finds the account. */
export interface Account extends Login {
  /** Ports by the listeners' names. */
  readonly ports: Readonly<Record<'pop3' | 'pop3s' | 'imap' | 'imaps', number>>;
  /** How many messages there are. */
  readonly count: number;
  /** A directory for the client's files. */
  readonly directory: string;
}

/** Messages by trace id. */
export type Fetched = ReadonlyMap<string, Buffer>;

/** A way to fetch. */
export interface RealClient {
  readonly name: string;
  readonly protocol: 'pop3' | 'imap';
  /** Programs that it needs. */
  readonly programs: readonly string[];
  fetch(account: Account): Promise<Fetched>;
}

/** Every client, in both protocols where it speaks both. */
export const REAL_CLIENTS: readonly RealClient[] = [
  { name: 'curl', protocol: 'pop3', programs: ['curl'], fetch: (account) => curl(account, 'pop3') },
  { name: 'curl', protocol: 'imap', programs: ['curl'], fetch: (account) => curl(account, 'imap') },
  { name: 'poplib', protocol: 'pop3', programs: ['python3'], fetch: (account) => python(account, POPLIB) },
  { name: 'imaplib', protocol: 'imap', programs: ['python3'], fetch: (account) => python(account, IMAPLIB) },
  { name: 'imapflow', protocol: 'imap', programs: [], fetch: imapflow },
  { name: 'fetchmail', protocol: 'pop3', programs: ['fetchmail'], fetch: (it) => fetchmail(it, 'pop3') },
  { name: 'fetchmail', protocol: 'imap', programs: ['fetchmail'], fetch: (it) => fetchmail(it, 'imap') },
  { name: 'getmail', protocol: 'pop3', programs: ['getmail'], fetch: (account) => getmail(account, 'pop3') },
  { name: 'getmail', protocol: 'imap', programs: ['getmail'], fetch: (account) => getmail(account, 'imap') },
  { name: 'mbsync', protocol: 'imap', programs: ['mbsync'], fetch: mbsync },
  {
    name: 'neomutt',
    protocol: 'pop3',
    programs: ['neomutt', 'python3'],
    fetch: (account) => neomutt(account, 'pop3'),
  },
  {
    name: 'neomutt',
    protocol: 'imap',
    programs: ['neomutt', 'python3'],
    fetch: (account) => neomutt(account, 'imap'),
  },
  ...['mpop', 'Net::POP3', 'PHP', 'Ruby', 'JavaMail'].flatMap(byOldClient),
];

/** The trace id in our Received field, the first one of a message. */
export function traceIdOf(message: Buffer): string {
  return /\bid ([0-9A-Z]{20})\b/.exec(message.toString('latin1', 0, 2048))?.[1] ?? 'none';
}

/** The files of a directory and of those in it, as messages. */
export function readMessages(directory: string): Fetched {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  return byTraceId(files.map((file) => readFileSync(join(file.parentPath, file.name))));
}

/** A client of oldClients.ts by each of its protocols. */
function byOldClient(name: string): RealClient[] {
  const { protocols, programs, work } = oldClient(name);
  const fetchBy = async (account: Account, protocol: RealClient['protocol']) => {
    const directory = newPlace(account.directory, `${name}-${protocol}`);
    const port = account.ports[protocol];
    const [visit] = await work([{ protocol, port, login: account, directory, mode: 'keep' }]);
    if (visit?.isDone !== true) throw new Error(visit?.said);
    return byTraceId(messagesIn(directory));
  };
  return protocols.map((protocol) => ({
    name,
    protocol,
    programs,
    fetch: (account) => fetchBy(account, protocol),
  }));
}

function byTraceId(messages: readonly Buffer[]): Fetched {
  return new Map(messages.map((message) => [traceIdOf(message), message]));
}

async function curl(account: Account, protocol: 'pop3' | 'imap'): Promise<Fetched> {
  const directory = mkdtempSync(join(account.directory, 'curl-'));
  const path = protocol === 'pop3' ? '' : 'INBOX;MAILINDEX=';
  await run('curl', [
    ...['--silent', '--show-error', '--fail', '--insecure'],
    ...['--user', `${account.address}:${account.password}`, '--output', join(directory, '#1')],
    `${protocol}s://127.0.0.1:${account.ports[`${protocol}s`]}/${path}[1-${account.count}]`,
  ]);
  return readMessages(directory);
}

async function python(account: Account, program: string): Promise<Fetched> {
  const directory = mkdtempSync(join(account.directory, 'python-'));
  const { address, password, ports } = account;
  const input = JSON.stringify({ address, password, pop3: ports.pop3, imap: ports.imap, directory });
  await run('python3', ['-c', program], input);
  return readMessages(directory);
}

/** poplib gives up at lines of more than 2048 octets, though RFC 1939 has no such limit for what a message holds. */
const POPLIB = `
import json, poplib, sys
given = json.load(sys.stdin)
poplib._MAXLINE = 1 << 20
session = poplib.POP3('127.0.0.1', given['pop3'])
session.user(given['address'])
session.pass_(given['password'])
count, octets = session.stat()
for number in range(1, count + 1):
    status, lines, size = session.retr(number)
    message = b''.join(line + b'\\r\\n' for line in lines)
    assert int(session.list(number).split()[2]) == len(message), number
    open('%s/%d' % (given['directory'], number), 'wb').write(message)
session.quit()
`;

const IMAPLIB = `
import imaplib, json, sys
given = json.load(sys.stdin)
session = imaplib.IMAP4('127.0.0.1', given['imap'])
session.login(given['address'], given['password'])
session.select('INBOX', readonly=True)
status, answers = session.fetch('1:*', '(UID BODY.PEEK[])')
for number, answer in enumerate([each for each in answers if isinstance(each, tuple)]):
    open('%s/%d' % (given['directory'], number), 'wb').write(answer[1])
session.logout()
`;

async function imapflow({ address, password, ports }: Account): Promise<Fetched> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: ports.imaps,
    secure: true,
    auth: { user: address, pass: password },
    tls: { rejectUnauthorized: false },
    logger: false,
  });
  await client.connect();
  await client.mailboxOpen('INBOX', { readOnly: true });
  const messages: Buffer[] = [];
  for await (const { source, size } of client.fetch('1:*', { source: true, size: true })) {
    if (source === undefined || source.length !== size) throw new Error('imapflow got another size');
    messages.push(source);
  }
  await client.logout();
  return byTraceId(messages);
}

async function fetchmail(account: Account, protocol: 'pop3' | 'imap'): Promise<Fetched> {
  const home = mkdtempSync(join(account.directory, 'fetchmail-'));
  const sink = mkdtempSync(join(home, 'messages-'));
  const file = join(home, 'fetchmailrc');
  const lines = [
    'set invisible',
    'set no bouncemail',
    'set no spambounce',
    `set idfile "${join(home, 'ids')}"`,
    `poll 127.0.0.1 protocol ${protocol} port ${account.ports[protocol]} bad-header accept timeout 120`,
    `  username "${account.address}" password "${account.password}" sslproto ''`,
    '  no rewrite no stripcr pass8bits no mimedecode no dropstatus no dropdelivered keep fetchall',
    `  mda "exec cat > ${sink}/$$"`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const args = [
    '--fetchmailrc',
    file,
    '--pidfile',
    join(home, 'pid'),
    '--nosyslog',
    '--nodetach',
    '--silent',
  ];
  await run('fetchmail', args, '', { FETCHMAILHOME: home });
  return readMessages(sink);
}

async function getmail(account: Account, protocol: 'pop3' | 'imap'): Promise<Fetched> {
  const home = mkdtempSync(join(account.directory, 'getmail-'));
  const messages = mkdtempSync(join(home, 'messages-'));
  const port = account.ports[protocol];
  await run(
    'getmail',
    writeGetmailrc(home, { protocol, port, login: account, messages, readsAll: true, deletes: false }),
  );
  return readMessages(messages);
}

async function mbsync(account: Account): Promise<Fetched> {
  const home = mkdtempSync(join(account.directory, 'mbsync-'));
  const file = join(home, 'mbsyncrc');
  const lines = [
    'IMAPAccount hauspost',
    'Host 127.0.0.1',
    `Port ${account.ports.imap}`,
    `User ${account.address}`,
    `Pass "${account.password}"`,
    'SSLType None',
    'AuthMechs LOGIN',
    '',
    'IMAPStore far',
    'Account hauspost',
    '',
    'MaildirStore near',
    `Path ${home}/`,
    `Inbox ${home}/INBOX`,
    '',
    'Channel all',
    'Far :far:INBOX',
    'Near :near:INBOX',
    'Sync Pull',
    'Create Near',
    `SyncState ${home}/state-`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  await run('mbsync', ['--config', file, 'all']);
  return readMessages(join(home, 'INBOX', 'cur'));
}

/** neomutt wants a terminal: Python gives it one that nobody types on. Its keys are pushed beforehand. */
async function neomutt(account: Account, protocol: 'pop3' | 'imap'): Promise<Fetched> {
  const home = mkdtempSync(join(account.directory, 'neomutt-'));
  const copies = join(home, 'copies');
  const { address, password, ports } = account;
  const lines = [
    ...['imap', 'pop'].flatMap((name) => [`set ${name}_user="${address}"`, `set ${name}_pass="${password}"`]),
    'set imap_authenticators="login"',
    'set ssl_starttls=no ssl_force_tls=no',
    'set folder=~ mbox_type=Maildir',
    'set confirm_append=no confirm_create=no copy=no quit=yes delete=no pop_delete=no mark_old=no',
    'set sort=mailbox-order',
    `push "T~A<enter>;C${copies}<enter>q"`,
  ];
  writeFileSync(join(home, 'neomuttrc'), `${lines.join('\n')}\n`);
  const scheme = protocol === 'pop3' ? 'pop' : 'imap';
  const url = `${scheme}://127.0.0.1:${ports[protocol]}/${protocol === 'imap' ? 'INBOX' : ''}`;
  const args = ['neomutt', '-n', '-F', join(home, 'neomuttrc'), '-f', url];
  await run('python3', ['-c', TERMINAL, ...args], '', { HOME: home, TERM: 'xterm' });
  return readMessages(copies);
}

const TERMINAL = `
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 120, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
try:
    while os.read(terminal, 65536):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

/** Runs a client and rejects with what it said unless it ends with 0. */
async function run(program: string, args: readonly string[], stdin = '', env: Record<string, string> = {}) {
  const result = await runProgram(program, args, { stdin, env });
  if (result.exitCode === 0) return;
  throw new Error(
    `${program} ended with ${result.exitCode ?? result.signal}: ${result.stderr}${result.stdout}`,
  );
}

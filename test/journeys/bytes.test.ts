/**
 * Byte for byte: whatever octets come in by SMTP or APPEND, every client gets exactly them.
 *
 * IMAP serves our two trace fields and then the octets as they came; POP3 the same with every line end as CRLF and one at the
 * end. Clients that change messages by themselves are foretold by the data of clientChanges.ts.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';

import { createSite } from '../support/appliance.ts';
import { addAccounts } from '../support/manyAccounts.ts';
import { NO_CORPUS, ODD_MESSAGES, readCorpus } from '../support/oddMessages.ts';
import { peerTest, runProgram } from '../support/peers.ts';
import { RawImap } from '../support/rawImap.ts';
import { RawPop3 } from '../support/rawPop3.ts';
import { asSmtpCarries, CLIENT_NAME, RawSmtp } from '../support/rawSmtp.ts';
import { CLIENT_CHANGES } from './clientChanges.ts';
import { type Fetched, REAL_CLIENTS, readMessages, traceIdOf } from './realClients.ts';

const SERVER_NAME = 'mail.example.com';
const SENDER = 'sender@example.org';
const corpus = readCorpus();
const messages = [...ODD_MESSAGES, ...(corpus ?? [])];

const directory = mkdtempSync(join(tmpdir(), 'hauspost-bytes-'));
const site = createSite(`[server]\nname = "${SERVER_NAME}"`);
t.teardown(async () => {
  await site.remove();
  rmSync(directory, { recursive: true, force: true });
});
const server = await site.serve();
const NOBODY = { address: '', password: '' };
const [account = NOBODY, box = NOBODY] = await addAccounts(site, ['in', 'smuggled']);
const { ports } = server;
t.setTimeout(600_000);

/** What IMAP served, in the order of delivery; held against the input by the second test and the measure of all others. */
let served: readonly Buffer[] = [];

t.test('the corpus is there', { skip: corpus === undefined && NO_CORPUS }, async (t) => {
  t.ok((corpus?.length ?? 0) > 0);
});

t.test('every message is taken in, in the clear and by STARTTLS', async (t) => {
  const plain = await RawSmtp.open(ports.smtp);
  const secure = await RawSmtp.open(ports.smtp, { startsTls: true });
  for (const [index, { name, octets }] of messages.entries()) {
    const session = index % 2 === 0 ? plain : secure;
    const reply = await session.deliver({ from: SENDER, to: [account.address] }, octets);
    t.match(reply.text, /^250 2\.0\.0 Queued as [0-9A-Z]{20}$/, name);
  }
  await plain.quit();
  await secure.quit();
});

t.test('raw IMAP gets our trace fields and then the very octets', async (t) => {
  const imap = await RawImap.open(ports.imap, account);
  t.equal(await imap.select(), messages.length);
  const fetched = await imap.fetch('1:*');
  await imap.logout();
  served = fetched.map(({ octets }) => octets);
  for (const [index, { name, octets }] of messages.entries()) {
    const carried = asSmtpCarries(octets);
    const message = fetched[index] ?? { octets: Buffer.alloc(0), size: -1 };
    const prefix = message.octets.subarray(0, message.octets.length - carried.length);
    t.ok(message.octets.subarray(prefix.length).equals(carried), `${name}: the octets`);
    t.match(prefix.toString('latin1'), TRACE_FIELDS, `${name}: the trace fields`);
    t.equal(message.size, message.octets.length, `${name}: RFC822.SIZE`);
  }
});

t.test('raw POP3 gets the same with CRLF line ends, and LIST tells that size', async (t) => {
  const pop3 = await RawPop3.open(ports.pop3, account);
  const sizes = await pop3.list();
  for (const [index, octets] of served.entries()) {
    const name = messages[index]?.name;
    const message = await pop3.retrieve(index + 1);
    t.ok(message.equals(asPop3Carries(octets)), `${name}: the octets`);
    t.equal(sizes.get(index + 1), message.length, `${name}: LIST`);
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  t.equal((await pop3.command('STAT')).split(' ').slice(0, 3).join(' '), `+OK ${messages.length} ${total}`);
  await pop3.quit();
});

t.test('APPEND keeps messages that SMTP cannot carry, without a final line end', async (t) => {
  const imap = await RawImap.open(ports.imap, account);
  await imap.command('CREATE Copies');
  const uids = new Map<number, Buffer>();
  for (const { octets } of messages.filter(({ octets }) => octets.length > 0 && !octets.includes(0))) {
    uids.set(await imap.append('Copies', octets), octets);
  }
  await imap.select('Copies');
  const fetched = await imap.fetch('1:*');
  t.equal(fetched.length, uids.size);
  for (const { uid, octets } of fetched) t.ok(uids.get(uid)?.equals(octets), `UID ${uid}`);
  await imap.logout();
});

t.test('only CRLF.CRLF ends a message: what others take for its end is part of it', async (t) => {
  const forms = [
    '\n.\n',
    '\n.\r\n',
    '\n.\r',
    '\r.\r',
    '\r.\n',
    '\r.\r\n',
    '\r\n.\n',
    '\r\n.\rx',
    '\n\r\n.\r\r\n',
  ];
  const command = `MAIL FROM:<evil@example.org>\r\nRCPT TO:<${box.address}>\r\nDATA\r\n`;
  const data = forms.map((form) => `text${form}${command}`).join('');
  const session = await RawSmtp.open(ports.smtp);
  await session.beginData({ from: SENDER, to: [box.address] });
  await session.socket.write(`${data}.\r\nNOOP\r\n`);
  t.match((await session.readReply()).text, /^250 2\.0\.0 Queued as /);
  t.match((await session.readReply()).text, /^250 2\.0\.0 (?!Queued)/, 'NOOP is the next command');
  await session.quit();
  const imap = await RawImap.open(ports.imap, box);
  t.equal(await imap.select(), 1);
  const [message] = await imap.fetch('1');
  // RFC 5321 section 4.5.2: a dot behind CRLF is taken off, whatever follows but CRLF.
  const kept = Buffer.from(data.replace(/\r\n\./g, '\r\n'));
  t.ok(message?.octets.subarray(-kept.length).equals(kept));
  await imap.logout();
});

for (const client of REAL_CLIENTS) {
  const key = `${client.name} ${client.protocol}`;
  const { changes = [], undo, loses = {} } = CLIENT_CHANGES[key] ?? {};
  const title =
    changes.length === 0 && client.name !== 'getmail'
      ? `${client.name} gets every octet by ${client.protocol}`
      : `${client.name} gets by ${client.protocol} what its own changes make of every message`;
  peerTest(t, client.programs, title, async (t) => {
    const fetched = await client.fetch({ ...account, ports, count: messages.length, directory });
    const carried = served.map((octets) => (client.protocol === 'pop3' ? asPop3Carries(octets) : octets));
    const foretold = client.name === 'getmail' ? await foretellGetmail(carried, client.protocol) : undefined;
    for (const [index, octets] of carried.entries()) {
      const { name } = messages[index] ?? { name: 'none' };
      if (loses[name] !== undefined) continue;
      const text = changes.reduce((octets, change) => change.apply(octets), octets.toString('latin1'));
      const wanted = foretold?.get(traceIdOf(octets))?.toString('latin1') ?? text;
      const got = fetched.get(traceIdOf(octets))?.toString('latin1');
      const compared = got === undefined ? 'not fetched' : (undo?.apply(got) ?? got);
      if (compared !== wanted) t.fail(`${name}: ${describeDifference(wanted, compared)}`);
    }
    t.ok(fetched.size >= messages.length - Object.keys(loses).length, 'all messages were compared');
  });
}

t.test('the server ends as if nothing odd had happened', async (t) => {
  const { exitCode, stdout, stderr } = await server.stop();
  t.equal(exitCode, 0);
  t.notMatch(stdout.toString(), /"level":"(error|warn)"/);
  t.notMatch(stderr.toString(), /error|warning|^ +at /im);
});

const TRACE_FIELDS = new RegExp(
  `^Return-Path: <${SENDER}>\\r\\nReceived: from ${CLIENT_NAME} \\(\\[127\\.0\\.0\\.1\\]\\) by ${SERVER_NAME}` +
    '(?:\\r\\n)? with ESMTP(?:S id [0-9A-Z]{20} \\(TLSv1\\.3 \\w+\\)|\\r\\n id [0-9A-Z]{20})(?:\\r\\n)? ' +
    'for <in@app\\.example\\.com>;\\r\\n [A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} [\\d:]{8} [+-]\\d{4}\\r\\n$',
);

/** RFC 1939 section 3 as this house reads it: every line end as CRLF, and one at the end. */
function asPop3Carries(octets: Buffer): Buffer {
  const text = octets.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n');
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
}

/**
 * getmail parses every message with Python's email package and writes it anew (message.py, flatten(); its FAQ tells of the
 * fields that it adds): what it must have written is what its own code makes of the octets.
 */
async function foretellGetmail(octets: readonly Buffer[], protocol: 'pop3' | 'imap'): Promise<Fetched> {
  const place = mkdtempSync(join(directory, 'getmail-'));
  const [given, made] = [join(place, 'given'), join(place, 'made')];
  for (const each of [given, made]) mkdirSync(each);
  for (const [index, message] of octets.entries()) writeFileSync(join(given, String(index)), message);
  const result = await runProgram('/usr/bin/python3', ['-c', GETMAIL, protocol, given, made]);
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  return readMessages(made);
}

const GETMAIL = `
import os, sys
from getmailcore.message import Message
protocol, given, made = sys.argv[1:]
for name in os.listdir(given):
    octets = open(os.path.join(given, name), 'rb').read()
    if protocol == 'pop3':
        message = Message(fromlines=octets.split(b'\\r\\n')[:-1] + [b''])
    else:
        message = Message(fromstring=octets)
        message.add_header('X-getmail-retrieved-from-mailbox', 'INBOX')
    open(os.path.join(made, name), 'wb').write(message.flatten(False, False))
`;

function describeDifference(wanted: string, got: string): string {
  let at = 0;
  while (at < wanted.length && wanted[at] === got[at]) at += 1;
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 20), at + 40));
  return `at octet ${at} of ${wanted.length}: wanted ${around(wanted)}, got ${around(got)} of ${got.length}`;
}

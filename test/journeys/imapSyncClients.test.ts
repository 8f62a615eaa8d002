/**
 * Programs that keep two copies of an account alike, run again and again while both sides change: offlineimap3 with a Maildir,
 * interimap with a private Dovecot on the other side (by QRESYNC, and it stops at anything that does not add up).
 */

import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import t from 'tap';
import type { Test } from 'tap';

import { FLAG } from '../../src/store/contract/mailboxes.ts';
import type { FlagOperation, MailboxName } from '../../src/store/contract/mailboxes.ts';
import { ADDRESS, openImapSite } from '../imapd/harness.ts';
import type { ImapSite } from '../imapd/harness.ts';
import { openDovecot } from '../support/dovecot.ts';
import { peerTest, runProgram } from '../support/peers.ts';

t.setTimeout(300_000);

/** How Maildir writes flags into file names, in the order that it wants. */
const MAILDIR_FLAGS = [
  ['D', FLAG.draft],
  ['F', FLAG.flagged],
  ['R', FLAG.answered],
  ['S', FLAG.seen],
  ['T', FLAG.deleted],
] as const;

function message(id: string, size = 1): string {
  return `From: a@example.org\r\nSubject: message ${id}\r\nMessage-ID: <${id}@x>\r\n\r\n${`body ${id}\r\n`.repeat(size)}`;
}

function directoryOf(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-sync-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What a copy holds: `id flags body`, with flags as Maildir has them, sorted. A client may add fields. */
function describe(octets: string, flags: string): string {
  const id = /^Message-ID: <(.*?)@x>/m.exec(octets)?.[1];
  const body = octets.replaceAll('\r\n', '\n').replace(/^.*?\n\n/s, '');
  return `${id} ${flags} ${JSON.stringify(body)}`;
}

async function onServer({ store, account }: ImapSite, name: MailboxName): Promise<string[]> {
  const mailbox = await store.mailboxes.find(account.id, name);
  if (mailbox === undefined) return [];
  const found: string[] = [];
  for await (const entries of store.mailboxes.entries(mailbox.id, { first: 1, last: 0xffff_ffff })) {
    for (const { contentId, flags } of entries) {
      const content = await store.contents.open(contentId);
      const pieces: Buffer[] = [];
      for await (const piece of content.read(0, content.octets)) pieces.push(piece);
      const letters = MAILDIR_FLAGS.filter(([, bit]) => (flags.system & bit) !== 0).map(([letter]) => letter);
      found.push(describe(Buffer.concat(pieces).toString('latin1'), letters.join('')));
    }
  }
  return found.sort();
}

function inMaildir(directory: string): string[] {
  const files = ['cur', 'new'].flatMap((part) =>
    readdirSync(join(directory, part)).map((name) => join(directory, part, name)),
  );
  return files
    .map((file) => describe(readFileSync(file, 'latin1'), /:2,([A-Z]*)/.exec(file)?.[1] ?? ''))
    .sort();
}

/** Changes flags of the messages with these UIDs, as another client would. */
async function setFlags(site: ImapSite, uids: readonly number[], operation: FlagOperation, bits: number) {
  const inbox = await site.store.mailboxes.find(site.account.id, ['INBOX']);
  if (inbox === undefined) throw new Error('no INBOX');
  const ranges = uids.map((uid) => ({ first: uid, last: uid }));
  await site.store.mailboxes.setFlags(inbox.id, ranges, operation, { system: bits, keywords: [] });
}

async function expunge(site: ImapSite, uids: readonly number[]): Promise<void> {
  const inbox = await site.store.mailboxes.find(site.account.id, ['INBOX']);
  if (inbox === undefined) throw new Error('no INBOX');
  const ranges = uids.map((uid) => ({ first: uid, last: uid }));
  await site.store.mailboxes.expunge(inbox.id, ranges, false);
}

/** The file of message `id` in a Maildir. */
function fileOf(directory: string, id: string): string {
  for (const part of ['cur', 'new']) {
    for (const name of readdirSync(join(directory, part))) {
      const file = join(directory, part, name);
      if (readFileSync(file, 'latin1').includes(`Message-ID: <${id}@x>`)) return file;
    }
  }
  throw new Error(`no message ${id} in ${directory}`);
}

/** Gives a file of a Maildir these flags. */
function flagFile(directory: string, id: string, flags: string): void {
  const file = fileOf(directory, id);
  const name = file.replace(/^.*\//, '').replace(/:2,.*$/, '');
  renameSync(file, join(directory, 'cur', `${name}:2,${flags}`));
}

peerTest(t, ['offlineimap'], 'offlineimap3 and the server agree, whoever changes what', async (t) => {
  const site = await openImapSite(t);
  const directory = directoryOf(t);
  const mail = join(directory, 'mail');
  const lines = [
    '[general]',
    'accounts = a',
    `metadata = ${directory}/metadata`,
    'socktimeout = 120',
    '[Account a]',
    'localrepository = near',
    'remoterepository = far',
    '[Repository near]',
    'type = Maildir',
    `localfolders = ${mail}`,
    'sep = /',
    '[Repository far]',
    'type = IMAP',
    'remotehost = 127.0.0.1',
    `remoteport = ${site.port}`,
    `remoteuser = ${ADDRESS}`,
    'remotepass = secret',
    'ssl = no',
    'starttls = no',
  ];
  writeFileSync(join(directory, 'rc'), lines.join('\n'));
  const sync = async () => {
    const result = await runProgram('offlineimap', ['-c', join(directory, 'rc'), '-o', '-u', 'quiet'], {
      env: { HOME: directory },
      deadlineMs: 240_000,
    });
    t.equal(result.exitCode, 0, 'offlineimap ends well', {
      said: result.stdout.toString() + result.stderr.toString(),
    });
  };
  const agree = async (count: number, what: string) => {
    await sync();
    const far = await onServer(site, ['INBOX']);
    t.same(inMaildir(join(mail, 'INBOX')), far, what);
    t.equal(far.length, count);
  };
  await site.put(['INBOX'], ...Array.from({ length: 9 }, (_, index) => message(`m${index}`, index * 50)));
  await agree(9, 'at first');
  await setFlags(site, [1, 2], 'add', FLAG.seen | FLAG.flagged);
  await expunge(site, [3, 4]);
  await site.put(['INBOX'], message('late'));
  flagFile(join(mail, 'INBOX'), 'm5', 'RS');
  rmSync(fileOf(join(mail, 'INBOX'), 'm6'));
  writeFileSync(join(mail, 'INBOX', 'new', '1.1.host'), message('near').replaceAll('\r\n', '\n'));
  await agree(8, 'after changes on both sides');
  await setFlags(site, [1], 'remove', FLAG.flagged);
  const work = await site.store.mailboxes.create(site.account.id, ['Work', 'Bücher']);
  await site.put(work.name, message('b1'), message('b2'));
  await agree(8, 'after a flag was taken away');
  t.same(inMaildir(join(mail, 'Work/B&APw-cher')), await onServer(site, work.name));
});

peerTest(t, ['interimap', 'dovecot'], 'interimap and Dovecot agree with the server by QRESYNC', async (t) => {
  const site = await openImapSite(t);
  const directory = directoryOf(t);
  const { command, maildir } = openDovecot(t);
  const lines = [
    `database = ${directory}/state.db`,
    '[local]',
    'type = tunnel',
    `command = ${command}`,
    '[remote]',
    'type = imap',
    'host = 127.0.0.1',
    `port = ${site.port}`,
    `username = ${ADDRESS}`,
    'password = secret',
    'STARTTLS = NO',
  ];
  const config = join(directory, 'interimap.conf');
  writeFileSync(config, lines.join('\n'), { mode: 0o600 });
  const sync = async () => {
    const result = await runProgram('interimap', ['--config', config], {
      env: { HOME: directory, XDG_DATA_HOME: directory },
      deadlineMs: 240_000,
    });
    const said = result.stdout.toString() + result.stderr.toString();
    t.equal(result.exitCode, 0, 'interimap ends well', { said });
    t.notMatch(said, /WARNING|ERROR|BUG|Panic/i);
  };
  const agree = async (count: number, what: string) => {
    await sync();
    const far = await onServer(site, ['INBOX']);
    t.same(inMaildir(maildir), far, what);
    t.equal(far.length, count);
  };
  await site.put(['INBOX'], ...Array.from({ length: 40 }, (_, index) => message(`m${index}`, index)));
  await agree(40, 'at first');
  await setFlags(site, [1, 2, 3, 5, 8], 'add', FLAG.seen | FLAG.answered);
  await expunge(site, [10, 11, 12, 30, 40]);
  await site.put(['INBOX'], message('late'));
  flagFile(maildir, 'm20', 'FS');
  flagFile(maildir, 'm21', 'F');
  rmSync(fileOf(maildir, 'm22'));
  writeFileSync(join(maildir, 'new', '1.1.host'), message('near').replaceAll('\r\n', '\n'));
  await agree(36, 'after changes on both sides');
  await setFlags(site, [21], 'remove', FLAG.flagged);
  const work = await site.store.mailboxes.create(site.account.id, ['Work', 'Bücher']);
  await site.put(work.name, message('b1'));
  await agree(36, 'after a flag was taken away, with a new mailbox');
  t.same(inMaildir(join(maildir, '.Work.B&APw-cher')), await onServer(site, work.name));
  await expunge(site, [1, 2, 3]);
  await sync();
  await agree(33, 'twice in a row');
});

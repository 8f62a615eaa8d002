/**
 * A private Dovecot that says what it makes of messages and commands: its imap program alone, logged in beforehand, on pipes.
 *
 * No listener and no other process: the messages are put into a Maildir in a temporary directory, and the program is asked by
 * standard input. Differences are told as lines that a test can hold against a list of those that are meant.
 */

import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';

import type { Test } from 'tap';

import { findProgram, peerEnvironment, runProgram } from './peers.ts';

/** Dovecot's imap program where Debian puts it. */
export const DOVECOT_IMAP = '/usr/lib/dovecot/imap';

/** A value of an IMAP response: a string or atom (octets), NIL, or a list. */
export type ImapValue = string | null | readonly ImapValue[];

/** As every account of ours has them. */
const AUTOMATIC_MAILBOXES = ['INBOX', 'Drafts', 'Junk', 'Sent', 'Trash'].map((name) => {
  return [name, name === 'INBOX' ? '' : `    special_use = \\${name}\n`] as const;
});

const NOBODY = { uid: 65_534, gid: 65_534 };

/** What Dovecot answers to FETCH of each of `items` (`BODYSTRUCTURE`, say): for each item a value for each message, in their orders. */
export async function askDovecot(
  messages: readonly Uint8Array[],
  items: readonly string[],
): Promise<ImapValue[][]> {
  const home = mkdtempSync(join(tmpdir(), 'dovecot-'));
  try {
    const config = fillHome(home, messages);
    const fetches = items.map((item) => `b FETCH 1:* (${item})\r\n`).join('');
    const stdin = `a SELECT INBOX\r\n${fetches}c LOGOUT\r\n`;
    const env = { USER: 'test', HOME: home };
    const [program = '', ...args] = asNobody(config);
    const { stdout, stderr } = await runProgram(program, args, { stdin, env });
    const answers = parseFetches(stdout.toString('latin1'));
    return items.map((item) =>
      messages.map((_, index) => {
        const value = answers.get(answerKey(index + 1, item));
        if (value === undefined) throw new Error(`no ${item} of message ${index + 1}: ${stderr}`);
        return value;
      }),
    );
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** A private Dovecot with which sessions can be held. */
export interface DovecotServer {
  /** A new session, logged in; its greeting is PREAUTH. */
  connect(): Duplex;
  /** The shell command that is such a session on its standard streams. */
  readonly command: string;
  /** The Maildir of INBOX; `Work` is its `.Work`. */
  readonly maildir: string;
  /** Puts a message into a mailbox (`INBOX`, `Work`), unseen, behind Dovecot's back. */
  put(mailbox: string, octets: Uint8Array): void;
}

/** Opens one whose INBOX has `messages`; it and all sessions go when the test ends. */
export function openDovecot(t: Test, messages: readonly Uint8Array[] = []): DovecotServer {
  const home = mkdtempSync(join(tmpdir(), 'dovecot-'));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const config = fillHome(home, messages);
  let count = messages.length;
  return {
    connect: () => connectSession(t, home, config),
    command: `env USER=test HOME=${home} ${asNobody(config).join(' ')}`,
    maildir: join(home, 'mail'),
    put(mailbox, octets) {
      const folder = join(home, 'mail', mailbox === 'INBOX' ? '' : `.${mailbox.replaceAll('/', '.')}`);
      makeMaildir(folder);
      count += 1;
      const path = join(folder, 'new', fileName(count));
      writeFileSync(path, octets, { mode: 0o644 });
      ownedByNobody(path);
    },
  };
}

function connectSession(t: Test, home: string, config: string): Duplex {
  const env = { ...peerEnvironment(), USER: 'test', HOME: home };
  const [program = '', ...args] = asNobody(config);
  const child = spawn(program, args, { env, cwd: home });
  const session = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.on('error', (error) => session.destroy(error));
  child.stdin.on('error', () => {});
  const killChild = () => child.kill('SIGKILL');
  process.once('exit', killChild);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      process.removeListener('exit', killChild);
      resolve();
    });
  });
  t.teardown(async () => {
    killChild();
    await ended;
  });
  return session;
}

/** Dovecot's program and its arguments; it does not serve root. */
function asNobody(config: string): readonly string[] {
  const imap = [DOVECOT_IMAP, '-c', config];
  if (process.getuid?.() !== 0) return imap;
  const drop = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
  return [findProgram('setpriv') ?? 'setpriv', ...drop, ...imap];
}

function fileName(count: number): string {
  return `${1_000_000 + count}.M.host`;
}

function makeMaildir(path: string): void {
  if (existsSync(join(path, 'cur'))) return;
  for (const folder of ['', 'cur', 'new', 'tmp']) {
    mkdirSync(join(path, folder), { recursive: true });
    ownedByNobody(join(path, folder));
  }
}

function ownedByNobody(path: string): void {
  if (process.getuid?.() === 0) chownSync(path, NOBODY.uid, NOBODY.gid);
}

function fillHome(home: string, messages: readonly Uint8Array[]): string {
  for (const folder of ['', 'run']) {
    mkdirSync(join(home, folder), { recursive: true });
    ownedByNobody(join(home, folder));
  }
  makeMaildir(join(home, 'mail'));
  const arrivedAt = new Date();
  messages.forEach((message, index) => {
    const path = join(home, 'mail/cur', `${fileName(index)}:2,S`);
    writeFileSync(path, message, { mode: 0o644 });
    // Dovecot's INTERNALDATE. All have the same, so that no order depends on where a second ended.
    utimesSync(path, arrivedAt, arrivedAt);
  });
  const config = join(home, 'dovecot.conf');
  const lines = [
    `base_dir = ${join(home, 'run')}`,
    `log_path = ${join(home, 'run/log')}`,
    `mail_location = maildir:${join(home, 'mail')}`,
    'ssl = no',
    'first_valid_uid = 0',
    // Octets stay as they are appended, for comparison's sake.
    'mail_save_crlf = yes',
    'namespace inbox {',
    '  inbox = yes',
    '  separator = /',
    ...AUTOMATIC_MAILBOXES.map(([name, use]) => `  mailbox ${name} {\n    auto = subscribe\n${use}  }`),
    '}',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o644 });
  return config;
}

function answerKey(sequenceNumber: number, item: string): string {
  return `${sequenceNumber} ${item.replace('.PEEK', '')}`;
}

/** The values of all FETCH responses of one item; Dovecot answers FETCH commands out of their order when the pipe is full. */
function parseFetches(transcript: string): Map<string, ImapValue> {
  const values = new Map<string, ImapValue>();
  const start = /^\* (\d+) FETCH \(([A-Z0-9]+(?:\[[^\]]*\])?(?:<\d+>)?) /gm;
  for (let match = start.exec(transcript); match !== null; match = start.exec(transcript)) {
    const reader = { text: transcript, at: start.lastIndex };
    values.set(answerKey(Number(match[1]), match[2] ?? ''), readValue(reader));
    start.lastIndex = reader.at;
  }
  return values;
}

/** A FETCH response's items by name (`BODY[1.MIME]<0>`; field names in upper case) and its message's number; undefined for another response. */
export function parseFetchItems(
  response: string,
): { readonly number: number; readonly items: ReadonlyMap<string, ImapValue> } | undefined {
  const start = /^\* (\d+) FETCH \(/.exec(response);
  if (start === null) return undefined;
  const items = new Map<string, ImapValue>();
  const reader = { text: response, at: start[0].length };
  const name = /([A-Z0-9.]+(?:\[[^\]]*\])?(?:<\d+>)?) /iy;
  while (response[reader.at] !== ')') {
    if (response[reader.at] === ' ') reader.at += 1;
    name.lastIndex = reader.at;
    const match = name.exec(response);
    if (match === null) throw new Error(`no item at ${response.slice(reader.at, reader.at + 40)}`);
    reader.at = name.lastIndex;
    items.set((match[1] ?? '').toUpperCase(), readValue(reader));
  }
  return { number: Number(start[1]), items };
}

/** The value that `text` begins with: a list, a quoted string, a literal, NIL or an atom. */
export function parseImapValue(text: string): ImapValue {
  return readValue({ text, at: 0 });
}

const LITERAL = /~?\{(\d+)\}\r\n/y;
const PLAIN = /"((?:[^"\\]|\\.)*)"|[^ ()"]+/y;

function readValue(reader: { readonly text: string; at: number }): ImapValue {
  const { text, at } = reader;
  if (text[at] === '(') {
    reader.at += 1;
    const list: ImapValue[] = [];
    while (text[reader.at] !== ')') {
      if (reader.at >= text.length) throw new Error('a list without end');
      if (text[reader.at] === ' ') reader.at += 1;
      else list.push(readValue(reader));
    }
    reader.at += 1;
    return list;
  }
  LITERAL.lastIndex = at;
  const literal = LITERAL.exec(text);
  if (literal !== null) {
    const start = LITERAL.lastIndex;
    reader.at = start + Number(literal[1]);
    return text.slice(start, reader.at);
  }
  PLAIN.lastIndex = at;
  const plain = PLAIN.exec(text);
  if (plain === null) throw new Error(`no value at ${text.slice(at, at + 20)}`);
  reader.at += plain[0].length;
  if (plain[1] !== undefined) return plain[1].replace(/\\(.)/g, '$1');
  return plain[0] === 'NIL' ? null : plain[0];
}

/**
 * How two values differ, one line for each difference: `path: theirs | ours`. Case doesn't count (media types, encodings,
 * parameter names), nor how much space stands between words (Dovecot makes it one), nor its words for missing parts of an address.
 */
export function differences(theirs: ImapValue, ours: ImapValue, path = ''): string[] {
  if (!Array.isArray(theirs) || !Array.isArray(ours)) {
    const [left, right] = [plainText(theirs), plainText(ours)];
    return left === right ? [] : [`${path || '.'}: ${left.slice(0, 100)} | ${right.slice(0, 100)}`];
  }
  const found: string[] = [];
  for (let index = 0; index < Math.max(theirs.length, ours.length); index += 1) {
    found.push(...differences(theirs[index] ?? null, ours[index] ?? null, `${path}/${index + 1}`));
  }
  return found;
}

function plainText(value: ImapValue): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const text = value.replace(/[ \t]+/g, ' ').toLowerCase();
  return JSON.stringify(/^(missing_mailbox|missing_domain)$/.test(text) ? '' : text.trim());
}

/**
 * Planted violations: for every rule, bad files that exist nowhere and must be flagged, and good ones that must not be.
 *
 * A rule that has never flagged anything proves nothing. Each bad sample must break its own rule and no other, so that a
 * person who breaks one rule is told of one.
 */

import type { TextFile } from './source.ts';

/** Files that break exactly `rule`. */
export interface Planted {
  readonly rule: string;
  /** What is wrong with them, as the test's name. */
  readonly because: string;
  readonly files: readonly TextFile[];
}

const HEAD = '/**\n * What this file is.\n */\n\n';

function source(path: string, code: string): TextFile {
  return { path, text: `${HEAD}${code}\n` };
}

function readme(room: string, lines = 3): TextFile {
  return { path: `src/${room}/README.md`, text: 'line\n'.repeat(lines) };
}

function inRoom(room: string, code: string, name = 'planted.ts'): readonly TextFile[] {
  return [source(`src/${room}/${name}`, code), readme(room)];
}

function plant(
  rule: string,
  because: string,
  ...files: readonly (TextFile | readonly TextFile[])[]
): Planted {
  return { rule, because, files: files.flat() };
}

const ROOM_IMPORTS = 'a room imports only what the design allows';
const PACKAGES = 'a package is imported only by its room';
const FORMS = 'an import names its file in full';
const ORDER = 'imports stand in order: node, packages, rooms low to high';
const CIRCLE = 'no file imports itself in a circle';
const AMBIENT = 'clock, timers, console and standard streams only in base and main';
const WIRE = 'wire is pure';
const SQL = 'SQL only in store';
const CONSTRUCTS = 'no enum, namespace, parameter property, decorator, default export';
const HEADS = 'a file opens with a comment of 3 to 8 lines';
const DOCSTRINGS = 'every export has a docstring';
const NAMES = 'a file is named for what is inside';
const README = 'every room has a README of at most 40 lines';
const MACHINE = 'no path of a developer’s machine';
const REMINDER = 'no TODO or FIXME without a reason';

const MANIFEST: TextFile = {
  path: 'package.json',
  text: '{"dependencies":{"pino":"1"},"devDependencies":{"tap":"1"}}',
};

/** At least one sample for every rule. */
export const PLANTED: readonly Planted[] = [
  plant('every TypeScript file parses', 'a torn one', inRoom('base', 'const {'), source('src/base/a.ts', '')),
  plant(
    ROOM_IMPORTS,
    'a lower layer knows a higher one',
    inRoom('base', "import { a } from '../wire/a.ts';"),
  ),
  plant(ROOM_IMPORTS, 'two rooms of a layer meet', inRoom('pop3d', "import { a } from '../imapd/a.ts';")),
  plant(ROOM_IMPORTS, 'a type import counts', inRoom('net', "import type { A } from '../store/a.ts';")),
  plant(ROOM_IMPORTS, 'an import() counts', inRoom('pickup', "void import('../store/a.ts');")),
  plant(ROOM_IMPORTS, 'an import in a type counts', inRoom('net', "type A = import('../store/a.ts').A;")),
  plant(ROOM_IMPORTS, 'an export from counts', inRoom('smtpd', "export { a } from '../store/a.ts';")),
  plant(
    ROOM_IMPORTS,
    'the file of a worker counts',
    inRoom('net', "new URL('../store/a.ts', import.meta.url);"),
  ),
  plant(
    ROOM_IMPORTS,
    'store knows more of wire than mime',
    inRoom('store', "import { a } from '../wire/imap/a.ts';"),
  ),
  plant(ROOM_IMPORTS, 'config knows a room by value', inRoom('config', "import { a } from '../smtpd/a.ts';")),
  plant(
    ROOM_IMPORTS,
    'a room below admin knows config',
    inRoom('pop3d', "import type { A } from '../config/a.ts';"),
  ),
  plant(ROOM_IMPORTS, 'admin and demo meet', inRoom('demo', "import { a } from '../admin/a.ts';")),
  plant(ROOM_IMPORTS, 'a room knows main', inRoom('admin', "import { a } from '../main.ts';")),
  plant(ROOM_IMPORTS, 'src knows test', inRoom('base', "import { a } from '../../test/support/a.ts';")),
  plant(ROOM_IMPORTS, 'a room that the design does not have', source('src/sundry/a.ts', '')),
  plant(PACKAGES, "another room's package", inRoom('imapd', "import { z } from 'zod';")),
  plant(PACKAGES, 'only its type', inRoom('transfer', "import type { Logger } from 'pino';")),
  plant(PACKAGES, 'a file inside a package', inRoom('smtpd', "import { a } from 'nodemailer/lib/a.js';")),
  plant(PACKAGES, 'a package with a scope', inRoom('store', "import { a } from '@peculiar/x509';")),
  plant(
    'an imported package is a dependency of our own',
    'it is there only because another package needs it',
    MANIFEST,
    source('bench/a.ts', "import { a } from 'undici';"),
  ),
  plant(
    'an imported package is a dependency of our own',
    'src imports what only developers install',
    MANIFEST,
    inRoom('search', "import { a } from 'mailparser';"),
  ),
  plant(FORMS, 'no extension', inRoom('base', "import { a } from './a';")),
  plant(FORMS, 'the extension of a compiled file', inRoom('base', "import { a } from './a.js';")),
  plant(FORMS, 'a computed path', inRoom('base', 'void import(globalPath);')),
  plant(
    ORDER,
    'a package before node',
    inRoom('base', "import { pino } from 'pino';\nimport { a } from 'node:fs';"),
  ),
  plant(
    ORDER,
    'a high room before a low one',
    inRoom('imapd', "import { a } from '../store/a.ts';\nimport { b } from '../base/b.ts';"),
  ),
  plant(
    CIRCLE,
    'three files, one by its type',
    inRoom('base', "import { b } from './b.ts';", 'a.ts'),
    source('src/base/b.ts', "import type { C } from './c.ts';"),
    source('src/base/c.ts', "import { a } from './a.ts';"),
  ),
  plant(CIRCLE, 'a file that imports itself', inRoom('base', "import { b } from './planted.ts';")),
  plant(AMBIENT, 'the calendar', inRoom('store', 'const at = Date.now();')),
  plant(AMBIENT, 'the calendar by another way', inRoom('store', 'const at = new Date();')),
  plant(AMBIENT, 'a timer', inRoom('pop3d', 'setTimeout(() => {}, 5);')),
  plant(AMBIENT, 'a timer under another name', inRoom('pop3d', 'const later = setInterval;')),
  plant(AMBIENT, 'a timer by globalThis', inRoom('pop3d', 'globalThis.setTimeout(() => {}, 5);')),
  plant(AMBIENT, 'a timer by a signal', inRoom('outbound', 'AbortSignal.timeout(5);')),
  plant(
    AMBIENT,
    'timers as promises',
    inRoom('net', "import { setTimeout as later } from 'node:timers/promises';"),
  ),
  plant(AMBIENT, 'the console', inRoom('admin', "console.error('x');")),
  plant(AMBIENT, 'the standard output', inRoom('demo', "process.stdout.write('x');")),
  plant(AMBIENT, 'a shorthand property', inRoom('net', 'const timers = { setTimeout };')),
  plant(WIRE, 'a module of I/O', inRoom('wire', "import { readFileSync } from 'node:fs';")),
  plant(WIRE, 'its type', inRoom('wire', "import type { Readable } from 'node:stream';")),
  plant(WIRE, 'randomness', inRoom('wire', "import { randomBytes } from 'node:crypto';")),
  plant(WIRE, 'randomness without an import', inRoom('wire', 'const a = Math.random();')),
  plant(WIRE, 'everything of a module', inRoom('wire', "import * as crypto from 'node:crypto';")),
  plant(WIRE, 'an async function', inRoom('wire', 'async function a() {}')),
  plant(WIRE, 'an async method', inRoom('wire', 'class A { async a() {} }')),
  plant(WIRE, 'a promise', inRoom('wire', 'function a(): Promise<void> | undefined { return undefined; }')),
  plant(WIRE, 'a wait', inRoom('wire', 'const a = await b;')),
  plant(WIRE, 'the clock', inRoom('wire', "import { systemClock } from '../base/clock.ts';")),
  plant(WIRE, 'the log', inRoom('wire', "import { silentLog } from '../base/log.ts';")),
  plant(SQL, 'a query', inRoom('imapd', "const a = 'SELECT uid FROM entry WHERE id = ?';")),
  plant(SQL, 'a template', inRoom('accounts', 'const a = (table: string) => `DELETE FROM $' + '{table}`;')),
  plant(SQL, 'small letters', inRoom('admin', "const a = 'select uid from entry';")),
  plant(SQL, 'a pragma', inRoom('admin', "const a = 'PRAGMA wal_checkpoint';")),
  plant(SQL, 'a file', inRoom('search', ''), { path: 'src/search/schema.sql', text: 'CREATE TABLE a (b)' }),
  plant(SQL, 'another database', inRoom('migrate', "import { DatabaseSync } from 'node:sqlite';")),
  plant('a file keeps to its size', 'too many lines', inRoom('base', '\n'.repeat(400))),
  plant(
    'a function keeps to its size',
    'an arrow function',
    inRoom('base', `const a = () => {${'\n'.repeat(80)}};`),
  ),
  plant('a function keeps to its size', 'a method', inRoom('base', `class A { a() {${'\n'.repeat(80)}} }`)),
  plant(NAMES, 'a barrel', inRoom('base', '', 'index.ts')),
  plant(NAMES, 'a drawer', inRoom('base', '', 'Utils.ts')),
  plant(NAMES, 'a directory as a drawer', inRoom('base', '', 'helpers/dates.ts')),
  plant(CONSTRUCTS, 'a default export', inRoom('base', '/** A. */\nexport default function a() {}')),
  plant(CONSTRUCTS, 'an enum', inRoom('base', 'enum A { b }')),
  plant(CONSTRUCTS, 'a namespace', inRoom('base', 'namespace A { const b = 1; }')),
  plant(CONSTRUCTS, 'a parameter property', inRoom('base', 'class A { constructor(readonly a: 1) {} }')),
  plant('no variable at the top of a module', 'a counter', inRoom('base', 'let counter = 0;')),
  plant(HEADS, 'no comment', { path: 'src/base/a.ts', text: 'const a = 1;\n' }, readme('base')),
  plant(HEADS, 'one line', { path: 'bench/a.ts', text: '// What it is.\n\nconst a = 1;\n' }),
  plant(HEADS, 'an essay', {
    path: 'bench/a.ts',
    text: `/**\n${' * word\n'.repeat(9)} */\n\nconst a = 1;\n`,
  }),
  plant(HEADS, 'no empty line below', { path: 'bench/a.ts', text: '/**\n * What.\n */\nconst a = 1;\n' }),
  plant(DOCSTRINGS, 'a function', inRoom('base', 'export function a() {}')),
  plant(DOCSTRINGS, 'a type', inRoom('base', 'export type A = 1;')),
  plant(
    DOCSTRINGS,
    'a type that is not made from the table above it',
    inRoom('base', '/** A. */\nexport const A = [1] as const;\nexport type B = 1;'),
  ),
  plant(DOCSTRINGS, 'a comment that is none', inRoom('base', '// A.\nexport const a = 1;')),
  plant(DOCSTRINGS, 'a list of exports', inRoom('base', 'const a = 1;\nexport { a };')),
  plant(REMINDER, 'a bare one', inRoom('base', `// ${'TO'}DO\nconst a = 1;`)),
  plant(REMINDER, 'one without a reason', inRoom('base', `// ${'FIX'}ME: later\nconst a = 1;`)),
  plant(README, 'it is missing', source('src/base/a.ts', '')),
  plant(README, 'it is too long', source('src/base/a.ts', ''), readme('base', 41)),
  plant('src holds nothing outside the rooms', 'a loose file', { path: 'src/notes.md', text: 'x' }),
  plant(MACHINE, 'a script', { path: 'deploy/a.sh', text: `cd ${['', 'work', 'main'].join('/')}\n` }),
  plant('the lock file names no registry', 'an address', {
    path: 'package-lock.json',
    text: '{"resolved": "https://example.com/a.tgz"}',
  }),
];

/** A small house that keeps every rule, with what comes close to breaking one. */
export const CLEAN: readonly TextFile[] = [
  MANIFEST,
  readme('base', 40),
  source(
    'src/base/log.ts',
    "import { pino } from 'pino';\n\n/** The time. */\nexport const now = () => Date.now() + pino.a;",
  ),
  source(
    'src/base/clock.ts',
    '/** A time. */\nexport type UnixMs = number;\n/** A time. */\nexport const unixMs = (a: number): UnixMs => a;',
  ),
  source(
    'src/base/level.ts',
    '/** Levels. */\nexport const LEVELS = [1] as const;\nexport type Level = (typeof LEVELS)[number];',
  ),
  readme('wire'),
  source(
    'src/wire/mime/date.ts',
    `import { createHash } from 'node:crypto';
import { type UnixMs, unixMs } from '../../base/clock.ts';

/** Where \`Date\` and a name like console are harmless. */
export function formatDate(at: UnixMs, names: { readonly console: string; readonly setTimeout: string }): string {
  const hash = createHash('sha256').update(names.console).digest('hex');
  return new Date(Date.UTC(unixMs(at))).toISOString() + hash + names.setTimeout;
}`,
  ),
  readme('store'),
  source(
    'src/store/rows.ts',
    `import type { UnixMs } from '../base/clock.ts';
import { formatDate } from '../wire/mime/date.ts';

const FIND = 'SELECT uid FROM entry';

// ${'TO'}DO(issue 7): read it in slices once the reader thread exists.
/** A row. */
export interface Row { readonly at: UnixMs; readonly worker: URL }

/** A row. */
export function row(at: UnixMs): Row { return { at, worker: new URL('./writer.ts', import.meta.url), [FIND]: formatDate } as Row; }`,
  ),
  source(
    'src/store/writer.ts',
    "import type { Row } from './rows.ts';\n\nconst rows: Row[] = [];\nsetImmediate(() => rows.pop());",
  ),
  readme('config'),
  source(
    'src/config/compose.ts',
    "import type { Row } from '../store/rows.ts';\n\nconst SELECT = 'SELECT';\nconst a: Row | string = SELECT;",
  ),
  { path: 'src/main.ts', text: `${HEAD}import { now } from './base/log.ts';\n\nconsole.log(now());\n` },
  {
    path: 'test/base/log.test.ts',
    text: "// What is tested here.\n\nimport t from 'tap';\n\nt.test('x', async () => setTimeout(t.end, 1));\n",
  },
];

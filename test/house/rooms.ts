/**
 * The law of the house as data: the rooms of src/, their layers, what each may import, and the limits and exceptions.
 *
 * A change here is a change of the design; say why in the commit. Rooms that do not exist yet are listed already. The rules
 * that read this table are in the other files of this directory, each proved by a planted violation in planted.ts.
 */

/** One room of src/. */
export interface Room {
  /** Low to high. A room imports from strictly lower layers only, so rooms of one layer never meet. */
  readonly layer: number;
  /** Rooms, or directories of rooms, whose files it may import; 'lower' is every room of a lower layer. */
  readonly imports: readonly string[] | 'lower';
  /** What it may import as types beside that. */
  readonly types?: 'lower';
  /** Third-party packages that it may import, as values or types. No other room has them. */
  readonly packages: readonly string[];
}

const HONO = ['hono', '@hono/node-server', '@hono/zod-openapi'];

/** Every room by name; `main` is what stands directly in src/. */
export const ROOMS: Readonly<Record<string, Room>> = {
  base: { layer: 0, imports: [], packages: ['pino'] },
  wire: {
    layer: 1,
    imports: ['base'],
    packages: ['libmime', 'iconv-lite', 'libqp', 'libbase64', 'encoding-japanese'],
  },
  net: { layer: 1, imports: ['base'], packages: ['@peculiar/x509'] },
  store: { layer: 2, imports: ['base', 'wire/mime'], packages: ['better-sqlite3'] },
  exchange: { layer: 3, imports: ['base', 'wire'], packages: [] },
  accounts: { layer: 3, imports: ['base', 'wire', 'store'], packages: [] },
  search: { layer: 3, imports: ['base', 'wire', 'store'], packages: ['mailparser'] },
  transfer: { layer: 4, imports: ['base', 'wire', 'store', 'exchange', 'accounts'], packages: [] },
  smtpd: {
    layer: 5,
    imports: ['base', 'wire', 'net', 'exchange', 'accounts', 'transfer'],
    packages: ['smtp-server'],
  },
  pop3d: { layer: 5, imports: ['base', 'wire', 'net', 'store', 'accounts'], packages: [] },
  imapd: { layer: 5, imports: ['base', 'wire', 'net', 'store', 'accounts', 'search'], packages: [] },
  pickup: { layer: 5, imports: ['base', 'wire', 'transfer'], packages: [] },
  outbound: {
    layer: 5,
    imports: ['base', 'wire', 'net', 'store', 'exchange', 'transfer'],
    packages: ['nodemailer'],
  },
  bridge: {
    layer: 5,
    imports: ['base', 'wire', 'net', 'store', 'exchange', 'accounts', 'transfer'],
    packages: ['imapflow'],
  },
  migrate: { layer: 5, imports: ['base', 'wire', 'store', 'accounts'], packages: ['imapflow'] },
  config: { layer: 6, imports: ['base'], types: 'lower', packages: ['zod', 'smol-toml'] },
  admin: { layer: 7, imports: 'lower', packages: [...HONO, 'prom-client', 'zod'] },
  demo: { layer: 7, imports: 'lower', packages: ['imapflow', 'nodemailer'] },
  main: { layer: 8, imports: 'lower', packages: [] },
};

/** What stands directly in src/: the room `main`. */
export const MAIN_FILES: readonly string[] = [
  'src/main.ts',
  'src/commandLine.ts',
  'src/appliance.ts',
  'src/installation.ts',
];

/** Packages that more than one room may import, and why; every other package belongs to one room. */
export const SHARED_PACKAGES: Readonly<Record<string, string>> = {
  imapflow: 'the one IMAP client: bridge, migrate, and the demo that fetches as a client would',
  nodemailer: 'the one SMTP client: outbound, and the demo that submits as a client would',
  zod: 'config composes the schema; the HTTP API of admin answers with the same kind of schema',
};

/** Rooms that may read the clock, set timers and print: base wraps them, main hands them out. */
export const AMBIENT_ROOMS: readonly string[] = ['base', 'main'];

/** What wire may take from Node: pure functions only. 'all', or the names that are pure. */
export const PURE_NODE_IMPORTS: Readonly<Record<string, 'all' | readonly string[]>> = {
  'node:buffer': 'all',
  'node:string_decoder': 'all',
  'node:util': ['TextDecoder', 'TextEncoder', 'inspect'],
  'node:url': ['domainToASCII', 'domainToUnicode', 'URL'],
  'node:crypto': ['createHash', 'createHmac', 'hash', 'timingSafeEqual', 'pbkdf2Sync'],
};

/** Files of base that hold what is impure: beside types, wire may take only these names from them. */
export const PURE_BASE_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  'src/base/clock.ts': ['UnixMs', 'unixMs'],
  'src/base/log.ts': [],
};

/** A test file costs 0.4 s of start, so tests are few and longer than the code. */
export const LIMITS = {
  fileLines: 400,
  testFileLines: 800,
  functionLines: 80,
  testFunctionLines: 160,
  readmeLines: 40,
  headCommentLinesMin: 3,
  testHeadCommentLinesMin: 1,
  headCommentLinesMax: 8,
} as const;

/** Tables and grammar lists that have to be longer: path, its own limit in lines, and why. */
export const LONG_FILES: Readonly<Record<string, { readonly lines: number; readonly because: string }>> = {};

/** File names, without extension, that say nothing about what is inside. */
export const EMPTY_NAMES: readonly string[] = [
  'index',
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'misc',
  'types',
];

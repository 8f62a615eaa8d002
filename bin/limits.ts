/**
 * The tables of docs/LIMITS.md, and the rows of IMAP: every named limit of a session with what is answered, its setting and its test.
 *
 * Names, values and reasons are read from the code itself, so that the document cannot say something else. test/house/ holds
 * that no limit is missing here, that a setting has the same default, and that the tests exist.
 */

import { readFileSync } from 'node:fs';
import * as protocolLogLimits from '../src/admin/protocolLog/limits.ts';
import { findKey } from '../src/config/keys.ts';

/** A limit: where it stands, and what the code cannot say of it. */
export interface LimitRow {
  /** The exported constant, a property behind a dot; or, without a file, the configuration key that it is alone. */
  readonly name: string;
  /** The file below src/. */
  readonly file?: string;
  /** What the client is told, or sees. */
  readonly answer: string;
  /** The configuration key that changes it. */
  readonly setting?: string;
  /** The test that reaches it: how its name begins. */
  readonly test: string;
}

const IMAPD = 'imapd/limits.ts';
const SEARCH = 'search/limits.ts';
const FRAME = 'wire/imap/frame.ts';
const STORE = 'store/sqlite/limits.ts';
const LIMIT = 'NO [LIMIT]';
const SILENCE = 'silence ends a session';
const LOGINS = 'five failed logins end a connection';
const LITERALS = 'literals of a command are as large as is set';
const SEARCHES = 'nested and many search keys';
const ITEMS = 'many items of FETCH and many fields of ID';
const MAILBOXES = 'an account has ten thousand mailboxes';
const KEYWORDS = 'a mailbox takes a hundred keywords';

/** In the order in which a session meets them. */
export const LIMITS: readonly LimitRow[] = [
  {
    name: 'LOGIN_IDLE_TIMEOUT_MS',
    file: IMAPD,
    answer: '`* BYE` (autologout)',
    test: SILENCE,
  },
  {
    name: 'LOGIN_DEADLINE_MS',
    file: IMAPD,
    answer: '`* BYE` (autologout)',
    test: 'a client has a minute of silence and five minutes in all',
  },
  {
    name: 'LOGIN_COMMAND_LIMIT',
    file: IMAPD,
    answer: 'the last answer, then `* BYE`',
    test: LOGINS,
  },
  {
    name: 'LOGIN_FAILURE_LIMIT',
    file: IMAPD,
    answer: 'the last answer, then `* BYE`',
    test: LOGINS,
  },
  {
    name: 'SASL_RESPONSE_LIMIT_OCTETS',
    file: 'wire/sasl/base64.ts',
    answer: '`BAD`',
    test: 'a response of a SASL mechanism is bounded',
  },
  {
    name: 'SESSIONS_PER_ACCOUNT_LIMIT',
    file: IMAPD,
    answer: `\`${LIMIT}\` at login, which is no failed one`,
    setting: 'imap.sessionsPerAccountLimit',
    test: 'one session too many is NO [LIMIT]',
  },
  {
    name: 'IDLE_TIMEOUT_MS',
    file: IMAPD,
    answer: '`* BYE` (autologout), also in IDLE',
    setting: 'imap.idleTimeoutSeconds',
    test: SILENCE,
  },
  {
    name: 'STILL_HERE_PERIOD_MS',
    file: IMAPD,
    answer: '`* OK Still here`',
    test: SILENCE,
  },
  {
    name: 'WRITE_DEADLINE_MS',
    file: 'net/octetWriter.ts',
    answer: 'the end',
    test: 'a reader that stalls is cut off at its deadline',
  },
  {
    name: 'BYE_DEADLINE_MS',
    file: IMAPD,
    answer: 'the end',
    test: 'closing the server tells every session',
  },
  {
    name: 'BAD_COMMAND_LIMIT',
    file: IMAPD,
    answer: '`BAD`, then `* BYE`',
    setting: 'imap.badCommandLimit',
    test: 'as many commands as are set may be wrong in a row',
  },
  {
    name: 'RECEIVED_LIMIT_BYTES',
    file: 'net/octetReader.ts',
    answer: 'none: TCP holds the client back',
    test: 'a peer that nobody reads from is held back',
  },
  {
    name: 'DEFAULT_FRAMER_LIMITS.lineLimitOctets',
    file: FRAME,
    answer: '`BAD [TOOBIG]`, the rest of the line is dropped',
    setting: 'imap.lineLimitOctets',
    test: 'a line is as long as is set',
  },
  {
    name: 'DEFAULT_FRAMER_LIMITS.literalLimitOctets',
    file: FRAME,
    answer: '`BAD [TOOBIG]`, without `+`',
    setting: 'imap.literalLimitOctets',
    test: LITERALS,
  },
  {
    name: 'DEFAULT_FRAMER_LIMITS.literalCountLimit',
    file: FRAME,
    answer: '`BAD [TOOBIG]`',
    test: LITERALS,
  },
  {
    name: 'LITERAL_MINUS_LIMIT_OCTETS',
    file: IMAPD,
    answer: '`BAD [TOOBIG]`, the octets are dropped',
    test: 'LITERAL-',
  },
  {
    name: 'DISCARD_LIMIT_OCTETS',
    file: IMAPD,
    answer: '`* BYE`',
    test: 'lines and literals beyond the limits are BAD',
  },
  {
    name: 'DEFAULT_APPEND_LIMIT_OCTETS',
    file: 'imapd/options.ts',
    answer: '`NO [TOOBIG]`, without `+`',
    setting: 'imap.appendLimitOctets',
    test: 'a message over the limit of APPEND',
  },
  {
    name: 'APPEND_MESSAGE_LIMIT',
    file: IMAPD,
    answer: `\`${LIMIT}\`, none of them is kept`,
    test: 'one APPEND takes a thousand messages',
  },
  {
    name: 'COMPRESSED_SESSION_LIMIT',
    file: IMAPD,
    answer: `\`${LIMIT}\``,
    test: 'sessions that are compressed are counted',
  },
  {
    name: 'INFLATE_RATIO_LIMIT',
    file: 'net/compression.ts',
    answer: '`* BYE`',
    test: 'a bomb costs its sender the session',
  },
  {
    name: 'FETCH_ITEM_LIMIT',
    file: 'wire/imap/fetch.ts',
    answer: '`BAD`',
    test: ITEMS,
  },
  {
    name: 'ID_FIELD_LIMIT',
    file: 'wire/imap/id.ts',
    answer: '`BAD`',
    test: ITEMS,
  },
  {
    name: 'SEARCH_NESTING_LIMIT',
    file: 'wire/imap/search.ts',
    answer: '`BAD`',
    test: SEARCHES,
  },
  {
    name: 'SEARCH_KEY_LIMIT',
    file: 'wire/imap/search.ts',
    answer: '`BAD`',
    test: SEARCHES,
  },
  {
    name: 'QUESTION_LIMIT',
    file: SEARCH,
    answer: `\`${LIMIT}\``,
    test: SEARCHES,
  },
  {
    name: 'BODY_NEEDLE_LIMIT',
    file: SEARCH,
    answer: `\`${LIMIT}\``,
    test: SEARCHES,
  },
  {
    name: 'SORT_KEPT_CHARS_LIMIT',
    file: IMAPD,
    answer: `\`${LIMIT}\``,
    test: 'what is kept of messages is counted',
  },
  {
    name: 'KEYWORDS_PER_MAILBOX',
    file: STORE,
    answer: `\`${LIMIT}\`, nothing is changed; PERMANENTFLAGS has no \`\\*\` when it is full`,
    test: KEYWORDS,
  },
  {
    name: 'KEYWORD_LIMIT_CHARS',
    file: STORE,
    answer: `\`${LIMIT}\``,
    test: KEYWORDS,
  },
  {
    name: 'MAILBOXES_PER_ACCOUNT',
    file: STORE,
    answer: `\`${LIMIT}\``,
    setting: 'store.mailboxesPerAccountLimit',
    test: MAILBOXES,
  },
  {
    name: 'MAILBOX_DEPTH_LIMIT',
    file: STORE,
    answer: `\`${LIMIT}\``,
    test: MAILBOXES,
  },
  {
    name: 'MAILBOX_NAME_LIMIT_CHARS',
    file: STORE,
    answer: `\`${LIMIT}\``,
    test: MAILBOXES,
  },
  {
    name: 'SUBSCRIPTIONS_PER_ACCOUNT',
    file: STORE,
    answer: `\`${LIMIT}\``,
    test: 'an account has ten thousand subscriptions',
  },
];

/** A limit's value and reason, as its file or the configuration's schema has them. */
export async function readLimit({ name, file }: LimitRow): Promise<{ value: unknown; reason: string }> {
  if (file === undefined) {
    const key = findKey(name);
    return { value: key?.defaultValue, reason: key?.description ?? '' };
  }
  const url = new URL(`../src/${file}`, import.meta.url);
  const [constant = '', property] = name.split('.');
  const found: unknown = (await import(url.href))[constant];
  const value = property === undefined ? found : (found as Record<string, unknown>)[property];
  const word = property === undefined ? `export const ${constant}\\b` : `readonly ${property}\\b`;
  const pattern = new RegExp(`/\\*\\*((?:[^*]|\\*(?!/))*)\\*/\\s*${word}`);
  const text = pattern.exec(readFileSync(url, 'utf8'))?.[1] ?? '';
  return {
    value,
    reason: text
      .replace(/^\s*\* ?/gm, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  };
}

/** The table in Markdown. */
export async function documentLimits(limits: readonly LimitRow[] = LIMITS): Promise<string> {
  const rows: string[] = [];
  for (const row of limits) {
    const { value, reason } = await readLimit(row);
    const setting = row.file === undefined ? row.name : row.setting;
    const cells = [
      `\`${row.name}\``,
      showValue(row.name, Number(value)),
      row.answer,
      setting === undefined ? 'fixed' : `\`${setting}\``,
      reason.replaceAll('|', '\\|'),
    ];
    rows.push(`| ${cells.join(' | ')} |`);
  }
  const head =
    '| limit | value | answer beyond it | setting | what and why |\n| --- | --- | --- | --- | --- |';
  return `${head}\n${rows.join('\n')}\n`;
}

/** The table of docs/PROTOCOL-LOG.md. */
export async function documentProtocolLogLimits(): Promise<string> {
  const rows: string[] = [];
  for (const name of Object.keys(protocolLogLimits)) {
    const row = { name, file: 'admin/protocolLog/limits.ts', answer: '', test: '' };
    const { value, reason } = await readLimit(row);
    rows.push(`| \`${name}\` | ${showValue(name, Number(value))} | ${reason} |`);
  }
  return `| limit | value | what and why |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function showValue(name: string, value: number): string {
  if (name.endsWith('_MS')) return value % 60_000 === 0 ? `${value / 60_000} min` : `${value / 1000} s`;
  return value.toLocaleString('en');
}

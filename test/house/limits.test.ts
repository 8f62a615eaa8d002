/** docs/LIMITS.md has every named limit of listeners and sessions as the code has it, with its setting and a test that exists. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

import { documentLimits, LIMITS, readLimit } from '../../bin/limits.ts';
import { DROP_LIMITS } from '../../bin/dropLimits.ts';
import { GRAPH_LIMITS } from '../../bin/graphLimits.ts';
import { TOKEN_LIMITS } from '../../bin/tokenLimits.ts';
import { HOP_LIMITS } from '../../bin/hopLimits.ts';
import { LISTENER_LIMITS } from '../../bin/listenerLimits.ts';
import { PICKUP_LIMITS } from '../../bin/pickupLimits.ts';
import { POP3_LIMITS } from '../../bin/pop3Limits.ts';
import { REPORT_LIMITS } from '../../bin/reportLimits.ts';
import { SMTP_LIMITS } from '../../bin/smtpLimits.ts';
import { findKey } from '../../src/config/keys.ts';

const TABLES = [
  LISTENER_LIMITS,
  SMTP_LIMITS,
  LIMITS,
  POP3_LIMITS,
  HOP_LIMITS,
  GRAPH_LIMITS,
  TOKEN_LIMITS,
  REPORT_LIMITS,
  PICKUP_LIMITS,
  DROP_LIMITS,
];
const ALL = TABLES.flat();
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Named numbers of these rooms that refuse nothing: how much is done at a time, or looked at, and how answers are written. */
const NO_LIMITS: readonly string[] = [
  'FETCH_BATCH_MESSAGES',
  'FETCH_BATCH_OCTETS',
  'SEARCH_FIRST_BLOCK_MESSAGES',
  'SORT_TEXT_CHARS',
  'REFERENCES_LIMIT',
  'QUOTED_LIMIT_CHARS',
  'QUOTED_ESCAPE_LIMIT',
  'REPLY_LINE_LIMIT_OCTETS',
  'BODY_WINDOW_OCTETS',
  'REPLY_BATCH_OCTETS',
  'RETRY_WAITS_MS',
];

function sources(directory: string): { path: string; text: string }[] {
  return readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

t.test(
  'every constant of a session room`s limits.ts, and every exported limit beside it, has a row',
  async (t) => {
    const named = [
      'src/imapd',
      'src/wire/imap',
      'src/wire/sasl',
      'src/pop3d',
      'src/wire/pop3',
      'src/smtpd',
      'src/wire/smtp',
      'src/exchange/graph',
      'src/exchange/tokens',
      'src/outbound/smtp',
      'src/outbound/drop',
      'src/wire/dsn',
      'src/pickup',
    ]
      .flatMap(sources)
      .flatMap(({ path, text }) => {
        const pattern =
          /(imapd|pop3d|smtpd|pickup|exchange\/graph|exchange\/tokens|outbound\/smtp|outbound\/drop)\/limits\.ts$/.test(
            path,
          )
            ? /^export const ([A-Z_0-9]+)\b/gm
            : /^export const ([A-Z_0-9]*LIMIT[A-Z_0-9]*)\b/gm;
        return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
      });
    const known = new Set([...ALL.map(({ name }) => name.split('.')[0] ?? ''), ...NO_LIMITS]);
    t.same(
      named.filter((name) => !known.has(name)),
      [],
      'add a row to bin/limits.ts, bin/pop3Limits.ts or bin/smtpLimits.ts and run `npm run docs`',
    );
    t.ok(named.length > 15);
  },
);

t.test(
  'a limit has a value and a reason, its setting has the same default, and its test exists',
  async (t) => {
    const tests = sources('test')
      .map(({ text }) => text)
      .join('\n');
    for (const rows of TABLES) t.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
    for (const row of ALL) {
      const { value, reason } = await readLimit(row);
      t.type(value, 'number', row.name);
      t.match(reason, /\w.{15,}/, row.name);
      t.ok(tests.includes(`'${row.test}`), `${row.name}: no test “${row.test}”`);
      if (row.setting === undefined) continue;
      const inUnits = row.setting.endsWith('Seconds') ? Number(value) / 1000 : value;
      t.equal(findKey(row.setting)?.defaultValue, inUnits, row.setting);
    }
  },
);

t.test('docs/LIMITS.md holds the table as the code has it', async (t) => {
  const text = readFileSync(join(ROOT, 'docs/LIMITS.md'), 'utf8');
  for (const rows of TABLES)
    t.ok(text.includes(await documentLimits(rows)), 'run `npm run docs` and commit the result');
});

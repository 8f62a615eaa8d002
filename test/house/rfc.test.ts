/** docs/RFC.md names every RFC that the code cites, once each, with a room that exists and cites it. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function citedBelow(directory: string): Set<number> {
  const cited = new Set<number>();
  for (const entry of readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(ts|md)$/.test(entry.name)) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
    for (const match of text.matchAll(/\bRFC ?(\d{3,5})\b/g)) cited.add(Number(match[1]));
  }
  return cited;
}

function rows(): { number: number; status: string; where: string }[] {
  const text = readFileSync(join(ROOT, 'docs/RFC.md'), 'utf8');
  return [...text.matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \| `([^|]+)` \| [^|]*\|$/gm)].map((match) => ({
    number: Number(match[1]),
    status: match[2] ?? '',
    where: match[3] ?? '',
  }));
}

t.test('every RFC that the code cites has a row, and every row is cited', async (t) => {
  const numbers = rows().map(({ number }) => number);
  t.strictSame(
    numbers,
    [...citedBelow('src')].sort((left, right) => left - right),
  );
});

t.test('a row names a room that cites the RFC, and a status that means something', async (t) => {
  for (const { number, status, where } of rows()) {
    t.ok(['complete', 'partial', 'planned', 'replaced'].includes(status), `RFC ${number}: ${status}`);
    t.ok(citedBelow(where).has(number), `RFC ${number} in ${where}`);
  }
});

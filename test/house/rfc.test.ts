/**
 * docs/RFC.md names every RFC that the code cites, once each, with a room that exists and cites it; and for IMAP, section by
 * section, the files and tests, of which all exist: each command and each capability that is told has its row.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

import { COMMANDS } from '../../src/imapd/commands.ts';
import { wrongCitation } from '../support/citedTest.ts';

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

/** The rows of `IMAP, section by section`, by their cells. */
function sectionRows(): { rfc: number; sections: string[]; state: string; code: string; tests: string }[] {
  const text = readFileSync(join(ROOT, 'docs/RFC.md'), 'utf8');
  const [, table = ''] = /## IMAP, section by section\n([\s\S]*)$/.exec(text) ?? [];
  return table.split('\n').flatMap((line) => {
    const cells = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''));
    const [rfc, sections = '', , state = '', code = '', tests = ''] = cells;
    if (!/^\d+$/.test(rfc ?? '')) return [];
    return [{ rfc: Number(rfc), sections: sections.split(', '), state, code, tests }];
  });
}

t.test('every file and every test that a section of IMAP names is there', async (t) => {
  t.ok(sectionRows().length > 60);
  for (const { rfc, sections, state, code, tests } of sectionRows()) {
    const label = `RFC ${rfc} section ${sections.join(', ')}`;
    t.match(state, /^(complete|partial|NO)(: .+)?$/, `${label}: state`);
    const files = [...code.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
    t.ok(files.length > 0, `${label}: code`);
    for (const file of files) t.equal(wrongCitation(file, undefined), undefined, label);
    for (const citation of tests.split('<br>')) {
      const [, file = '', name] = /^`([^`]+)`(?:: (.*))?$/.exec(citation) ?? [];
      t.equal(wrongCitation(file, name), undefined, label);
    }
  }
});

t.test('every command and every capability of IMAP has a row, the command its section', async (t) => {
  const rows = sectionRows();
  for (const [name, { section }] of COMMANDS) {
    const [, rfc, number = ''] = /^RFC (\d+) (\S+)$/.exec(section) ?? [];
    const row = rows.find((row) => row.rfc === Number(rfc) && row.sections.includes(number));
    t.ok(row, `${name}: docs/RFC.md has a row for RFC ${rfc} section ${number}`);
  }
  const capabilities = readFileSync(join(ROOT, 'src/imapd/capabilities.ts'), 'utf8');
  for (const [, name, rfc] of capabilities.matchAll(/^ {2}'(\S+)', \/\/ RFC (\d+)/gm)) {
    t.ok(
      rows.some((row) => row.rfc === Number(rfc)),
      `${name}: docs/RFC.md has a row for a section of RFC ${rfc}`,
    );
  }
});

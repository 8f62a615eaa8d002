/**
 * The law of the house (design: rooms, layers, imports, purity, sizes, names, comments), held against every file here.
 *
 * What is allowed stands as data in rooms.ts; the rules are in *Rules.ts, each proved by planted.ts. A failure names file and
 * line. Rooms that are not there yet break nothing.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

import t from 'tap';

import { checkRoomTable, IMPORT_RULES } from './importRules.ts';
import { CLEAN, PLANTED } from './planted.ts';
import { PURITY_RULES } from './purityRules.ts';
import { REPOSITORY_RULES } from './repositoryRules.ts';
import { LONG_FILES, ROOMS, SHARED_PACKAGES } from './rooms.ts';
import { describeViolation, inspect, openHouse, UNREAD } from './rules.ts';
import { SHAPE_RULES } from './shapeRules.ts';
import type { TextFile } from './source.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const RULES = [UNREAD, ...IMPORT_RULES, ...PURITY_RULES, ...SHAPE_RULES, ...REPOSITORY_RULES];

/** Not of the source tree, or not text by nature. */
const LEFT_OUT = new Set(['.git', '.tap', 'node_modules', 'data', 'fixtures', 'coverage', 'dist']);
const TEXT_SUFFIXES = new Set(
  ' .ts .js .mjs .json .md .toml .yml .yaml .xml .service .sh .sql .txt .html .css'.split(' '),
);

function readTexts(directory: string): TextFile[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry): TextFile[] => {
    if (LEFT_OUT.has(entry.name)) return [];
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
    if (entry.isDirectory()) return readTexts(path);
    if (!entry.isFile() || !TEXT_SUFFIXES.has(extname(entry.name))) return [];
    return [{ path, text: readFileSync(join(ROOT, path), 'utf8') }];
  });
}

t.test('every file keeps the law of the house', async (t) => {
  const violations = inspect(openHouse(readTexts('')), RULES);
  t.equal(violations.map(describeViolation).join('\n'), '');
});

t.test('the table of rooms keeps the layers and gives each package to one room', async (t) => {
  t.same(checkRoomTable(ROOMS, SHARED_PACKAGES), []);
  const crooked = {
    low: { layer: 0, imports: ['high', 'gone'], packages: ['p'] },
    high: { layer: 1, imports: ['low'], packages: ['p'] },
  };
  t.equal(checkRoomTable(crooked, {}).length, 3, 'an upward import, an unknown room, a shared package');
});

t.test('an exception to the sizes is for a file that exists and needs it', async (t) => {
  for (const [path, { lines }] of Object.entries(LONG_FILES)) {
    const { length } = readFileSync(join(ROOT, path), 'utf8').split('\n');
    t.ok(length <= lines + 1 && length > lines - 100, `${path} has ${length} lines, its exception ${lines}`);
  }
});

t.test('each rule flags what was planted for it, and nothing else does', async (t) => {
  for (const { rule, because, files } of PLANTED) {
    const broken = new Set(inspect(openHouse(files), RULES).map((violation) => violation.rule));
    t.same([...broken], [rule], `${rule}: ${because}`);
  }
  const proved = new Set(PLANTED.map(({ rule }) => rule));
  t.same(
    RULES.map(({ name }) => name).filter((name) => !proved.has(name)),
    [],
    'every rule has a planted violation',
  );
});

t.test('a house that keeps every rule is left alone', async (t) => {
  t.same(inspect(openHouse(CLEAN), RULES).map(describeViolation), []);
});

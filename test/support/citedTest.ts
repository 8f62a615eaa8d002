/**
 * Whether a test that a table cites exists: tables in docs/ and the checklist name tests by file and name.
 *
 * A cited name is the string literal of a test in its file; `${...}` in the literal stands for anything. A transcript is cited
 * by its file, with or without a comment line of it.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What is wrong with a citation of `file` (from the repository's root) and of a test's `name` in it; undefined if nothing is. */
export function wrongCitation(file: string, name: string | undefined): string | undefined {
  if (!existsSync(join(ROOT, file))) return `${file} does not exist`;
  if (name === undefined) return undefined;
  const text = readFileSync(join(ROOT, file), 'utf8');
  const isThere = file.endsWith('.txt')
    ? text.split('\n').includes(`# ${name}`)
    : testNames(text).some((one) => one.test(name));
  return isThere ? undefined : `${file} has no test named ${JSON.stringify(name)}`;
}

/** The names of a file's tests. */
function testNames(text: string): RegExp[] {
  const calls = /[tT]est\(\s*(?:t,\s*)?(?:\[[^\]]*\],\s*)?(['"`])((?:\\.|(?!\1)[\s\S])*)\1/g;
  return [...text.matchAll(calls)].map(([, , literal = '']) => {
    const name = literal.replace(/\\(.)/g, '$1');
    const pattern = name.split(/\$\{[^}]*\}/).map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${pattern.join('.+')}$`, 's');
  });
}

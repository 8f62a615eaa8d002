/**
 * The product with one place changed, for negative controls: a test that is worth its name fails on it. The place is changed as Node
 * loads it, so that all the rest comes out of Node's cache of compiled modules.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type { Teardown } from './sockets.ts';

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));

/** One place: `from` has to stand in `file` exactly once. */
export interface Patch {
  /** Path below src/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The 250 does not wait for the commit. */
export const EARLY_REPLY: Patch = {
  file: 'transfer/accept.ts',
  from: "await within(clock, COMMIT_DEADLINE_MS, 'the commit', committing)",
  to: '{ copies: [], queued: [], duplicates: [], committing }',
};

/** Answers the path of a program that is the product with the place changed, wherever it is loaded; it goes with the test. */
export function createPatchedCopy(t: Teardown, { file, from, to }: Patch): string {
  if (/^(store|search)\//.test(file))
    throw new Error(`src/${file} may run in a thread, where nothing is changed`);
  const path = join(SOURCES, file);
  const parts = readFileSync(path, 'utf8').split(from);
  if (parts.length !== 2) throw new Error(`src/${file} has "${from}" ${parts.length - 1} times`);
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-control-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, 'main.mjs');
  const changed = JSON.stringify({
    format: 'module-typescript',
    source: parts.join(to),
    shortCircuit: true,
  });
  writeFileSync(
    program,
    `import { registerHooks } from 'node:module';
const changed = ${changed};
const url = ${JSON.stringify(pathToFileURL(path).href)};
registerHooks({ load: (asked, context, next) => (asked === url ? changed : next(asked, context)) });
await import(${JSON.stringify(pathToFileURL(join(SOURCES, 'main.ts')).href)});
`,
  );
  return program;
}

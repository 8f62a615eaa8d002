/**
 * A copy of the product with one place changed, for negative controls: a test that is worth its name fails on it.
 */

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Teardown } from './sockets.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

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

/** Copies src/, changes the place, and answers the path of the copy's main.ts; the copy goes with the test. */
export function createPatchedCopy(t: Teardown, { file, from, to }: Patch): string {
  const copy = mkdtempSync(join(tmpdir(), 'hauspost-control-'));
  t.teardown(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const path = join(copy, 'src', file);
  const parts = readFileSync(path, 'utf8').split(from);
  if (parts.length !== 2) throw new Error(`src/${file} has "${from}" ${parts.length - 1} times`);
  writeFileSync(path, parts.join(to));
  return join(copy, 'src/main.ts');
}

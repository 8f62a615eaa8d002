/**
 * Holds a checklist to the tests: each of its points, in order, names tests that exist (citedTest.ts).
 *
 * Called by the checklists of IMAP and POP3.
 */

import t from 'tap';

import { wrongCitation } from './citedTest.ts';

/** A row: point, file below test/, name of the test, or of a transcript one of its comments. */
export type ChecklistRow = readonly [point: number, file: string, name: string];

/** Tests that `rows` have every point from 1 to `points`, in order, and cite nothing that is not there. */
export function testChecklist(points: number, rows: readonly ChecklistRow[]): void {
  t.test('every point of the checklist has a test, and every test that it names is there', async (t) => {
    t.same(
      [...new Set(rows.map(([point]) => point))],
      Array.from({ length: points }, (_, index) => index + 1),
    );
    for (const [point, file, name] of rows)
      t.equal(wrongCitation(`test/${file}`, name), undefined, `point ${point}: ${name}`);
  });
}

/**
 * runTests.ts and reporter.mjs, seen working: small files that fail, skip, die and hang are run, and the report counts them all.
 *
 * A report that loses a dead file would show a green line over a red suite. Finer counting is read from written TAP.
 */

import { join, relative } from 'node:path';
import type { Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';

import { runProgram } from './peers.ts';

const REPORTER = new URL('./reporter.mjs', import.meta.url);
const RUNNER = fileURLToPath(new URL('./runTests.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const FILES = {
  'dies.js': 'process.exit(3);',
  'dies-later.js': `
    import t from 'tap';
    await t.test('passes first', async (t) => t.pass());
    process.kill(process.pid, 'SIGKILL');`,
  'fails.js': `
    import t from 'tap';
    t.test('counts octets', async (t) => { t.equal(1, 2, 'one is two'); t.pass(); });
    t.test('throws', async () => { throw new Error('the reason it threw'); });
    t.test('passes', async (t) => { t.pass(); t.pass(); t.pass(); });`,
  'passes.js': `
    import t from 'tap';
    t.test('group', async (t) => {
      await t.test('first', async (t) => { t.pass(); t.pass(); });
      await t.test('second', async (t) => { t.pass(); });
    });
    t.test('needs a peer', { skip: 'not installed: fetchmail' }, async () => {});`,
};

const MODULES = { 'package.json': '{"type":"module"}' };

t.test('a run with dying, failing and skipped tests is reported in full', async (t) => {
  const { exitCode, report } = await runFiles(t.testdir({ ...FILES, ...MODULES }), FILES);
  t.equal(exitCode, 1);
  t.match(report, /^FAIL {2}dies\.js {2}0 passed, 1 failed {2}\d+\.\d\d s$/m);
  t.match(report, /not ok: dies\.js > it ran no test\n/);
  t.match(report, /not ok: dies\.js\n +exitCode: 3/);
  t.match(report, /^FAIL {2}dies-later\.js {2}1 passed, 1 failed/m);
  t.match(report, /not ok: dies-later\.js\n +signal: SIGKILL/);
  t.match(report, /^FAIL {2}fails\.js {2}1 passed, 2 failed/m);
  t.match(report, /not ok: fails\.js > counts octets > one is two\n.*--- expected/s);
  t.match(report, /not ok: fails\.js > throws > the reason it threw\n/);
  t.match(report, /^ok {4}passes\.js {2}2 passed, 1 skipped {2}\d+\.\d\d s$/m);
  t.match(report, /^ {2}passes\.js > needs a peer: not installed: fetchmail$/m);
  t.equal(report.trimEnd().split('\n').at(-1), '4 passed, 4 failed, 1 skipped');
  t.equal(
    lastOf(report),
    `failed:
  dies-later.js: SIGKILL
  dies.js > it ran no test
  dies.js: exit code 3
  fails.js > counts octets > one is two (fails.js:3): -2 +1
  fails.js > throws > the reason it threw (fails.js:4)`,
    'whoever is shown the end alone sees what failed',
  );
});

t.test('a file that hangs is one failure, and named', async (t) => {
  const files = {
    // Its own timer ends the one; the other can't hear of it.
    'waits.js':
      "import t from 'tap'; t.setTimeout(300); t.test('waits', () => new Promise(() => setInterval(() => {}, 1000)));",
    'spins.js':
      "import t from 'tap'; t.setTimeout(300); t.test('spins', async () => { setImmediate(() => { for (;;); }); await new Promise(() => {}); });",
  };
  const { exitCode, report } = await runFiles(t.testdir({ ...files, ...MODULES }), files);
  t.equal(exitCode, 1);
  t.match(report, /^FAIL {2}waits\.js {2}0 passed, 1 failed/m);
  t.match(report, /timeout!/);
  t.match(report, /^FAIL {2}spins\.js {2}0 passed, 1 failed/m);
  t.match(report, /signal: SIGKILL/);
  t.match(lastOf(report), /^ {2}waits\.js > waits > timeout!.*\n/m);
  t.match(lastOf(report), /^ {2}spins\.js/m);
  t.equal(report.trimEnd().split('\n').at(-1), '0 passed, 2 failed, 0 skipped');
});

t.test('a run in which all is well ends with 0, and one that finds no file does not', async (t) => {
  const files = { 'passes.js': FILES['passes.js'] };
  const directory = t.testdir({ ...files, ...MODULES });
  t.match(await runFiles(directory, files), { exitCode: 0, report: /\n2 passed, 0 failed, 1 skipped\n$/ });
  const none = await runProgram(process.execPath, [RUNNER, directory]);
  t.match([none.exitCode, none.stdout.toString()], [1, /\n0 passed, 0 failed, 0 skipped\n$/]);
});

/** What stands between the last empty lines: what failed, in the order in which it ended. */
function lastOf(report: string): string | undefined {
  const told = report.trimEnd().split('\n\n').at(-2);
  return told?.replace(/\((?:[^\s)]*\/)?(\w+\.js:\d+)\)/g, '($1)');
}

/** Runs those of `files` in `directory`, one after the other by name; the report names them without it. */
async function runFiles(directory: string, files: Readonly<Record<string, string>>) {
  const paths = Object.keys(files).map((name) => join(directory, name));
  const run = await runProgram(process.execPath, [RUNNER, ...paths], {
    env: { ...process.env, HAUSPOST_TEST_JOBS: '1' },
    deadlineMs: 60_000,
  });
  const report = run.stdout.toString().replaceAll(`${relative(ROOT, directory)}/`, '');
  return { exitCode: run.exitCode, report };
}

const COUNTED: readonly (readonly [behaviour: string, tap: string, counts: string])[] = [
  ['nothing at all is nothing', '1..0\n', '0 passed, 0 failed, 0 skipped'],
  [
    'a file of bare assertions is one test',
    '# Subtest: a\n    ok 1 - x\n    ok 2 - y\n    1..2\nok 1 - a\n1..1\n',
    '1 passed, 0 failed, 0 skipped',
  ],
  [
    'a buffered subtest counts like any other',
    '# Subtest: a\n    ok 1 - x {\n        ok 1 - one\n        1..1\n    }\n    1..1\nok 1 - a\n1..1\n',
    '1 passed, 0 failed, 0 skipped',
  ],
  [
    'a group whose own assertion fails is one failure beside its subtests',
    '# Subtest: a\n    # Subtest: x\n        ok 1 - y\n        1..1\n    ok 1 - x\n    not ok 2 - own\n    1..2\nnot ok 1 - a\n1..1\n',
    '1 passed, 1 failed, 0 skipped',
  ],
  [
    'a failing point marked todo is skipped, not failed',
    '# Subtest: a\n    not ok 1 - x # TODO later\n    1..1\nok 1 - a\n1..1\n',
    '0 passed, 0 failed, 1 skipped',
  ],
  [
    'a file that tap planned and never reported is a failure',
    '1..2\n# Subtest: a\n    ok 1 - x\n    1..1\nok 1 - a\n',
    '1 passed, 1 failed, 0 skipped',
  ],
  [
    'a file cut off in the middle is a failure',
    '# Subtest: a\n    # Subtest: x\n        ok 1 - y\n',
    '0 passed, 1 failed, 0 skipped',
  ],
  [
    'a time-out that tap reports beside the failed file is not counted twice',
    '1..1\n# Subtest: a\n    not ok 1 - slow\n    1..1\nnot ok 1 - a\nnot ok 2 - timeout!\n  ---\n  expired: a\n  ...\n',
    '0 passed, 1 failed, 0 skipped',
  ],
  ['bailing out is a failure', '1..1\nBail out! no disk\n', '0 passed, 2 failed, 0 skipped'],
];

t.test('counts tests as a person would', async (t) => {
  const { default: Reporter } = (await import(REPORTER.href)) as { readonly default: new () => Transform };
  for (const [behaviour, written, counts] of COUNTED) {
    const reporter = new Reporter();
    reporter.end(`TAP version 14\n${written}`);
    const report = await text(reporter);
    t.equal(report.trimEnd().split('\n').at(-1), counts, `${behaviour}\n${report}`);
  }
});

t.test('a run in which nothing goes well ends with a list that fits a page', async (t) => {
  const { default: Reporter } = (await import(REPORTER.href)) as { readonly default: new () => Transform };
  const reporter = new Reporter();
  const points = Array.from({ length: 40 }, (_, number) => `    not ok ${number + 1} - x\n`).join('');
  const files = Array.from(
    { length: 40 },
    (_, number) => `# Subtest: a${number}\n${points}    1..40\nnot ok - a${number}\n`,
  );
  reporter.end(`TAP version 14\n1..40\n${files.join('')}`);
  const told = lastOf(await text(reporter))?.split('\n') ?? [];
  t.equal(told.length, 27);
  t.strictSame([told[1], told.at(-1)], ['  a0 > x (and 39 more)', '  and 15 more tests']);
});

/**
 * peers.ts: programs end within their deadline with all their children, and a missing program is named.
 *
 * The programs here are Node itself with a line of script, or the shell, so that this file needs no peer of its own.
 */

import t from 'tap';

import { findProgram, peerTest, runProgram, startProgram } from './peers.ts';

const NODE = process.execPath;

t.test('findProgram finds what is on PATH and names nothing else', async (t) => {
  t.ok(findProgram('node'));
  t.equal(findProgram('no-such-program-anywhere'), undefined);
  t.equal(findProgram('..'), undefined, 'a directory is no program');
});

t.test('runProgram gives the exit code and both outputs, and passes standard input on', async (t) => {
  const script =
    'process.stdin.pipe(process.stdout); process.stderr.write("on stderr"); process.exitCode = Number(process.env.CODE)';
  const result = await runProgram(NODE, ['-e', script], { stdin: 'grüße', env: { CODE: '7' } });
  t.equal(result.stdout.toString(), 'grüße');
  t.equal(result.stderr.toString(), 'on stderr');
  t.equal(result.exitCode, 7);
  t.equal(result.killedFor, undefined);
});

t.test('a program that ends without reading its input does not break the test', async (t) => {
  const result = await runProgram(NODE, ['-e', 'process.exit(0)'], { stdin: Buffer.alloc(4_000_000) });
  t.equal(result.exitCode, 0);
});

t.test('a program that cannot be started rejects', async (t) => {
  await t.rejects(runProgram('no-such-program-anywhere', []), { code: 'ENOENT' });
});

t.test('at the deadline the program is killed together with its children', async (t) => {
  // Programs that start in a few milliseconds, in some seconds on a machine that stands still for a moment.
  const script = "sh -c 'echo grandchild runs; sleep 1000' & sleep 1000";
  const program = await startProgram('sh', ['-c', script], { deadlineMs: 5000 });
  await program.waitFor(/grandchild runs/);
  // The grandchild holds the output open, so `ended` could never resolve while it lives.
  const result = await program.ended;
  t.equal(result.killedFor, 'deadline');
  t.equal(result.signal, 'SIGKILL');
});

t.test(
  'what sets up the tests is not handed on to the programs, whose own settings begin alike',
  async (t) => {
    process.env.HAUSPOST_TEST_JOBS = '2';
    t.teardown(() => delete process.env.HAUSPOST_TEST_JOBS);
    const script = 'console.log(Object.keys(process.env).filter((name) => /HAUSPOST|TAP/.test(name)).join())';
    const { stdout } = await runProgram(NODE, ['-e', script], { env: { HAUSPOST_OWN: '1' } });
    t.equal(stdout.toString(), 'HAUSPOST_OWN\n');
  },
);

t.test('waitFor rejects with what was printed when the program ends first', async (t) => {
  const program = await startProgram(NODE, ['-e', 'console.log("half a banner")']);
  await t.rejects(program.waitFor(/ready/), /exit code 0.*half a banner/s);
});

t.test('a signal reaches the program, which may end in its own way', async (t) => {
  const script =
    'process.on("SIGTERM", () => process.exit(5)); console.log("ready"); setInterval(() => {}, 1000)';
  const program = await startProgram(NODE, ['-e', script]);
  await program.waitFor(/ready/);
  program.signal('SIGTERM');
  t.equal((await program.ended).exitCode, 5);
});

t.test('tap and npm leave no trace in the environment of a program', async (t) => {
  const result = await runProgram(NODE, ['-p', 'Object.keys(process.env).join()'], { env: { MARK: '1' } });
  const names = result.stdout.toString().trim().split(',');
  t.ok(names.includes('MARK'));
  t.same(
    names.filter((name) => /^(TAP|npm_|NODE_OPTIONS)/.test(name)),
    [],
  );
});

t.test('a missing program skips its test by name, and fails it where CI=true', async (t) => {
  const script = `
    import t from 'tap';
    import { peerTest } from ${JSON.stringify(new URL('./peers.ts', import.meta.url).href)};
    await peerTest(t, ['no-such-program-anywhere'], 'a peer', () => undefined);`;
  const run = (ci: string) =>
    runProgram(NODE, ['--input-type=module', '-e', script], { env: { CI: ci }, cwd: import.meta.dirname });
  const [locally, onCi] = await Promise.all([run(''), run('true')]);
  t.match(locally.stdout.toString(), /ok 1 - a peer # SKIP not installed: no-such-program-anywhere/);
  t.equal(locally.exitCode, 0);
  t.match(onCi.stdout.toString(), /not ok 1 - not installed: no-such-program-anywhere/);
  t.not(onCi.exitCode, 0);
});

peerTest(t, ['node'], 'a program that is there has its test run', async (t) => {
  t.pass();
});

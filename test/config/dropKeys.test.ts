/** The tables `[[drops]]`: defaults, paths, what is wrong with them, the environment, and how they are shown. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import t, { type Test } from 'tap';

import { changedKeys } from '../../src/config/changes.ts';
import { DROP_PRESET_NAMES } from '../../src/config/dropKeys.ts';
import { printConfig } from '../../src/config/explain.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problems.ts';

const ONE = '[[drops]]\nname = "scans"\ndirectory = "drop/scans"\n';

function load(t: Test, text: string, environment: NodeJS.ProcessEnv = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-config-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'a.toml');
  writeFileSync(file, text);
  const result = loadConfig({
    file,
    defaultDirectory: directory,
    environment: { HAUSPOST_SERVER_DATA_DIRECTORY: 'data', ...environment },
    imapCapabilities: [],
    pop3Capabilities: [],
    relayPresets: {},
  });
  return { result, directory, file };
}

function loaded(t: Test, text: string, environment: NodeJS.ProcessEnv = {}): LoadedConfig {
  const { result } = load(t, text, environment);
  if (result.kind === 'faulty') throw new Error(result.problems.map(formatProblem).join('\n'));
  return result;
}

t.test('a drop needs a name and a directory, and is shown with all of its keys', async (t) => {
  const { result, directory } = load(t, ONE, { HAUSPOST_DROP_SCANS_FILE_LIMIT: '7' });
  if (result.kind === 'faulty') throw new Error(result.problems.map(formatProblem).join('\n'));
  t.same(result.config.drops, [
    {
      name: 'scans',
      directory: join(directory, 'drop/scans'),
      preset: 'iis',
      createDirectory: false,
      fileLimit: 7,
      ageLimitHours: 24,
      deleteAfterHours: 0,
      sizeLimitOctets: 0,
    },
  ]);
  t.same(result.warnings, []);
  const shown = printConfig(result);
  t.match(shown, /^\[\[drops\]\]\nname = "scans" # file\n/m);
  t.match(shown, /^fileLimit = 7 # environment$/m);
  t.match(shown, /^preset = "iis" # default$/m);
  t.same([...DROP_PRESET_NAMES], ['iis', 'plain']);
});

t.test('drops come whole from the environment too, and a reload takes them without a restart', async (t) => {
  const HAUSPOST_DROPS = JSON.stringify([{ name: 'scans', directory: '/srv/scans', preset: 'plain' }]);
  const { config } = loaded(t, '', { HAUSPOST_DROPS });
  t.match(config.drops, [{ directory: '/srv/scans', preset: 'plain' }]);
  t.same(changedKeys({ ...config, drops: [] }, config), { reloadable: ['drops'], needRestart: [] });
});

t.test('what is wrong is told with its line, and what deletes mail is warned of', async (t) => {
  const rows: readonly (readonly [text: string, problem: string])[] = [
    [`${ONE}fileLimt = 1`, '4: drops[0].fileLimt: unknown key; did you mean fileLimit?'],
    [`${ONE}preset = "exchange"`, '4: drops[0].preset: found "exchange"; allowed: one of iis, plain'],
    [ONE + ONE, '5: drops[1].name: found "scans" a second time; names are unique'],
    [
      `${ONE}${ONE.replace('"scans"', '"other"')}`,
      '6: drops[1].directory: is that of the drop scans too; several routes may lead to one drop',
    ],
    [
      `${ONE}[[pickups]]\nname = "erp"\ndirectory = "./drop/scans"\n`,
      '3: drops[0].directory: is that of the pickup erp too: what is dropped would be sent again',
    ],
  ];
  for (const [text, problem] of rows) {
    const { result, file } = load(t, text);
    const problems = result.kind === 'faulty' ? result.problems.map(formatProblem) : [];
    t.ok(problems.includes(`${file}:${problem}`), problems.join('\n'));
  }
  for (const inside of ['data', 'data/drop'])
    t.match(loaded(t, ONE.replace('drop/scans', inside)).warnings, [
      /^drop scans lies in server\.dataDirectory \(.*data\)/,
    ]);
  t.match(loaded(t, `${ONE}deleteAfterHours = 48`).warnings, [/^drop scans deletes messages .* 48 hours/]);
});

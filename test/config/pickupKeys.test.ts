/** The tables `[[pickups]]`: presets and what goes before them, directories that have to lie apart, open doors, the environment. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import t, { type Test } from 'tap';
import { RELAY_PRESETS } from '../../src/exchange/relayPresets.ts';
import { changedKeys } from '../../src/config/changes.ts';
import { printConfig } from '../../src/config/explain.ts';
import { type FaultyConfig, type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problems.ts';
import { PICKUP_PRESET_NAMES } from '../../src/config/pickupKeys.ts';
import { PICKUP_PRESETS } from '../../src/config/pickupPresets.ts';
import { configSchema } from '../../src/config/schema.ts';

/** The data directory lies beside the pickups, as it has to. */
const APART = '[server]\ndataDirectory = "data"\n';

function load(
  t: Test,
  text: string,
  environment: Record<string, string> = {},
): { result: LoadedConfig | FaultyConfig; directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-pickup-keys-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'h.toml');
  writeFileSync(file, APART + text);
  const result = loadConfig({
    file,
    defaultDirectory: directory,
    environment,
    imapCapabilities: [],
    pop3Capabilities: [],
    relayPresets: RELAY_PRESETS,
  });
  return { result, directory };
}

function loaded(result: LoadedConfig | FaultyConfig): LoadedConfig {
  if (result.kind === 'faulty') throw new Error(result.problems.map(formatProblem).join('\n'));
  return result;
}

/** Line, key and text of each problem, with D for the directory of the file. */
function problemsOf(t: Test, text: string): string[] {
  const { result, directory } = load(t, text);
  if (result.kind === 'loaded') return [];
  return result.problems.map(({ line, key, text }) => `${line}: ${key}: ${text.replaceAll(directory, 'D')}`);
}

const pickup = (name: string, keys: string) => `[[pickups]]\nname = "${name}"\n${keys}\n`;

t.test('a preset gives what its writers are used to, and what is written goes before it', async (t) => {
  t.strictSame([...PICKUP_PRESET_NAMES], Object.keys(PICKUP_PRESETS));
  for (const preset of PICKUP_PRESET_NAMES) {
    const { result, directory } = load(t, pickup('erp', `directory = "in"\npreset = "${preset}"`));
    const { config, warnings } = loaded(result);
    t.match(config.pickups, [{ ...PICKUP_PRESETS[preset].values, directory: join(directory, 'in') }], preset);
    t.strictSame(warnings, []);
  }
  const text = pickup('erp', 'directory = "in"\npreset = "iis"\nnames = "eml"\nbadmailDirectory = "bad"');
  const { result, directory } = load(t, text, { HAUSPOST_PICKUP_ERP_SETTLE_SECONDS: '30' });
  const first = loaded(result);
  t.match(first.config.pickups, [
    {
      names: 'eml',
      dots: 'auto',
      senderFirst: true,
      settleSeconds: 30,
      badmailDirectory: join(directory, 'bad'),
    },
  ]);
  const shown = printConfig(first);
  t.match(shown, /^names = "eml" # file$/m);
  t.match(shown, /^senderFirst = true # preset$/m);
  t.match(shown, /^settleSeconds = 30 # environment$/m);
  t.match(shown, /^senders = \[ "local" \] # default$/m);
  t.strictSame(configSchema.parse(parse(shown)), first.config, 'what is shown is a file to the same effect');
});

t.test('directories have to lie apart, of each other, of badmail and of the data', async (t) => {
  const rows: readonly (readonly [text: string, problem: string])[] = [
    [
      pickup('a', 'directory = "in"') + pickup('b', 'directory = "x/../in/"'),
      '8: pickups[1].directory: found "D/in", which is the directory of pickup a as well; each needs one of its own',
    ],
    [
      pickup('a', 'directory = "in"') + pickup('b', 'directory = "in/b"'),
      '8: pickups[1].directory: found "D/in/b", which lies in the directory of pickup a, "D/in"; they have to lie apart',
    ],
    [
      pickup('a', 'directory = "in/a"') + pickup('b', 'directory = "in"'),
      '8: pickups[1].directory: found "D/in", which holds the directory of pickup a, "D/in/a"; they have to lie apart',
    ],
    [
      pickup('a', 'directory = "a"\nbadmailDirectory = "bad"') + pickup('b', 'directory = "bad"'),
      '9: pickups[1].directory: found "D/bad", which is the badmail directory of pickup a as well; each needs one of its own',
    ],
    [
      pickup('a', 'directory = "a"') + pickup('b', 'directory = "b"\nbadmailDirectory = "a/bad-of-b"'),
      '9: pickups[1].badmailDirectory: found "D/a/bad-of-b", which lies in the directory of pickup a, "D/a"; they have to lie apart',
    ],
    [
      `${pickup('a', 'directory = "in"')}[[drops]]\nname = "d"\ndirectory = "in/badmail"\n`,
      '5: pickups[0].directory: found "D/in", which holds the directory of drop d, "D/in/badmail"; they have to lie apart',
    ],
    [
      `${pickup('a', 'directory = "in"')}[[drops]]\nname = "d"\ndirectory = "in"\n`,
      '8: drops[0].directory: is that of the pickup a too: what is dropped would be sent again',
    ],
    [
      pickup('a', 'directory = "a"\nbadmailDirectory = "."'),
      '6: pickups[0].badmailDirectory: found "D"; it cannot be the pickup directory itself, or hold it',
    ],
    [
      pickup('a', 'directory = "."\nbadmailDirectory = "bad"'),
      '5: pickups[0].directory: found "D"; it cannot be server.dataDirectory, "D/data", or hold it',
    ],
  ];
  for (const [text, problem] of rows) t.equal(problemsOf(t, text)[0], problem, text);
  const mailroot = 'directory = "mailroot/Pickup"\nbadmailDirectory = "mailroot/Badmail"';
  t.strictSame(problemsOf(t, pickup('a', mailroot) + pickup('b', 'directory = "mailroot/Pickup2"')), []);
});

t.test('faults have their line, and say what is allowed or meant', async (t) => {
  const rows: readonly (readonly [keys: string, problem: string])[] = [
    ['senders = ["*"]', '3: pickups[0].directory: is missing; allowed: a text'],
    [
      'directory = "in"\npreset = "smtp"',
      '6: pickups[0].preset: found "smtp"; allowed: one of exchange, iis, dotnet, replay',
    ],
    [
      'directory = "in"\nsenders = ["own"]',
      '6: pickups[0].senders[0]: found "own"; allowed: *, local, a domain, *.domain or an address',
    ],
    [
      'directory = "in"\nrecipients = ["*@example.com"]',
      '6: pickups[0].recipients[0]: found "*@example.com"; allowed: *, local, a domain, *.domain or an address',
    ],
    [
      'directory = "in"\nrelay = "out"',
      '6: pickups[0].relay: found "out"; none is configured ([[relays]], docs/SENDING.md)',
    ],
    [
      'directory = "in"\npreset = "replay"\ndefaultSender = "a@example.com"',
      '7: pickups[0].defaultSender: is for kind = "pickup"; a replayed file has to name its sender',
    ],
    ['directory = "in"\ndirectoy = "in"', '6: pickups[0].directoy: unknown key; did you mean directory?'],
  ];
  for (const [keys, problem] of rows) t.strictSame(problemsOf(t, pickup('erp', keys)), [problem], keys);
  t.strictSame(problemsOf(t, pickup('erp', 'directory = "a"') + pickup('erp', 'directory = "b"')), [
    '7: pickups[1].name: found "erp" a second time; names are unique',
  ]);
  t.strictSame(
    problemsOf(
      t,
      `${pickup('erp', 'directory = "in"\nrelay = "out"')}[[relays]]\nname = "other"\nhosts = ["h"]\n`,
    ),
    ['6: pickups[0].relay: found "out"; allowed: other'],
  );
});

t.test('a directory that lets anybody send as anybody, or lies among the mail, is warned of', async (t) => {
  const warnings = (keys: string) =>
    loaded(load(t, pickup('erp', `directory = "in"\n${keys}`)).result).warnings;
  t.strictSame(warnings('recipients = ["*"]'), []);
  t.strictSame(warnings('senders = ["*"]\nrecipients = ["local"]'), []);
  const inside = loaded(load(t, pickup('erp', 'directory = "data/in"')).result).warnings;
  t.match(inside, [/^pickup erp lies in server\.dataDirectory \(.*\/data\): /]);
  t.match(warnings('senders = ["*"]'), [
    /^pickup erp takes any sender and any recipient: whoever can write into /,
  ]);
  t.match(warnings('preset = "replay"\nsenders = ["*"]\nrecipients = ["local"]'), [
    /^pickup erp replays with any sender/,
  ]);
});

t.test(
  'pickups come whole from the environment too, and a reload takes them without a restart',
  async (t) => {
    const environment = {
      HAUSPOST_PICKUPS: '[{"name":"erp-1","preset":"dotnet","directory":"/srv/pickup"}]',
      HAUSPOST_PICKUP_ERP_1_SENDERS: 'local, erp@partner.example',
    };
    const { config, sourceOf } = loaded(load(t, '', environment).result);
    t.match(config.pickups, [
      { directory: '/srv/pickup', senders: ['local', 'erp@partner.example'], senderFirst: true },
    ]);
    t.equal(sourceOf('pickups[0].preset'), 'environment');
    t.equal(sourceOf('pickups[0].senderFirst'), 'preset');
    t.strictSame(changedKeys(configSchema.parse({}), config), {
      reloadable: ['pickups'],
      needRestart: ['server.dataDirectory'],
    });
  },
);

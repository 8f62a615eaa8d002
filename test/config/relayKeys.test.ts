/** The tables `[[relays]]`: presets and what goes before them, what is missing or out of place, the environment, and how it is shown. */

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
import { RELAY_PRESET_NAMES } from '../../src/config/relayKeys.ts';
import { configSchema } from '../../src/config/schema.ts';

const GUID = '01234567-89ab-cdef-0123-456789abcdef';

function load(
  t: Test,
  text: string,
  environment: Record<string, string> = {},
): { result: LoadedConfig | FaultyConfig; directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-relay-keys-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'h.toml');
  writeFileSync(file, text);
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

/** Line, key and text of each problem. */
function problemsOf(t: Test, text: string): string[] {
  const { result } = load(t, text);
  return result.kind === 'loaded'
    ? []
    : result.problems.map(({ line, key, text }) => `${line}: ${key}: ${text}`);
}

const relay = (keys: string) => `[[relays]]\nname = "out"\n${keys}\n`;

/** What each preset needs beside its name. */
const LEAST: Readonly<Record<string, string>> = {
  'exchange-connector': 'tenantDomain = "Mail.Contoso.com"',
  'exchange-smtp-auth': 'user = "app@contoso.com"',
  'exchange-xoauth2': `user = "app@contoso.com"\ntenant = "contoso.com"\nclientId = "${GUID}"`,
  'exchange-graph': `mailbox = "app@contoso.com"\ntenant = "${GUID}"\nclientId = "${GUID}"`,
  'exchange-hve': 'user = "hve@contoso.com"',
  'azure-communication-services': 'user = "acs.name"',
};

t.test('every preset makes a whole relay of the little that it needs, and says what that is', async (t) => {
  t.strictSame([...RELAY_PRESET_NAMES], Object.keys(RELAY_PRESETS));
  for (const preset of RELAY_PRESET_NAMES) {
    const { config, warnings } = loaded(load(t, relay(`preset = "${preset}"\n${LEAST[preset]}`)).result);
    t.match(config.relays, [{ ...RELAY_PRESETS[preset]?.values, name: 'out', preset }], preset);
    t.strictSame(warnings, []);
    t.not(problemsOf(t, relay(`preset = "${preset}"`)).length, 0, `${preset} without anything`);
  }
  const { config } = loaded(
    load(t, relay(`preset = "exchange-connector"\n${LEAST['exchange-connector']}`)).result,
  );
  t.strictSame(config.relays[0]?.hosts, ['mail-contoso-com.mail.protection.outlook.com:25']);
  t.strictSame(problemsOf(t, relay('preset = "exchange-connector"')), [
    '1: relays[0]: needs tenantDomain or hosts (preset exchange-connector)',
  ]);
});

t.test(
  'what is written goes before the preset, and config print says where each value is from',
  async (t) => {
    const text = relay(
      'preset = "exchange-smtp-auth"\nuser = "a@contoso.com"\nhosts = ["relay.example:2525"]\nsecretExpires = 2027-05-31\nlogin = "xoauth2"\ntenant = "contoso.com"\n' +
        `clientId = "${GUID}"\nclientSecretFile = "secret"`,
    );
    const { result, directory } = load(t, text, { HAUSPOST_RELAY_OUT_CONNECTION_LIMIT: '1' });
    const first = loaded(result);
    t.match(first.config.relays, [
      {
        hosts: ['relay.example:2525'],
        connectionLimit: 1,
        messagesPerMinuteLimit: 30,
        secretExpires: '2027-05-31',
        clientSecretFile: join(directory, 'secret'),
      },
    ]);
    const shown = printConfig(first);
    t.match(shown, /^hosts = \[ "relay\.example:2525" \] # file$/m);
    t.match(shown, /^connectionLimit = 1 # environment$/m);
    t.match(shown, /^messagesPerMinuteLimit = 30 # preset$/m);
    t.match(shown, /^tlsMinimumVersion = "TLSv1\.2" # default$/m);
    t.strictSame(
      configSchema.parse(parse(shown)),
      first.config,
      'what is shown is a file to the same effect',
    );
  },
);

t.test('faults have their line, and say what is allowed or meant', async (t) => {
  const rows: readonly (readonly [keys: string, problem: string])[] = [
    ['hots = ["a"]', '3: relays[0].hots: unknown key; did you mean hosts?'],
    [
      'preset = "exchange-conector"\nhosts = ["a"]',
      `3: relays[0].preset: found "exchange-conector"; allowed: one of ${RELAY_PRESET_NAMES.join(', ')}`,
    ],
    ['', '1: relays[0]: needs hosts (way = "smtp")'],
    ['hosts = ["a:0"]', '3: relays[0].hosts: found "a:0"; allowed: a port from 1 to 65535'],
    ['hosts = ["a b"]', '3: relays[0].hosts[0]: found "a b"; allowed: hosts like smtp.example.com:587'],
    ['hosts = ["a"]\nlogin = "password"', '1: relays[0]: needs user (login = "password")'],
    ['hosts = ["a"]\nkeyFile = "k"', '4: relays[0].keyFile: certificateFile and keyFile go together'],
    ['hosts = ["a"]\npasswordFile = "p"', '4: relays[0].passwordFile: is for login = "password"'],
    ['hosts = ["a"]\ntenant = "b"', '4: relays[0].tenant: is for login = "xoauth2" and way = "graph"'],
    ['hosts = ["a"]\ndomains = ["b"]', '4: relays[0].domains: is for way = "direct"; this one is "smtp"'],
    ['way = "direct"', '1: relays[0]: needs domains (way = "direct")'],
    [
      'way = "direct"\ndomains = ["b"]\nlogin = "password"',
      '5: relays[0].login: is for way = "smtp"; this one is "direct"',
    ],
    [
      `preset = "exchange-graph"\n${LEAST['exchange-graph']}\nfallback = "in"`,
      '7: relays[0].fallback: found "in"; allowed: a relay with way = "smtp"',
    ],
    [
      `preset = "exchange-graph"\n${LEAST['exchange-graph']}\ngrant = "certificate"`,
      '1: relays[0]: needs applicationCertificateFile (preset exchange-graph)',
    ],
    [
      'hosts = ["a"]\nsecretExpires = "soon"',
      '4: relays[0].secretExpires: found "soon"; allowed: a date like 2027-05-31',
    ],
    [
      'hosts = ["a"]\nsizeLimitOctets = 5',
      '4: relays[0].sizeLimitOctets: allowed: 0, or a whole number from 1024 to 1073741824',
    ],
  ];
  for (const [keys, problem] of rows) t.strictSame(problemsOf(t, relay(keys)), [problem], keys);
  t.strictSame(problemsOf(t, relay('hosts = ["a"]') + relay('hosts = ["b"]')), [
    '5: relays[1].name: found "out" a second time; names are unique',
  ]);
  t.match(
    loaded(load(t, relay('hosts = ["a"]\nlogin = "password"\nuser = "u"\ntls = "none"')).result).warnings,
    [/^relay out logs in with tls = "none"/],
  );
});

t.test('relays come whole from the environment too, and a reload takes them without a restart', async (t) => {
  const environment = {
    HAUSPOST_RELAYS: '[{"name":"to-m365","preset":"exchange-hve","user":"u"}]',
    HAUSPOST_RELAY_TO_M365_USER: 'hve@contoso.com',
  };
  const { config, sourceOf } = loaded(load(t, '', environment).result);
  t.match(config.relays, [{ user: 'hve@contoso.com', hosts: ['smtp.hve.mx.microsoft:587'] }]);
  t.equal(sourceOf('relays[0].preset'), 'environment');
  t.equal(sourceOf('relays[0].hosts'), 'preset');
  t.strictSame(changedKeys(configSchema.parse({}), config), {
    reloadable: ['relays'],
    needRestart: ['server.dataDirectory'],
  });
  const wrong = load(t, '', { HAUSPOST_RELAYS: '{' }).result;
  t.match(wrong, { problems: [{ where: 'HAUSPOST_RELAYS', key: 'relays' }] });
});

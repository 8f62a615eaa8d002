/** The section `exchange` and the door of a listener: what goes together, what an administrator is warned of, and no secret in any text. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import t, { type Test } from 'tap';

import { maskedConfig, printConfig } from '../../src/config/explain.ts';
import { type FaultyConfig, type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problems.ts';

const TENANT = '0a1b2c3d-1111-2222-3333-444455556666';
const SECRET = 'correct-horse-battery-staple';

function load(
  t: Test,
  text: string,
  files: Readonly<Record<string, string>> = {},
): LoadedConfig | FaultyConfig {
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-exchange-keys-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  for (const [name, content] of Object.entries({ ...files, 'hauspost.toml': text }))
    writeFileSync(join(directory, name), content);
  return loadConfig({
    file: join(directory, 'hauspost.toml'),
    defaultDirectory: directory,
    environment: {},
    imapCapabilities: [],
    pop3Capabilities: [],
    relayPresets: {},
  });
}

const listener = (keys: string) => `[[listeners]]\nname = "mx"\nprotocol = "smtp"\nport = 25\n${keys}\n`;

function problemsOf(loaded: LoadedConfig | FaultyConfig): string {
  return loaded.kind === 'faulty' ? loaded.problems.map(formatProblem).join('\n') : '';
}

t.test('a level needs what it is held against', async (t) => {
  const cases: [string, string, RegExp][] = [
    ['', 'door = ["ip"]', /^$/],
    ['', 'door = ["tls"]', /^$/],
    ['', 'door = ["tls"]\ntls = "none"', /asks for "tls", which needs TLS on the listener/],
    ['', 'door = ["tenant"]', /needs exchange\.tenantIds/],
    [
      '',
      'door = ["secret"]',
      /needs exchange\.secretHeader[\s\S]*needs exchange\.secret or exchange\.secretFile/,
    ],
    ['', 'door = ["dkim"]', /needs exchange\.dkimDomains/],
    ['', 'door = ["spf"]', /listeners\[0\]\.door/],
    ['', 'door = ["ip"]\nrole = "submission"', /this listener is for submission/],
    [`[exchange]\ntenantIds = ["${TENANT}"]`, 'door = ["tenant"]', /^$/],
    [`[exchange]\nsecretHeader = "X-Relay"\nsecret = "${SECRET}"`, 'door = ["secret"]', /^$/],
    ['[exchange]\ndkimDomains = ["contoso.onmicrosoft.com"]', 'door = ["dkim", "ip"]', /^$/],
    [
      '[tls]\nminimumVersion = "TLSv1.3"',
      'tlsMaximumVersion = "TLSv1.2"',
      /is lower than tls\.minimumVersion/,
    ],
    [`[exchange]\npreviousSecret = "${SECRET}"`, '', /is there without exchange\.secret/],
    ['[exchange]\ntenantIds = ["contoso"]', '', /a tenant id \(GUID\)/],
    ['[exchange]\nsourceRanges = ["10.0.0.0/33"]', '', /an address, or a block/],
    ['[exchange]\nsecretHeader = "Subject"', '', /exchange\.secretHeader/],
    ['[exchange]\ndnsServers = ["127.0.0.1:5353", "::1", "[::1]:53"]', '', /^$/],
    ['[exchange]\ndnsServers = ["resolver.example"]', '', /an address/],
  ];
  for (const [section, keys, expected] of cases)
    t.match(problemsOf(load(t, `${section}\n${listener(keys)}`)), expected, `${section} ${keys}`);
  const imap = '[[listeners]]\nname = "imap"\nprotocol = "imap"\nport = 143\ndoor = ["ip"]\n';
  t.match(problemsOf(load(t, imap)), /is for smtp listeners/);
});

t.test('a relay-in listener that everybody reaches and that asks for nothing is warned of', async (t) => {
  const warningsOf = (keys: string) => {
    const loaded = load(t, listener(keys));
    return loaded.kind === 'loaded' ? loaded.warnings.join('\n') : problemsOf(loaded);
  };
  t.match(warningsOf('address = "0.0.0.0"'), /listener mx takes mail for our domains from everybody/);
  t.match(warningsOf('address = "::"\ndoor = []'), /listener mx takes mail/);
  for (const keys of ['', 'address = "127.0.0.2"', 'address = "::1"', 'address = "0.0.0.0"\ndoor = ["ip"]'])
    t.equal(warningsOf(keys), '', keys);
  t.equal(warningsOf('address = "0.0.0.0"\nrole = "submission"'), '');
});

t.test('secrets come from files too, and are shown nowhere', async (t) => {
  const text = `[exchange]\nsecretHeader = "X-Relay"\nsecretFile = "now"\npreviousSecretFile = "before"\n${listener('door = ["secret"]')}`;
  const loaded = load(t, text, { now: `${SECRET}\n`, before: 'the-one-before-this-one\n' });
  if (loaded.kind === 'faulty') throw new Error(problemsOf(loaded));
  t.equal(loaded.config.exchange.secret, SECRET);
  t.equal(loaded.config.exchange.previousSecret, 'the-one-before-this-one');
  for (const shown of [printConfig(loaded), JSON.stringify(maskedConfig(loaded))]) {
    t.match(shown, /\*{8}/);
    t.notMatch(shown, new RegExp(`${SECRET}|the-one-before`));
  }
  for (const wrong of ['short', 'with blanks and long enough', 'ümlaut-and-long-enough']) {
    const faulty = problemsOf(load(t, `[exchange]\nsecret = "${wrong}"\n${listener('')}`));
    t.match(faulty, /exchange\.secret: allowed: 16 to 200 characters/);
    t.notMatch(faulty, wrong);
  }
});

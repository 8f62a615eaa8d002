/** The configuration: loading, messages, environment, secrets, printing, and that the documentation says what is true. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import t from 'tap';
import { RELAY_PRESETS } from '../../src/exchange/relayPresets.ts';
import { PROFILE_NAMES } from '../../src/accounts/profiles.ts';
import { changedKeys } from '../../src/config/changes.ts';
import { documentKeys, maskedConfig, printConfig } from '../../src/config/explain.ts';
import { CONFIG_KEYS, configJsonSchema } from '../../src/config/keys.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problems.ts';
import { PROFILES } from '../../src/config/listenerKeys.ts';
import { configSchema, RELOADABLE_KEYS, SECRET_KEYS } from '../../src/config/schema.ts';

const common = {
  imapCapabilities: ['IDLE', 'STARTTLS', 'LITERAL+'],
  pop3Capabilities: ['SASL', 'UTF8'],
  relayPresets: RELAY_PRESETS,
};

function load(
  t: { testdir(content: Record<string, string>): string },
  toml: string,
  environment: Record<string, string> = {},
  files: Record<string, string> = {},
) {
  const directory = t.testdir({ 'hauspost.toml': toml, ...files });
  const file = join(directory, 'hauspost.toml');
  return {
    file,
    directory,
    result: loadConfig({ ...common, file, defaultDirectory: directory, environment }),
  };
}

function loaded(result: ReturnType<typeof loadConfig>): LoadedConfig {
  if (result.kind === 'faulty') throw new Error(result.problems.map(formatProblem).join('\n'));
  return result;
}

function problems(result: ReturnType<typeof loadConfig>): string[] {
  return result.kind === 'faulty' ? result.problems.map(formatProblem) : [];
}

t.test('without a file the defaults are safe: loopback only, high ports, TLS offered', async (t) => {
  const result = loaded(
    loadConfig({ ...common, file: undefined, defaultDirectory: '/somewhere', environment: {} }),
  );
  t.equal(result.config.server.dataDirectory, '/somewhere');
  t.equal(result.config.smtp.sizeLimitOctets, 157286400);
  for (const listener of result.config.listeners) {
    t.equal(listener.address, '127.0.0.1');
    t.ok(listener.port > 1023);
    t.not(listener.tls, 'none');
  }
});

t.test('a file is read, and relative paths are taken from its directory', async (t) => {
  const { result, directory } = load(
    t,
    '[server]\nname = "mail.example.com"\ndataDirectory = "state"\n[[listeners]]\nname = "smtp"\nprotocol = "smtp"\naddress = "::1"\nport = 25\ntls = "required"\ncertificateFile = "a.pem"\nkeyFile = "b.pem"\n',
  );
  const { config } = loaded(result);
  t.equal(config.server.dataDirectory, join(directory, 'state'));
  t.match(config.listeners, [
    { address: '::1', port: 25, tls: 'required', certificateFile: join(directory, 'a.pem') },
  ]);
});

t.test('every fault names file, line, key, what was found and what is allowed, all at once', async (t) => {
  const { result, file } = load(
    t,
    [
      '[smtp]',
      'sizeLimitOctets = 1',
      'sizeLimitOctet = 5',
      '[sever]',
      'x = 1',
      '[[listeners]]',
      'name = "smtp"',
      'protocol = "ftp"',
      '[[listeners]]',
      'name = "imap"',
      'protocol = "imap"',
      'port = "143"',
    ].join('\n'),
  );
  t.strictSame(
    problems(result).sort(),
    [
      `${file}:10: listeners[1].port: found "143"; allowed: a whole number from 0 to 65535`.replace(
        ':10:',
        ':12:',
      ),
      `${file}:2: smtp.sizeLimitOctets: found 1; allowed: a whole number from 65536 to 1073741824`,
      `${file}:3: smtp.sizeLimitOctet: unknown key; did you mean sizeLimitOctets?`,
      `${file}:4: sever: unknown key; did you mean server?`,
      `${file}:6: listeners[0].port: is missing; allowed: a whole number from 0 to 65535`,
      `${file}:8: listeners[0].protocol: found "ftp"; allowed: one of smtp, pop3, imap`,
    ].sort(),
  );
});

t.test('a file that is no TOML or cannot be read is a problem with its place', async (t) => {
  const { result, file, directory } = load(t, '[smtp\n');
  t.match(problems(result), [new RegExp(`${file.replaceAll('/', '.')}:1: column \\d+: `)]);
  const missing = loadConfig({
    ...common,
    file: join(directory, 'absent.toml'),
    defaultDirectory: directory,
    environment: {},
  });
  t.match(problems(missing), [/absent\.toml: can't be read/]);
});

t.test('listeners that clash, and halves of a certificate, are told', async (t) => {
  const { result } = load(
    t,
    '[tls]\ncertificateFile = "c.pem"\nminimumVersion = "TLSv1.3"\nmaximumVersion = "TLSv1.2"\n[[listeners]]\nname = "a"\nprotocol = "smtp"\nport = 1\n[[listeners]]\nname = "a"\nprotocol = "pop3"\nport = 2\nkeyFile = "k"\n[[listeners]]\nname = "tls"\nprotocol = "pop3"\nport = 3\ncertificateFile = "c"\nkeyFile = "k"\n',
  );
  const found = problems(result).join('\n');
  for (const text of [
    /listeners\[1\]\.name: found "a" a second time/,
    /listeners\[1\]: certificateFile and keyFile/,
    /tls: certificateFile and keyFile/,
    /tls\.maximumVersion: is lower/,
    /listeners\[2\]\.name: found "tls"/,
  ]) {
    t.match(found, text);
  }
});

t.test('a listener with legacy TLS is warned about, and one without TLS cannot have it', async (t) => {
  const listener = (more: string) => `[[listeners]]\nname = "old"\nport = 1\nlegacyTls = true\n${more}\n`;
  t.match(loaded(load(t, listener('protocol = "pop3"')).result).warnings, [
    /^listener old takes TLS 1\.0 and 1\.1 .*let only the programs/,
  ]);
  t.match(loaded(load(t, listener('protocol = "smtp"')).result).warnings, [
    /Exchange Online another listener/,
  ]);
  t.match(problems(load(t, listener('protocol = "pop3"\ntls = "none"')).result), [
    /listeners\[0\]\.legacyTls: is of no use with tls = "none"$/,
  ]);
  t.strictSame(loaded(load(t, '').result).warnings, []);
});

t.test(
  'a listener names a ready profile, all of which there are, and greets with a line that clients can read',
  async (t) => {
    t.strictSame([...PROFILES], [...PROFILE_NAMES]);
    const listener = (protocol: string, more: string) =>
      `[[listeners]]\nname = "a"\nprotocol = "${protocol}"\nport = 1\n${more}\n`;
    for (const profile of PROFILES) {
      const { result } = load(t, listener('imap', `profile = "${profile}"\ngreeting = "ready [now]"`));
      t.match(loaded(result).config.listeners, [{ profile, greeting: 'ready [now]' }]);
    }
    const refused = (protocol: string, more: string) => problems(load(t, listener(protocol, more)).result);
    t.match(refused('imap', 'profile = "Exchange"'), [
      /found "Exchange"; allowed: one of default, hmailserver/,
    ]);
    t.match(refused('imap', 'greeting = "ready <1@x>"'), [/greeting: has an angle bracket/]);
    t.match(refused('imap', 'greeting = "[CAPABILITY X] hi"'), [/greeting: begins with \[/]);
    t.match(refused('imap', 'greeting = "a\\r\\nb"'), [/greeting: found "a\\r\\nb"/]);
    t.match(refused('imap', `greeting = "${'x'.repeat(401)}"`), [/greeting: found/]);
    t.match(refused('smtp', 'profile = "default"'), [
      /profile: is for pop3 and imap listeners; this one speaks smtp/,
    ]);
    const pop3 =
      'hiddenCapabilities = ["utf8"]\nmaildropSharing = "exclusive"\nretrMarksSeen = true\nprofile = "exchange"';
    t.match(loaded(load(t, listener('pop3', pop3)).result).config.listeners, [
      { maildropSharing: 'exclusive', retrMarksSeen: true, profile: 'exchange' },
    ]);
    t.match(refused('imap', 'retrMarksSeen = false'), [
      /retrMarksSeen: is for pop3 listeners; this one speaks imap/,
    ]);
    t.match(refused('pop3', 'literalForm = "plus"'), [
      /literalForm: is for imap listeners; this one speaks pop3/,
    ]);
  },
);

t.test('SMTP listeners have a role and ways with old clients, and no others', async (t) => {
  const listener = (protocol: string, role: string) =>
    `[[listeners]]\nname = "a"\nprotocol = "${protocol}"\nport = 1\nrole = "${role}"\n`;
  t.match(loaded(load(t, listener('smtp', 'submission')).result).config.listeners, [{ role: 'submission' }]);
  const misplaced = load(t, listener('pop3', 'submission'));
  t.strictSame(problems(misplaced.result), [
    `${misplaced.file}: listeners[0].role: is for smtp listeners; this one speaks pop3`,
  ]);
  t.match(problems(load(t, listener('smtp', 'relay')).result), [/role: .*one of relayIn, submission/]);
  const old = 'submission"\nlenientSyntax = true\nbareLineEnds = "refuse';
  t.match(loaded(load(t, listener('smtp', old)).result).config.listeners, [
    { lenientSyntax: true, bareLineEnds: 'refuse' },
  ]);
  t.match(problems(load(t, listener('imap', old)).result), [
    /role:/,
    /lenientSyntax:/,
    /bareLineEnds: is for smtp/,
  ]);
});

t.test(
  'keys for IMAP are refused on other listeners, and capabilities by the list of what is offered',
  async (t) => {
    const listener = (protocol: string, more: string) =>
      `[[listeners]]\nname = "a"\nprotocol = "${protocol}"\nport = 1\n${more}\n`;
    const keys = 'hierarchyDelimiter = "."\nhiddenCapabilities = ["idle", "LITERAL+"]';
    const { result, directory } = load(t, listener('imap', keys));
    t.match(loaded(result).config.listeners, [
      { hierarchyDelimiter: '.', hiddenCapabilities: ['idle', 'LITERAL+'] },
    ]);
    t.match(printConfig(loaded(result)), /^hiddenCapabilities = \[ "idle", "LITERAL\+" \] # file$/m);
    const file = join(directory, 'hauspost.toml');
    t.strictSame(problems(load(t, listener('pop3', keys)).result), [
      `${file}: listeners[0].hierarchyDelimiter: is for imap listeners; this one speaks pop3`,
      ...['idle', 'LITERAL+'].map(
        (name) => `${file}: listeners[0].hiddenCapabilities: found "${name}"; allowed: SASL, UTF8`,
      ),
    ]);
    const wrong = listener('imap', 'hiddenCapabilities = ["IMAP4rev1", "IDEL"]');
    t.strictSame(
      problems(load(t, wrong).result),
      ['IMAP4rev1', 'IDEL'].map(
        (name) =>
          `${file}: listeners[0].hiddenCapabilities: found "${name}"; allowed: IDLE, STARTTLS, LITERAL+`,
      ),
    );
    const environment = { HAUSPOST_IMAPS_HIDDEN_CAPABILITIES: 'IDLE, LITERAL+' };
    const { listeners } = loaded(load(t, '', environment).result).config;
    t.strictSame(listeners.find(({ name }) => name === 'imaps')?.hiddenCapabilities, ['IDLE', 'LITERAL+']);
    t.match(problems(load(t, listener('imap', 'hiddenCapabilities = "IDLE"')).result), [
      /found "IDLE"; allowed: a list of texts$/,
    ]);
  },
);

t.test(
  'the environment stands over the file, for sections, for listeners by name and for the whole list',
  async (t) => {
    const environment = {
      HAUSPOST_SMTP_PORT: '25',
      HAUSPOST_SMTP_SIZE_LIMIT_OCTETS: '100000',
      HAUSPOST_IMAPS_ADDRESS: '::1',
    };
    const { config, sourceOf } = loaded(load(t, '[smtp]\nsizeLimitOctets = 70000\n', environment).result);
    t.equal(config.smtp.sizeLimitOctets, 100000);
    t.equal(config.listeners.find((listener) => listener.name === 'smtp')?.port, 25);
    t.equal(config.listeners.find((listener) => listener.name === 'imaps')?.address, '::1');
    t.equal(sourceOf('smtp.sizeLimitOctets'), 'environment');
    t.equal(sourceOf('listeners[0].port'), 'environment');
    t.equal(sourceOf('log.level'), 'default');
    const list = loaded(
      load(t, '', {
        HAUSPOST_LISTENERS: '[{"name":"x","protocol":"pop3","port":110}]',
        HAUSPOST_X_TLS: 'none',
      }).result,
    );
    t.match(list.config.listeners, [{ name: 'x', port: 110, tls: 'none' }]);
  },
);

t.test('a key that is true or false is so in the environment, and nothing else', async (t) => {
  const of = (value: string) => load(t, '', { HAUSPOST_IMAP_COMPRESSION: value }).result;
  t.equal(loaded(load(t, '').result).config.imap.compression, false);
  t.equal(loaded(of('true')).config.imap.compression, true);
  t.equal(loaded(of('false')).config.imap.compression, false);
  t.strictSame(problems(of('yes')), [
    'HAUSPOST_IMAP_COMPRESSION: imap.compression: found "yes"; allowed: true or false',
  ]);
});

t.test('faults of the environment name the variable; unknown variables are warnings', async (t) => {
  t.strictSame(problems(load(t, '', { HAUSPOST_SMTP_PORT: 'many' }).result), [
    'HAUSPOST_SMTP_PORT: listeners[0].port: found "many"; allowed: a whole number from 0 to 65535',
  ]);
  t.match(problems(load(t, '', { HAUSPOST_LISTENERS: '[' }).result), [
    /^HAUSPOST_LISTENERS: listeners: is not JSON/,
  ]);
  t.strictSame(loaded(load(t, '', { HAUSPOST_LOG_LEVL: 'info', HAUSPOST_CONFIG: 'x' }).result).warnings, [
    'environment variable HAUSPOST_LOG_LEVL is not known; did you mean HAUSPOST_LOG_LEVEL?',
  ]);
});

t.test('a secret can stand in a file of its own, not in both, and is masked when shown', async (t) => {
  const result = loaded(load(t, '[tls]\npassphraseFile = "secret"\n', {}, { secret: 'geheim\n' }).result);
  t.equal(result.config.tls.passphrase, 'geheim');
  t.notMatch(printConfig(result), /geheim/);
  t.notMatch(JSON.stringify(maskedConfig(result)), /geheim/);
  t.match(
    problems(load(t, '[tls]\npassphrase = "a"\npassphraseFile = "secret"\n', {}, { secret: 'b' }).result),
    [/given twice/],
  );
  t.match(problems(load(t, '[tls]\npassphraseFile = "absent"\n').result), [
    /tls\.passphraseFile: can't be read/,
  ]);
});

t.test('config print is a file that loads to the same configuration', async (t) => {
  const first = loaded(load(t, '[imap]\ndelimiter = "."\n', { HAUSPOST_LOG_LEVEL: 'debug' }).result);
  const text = printConfig(first);
  t.match(text, /delimiter = "\." # file/);
  t.match(text, /level = "debug" # environment/);
  t.strictSame(configSchema.parse(parse(text)), first.config);
});

t.test('a reload tells which changes take effect and which need a restart', async (t) => {
  const before = configSchema.parse({});
  const after = configSchema.parse({
    log: { level: 'debug' },
    imap: { delimiter: '.' },
    listeners: [{ name: 'a', protocol: 'imap', port: 1 }],
  });
  t.strictSame(changedKeys(before, after), {
    reloadable: ['log.level'],
    needRestart: ['imap.delimiter', 'listeners'],
  });
  t.strictSame(changedKeys(before, before), { reloadable: [], needRestart: [] });
});

t.test(
  'every key has a sentence of description, an environment variable of its own, and lists name real keys',
  async (t) => {
    const variables = CONFIG_KEYS.map((key) => key.environment);
    t.equal(new Set(variables).size, variables.length);
    for (const key of CONFIG_KEYS) t.match(key.description, /^[A-Za-z].{10,}[.;)]$/, key.path);
    for (const path of [...RELOADABLE_KEYS, ...SECRET_KEYS])
      t.ok(
        CONFIG_KEYS.some((key) => key.path === path),
        path,
      );
    t.match(configJsonSchema(), { type: 'object', additionalProperties: false });
  },
);

t.test('docs/CONFIGURATION.md holds every key as the schema has it', async (t) => {
  const text = readFileSync(new URL('../../docs/CONFIGURATION.md', import.meta.url), 'utf8');
  t.ok(text.includes(documentKeys()), 'run `npm run docs` and commit the result');
});

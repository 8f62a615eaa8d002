/**
 * Loads a configuration: file, then environment, then secret files, then presets below it all, then the schema's check.
 *
 * Errors are values: every problem is found at once and names file, line, key, what was found and what is allowed.
 * Relative paths in the file are taken from the file's directory.
 * Trust: the file and the environment belong to the administrator; only their form is checked.
 */

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parse, TomlDate, TomlError } from 'smol-toml';
import { dropProblems, dropWarnings } from './dropKeys.ts';
import { overlayEnvironment } from './environment.ts';
import { doorProblems, doorWarnings, type ExchangeConfig } from './exchangeKeys.ts';
import { CONFIG_KEYS, findKey, LIST_PREFIXES } from './keys.ts';
import { describeIssues, type Origins, type Problem, problemAt } from './problems.ts';
import type { ListenerConfig } from './listenerKeys.ts';
import type { PickupConfig } from './pickupKeys.ts';
import { overlayPickupPresets } from './pickupPresets.ts';
import { pickupProblems, pickupWarnings } from './pickupProblems.ts';
import { RELAY_FILE_KEYS, type RelayConfig } from './relayKeys.ts';
import { overlayPresets, type RelayPresets } from './relayOverlay.ts';
import { relayProblems, relayWarnings } from './relayProblems.ts';
import { type Config, configSchema, SECRET_KEYS } from './schema.ts';

/** Where a value came from. */
export type ValueSource = 'default' | 'preset' | 'file' | 'environment';

/** A configuration that can be used. */
export interface LoadedConfig {
  readonly kind: 'loaded';
  readonly config: Config;
  /** The file that was read; undefined when there was none. */
  readonly file: string | undefined;
  /** Source by key path (`smtp.sizeLimitOctets`, `listeners[0].port`). */
  sourceOf(path: string): ValueSource;
  readonly warnings: readonly string[];
}

/** A configuration that can't. */
export interface FaultyConfig {
  readonly kind: 'faulty';
  readonly problems: readonly Problem[];
}

/** Keys of listeners that not every protocol has. */
const KEYS_OF_PROTOCOLS: Readonly<Record<string, readonly ListenerConfig['protocol'][]>> = {
  role: ['smtp'],
  lenientSyntax: ['smtp'],
  bareLineEnds: ['smtp'],
  door: ['smtp'],
  profile: ['pop3', 'imap'],
  greeting: ['pop3', 'imap'],
  literalForm: ['imap'],
  hierarchyDelimiter: ['imap'],
  hiddenCapabilities: ['pop3', 'imap'],
  maildropSharing: ['pop3'],
  retrMarksSeen: ['pop3'],
};

/** What to load. */
export interface LoadOptions {
  /** The file; undefined for defaults and environment only. */
  readonly file: string | undefined;
  /** Directory that relative paths are taken from when there is no file. */
  readonly defaultDirectory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Capabilities that an IMAP listener can hide; imapd knows them. */
  readonly imapCapabilities: readonly string[];
  /** Those that a POP3 listener can hide. */
  readonly pop3Capabilities: readonly string[];
  /** The ready values of relays; exchange knows them. */
  readonly relayPresets: RelayPresets;
}

type Capabilities = Pick<LoadOptions, 'imapCapabilities' | 'pop3Capabilities'>;

/** Loads, checks and completes. Never throws on bad content; a file that can't be read is a problem too. */
export function loadConfig(options: LoadOptions): LoadedConfig | FaultyConfig {
  const file = options.file === undefined ? undefined : resolve(options.file);
  const where = file ?? 'environment';
  const source = file === undefined ? { kind: 'text' as const, text: '' } : readText(file);
  if (source.kind === 'unreadable') return faulty([{ where, line: undefined, key: '', text: source.reason }]);
  const parsed = parseToml(source.text, where);
  if (parsed.kind === 'faulty') return parsed;
  const overlay = overlayEnvironment(parsed.raw, options.environment);
  const directory = file === undefined ? options.defaultDirectory : dirname(file);
  const origins: Origins = { file: where, text: source.text, variables: overlay.variables };
  const problems = [...overlay.problems, ...readSecrets(overlay.raw, directory, origins)];
  const whole = overlayPickupPresets(overlayPresets(overlay.raw, options.relayPresets));
  const checked = configSchema.safeParse(whole);
  if (!checked.success) problems.push(...describeIssues(checked.error.issues, whole, origins));
  else problems.push(...crossCheck(checked.data, origins, options), ...checkRelays(checked.data, origins));
  const config = checked.success ? absolute(checked.data, directory) : undefined;
  if (config !== undefined) problems.push(...checkDrops(config, origins), ...checkPickups(config, origins));
  if (problems.length > 0 || config === undefined) return faulty(problems);
  return {
    kind: 'loaded',
    config,
    file,
    sourceOf: (path) => sourceOf(path, { file: parsed.raw, set: overlay.raw, whole }, overlay.variables),
    warnings: [
      ...overlay.warnings,
      ...config.listeners.flatMap(listenerWarnings),
      ...config.listeners.flatMap(doorWarnings),
      ...config.relays.flatMap(relayWarnings),
      ...config.drops.flatMap((drop) => dropWarnings(drop, config.server.dataDirectory)),
      ...pickupWarnings(config),
    ],
  };
}

/** The host name that the server presents itself with. */
export function serverName(config: Config): string {
  return config.server.name ?? hostname();
}

function faulty(problems: readonly Problem[]): FaultyConfig {
  return { kind: 'faulty', problems };
}

function readText(file: string): { kind: 'text'; text: string } | { kind: 'unreadable'; reason: string } {
  try {
    return { kind: 'text', text: readFileSync(file, 'utf8').replace(/^\uFEFF/, '') };
  } catch (error) {
    return {
      kind: 'unreadable',
      reason: `can't be read: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function parseToml(
  text: string,
  where: string,
): { kind: 'parsed'; raw: Record<string, unknown> } | FaultyConfig {
  try {
    return { kind: 'parsed', raw: datesAsText(parse(text)) as Record<string, unknown> };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0] ?? '';
    return faulty([{ where, line: error.line, key: '', text: `column ${error.column}: ${reason}` }]);
  }
}

/** A date without quotes as the text that it was written as: keys that are dates take texts. */
function datesAsText(value: unknown): unknown {
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return value.map(datesAsText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, datesAsText(child)]));
}

function readSecrets(raw: Record<string, unknown>, directory: string, origins: Origins): Problem[] {
  return SECRET_KEYS.flatMap((path) => {
    const [section = '', name = ''] = path.split('.');
    const table = raw[section] as Record<string, unknown> | undefined;
    const file = table?.[`${name}File`];
    if (table === undefined || typeof file !== 'string') return [];
    const where = origins.variables.get(`${path}File`) ?? origins.file;
    if (table[name] !== undefined)
      return [{ where, line: undefined, key: path, text: `is given twice: here and as ${name}File` }];
    const secret = readText(resolve(directory, file));
    if (secret.kind === 'unreadable')
      return [{ where, line: undefined, key: `${path}File`, text: secret.reason }];
    table[name] = secret.text.split(/\r?\n/)[0];
    return [];
  });
}

function crossCheck(config: Config, origins: Origins, capabilities: Capabilities): Problem[] {
  const problems: Problem[] = [];
  const add = (key: string, text: string) =>
    problems.push({ where: origins.file, line: undefined, key, text });
  const listenerKeyNames = CONFIG_KEYS.filter((key) => key.section === 'listeners').map((key) => key.name);
  const names = config.listeners.map((listener) => listener.name);
  for (const [index, listener] of config.listeners.entries()) {
    if (names.indexOf(listener.name) !== index)
      add(`listeners[${index}].name`, `found "${listener.name}" a second time; names are unique`);
    if ((listener.certificateFile === undefined) !== (listener.keyFile === undefined)) {
      add(`listeners[${index}]`, 'certificateFile and keyFile go together');
    }
    if (listener.legacyTls && listener.tls === 'none')
      add(`listeners[${index}].legacyTls`, 'is of no use with tls = "none"');
    for (const [name, text] of [
      ...protocolProblems(listener, capabilities),
      ...doorProblems(listener, config.exchange),
    ])
      add(`listeners[${index}].${name}`, text);
    if (config.tls.minimumVersion > (listener.tlsMaximumVersion ?? config.tls.minimumVersion))
      add(`listeners[${index}].tlsMaximumVersion`, 'is lower than tls.minimumVersion');
    const clash = listenerKeyNames.find((name) => findKey(`${listener.name}.${name}`) !== undefined);
    if (clash !== undefined) {
      add(`listeners[${index}].name`, `found "${listener.name}"; ${listener.name}.${clash} is another key`);
    }
  }
  if ((config.tls.certificateFile === undefined) !== (config.tls.keyFile === undefined))
    add('tls', 'certificateFile and keyFile go together');
  if (config.tls.minimumVersion > config.tls.maximumVersion)
    add('tls.maximumVersion', 'is lower than tls.minimumVersion');
  if (config.exchange.secret === undefined && config.exchange.previousSecret !== undefined)
    add('exchange.previousSecret', 'is there without exchange.secret');
  return problems;
}

function checkRelays({ relays }: Config, origins: Origins): Problem[] {
  return relays.flatMap((relay, index) =>
    relayProblems(relay, relays).map(([key, text]) =>
      problemAt(['relays', index, ...(key === '' ? [] : [key])], text, origins),
    ),
  );
}

function checkDrops({ drops, pickups }: Config, origins: Origins): Problem[] {
  return drops.flatMap((drop, index) =>
    dropProblems(drop, drops.slice(0, index), pickups).map(([key, text]) =>
      problemAt(['drops', index, key], text, origins),
    ),
  );
}

function checkPickups(config: Config, origins: Origins): Problem[] {
  return config.pickups.flatMap((pickup, index) =>
    pickupProblems(pickup, config).map(([key, text]) => problemAt(['pickups', index, key], text, origins)),
  );
}

/** What is wrong with the keys that only some protocols have: key and text. */
function protocolProblems(
  listener: ListenerConfig,
  { imapCapabilities, pop3Capabilities }: Capabilities,
): (readonly [key: string, text: string])[] {
  const { protocol, hiddenCapabilities = [], greeting } = listener;
  const misplaced = Object.entries(KEYS_OF_PROTOCOLS).flatMap(([key, protocols]) =>
    listener[key as keyof ListenerConfig] === undefined || protocols.includes(protocol)
      ? []
      : [[key, `is for ${protocols.join(' and ')} listeners; this one speaks ${protocol}`] as const],
  );
  const known = protocol === 'pop3' ? pop3Capabilities : imapCapabilities;
  const unknown = (protocol === 'smtp' ? [] : hiddenCapabilities).filter(
    (name) => !known.includes(name.toUpperCase()),
  );
  return [
    ...misplaced,
    ...unknown.map(
      (name) => ['hiddenCapabilities', `found "${name}"; allowed: ${known.join(', ')}`] as const,
    ),
    ...(greeting === undefined ? [] : greetingProblems(greeting)),
  ];
}

/** RFC 1939 section 7, RFC 2449 section 8, RFC 3501 section 7.1: clients read more than a text in these. */
function greetingProblems(greeting: string): (readonly [key: string, text: string])[] {
  if (/[<>]/.test(greeting))
    return [['greeting', 'has an angle bracket: clients would take it for APOP, and fail to log in']];
  if (greeting.startsWith('['))
    return [['greeting', 'begins with [: clients would look for a response code']];
  return [];
}

/** What works, and an administrator should know. */
function listenerWarnings({ name, protocol, legacyTls }: ListenerConfig): string[] {
  if (!legacyTls) return [];
  const others =
    protocol === 'smtp'
      ? 'let devices and old programs reach it, Exchange Online another listener'
      : 'let only the programs reach it that know nothing better';
  return [
    `listener ${name} takes TLS 1.0 and 1.1 and weak ciphers (legacyTls), which whoever listens may break: ${others}`,
  ];
}

function absolute(config: Config, directory: string): Config {
  const from = (path: string | undefined) => (path === undefined ? {} : { path: resolve(directory, path) });
  const pair = (certificate: string | undefined, key: string | undefined) => {
    const certificateFile = from(certificate).path;
    const keyFile = from(key).path;
    return certificateFile === undefined || keyFile === undefined ? {} : { certificateFile, keyFile };
  };
  return {
    ...config,
    server: { ...config.server, dataDirectory: resolve(directory, config.server.dataDirectory) },
    tls: { ...config.tls, ...pair(config.tls.certificateFile, config.tls.keyFile) },
    exchange: withRoots(config.exchange, directory),
    listeners: config.listeners.map((listener) => ({
      ...listener,
      ...pair(listener.certificateFile, listener.keyFile),
    })),
    relays: config.relays.map((relay) => withFiles(relay, directory)),
    drops: config.drops.map((drop) => ({ ...drop, directory: resolve(directory, drop.directory) })),
    pickups: config.pickups.map((pickup) => withDirectories(pickup, directory)),
  };
}

function withFiles(relay: RelayConfig, directory: string): RelayConfig {
  const files = RELAY_FILE_KEYS.flatMap((key) => {
    const file = relay[key];
    return file === undefined ? [] : [[key, resolve(directory, file)] as const];
  });
  return { ...relay, ...Object.fromEntries(files) };
}

function withDirectories(pickup: PickupConfig, directory: string): PickupConfig {
  const { badmailDirectory: badmail } = pickup;
  return {
    ...pickup,
    directory: resolve(directory, pickup.directory),
    ...(badmail === undefined ? {} : { badmailDirectory: resolve(directory, badmail) }),
  };
}

function withRoots(exchange: ExchangeConfig, directory: string): ExchangeConfig {
  const { rootCertificateFile: file } = exchange;
  return file === undefined ? exchange : { ...exchange, rootCertificateFile: resolve(directory, file) };
}

function sourceOf(
  path: string,
  { file, set, whole }: Readonly<Record<'file' | 'set' | 'whole', Readonly<Record<string, unknown>>>>,
  variables: ReadonlyMap<string, string>,
): ValueSource {
  const parts = path.replace(/\[(\d+)\]/g, '.$1').split('.');
  if (variables.has(parts.join('.'))) return 'environment';
  if (isSet(file, parts)) return 'file';
  // A whole list may have come as JSON.
  if ((parts[0] ?? '') in LIST_PREFIXES && isSet(set, parts)) return 'environment';
  return ['relays', 'pickups'].includes(parts[0] ?? '') && isSet(whole, parts) ? 'preset' : 'default';
}

function isSet(raw: unknown, parts: readonly string[]): boolean {
  let value = raw;
  for (const part of parts)
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined;
  return value !== undefined;
}

/**
 * Shows a configuration: as the effective file for `config print`, and every key for docs/CONFIGURATION.md.
 */

import { stringify } from 'smol-toml';
import { CONFIG_KEYS } from './keys.ts';
import type { LoadedConfig } from './load.ts';
import type { ListenerConfig } from './listenerKeys.ts';
import { RELOADABLE_KEYS, SECRET_KEYS } from './schema.ts';

const MASK = '********';

/**
 * The effective configuration as TOML that could be used as a file, with the source of each value; secrets are masked. What
 * `remarksOn` says of a listener stands below it in comments.
 */
export function printConfig(
  loaded: LoadedConfig,
  remarksOn: (listener: ListenerConfig) => readonly string[] = () => [],
): string {
  const { listeners, relays, drops, pickups, ...sections } = loaded.config;
  const lines: string[] = [];
  for (const [section, values] of Object.entries(sections)) {
    lines.push(`[${section}]`, ...printTable(loaded, `${section}.`, values), '');
  }
  for (const [index, listener] of listeners.entries()) {
    const remarks = remarksOn(listener).map((remark) => `# ${remark}`);
    lines.push('[[listeners]]', ...printTable(loaded, `listeners[${index}].`, listener), ...remarks, '');
  }
  for (const [index, relay] of relays.entries())
    lines.push('[[relays]]', ...printTable(loaded, `relays[${index}].`, relay), '');
  for (const [index, drop] of drops.entries())
    lines.push('[[drops]]', ...printTable(loaded, `drops[${index}].`, drop), '');
  for (const [index, pickup] of pickups.entries())
    lines.push('[[pickups]]', ...printTable(loaded, `pickups[${index}].`, pickup), '');
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The effective configuration as plain data with secrets masked, for `--json`. */
export function maskedConfig(loaded: LoadedConfig): unknown {
  const copy = structuredClone(loaded.config) as unknown as Record<string, Record<string, unknown>>;
  for (const path of SECRET_KEYS) {
    const [section = '', name = ''] = path.split('.');
    const table = copy[section];
    if (table?.[name] !== undefined) table[name] = MASK;
  }
  return copy;
}

/** The key tables of docs/CONFIGURATION.md in Markdown; a test holds the file against this. */
export function documentKeys(): string {
  const sections = [...new Set(CONFIG_KEYS.map((key) => key.section))];
  return sections
    .map((section) => {
      const rows = CONFIG_KEYS.filter((key) => key.section === section).map(
        (key) =>
          `| \`${key.path}\` | ${key.allowed} | ${showDefault(key.defaultValue, key.isRequired)} | ${RELOADABLE_KEYS.includes(key.path) ? 'reload' : 'restart'} | \`${key.environment}\` | ${key.description} |`,
      );
      const head =
        '| key | allowed | default | takes effect | environment | meaning |\n| --- | --- | --- | --- | --- | --- |';
      return `### ${section}\n\n${head}\n${rows.join('\n')}\n`;
    })
    .join('\n');
}

function showDefault(value: unknown, isRequired: boolean): string {
  if (isRequired) return 'must be given';
  return value === undefined ? 'none' : `\`${JSON.stringify(value)}\``;
}

function printTable(
  loaded: LoadedConfig,
  prefix: string,
  table: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(table)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const shown = SECRET_KEYS.includes(prefix + name) ? MASK : value;
      return `${stringify({ [name]: shown }).trimEnd()} # ${loaded.sourceOf(prefix + name)}`;
    });
}

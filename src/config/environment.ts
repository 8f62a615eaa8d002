/**
 * Environment variables over the file: `HAUSPOST_<SECTION>_<KEY>` for a section's key; `HAUSPOST_<LISTENER>_<KEY>`,
 * `HAUSPOST_RELAY_<RELAY>_<KEY>`, `HAUSPOST_DROP_<DROP>_<KEY>` and `HAUSPOST_PICKUP_<PICKUP>_<KEY>` for a key of the listener, relay, drop
 * or pickup of that name; `HAUSPOST_LISTENERS` and so on for a whole list as JSON. An unknown variable is a warning, not an
 * error: container platforms put variables of their own beside ours (HAUSPOST_SERVICE_HOST).
 */

import { CONFIG_KEYS, type ConfigKey, LIST_PREFIXES, tableVariable } from './keys.ts';
import { nearest, type Problem } from './problems.ts';
import { DEFAULT_LISTENERS } from './listenerKeys.ts';

/** Variables with the prefix that are not keys. */
export const RESERVED_VARIABLES: readonly string[] = ['HAUSPOST_CONFIG', 'HAUSPOST_NODE'];

/** The lists' tables where the file has none. */
const DEFAULT_TABLES: Readonly<Record<string, readonly unknown[]>> = { listeners: DEFAULT_LISTENERS };

/** What the environment changed. */
export interface Overlay {
  /** The raw configuration with the variables' values in it. */
  readonly raw: Record<string, unknown>;
  /** Which variable set which key (`listeners.0.port`). */
  readonly variables: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/** Lays `environment` over `raw` (which is not changed). */
export function overlayEnvironment(
  raw: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv,
): Overlay {
  const result = structuredClone(raw) as Record<string, unknown>;
  const variables = new Map<string, string>();
  const problems: Problem[] = [];
  const unknown = new Set(
    Object.keys(environment).filter(
      (name) => name.startsWith('HAUSPOST_') && !RESERVED_VARIABLES.includes(name),
    ),
  );
  const take = (name: string): string | undefined => {
    unknown.delete(name);
    return environment[name];
  };
  for (const key of CONFIG_KEYS.filter((candidate) => !(candidate.section in LIST_PREFIXES))) {
    const value = take(key.environment);
    if (value === undefined) continue;
    result[key.section] = { ...(result[key.section] as object | undefined), [key.name]: typed(key, value) };
    variables.set(key.path, key.environment);
  }
  for (const section of Object.keys(LIST_PREFIXES)) {
    overlayList(result, section, take, problems);
    overlayTables(result, section, take, variables);
  }
  const known = knownVariables(result);
  const warnings = [...unknown].map((name) => {
    const guess = nearest(name, known);
    return guess === undefined
      ? `environment variable ${name} is not known`
      : `environment variable ${name} is not known; did you mean ${guess}?`;
  });
  return { raw: result, variables, problems, warnings };
}

function overlayList(
  result: Record<string, unknown>,
  section: string,
  take: (name: string) => string | undefined,
  problems: Problem[],
): void {
  const variable = `HAUSPOST_${section.toUpperCase()}`;
  const json = take(variable);
  if (json === undefined) return;
  try {
    result[section] = JSON.parse(json);
  } catch (error) {
    const text = `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    problems.push({ where: variable, line: undefined, key: section, text });
  }
}

function overlayTables(
  result: Record<string, unknown>,
  section: string,
  take: (name: string) => string | undefined,
  variables: Map<string, string>,
): void {
  const tables = result[section] ?? structuredClone(DEFAULT_TABLES[section]);
  if (!Array.isArray(tables)) return;
  for (const [index, table] of tables.entries()) {
    const name: unknown = table?.name;
    if (typeof name !== 'string') continue;
    for (const key of CONFIG_KEYS.filter((candidate) => candidate.section === section)) {
      const variable = tableVariable(section, name, key.name);
      const value = take(variable);
      if (value === undefined) continue;
      table[key.name] = typed(key, value);
      variables.set(`${section}.${index}.${key.name}`, variable);
      result[section] = tables;
    }
  }
}

function knownVariables(result: Record<string, unknown>): string[] {
  return CONFIG_KEYS.flatMap((key) => {
    if (!(key.section in LIST_PREFIXES)) return [key.environment];
    const set = result[key.section];
    const tables: readonly unknown[] = Array.isArray(set) ? set : (DEFAULT_TABLES[key.section] ?? []);
    return tables.map((table) =>
      tableVariable(key.section, String((table as { name?: unknown } | null)?.name), key.name),
    );
  });
}

function typed(key: ConfigKey, value: string): unknown {
  if (key.isList) return value.split(',').flatMap((item) => item.trim() || []);
  if (key.isBoolean && /^(true|false)$/.test(value)) return value === 'true';
  return key.isNumber && /^-?\d+$/.test(value) ? Number(value) : value;
}

/**
 * Environment variables over the file: `HAUSPOST_<SECTION>_<KEY>` for a section's key, `HAUSPOST_<LISTENER>_<KEY>` for a key
 * of the listener of that name, `HAUSPOST_LISTENERS` for the whole list as JSON. An unknown variable is a warning, not an
 * error: container platforms put variables of their own beside ours (HAUSPOST_SERVICE_HOST).
 */

import { CONFIG_KEYS, type ConfigKey, listenerVariable } from './keys.ts';
import { nearest, type Problem } from './problems.ts';
import { DEFAULT_LISTENERS } from './listenerKeys.ts';

/** Variables with the prefix that are not keys. */
export const RESERVED_VARIABLES: readonly string[] = ['HAUSPOST_CONFIG', 'HAUSPOST_NODE'];

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
  for (const key of CONFIG_KEYS.filter((candidate) => candidate.section !== 'listeners')) {
    const value = take(key.environment);
    if (value === undefined) continue;
    result[key.section] = { ...(result[key.section] as object | undefined), [key.name]: typed(key, value) };
    variables.set(key.path, key.environment);
  }
  overlayList(result, take('HAUSPOST_LISTENERS'), problems);
  overlayListeners(result, take, variables);
  const known = knownVariables(result);
  const warnings = [...unknown].map((name) => {
    const guess = nearest(name, known);
    return guess === undefined
      ? `environment variable ${name} is not known`
      : `environment variable ${name} is not known; did you mean ${guess}?`;
  });
  return { raw: result, variables, problems, warnings };
}

function overlayList(result: Record<string, unknown>, json: string | undefined, problems: Problem[]): void {
  if (json === undefined) return;
  try {
    result.listeners = JSON.parse(json);
  } catch (error) {
    const text = `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    problems.push({ where: 'HAUSPOST_LISTENERS', line: undefined, key: 'listeners', text });
  }
}

function overlayListeners(
  result: Record<string, unknown>,
  take: (name: string) => string | undefined,
  variables: Map<string, string>,
): void {
  const listeners = (result.listeners ?? structuredClone(DEFAULT_LISTENERS)) as unknown;
  if (!Array.isArray(listeners)) return;
  for (const [index, listener] of listeners.entries()) {
    const name: unknown = listener?.name;
    if (typeof name !== 'string') continue;
    for (const key of CONFIG_KEYS.filter((candidate) => candidate.section === 'listeners')) {
      const variable = listenerVariable(name, key.name);
      const value = take(variable);
      if (value === undefined) continue;
      listener[key.name] = typed(key, value);
      variables.set(`listeners.${index}.${key.name}`, variable);
      result.listeners = listeners;
    }
  }
}

function knownVariables(result: Record<string, unknown>): string[] {
  const listeners = Array.isArray(result.listeners) ? result.listeners : DEFAULT_LISTENERS;
  return CONFIG_KEYS.flatMap((key) =>
    key.section === 'listeners'
      ? listeners.map((listener) => listenerVariable(String(listener?.name), key.name))
      : [key.environment],
  );
}

function typed(key: ConfigKey, value: string): unknown {
  if (key.isList) return value.split(',').flatMap((item) => item.trim() || []);
  if (key.isBoolean && /^(true|false)$/.test(value)) return value === 'true';
  return key.isNumber && /^-?\d+$/.test(value) ? Number(value) : value;
}

/**
 * What a reload changes: keys with another value, apart into those that take effect at once and those that need a restart.
 */

import { type Config, RELOADABLE_KEYS } from './schema.ts';

/** Keys whose value differs, by when they take effect. */
export interface ConfigChanges {
  readonly reloadable: readonly string[];
  readonly needRestart: readonly string[];
}

/** Compares two configurations key by key; the list of listeners counts as one key, `listeners`. */
export function changedKeys(before: Config, after: Config): ConfigChanges {
  const changed = Object.keys(after).flatMap((section) => {
    if (section === 'listeners') return isEqual(before.listeners, after.listeners) ? [] : ['listeners'];
    const old = before[section as keyof Config] as Readonly<Record<string, unknown>>;
    const fresh = after[section as keyof Config] as Readonly<Record<string, unknown>>;
    const names = new Set([...Object.keys(old), ...Object.keys(fresh)]);
    return [...names].filter((name) => !isEqual(old[name], fresh[name])).map((name) => `${section}.${name}`);
  });
  return {
    reloadable: changed.filter((path) => RELOADABLE_KEYS.includes(path)),
    needRestart: changed.filter((path) => !RELOADABLE_KEYS.includes(path)),
  };
}

function isEqual(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

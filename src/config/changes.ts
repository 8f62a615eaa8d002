/**
 * What a reload changes: keys with another value, apart into those that take effect at once and those that need a restart.
 */

import { type Config, RELOADABLE_KEYS } from './schema.ts';

/** Keys whose value differs, by when they take effect. */
export interface ConfigChanges {
  readonly reloadable: readonly string[];
  readonly needRestart: readonly string[];
}

/** Compares two configurations key by key; a list (`listeners`, `relays`, `drops`, `pickups`) counts as one key. */
export function changedKeys(before: Config, after: Config): ConfigChanges {
  const changed = Object.keys(after).flatMap((section) => {
    const old = before[section as keyof Config] as Readonly<Record<string, unknown>>;
    const fresh = after[section as keyof Config] as Readonly<Record<string, unknown>>;
    if (Array.isArray(fresh)) return isEqual(old, fresh) ? [] : [section];
    const names = new Set([...Object.keys(old), ...Object.keys(fresh)]);
    return [...names].filter((name) => !isEqual(old[name], fresh[name])).map((name) => `${section}.${name}`);
  });
  return {
    reloadable: changed.filter(isReloadable),
    needRestart: changed.filter((path) => !isReloadable(path)),
  };
}

function isReloadable(path: string): boolean {
  return RELOADABLE_KEYS.some((key) => key === path || key.startsWith(`${path}[]`));
}

function isEqual(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

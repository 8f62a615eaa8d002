/**
 * How a setting of a single account or IP range is described, read and written: the form that all closed lists of them share.
 *
 * The store keeps texts; the lists alone know what they mean. The administration writes a value in its one form and refuses any
 * other. A value that this version cannot read, written by a newer one, counts as not set: an odd setting locks nobody out.
 */

import { MailError } from '../base/error.ts';

/** What the value of a setting may depend on, and this room cannot know. */
export interface SettingSurroundings {
  /** IMAP capabilities that can be hidden: those that the server tells after login. */
  readonly imapCapabilities: readonly string[];
  /** POP3 capabilities that can be hidden. */
  readonly pop3Capabilities: readonly string[];
}

/** One setting. */
export interface Setting<Value> {
  /** One sentence, for help and documentation. */
  readonly meaning: string;
  /** What is allowed, in words. */
  allowed(surroundings: SettingSurroundings): string;
  /** The value of what an administrator wrote or the store has; undefined where it is not allowed. */
  parse(text: string): Value | undefined;
  /** Whether it is allowed on this server. */
  isAllowed?(value: Value, surroundings: SettingSurroundings): boolean;
  /** How the store keeps it. */
  format(value: Value): string;
}

// biome-ignore lint/suspicious/noExplicitAny: a value goes from parse to format of the same setting.
type AnySetting = Setting<any>;

/** A closed list: settings by name. */
export type Settings = Readonly<Record<string, AnySetting>>;

/** What the settings of a list mean, each with its value; those that are not set are absent. */
export type SettingValues<List extends Settings> = {
  readonly [Name in keyof List]?: NonNullable<ReturnType<List[Name]['parse']>>;
};

/** A setting, with the type of its value. */
export function setting<Value>(definition: Setting<Value>): Setting<Value> {
  return definition;
}

/** What texts mean; what cannot be read is left out. */
export function readSettings<List extends Settings>(
  list: List,
  texts: Readonly<Record<string, string>>,
): SettingValues<List> {
  const known = Object.entries<AnySetting>(list).map(([name, { parse }]) => {
    const text = texts[name];
    return [name, text === undefined ? undefined : parse(text)] as const;
  });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined)) as SettingValues<List>;
}

/**
 * Settings as an administrator gives them, in the form that the store keeps; null takes one away. `owner` has them: “an account”.
 * Errors: `invalid`.
 */
export function settingsGiven(
  list: Settings,
  owner: string,
  given: Readonly<Record<string, string | null>>,
  surroundings: SettingSurroundings,
): Record<string, string | null> {
  const kept = Object.entries(given).map(([name, text]) => {
    const found = Object.hasOwn(list, name) ? list[name] : undefined;
    if (found === undefined) {
      const names = Object.keys(list).join(', ');
      throw new MailError('invalid', `“${name}” is no setting of ${owner}; those are: ${names}.`);
    }
    return [name, text === null ? null : settingGiven(name, found, text, surroundings)] as const;
  });
  return Object.fromEntries(kept);
}

function settingGiven(
  name: string,
  found: AnySetting,
  text: string,
  surroundings: SettingSurroundings,
): string {
  const value = found.parse(text);
  if (value !== undefined && found.isAllowed?.(value, surroundings) !== false) return found.format(value);
  const allowed = found.allowed(surroundings);
  throw new MailError('invalid', `${name} cannot be “${text}”; allowed: ${allowed}.`);
}

/** Settings of what is new and has nothing to take away. */
export function settingsToKeep(settings: Readonly<Record<string, string | null>>): Record<string, string> {
  const kept = Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(kept);
}

/** A whole number in decimal digits within bounds. */
export function parseNumber(text: string, lowest: number, highest: number): number | undefined {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value >= lowest && value <= highest ? value : undefined;
}

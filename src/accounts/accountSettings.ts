/**
 * What can be set for a single account and for no other: the closed list, with how each value is written and read.
 *
 * The store keeps texts (account_setting); this file alone knows what they mean. The administration writes a value in its one
 * form and refuses any other; who logs in reads it. A value that this version cannot read, written by a newer one, counts as
 * not set: an odd setting shall not lock an account out.
 */

import { MailError } from '../base/error.ts';
import type { AccountSettingTexts } from '../store/contract/directory.ts';
import type { LiteralForm, Sharing } from './compatibilityKeys.ts';
import { PROFILE_NAMES, type ProfileName } from './profiles.ts';

/** What the value of a setting may depend on, and this room cannot know. */
export interface SettingSurroundings {
  /** IMAP capabilities that can be hidden: those that the server tells after login. */
  readonly imapCapabilities: readonly string[];
  /** POP3 capabilities that can be hidden. */
  readonly pop3Capabilities: readonly string[];
}

/** One setting. */
interface AccountSetting<Value> {
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

/** Sessions that an account may be allowed: more than all listeners take is no limit any more. */
export const ACCOUNT_SESSION_LIMIT_MAX = 100_000;

/** Days that retention may be set to: ten years. */
export const RETENTION_DAYS_MAX = 3650;

const SETTINGS = {
  profile: setting<ProfileName>({
    meaning:
      'Its profile: what old programs are used to, in place of all that its listeners have but what comes before login (greeting, capabilities until then).',
    allowed: () => PROFILE_NAMES.join(', '),
    parse: (text) => PROFILE_NAMES.find((name) => name === text),
    format: (value) => value,
  }),
  'imap.delimiter': setting<'/' | '.'>({
    meaning:
      'Hierarchy delimiter of its mailbox names in IMAP: a dot for accounts that come from hMailServer.',
    allowed: () => '/ or .',
    parse: (text) => (text === '/' || text === '.' ? text : undefined),
    format: (value) => value,
  }),
  'imap.hiddenCapabilities': setting<readonly string[]>({
    meaning: 'IMAP capabilities that its sessions are not told of, comma-separated, though they work.',
    allowed: ({ imapCapabilities }) => imapCapabilities.join(', '),
    parse: parseCapabilities,
    isAllowed: (names, { imapCapabilities }) => names.every((name) => imapCapabilities.includes(name)),
    format: (names) => names.join(','),
  }),
  'imap.literals': setting<LiteralForm>({
    meaning:
      'Literals that its IMAP sessions may send without waiting, once logged in: LITERAL+ or LITERAL-.',
    allowed: () => 'plus or minus',
    parse: (text) => (text === 'plus' || text === 'minus' ? text : undefined),
    format: (value) => value,
  }),
  'imap.sessionLimit': setting<number>({
    meaning: 'IMAP sessions that it may have at a time, in place of imap.sessionsPerAccountLimit.',
    allowed: () => `a whole number from 1 to ${ACCOUNT_SESSION_LIMIT_MAX}`,
    parse: (text) => parseNumber(text, 1, ACCOUNT_SESSION_LIMIT_MAX),
    format: String,
  }),
  'pop3.hiddenCapabilities': setting<readonly string[]>({
    meaning: 'POP3 capabilities that CAPA does not tell once it has logged in, comma-separated.',
    allowed: ({ pop3Capabilities }) => pop3Capabilities.join(', '),
    parse: parseCapabilities,
    isAllowed: (names, { pop3Capabilities }) => names.every((name) => pop3Capabilities.includes(name)),
    format: (names) => names.join(','),
  }),
  'pop3.marksSeen': setting<boolean>({
    meaning: 'Whether a message that POP3 has sent it by RETR is \\Seen in IMAP, as in Exchange.',
    allowed: () => 'true or false',
    parse: (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
    format: String,
  }),
  'pop3.sharing': setting<Sharing>({
    meaning: 'Whether its POP3 sessions may be several at a time (shared) or one (exclusive).',
    allowed: () => 'shared or exclusive',
    parse: (text) => (text === 'shared' || text === 'exclusive' ? text : undefined),
    format: (value) => value,
  }),
  'pop3.retentionDays': setting<number>({
    meaning:
      'Days that a message stays in the mailbox Fetched after POP3 has deleted it, in place of pop3.retentionDays; 0 deletes it at once.',
    allowed: () => `a whole number from 0 to ${RETENTION_DAYS_MAX}`,
    parse: (text) => parseNumber(text, 0, RETENTION_DAYS_MAX),
    format: String,
  }),
  'pop3.deleteAfterFetchDays': setting<number>({
    meaning:
      'Days after its first whole fetch by POP3 that a message goes from the INBOX by itself, in place of pop3.deleteAfterFetchDays; 0 never.',
    allowed: () => `a whole number from 0 to ${RETENTION_DAYS_MAX}`,
    parse: (text) => parseNumber(text, 0, RETENTION_DAYS_MAX),
    format: String,
  }),
} as const;

/** The name of a setting. */
export type AccountSettingName = keyof typeof SETTINGS;

/** The settings of an account, each with the value that it means; those that are not set are absent. */
export type AccountSettingValues = {
  readonly [Name in AccountSettingName]?: NonNullable<ReturnType<(typeof SETTINGS)[Name]['parse']>>;
};

/** Every name, in order. */
export const ACCOUNT_SETTING_NAMES = Object.keys(SETTINGS) as readonly AccountSettingName[];

/** What a setting means, in one sentence. */
export function accountSettingMeaning(name: AccountSettingName): string {
  return SETTINGS[name].meaning;
}

/** What an account's settings mean; what cannot be read is left out. */
export function readAccountSettings(texts: AccountSettingTexts): AccountSettingValues {
  const known = ACCOUNT_SETTING_NAMES.map((name) => {
    const text = texts[name];
    return [name, text === undefined ? undefined : SETTINGS[name].parse(text)] as const;
  });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

/** Settings as an administrator gives them, in the form that the store keeps; null takes one away. Errors: `invalid`. */
export function accountSettingsGiven(
  given: Readonly<Record<string, string | null>>,
  surroundings: SettingSurroundings,
): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => [name, settingGiven(name, text, surroundings)]),
  );
}

function settingGiven(name: string, text: string | null, surroundings: SettingSurroundings): string | null {
  const known = ACCOUNT_SETTING_NAMES.find((candidate) => candidate === name);
  if (known === undefined) {
    const names = ACCOUNT_SETTING_NAMES.join(', ');
    throw new MailError('invalid', `“${name}” is no setting of an account; those are: ${names}.`);
  }
  const found = SETTINGS[known] as AccountSetting<unknown>;
  if (text === null) return null;
  const value = found.parse(text);
  if (value !== undefined && found.isAllowed?.(value, surroundings) !== false) return found.format(value);
  const allowed = found.allowed(surroundings);
  throw new MailError('invalid', `${name} cannot be “${text}”; allowed: ${allowed}.`);
}

function setting<Value>(definition: AccountSetting<Value>): AccountSetting<Value> {
  return definition;
}

/** Names in upper case, each once; undefined where there is none. */
function parseCapabilities(text: string): readonly string[] | undefined {
  const names = new Set(text.split(',').map((name) => name.trim().toUpperCase()));
  names.delete('');
  return names.size === 0 ? undefined : [...names];
}

function parseNumber(text: string, lowest: number, highest: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= lowest && value <= highest ? value : undefined;
}

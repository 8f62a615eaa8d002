/**
 * What can be set for a single account and for no other: the closed list, with how each value is written and read.
 *
 * The store keeps texts (account_setting); settingForm.ts says how they are read and written. What is set of submission stands in
 * a list of its own, which IP ranges have too.
 */

import type { AccountSettingTexts } from '../store/contract/directory.ts';
import type { LiteralForm, Sharing } from './compatibilityKeys.ts';
import { PROFILE_NAMES, type ProfileName } from './profiles.ts';
import {
  parseNumber,
  readSettings,
  type SettingSurroundings,
  type SettingValues,
  setting,
  settingsGiven,
} from './settingForm.ts';
import { SUBMISSION_SETTINGS } from './submissionSettings.ts';

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
  ...SUBMISSION_SETTINGS,
} as const;

/** The name of a setting. */
export type AccountSettingName = keyof typeof SETTINGS;

/** The settings of an account, each with the value that it means; those that are not set are absent. */
export type AccountSettingValues = SettingValues<typeof SETTINGS>;

/** Every name, in order. */
export const ACCOUNT_SETTING_NAMES = Object.keys(SETTINGS) as readonly AccountSettingName[];

/** What a setting means, in one sentence. */
export function accountSettingMeaning(name: AccountSettingName): string {
  return SETTINGS[name].meaning;
}

/** What an account's settings mean; what cannot be read is left out. */
export function readAccountSettings(texts: AccountSettingTexts): AccountSettingValues {
  return readSettings(SETTINGS, texts);
}

/** Settings as an administrator gives them, in the form that the store keeps; null takes one away. Errors: `invalid`. */
export function accountSettingsGiven(
  given: Readonly<Record<string, string | null>>,
  surroundings: SettingSurroundings,
): Record<string, string | null> {
  return settingsGiven(SETTINGS, 'an account', given, surroundings);
}

/** Names in upper case, each once; undefined where there is none. */
function parseCapabilities(text: string): readonly string[] | undefined {
  const names = new Set(text.split(',').map((name) => name.trim().toUpperCase()));
  names.delete('');
  return names.size === 0 ? undefined : [...names];
}

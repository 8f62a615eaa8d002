/**
 * What can be set for a single IP range: the closed list. It is about clients that submit without a login; an account that
 * logs in from there has its own.
 */

import type { IpRangeSettingTexts } from '../store/contract/directory.ts';
import {
  readSettings,
  type SettingSurroundings,
  type SettingValues,
  setting,
  settingsGiven,
} from './settingForm.ts';
import { SUBMISSION_SETTINGS } from './submissionSettings.ts';

const SETTINGS = {
  ...SUBMISSION_SETTINGS,
  // A range has no mailbox whose addresses `own` could be.
  'submission.senders': setting<readonly string[]>({
    ...SUBMISSION_SETTINGS['submission.senders'],
    allowed: () => 'addresses, domains, *.domain, local or *, comma-separated (docs/SUBMISSION.md)',
    isAllowed: (patterns) => !patterns.includes('own'),
  }),
} as const;

/** The name of a setting. */
export type RangeSettingName = keyof typeof SETTINGS;

/** The settings of a range, each with the value that it means; those that are not set are absent. */
export type RangeSettingValues = SettingValues<typeof SETTINGS>;

/** Every name, in order. */
export const RANGE_SETTING_NAMES = Object.keys(SETTINGS) as readonly RangeSettingName[];

/** What a setting means, in one sentence. */
export function rangeSettingMeaning(name: RangeSettingName): string {
  return SETTINGS[name].meaning;
}

/** What a range's settings mean; what cannot be read is left out. */
export function readRangeSettings(texts: IpRangeSettingTexts): RangeSettingValues {
  return readSettings(SETTINGS, texts);
}

/** Settings as an administrator gives them, in the form that the store keeps; null takes one away. Errors: `invalid`. */
export function rangeSettingsGiven(
  given: Readonly<Record<string, string | null>>,
): Record<string, string | null> {
  return settingsGiven(SETTINGS, 'an IP range', given, NOTHING);
}

/** No setting of a range depends on anything else. */
const NOTHING: SettingSurroundings = { imapCapabilities: [], pop3Capabilities: [] };

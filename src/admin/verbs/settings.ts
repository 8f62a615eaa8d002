/**
 * What verbs for accounts and IP ranges share: settings as options (`imap.hiddenCapabilities` is `--imap-hidden-capabilities`), and
 * what was sent.
 */

import type { SendingUse } from '../../store/contract/sendingUse.ts';
import type { Invocation } from '../verb.ts';
import { removableOption } from './read.ts';

/** A setting with its option. */
export interface SettingOption {
  readonly name: string;
  readonly option: string;
}

/** The options of these settings. */
export function settingOptions<Name extends string>(
  names: readonly Name[],
): readonly { readonly name: Name; readonly option: string }[] {
  return names.map((name) => ({ name, option: optionOf(name) }));
}

/** The settings that were given; `none` takes one away. */
export function settingsOption(
  invocation: Invocation,
  options: readonly SettingOption[],
): Readonly<Record<string, string | null>> | undefined {
  const settings: Record<string, string | null> = {};
  for (const { name, option } of options) {
    const value = removableOption(invocation, option);
    if (value !== undefined) settings[name] = value;
  }
  return Object.keys(settings).length === 0 ? undefined : settings;
}

/** `2 messages to 5 recipients`. */
export function showSent({ messages, recipients }: SendingUse): string {
  return `${messages} ${messages === 1 ? 'message' : 'messages'} to ${recipients} ${recipients === 1 ? 'recipient' : 'recipients'}`;
}

function optionOf(settingName: string): string {
  return settingName.replace('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Profiles and their keys as an administrator reads them: in `profile show`, `account show`, `config print`, docs/PROFILES.md.
 *
 * Which value is in force is compatibility.ts's to say; here are its words and where each key is set.
 */

import {
  type CompatibilityLayer,
  findCompatibility,
  LISTENER_ONLY_KEYS,
  toldCapabilities,
} from '../accounts/compatibility.ts';
import type { CompatibilityKey, CompatibilityKeys } from '../accounts/compatibilityKeys.ts';
import { PROFILE_NAMES, PROFILES, type ProfileName } from '../accounts/profiles.ts';

/** One row: what it is about, and where it can be set. */
export interface CompatibilityRow {
  readonly key: CompatibilityKey;
  readonly meaning: string;
  /** The key of a listener. */
  readonly listenerKey: string;
  /** The key for the whole server, where there is one. */
  readonly serverKey?: string;
}

/** Every row. An account's key has the row's name, but for LISTENER_ONLY_KEYS. */
export const COMPATIBILITY_ROWS: readonly CompatibilityRow[] = [
  { key: 'imap.greeting', meaning: 'IMAP greeting behind `* OK`', listenerKey: 'greeting' },
  {
    key: 'imap.delimiter',
    meaning: 'Hierarchy delimiter of IMAP mailbox names',
    listenerKey: 'hierarchyDelimiter',
    serverKey: 'imap.delimiter',
  },
  {
    key: 'imap.literals',
    meaning: 'LITERAL+ (plus) or LITERAL- (minus)',
    listenerKey: 'literalForm',
    serverKey: 'imap.literals',
  },
  {
    key: 'imap.hiddenCapabilities',
    meaning: 'IMAP capabilities told, beside IMAP4rev1 and LOGINDISABLED',
    listenerKey: 'hiddenCapabilities',
  },
  { key: 'pop3.greeting', meaning: 'POP3 greeting behind `+OK`', listenerKey: 'greeting' },
  {
    key: 'pop3.marksSeen',
    meaning: 'RETR sets \\Seen',
    listenerKey: 'retrMarksSeen',
    serverKey: 'pop3.marksSeen',
  },
  {
    key: 'pop3.sharing',
    meaning: 'POP3 sessions of a maildrop at a time: any (shared), one (exclusive)',
    listenerKey: 'maildropSharing',
    serverKey: 'pop3.sharing',
  },
  {
    key: 'pop3.hiddenCapabilities',
    meaning: 'POP3 capabilities told',
    listenerKey: 'hiddenCapabilities',
  },
];

/** What a profile sets, by the rows' names; `as the server has it` where it sets nothing. */
export function profileFields(name: ProfileName): Readonly<Record<string, string>> {
  const layers = { server: {}, listener: { profile: name } };
  return Object.fromEntries(
    COMPATIBILITY_ROWS.map(({ key }) => {
      const { value, source } = findCompatibility(layers, key);
      const chosen = isCapabilities(key) ? toldText(layers, key) : undefined;
      return [nameOf(key), chosen ?? (source === 'listener profile' ? textOf(value) : AS_SERVER)];
    }),
  );
}

/** What an account has that differs from its listeners, and by what. */
export function accountFields(account: CompatibilityLayer): Readonly<Record<string, string>> {
  const layers = { server: {}, listener: {}, account };
  const keys = COMPATIBILITY_ROWS.map(({ key }) => key).filter((key) => !LISTENER_ONLY_KEYS.includes(key));
  const fields = keys.map((key) => {
    const { value, source } = findCompatibility(layers, key);
    const isOwn = source === 'account' || source === 'account profile';
    const text = isCapabilities(key) ? toldText(layers, key) : isOwn ? textOf(value) : undefined;
    if (text === undefined) return [nameOf(key), account.profile === undefined ? undefined : AS_SERVER];
    return [nameOf(key), source === 'account' || account.profile === undefined ? text : `${text} (profile)`];
  });
  const profile = account.profile ?? 'none: as its listener has it';
  return { profile, ...Object.fromEntries(fields.filter(([, text]) => text !== undefined)) };
}

/** What is in force on a listener for an account that has nothing of its own. */
export function listenerFields(
  protocol: 'imap' | 'pop3',
  listener: CompatibilityLayer,
  server: CompatibilityKeys,
): Readonly<Record<string, string>> {
  const layers = { server, listener };
  const keys = COMPATIBILITY_ROWS.map(({ key }) => key).filter((key) => key.startsWith(protocol));
  return Object.fromEntries(
    keys.map((key) => {
      if (isCapabilities(key)) return [nameOf(key), toldText(layers, key) ?? 'all'];
      const { value, source } = findCompatibility(layers, key);
      return [nameOf(key), value === undefined ? 'the usual one' : `${textOf(value)} (${source})`];
    }),
  );
}

/** The table of docs/PROFILES.md in Markdown; a test holds the file against this. */
export function documentProfiles(): string {
  const profiles = PROFILE_NAMES.map((name) => profileFields(name));
  const rows = COMPATIBILITY_ROWS.map(({ key, meaning, listenerKey, serverKey }) => [
    meaning,
    ...profiles.map((fields) => (fields[nameOf(key)] === AS_SERVER ? '–' : `\`${fields[nameOf(key)]}\``)),
    LISTENER_ONLY_KEYS.includes(key) ? '–' : `\`${key}\``,
    `\`${listenerKey}\``,
    serverKey === undefined ? '–' : `\`${serverKey}\``,
  ]);
  const head = ['', ...PROFILE_NAMES.map((name) => `\`${name}\``), 'account', 'listener', 'server'];
  const meanings = PROFILE_NAMES.map((name) => `- \`${name}\`: ${PROFILES[name].meaning}`);
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${meanings.join('\n')}\n\n${table.join('\n')}\n`;
}

const AS_SERVER = 'as the server has it';

type CapabilitiesKey = 'imap.hiddenCapabilities' | 'pop3.hiddenCapabilities';

function isCapabilities(key: CompatibilityKey): key is CapabilitiesKey {
  return key.endsWith('.hiddenCapabilities');
}

/** `imap.capabilities` for the list that comes of what is hidden and what a profile tells. */
function nameOf(key: CompatibilityKey): string {
  return isCapabilities(key) ? key.replace('hiddenCapabilities', 'capabilities') : key;
}

/** Undefined where all are told. */
function toldText(layers: Parameters<typeof toldCapabilities>[0], key: CapabilitiesKey): string | undefined {
  const { told, hidden } = toldCapabilities(layers, key === 'imap.hiddenCapabilities' ? 'imap' : 'pop3');
  if (told !== undefined) return told.filter((name) => !hidden.includes(name)).join(' ');
  return hidden.length === 0 ? undefined : `all but ${hidden.join(' ')}`;
}

function textOf(value: CompatibilityKeys[CompatibilityKey]): string {
  return Array.isArray(value) ? value.join(' ') : String(value);
}

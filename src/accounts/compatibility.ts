/**
 * What an old program needs otherwise than others, and who decides: account key, account profile, listener key, listener
 * profile, server key, default, in this order. Pure; the one place where this is decided. Sessions ask twice: at their
 * beginning, when nobody knows whose they are, and at login.
 *
 * An account's profile stands for all that its listener has: what the profile does not set comes from the server. Lists of
 * hidden capabilities add up instead, down to the first profile. Greetings are the listener's alone, and so is what is told
 * and taken before login.
 */

import type { CompatibilityKey, CompatibilityKeys, LiteralForm, Sharing } from './compatibilityKeys.ts';
import { PROFILES, type Profile, type ProfileName } from './profiles.ts';

/** What is set at one place: single keys, and a profile below them. */
export interface CompatibilityLayer extends CompatibilityKeys {
  readonly profile?: ProfileName | undefined;
}

/** All places, of one session. `account` is absent before login. */
export interface CompatibilityLayers {
  readonly server: CompatibilityKeys;
  readonly listener: CompatibilityLayer;
  readonly account?: CompatibilityLayer | undefined;
}

/** Which capabilities are told. */
export interface ToldCapabilities {
  /** All that may be told; whatever there is where absent. */
  readonly told: readonly string[] | undefined;
  readonly hidden: readonly string[];
}

/** What is in force in a session. */
export interface Compatibility {
  readonly imap: {
    readonly greeting: string | undefined;
    readonly delimiter: '/' | '.';
    readonly literals: LiteralForm;
    readonly capabilities: ToldCapabilities;
  };
  readonly pop3: {
    readonly greeting: string | undefined;
    readonly marksSeen: boolean;
    readonly sharing: Sharing;
    readonly capabilities: ToldCapabilities;
  };
}

/** Who decided. */
export type CompatibilitySource =
  | 'account'
  | 'account profile'
  | 'listener'
  | 'listener profile'
  | 'server'
  | 'default';

/** What is in force where nothing is set. */
export const COMPATIBILITY_DEFAULTS = {
  'imap.delimiter': '/',
  'imap.literals': 'plus',
  'pop3.marksSeen': false,
  'pop3.sharing': 'shared',
} as const satisfies CompatibilityKeys;

/** What an account cannot have: it applies before anybody knows whose session it is. */
export const LISTENER_ONLY_KEYS: readonly CompatibilityKey[] = ['imap.greeting', 'pop3.greeting'];

/** What is in force with `layers`. */
export function resolveCompatibility(layers: CompatibilityLayers): Compatibility {
  const inForce = <Key extends CompatibilityKey>(key: Key) => findCompatibility(layers, key).value;
  return {
    imap: {
      greeting: inForce('imap.greeting'),
      delimiter: inForce('imap.delimiter') ?? COMPATIBILITY_DEFAULTS['imap.delimiter'],
      literals: inForce('imap.literals') ?? COMPATIBILITY_DEFAULTS['imap.literals'],
      capabilities: toldCapabilities(layers, 'imap'),
    },
    pop3: {
      greeting: inForce('pop3.greeting'),
      marksSeen: inForce('pop3.marksSeen') ?? COMPATIBILITY_DEFAULTS['pop3.marksSeen'],
      sharing: inForce('pop3.sharing') ?? COMPATIBILITY_DEFAULTS['pop3.sharing'],
      capabilities: toldCapabilities(layers, 'pop3'),
    },
  };
}

/** The value of one key, and who decided it; lists of capabilities are told by toldCapabilities. */
export function findCompatibility<Key extends CompatibilityKey>(
  layers: CompatibilityLayers,
  key: Key,
): { readonly value: CompatibilityKeys[Key]; readonly source: CompatibilitySource } {
  for (const [source, keys] of placesOf(layers, key)) {
    if (keys[key] !== undefined) return { value: keys[key], source };
  }
  return { value: (COMPATIBILITY_DEFAULTS as CompatibilityKeys)[key], source: 'default' };
}

/** Which capabilities a session of `protocol` is told. */
export function toldCapabilities(layers: CompatibilityLayers, protocol: 'imap' | 'pop3'): ToldCapabilities {
  const key = `${protocol}.hiddenCapabilities` as const;
  const places = placesOf(layers, key);
  const lists = places.map(([, keys]) => (keys as Profile)[`${protocol}.toldCapabilities`]);
  return {
    told: lists.find((list) => list !== undefined),
    hidden: places.flatMap(([, keys]) => keys[key] ?? []),
  };
}

/** Whether a client is told `capability`. One with a number (`APPENDLIMIT=5`) or arguments (`SASL PLAIN`) goes by its name. */
export function isTold({ told, hidden }: ToldCapabilities, capability: string): boolean {
  const names = [capability, capability.replace(/(=\d+| .*)$/, '')];
  const isIn = (list: readonly string[]) => names.some((name) => list.includes(name));
  return !isIn(hidden) && (told === undefined || isIn(told));
}

/** The places where `key` may be set, the first to say something decides. */
function placesOf(
  { server, listener, account: known }: CompatibilityLayers,
  key: CompatibilityKey,
): (readonly [source: CompatibilitySource, keys: CompatibilityKeys])[] {
  const account = LISTENER_ONLY_KEYS.includes(key) ? undefined : known;
  const byAccount = account === undefined ? [] : [['account', account] as const];
  if (account?.profile !== undefined) {
    return [...byAccount, ['account profile', PROFILES[account.profile]], ['server', server]];
  }
  return [
    ...byAccount,
    ['listener', listener],
    ['listener profile', PROFILES[listener.profile ?? 'default']],
    ['server', server],
  ];
}

/**
 * What a client of this session is used to: by its listener, and by its account from login on (accounts/compatibility.ts).
 */

import type { Account } from '../store/contract/directory.ts';
import { readAccountSettings } from '../accounts/accountSettings.ts';
import { type Compatibility, resolveCompatibility } from '../accounts/compatibility.ts';
import type { Pop3Surroundings } from './context.ts';

/** What is in force, with `account` once it is known. */
export function compatibilityOf(
  { settings, compatibility: listener = {} }: Pick<Pop3Surroundings, 'settings' | 'compatibility'>,
  account?: Account,
): Compatibility['pop3'] {
  const server = { 'pop3.marksSeen': settings.marksSeen, 'pop3.sharing': settings.sharing };
  const own = account === undefined ? undefined : readAccountSettings(account.settings);
  return resolveCompatibility({ server, listener, account: own }).pop3;
}

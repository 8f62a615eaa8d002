/**
 * What RCPT is answered with: ours or not, enabled or not, room for the message or not.
 *
 * A recipient that means several accounts is refused for quota only when none of them has room: a full archive behind an alias
 * must not keep the mail from the application beside it. An accepted recipient gets all its copies.
 */

import { MailError, type MailErrorCode } from '../base/error.ts';
import type { Account } from '../store/contract/directory.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { FreeSpace } from './freeSpace.ts';
import type { RecipientQuestion, RecipientVerdict } from './contract.ts';

/** Checks one forward path. Errors: the store's. */
export async function checkRecipient(
  accounts: Pick<Accounts, 'isOverQuota' | 'resolveRecipient'>,
  freeSpace: FreeSpace,
  path: string,
  { octets }: RecipientQuestion,
): Promise<RecipientVerdict> {
  const found = await accounts.resolveRecipient(path);
  switch (found.kind) {
    case 'foreign':
      return refused('relayingDenied');
    case 'unknown':
      return refused('recipientUnknown');
    case 'disabled':
      return refused('recipientDisabled');
    case 'accounts': {
      const code = await freeSpace(octets);
      if (code !== undefined) return refused(code);
      const hasRoom = await hasSomeRoom(accounts, found.accounts, octets);
      return hasRoom ? { kind: 'accepted' } : refused('overQuota');
    }
  }
}

function refused(code: MailErrorCode): RecipientVerdict {
  return { kind: 'refused', error: new MailError(code) };
}

async function hasSomeRoom(
  { isOverQuota }: Pick<Accounts, 'isOverQuota'>,
  accounts: readonly Account[],
  octets: number,
): Promise<boolean> {
  for (const account of accounts) if (!(await isOverQuota(account, octets))) return true;
  return false;
}

/**
 * From the name that a client wrote to the mailbox that it means.
 */

import type { Account } from '../store/contract/directory.ts';
import type { Mailbox } from '../store/contract/mailboxes.ts';
import { mailboxNameOf } from './mailboxName.ts';
import type { SessionContext } from './sessionContext.ts';

/** The mailbox of the account with this name; undefined when there is none. */
export async function findMailbox(
  session: SessionContext,
  account: Account,
  text: string,
): Promise<Mailbox | undefined> {
  const name = mailboxNameOf(text, session.delimiter);
  return name === undefined ? undefined : session.server.mailboxes.find(account.id, name);
}

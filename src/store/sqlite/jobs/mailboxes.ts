/**
 * Jobs of mailboxes as such: CREATE, DELETE, RENAME, SUBSCRIBE and who has seen what is \Recent.
 *
 * Every parent of a mailbox is a real mailbox, so creating makes the missing ones and removing refuses while there are
 * children. Renaming keeps ids, UIDs and UIDVALIDITY; only the names of the mailbox and of those below it change.
 */

import { MailError } from '../../../base/error.ts';
import type { AccountId, MailboxId } from '../../../base/ids.ts';
import type { Mailbox, MailboxName, MailboxStatus, SpecialUse } from '../../contract/mailboxes.ts';
import type { Connection } from '../connection.ts';
import { SUBSCRIPTIONS_PER_ACCOUNT, UID_LIMIT } from '../limits.ts';
import { checkName, isInbox, parentsOf, parseStoredName, storedName, storedPrefix } from '../mailboxName.ts';
import { readStatus } from '../mailboxReads.ts';
import type { JobContext } from './context.ts';
import { move } from './copy.ts';
import { requireMailbox } from './counters.ts';
import {
  countSubscriptions,
  deleteMailbox,
  findMailboxId,
  insertMailbox,
  insertSubscription,
} from './mailboxRows.ts';

/** Jobs by name. */
export const MAILBOX_JOBS = {
  createMailbox,
  removeMailbox,
  renameMailbox,
  setSubscribed,
  claimRecent,
} as const;

interface NamedMailbox {
  readonly accountId: AccountId;
  readonly name: MailboxName;
}

function createMailbox(
  db: Connection,
  input: NamedMailbox & { readonly specialUse: SpecialUse | undefined },
  context: JobContext,
): Mailbox {
  const { accountId, name, specialUse } = input;
  checkName(name);
  requireAccount(db, accountId);
  if (findMailboxId(db, accountId, name) !== undefined) throw new MailError('mailboxExists');
  insertParents(db, accountId, name, context);
  const made = insertMailbox(db, accountId, name, specialUse, context);
  return { ...made, accountId, name, specialUse };
}

function removeMailbox(db: Connection, input: NamedMailbox, context: JobContext): void {
  const { accountId, name } = input;
  if (isInbox(name)) throw new MailError('cannot', 'the INBOX cannot be removed');
  const mailboxId = findMailboxId(db, accountId, name);
  if (mailboxId === undefined) throw new MailError('mailboxMissing');
  if (namesBelow(db, accountId, name).length > 0) throw new MailError('mailboxHasChildren');
  deleteMailbox(db, accountId, mailboxId, context);
}

function renameMailbox(
  db: Connection,
  input: { readonly accountId: AccountId; readonly from: MailboxName; readonly to: MailboxName },
  context: JobContext,
): void {
  const { accountId, from, to } = input;
  checkName(to);
  const mailboxId = findMailboxId(db, accountId, from);
  if (mailboxId === undefined) throw new MailError('mailboxMissing');
  if (findMailboxId(db, accountId, to) !== undefined) throw new MailError('mailboxExists');
  if (isInbox(from)) {
    moveInbox(db, accountId, mailboxId, to, context);
    return;
  }
  if (storedName(to).startsWith(storedPrefix(from)))
    throw new MailError('cannot', 'a mailbox cannot be moved below itself');
  const below = namesBelow(db, accountId, from);
  for (const name of below) checkName([...to, ...parseStoredName(name).slice(from.length)]);
  insertParents(db, accountId, to, context);
  updateName(db, mailboxId, storedName(to));
  if (below.length > 0) updateNamesBelow(db, accountId, storedPrefix(from), storedPrefix(to));
  context.publish({ kind: 'mailboxList', accountId });
}

/** RFC 3501 section 6.3.5: the messages go to a new mailbox, the INBOX stays, empty, with what is below it. */
function moveInbox(
  db: Connection,
  accountId: AccountId,
  inbox: MailboxId,
  to: MailboxName,
  context: JobContext,
): void {
  insertParents(db, accountId, to, context);
  const target = insertMailbox(db, accountId, to, undefined, context);
  move(db, { from: inbox, ranges: [{ first: 1, last: UID_LIMIT }], to: target.id }, context);
}

function setSubscribed(
  db: Connection,
  input: NamedMailbox & { readonly isSubscribed: boolean },
  context: JobContext,
): void {
  const { accountId } = input;
  const name = storedName(input.name);
  if (input.isSubscribed) {
    checkName(input.name);
    requireAccount(db, accountId);
    if (countSubscriptions(db, accountId) >= SUBSCRIPTIONS_PER_ACCOUNT)
      throw new MailError('limit', 'the account has too many subscriptions');
    insertSubscription(db, accountId, name);
  } else {
    deleteSubscription(db, accountId, name);
  }
  context.publish({ kind: 'mailboxList', accountId });
}

/** The status as it was, while everything so far is \Recent for nobody else any more. */
function claimRecent(db: Connection, input: { readonly mailboxId: MailboxId }): MailboxStatus {
  requireMailbox(db, input.mailboxId);
  const status = readStatus(db, input.mailboxId);
  if (status === undefined) throw new MailError('mailboxMissing');
  updateFirstRecent(db, input.mailboxId);
  return status;
}

function insertParents(db: Connection, accountId: AccountId, name: MailboxName, context: JobContext): void {
  for (const parent of parentsOf(name))
    if (findMailboxId(db, accountId, parent) === undefined)
      insertMailbox(db, accountId, parent, undefined, context);
}

function requireAccount(db: Connection, accountId: AccountId): void {
  if (db.value('SELECT 1 FROM account WHERE id = ?', accountId) === undefined)
    throw new MailError('notFound', 'the account is gone');
}

/** The stored names of all mailboxes below `name`. */
function namesBelow(db: Connection, accountId: AccountId, name: MailboxName): string[] {
  const prefix = storedPrefix(name);
  return db.column(
    'SELECT name FROM mailbox WHERE account_id = ? AND substr(name, 1, length(?)) = ?',
    accountId,
    prefix,
    prefix,
  );
}

function updateName(db: Connection, mailboxId: MailboxId, name: string): void {
  db.run('UPDATE mailbox SET name = ? WHERE id = ?', name, mailboxId);
}

function updateNamesBelow(db: Connection, accountId: AccountId, from: string, to: string): void {
  db.run(
    `UPDATE mailbox SET name = ? || substr(name, length(?) + 1)
     WHERE account_id = ? AND substr(name, 1, length(?)) = ?`,
    to,
    from,
    accountId,
    from,
    from,
  );
}

function deleteSubscription(db: Connection, accountId: AccountId, name: string): void {
  db.run('DELETE FROM subscription WHERE account_id = ? AND name = ?', accountId, name);
}

function updateFirstRecent(db: Connection, mailboxId: MailboxId): void {
  db.run('UPDATE mailbox SET first_recent_uid = uid_next WHERE id = ?', mailboxId);
}

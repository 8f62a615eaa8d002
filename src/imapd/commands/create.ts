/**
 * CREATE (RFC 3501 section 6.3.3) with special uses (RFC 6154 section 3), answered with MAILBOXID (RFC 8474 section 4.1).
 *
 * Missing parents are made too. A special use that is unknown, or more than one, is NO [USEATTR].
 */

import { isUseAttribute } from '../../wire/imap/create.ts';
import type { CreateArguments } from '../../wire/imap/create.ts';
import { formatMailboxId } from '../../wire/imap/responseCode.ts';
import { SPECIAL_USES } from '../../store/contract/mailboxes.ts';
import type { SpecialUse } from '../../store/contract/mailboxes.ts';
import { no, ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { newMailboxNameOf } from '../mailboxName.ts';
import { mailboxIdOf } from '../objectIds.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Makes a mailbox. */
export async function create(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  { mailbox, specialUses }: CreateArguments,
): Promise<Completion> {
  const { mailboxes } = session.server;
  const name = newMailboxNameOf(mailbox, session.delimiter);
  if (name === undefined) return no('A mailbox cannot have this name', 'CANNOT');
  const [attribute, ...others] = specialUses;
  const specialUse = attribute === undefined ? undefined : specialUseOf(attribute);
  if (others.length > 0 || (attribute !== undefined && specialUse === undefined)) {
    return no('A mailbox can have one of the known special uses', 'USEATTR');
  }
  const made = await mailboxes.create(account.id, name, specialUse);
  return ok('CREATE completed', formatMailboxId(mailboxIdOf(made)));
}

function specialUseOf(attribute: string): SpecialUse | undefined {
  if (!isUseAttribute(attribute)) return undefined;
  return SPECIAL_USES.find((specialUse) => attribute === `\\${specialUse}`);
}

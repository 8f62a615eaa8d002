/**
 * LIST (RFC 3501 section 6.3.8), extended (RFC 5258) and with STATUS (RFC 5819).
 *
 * `LIST "" ""` asks for the delimiter, in the basic form only. The special uses and whether there are children are told always.
 */

import type { ListArguments } from '../../wire/imap/list.ts';
import { formatList } from '../../wire/imap/listData.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { listMailboxes } from '../mailboxListing.ts';
import type { Listing } from '../mailboxListing.ts';
import { writeStatus } from '../mailboxStatus.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Lists mailboxes. */
export async function list(
  session: SessionContext,
  { account }: AuthenticatedState | SelectedState,
  args: ListArguments,
): Promise<Completion> {
  const { mailboxes } = session.server;
  const { delimiter } = session;
  if (!args.isExtended && args.patterns[0] === '') {
    session.writer.write(formatList({ attributes: ['\\Noselect'], delimiter, name: '' }));
    return ok('LIST completed');
  }
  const tree = {
    mailboxes: await mailboxes.list(account.id),
    subscriptions: await mailboxes.subscriptions(account.id),
    delimiter,
  };
  for (const listing of listMailboxes(tree, args)) {
    session.writer.write(formatList(listing.line));
    await writeStatusOf(session, listing, args);
    await session.pacer.breathe();
  }
  return ok('LIST completed');
}

/** RFC 5819 section 2: STATUS follows its LIST, and is left out where the mailbox has none (any more). */
async function writeStatusOf(
  session: SessionContext,
  { line, mailbox }: Listing,
  args: ListArguments,
): Promise<void> {
  const { statusItems } = args.returns;
  if (statusItems.length > 0 && mailbox !== undefined)
    await writeStatus(session, line.name, mailbox, statusItems);
}

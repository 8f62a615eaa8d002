/**
 * Expunging for EXPUNGE, UID EXPUNGE and CLOSE: what is flagged \Deleted goes, and its trace says who did it.
 *
 * Answered OK after the store's commit. Which content a UID had is read before: afterwards nobody knows.
 */

import type { ContentId, Uid } from '../base/ids.ts';
import { FLAG } from '../store/contract/mailboxes.ts';
import type { UidRange } from '../store/contract/mailboxes.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';

const ALL_UIDS: readonly UidRange[] = [{ first: 1, last: 0xffff_ffff }];

/** Expunges the deleted messages within `ranges`, or all. */
export async function expungeDeleted(
  session: SessionContext,
  selection: Selection,
  ranges: readonly UidRange[] | undefined,
): Promise<void> {
  const { mailboxes } = session.server;
  const contents = await contentsOfDeleted(session, selection, ranges ?? ALL_UIDS);
  if (contents.size === 0) return;
  const expunged = await mailboxes.expunge(selection.id, ranges, true);
  selection.touch();
  for (const uid of expunged) {
    const contentId = contents.get(uid);
    if (contentId !== undefined) session.note(contentId, 'deleted', { uid });
    if (session.pacer.isDue) await session.pacer.breathe();
  }
}

async function contentsOfDeleted(
  session: SessionContext,
  selection: Selection,
  ranges: readonly UidRange[],
): Promise<ReadonlyMap<Uid, ContentId>> {
  const { mailboxes } = session.server;
  const contents = new Map<Uid, ContentId>();
  const { deleted } = await mailboxes.status(selection.id);
  if (deleted === 0) return contents;
  for (const range of ranges) {
    for await (const entries of mailboxes.entries(selection.id, range)) {
      for (const { uid, flags, contentId } of entries) {
        if ((flags.system & FLAG.deleted) !== 0) contents.set(uid, contentId);
      }
      if (contents.size >= deleted) return contents;
    }
    await session.pacer.breathe();
  }
  return contents;
}

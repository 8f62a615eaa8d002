/**
 * SELECT and EXAMINE with QRESYNC: what has changed since the client last looked (RFC 7162 section 3.2.5).
 *
 * Told behind the description of the mailbox and before the completion: what is gone, then flags. A client that remembers
 * another UIDVALIDITY is told nothing more; it sees by the UIDVALIDITY that its memory is worthless.
 */

import type { QresyncParameter } from '../wire/imap/select.ts';
import { resolveSequenceSet } from '../wire/imap/sequenceSet.ts';
import type { NumberRange } from '../wire/imap/sequenceSet.ts';
import { changedEntries } from './changedEntries.ts';
import type { Selection } from './selection.ts';
import type { SessionContext } from './sessionContext.ts';
import { writeFlags } from './updates.ts';
import { goneSince, matchedUid, rangesAbove, writeVanished } from './vanished.ts';

/** Tells what has changed in `selection`, just opened, since the client's `remembered` state. */
export async function resynchronize(
  session: SessionContext,
  selection: Selection,
  remembered: QresyncParameter,
): Promise<void> {
  const { status, view } = selection;
  if (remembered.uidValidity !== status.uidValidity) return;
  const known = knownUids(remembered, status.uidNext - 1);
  // Asked after the view was read: whatever the view has no more is among it.
  const history = await session.server.mailboxes.expungedUids(selection.id, remembered.modSeq);
  const matched = remembered.sequenceMatch === undefined ? 0 : matchedUid(view, remembered.sequenceMatch);
  await writeVanished(session, goneSince(view, history, rangesAbove(known, matched)), true);
  const messages = known.flatMap(({ first, last }) => view.spanOfUids(first, last) ?? []);
  for await (const entries of changedEntries(session, selection, messages, remembered.modSeq)) {
    for (const entry of entries) {
      writeFlags(session, selection, entry, true);
      view.noteTold(entry);
      if (session.writer.isFlushDue) await session.writer.flush();
      await session.pacer.breathe();
    }
  }
}

/** Without a list of them: all that there ever were. */
function knownUids({ knownUids }: QresyncParameter, lastUid: number): readonly NumberRange[] {
  return resolveSequenceSet(knownUids ?? [{ first: 1, last: '*' }], lastUid);
}

/**
 * Writes a session's whole fetches into the store, at its end and when many have gathered (firstFetches.ts).
 */

import type { UidRange } from '../store/contract/mailboxes.ts';
import type { Pop3Context } from './context.ts';
import type { Maildrop } from './maildrop.ts';

/** Tells the store of the fetches whose messages are not marked as deleted. Never rejects: the client has its messages. */
export async function recordFetches(session: Pop3Context, maildrop: Maildrop): Promise<void> {
  const kept = session.firstFetches.take().filter((message) => !maildrop.isMarked(message));
  if (kept.length === 0) return;
  const ranges = kept.map(({ uid }): UidRange => ({ first: uid, last: uid }));
  try {
    await session.surroundings.mailboxes.markFetched(maildrop.mailboxId, ranges);
  } catch (error) {
    session.log.warn('pop3d.session.markFetched', { error, messages: kept.length });
  }
}

/** The same at QUIT, before which a client may not have waited for what it fetched. */
export async function recordLastFetches(session: Pop3Context, maildrop: Maildrop): Promise<void> {
  const { firstFetches, connection } = session;
  // Of a connection that is lost by now the last messages are not known to have left.
  if (firstFetches.isWaiting)
    await connection.flush().then(
      () => firstFetches.confirm(),
      () => {},
    );
  await recordFetches(session, maildrop);
}

/**
 * QUIT (RFC 1939 section 6): the UPDATE state. Deletes what is marked, and says so only after the commit. Where deleted
 * messages are retained, they are gone from the maildrop all the same; they move together or not at all.
 */

import { asMailError } from '../../base/error.ts';
import { parseNothing } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';
import { recordLastFetches } from '../recordFetches.ts';
import { tallyFields } from '../tally.ts';

/** QUIT. */
export const quit: Pop3Command<void> = {
  keyword: 'QUIT',
  states: ['authorization', 'transaction'],
  source: 'RFC 1939 section 6',
  parse: parseNothing,
  async run(session) {
    const { state, surroundings, connection, phrases } = session;
    session.state = { kind: 'closed' };
    if (state.kind !== 'transaction') return session.ok(session.phrases.goodbye);
    const { account, maildrop } = state;
    const isRetained = surroundings.settings.retention(account.settings).retentionDays > 0;
    const origin = { protocol: 'pop3', account: account.address, remote: connection.remoteAddress };
    try {
      const recording = recordLastFetches(session, maildrop);
      const removed = isRetained
        ? await maildrop.retainMarked(session.pacer, origin)
        : await maildrop.expungeMarked(session.pacer);
      await recording;
      session.ok(removed.length === 0 ? phrases.goodbye : phrases.goodbyeAfter(removed.length));
      const fields = tallyFields(session.tally, maildrop, removed.length);
      session.log.info('pop3d.session.quit', { account: account.address, ...fields, isRetained });
      if (isRetained) return;
      for (const { contentId, uid } of maildrop.messagesOf(removed)) {
        await session.pacer.breathe();
        surroundings.trace.note(contentId, {
          at: surroundings.clock.now(),
          kind: 'deleted',
          fields: { ...origin, uid },
        });
      }
    } catch (error) {
      session.log.error('pop3d.session.update', { account: account.address, error: asMailError(error) });
      const { code } = asMailError(error);
      // A full mailbox Fetched is a fault of the server to a client that may delete.
      session.refuse(code === 'limit' ? 'internal' : code, phrases.deletedRemain);
    } finally {
      maildrop.close();
    }
  },
};

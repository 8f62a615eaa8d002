/**
 * RETR (RFC 1939 section 5): the whole message. Where it is set so, IMAP sees it as \Seen, as Exchange had it; hMailServer
 * did not.
 */

import type { Uid } from '../../base/ids.ts';
import { parseNumber } from '../../wire/pop3/command.ts';
import { FLAG } from '../../store/contract/mailboxes.ts';
import type { Pop3Command } from '../command.ts';
import type { Pop3Context } from '../context.ts';
import type { Maildrop } from '../maildrop.ts';
import { askedMessage } from '../messageNumber.ts';
import { recordFetches } from '../recordFetches.ts';
import { transmit } from '../transmit.ts';

/** RETR. */
export const retr: Pop3Command<number> = {
  keyword: 'RETR',
  states: ['transaction'],
  source: 'RFC 1939 section 5',
  parse: parseNumber,
  async run(session, number) {
    const asked = askedMessage(session, number);
    if (asked === undefined) return;
    await transmit(session, asked.message, session.phrases.wholeMessage(asked.message.octets));
    if (session.state.kind !== 'transaction') return;
    session.firstFetches.add(asked.message);
    if (session.firstFetches.isFull) await recordFetches(session, asked.maildrop);
    if (session.compatibility.marksSeen) await markSeen(session, asked.maildrop, asked.message.uid);
    session.surroundings.trace.note(asked.message.contentId, {
      at: session.surroundings.clock.now(),
      kind: 'fetched',
      fields: {
        protocol: 'pop3',
        account: session.state.account.address,
        remote: session.connection.remoteAddress,
        uid: asked.message.uid,
      },
    });
  },
};

/** Once all of it has left: a message that was cut off is not seen. The client has its message, whatever becomes of the flag. */
async function markSeen(session: Pop3Context, { mailboxId }: Maildrop, uid: Uid): Promise<void> {
  await session.connection.flush();
  try {
    const range = { first: uid, last: uid };
    await session.surroundings.mailboxes.setFlags(mailboxId, [range], 'add', {
      system: FLAG.seen,
      keywords: [],
    });
  } catch (error) {
    session.log.warn('pop3d.message.markSeen', { error, uid });
  }
}

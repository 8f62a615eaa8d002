/**
 * RETR (RFC 1939 section 5): the whole message.
 */

import { parseNumber } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';
import { askedMessage } from '../messageNumber.ts';
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
    await transmit(session, asked.message, `${asked.message.octets} octets`);
    if (session.state.kind !== 'transaction') return;
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

/**
 * TOP (RFC 1939 section 7): header and the first lines of the body. Never marks anything as seen. Without a count, as some
 * old clients ask, it is the header alone; with one that no message has lines for, it is how fetchmail fetches.
 */

import { type TopArgument, parseTop } from '../../wire/pop3/command.ts';
import { createTopLimiter } from '../../wire/pop3/top.ts';
import type { Pop3Command } from '../command.ts';
import { askedMessage } from '../messageNumber.ts';
import { fetchesWhole } from '../firstFetches.ts';
import { recordFetches } from '../recordFetches.ts';
import { transmit } from '../transmit.ts';

/** TOP. */
export const top: Pop3Command<TopArgument> = {
  keyword: 'TOP',
  states: ['transaction'],
  source: 'RFC 1939 section 7',
  parse: parseTop,
  async run(session, asked) {
    const found = askedMessage(session, asked.message);
    if (found === undefined) return;
    await transmit(session, found.message, session.phrases.topOfMessage, createTopLimiter(asked.lines));
    if (session.state.kind !== 'transaction' || !fetchesWhole(asked.lines)) return;
    session.firstFetches.add(found.message);
    if (session.firstFetches.isFull) await recordFetches(session, found.maildrop);
  },
};

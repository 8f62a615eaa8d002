/**
 * DELE (RFC 1939 section 5): marks a message; QUIT deletes it.
 */

import { parseNumber } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';
import { askedMessage } from '../messageNumber.ts';

/** DELE. */
export const dele: Pop3Command<number> = {
  keyword: 'DELE',
  states: ['transaction'],
  source: 'RFC 1939 section 5',
  parse: parseNumber,
  run(session, number) {
    const asked = askedMessage(session, number);
    if (asked === undefined) return;
    asked.maildrop.markDeleted(asked.message);
    session.ok(session.phrases.markedDeleted(number));
  },
};

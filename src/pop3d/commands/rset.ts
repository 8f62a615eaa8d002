/**
 * RSET (RFC 1939 section 5): takes all marks away.
 */

import { parseNothing } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';
import { openMaildrop } from '../messageNumber.ts';

/** RSET. */
export const rset: Pop3Command<void> = {
  keyword: 'RSET',
  states: ['transaction'],
  source: 'RFC 1939 section 5',
  parse: parseNothing,
  run(session) {
    const maildrop = openMaildrop(session);
    maildrop.unmarkAll();
    session.ok(session.phrases.unmarked(maildrop.count, maildrop.octets));
  },
};

/**
 * STAT (RFC 1939 section 5): the drop listing.
 */

import { parseNothing } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';
import { openMaildrop } from '../messageNumber.ts';

/** STAT. */
export const stat: Pop3Command<void> = {
  keyword: 'STAT',
  states: ['transaction'],
  source: 'RFC 1939 section 5',
  parse: parseNothing,
  run(session) {
    const maildrop = openMaildrop(session);
    session.ok(`${maildrop.count} ${maildrop.octets}`);
  },
};

/**
 * UIDL (RFC 1939 section 7): the entry's UID as a plain decimal.
 */

import { formatUniqueIdListing } from '../../wire/pop3/reply.ts';
import type { Pop3Command } from '../command.ts';
import { answerListing } from '../listing.ts';
import { parseOptionalNumber } from '../messageNumber.ts';

/** UIDL. */
export const uidl: Pop3Command<number | undefined> = {
  keyword: 'UIDL',
  states: ['transaction'],
  source: 'RFC 1939 section 7',
  parse: parseOptionalNumber,
  run: (session, number) =>
    answerListing(session, number, (message) => formatUniqueIdListing(message.number, String(message.uid))),
};

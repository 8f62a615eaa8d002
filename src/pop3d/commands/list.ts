/**
 * LIST (RFC 1939 section 5): sizes as they are sent.
 */

import { formatScanListing } from '../../wire/pop3/reply.ts';
import type { Pop3Command } from '../command.ts';
import { answerListing } from '../listing.ts';
import { parseOptionalNumber } from '../messageNumber.ts';

/** LIST. */
export const list: Pop3Command<number | undefined> = {
  keyword: 'LIST',
  states: ['transaction'],
  source: 'RFC 1939 section 5',
  parse: parseOptionalNumber,
  run: (session, number) =>
    answerListing(session, number, (message) => formatScanListing(message.number, message.octets)),
};

/**
 * UTF8 (RFC 6856 section 2.1): names and passwords are UTF-8 from here on, and lines may be longer.
 *
 * Messages are the same octets with and without it. Deviates from RFC 6856 section 2.1, which has a message with raw UTF-8 refused
 * or replaced where the client has not said UTF8: the applications behind this server never say it, were always sent such
 * messages by the servers they knew, and would ask for a refused one at every poll, for ever.
 */

import { parseNothing } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';

/** UTF8. */
export const utf8: Pop3Command<void> = {
  keyword: 'UTF8',
  states: ['authorization'],
  source: 'RFC 6856 section 2.1',
  parse: parseNothing,
  run(session) {
    session.isUtf8 = true;
    session.ok(session.phrases.utf8Chosen);
  },
};

/**
 * STLS (RFC 2595 section 4): TLS from here on; the client starts again from the beginning.
 */

import { parseNothing } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';
import { mayStartTls } from './capa.ts';

/** STLS. */
export const stls: Pop3Command<void> = {
  keyword: 'STLS',
  states: ['authorization'],
  source: 'RFC 2595 section 4',
  parse: parseNothing,
  async run(session) {
    if (!mayStartTls(session)) return session.wrong('TLS is not available now');
    session.ok('Begin TLS');
    await session.connection.startTls(session.surroundings.tlsContexts.current());
    session.state = { kind: 'authorization', userName: undefined };
  },
};

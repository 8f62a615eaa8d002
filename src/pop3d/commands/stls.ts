/**
 * STLS (RFC 2595 section 4): TLS from here on; the client starts again from the beginning. Not after UTF8 (RFC 6856 section 2.1).
 */

import { parseNothing } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';
import type { Pop3Context } from '../context.ts';
import { ENGLISH } from '../phrases/english.ts';

/** STLS. */
export const stls: Pop3Command<void> = {
  keyword: 'STLS',
  states: ['authorization'],
  source: 'RFC 2595 section 4',
  parse: parseNothing,
  async run(session) {
    if (!mayStartTls(session)) return session.wrong(session.phrases.tlsUnavailable);
    session.ok(session.phrases.beginTls);
    await session.connection.startTls(session.surroundings.tlsContexts.current());
    session.state = { kind: 'authorization', userName: undefined };
    // Who sits between client and server could have chosen it (RFC 6856 section 7).
    session.phrases = ENGLISH;
  },
};

/** Whether STLS is permitted now. */
export function mayStartTls({ state, connection, surroundings, isUtf8 }: Pop3Context): boolean {
  const isOffered = surroundings.tls === 'starttls' || surroundings.tls === 'required';
  return state.kind === 'authorization' && isOffered && !connection.isSecure && !isUtf8;
}

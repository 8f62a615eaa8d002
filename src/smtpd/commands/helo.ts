/**
 * HELO: who a client without extensions says it is (RFC 5321 section 4.1.1.1). It begins the session anew (section 4.1.4).
 */

import type { SmtpCommand } from '../command.ts';
import { heloNameOf } from '../heloName.ts';
import { reply } from '../reply.ts';

/** HELO. */
export const helo: SmtpCommand = {
  keyword: 'HELO',
  source: 'RFC 5321 4.1.1.1',
  syntaxStatus: '5.5.4',
  run(session, line) {
    const name = heloNameOf(session, line);
    if (name === undefined) return reply(501, undefined, 'Syntax: HELO hostname');
    session.greet(name, false);
    return reply(250, undefined, session.surroundings.serverName);
  },
};

/**
 * EHLO: who the client says it is, and what we offer (RFC 5321 section 4.1.1.1). It begins the session anew (section 4.1.4).
 * Its replies have no enhanced status (RFC 2034 section 3).
 */

import type { SmtpCommand } from '../command.ts';
import { extensionsOf, mechanismsOf } from '../extensions.ts';
import { heloNameOf } from '../heloName.ts';
import { reply } from '../reply.ts';

/** EHLO. */
export const ehlo: SmtpCommand = {
  keyword: 'EHLO',
  source: 'RFC 5321 4.1.1.1',
  syntaxStatus: '5.5.4',
  run(session, line) {
    const name = heloNameOf(session, line);
    if (name === undefined) return reply(501, undefined, 'Syntax: EHLO hostname');
    session.greet(name, true);
    const { serverName, role } = session.surroundings;
    const answer = (mechanisms: readonly string[]) =>
      reply(250, undefined, [serverName, ...extensionsOf(session, mechanisms)]);
    return role === 'submission' ? mechanismsOf(session).then(answer) : answer([]);
  },
};

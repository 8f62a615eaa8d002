/**
 * USER (RFC 1939 section 7): always +OK, so that nobody learns which accounts exist.
 */

import { parseName } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';

/** USER. */
export const user: Pop3Command<string> = {
  keyword: 'USER',
  states: ['authorization'],
  source: 'RFC 1939 section 7',
  parse: parseName,
  run(session, userName) {
    if (!session.mayLogIn) return session.refuse('privacyRequired');
    session.state = { kind: 'authorization', userName };
    session.ok(session.phrases.nowThePassword);
  },
};

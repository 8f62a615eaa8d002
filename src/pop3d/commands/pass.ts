/**
 * PASS (RFC 1939 section 7): everything after one space is the password, blanks included.
 */

import { parsePassword } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';
import { logIn } from '../logIn.ts';

/** PASS. */
export const pass: Pop3Command<string> = {
  keyword: 'PASS',
  states: ['authorization'],
  source: 'RFC 1939 section 7',
  parse: parsePassword,
  async run(session, password) {
    if (!session.mayLogIn) return session.refuse('privacyRequired');
    const userName = session.state.kind === 'authorization' ? session.state.userName : undefined;
    if (userName === undefined) return session.wrong(session.phrases.userFirst);
    session.state = { kind: 'authorization', userName: undefined };
    await logIn(session, { authorizationId: '', authenticationId: userName, password });
  },
};

/**
 * CAPA (RFC 2449): the same before and after login but for STLS (capabilities.ts), and EXPIRE where the account has days of
 * its own.
 *
 * Deviates from RFC 2449 section 6.7, which has the smallest number of days of any account told before login, with USER behind it:
 * the server's own is told, because strangers shall neither learn of nor pay for a look at all accounts.
 */

import { parseNothing } from '../../wire/pop3/command.ts';
import { MULTI_LINE_END } from '../../wire/pop3/reply.ts';
import { capabilityLines } from '../capabilities.ts';
import type { Pop3Command } from '../command.ts';
import { mayStartTls } from './stls.ts';

/** CAPA. */
export const capa: Pop3Command<void> = {
  keyword: 'CAPA',
  states: ['authorization', 'transaction'],
  source: 'RFC 2449 section 5',
  parse: parseNothing,
  run(session) {
    const { loginDelaySeconds, retention } = session.surroundings.settings;
    const { mayLogIn, connection, phrases, state } = session;
    const days = retention(state.kind === 'transaction' ? state.account.settings : {});
    // What a client deletes by itself is no expiry (section 6.7); what goes a time after its fetch is one.
    const expireDays = days.deleteAfterFetchDays === 0 ? undefined : days.deleteAfterFetchDays;
    const { capabilities: chosen } = session.compatibility;
    session.ok(phrases.capabilityListing);
    const situation = { mayStartTls: mayStartTls(session), mayLogIn, loginDelaySeconds, expireDays, chosen };
    for (const line of capabilityLines(situation)) connection.write(line);
    connection.write(MULTI_LINE_END);
  },
};

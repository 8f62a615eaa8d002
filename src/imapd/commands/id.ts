/**
 * ID (RFC 2971): who the client is, for the log; the server tells its name and no version.
 */

import type { IdArguments } from '../../wire/imap/id.ts';
import { formatId } from '../../wire/imap/responses.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { SessionState } from '../sessionState.ts';

/** RFC 2971 section 3.3 allows 1,024 octets each; a log line needs less. */
const LOGGED_CHARS = 100;

/** Logs what the client says and answers in kind. */
export function id(session: SessionContext, _state: SessionState, { fields = [] }: IdArguments): Completion {
  const client = Object.fromEntries(
    fields.map(({ name, value = '' }) => [name.slice(0, LOGGED_CHARS), value.slice(0, LOGGED_CHARS)]),
  );
  session.log.info('imapd.client.identified', { client });
  session.writer.write(formatId(new Map([['name', 'Hauspost']])));
  return ok('ID completed');
}

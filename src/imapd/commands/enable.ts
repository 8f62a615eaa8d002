/**
 * ENABLE (RFC 5161 section 3.1): the client says which extensions it understands.
 *
 * Capabilities that are unknown, or need no enabling, are ignored. One that is on already is answered again, as Dovecot does:
 * a client that asks twice must not take it for refused. RFC 5161 spares servers the check that no mailbox is selected.
 */

import type { EnableArguments } from '../../wire/imap/enable.ts';
import { formatEnabled } from '../../wire/imap/responses.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import { ENABLED_BY_NAME } from '../enabled.ts';
import type { SessionContext } from '../sessionContext.ts';
import type { AuthenticatedState, SelectedState } from '../sessionState.ts';

/** Turns extensions on. */
export function enable(
  session: SessionContext,
  _state: AuthenticatedState | SelectedState,
  { capabilities }: EnableArguments,
): Completion {
  const known = ENABLED_BY_NAME.filter((extension) => capabilities.includes(extension));
  session.writer.write(formatEnabled(known));
  for (const extension of known) session.enable(extension);
  return ok('ENABLE completed');
}

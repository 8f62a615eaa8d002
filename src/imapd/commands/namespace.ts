/**
 * NAMESPACE (RFC 2342): one personal namespace at the root, none of others.
 *
 * Outlook ignores NAMESPACE, so personal mailboxes have to live at the root and not below INBOX.
 */

import { formatNamespace } from '../../wire/imap/responses.ts';
import { ok } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { SessionContext } from '../sessionContext.ts';

/** Tells the delimiter. */
export function namespace(session: SessionContext): Completion {
  session.writer.write(formatNamespace(session.delimiter));
  return ok('NAMESPACE completed');
}

/**
 * NOOP (RFC 1939 section 5).
 */

import { parseNothing } from '../../wire/pop3/command.ts';
import type { Pop3Command } from '../command.ts';

/** NOOP. */
export const noop: Pop3Command<void> = {
  keyword: 'NOOP',
  states: ['transaction'],
  source: 'RFC 1939 section 5',
  parse: parseNothing,
  run: (session) => session.ok(session.phrases.nothingDone),
};

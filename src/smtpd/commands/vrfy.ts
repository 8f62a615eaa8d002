/**
 * VRFY: whoever asks is told to try (RFC 5321 sections 3.5.3 and 7.3), on every listener and of every address alike: it would
 * tell which addresses there are.
 */

import type { SmtpCommand } from '../command.ts';
import { REPLIES, reply } from '../reply.ts';

/** VRFY. */
export const vrfy: SmtpCommand = {
  keyword: 'VRFY',
  source: 'RFC 5321 4.1.1.6',
  syntaxStatus: '5.5.4',
  run: (_session, line) =>
    /^vrfy[ \t]+[^ \t]/i.test(line.toString('latin1'))
      ? REPLIES.vrfyUseless
      : reply(501, '5.5.4', 'Syntax: VRFY address'),
};

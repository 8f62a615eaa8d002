/**
 * HELP: which commands there are (RFC 5321 section 4.1.1.8), whatever it is asked about.
 */

import type { SmtpCommand } from '../command.ts';
import { reply } from '../reply.ts';

/** HELP on a listener that has the commands of `keywords`, itself among them or not. */
export function createHelp(keywords: readonly string[]): SmtpCommand {
  const answer = reply(214, '2.0.0', [`Commands: ${[...keywords, 'HELP'].sort().join(' ')}`, 'See RFC 5321']);
  return { keyword: 'HELP', source: 'RFC 5321 4.1.1.8', syntaxStatus: '5.5.4', run: () => answer };
}

/**
 * Under which text an address is found in the trace.
 *
 * Foreign senders write their addresses as they like, and a trace must take any path that was accepted: so this folds and
 * never refuses. For a valid address the result is the one form that the accounts room gives it (a quoted local part
 * excepted, which stays as it is written); whoever asks is folded in the same way.
 */

import { domainToASCII } from 'node:url';

/** `path` with an NFC, lower-case local part and a lower-case A-label domain. */
export function traceAddress(path: string): string {
  const folded = path.normalize('NFC').toLowerCase().normalize('NFC');
  const at = folded.lastIndexOf('@');
  const domain = folded.slice(at + 1);
  return folded.slice(0, at + 1) + (/[^\0-\x7f]/.test(domain) ? domainToASCII(domain) || domain : domain);
}

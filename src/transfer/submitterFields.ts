/**
 * Who submitted a message, as fields of log lines and trace events. It stands nowhere else: a message's header tells at most that
 * somebody had authenticated (RFC 3848), never who.
 */

import type { Submitter } from './contract.ts';

/** Nothing for those who proved nothing. */
export function submitterFields(submitter: Submitter): Readonly<Record<string, string>> {
  switch (submitter.kind) {
    case 'anyone':
      return {};
    case 'account':
      return { account: submitter.account.address };
    case 'range':
      return { range: submitter.range.name };
    case 'directory':
      return { directory: submitter.directory.name };
  }
}

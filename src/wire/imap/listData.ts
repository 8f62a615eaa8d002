/**
 * LIST and LSUB lines.
 *
 * RFC 3501 section 7.2.2 and section 9: mailbox-list; RFC 5258 section 6: mbox-list-extended, childinfo-extended-item.
 */

import { formatQuoted, NIL } from './format.ts';
import { formatMailbox } from './mailboxName.ts';

/** What a line tells of one mailbox. */
export interface ListedMailbox {
  /** With their backslash. */
  readonly attributes: readonly string[];
  /** Undefined: the namespace is flat. */
  readonly delimiter: string | undefined;
  /** The whole name; for `LIST "" ""` the root, which is empty. */
  readonly name: string;
  /** Selection options that children match where the mailbox does not (CHILDINFO); none by default. */
  readonly childInfo?: readonly string[];
}

/** A LIST line with its CRLF. */
export function formatList(mailbox: ListedMailbox): string {
  return formatLine('LIST', mailbox);
}

/** An LSUB line with its CRLF. */
export function formatLsub(mailbox: ListedMailbox): string {
  return formatLine('LSUB', mailbox);
}

function formatLine(name: 'LIST' | 'LSUB', mailbox: ListedMailbox): string {
  const { attributes, delimiter, childInfo = [] } = mailbox;
  const separator = delimiter === undefined ? NIL : formatQuoted(delimiter);
  const extended = childInfo.length === 0 ? '' : ` ("CHILDINFO" (${childInfo.map(formatQuoted).join(' ')}))`;
  return `* ${name} (${attributes.join(' ')}) ${separator} ${formatMailbox(mailbox.name)}${extended}\r\n`;
}

/**
 * The text of a reason file: what is wrong with a file, where, what to do, and what is known of it. Its first line is the reason by
 * itself, which lists show.
 *
 * Trust: parts of it come from the file. They are shown on one line each, cut, with what is not printable escaped.
 */

import type { UnixMs } from '../base/clock.ts';
import type { Verdict } from './verdict.ts';

/** Characters of one line that comes from outside. */
const SHOWN_LIMIT_CHARS = 400;
/** Recipients that are named. */
const SHOWN_RECIPIENT_LIMIT = 20;

/** What a reason file tells of beside the verdict. */
export interface BadFileFacts {
  /** As shown. */
  readonly file: string;
  /** The directory's name and path. */
  readonly name: string;
  readonly directory: string;
  readonly at: UnixMs;
  readonly handoverId: string;
}

/** The whole text, lines that end in CRLF, since people open it on Windows as well. */
export function formatReason(verdict: Verdict, facts: BadFileFacts): string {
  const { reversePath, recipients } = verdict;
  const lines = [
    shown(verdict.what),
    '',
    ...labelled('Where', verdict.where),
    ...labelled('What to do', verdict.whatToDo),
    `To send it again: hauspost pickup retry ${facts.name} ${argument(facts.file)}`,
    '',
    ...labelled('File', facts.file),
    ...labelled('Directory', `${facts.name} (${facts.directory})`),
    `Time: ${new Date(facts.at).toISOString()}`,
    ...labelled('Sender', reversePath === '' ? '<>' : reversePath),
    ...recipientLines(recipients ?? []),
    `Code: ${verdict.code}`,
    `Trace: ${verdict.traceId}`,
    `Handover: ${facts.handoverId}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * A file's name as one argument of a command that people copy into their shell: whoever wrote the file chose it. Single quotes where
 * double ones would let a POSIX shell or PowerShell find something to do in it, and `--` where it looks like an option.
 */
function argument(file: string): string {
  const quoted = /[^\p{L}\p{N} .,_+=@()-]/u.test(file) ? `'${file.replaceAll("'", "'\\''")}'` : `"${file}"`;
  return file.startsWith('-') ? `-- ${quoted}` : quoted;
}

function labelled(label: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`${label}: ${shown(text)}`];
}

function recipientLines(recipients: readonly string[]): string[] {
  const lines = recipients
    .slice(0, SHOWN_RECIPIENT_LIMIT)
    .map((recipient) => `Recipient: ${shown(recipient)}`);
  const left = recipients.length - lines.length;
  return left > 0 ? [...lines, `and ${left} more`] : lines;
}

function shown(text: string): string {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return line.length <= SHOWN_LIMIT_CHARS ? line : `${line.slice(0, SHOWN_LIMIT_CHARS)}…`;
}

/**
 * An IMAP client's input for a transcript, its secrets masked and its literals counted: made of what the framer found, so that
 * nothing is ever taken for something else than the session takes it for.
 *
 * It errs to masking too much. Of LOGIN the user name is shown where it stands on the line, and nothing behind it, neither text
 * nor the lengths of literals; of AUTHENTICATE the mechanism. An answer to a challenge is masked whole. A line without a tag and
 * one of the names below is masked whole, because a client whose literal was refused sends its password as a line of its own.
 * Trust: any octets. RFC 3501 section 6.2, RFC 4959 (SASL-IR), RFC 7888 (literals).
 */

import type { FrameEvent } from '../imap/frame.ts';
import type { CommandSegment } from '../imap/segment.ts';
import { SHOWN_LIMIT_OCTETS } from './lineCutter.ts';
import { MASK, MECHANISMS, summary } from './masking.ts';
import { printable } from './printable.ts';

/** Names of commands, ours and those of other servers that clients try. */
const KNOWN: ReadonlySet<string> = new Set(
  (
    'APPEND CAPABILITY CHECK CLOSE COMPRESS COPY CREATE DELETE ENABLE EXAMINE EXPUNGE FETCH GETQUOTA GETQUOTAROOT ID IDLE ' +
    'LIST LOGOUT LSUB MOVE NAMESPACE NOOP RENAME SEARCH SELECT SETQUOTA SORT STARTTLS STATUS STORE SUBSCRIBE THREAD UID ' +
    'UNSELECT UNSUBSCRIBE BBOARD CATENATE CONVERT DELETEACL ESEARCH GETACL GETANNOTATION GETMETADATA LANGUAGE LISTRIGHTS ' +
    'MYRIGHTS NOTIFY PARTIAL REPLACE SCAN SETACL SETANNOTATION SETMETADATA UNAUTHENTICATE XLIST'
  ).split(' '),
);
const HEAD = /^([\x21-\x7e]{1,64}) +([A-Za-z]{1,20})(?= |$)/;
/** userid as a quoted string or as an atom, with more behind it. */
const USER_ID = /^ +(?:"(?:[^"\\]|\\.)*"|[^\x00-\x20"{\x7f]+)(?= )/;
const MECHANISM = /^ +([A-Za-z0-9_-]{1,20})(?= |$)/;

/** Reads what one session's framer found. */
export class ImapCommands {
  /** The first line of the command whose beginning has been told, and how many of its segments. */
  #begun: { readonly line: Buffer | undefined; count: number; readonly form: Form } | undefined;
  #contentOctets = 0;

  /** What `event` has for a transcript: lines that begin a command, and lines that go on with one or answer a challenge. */
  push(event: FrameEvent): readonly { readonly text: string; readonly isCommand: boolean }[] {
    switch (event.kind) {
      case 'command':
      case 'needContinuation':
        return this.#tell(event.segments, event.kind === 'needContinuation');
      case 'literalStart':
        this.#contentOctets = 0;
        return event.isFirst ? this.#tell(event.segments, true) : this.#goOn(event.segments);
      case 'literalData':
        this.#contentOctets += event.octets.length;
        return [];
      case 'literalEnd':
        return [{ text: summary(this.#contentOctets), isCommand: false }];
      case 'commandEnd':
        return this.#goOn(event.segments);
      case 'line':
        return [{ text: /^DONE$/i.test(event.octets.toString('latin1')) ? 'DONE' : MASK, isCommand: false }];
      case 'tooLong':
        return [{ text: `${MASK} (a ${event.limit} beyond the limit)`, isCommand: true }];
    }
  }

  #tell(segments: readonly CommandSegment[], isUnfinished: boolean) {
    const first = segments[0];
    const isSame = this.#begun !== undefined && this.#begun.line === first?.line;
    const form = isSame && this.#begun !== undefined ? this.#begun.form : formOf(first?.line ?? NOTHING);
    const from = isSame ? (this.#begun?.count ?? 0) : 0;
    const lines = segments.slice(from).flatMap((segment, index) => {
      const previous = segments[from + index - 1]?.literal;
      const content =
        previous === undefined ? [] : [{ text: countText(previous.octetCount, form), isCommand: false }];
      const isCommand = from + index === 0;
      const text = isCommand ? form.text : restText(segment.line, form);
      const line = { text: text + announcementText(segment, form), isCommand };
      return line.text === '' ? content : [...content, line];
    });
    this.#begun = isUnfinished ? { line: first?.line, count: segments.length, form } : undefined;
    return lines;
  }

  /** Behind a literal that was streamed: APPEND's, so that there is nothing secret. */
  #goOn(segments: readonly CommandSegment[]) {
    return segments
      .map((segment) => restText(segment.line, OPEN) + announcementText(segment, OPEN))
      .filter((text) => text !== '')
      .map((text) => ({ text, isCommand: false }));
  }
}

/** A command's first line as it is shown, and whether what follows may be. */
interface Form {
  readonly text: string;
  readonly isOpen: boolean;
}

const OPEN: Form = { text: '', isOpen: true };
const NOTHING = Buffer.alloc(0);

function formOf(line: Buffer): Form {
  const text = line.toString('latin1');
  const [head = '', , word = ''] = HEAD.exec(text) ?? [];
  const name = word.toUpperCase();
  if (KNOWN.has(name)) return { text: shown(line), isOpen: true };
  const rest = text.slice(head.length);
  if (name === 'LOGIN') return { text: secretForm(head, USER_ID.exec(rest)?.[0], rest), isOpen: false };
  if (name !== 'AUTHENTICATE') return { text: MASK, isOpen: false };
  const [mechanism, mechanismName = ''] = MECHANISM.exec(rest) ?? [];
  const known = MECHANISMS.has(mechanismName.toUpperCase()) ? mechanism : undefined;
  return { text: secretForm(head, known, rest), isOpen: false };
}

/** `head` and what of `rest` may be shown. */
function secretForm(head: string, known = '', rest = ''): string {
  const open = printable(Buffer.from(head + known, 'latin1'));
  return rest.slice(known.length).trim() === '' ? open : `${open} ${MASK}`;
}

function restText(line: Buffer, { isOpen }: Form): string {
  if (line.length === 0) return '';
  return isOpen ? shown(line) : MASK;
}

function announcementText({ line, literal }: CommandSegment, { isOpen }: Form): string {
  if (literal === undefined) return '';
  if (!isOpen) return line.length === 0 ? `{${MASK}}` : ` {${MASK}}`;
  return `${literal.isLiteral8 ? '~' : ''}{${literal.octetCount}${literal.isSynchronising ? '' : '+'}}`;
}

function countText(octets: number, { isOpen }: Form): string {
  return isOpen ? summary(octets) : MASK;
}

function shown(line: Buffer): string {
  if (line.length <= SHOWN_LIMIT_OCTETS) return printable(line);
  return `${printable(line.subarray(0, SHOWN_LIMIT_OCTETS))} ${summary(line.length - SHOWN_LIMIT_OCTETS)}`;
}

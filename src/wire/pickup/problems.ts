/**
 * What can be wrong with a file, as a person who has to mend it should read it: one table, for reason files, logs and the guide.
 *
 * docs/PICKUP-PROBLEMS.md holds it; a test compares them. Trust: `text` comes from the file; `shownText` makes it one printable line.
 */

import { decodeCharset } from '../mime/charset.ts';

/** What is wrong, and where: what is not known or has no place is absent. */
export interface PickupProblem {
  readonly code: PickupProblemCode;
  /** Counted from 1, in the file as it is; a field's first line. */
  readonly line?: number;
  /** The field's name as it is written there. */
  readonly field?: string;
  /** What is wrong of it, by `shownText`. */
  readonly text?: string;
}

/** The key of a row. */
export type PickupProblemCode = keyof typeof PROBLEMS;

/** `{field}` and `{text}` stand for what the problem says of them. */
const PROBLEMS = {
  headerMissing: {
    what: 'The file begins with a blank line or is empty: there is no header.',
    whatToDo:
      'Begin the file with header fields such as From, To and Subject, then a blank line, then the text.',
  },
  headerTooLong: {
    what: 'The header is longer than this directory allows; perhaps the blank line behind it is missing.',
    whatToDo: 'Put a blank line between header and text, or raise headerLimitOctets of the directory.',
  },
  notAField: {
    what: 'The line {text} is no header field.',
    whatToDo:
      'A field is a name, a colon and a value, and goes on in lines that begin with a blank. Take the line out, or put a blank line between header and text if it is text.',
  },
  senderMissing: {
    what: 'Nobody is named as sender.',
    whatToDo: 'Add From (or X-Sender as first line), or set defaultSender of the directory.',
  },
  severalSenders: {
    what: 'The field {field} names more than one sender: {text}.',
    whatToDo: 'Name one address there.',
  },
  severalAuthors: {
    what: 'From names several addresses, and no field Sender says which one sends.',
    whatToDo: 'Add Sender with one address, or leave one address in From.',
  },
  recipientMissing: {
    what: 'Nobody is named as recipient.',
    whatToDo:
      'Add To, Cc or Bcc with an address, or X-Receiver lines at the beginning of the file. Where X-Sender begins the file, X-Receiver has to follow: To, Cc and Bcc do not count then.',
  },
  tooManyRecipients: {
    what: 'The message has {text} recipients, more than this directory allows.',
    whatToDo: 'Spread them over several files, or raise recipientLimit of the directory.',
  },
  addressWithoutDomain: {
    what: 'The field {field} holds {text}, which has no domain.',
    whatToDo: 'Write the whole address, as name@example.com; put names with commas in quotation marks.',
  },
  addressUnclear: {
    what: 'The field {field} holds {text}, which can be read in more than one way or not at all.',
    whatToDo: 'Write one address or "Name" <name@example.com>, with commas between several.',
  },
  addressInvalid: {
    what: 'The field {field} holds {text}, which is not a valid address.',
    whatToDo: 'Write an address as name@example.com, in UTF-8 where it has letters beyond US-ASCII.',
  },
  parameterWrong: {
    what: 'The field {field} has a parameter behind the address that cannot be read: {text}.',
    whatToDo:
      'X-Sender takes BODY, RET, ENVID and AUTH, X-Receiver takes NOTIFY and ORCPT, written as in SMTP (RFC 3461), for example NOTIFY=FAILURE,DELAY.',
  },
  receiverNotFirst: {
    what: 'X-Receiver stands behind other fields, so it is not clear who is to get the message.',
    whatToDo:
      'Put X-Sender and X-Receiver at the very beginning of the file if they are its envelope; take them out if To, Cc and Bcc are. Files exported from Exchange belong into a replay directory.',
  },
  resentNotFirst: {
    what: 'The field {field} stands behind other fields, so it is not clear whether the message is sent again or for the first time.',
    whatToDo:
      'Put the Resent fields at the beginning of the file to send it again to those that they name; take them out to send it to To, Cc and Bcc.',
  },
  envelopeFieldNotFirst: {
    what: 'The field {field} stands behind other fields. In a replay directory the X-fields of the envelope come first.',
    whatToDo: 'Put X-Sender, X-Receiver and the other X-fields at the beginning of the file.',
  },
  envelopeFieldMissing: {
    what: 'The field {text} is missing. In a replay directory a file begins with one X-Sender and at least one X-Receiver.',
    whatToDo: 'Add the field at the beginning of the file, or use a pickup directory.',
  },
  envelopeFieldTwice: {
    what: 'The field {field} stands there more than once.',
    whatToDo: 'Leave one of them; only X-Receiver may stand several times.',
  },
  envelopeFieldWrong: {
    what: 'The field {field} holds {text}, which is not what it should hold.',
    whatToDo:
      'X-Sender and X-Receiver hold an address in angle brackets (<> for no sender) and perhaps parameters, X-EndOfInjectedXHeaders a number.',
  },
} as const satisfies Record<string, { readonly what: string; readonly whatToDo: string }>;

/** Characters of a file that are shown. */
const SHOWN_LIMIT_CHARS = 200;

/** A problem in English: a sentence each, `where` as `line 3, field To`. */
export function explainProblem({ code, line, field, text }: PickupProblem): {
  readonly what: string;
  readonly where: string | undefined;
  readonly whatToDo: string;
} {
  const { what, whatToDo } = PROBLEMS[code];
  const places = [
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(field === undefined ? [] : [`field ${field}`]),
  ];
  return {
    what: what.replaceAll(/\{(field|text)\}/g, (_, name: string) =>
      name === 'field' ? (field ?? '') : quoted(code, text ?? ''),
    ),
    where: places.length === 0 ? undefined : places.join(', '),
    whatToDo,
  };
}

/** What a file holds (each character an octet) in one printable line, the beginning of it where it is long. */
export function shownText(octets: string): string {
  const cut = octets.length > SHOWN_LIMIT_CHARS * 4 ? octets.slice(0, SHOWN_LIMIT_CHARS * 4) : octets;
  const text = decodeCharset(Buffer.from(cut, 'latin1'), undefined)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')
    .trim();
  const characters = [...text];
  if (characters.length <= SHOWN_LIMIT_CHARS && cut === octets) return text;
  return `${characters.slice(0, SHOWN_LIMIT_CHARS).join('')}...`;
}

/** The table of docs/PICKUP-PROBLEMS.md in Markdown. */
export function documentPickupProblems(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { what, whatToDo }]) => `| \`${code}\` | ${generic(what)} | ${generic(whatToDo)} |`,
  );
  return ['| code | what is wrong | what to do |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

function quoted(code: PickupProblemCode, text: string): string {
  return code === 'tooManyRecipients' || code === 'envelopeFieldMissing' ? text : `"${text}"`;
}

function generic(text: string): string {
  return text
    .replaceAll('{field}', '(name)')
    .replaceAll('{text}', '(text)')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

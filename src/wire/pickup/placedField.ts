/**
 * A file's header fields with the lines that they stand in, for telling where something is wrong.
 */

import type { MessageField, MessageHeader } from '../mime/messageHeader.ts';
import { nameOf } from '../mime/submittedHeader.ts';
import { type PickupProblem, type PickupProblemCode, shownText } from './problems.ts';

/** One field; `name` is in lower case, empty for a line that is no field. */
export interface PlacedField extends MessageField {
  /** Of its first line, counted from 1. */
  readonly line: number;
  /** The name as it is written. */
  readonly label: string;
}

/** A name: any octets but blanks, controls and colons, so that letters beyond US-ASCII do no harm. */
const NAME = /^[!-9;-~\x80-\xff]+[ \t]*$/;
const COLON = 0x3a;
const LF = 0x0a;

/** The fields of a header in its order. */
export function placeFields({ fields }: MessageHeader): readonly PlacedField[] {
  let line = 1;
  return fields.map((field, index) => {
    const { octets } = field;
    const label = octets.toString('latin1', 0, Math.max(0, octets.indexOf(COLON)));
    const placed = {
      ...field,
      name: NAME.test(label) ? nameOf(field, index) : '',
      line,
      label: label.trim(),
    };
    for (let at = octets.indexOf(LF); at >= 0; at = octets.indexOf(LF, at + 1)) line += 1;
    return placed;
  });
}

/** A problem of a field; `text` is what it holds unless something else is said. */
export function problemOf(
  code: PickupProblemCode,
  { line, label, value }: PlacedField,
  text: string = shownText(value),
): PickupProblem {
  return { code, line, field: label, text };
}

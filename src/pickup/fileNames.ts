/**
 * File names as octets: which are taken, and how they are shown.
 *
 * A name is whatever octets another program chose, UTF-8 or not, with line ends in it or not. It is held as a string with one
 * character for each octet, so that it can be a key; only `showName` makes text of it.
 *
 * Trust: names come from outside. They are never parsed as paths (a directory's entry has no `/`) and never shown as they are.
 */

import { sep } from 'node:path';

import { SHOWN_NAME_LIMIT_CHARS } from './limits.ts';

/** A name of one entry of a directory, one character (0 to 255) for each octet. */
export type FileName = string & { readonly __brand: 'FileName' };

/** Names that say that a file is not finished or not a message: `.hidden ~backup *.tmp *.part *.bad *.reason.txt`. */
const UNFINISHED = /^[.~]|\.(tmp|part|bad|reason\.txt)$/i;
const EML = /\.eml$/i;

/** The octets of a directory's entry as a name. */
export function fileName(octets: Buffer): FileName {
  return octets.toString('latin1') as FileName;
}

/** Text, as an administrator types it, as a name. */
export function fileNameOf(text: string): FileName {
  return fileName(Buffer.from(text));
}

/** A name's octets. */
export function octetsOf(name: FileName): Buffer {
  return Buffer.from(name, 'latin1');
}

/** Whether a file of this name is taken once it is finished. */
export function isTaken(name: FileName, fileNames: 'eml' | 'any'): boolean {
  return !UNFINISHED.test(name) && (fileNames === 'any' || EML.test(name));
}

/** Whether the name may be that of a file that will be renamed once it is finished. */
export function isUnfinished(name: FileName): boolean {
  return /^[.~]|\.(tmp|part)$/i.test(name);
}

/** The path of an entry; octets, since a name need not be text. */
export function pathOf(directory: string, name: FileName): Buffer {
  return Buffer.concat([Buffer.from(`${directory}${sep}`), octetsOf(name)]);
}

/** A name as text that is safe to show, one line, cut where it is long: what is not printable is escaped as `\x0a` or `\u202e`. */
export function showName(name: FileName): string {
  const octets = octetsOf(name);
  const text = octets.toString();
  const isText = Buffer.from(text).equals(octets);
  const shown = isText
    ? text.replace(/[\p{C}\p{Zl}\p{Zp}\\]/gu, escapeCharacter)
    : name.replace(/[^\x20-\x5b\x5d-\x7e]/g, escapeCharacter);
  return shown.length <= SHOWN_NAME_LIMIT_CHARS ? shown : `${shown.slice(0, SHOWN_NAME_LIMIT_CHARS - 1)}…`;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\\') return '\\\\';
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

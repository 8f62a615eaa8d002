/**
 * Looks whether a file that is still has its header whole: a file that is cut off in its header would go to fewer recipients.
 *
 * RFC 5322 section 2.1: the header ends with a blank line, or with the message where there is no body.
 */

import { createFileDecoder } from '../wire/pickup/fileDecoder.ts';
import { FileOctets, openFile } from './fileReading.ts';
import type { FileName } from './fileNames.ts';
import { pathOf } from './fileNames.ts';
import { HEADER_ONLY_SETTLES, HEADERLESS_SETTLES } from './limits.ts';
import { lookAtHandle } from './fileLook.ts';

/** A line of a header: a field begins or goes on (RFC 5322 section 2.2). */
const FIELD_LINE = /^(?:[!-9;-~]+[ \t]*:|[ \t])/;
/** Octets of one character in the widest encoding, UTF-16. */
const WIDEST_OCTETS = 2;

/** How far the header goes: to its blank line, to the end of the last field's line, or it is none (yet). */
export type HeaderEnd = 'blankLine' | 'lastField' | 'none';

/** How many times as long as a file with a whole header one has to be still that ends like this. */
export const SETTLES: Readonly<Record<HeaderEnd, number>> = {
  blankLine: 1,
  lastField: HEADER_ONLY_SETTLES,
  none: HEADERLESS_SETTLES,
};

/** Reads a file's header. One that is longer than the limit counts as whole: it is bad anyhow. Errors: FileChanged, the system's. */
export async function lookAtHeader(
  directory: string,
  name: FileName,
  headerLimitOctets: number,
): Promise<HeaderEnd> {
  const handle = await openFile(pathOf(directory, name));
  try {
    const { octets } = await lookAtHandle(handle);
    const limitOctets = headerLimitOctets * WIDEST_OCTETS;
    const first = await new FileOctets(handle, octets).first(limitOctets);
    return octets > limitOctets ? 'blankLine' : headerEndOf(createFileDecoder().push(first));
  } finally {
    await handle.close();
  }
}

/** Where the header ends in the decoded octets of a whole file. */
export function headerEndOf(octets: Buffer): HeaderEnd {
  if (octets.indexOf('\r\n\r\n') !== -1 || octets.indexOf('\r\n') === 0) return 'blankLine';
  const lines = octets.toString('latin1').split('\r\n');
  const isEnded = lines.pop() === '';
  return isEnded && lines.length > 0 && lines.every((line) => FIELD_LINE.test(line)) ? 'lastField' : 'none';
}

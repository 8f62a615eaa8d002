/**
 * Looks at a message's header while it passes: how many Received fields there are, and whether a Delivered-To names one of its
 * recipients. Both tell a mail loop (RFC 5321 section 6.3). No octet is changed or kept beyond the line under way.
 *
 * Trust: any octets. The header may have no end; LINE_LIMIT_OCTETS of a line are looked at and HEADER_LIMIT_OCTETS in all.
 */

import { KIB, MIB } from '../base/units.ts';

/** Received fields beyond which a message is in a loop: Exchange adds some ten on the way, Postfix's hop limit is 50. */
export const RECEIVED_LIMIT = 50;
/** What is looked at of one line: longer than any field name and address. */
const LINE_LIMIT_OCTETS = KIB;
/** What is looked at in all; Exchange Online's header blocks have some 14 KB. */
const HEADER_LIMIT_OCTETS = MIB;

/** Lines that are looked at; mail that went through a dozen servers has some 200. */
const HEADER_LIMIT_LINES = 10_000;
/** What a line must begin with to be looked at: CR of the blank line, D and R in either case. */
const FIRST_OCTETS: ReadonlySet<number> = new Set(Buffer.from('\rDdRr'));

const LF = 0x0a;

/** What was found so far. */
export interface HeaderWatch {
  push(chunk: Uint8Array): void;
  /** Received fields. */
  readonly received: number;
  /** Values of Delivered-To fields, lower case, without blanks and brackets. */
  readonly deliveredTo: readonly string[];
}

/** A watch at the start of a message. */
export function createHeaderWatch(): HeaderWatch {
  const deliveredTo: string[] = [];
  let received = 0;
  let seen = 0;
  let isOver = false;
  let lines = 0;
  let line = '';
  /** The line under way is none of those that are looked at. */
  let isSkipping = false;
  const endLine = () => {
    const field = line.replace(/\r$/, '');
    line = '';
    if (field === '') isOver = true;
    else if (/^received[ \t]*:/i.test(field)) received += 1;
    else if (/^delivered-to[ \t]*:/i.test(field) && deliveredTo.length < RECEIVED_LIMIT) {
      deliveredTo.push(addressOf(field));
    }
  };
  return {
    push(chunk) {
      let start = 0;
      while (!isOver && start < chunk.length) {
        const end = chunk.indexOf(LF, start);
        const stop = end < 0 ? chunk.length : end;
        if (line === '' && !isSkipping) isSkipping = stop > start && !FIRST_OCTETS.has(chunk[start] ?? 0);
        if (!isSkipping && line.length < LINE_LIMIT_OCTETS) {
          const room = LINE_LIMIT_OCTETS - line.length;
          line += Buffer.from(chunk.buffer, chunk.byteOffset + start, Math.min(stop - start, room)).toString(
            'latin1',
          );
        }
        if (end < 0) break;
        if (!isSkipping) endLine();
        isSkipping = false;
        lines += 1;
        if (lines >= HEADER_LIMIT_LINES) isOver = true;
        start = end + 1;
      }
      seen += chunk.length;
      if (seen > HEADER_LIMIT_OCTETS) isOver = true;
    },
    get received() {
      return received;
    },
    get deliveredTo() {
      return deliveredTo;
    },
  };
}

/** A Delivered-To field's value, lower case, without blanks and brackets. */
function addressOf(field: string): string {
  return Buffer.from(field.slice(field.indexOf(':') + 1), 'latin1')
    .toString()
    .replace(/[\s<>]/g, '')
    .toLowerCase();
}

/**
 * What the tests of wire/imap's parsers share: a command as text, framed and decoded.
 *
 * Synchronising literals are accepted; a streamed message is announced and its octets left out, as the session sees it.
 */

import { WireError } from '../../src/base/error.ts';
import { CommandDecoder } from '../../src/wire/imap/decoder.ts';
import { createCommandFramer } from '../../src/wire/imap/framing.ts';
import type { CommandSegment } from '../../src/wire/imap/segment.ts';

/** The octets of `text`, one for each character. */
export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The segments of the one command that `text` (without its last CRLF) is. */
export function segmentsOf(text: string): readonly CommandSegment[] {
  const framer = createCommandFramer({ lineLimitOctets: 10_000_000, toleratesBareLf: false });
  framer.push(latin1(`${text}\r\n`));
  for (let event = framer.next(); event !== undefined; event = framer.next()) {
    if (event.kind === 'command') return event.segments;
    framer.acceptLiteral();
  }
  throw new Error(`not one command: ${text}`);
}

/** A decoder at the beginning of `text`. */
export function decoderOf(text: string): CommandDecoder {
  return new CommandDecoder(segmentsOf(text));
}

/** What `parse` answers for `text`, or `offset expected` of its WireError; any other error is thrown. */
export function parsed<Value>(parse: (decoder: CommandDecoder) => Value, text: string): Value | string {
  try {
    return parse(decoderOf(text));
  } catch (error) {
    if (error instanceof WireError) return `${error.offset} ${error.expected}`;
    throw error;
  }
}

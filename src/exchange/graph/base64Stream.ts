/**
 * A message as base64 while it is read, in pieces: one line, as sendMail takes it.
 *
 * RFC 4648 section 4. Never more than a piece of the message and its base64 is held.
 */

/** Octets of `octets` in base64. */
export function base64Octets(octets: number): number {
  return 4 * Math.ceil(octets / 3);
}

/** The base64 of these octets; padded at their end. */
export async function* base64Of(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    const octets = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const whole = octets.length - (octets.length % 3);
    if (whole > 0) yield Buffer.from(octets.toString('base64', 0, whole), 'latin1');
    // A copy: the piece's memory may be its reader's again.
    rest = Buffer.from(octets.subarray(whole));
  }
  if (rest.length > 0) yield Buffer.from(rest.toString('base64'), 'latin1');
}

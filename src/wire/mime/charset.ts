/**
 * Octets of a message as text, by the charset that it names (RFC 2045 section 5, RFC 2046 section 4.1.2).
 *
 * Node's TextDecoder knows the charsets of the WHATWG Encoding Standard. Where a message names none, US-ASCII or one that is
 * unknown, 8-bit octets are UTF-8 if they can be, else windows-1252: that is what such messages hold in practice.
 * Never throws: what does not decode becomes U+FFFD.
 */

/** Decodes one text, piece by piece. One user; `end` comes last. */
export interface CharsetDecoder {
  push(piece: Uint8Array): string;
  end(): string;
}

/** A decoder for `charset`, in any case; undefined where the message names none. */
export function createCharsetDecoder(charset: string | undefined): CharsetDecoder {
  const label = charset?.trim().toLowerCase() ?? '';
  if (!UNTOLD.has(label)) {
    try {
      return streaming(new TextDecoder(label, { ignoreBOM: true }));
    } catch {
      // A charset that nobody knows: guess.
    }
  }
  return guessing();
}

/** The whole of `octets` as text. */
export function decodeCharset(octets: Uint8Array, charset: string | undefined): string {
  const decoder = createCharsetDecoder(charset);
  return decoder.push(octets) + decoder.end();
}

/** Labels that say nothing of octets above 127. TextDecoder takes the ASCII ones for windows-1252. */
const UNTOLD = new Set(['', 'us-ascii', 'ascii', 'ansi_x3.4-1968', 'unknown-8bit', 'x-unknown', 'utf-7']);

function streaming(decoder: InstanceType<typeof TextDecoder>): CharsetDecoder {
  return {
    push: (piece) => decoder.decode(piece, { stream: true }),
    end: () => decoder.decode(),
  };
}

/** UTF-8 as long as the octets are; from the first piece that is not, windows-1252. */
function guessing(): CharsetDecoder {
  let decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let pending = Buffer.alloc(0);
  const fallBack = (octets: Uint8Array): string => {
    decoder = new TextDecoder('windows-1252');
    return decoder.decode(octets, { stream: true });
  };
  return {
    push: (piece) => {
      if (!decoder.fatal) return decoder.decode(piece, { stream: true });
      const octets = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
      const cut = incompleteTail(octets);
      try {
        const text = decoder.decode(octets.subarray(0, octets.length - cut));
        pending = Buffer.from(octets.subarray(octets.length - cut));
        return text;
      } catch {
        pending = Buffer.alloc(0);
        return fallBack(octets);
      }
    },
    end: () => (decoder.fatal && pending.length > 0 ? fallBack(pending) : decoder.decode()),
  };
}

/** Octets at the end that may be the beginning of a UTF-8 character. */
function incompleteTail(octets: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, octets.length); back += 1) {
    const octet = octets[octets.length - back] as number;
    if (octet < 0x80) return 0;
    if (octet >= 0xc0) return back < sequenceLength(octet) ? back : 0;
  }
  return 0;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

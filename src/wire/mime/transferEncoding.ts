/**
 * Content-Transfer-Encodings taken off, piece by piece (RFC 2045 section 6).
 *
 * Lenient as readers of real mail have to be: what is not base64 is skipped and padding in the middle starts anew (several
 * encoders joined their outputs), a quoted-printable `=` without two hexadecimal digits stands for itself. Unknown encodings
 * pass unchanged.
 * Invariant: the same octets come out whatever the pieces. Memory is that of a piece.
 */

/** Decodes one body. One user; `end` comes last. */
export interface TransferDecoder {
  /** The octets that are certain after `piece`. */
  push(piece: Uint8Array): Buffer;
  /** The rest. */
  end(): Buffer;
}

const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;
const BASE64_GROUP = 4;
const NOTHING = Buffer.alloc(0);

/** A decoder for Content-Transfer-Encoding `encoding`, in any case. */
export function createTransferDecoder(encoding: string): TransferDecoder {
  switch (encoding.trim().toLowerCase()) {
    case 'base64':
      return base64Decoder();
    case 'quoted-printable':
      return quotedPrintableDecoder();
    default:
      return {
        push: (piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.length),
        end: () => NOTHING,
      };
  }
}

function base64Decoder(): TransferDecoder {
  let rest = '';
  const decode = (text: string): Buffer => {
    const runs = text.replace(/[^A-Za-z0-9+/=]+/g, '').split(/=+/);
    rest = runs.pop() ?? '';
    const whole = rest.length - (rest.length % BASE64_GROUP);
    const last = Buffer.from(rest.slice(0, whole), 'base64');
    rest = rest.slice(whole);
    if (runs.length === 0) return last;
    return Buffer.concat([...runs.map((run) => Buffer.from(run, 'base64')), last]);
  };
  return {
    push: (piece) => decode(rest + latin1(piece)),
    end: () => Buffer.from(rest, 'base64'),
  };
}

function quotedPrintableDecoder(): TransferDecoder {
  let rest: Buffer = NOTHING;
  return {
    push: (piece) => {
      const input = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const { output, taken } = decodeQuotedPrintable(input);
      rest = Buffer.from(input.subarray(taken));
      return output;
    },
    end: () => rest,
  };
}

/** Decodes up to a `=` whose meaning the next piece will tell. */
function decodeQuotedPrintable(input: Uint8Array): { output: Buffer; taken: number } {
  const output = Buffer.allocUnsafe(input.length);
  let length = 0;
  let index = 0;
  for (; index < input.length; index += 1) {
    const octet = input[index] as number;
    if (octet !== EQUALS) {
      output[length] = octet;
      length += 1;
      continue;
    }
    const next = input[index + 1];
    const afterNext = input[index + 2];
    if (next === undefined || ((next === CR || isHex(next)) && afterNext === undefined)) break;
    if (next === LF) index += 1;
    else if (next === CR && afterNext === LF) index += 2;
    else if (isHex(next) && isHex(afterNext)) {
      output[length] = Number.parseInt(String.fromCharCode(next, afterNext as number), 16);
      length += 1;
      index += 2;
    } else {
      output[length] = EQUALS;
      length += 1;
    }
  }
  return { output: output.subarray(0, length), taken: index };
}

function isHex(octet: number | undefined): boolean {
  if (octet === undefined) return false;
  return (
    (octet >= 0x30 && octet <= 0x39) || (octet >= 0x41 && octet <= 0x46) || (octet >= 0x61 && octet <= 0x66)
  );
}

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
}

/**
 * The header's part of what a DKIM signature signs.
 *
 * RFC 6376 sections 3.4.1 (simple), 3.4.2 (relaxed), 3.7 (the field itself, its b= emptied, last and without line end) and 5.4.2
 * (of fields with one name the lowest is signed first; a name too many signs that there is no further one).
 * Trust: any octets; linear time in header and signature.
 */

import { trimSpace } from '../mime/header.ts';
import type { MessageField } from '../mime/messageHeader.ts';
import type { Canonicalization, DkimSignature } from './signature.ts';

/** Fields that a message has once at most (RFC 5322 section 3.6, RFC 2045): a second one is something that somebody added. */
const SINGLE_NAMES: ReadonlySet<string> = new Set(
  'from sender reply-to to cc subject date message-id in-reply-to references mime-version content-type content-transfer-encoding'.split(
    ' ',
  ),
);

/** What is signed: the fields that `signature` names, and the field that it stands in. */
export function signedHeader(
  fields: readonly MessageField[],
  { signedNames, headerForm }: DkimSignature,
  own: MessageField,
): Buffer {
  const byName = new Map<string, MessageField[]>();
  for (const field of fields) {
    if (field === own) continue;
    const alike = byName.get(field.name);
    if (alike === undefined) byName.set(field.name, [field]);
    else alike.push(field);
  }
  const signed = signedNames.flatMap((name) => byName.get(name)?.pop() ?? []);
  const itself = canonicalField(withoutSignature(own.octets), headerForm);
  return Buffer.concat([
    ...signed.map(({ octets }) => canonicalField(octets, headerForm)),
    withoutLineEnd(itself),
  ]);
}

/**
 * A name that occurs more often than it is signed although a message has such a field once: then what a reader sees may not be
 * what was signed (RFC 6376 section 8.15). Undefined when there is none.
 */
export function addedField(
  fields: readonly MessageField[],
  signedNames: readonly string[],
): string | undefined {
  const single = [...new Set(signedNames)].filter((name) => SINGLE_NAMES.has(name));
  return single.find((name) => {
    const count = fields.filter((field) => field.name === name).length;
    return count > signedNames.filter((signed) => signed === name).length;
  });
}

function canonicalField(octets: Buffer, form: Canonicalization): Buffer {
  if (form === 'simple') return octets;
  const text = octets.toString('latin1');
  const colon = text.indexOf(':');
  const name = trimSpace(text.slice(0, colon));
  const value = text
    .slice(colon + 1)
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
  return Buffer.from(`${name.toLowerCase()}:${value}\r\n`, 'latin1');
}

/** The field with nothing behind its b=. */
function withoutSignature(octets: Buffer): Buffer {
  const text = octets.toString('latin1');
  const start = text.indexOf(':') + 1;
  const lineEnd = text.endsWith('\r\n') ? '\r\n' : '';
  const specs = text
    .slice(start, text.length - lineEnd.length)
    .split(';')
    .map((spec) => /^[ \t\r\n]*b[ \t\r\n]*=/.exec(spec)?.[0] ?? spec);
  return Buffer.from(text.slice(0, start) + specs.join(';') + lineEnd, 'latin1');
}

function withoutLineEnd(octets: Buffer): Buffer {
  return octets.subarray(0, octets.length - (octets.subarray(-2).equals(CRLF) ? 2 : 0));
}

const CRLF = Buffer.from('\r\n');

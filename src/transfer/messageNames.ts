/**
 * What a message is called by its sender, as its trace is found by it: the Message-ID without brackets, and the decoded subject.
 * Trust: the sender's octets; of a long field only the beginning is decoded, and the store cuts what is longer than it keeps.
 */

import { KIB } from '../base/units.ts';
import { decodeEncodedWords } from '../wire/mime/encodedWord.ts';
import { type MessageHeader, valuesOf } from '../wire/mime/messageHeader.ts';
import { firstMessageIdOf } from '../wire/mime/messageId.ts';
import type { MessageNames } from '../store/contract/trace.ts';

/** What is looked at of a field. */
const VALUE_LIMIT_OCTETS = 2 * KIB;

/** The names in a header, as far as there are any. */
export function namesOf(header: MessageHeader): MessageNames {
  const [id = ''] = valuesOf(header, 'message-id');
  const [subject = ''] = valuesOf(header, 'subject');
  const messageId = messageIdName(octetsOf(id).toString());
  const text = decodeEncodedWords(octetsOf(subject)).trim();
  return { ...(messageId === '' ? {} : { messageId }), ...(text === '' ? {} : { subject: text }) };
}

/** A Message-ID as it is kept, whether `text` has it with its brackets or without; what is none stands for itself. */
export function messageIdName(text: string): string {
  const octets = Buffer.from(text.trim()).toString('latin1');
  const found = firstMessageIdOf(octets) ?? firstMessageIdOf(`<${octets}>`) ?? octets.replace(/^<|>$/g, '');
  return Buffer.from(found, 'latin1').toString();
}

function octetsOf(value: string): Buffer {
  return Buffer.from(value.slice(0, VALUE_LIMIT_OCTETS), 'latin1');
}

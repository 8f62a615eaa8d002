/**
 * A message's structure and fetch envelope as two blobs, which the store keeps as derived data.
 *
 * A blob is one octet ENCODING_VERSION, the lengths of a text and of JSON as four octets each (big-endian), the text, and the JSON
 * in latin1 (all text is octet strings) without names: arrays in a fixed order. The text is the ENVELOPE or BODYSTRUCTURE as FETCH tells it: clients
 * ask for those of whole mailboxes, and making them anew each time cost more than all the rest. What else is asked of a
 * message is decoded from the JSON, once it is looked at.
 * Whoever changes what the walker finds, how wire/imap writes either text, or this form, raises ENCODING_VERSION: then every
 * older blob opens as undefined, and its owner walks the content again. Invariant: decoding what was encoded gives equal data
 * and encodes to equal octets. The two are apart because a list of messages needs envelopes only.
 */

import { formatBodyStructure } from '../imap/bodyStructure.ts';
import { formatEnvelope } from '../imap/envelope.ts';
import { asBuffer } from './octets.ts';
import type {
  EnvelopeAddress,
  FetchEnvelope,
  MimeDisposition,
  MimeMessage,
  MimeParameter,
  MimePart,
  OctetString,
  PartFields,
} from './structure.ts';

/** The version that is written, and the only one that is read. */
export const ENCODING_VERSION = 2;

/** What the store keeps of a message; the buffers are the caller's. */
export interface EncodedMessage {
  readonly envelope: Buffer;
  readonly structure: Buffer;
}

/** A message whose parts are decoded when they are first looked at. */
export interface StoredMessage extends MimeMessage {
  /** ENVELOPE's value in a FETCH response, one character for each octet. */
  readonly envelopeText: string;
  /** BODYSTRUCTURE's value in a FETCH response, one character for each octet. */
  readonly structureText: string;
}

/** Encodes a message. */
export function encodeMessage(message: MimeMessage): EncodedMessage {
  const { structure, envelope, octets, pop3Octets } = message;
  const head: StructureData = [octets, pop3Octets, partData(structure)];
  return {
    envelope: toBlob(formatEnvelope(envelope), envelopeData(envelope)),
    structure: toBlob(formatBodyStructure(structure), head),
  };
}

/** Opens a message; undefined when a blob is of another version or none of ours. The blobs must stay as they are. */
export function openMessage(encoded: {
  readonly envelope: Uint8Array;
  readonly structure: Uint8Array;
}): StoredMessage | undefined {
  const envelope = asBuffer(encoded.envelope);
  const structure = asBuffer(encoded.structure);
  return isBlob(envelope) && isBlob(structure) ? new OpenedMessage(envelope, structure) : undefined;
}

/** Opens what encodeMessage() has made just now. */
export function openEncoded({ envelope, structure }: EncodedMessage): StoredMessage {
  return new OpenedMessage(envelope, structure);
}

/** A message as its blobs have it. */
class OpenedMessage implements StoredMessage {
  readonly #envelopeBlob: Buffer;
  readonly #structureBlob: Buffer;
  #envelope: FetchEnvelope | undefined;
  #head: MessageHead | undefined;

  constructor(envelope: Buffer, structure: Buffer) {
    this.#envelopeBlob = envelope;
    this.#structureBlob = structure;
  }

  get envelopeText(): string {
    return textOf(this.#envelopeBlob);
  }

  get structureText(): string {
    return textOf(this.#structureBlob);
  }

  get envelope(): FetchEnvelope {
    this.#envelope ??= envelopeFrom(dataOf(this.#envelopeBlob) as EnvelopeData);
    return this.#envelope;
  }

  get structure(): MimePart {
    return this.#decodeHead().structure;
  }

  get octets(): number {
    return this.#decodeHead().octets;
  }

  get pop3Octets(): number {
    return this.#decodeHead().pop3Octets;
  }

  #decodeHead(): MessageHead {
    if (this.#head === undefined) {
      const [octets, pop3Octets, part] = dataOf(this.#structureBlob) as StructureData;
      this.#head = { structure: partFrom(part), octets, pop3Octets };
    }
    return this.#head;
  }
}

/** What the structure's blob holds. */
type MessageHead = Pick<MimeMessage, 'structure' | 'octets' | 'pop3Octets'>;
type Text = OctetString | null;
type StructureData = [octets: number, pop3Octets: number, part: PartData];
/** Names and values, or the four members of addresses, one after another. */
type FlatList = Text[];
/** AS_FROM stands for the very list of `from`. */
type AddressData = FlatList | null | typeof AS_FROM;
type EnvelopeData = [
  date: Text,
  subject: Text,
  from: AddressData,
  sender: AddressData,
  replyTo: AddressData,
  to: AddressData,
  cc: AddressData,
  bcc: AddressData,
  inReplyTo: Text,
  messageId: Text,
];
type FieldsData = [
  headerStart: number,
  bodyStart: number,
  bodyEnd: number,
  type: OctetString,
  subtype: OctetString,
  parameters: FlatList,
  id: Text,
  description: Text,
  encoding: OctetString,
  md5: Text,
  disposition: [type: OctetString, parameters: FlatList] | null,
  languages: readonly OctetString[] | null,
  location: Text,
];
type PartData =
  | ['text', FieldsData, lines: number]
  | ['leaf', FieldsData]
  | ['multipart', FieldsData, parts: PartData[]]
  | ['message', FieldsData, lines: number, PartData, EnvelopeData];

const AS_FROM = 0;

/** The version, the length of the text, the length of the JSON. */
const HEAD_OCTETS = 9;

function toBlob(text: string, data: StructureData | EnvelopeData): Buffer {
  const json = JSON.stringify(data);
  const blob = Buffer.allocUnsafe(HEAD_OCTETS + text.length + json.length);
  blob[0] = ENCODING_VERSION;
  blob.writeUInt32BE(text.length, 1);
  blob.writeUInt32BE(json.length, 5);
  blob.write(text, HEAD_OCTETS, 'latin1');
  blob.write(json, HEAD_OCTETS + text.length, 'latin1');
  return blob;
}

/** Whether it is a blob of this version, from its first octet to its last. */
function isBlob(blob: Buffer): boolean {
  if (blob.length <= HEAD_OCTETS || blob[0] !== ENCODING_VERSION) return false;
  return dataStart(blob) + blob.readUInt32BE(5) === blob.length;
}

function dataStart(blob: Buffer): number {
  return HEAD_OCTETS + blob.readUInt32BE(1);
}

function textOf(blob: Buffer): string {
  return blob.toString('latin1', HEAD_OCTETS, dataStart(blob));
}

function dataOf(blob: Buffer): unknown {
  return JSON.parse(blob.toString('latin1', dataStart(blob)));
}

function envelopeData(envelope: FetchEnvelope): EnvelopeData {
  const { date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId } = envelope;
  const orFrom = (list: FetchEnvelope['from']): AddressData =>
    list !== null && list === from ? AS_FROM : addressData(list);
  return [
    date,
    subject,
    addressData(from),
    orFrom(sender),
    orFrom(replyTo),
    addressData(to),
    addressData(cc),
    addressData(bcc),
    inReplyTo,
    messageId,
  ];
}

function envelopeFrom(data: EnvelopeData): FetchEnvelope {
  const from = addressesFrom(data[2], null);
  return {
    date: data[0],
    subject: data[1],
    from,
    sender: addressesFrom(data[3], from),
    replyTo: addressesFrom(data[4], from),
    to: addressesFrom(data[5], from),
    cc: addressesFrom(data[6], from),
    bcc: addressesFrom(data[7], from),
    inReplyTo: data[8],
    messageId: data[9],
  };
}

function addressData(list: readonly EnvelopeAddress[] | null): FlatList | null {
  return list === null ? null : list.flatMap(({ name, adl, mailbox, host }) => [name, adl, mailbox, host]);
}

function addressesFrom(data: AddressData, from: FetchEnvelope['from']): FetchEnvelope['from'] {
  if (data === AS_FROM) return from;
  if (data === null) return null;
  const list: EnvelopeAddress[] = [];
  for (let at = 0; at < data.length; at += 4) {
    const [name, adl, mailbox, host] = data.slice(at, at + 4) as [Text, Text, Text, Text];
    list.push({ name, adl, mailbox, host });
  }
  return list;
}

function partData(part: MimePart): PartData {
  switch (part.kind) {
    case 'text':
      return ['text', fieldsData(part), part.lines];
    case 'leaf':
      return ['leaf', fieldsData(part)];
    case 'multipart':
      return ['multipart', fieldsData(part), part.parts.map(partData)];
    case 'message': {
      const { structure, envelope } = part.message;
      return ['message', fieldsData(part), part.lines, partData(structure), envelopeData(envelope)];
    }
  }
}

function partFrom(data: PartData): MimePart {
  const fields = fieldsFrom(data[1]);
  switch (data[0]) {
    case 'text':
      return { kind: 'text', ...fields, lines: data[2] };
    case 'leaf':
      return { kind: 'leaf', ...fields };
    case 'multipart':
      return { kind: 'multipart', ...fields, parts: data[2].map(partFrom) };
    case 'message': {
      const message = { structure: partFrom(data[3]), envelope: envelopeFrom(data[4]) };
      return { kind: 'message', ...fields, lines: data[2], message };
    }
  }
}

function fieldsData(part: PartFields): FieldsData {
  const { disposition } = part;
  return [
    part.headerStart,
    part.bodyStart,
    part.bodyEnd,
    part.type,
    part.subtype,
    parameterData(part.parameters),
    part.id,
    part.description,
    part.encoding,
    part.md5,
    disposition === null ? null : [disposition.type, parameterData(disposition.parameters)],
    part.languages,
    part.location,
  ];
}

function fieldsFrom(data: FieldsData): PartFields {
  return {
    headerStart: data[0],
    bodyStart: data[1],
    bodyEnd: data[2],
    type: data[3],
    subtype: data[4],
    parameters: parametersFrom(data[5]),
    id: data[6],
    description: data[7],
    encoding: data[8],
    md5: data[9],
    disposition: data[10] === null ? null : dispositionFrom(data[10]),
    languages: data[11],
    location: data[12],
  };
}

function dispositionFrom([type, parameters]: [OctetString, FlatList]): MimeDisposition {
  return { type, parameters: parametersFrom(parameters) };
}

function parameterData(parameters: readonly MimeParameter[]): FlatList {
  return parameters.flatMap(({ name, value }) => [name, value]);
}

function parametersFrom(data: FlatList): MimeParameter[] {
  const parameters: MimeParameter[] = [];
  for (let at = 0; at < data.length; at += 2) {
    parameters.push({ name: data[at] as OctetString, value: data[at + 1] as OctetString });
  }
  return parameters;
}

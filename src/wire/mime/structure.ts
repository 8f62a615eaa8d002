/**
 * The shape of a message as IMAP tells it: body structure with octet ranges, and the fetch envelope.
 *
 * RFC 3501 section 7.4.2 (ENVELOPE, BODYSTRUCTURE) and section 6.4.5 (sections), RFC 2045, RFC 2046, RFC 2183.
 * Plain readonly data that survives JSON unchanged: absent is `null` (IMAP's NIL), never undefined. Offsets count octets from
 * the start of the whole content, so that every BODY[section] is one range of it. Made by walker.ts, kept by the store as
 * derived data (encoding.ts), read by section.ts and by wire/imap's formatter.
 * Trust: everything here was written by whoever wrote the message; only the offsets and counts are ours.
 */

/** Text taken from a header undecoded: one character for each octet (U+0000 to U+00FF). `Buffer.from(text, 'latin1')` gives the octets. */
export type OctetString = string & { readonly __brand: 'OctetString' };

/** `text`, whose characters must all be at most U+00FF, as an OctetString. */
export function octetString(text: string): OctetString {
  return text as OctetString;
}

/** What is known of a whole content. */
export interface MimeMessage {
  readonly structure: MimePart;
  readonly envelope: FetchEnvelope;
  /** RFC822.SIZE: the octets as stored. */
  readonly octets: number;
  /** The octets that POP3 transmits for it, before dot-stuffing (crlf.ts). */
  readonly pop3Octets: number;
}

/** A message inside a message/rfc822 part. Its offsets count from the start of the whole content as well. */
export interface EmbeddedMessage {
  readonly structure: MimePart;
  readonly envelope: FetchEnvelope;
}

/** One body part. The root of a message is a part whose header is the message's header. */
export type MimePart = TextPart | LeafPart | MultipartPart | MessagePart;

/** What every part has. */
export interface PartFields {
  /** First octet of the part's header. */
  readonly headerStart: number;
  /** First octet after the blank line that ends the header: the header range includes that line. */
  readonly bodyStart: number;
  /** First octet after the body. Inside a multipart the line end before the next delimiter is not part of the body. */
  readonly bodyEnd: number;
  /** Media type as the message writes it, never empty (RFC 2045 section 5.2: text when absent). Compare without case. */
  readonly type: OctetString;
  /** Media subtype as the message writes it, never empty. Compare without case. */
  readonly subtype: OctetString;
  /** Content-Type's parameters in their order, duplicates kept, RFC 2231 forms left alone. */
  readonly parameters: readonly MimeParameter[];
  /** Content-ID. */
  readonly id: OctetString | null;
  /** Content-Description, encoded words left alone. */
  readonly description: OctetString | null;
  /** Content-Transfer-Encoding as the message writes it, never empty: `7BIT` when absent. */
  readonly encoding: OctetString;
  /** Content-MD5. */
  readonly md5: OctetString | null;
  readonly disposition: MimeDisposition | null;
  /** Content-Language's tags, at least one, or null. */
  readonly languages: readonly OctetString[] | null;
  /** Content-Location. */
  readonly location: OctetString | null;
}

/** A text/* part. */
export interface TextPart extends PartFields {
  readonly kind: 'text';
  /** Lines of the body as it is encoded: its LFs. */
  readonly lines: number;
}

/** A part that is neither text nor has parts inside. */
export interface LeafPart extends PartFields {
  readonly kind: 'leaf';
}

/** A multipart/* part; it has at least one part (an empty text part stands in where the message has none). */
export interface MultipartPart extends PartFields {
  readonly kind: 'multipart';
  readonly parts: readonly MimePart[];
}

/** A message/rfc822 part. */
export interface MessagePart extends PartFields {
  readonly kind: 'message';
  /** Lines of the body, that is of the embedded message with its header: its LFs. */
  readonly lines: number;
  readonly message: EmbeddedMessage;
}

/** One parameter of Content-Type or Content-Disposition, with quotes taken off and nothing else decoded. */
export interface MimeParameter {
  readonly name: OctetString;
  readonly value: OctetString;
}

/** Content-Disposition (RFC 2183). */
export interface MimeDisposition {
  readonly type: OctetString;
  readonly parameters: readonly MimeParameter[];
}

/** IMAP's ENVELOPE. Encoded words are not decoded; address lists are null when the field is absent or empty. */
export interface FetchEnvelope {
  readonly date: OctetString | null;
  readonly subject: OctetString | null;
  readonly from: readonly EnvelopeAddress[] | null;
  /** As `from` when the message has no Sender. */
  readonly sender: readonly EnvelopeAddress[] | null;
  /** As `from` when the message has no Reply-To. */
  readonly replyTo: readonly EnvelopeAddress[] | null;
  readonly to: readonly EnvelopeAddress[] | null;
  readonly cc: readonly EnvelopeAddress[] | null;
  readonly bcc: readonly EnvelopeAddress[] | null;
  readonly inReplyTo: OctetString | null;
  readonly messageId: OctetString | null;
}

/**
 * One address structure. A group is written as IMAP writes it: a start with host null and the group's name as mailbox,
 * its members, and an end with all four null.
 */
export interface EnvelopeAddress {
  readonly name: OctetString | null;
  /** At-domain-list: the source route. */
  readonly adl: OctetString | null;
  readonly mailbox: OctetString | null;
  readonly host: OctetString | null;
}

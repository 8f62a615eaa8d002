/**
 * Files for pickup directories, each made from its name alone, with what has to come of it: who gets it, and with which octets.
 *
 * The name decides how the envelope is written (To and Cc; Bcc; X-Sender and X-Receiver beside a To that is to be ignored), how the
 * file is encoded (CRLF, bare LF, byte order mark, UTF-16) and how long it is. About one in twelve has no recipient and is bad. Names
 * that begin with `small-` are those of short messages.
 * Used by the proofs of pickup directories; what was received tells its name, so that nothing has to be kept to check it.
 */

import { createHash } from 'node:crypto';

/** The domain of senders and recipients. */
export const PICKUP_DOMAIN = 'app.example.com';
/** Local parts of the accounts that get mail; the first one is the sender of all. */
export const PICKUP_BOXES = ['one', 'two', 'three'] as const;

const LARGE_LINES = 9000;
const LINES_LIMIT = 200;
/** One in so many has no recipient. */
const BAD_EVERY = 12;

/** A file and its due. */
export interface PickupMessage {
  readonly name: string;
  /** Octets of the file. */
  readonly file: Buffer;
  /** Octets of the message, behind our trace fields. */
  readonly stored: Buffer;
  /** Local parts, in the order of PICKUP_BOXES; none of a bad file. */
  readonly recipients: readonly string[];
}

/** Of `name` (letters, digits and hyphens). */
export function pickupMessage(name: string): PickupMessage {
  const digest = createHash('sha256').update(name).digest();
  const isBad = (digest[5] ?? 0) % BAD_EVERY === 0;
  const mask = 1 + ((digest[0] ?? 0) % 7);
  const recipients = isBad ? [] : PICKUP_BOXES.filter((_box, index) => (mask >> index) & 1);
  const envelope = writeEnvelope(recipients, (digest[1] ?? 0) % 3);
  const isSmall = name.startsWith('small-');
  const isLarge = !isSmall && (digest[3] ?? 0) < 3;
  const lines = isSmall ? 2 : isLarge ? LARGE_LINES : 4 + (digest.readUInt16BE(6) % LINES_LIMIT);
  const rest = [
    `Subject: ${name}`,
    'Date: Fri, 27 Nov 2026 10:00:00 +0000',
    `Message-ID: <${name}@${PICKUP_DOMAIN}>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'Grüße, 12 €',
    '.leading dot',
    'From the writer',
    ...Array.from({ length: lines }, () => digest.toString('hex')),
    '',
  ];
  const text = (fields: readonly string[]) => [...fields, ...rest].join('\r\n');
  return {
    name,
    file: encode(text([...envelope.leading, ...envelope.kept, ...envelope.removed]), (digest[2] ?? 0) % 8),
    stored: Buffer.from(text(envelope.kept)),
    recipients,
  };
}

/** The name of a message that was served or lies in badmail, whatever its encoding; undefined where none is found. */
export function nameOfMessage(octets: Buffer): string | undefined {
  const text = octets.subarray(0, 16_384).toString('latin1').replaceAll('\0', '');
  return /^Subject: ([\w-]+)\r?$/m.exec(text)?.[1];
}

/** Whether these octets are the message that their name says, behind trace fields of ours and nothing else. */
export function isWhole(octets: Buffer): boolean {
  const name = nameOfMessage(octets);
  if (name === undefined) return false;
  const { stored } = pickupMessage(name);
  const front = octets.subarray(0, Math.max(0, octets.length - stored.length)).toString();
  return (
    octets.subarray(front.length).equals(stored) &&
    /^(Return-Path:.*\r\n)?Received: .*\r\n(\s.*\r\n)*$/.test(front)
  );
}

interface WrittenEnvelope {
  /** In front of the header. */
  readonly leading: readonly string[];
  readonly kept: readonly string[];
  readonly removed: readonly string[];
}

function writeEnvelope(recipients: readonly string[], way: number): WrittenEnvelope {
  const addresses = recipients.map((box) => `${box}@${PICKUP_DOMAIN}`);
  const from = `From: Writer <${PICKUP_BOXES[0]}@${PICKUP_DOMAIN}>`;
  const [first, ...others] = addresses;
  switch (way) {
    case 0:
      return {
        leading: [],
        kept: [
          from,
          ...(first ? [`To: ${first}`] : []),
          ...(others.length > 0 ? [`Cc: ${others.join(',\r\n\t')}`] : []),
        ],
        removed: [],
      };
    case 1:
      return {
        leading: [],
        kept: [from, ...(first ? [`To: ${first}`] : [])],
        removed: others.length > 0 ? [`Bcc: ${others.join(', ')}`] : [],
      };
    default:
      return {
        leading: [
          `X-Sender: <${PICKUP_BOXES[0]}@${PICKUP_DOMAIN}>`,
          ...addresses.map((address) => `X-Receiver: <${address}>`),
        ],
        // Nobody of these may get it.
        kept: [
          from,
          `To: nobody@${PICKUP_DOMAIN}, ${PICKUP_BOXES.map((box) => `${box}@elsewhere.example`).join(', ')}`,
        ],
        removed: [],
      };
  }
}

function encode(text: string, way: number): Buffer {
  if (way === 0) return Buffer.from(text.replaceAll('\r\n', '\n'));
  if (way === 1) return Buffer.from(`\ufeff${text}`);
  if (way === 2) return Buffer.from(`\ufeff${text}`, 'utf16le');
  return Buffer.from(text);
}

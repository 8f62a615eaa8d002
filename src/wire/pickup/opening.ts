/**
 * The beginning of a file in a pickup or replay directory: its envelope, and the header that its message is sent with.
 *
 * X-Sender and X-Receiver at the very beginning are the envelope, and To, Cc and Bcc are not then: a file exported from Exchange would
 * else go once more to everybody whom its header names. X-Receiver behind other fields is a problem for the same reason, and because in
 * a file that begins with others nobody would learn that he gets nothing; X-Sender alone there is not, since many mailers sign with it.
 * Behind leading X-Receiver lines it is the sender (.NET leaves it there where the program has set it). In a replay directory there is
 * nothing but X-fields.
 * `octets` are the decoder's.
 * Trust: nothing. Never throws; linear in the header, which the caller bounds.
 */

import { formatMessageHeader, parseMessageHeader } from '../mime/messageHeader.ts';
import type { MailDsn, RcptDsn } from '../smtp/dsnParameters.ts';
import { type EditingRules, editFields } from './editedFields.ts';
import { readHeaderEnvelope, readHeaderSender, type SenderRules } from './headerEnvelope.ts';
import {
  END_MARKER,
  INJECTED_FIELDS,
  leadingFields,
  readInjectedRecipients,
  readInjectedSender,
} from './injectedFields.ts';
import { type PlacedField, placeFields, problemOf } from './placedField.ts';
import { type PickupProblem, shownText } from './problems.ts';

/** How a directory reads its files. */
export interface OpeningRules extends SenderRules, EditingRules {
  /** 0 is no limit. */
  readonly recipientLimit: number;
}

/** What a file asks to be told (RFC 3461); transfer's EnvelopeDsn is of this shape. */
export interface PickupDsn extends MailDsn {
  /** By recipient; those without parameters are absent. */
  readonly recipients: ReadonlyMap<string, RcptDsn>;
}

/** What a file begins with. */
export type PickupOpening =
  | {
      readonly kind: 'envelope';
      /** Empty for the null path; undefined where the directory's default sender is to be used. */
      readonly reversePath: string | undefined;
      /** At least one, each once. */
      readonly recipients: readonly string[];
      readonly source: 'xFields' | 'header';
      /** Absent where nothing was asked. */
      readonly dsn?: PickupDsn;
      /** Whether an address of the envelope is more than US-ASCII (RFC 6531). */
      readonly isSmtpUtf8: boolean;
      /** What the message begins with, up to and with its blank line. */
      readonly header: Buffer;
      /** Names of what was taken out, each once, as they are written. */
      readonly removed: readonly string[];
    }
  | BadOpening;

/** Why a file is no message; the envelope as far as it is known. */
export interface BadOpening {
  readonly kind: 'bad';
  readonly problem: PickupProblem;
  readonly reversePath?: string | undefined;
  readonly recipients?: readonly string[];
}

/**
 * Reads a header, which ends with its blank line or with the file. `isWhole`: whether that end was found within the directory's limit.
 */
export function readOpening(octets: Buffer, isWhole: boolean, rules: OpeningRules): PickupOpening {
  if (!isWhole) return bad({ code: 'headerTooLong' });
  const header = parseMessageHeader(octets, isWhole);
  const fields = placeFields(header);
  const [first] = fields;
  if (first === undefined) return bad({ code: 'headerMissing', line: 1 });
  const stray = fields.find(({ name }) => name === '');
  if (stray !== undefined)
    return bad({ code: 'notAField', line: stray.line, text: shownText(firstLine(stray)) });
  const envelope = readEnvelope(fields, rules);
  if (envelope.kind === 'bad') return envelope;
  const { reversePath, dsn } = envelope;
  const recipients = eachOnce(envelope.recipients);
  if (rules.recipientLimit > 0 && recipients.length > rules.recipientLimit)
    return bad({ code: 'tooManyRecipients', text: String(recipients.length) }, reversePath, recipients);
  const edited = editFields(fields, rules);
  return {
    kind: 'envelope',
    reversePath,
    recipients,
    source: envelope.source,
    ...(dsn === undefined ? {} : { dsn }),
    isSmtpUtf8: [reversePath ?? '', ...recipients].some((path) => /[^\0-\x7f]/.test(path)),
    header: formatMessageHeader({ ...header, fields: edited.fields }),
    removed: edited.removed,
  };
}

const ENVELOPE_FIELDS: ReadonlySet<string> = new Set(['x-sender', 'x-receiver']);

type ReadEnvelope =
  | {
      readonly kind: 'read';
      readonly source: 'xFields' | 'header';
      readonly reversePath: string | undefined;
      readonly recipients: readonly string[];
      readonly dsn?: PickupDsn | undefined;
    }
  | BadOpening;

function readEnvelope(fields: readonly PlacedField[], rules: OpeningRules): ReadEnvelope {
  const leading = leadingFields(fields);
  if (rules.kind === 'replay') {
    const problem = replayProblem(leading, fields.slice(leading.length));
    return problem === undefined ? readInjected(leading, fields, rules) : bad(problem);
  }
  const isInFront = leading.some(({ name }) => ENVELOPE_FIELDS.has(name));
  const receiver = lateReceiver(leading, fields.slice(leading.length), isInFront);
  if (receiver !== undefined) return bad(problemOf('receiverNotFirst', receiver));
  if (isInFront) return readInjected(leading, fields, rules);
  const envelope = readHeaderEnvelope(fields, rules);
  if (envelope.kind === 'wrong') return bad(envelope.problem);
  const { reversePath, recipients } = envelope;
  return { kind: 'read', source: 'header', reversePath, recipients };
}

/**
 * An X-Receiver behind other fields, who would get nothing without anybody's knowing. Behind an envelope in front, those behind the end
 * marker or a Received field are of an earlier journey of the message.
 */
function lateReceiver(
  leading: readonly PlacedField[],
  others: readonly PlacedField[],
  isInFront: boolean,
): PlacedField | undefined {
  if (isInFront && leading.at(-1)?.name === END_MARKER) return undefined;
  const received = isInFront ? others.findIndex(({ name }) => name === 'received') : -1;
  return others.slice(0, received < 0 ? undefined : received).find(({ name }) => name === 'x-receiver');
}

/** What is against the grammar of a replay file, beside what its X-Sender and X-Receiver say. */
function replayProblem(
  leading: readonly PlacedField[],
  others: readonly PlacedField[],
): PickupProblem | undefined {
  const marker = leading.find(({ name }) => name === END_MARKER);
  // Behind the marker they are the message's own: it may have been through such a directory before.
  const late = marker === undefined ? others.find(({ name }) => INJECTED_FIELDS.has(name)) : undefined;
  if (late !== undefined) return problemOf('envelopeFieldNotFirst', late);
  const names = leading.map(({ name }) => name);
  for (const [name, label] of [
    ['x-sender', 'X-Sender'],
    ['x-receiver', 'X-Receiver'],
  ] as const)
    if (!names.includes(name)) return { code: 'envelopeFieldMissing', text: label };
  const again = leading.find(({ name }, at) => name !== 'x-receiver' && names.indexOf(name) < at);
  if (again !== undefined) return problemOf('envelopeFieldTwice', again);
  return marker === undefined || /^[0-9]{1,10}$/.test(marker.value)
    ? undefined
    : problemOf('envelopeFieldWrong', marker);
}

function readInjected(
  leading: readonly PlacedField[],
  fields: readonly PlacedField[],
  rules: OpeningRules,
): ReadEnvelope {
  const isStrict = rules.kind === 'replay';
  const sender = readSender(leading, fields, rules);
  if (sender.kind === 'bad') return sender;
  const { reversePath, dsn } = sender;
  const recipients: string[] = [];
  const asked = new Map<string, RcptDsn>();
  for (const field of leading) {
    if (field.name !== 'x-receiver') continue;
    const read = readInjectedRecipients(field, isStrict);
    if (read.kind === 'wrong') return bad(read.problem, reversePath);
    for (const { path, dsn: wanted } of read.recipients) {
      recipients.push(path);
      if (Object.keys(wanted).length > 0) asked.set(path, wanted);
    }
  }
  if (recipients.length === 0) return bad({ code: 'recipientMissing' }, reversePath);
  const isAsked = asked.size > 0 || Object.keys(dsn).length > 0;
  return {
    kind: 'read',
    source: 'xFields',
    reversePath,
    recipients,
    dsn: isAsked ? { ...dsn, recipients: asked } : undefined,
  };
}

type ReadSender =
  | { readonly kind: 'sender'; readonly reversePath: string | undefined; readonly dsn: MailDsn }
  | BadOpening;

/** X-Sender in front, or else the only one behind; without any, whom the header names. */
function readSender(
  leading: readonly PlacedField[],
  fields: readonly PlacedField[],
  rules: OpeningRules,
): ReadSender {
  const inFront = leading.filter(({ name }) => name === 'x-sender');
  const all = inFront.length > 0 ? inFront : fields.filter(({ name }) => name === 'x-sender');
  const [first, ...others] = all;
  if (first === undefined) {
    const named = readHeaderSender(fields, rules);
    return named.kind === 'wrong' ? bad(named.problem) : { ...named, dsn: {} };
  }
  const sender = readInjectedSender(first, rules.kind === 'replay');
  if (sender.kind === 'wrong') return bad(sender.problem);
  const differs = others.find(({ value }) => value !== first.value);
  return differs === undefined ? sender : bad(problemOf('envelopeFieldTwice', differs), sender.reversePath);
}

/** Each recipient once; in domains case makes no difference (RFC 5321 section 2.4). */
function eachOnce(paths: readonly string[]): readonly string[] {
  const byKey = new Map<string, string>();
  for (const path of paths) {
    const at = path.lastIndexOf('@');
    const key = path.slice(0, at) + path.slice(at).toLowerCase();
    if (!byKey.has(key)) byKey.set(key, path);
  }
  return [...byKey.values()];
}

function firstLine({ octets }: PlacedField): string {
  const text = octets.toString('latin1');
  const end = text.indexOf('\n');
  return end < 0 ? text : text.slice(0, end);
}

function bad(
  problem: PickupProblem,
  reversePath?: string | undefined,
  recipients?: readonly string[],
): BadOpening {
  return {
    kind: 'bad',
    problem,
    ...(reversePath === undefined ? {} : { reversePath }),
    ...(recipients === undefined ? {} : { recipients }),
  };
}

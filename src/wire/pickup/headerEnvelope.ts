/**
 * The envelope that a file's own header names, where it begins with no X-Sender or X-Receiver.
 *
 * RFC 5322 sections 3.6.2, 3.6.3 and 3.6.6 by the rules of Exchange's pickup directory: From is the sender where it has one address, of
 * several authors Sender says who sends; To, Cc and Bcc are the recipients. The Windows SMTP service asks Sender first.
 * Resent fields count where they lead the header: each resending and each hop puts its fields in front (RFC 5322 section 3.6.6), so
 * below a Received field they tell of an earlier one. Anywhere else (Python's email package appends them) nobody can say whether To
 * or Resent-To is meant, and mailing everyone a second time is worse than asking.
 * Trust: nothing; what is not clear is a problem.
 */

import { readAddressList } from './addressList.ts';
import { type PlacedField, problemOf } from './placedField.ts';
import type { PickupProblem } from './problems.ts';

/** What a header names; `reversePath` is undefined where the directory's default sender is to be used. */
export type HeaderEnvelope =
  | {
      readonly kind: 'envelope';
      readonly reversePath: string | undefined;
      readonly recipients: readonly string[];
    }
  | { readonly kind: 'wrong'; readonly problem: PickupProblem };

/** How a directory reads senders. */
export interface SenderRules {
  /** Whether Sender goes before From where both stand. */
  readonly senderFirst: boolean;
  /** Whether files that name no sender are taken. */
  readonly hasDefaultSender: boolean;
}

const RESENT = 'resent-';
const RECIPIENTS: ReadonlySet<string> = new Set(['to', 'cc', 'bcc']);

/** Reads the envelope of a header, all of whose lines are fields. Recipients come in the header's order, each as often as it stands there. */
export function readHeaderEnvelope(fields: readonly PlacedField[], rules: SenderRules): HeaderEnvelope {
  const resent = resentSet(fields);
  if (resent.kind === 'wrong') return resent;
  const read = resent.kind === 'leads' ? resent.fields : fields;
  const prefix = resent.kind === 'leads' ? RESENT : '';
  const sender = readSender(named(read, `${prefix}from`), named(read, `${prefix}sender`), rules);
  if (sender.kind === 'wrong') return sender;
  const recipients: string[] = [];
  for (const field of read) {
    if (!field.name.startsWith(prefix) || !RECIPIENTS.has(field.name.slice(prefix.length))) continue;
    const found = readAddressList(field.value);
    if (found.kind === 'wrong') return wrong(problemOf(found.code, field, found.text));
    for (const address of found.addresses) recipients.push(address);
  }
  if (recipients.length === 0) return wrong({ code: 'recipientMissing' });
  return { kind: 'envelope', reversePath: sender.reversePath, recipients };
}

/** Whom From and Sender name as sender. */
export function readHeaderSender(fields: readonly PlacedField[], rules: SenderRules): HeaderSender {
  return readSender(named(fields, 'from'), named(fields, 'sender'), rules);
}

type ResentSet =
  | { readonly kind: 'none' }
  | { readonly kind: 'leads'; readonly fields: readonly PlacedField[] }
  | { readonly kind: 'wrong'; readonly problem: PickupProblem };

function resentSet(fields: readonly PlacedField[]): ResentSet {
  const start = fields.findIndex(({ name }) => name.startsWith(RESENT));
  if (start === 0) return { kind: 'leads', fields: newestSet(fields) };
  if (start < 0 || fields.slice(0, start).some(({ name }) => name === 'received')) return { kind: 'none' };
  const addressed = fields.find(
    ({ name }) => name.startsWith(RESENT) && RECIPIENTS.has(name.slice(RESENT.length)),
  );
  return addressed === undefined ? { kind: 'none' } : wrong(problemOf('resentNotFirst', addressed));
}

/** The Resent fields in front, up to a name that comes again: that is an earlier resending's. */
function newestSet(fields: readonly PlacedField[]): readonly PlacedField[] {
  const names = new Set<string>();
  for (const [index, { name }] of fields.entries()) {
    if (!name.startsWith(RESENT) || names.has(name)) return fields.slice(0, index);
    names.add(name);
  }
  return fields;
}

/** A header's sender; `reversePath` is undefined where the directory's default sender is to be used. */
export type HeaderSender =
  | { readonly kind: 'sender'; readonly reversePath: string | undefined }
  | { readonly kind: 'wrong'; readonly problem: PickupProblem };

function readSender(
  from: readonly PlacedField[],
  sender: readonly PlacedField[],
  rules: SenderRules,
): HeaderSender {
  const authors = readAll(from);
  if (authors.kind === 'wrong') return authors;
  const [author, ...others] = authors.addresses;
  if (author !== undefined && others.length === 0 && !(rules.senderFirst && sender.length > 0))
    return { kind: 'sender', reversePath: author };
  const senders = readAll(sender);
  if (senders.kind === 'wrong') return senders;
  const [named, ...more] = new Set(senders.addresses);
  const [field] = sender;
  if (field !== undefined && more.length > 0) return wrong(problemOf('severalSenders', field));
  if (named !== undefined) return { kind: 'sender', reversePath: named };
  if (author !== undefined && others.length === 0) return { kind: 'sender', reversePath: author };
  const [first] = from;
  if (first !== undefined && others.length > 0) return wrong(problemOf('severalAuthors', first));
  return rules.hasDefaultSender
    ? { kind: 'sender', reversePath: undefined }
    : wrong({ code: 'senderMissing' });
}

type Addresses =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'wrong'; readonly problem: PickupProblem };

function readAll(fields: readonly PlacedField[]): Addresses {
  const addresses: string[] = [];
  for (const field of fields) {
    const found = readAddressList(field.value);
    if (found.kind === 'wrong') return wrong(problemOf(found.code, field, found.text));
    for (const address of found.addresses) addresses.push(address);
  }
  return { kind: 'addresses', addresses };
}

function named(fields: readonly PlacedField[], name: string): readonly PlacedField[] {
  return fields.filter((field) => field.name === name);
}

function wrong(problem: PickupProblem): { readonly kind: 'wrong'; readonly problem: PickupProblem } {
  return { kind: 'wrong', problem };
}

/**
 * The header that a file's message is sent with.
 *
 * What tells the envelope or blind copies goes, and Received and Resent fields where the directory is to be like Exchange's. As Exchange
 * does, a Date that names no day and an empty Message-ID or From go too, so that transfer puts in what is missing (RFC 6409 section 8),
 * and a message that names no addressee gets a To that says so. A replay file has been through all that. What goes, goes with its
 * folds; what stays keeps every octet and its order.
 */

import { momentOfDateField } from '../mime/dateField.ts';
import { type MessageField, messageField } from '../mime/messageHeader.ts';
import { octetString } from '../mime/structure.ts';
import { INJECTED_FIELDS } from './injectedFields.ts';
import type { PlacedField } from './placedField.ts';

/** How a directory wants it. */
export interface EditingRules {
  readonly kind: 'pickup' | 'replay';
  /** Whether Received and Resent fields are taken out. */
  readonly removesTrace: boolean;
}

const BLIND: ReadonlySet<string> = new Set(['bcc', 'resent-bcc']);
const RESENT = 'resent-';
const UNDISCLOSED = messageField('To', octetString('undisclosed-recipients:;'));

/** The fields that the message keeps or gets, and the names of what is taken out, each once, as they are written. */
export function editFields(
  fields: readonly PlacedField[],
  rules: EditingRules,
): { readonly fields: readonly MessageField[]; readonly removed: readonly string[] } {
  const goes = (field: PlacedField) =>
    INJECTED_FIELDS.has(field.name) || BLIND.has(field.name) || isUnwanted(field, rules);
  const place = rules.kind === 'replay' || isAddressed(fields) ? undefined : firstBlind(fields);
  const kept = fields.flatMap((field, at): MessageField[] => [
    ...(at === place ? [UNDISCLOSED] : []),
    ...(goes(field) ? [] : [field]),
  ]);
  return { fields: kept, removed: [...new Set(fields.filter(goes).map(({ label }) => label))] };
}

function isUnwanted({ name, value }: PlacedField, { kind, removesTrace }: EditingRules): boolean {
  if (removesTrace && (name === 'received' || name.startsWith(RESENT))) return true;
  if (kind === 'replay') return false;
  if (name === 'date') return momentOfDateField(value) === undefined;
  return (name === 'message-id' || name === 'from') && value === '';
}

function isAddressed(fields: readonly PlacedField[]): boolean {
  return fields.some(({ name }) => name === 'to' || name === 'cc');
}

/** Where the first Bcc stands; in front where there is none. */
function firstBlind(fields: readonly PlacedField[]): number {
  return Math.max(
    0,
    fields.findIndex(({ name }) => name === 'bcc'),
  );
}

/**
 * The X-fields by which a file has its envelope with it: X-Sender and X-Receiver, and what Exchange puts beside them.
 *
 * Exchange's documentation of pickup and replay directories, RFC 3461 sections 4.1 to 4.4 (parameters). Beyond the documentation, by what
 * Exchange 2016 exports (messages of such files stand in public archives of mailing lists): X-ExtendedProps as field and as last
 * parameter of X-Receiver, whose base64 is folded anywhere; a semicolon behind NOTIFY; and a number in X-EndOfInjectedXHeaders that
 * is ten times what the X-fields have in octets, so that it marks their end and is not compared with anything.
 * Trust: addresses and parameters are checked as those of MAIL and RCPT are, by the same code. Linear time.
 */

import { WireError } from '../../base/error.ts';
import type { MailDsn, RcptDsn } from '../smtp/dsnParameters.ts';
import { parseMail } from '../smtp/mail.ts';
import { ParameterError } from '../smtp/parameters.ts';
import { parseRcpt } from '../smtp/rcpt.ts';
import { isLegible, readAddressList } from './addressList.ts';
import { type PlacedField, problemOf } from './placedField.ts';
import { type PickupProblem, shownText } from './problems.ts';

/** Names in lower case. */
export const INJECTED_FIELDS: ReadonlySet<string> = new Set([
  'x-sender',
  'x-receiver',
  'x-createdby',
  'x-helodomain',
  'x-extendedmessageprops',
  'x-extendedprops',
  'x-source',
  'x-sourceipaddress',
  'x-endofinjectedxheaders',
]);

/** The one that ends them. */
export const END_MARKER = 'x-endofinjectedxheaders';

/** The X-fields that a file begins with, up to and with the end marker where there is one. */
export function leadingFields(fields: readonly PlacedField[]): readonly PlacedField[] {
  let count = fields.findIndex(({ name }) => !INJECTED_FIELDS.has(name));
  if (count < 0) count = fields.length;
  const marker = fields.slice(0, count).findIndex(({ name }) => name === END_MARKER);
  return fields.slice(0, marker < 0 ? count : marker + 1);
}

/** What X-Sender says; its path is empty for the null path. */
export type InjectedSender =
  | { readonly kind: 'sender'; readonly reversePath: string; readonly dsn: MailDsn }
  | { readonly kind: 'wrong'; readonly problem: PickupProblem };

/** What X-Receiver says. */
export type InjectedRecipients =
  | {
      readonly kind: 'recipients';
      readonly recipients: readonly { readonly path: string; readonly dsn: RcptDsn }[];
    }
  | { readonly kind: 'wrong'; readonly problem: PickupProblem };

/** Reads X-Sender. `isStrict`: as a replay directory has it, nothing but a path in brackets with known parameters. */
export function readInjectedSender(field: PlacedField, isStrict: boolean): InjectedSender {
  const path = pathForm(field.value, isStrict);
  if (path !== undefined) {
    const read = readCommand(field, isStrict, () =>
      parseMail(Buffer.from(`MAIL FROM:${path}`, 'latin1'), {
        hasDsn: true,
        hasAuth: true,
        isLenient: !isStrict,
      }),
    );
    if (read.kind === 'wrong') return read;
    return { kind: 'sender', reversePath: read.command.reversePath, dsn: read.command.dsn };
  }
  const found = readMailboxes(field, isStrict);
  if (found.kind === 'wrong') return found;
  const [reversePath, ...others] = found.addresses;
  if (reversePath === undefined || others.length > 0) return wrong(problemOf('severalSenders', field));
  return { kind: 'sender', reversePath, dsn: {} };
}

/** Reads one X-Receiver; several addresses in one are taken where nothing strict is asked. */
export function readInjectedRecipients(field: PlacedField, isStrict: boolean): InjectedRecipients {
  const path = pathForm(field.value, isStrict);
  if (path !== undefined) {
    const read = readCommand(field, isStrict, () =>
      parseRcpt(Buffer.from(`RCPT TO:${path}`, 'latin1'), { hasDsn: true, isLenient: !isStrict }),
    );
    if (read.kind === 'wrong') return read;
    return {
      kind: 'recipients',
      recipients: [{ path: read.command.forwardPath, dsn: read.command.dsn }],
    };
  }
  const found = readMailboxes(field, isStrict);
  if (found.kind === 'wrong') return found;
  return { kind: 'recipients', recipients: found.addresses.map((address) => ({ path: address, dsn: {} })) };
}

const PATH = /^<(?:"(?:[^"\\]|\\.)*"|[^">])*>/;
const PROPERTIES = /X-Extended(?:Message)?Props=/i;

/**
 * The value as MAIL and RCPT would have it behind the colon; undefined where it is a mailbox with a name and so on. Parameters that
 * Exchange leaves empty (`ENVID=`) or that are its own go.
 */
function pathForm(value: string, isStrict: boolean): string | undefined {
  const path = PATH.exec(value)?.[0];
  if (path === undefined) return undefined;
  const written = value.slice(path.length);
  if (!isStrict && !written.includes('=') && written.trim() !== '') return undefined;
  const properties = written.search(PROPERTIES);
  const parameters = (properties < 0 ? written : written.slice(0, properties))
    .replaceAll(/;(?=[ \t]|$)/g, '')
    .replaceAll(/[ \t][A-Za-z]+=(?=[ \t]|$)/g, '');
  return path + parameters;
}

type ReadCommand<Command> =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'wrong'; readonly problem: PickupProblem };

function readCommand<Command extends { readonly unrecognized: readonly string[] }>(
  field: PlacedField,
  isStrict: boolean,
  parse: () => Command,
): ReadCommand<Command> {
  if (!isLegible(field.value)) return wrong(problemOf('addressInvalid', field));
  try {
    const command = parse();
    const [unknown] = command.unrecognized;
    if (isStrict && unknown !== undefined)
      return wrong(problemOf('parameterWrong', field, shownText(unknown)));
    return { kind: 'command', command };
  } catch (error) {
    if (error instanceof ParameterError) return wrong(problemOf('parameterWrong', field));
    if (error instanceof WireError) return wrong(problemOf('addressInvalid', field));
    throw error;
  }
}

type Mailboxes =
  | { readonly kind: 'mailboxes'; readonly addresses: readonly string[] }
  | { readonly kind: 'wrong'; readonly problem: PickupProblem };

/** Mailboxes as .NET writes them, with names and encoded words. */
function readMailboxes(field: PlacedField, isStrict: boolean): Mailboxes {
  if (isStrict) return wrong(problemOf('envelopeFieldWrong', field));
  const found = readAddressList(field.value);
  if (found.kind === 'wrong') return wrong(problemOf(found.code, field, found.text));
  if (found.addresses.length === 0) return wrong(problemOf('envelopeFieldWrong', field));
  return { kind: 'mailboxes', addresses: found.addresses };
}

function wrong(problem: PickupProblem): { readonly kind: 'wrong'; readonly problem: PickupProblem } {
  return { kind: 'wrong', problem };
}

/**
 * The MAIL command.
 *
 * RFC 5321 section 4.1.1.2 (mail), RFC 1870 section 6 (size-value), RFC 6152 section 2 (BODY), RFC 6531 section 3.4 (SMTPUTF8).
 * White space after the colon is taken, as many devices send it (RFC 5321 section 3.3 asks clients not to).
 */

import { WireError } from '../../base/error.ts';
import { ArgumentReader } from './argument.ts';
import { type EsmtpParameters, takeParameters } from './parameters.ts';
import { takeReversePath } from './path.ts';

/** What a client may say about its message. */
export interface MailArguments {
  /** Without angle brackets and source route; empty for the null path. */
  readonly reversePath: string;
  /** SIZE: octets that the client estimates; perhaps more than a number holds exactly. */
  readonly declaredOctets: number | undefined;
  readonly body: '7BIT' | '8BITMIME' | undefined;
  readonly isSmtpUtf8: boolean;
  /** Keywords that are not known here (RFC 5321 section 4.1.1.11: reply 555). */
  readonly unrecognized: readonly string[];
}

const KNOWN = new Set(['SIZE', 'BODY', 'SMTPUTF8']);

/** Reads a command line without its line end. Throws WireError. */
export function parseMail(line: Uint8Array): MailArguments {
  const reader = new ArgumentReader(line);
  reader.expect(/MAIL[ \t]+FROM[ \t]*:[ \t]*/iy, 'MAIL FROM:');
  const reversePath = takeReversePath(reader);
  const parameters = takeParameters(reader);
  return {
    reversePath,
    declaredOctets: sizeOf(parameters),
    body: bodyOf(parameters),
    isSmtpUtf8: isSmtpUtf8(parameters),
    unrecognized: [...parameters.keys()].filter((keyword) => !KNOWN.has(keyword)),
  };
}

function sizeOf(parameters: EsmtpParameters): number | undefined {
  if (!parameters.has('SIZE')) return undefined;
  const value = parameters.get('SIZE') ?? '';
  if (!/^[0-9]{1,20}$/.test(value)) throw new WireError(0, 'SIZE=size-value');
  return Number(value);
}

function bodyOf(parameters: EsmtpParameters): MailArguments['body'] {
  if (!parameters.has('BODY')) return undefined;
  const value = parameters.get('BODY')?.toUpperCase();
  if (value !== '7BIT' && value !== '8BITMIME') throw new WireError(0, 'BODY=7BIT or BODY=8BITMIME');
  return value;
}

function isSmtpUtf8(parameters: EsmtpParameters): boolean {
  if (parameters.get('SMTPUTF8') !== undefined) throw new WireError(0, 'SMTPUTF8 without a value');
  return parameters.has('SMTPUTF8');
}

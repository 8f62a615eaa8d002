/**
 * The MAIL command.
 *
 * RFC 5321 section 4.1.1.2 (mail), RFC 1870 section 6 (size-value), RFC 6152 section 2 and RFC 3030 section 3 (BODY), RFC 6531
 * section 3.4 (SMTPUTF8), RFC 3461 (RET, ENVID), RFC 4954 section 5 (AUTH).
 */

import { ArgumentReader } from './argument.ts';
import type { SmtpDialect } from './dialect.ts';
import { type MailDsn, readMailDsn } from './dsnParameters.ts';
import { type EsmtpParameters, ParameterError, takeParameters } from './parameters.ts';
import { takeReversePath } from './path.ts';
import { decodeXtext } from './xtext.ts';

/** What a client may say about its message. */
export interface MailArguments {
  /** Without angle brackets and source route; empty for the null path. */
  readonly reversePath: string;
  /** SIZE: octets that the client estimates; perhaps more than a number holds exactly. */
  readonly declaredOctets: number | undefined;
  readonly body: '7BIT' | '8BITMIME' | undefined;
  readonly isSmtpUtf8: boolean;
  /** Empty where DSN is not offered. */
  readonly dsn: MailDsn;
  /** AUTH: who submitted the message first, as the client says; `<>` for nobody knows. Nothing is believed of it. */
  readonly firstSubmitter: string | undefined;
  /** Keywords that are not known here, and BODY=BINARYMIME (RFC 5321 section 4.1.1.11: reply 555). */
  readonly unrecognized: readonly string[];
}

const BINARY = 'BINARYMIME';

/** Reads a command line without its line end. Throws WireError, for parameters ParameterError. */
export function parseMail(line: Uint8Array, dialect: SmtpDialect = {}): MailArguments {
  const reader = new ArgumentReader(line);
  reader.expect(dialect.isLenient === true ? /MAIL[ \t]+FROM[ \t]*:/iy : /MAIL[ \t]+FROM:/iy, 'MAIL FROM:');
  const reversePath = takeReversePath(reader, dialect);
  const parameters = takeParameters(reader);
  const known = knownIn(dialect);
  return {
    reversePath,
    declaredOctets: sizeOf(parameters),
    body: bodyOf(parameters),
    isSmtpUtf8: isSmtpUtf8(parameters),
    dsn: dialect.hasDsn === true ? readMailDsn(parameters) : {},
    firstSubmitter: dialect.hasAuth === true ? firstSubmitterOf(parameters) : undefined,
    unrecognized: unrecognizedOf(parameters, known),
  };
}

function knownIn({ hasDsn, hasAuth }: SmtpDialect): readonly string[] {
  return [
    ...['SIZE', 'BODY', 'SMTPUTF8'],
    ...(hasDsn === true ? ['RET', 'ENVID'] : []),
    ...(hasAuth === true ? ['AUTH'] : []),
  ];
}

function firstSubmitterOf(parameters: EsmtpParameters): string | undefined {
  if (!parameters.has('AUTH')) return undefined;
  const submitter = decodeXtext(parameters.get('AUTH') ?? '');
  if (submitter === undefined || submitter === '') throw new ParameterError('AUTH=xtext');
  return submitter;
}

function sizeOf(parameters: EsmtpParameters): number | undefined {
  if (!parameters.has('SIZE')) return undefined;
  const value = parameters.get('SIZE') ?? '';
  if (!/^[0-9]{1,20}$/.test(value)) throw new ParameterError('SIZE=size-value');
  return Number(value);
}

function bodyOf(parameters: EsmtpParameters): MailArguments['body'] {
  if (!parameters.has('BODY')) return undefined;
  const value = parameters.get('BODY')?.toUpperCase();
  if (value === BINARY) return undefined;
  if (value !== '7BIT' && value !== '8BITMIME') throw new ParameterError('BODY=7BIT or BODY=8BITMIME');
  return value;
}

/** BINARYMIME is a value that we know of and cannot implement, which is 555's (RFC 5321 section 4.1.1.11); others are syntax errors. */
function unrecognizedOf(parameters: EsmtpParameters, known: readonly string[]): string[] {
  const unknown = [...parameters.keys()].filter((keyword) => !known.includes(keyword));
  return parameters.get('BODY')?.toUpperCase() === BINARY ? [...unknown, `BODY=${BINARY}`] : unknown;
}

function isSmtpUtf8(parameters: EsmtpParameters): boolean {
  if (parameters.get('SMTPUTF8') !== undefined) throw new ParameterError('SMTPUTF8 without a value');
  return parameters.has('SMTPUTF8');
}

/**
 * The parameters of MAIL and RCPT by which a submitter says what it wants to be told about its message.
 *
 * RFC 3461 sections 4.1 (NOTIFY), 4.2 (ORCPT), 4.3 (RET), 4.4 (ENVID), RFC 6533 section 3 (ORCPT of the type utf-8, which may be
 * UTF-8 as it is). Values come out decoded, and hold nothing that could end a line of a report.
 * Trust: a client's; lengths are bounded as the RFC says.
 */

import { type EsmtpParameters, ParameterError } from './parameters.ts';
import { decodeXtext } from './xtext.ts';

/** RFC 3461 section 4.4. */
const ENVID_LIMIT_CHARS = 100;
/** RFC 3461 section 4.2. */
const ORCPT_LIMIT_CHARS = 500;

const ADDR_TYPE = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/;
const PRINTABLE = /^[\x20-\x7e]+$/;
const PRINTABLE_UTF8 = /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u;
const NOTIFY_WORDS = ['SUCCESS', 'FAILURE', 'DELAY'] as const;

/** RET and ENVID of MAIL; absent where they were not given. */
export interface MailDsn {
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
}

/** NOTIFY and ORCPT of RCPT; absent where they were not given. */
export interface RcptDsn {
  /** `NEVER` alone, or one or more of the others, each once. */
  readonly notify?: readonly ('NEVER' | (typeof NOTIFY_WORDS)[number])[];
  /** `addr-type;address`. */
  readonly orcpt?: string;
}

/** Reads RET and ENVID. Throws ParameterError. */
export function readMailDsn(parameters: EsmtpParameters): MailDsn {
  const ret = parameters.get('RET')?.toUpperCase();
  if (parameters.has('RET') && ret !== 'FULL' && ret !== 'HDRS')
    throw new ParameterError('RET=FULL or RET=HDRS');
  const envid = parameters.has('ENVID') ? envidOf(parameters.get('ENVID') ?? '') : undefined;
  return {
    ...(ret === 'FULL' || ret === 'HDRS' ? { ret } : {}),
    ...(envid === undefined ? {} : { envid }),
  };
}

/** Reads NOTIFY and ORCPT. Throws ParameterError. */
export function readRcptDsn(parameters: EsmtpParameters): RcptDsn {
  return {
    ...(parameters.has('NOTIFY') ? { notify: notifyOf(parameters.get('NOTIFY') ?? '') } : {}),
    ...(parameters.has('ORCPT') ? { orcpt: orcptOf(parameters.get('ORCPT') ?? '') } : {}),
  };
}

function envidOf(value: string): string {
  const envid = decodeXtext(value);
  if (value.length > ENVID_LIMIT_CHARS || envid === undefined || !PRINTABLE.test(envid))
    throw new ParameterError(`ENVID=xtext of ${ENVID_LIMIT_CHARS} characters at most`);
  return envid;
}

function notifyOf(value: string): NonNullable<RcptDsn['notify']> {
  const words = value.toUpperCase().split(',');
  if (words.length === 1 && words[0] === 'NEVER') return ['NEVER'];
  const known = NOTIFY_WORDS.filter((word) => words.includes(word));
  const isKnown = words.every((word) => NOTIFY_WORDS.some((other) => other === word));
  if (!isKnown) throw new ParameterError('NOTIFY=NEVER, or some of SUCCESS,FAILURE,DELAY');
  return known;
}

function orcptOf(value: string): string {
  const semicolon = value.indexOf(';');
  const type = value.slice(0, Math.max(0, semicolon));
  const written = value.slice(semicolon + 1);
  const isUtf8 = type.toLowerCase() === 'utf-8' && /[\u0080-\u{10ffff}]/u.test(written);
  const address = isUtf8 ? written : decodeXtext(written);
  const isFit =
    value.length <= ORCPT_LIMIT_CHARS &&
    ADDR_TYPE.test(type) &&
    address !== undefined &&
    (isUtf8 ? PRINTABLE_UTF8 : PRINTABLE).test(address);
  if (!isFit) throw new ParameterError(`ORCPT=addr-type;xtext of ${ORCPT_LIMIT_CHARS} characters at most`);
  return `${type};${address}`;
}

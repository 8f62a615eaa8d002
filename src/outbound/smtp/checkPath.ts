/**
 * Paths and parameters before they go on a line to a next hop: strictly RFC 5321 section 4.1.2, or not at all.
 *
 * What comes here has been checked on its way in; this is the last place before the wire, and holds whatever led there. A path
 * goes out exactly as it came or its recipient fails (5.1.3, 5.1.7 for the reverse path).
 */

import { ArgumentReader } from '../../wire/smtp/argument.ts';
import { takeForwardPath, takeReversePath } from '../../wire/smtp/path.ts';

const DOMAIN_LIMIT_OCTETS = 255;
const LABEL_LIMIT_OCTETS = 63;
/** RFC 3461 section 4.4. */
const ENVID_LIMIT_CHARS = 100;
/** RFC 3461 section 4.2. */
const ORCPT_LIMIT_CHARS = 500;

const XTEXT = '(?:[!-*,-<>-~]|\\+[0-9A-F]{2})';
const ENVID = new RegExp(`^${XTEXT}{1,${ENVID_LIMIT_CHARS}}$`);
const ORCPT = new RegExp(`^[A-Za-z0-9-]+;${XTEXT}+$`);

/** Why `path`, without brackets, must not go out; undefined where it may. The null path is a reverse path only. */
export function faultInPath(path: string, kind: 'forward' | 'reverse'): string | undefined {
  if (/[<>]/.test(path)) return 'an angle bracket in an address, which servers read in different ways';
  try {
    const reader = new ArgumentReader(Buffer.from(`<${path}>`));
    const taken = kind === 'forward' ? takeForwardPath(reader, {}) : takeReversePath(reader, {});
    if (!reader.isAtEnd || taken !== path) return 'no address of RFC 5321';
  } catch (error) {
    return `no address of RFC 5321: ${error instanceof Error ? error.message : 'unreadable'}`;
  }
  return faultInDomain(path.slice(path.lastIndexOf('@') + 1));
}

/** Whether a path needs SMTPUTF8 (RFC 6531 section 3.2). */
export function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

/** Whether an envelope id may go out as it is. */
export function isEnvid(xtext: string): boolean {
  return ENVID.test(xtext);
}

/** Whether an original recipient may go out as it is. */
export function isOrcpt(orcpt: string): boolean {
  return orcpt.length <= ORCPT_LIMIT_CHARS && ORCPT.test(orcpt);
}

function faultInDomain(domain: string): string | undefined {
  if (Buffer.byteLength(domain) > DOMAIN_LIMIT_OCTETS) return 'a domain of more than 255 octets';
  const isLong = (label: string) => Buffer.byteLength(label) > LABEL_LIMIT_OCTETS;
  if (!domain.startsWith('[') && isAscii(domain) && domain.split('.').some(isLong))
    return 'a label of more than 63 octets in a domain';
  return undefined;
}

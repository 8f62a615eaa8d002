/**
 * Addresses in the fields of a report: their type and themselves (RFC 3464 section 2.1.2, RFC 6533 section 3).
 */

import { escapeUtf8Address, unescapeUtf8Address } from '../smtp/utf8Address.ts';
import { asciiLine, oneLine } from './oneLine.ts';

/**
 * `type; address` of `type;address`. Where there are characters that are not ASCII, the type is utf-8 and the address in
 * utf-8-address form if it `mayBeUtf8`, else as utf-8-addr-xtext.
 */
export function typedAddress(typed: string, mayBeUtf8: boolean): string {
  const semicolon = typed.indexOf(';');
  const [type, written] = [typed.slice(0, Math.max(0, semicolon)), typed.slice(semicolon + 1).trim()];
  const isUtf8Type = type.toLowerCase() === 'utf-8';
  const address = isUtf8Type && mayBeUtf8 ? unescapeUtf8Address(written) : written;
  if (/^[\x20-\x7e]*$/.test(address)) return `${asciiLine(type)}; ${oneLine(address)}`;
  return `utf-8; ${mayBeUtf8 ? oneLine(address) : escapeUtf8Address(address)}`;
}

/**
 * What an administrator gives for routing objects, checked and brought into the form that the store keeps: names of objects,
 * patterns of addresses, addresses that mail goes on to, positions.
 *
 * Other than an alias's targets, members, forwards and rules may lead to other servers: whether a route takes the mail there is
 * decided when it comes. Addresses in domains of ours are kept under the domain's own name.
 */

import { MailError } from '../base/error.ts';
import type { Directory } from '../store/contract/directory.ts';
import type { AddressPattern } from '../store/contract/routing.ts';
import { parseAddress, parseDomain } from './address.ts';
import { addressGiven, type DomainFinder } from './namesGiven.ts';
import { mapInTurns } from './turns.ts';

/** Characters of the name of a route or rule: it stands in a column of a table. */
export const OBJECT_NAME_LIMIT_CHARS = 64;

/** A name for a route or rule: visible characters, NFC, in the case in which it was given. Errors: `invalid`. */
export function objectNameGiven(what: string, text: string): string {
  const name = text.normalize('NFC').trim();
  if (name !== '' && name.length <= OBJECT_NAME_LIMIT_CHARS && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name))
    return name;
  const allowed = `1 to ${OBJECT_NAME_LIMIT_CHARS} visible characters`;
  throw new MailError('invalid', `“${text}” cannot name a ${what}; allowed: ${allowed}.`);
}

/** A place in an order, from 1. Errors: `invalid`. */
export function positionGiven(position: number): number {
  if (Number.isInteger(position) && position >= 1) return position;
  throw new MailError('invalid', `A position cannot be ${position}; allowed: whole numbers from 1.`);
}

/** A pattern of recipients. Errors: `invalid`. */
export function recipientPatternGiven(text: string): AddressPattern {
  const given = text.trim();
  if (given === '*') return given;
  if (given.startsWith('*.')) return `*.${domainOfPattern(given, given.slice(2))}`;
  if (!given.includes('@')) return domainOfPattern(given, given);
  if (given.startsWith('*@')) return domainOfPattern(given, given.slice(2));
  const parsed = parseAddress(given);
  if (parsed.kind === 'address') return parsed.address;
  throw new MailError('invalid', `“${given}” is no address or pattern of addresses: ${parsed.reason}.`);
}

/** A pattern of senders: as of recipients, and `<>` for delivery reports. Errors: `invalid`. */
export function senderPatternGiven(text: string): AddressPattern {
  return text.trim() === '<>' ? '<>' : recipientPatternGiven(text);
}

/** An address that mail goes on to, here or elsewhere. Errors: `invalid`. */
export async function anywhereGiven(directory: DomainFinder, text: string): Promise<string> {
  const given = addressGiven(text);
  const domain = await directory.findDomain(given.domain);
  return domain === undefined ? given.address : `${given.localPart}@${domain.name}`;
}

/** Of these addresses those that are ours and that nobody receives at present. */
export async function danglingOf(
  directory: Pick<Directory, 'resolve'>,
  addresses: readonly string[],
): Promise<string[]> {
  const found = await mapInTurns(addresses, async (address) => (await directory.resolve(address)).kind);
  return addresses.filter((_address, index) => {
    const kind = found[index];
    return kind === 'unknownAddress' || kind === 'disabled';
  });
}

function domainOfPattern(pattern: string, text: string): string {
  const parsed = parseDomain(text);
  if (parsed.kind === 'domain') return parsed.domain;
  const allowed = 'a@example.org, example.org, *.example.org or *';
  throw new MailError(
    'invalid',
    `“${pattern}” is no pattern of addresses (${parsed.reason}); allowed: ${allowed}.`,
  );
}

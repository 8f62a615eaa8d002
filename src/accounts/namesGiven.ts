/**
 * Names as an administrator gives them, checked and brought into their one form, for the three kinds of administration.
 *
 * An address of ours is stored under its domain's own name, also when it was given by another name of the domain, so that
 * it still holds when that other name goes.
 */

import { MailError } from '../base/error.ts';
import type { Directory, Domain } from '../store/contract/directory.ts';
import { parseAddress, parseDomain, parseLoginName, type ValidAddress } from './address.ts';

/** Where domains are looked up. */
export type DomainFinder = Pick<Directory, 'findDomain'>;

/** A domain name in its one form. Errors: `invalid`. */
export function domainGiven(text: string): string {
  const parsed = parseDomain(text);
  if (parsed.kind === 'domain') return parsed.domain;
  throw new MailError('invalid', `“${text}” cannot be used as a domain: ${parsed.reason}.`);
}

/** A login name in its one form. Errors: `invalid`. */
export function loginNameGiven(text: string): string {
  const parsed = parseLoginName(text);
  if (parsed.kind === 'loginName') return parsed.loginName;
  throw new MailError('invalid', `“${text}” cannot be used as a login name: ${parsed.reason}.`);
}

/** An address in its one form. Errors: `invalid`. */
export function addressGiven(text: string): ValidAddress {
  const parsed = parseAddress(text);
  if (parsed.kind === 'address') return parsed;
  throw new MailError('invalid', `“${text}” cannot be used as an address: ${parsed.reason}.`);
}

/** The address of an entry in one of our domains. Errors: `invalid`, `notFound`. */
export async function ownAddressGiven(directory: DomainFinder, text: string): Promise<string> {
  const given = addressGiven(text);
  const domain = await directory.findDomain(given.domain);
  if (domain !== undefined) return addressIn(domain, given);
  throw new MailError(
    'notFound',
    `There is no domain “${given.domain}” here; it would have to be added first.`,
  );
}

/** An address that mail is to go on to. Errors: `invalid`, `cannot` when its domain is not one of ours. */
export async function targetGiven(directory: DomainFinder, text: string): Promise<string> {
  const given = addressGiven(text);
  const domain = await directory.findDomain(given.domain);
  if (domain !== undefined) return addressIn(domain, given);
  throw new MailError(
    'cannot',
    `Mail cannot go on to “${given.address}”: “${given.domain}” is not a domain of this server, and forwarding to other servers is not possible yet.`,
  );
}

/** Refuses a list that is longer than its limit. Errors: `invalid`. */
export function atMost<Value>(limit: number, what: string, values: readonly Value[]): readonly Value[] {
  if (values.length <= limit) return values;
  throw new MailError('invalid', `${values.length} ${what} are too many: ${limit} at most.`);
}

function addressIn(domain: Domain, { localPart }: ValidAddress): string {
  return `${localPart}@${domain.name}`;
}

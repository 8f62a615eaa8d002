/**
 * Which account a login name means: at most one, by the first of its readings that anybody has.
 *
 * The order is: an account's address, an extra login name, an extra login name with a wildcard for the domain, and only then
 * what the form lets one guess (loginForms.ts). A name that says who opens whose mailbox means the mailbox's account, and only
 * where both are the same; a delegate's name has to stand among the extra login names of the mailbox's account. Whichever
 * account it is, its own password decides.
 * How often the directory is asked depends on the form of the name alone, never on whether anybody has it.
 */

import type { Credentials, Directory } from '../store/contract/directory.ts';
import { parseAddress } from './address.ts';
import type { LoginForm } from './loginForms.ts';
import { type ReadLoginName, readLoginName } from './readLoginName.ts';

/** How a name came to mean an account. */
export type LoginReading =
  | 'address'
  | 'loginName'
  | 'wildcard'
  | 'namedDomain'
  | 'defaultDomain'
  | 'addressAtItsEnd';

/** Where names are looked up. */
export interface LoginNameSurroundings {
  readonly directory: Pick<Directory, 'findCredentials' | 'findDomain'>;
  defaultDomain(): string | undefined;
}

/** Whom a name means. */
export interface FoundLogin {
  readonly credentials: Credentials;
  readonly reading: LoginReading;
  readonly form: LoginForm | undefined;
}

/** What a name means where nobody has it as an address or extra login name. */
export interface GuessedLogin {
  readonly address: string;
  readonly reading: 'namedDomain' | 'defaultDomain' | 'addressAtItsEnd';
}

/** The account that logs in by this name, of any bytes and length. Errors: the store's. */
export async function findByLoginName(
  surroundings: LoginNameSurroundings,
  sent: string,
): Promise<FoundLogin | undefined> {
  const name = readLoginName(sent);
  if (name === undefined) return undefined;
  const had = await findHad(surroundings, name);
  const guessed = await findGuessed(surroundings, name);
  return had ?? guessed;
}

/** What the form of a name lets one guess; whether there is such an account is not looked up. */
export async function guessLogin(
  { directory, defaultDomain }: LoginNameSurroundings,
  { form, domain, mailbox }: ReadLoginName,
): Promise<GuessedLogin | undefined> {
  if (form === undefined || mailbox === undefined) return undefined;
  if (mailbox.includes('@')) {
    return form.parts.length === 1 ? undefined : { address: mailbox, reading: 'addressAtItsEnd' };
  }
  const named = domain === undefined ? undefined : await directory.findDomain(domain);
  const chosen = named?.name ?? defaultDomain();
  const parsed = chosen === undefined ? undefined : parseAddress(`${mailbox}@${chosen}`);
  if (parsed?.kind !== 'address') return undefined;
  return { address: parsed.address, reading: named === undefined ? 'defaultDomain' : 'namedDomain' };
}

async function findHad(
  { directory }: LoginNameSurroundings,
  { form, spellings, wildcard }: ReadLoginName,
): Promise<FoundLogin | undefined> {
  const names = wildcard === undefined ? spellings : [...spellings, wildcard];
  const credentials = await directory.findCredentials(...names);
  if (credentials === undefined) return undefined;
  return { credentials, form, reading: readingOf(credentials, wildcard) };
}

function readingOf({ account, loginName }: Credentials, wildcard: string | undefined): LoginReading {
  if (!account.loginNames.includes(loginName)) return 'address';
  return loginName === wildcard ? 'wildcard' : 'loginName';
}

async function findGuessed(
  surroundings: LoginNameSurroundings,
  name: ReadLoginName,
): Promise<FoundLogin | undefined> {
  const guess = await guessLogin(surroundings, name);
  if (guess === undefined) return undefined;
  const credentials = await surroundings.directory.findCredentials(guess.address);
  const mayOpen = await isSameAccount(surroundings, name, credentials);
  return credentials === undefined || !mayOpen
    ? undefined
    : { credentials, form: name.form, reading: guess.reading };
}

/** Whether who opens the mailbox is its own account: called the same, or found to be the same. */
async function isSameAccount(
  surroundings: LoginNameSurroundings,
  { opener, mailbox }: ReadLoginName,
  credentials: Credentials | undefined,
): Promise<boolean> {
  if (opener === undefined || opener.user === mailbox) return true;
  const found = await findByLoginName(surroundings, opener.name);
  return found !== undefined && found.credentials.account.id === credentials?.account.id;
}

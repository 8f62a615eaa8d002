/**
 * What an administrator asks and sets about login names: whom a name means, and which names an account may be given.
 *
 * The first is answered by the code that logs in. The second refuses a name that would take a login away from another account:
 * one that it has by its name in the default domain, or in a domain of ours that the new name has in front. A name with a
 * foreign domain in front may differ from what one would have guessed: to say so is what extra login names are for.
 */

import { MailError } from '../base/error.ts';
import type { Directory } from '../store/contract/directory.ts';
import {
  findByLoginName,
  guessLogin,
  type LoginNameSurroundings,
  type LoginReading,
} from './findByLoginName.ts';
import { loginNameGiven } from './namesGiven.ts';
import { faultOfWildcard, readLoginName, withBackslashes } from './readLoginName.ts';

/** Whom a login name means. Null throughout where it means nobody. */
export interface LoginReport {
  /** As it was given. */
  readonly name: string;
  readonly account: string | null;
  readonly reading: LoginReading | null;
  /** The extra login name by which it was found. */
  readonly loginName: string | null;
  /** Name of the form that it has, also where it means nobody. */
  readonly form: string | null;
  /** Whether account and domain are enabled. */
  readonly isEnabled: boolean | null;
}

/** Verbs for logins. */
export interface LoginAdministration {
  /** Asks no password and counts as no login. */
  test(name: string): Promise<LoginReport>;
}

/** The verbs on this directory. */
export function createLoginAdministration(surroundings: LoginNameSurroundings): LoginAdministration {
  return {
    async test(name) {
      const form = readLoginName(name)?.form?.name ?? null;
      const found = await findByLoginName(surroundings, name);
      if (found === undefined) {
        return { name, account: null, reading: null, loginName: null, form, isEnabled: null };
      }
      const { account, isDomainEnabled, loginName } = found.credentials;
      const isExtra = found.reading === 'loginName' || found.reading === 'wildcard';
      return {
        name,
        account: account.address,
        reading: found.reading,
        loginName: isExtra ? loginName : null,
        form,
        isEnabled: account.isEnabled && isDomainEnabled,
      };
    },
  };
}

/** Extra login names for the account of `address`, each once, in the form that the store keeps. Errors: `invalid`, `conflict`. */
export async function loginNamesFor(
  surroundings: LoginNameSurroundings & { readonly directory: Pick<Directory, 'findAccount'> },
  address: string,
  given: readonly string[],
): Promise<string[]> {
  const names = new Set(given.map(extraLoginNameGiven));
  // The address itself logs in anyway.
  names.delete(address);
  for (const name of names) await refuseShadow(surroundings, address, name);
  return [...names];
}

function extraLoginNameGiven(text: string): string {
  const name = withBackslashes(loginNameGiven(text));
  const fault = faultOfWildcard(name);
  if (fault === undefined) return name;
  throw new MailError('invalid', `“${text}” cannot be used as a login name: ${fault}.`);
}

async function refuseShadow(
  surroundings: LoginNameSurroundings & { readonly directory: Pick<Directory, 'findAccount'> },
  address: string,
  name: string,
): Promise<void> {
  const read = readLoginName(name);
  const guess = read && (await guessLogin(surroundings, read));
  if (guess === undefined || guess.address === address) return;
  const isForeignDomainNamed = read?.domain !== undefined && guess.reading === 'defaultDomain';
  if (isForeignDomainNamed) return;
  if (read?.opener !== undefined && read.opener.user !== read.mailbox) return;
  const shadowed = await surroundings.directory.findAccount(guess.address);
  if (shadowed === undefined || shadowed.address === address) return;
  throw new MailError(
    'conflict',
    `“${name}” would take a login away from the account “${shadowed.address}”, which that name means now.`,
  );
}

/**
 * The administrator's verbs for recoverable secrets: who may log in by CRAM-MD5, and with what.
 *
 * A secret is not the account's password, though it may be the same text: POP3, IMAP, PLAIN and LOGIN go by the password alone.
 */

import { MailError } from '../base/error.ts';
import type { Account, Directory } from '../store/contract/directory.ts';
import type { Secrets } from '../store/contract/secrets.ts';
import { ownAddressGiven } from './namesGiven.ts';
import { passwordProblem } from './password.ts';

/** Verbs for recoverable secrets. Errors of each: `notFound` (the account). */
export interface SecretAdministration {
  /** Gives the account a secret, in place of the one before. Errors: `invalid` for one that no client can have. */
  set(address: string, secret: string): Promise<{ readonly address: string }>;
  /** Takes it away. Errors: `notFound` where there is none. */
  remove(address: string): Promise<{ readonly address: string }>;
}

interface Surroundings {
  readonly directory: Pick<Directory, 'findAccount' | 'findDomain'>;
  readonly secrets: Pick<Secrets, 'set' | 'remove'>;
}

/** The verbs on this directory. */
export function createSecretAdministration({ directory, secrets }: Surroundings): SecretAdministration {
  const accountOf = async (given: string): Promise<Account> => {
    const address = await ownAddressGiven(directory, given);
    const account = await directory.findAccount(address);
    if (account === undefined) throw new MailError('notFound', `There is no account “${address}”.`);
    return account;
  };
  return {
    async set(given, secret) {
      const { id, address } = await accountOf(given);
      const problem = passwordProblem(secret);
      if (problem !== undefined) throw new MailError('invalid', problem);
      await secrets.set({ purpose: 'cramMd5', owner: id }, secret);
      return { address };
    },
    async remove(given) {
      const { id, address } = await accountOf(given);
      const isGone = await secrets.remove({ purpose: 'cramMd5', owner: id });
      if (!isGone) throw new MailError('notFound', `“${address}” has no secret for CRAM-MD5.`);
      return { address };
    },
  };
}

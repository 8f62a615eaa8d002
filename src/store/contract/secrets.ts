/**
 * Secrets: what has to be had back as it was given, sealed while it rests (a password's hash is none of these).
 *
 * Whoever has the database alone reads nothing of them: the key stands in a file of its own beside it. Each is sealed for its
 * purpose and its owner, so that none can be put in another's place.
 */

import type { AccountId } from '../../base/ids.ts';

/** What a secret is for. */
export type SecretPurpose = 'cramMd5' | 'relayToken' | 'relayPassword' | 'relaySecret' | 'srs';

/** Which secret is meant. */
export interface SecretName {
  readonly purpose: SecretPurpose;
  /** An account, with which its secrets go; or something else that has a name. */
  readonly owner: AccountId | string;
}

/** Sealed secrets. Errors beside the store's own: `cannot` where the key is missing or is another one. */
export interface Secrets {
  /** Takes the same time whether there is one or not. */
  find(name: SecretName): Promise<string | undefined>;
  /** Whether anybody has a secret for this purpose. */
  isAny(purpose: SecretPurpose): Promise<boolean>;
  /** Sets the secret, in place of the one before. Errors: `notFound` when the account is gone. */
  set(name: SecretName, secret: string): Promise<void>;
  /** Takes it away; whether there was one. */
  remove(name: SecretName): Promise<boolean>;
}

/**
 * Reads sealed secrets.
 */

import type { SecretPurpose } from '../contract/secrets.ts';
import type { Connection } from './connection.ts';

/** A sealed secret. */
export function selectSecret(db: Connection, purpose: SecretPurpose, owner: string): Uint8Array | undefined {
  return db.get<{ sealed: Uint8Array }>(
    'SELECT sealed FROM secret WHERE purpose = ? AND owner = ?',
    purpose,
    owner,
  )?.sealed;
}

/** Whether there is a secret for this purpose. */
export function selectIsAnySecret(db: Connection, purpose: SecretPurpose): boolean {
  return db.value('SELECT EXISTS (SELECT 1 FROM secret WHERE purpose = ?)', purpose) === 1;
}

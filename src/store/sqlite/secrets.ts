/**
 * The Secrets view of the SQLite store: sealed here, kept by the writer, opened here.
 */

import type { SecretName, Secrets } from '../contract/secrets.ts';
import { ownerText } from './jobs/secrets.ts';
import type { Reader } from './reader.ts';
import type { Sealing } from './sealing.ts';
import { selectIsAnySecret, selectSecret } from './secretQueries.ts';
import type { Writer } from './writer/client.ts';

/** The Secrets that read by `reader` and write by `writer`. */
export function createSecrets(reader: Reader, writer: Writer, sealing: Sealing): Secrets {
  /** Opened for those who have none, so that it takes them as long. */
  let decoy: Uint8Array | undefined;
  return {
    async find(name) {
      const sealed = reader.read((db) => selectSecret(db, name.purpose, ownerText(name.owner)));
      if (sealed !== undefined) return sealing.open(sealed, placeOf(name));
      if (!sealing.hasKey) return undefined;
      decoy ??= sealing.seal('a secret that nobody has', '');
      sealing.open(decoy, '');
      return undefined;
    },
    isAny: async (purpose) => reader.read((db) => selectIsAnySecret(db, purpose)),
    set: (name, secret) => writer.run('setSecret', { ...name, sealed: sealing.seal(secret, placeOf(name)) }),
    remove: (name) => writer.run('removeSecret', name),
  };
}

/** What a secret belongs to, as the sealing holds it. */
function placeOf({ purpose, owner }: SecretName): string {
  return JSON.stringify([purpose, owner]);
}

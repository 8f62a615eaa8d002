/**
 * Whether the store takes writes, in a sentence for the administrator. After a failed commit a probe is written, so that the
 * check turns green by itself once the disk has room again.
 */

import type { StoreHealth } from '../contract/store.ts';
import type { FreeSpace } from './freeSpace.ts';
import type { Writer } from './writer/client.ts';

/** What is asked of the writer. */
export interface HealthOfWriter extends Pick<Writer, 'refusal' | 'lastFailure'> {
  run(kind: 'probe', input: undefined): Promise<void>;
}

/** Looks now. Never rejects. */
export async function checkHealth(
  directory: string,
  writer: HealthOfWriter,
  space: FreeSpace,
): Promise<StoreHealth> {
  const freeOctets = await space.look().catch(() => undefined);
  const problem = await findProblem(directory, writer, space, freeOctets);
  if (problem !== undefined || freeOctets === undefined)
    return { kind: 'unhealthy', freeOctets, problem: problem ?? '' };
  return { kind: 'healthy', freeOctets };
}

async function findProblem(
  directory: string,
  writer: HealthOfWriter,
  space: FreeSpace,
  freeOctets: number | undefined,
): Promise<string | undefined> {
  if (writer.refusal !== undefined)
    return `The message store has stopped (${writer.refusal.message}). Restart Hauspost and look into its log.`;
  if (freeOctets === undefined) return `The disk of ${directory} cannot be looked at.`;
  if (freeOctets < space.reserveOctets)
    return `The disk of ${directory} is nearly full: ${freeOctets} octets are free, ${space.reserveOctets} are kept in reserve. Make room; mail is taken in again by itself.`;
  if (writer.lastFailure === undefined) return undefined;
  const failure = await writer.run('probe', undefined).then(
    () => undefined,
    (error: Error) => error.message,
  );
  return failure === undefined ? undefined : `The message store cannot write to ${directory}: ${failure}.`;
}

/**
 * Routes, global rules and the heads of lists, kept in memory: they are asked for each recipient, and are few.
 *
 * After a change of the directory they are read anew when somebody next asks for them, who waits for it: a change counts at once
 * and a thousand changes in a row cost one reading. What cannot be read again stays as it was, and is logged.
 */

import type { Log } from '../../base/log.ts';
import type { ChangeFeed } from '../../store/contract/feed.ts';
import type { RoutingDirectory } from '../../store/contract/routing.ts';
import type { RoutingTables } from './surroundings.ts';

/** What tables are read from. */
export interface RoutingTablesSurroundings {
  readonly routing: Pick<RoutingDirectory, 'routes' | 'rules' | 'lists'>;
  readonly feed: Pick<ChangeFeed, 'subscribe'>;
  readonly log: Log;
}

/** Tables that follow the directory for as long as the store is open. Errors of the answer: the store's, as long as nothing was read. */
export function followRoutingTables(surroundings: RoutingTablesSurroundings): () => Promise<RoutingTables> {
  const { routing, feed, log } = surroundings;
  let version = 0;
  let kept: { readonly version: number; readonly tables: RoutingTables } | undefined;
  let reading: { readonly version: number; readonly tables: Promise<RoutingTables> } | undefined;
  feed.subscribe((change) => {
    if (change.kind === 'directory') version += 1;
  });
  const read = async (readVersion: number): Promise<RoutingTables> => {
    try {
      const tables = await readTables(routing);
      if (kept === undefined || kept.version < readVersion) kept = { version: readVersion, tables };
      return tables;
    } catch (error) {
      log.error('transfer.routes.failed', { error });
      // The next one who asks tries again.
      reading = undefined;
      if (kept === undefined) throw error;
      return kept.tables;
    }
  };
  return async () => {
    if (kept?.version === version) return kept.tables;
    if (reading?.version !== version) reading = { version, tables: read(version) };
    return reading.tables;
  };
}

async function readTables(routing: RoutingTablesSurroundings['routing']): Promise<RoutingTables> {
  const [routes, globalRules, lists] = await Promise.all([
    routing.routes(),
    routing.rules(),
    routing.lists(),
  ]);
  return { routes, globalRules, lists };
}

/**
 * Jobs that change routes. Positions count from 1 without gaps: whatever comes, moves or goes, the others close up.
 */

import { MailError } from '../../../base/error.ts';
import {
  type AddressPattern,
  isNarrowPattern,
  type NewRoute,
  type Route,
  type RouteChanges,
  type RouteTarget,
} from '../../contract/routing.ts';
import type { Connection } from '../connection.ts';
import { type StoredRoute, selectRoute } from '../routingQueries.ts';
import type { JobContext } from './context.ts';

/** Jobs by name. */
export const ROUTE_JOBS = {
  addRoute(db: Connection, route: NewRoute, context: JobContext): Route {
    if (selectRoute(db, route.name) !== undefined)
      throw new MailError('conflict', `The route “${route.name}” exists already.`);
    refuseOpenRelay(route);
    const end = countRoutes(db) + 1;
    const position = Math.min(route.position ?? end, end);
    moveUpFrom(db, position);
    const id = insertRoute(db, { ...route, position });
    insertPatterns(db, id, route);
    context.publish({ kind: 'directory' });
    return requireRoute(db, route.name).route;
  },

  setRoute(
    db: Connection,
    { name, changes }: { readonly name: string; readonly changes: RouteChanges },
    context: JobContext,
  ): Route {
    const { id, route } = requireRoute(db, name);
    const position = Math.min(changes.position ?? route.position, countRoutes(db));
    if (position !== route.position) {
      moveDownAfter(db, route.position);
      moveUpFrom(db, position);
    }
    const changed = { ...route, ...changes, position };
    refuseOpenRelay(changed);
    updateRoute(db, id, changed);
    if (changes.recipients !== undefined || changes.senders !== undefined) {
      deletePatterns(db, id);
      insertPatterns(db, id, changed);
    }
    context.publish({ kind: 'directory' });
    return requireRoute(db, name).route;
  },

  removeRoute(db: Connection, name: string, context: JobContext): void {
    const { id, route } = requireRoute(db, name);
    deleteRoute(db, id);
    moveDownAfter(db, route.position);
    context.publish({ kind: 'directory' });
  },
} as const;

function requireRoute(db: Connection, name: string): StoredRoute {
  const stored = selectRoute(db, name);
  if (stored === undefined) throw new MailError('notFound', `There is no route “${name}”.`);
  return stored;
}

/** Checked here again, since two changes of one route may come at the same moment. */
function refuseOpenRelay({ isOpenTo, recipients }: Pick<Route, 'isOpenTo' | 'recipients'>): void {
  if (isOpenTo === 'anyone' && !recipients.every(isNarrowPattern))
    throw new MailError('cannot', 'A route that is open to anyone names its recipients or their domains.');
}

function insertPatterns(
  db: Connection,
  id: number,
  { recipients, senders }: Pick<Route, 'recipients' | 'senders'>,
): void {
  if (recipients.length === 0) throw new MailError('invalid', 'A route has one recipient pattern at least.');
  [...new Set(recipients)].forEach((pattern, position) => {
    insertPattern(db, id, 0, position, pattern);
  });
  [...new Set(senders)].forEach((pattern, position) => {
    insertPattern(db, id, 1, position, pattern);
  });
}

/** Enabled, open to anyone, kind and value of the target. */
function columnsOf({ isEnabled, isOpenTo, target }: Omit<Route, 'name'>): (number | string | null)[] {
  return [isEnabled ? 1 : 0, isOpenTo === 'anyone' ? 1 : 0, target.kind, targetText(target)];
}

function targetText(target: RouteTarget): string | null {
  switch (target.kind) {
    case 'local':
      return target.address;
    case 'relay':
      return target.relay;
    case 'drop':
      return target.directory;
    case 'refuse':
      return target.text ?? null;
  }
}

function countRoutes(db: Connection): number {
  return db.value('SELECT count(*) FROM route') ?? 0;
}

function moveUpFrom(db: Connection, position: number): void {
  db.run('UPDATE route SET position = position + 1 WHERE position >= ?', position);
}

function moveDownAfter(db: Connection, position: number): void {
  db.run('UPDATE route SET position = position - 1 WHERE position > ?', position);
}

function insertRoute(db: Connection, route: Route): number {
  return db.value(
    `INSERT INTO route (name, position, is_enabled, is_open_to_anyone, target_kind, target)
     VALUES (?, ?, ?, ?, ?, ?)
     RETURNING id`,
    route.name,
    route.position,
    ...columnsOf(route),
  ) as number;
}

function updateRoute(db: Connection, id: number, route: Route): void {
  db.run(
    `UPDATE route
     SET position = ?, is_enabled = ?, is_open_to_anyone = ?, target_kind = ?, target = ?
     WHERE id = ?`,
    route.position,
    ...columnsOf(route),
    id,
  );
}

function insertPattern(
  db: Connection,
  id: number,
  isOfSender: 0 | 1,
  position: number,
  pattern: AddressPattern,
): void {
  db.run(
    'INSERT INTO route_pattern (route_id, is_of_sender, position, pattern) VALUES (?, ?, ?, ?)',
    id,
    isOfSender,
    position,
    pattern,
  );
}

function deletePatterns(db: Connection, id: number): void {
  db.run('DELETE FROM route_pattern WHERE route_id = ?', id);
}

function deleteRoute(db: Connection, id: number): void {
  db.run('DELETE FROM route WHERE id = ?', id);
}

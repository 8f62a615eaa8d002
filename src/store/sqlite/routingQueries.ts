/**
 * What is asked of the tables of routes, forwards and rules, by the Directory view and by the writer's jobs alike.
 *
 * Routes and global rules are few (the accounts room sees to that) and read whole, once after each change of the directory;
 * forwards and rules of an account are read by its id for each copy that it gets.
 */

import type { AccountId } from '../../base/ids.ts';
import type { Forward, Route, RouteTarget, Rule, RuleAction, RuleCondition } from '../contract/routing.ts';
import type { Connection } from './connection.ts';
import { selectAddress } from './directoryQueries.ts';

/** A rule with its row's id, for the jobs. */
export interface StoredRule {
  readonly id: number;
  readonly rule: Rule;
}

/** A route with its row's id, for the jobs. */
export interface StoredRoute {
  readonly id: number;
  readonly route: Route;
}

/** All routes, in order of position. */
export function selectRoutes(db: Connection): Route[] {
  return db
    .all<RouteRow>(
      `SELECT id, name, position, is_enabled, is_open_to_anyone, target_kind, target
       FROM route
       ORDER BY position`,
    )
    .map((row) => routeOf(db, row));
}

/** The route of this name, in any case. */
export function selectRoute(db: Connection, name: string): StoredRoute | undefined {
  const row = db.get<RouteRow>(
    `SELECT id, name, position, is_enabled, is_open_to_anyone, target_kind, target
     FROM route
     WHERE name = ?`,
    name,
  );
  return row && { id: row.id, route: routeOf(db, row) };
}

/** The forward of this account. */
export function selectForward(db: Connection, accountId: AccountId): Forward | undefined {
  const row = db.get<ForwardRow>(
    'SELECT account_id, keeps_copy, is_enabled FROM forward WHERE account_id = ?',
    accountId,
  );
  return row && forwardOf(db, row);
}

/** Ids of accounts with a forward, after `id`, at most `limit`. */
export function selectForwardsAfter(db: Connection, id: number, limit: number): StoredForward[] {
  return db
    .all<ForwardRow>(
      'SELECT account_id, keeps_copy, is_enabled FROM forward WHERE account_id > ? ORDER BY account_id LIMIT ?',
      id,
      limit,
    )
    .map((row) => ({ accountId: row.account_id, forward: forwardOf(db, row) }));
}

/** A forward with the account's id. */
export interface StoredForward {
  readonly accountId: AccountId;
  readonly forward: Forward;
}

/** Rules of an account (null: those for all), in order of position. */
export function selectRules(db: Connection, accountId: AccountId | null): Rule[] {
  const rows = db.all<RuleRow>(
    `SELECT id, name, position, is_enabled, matches, conditions, actions, ends_rules
     FROM rule
     WHERE account_id IS ?
     ORDER BY position`,
    accountId,
  );
  if (rows.length === 0) return [];
  const account = accountId === null ? undefined : selectAddress(db, accountId);
  return rows.map((row) => ruleOf(account, row));
}

/** The rule of this name, in any case. */
export function selectRule(
  db: Connection,
  accountId: AccountId | null,
  name: string,
): StoredRule | undefined {
  const row = db.get<RuleRow>(
    `SELECT id, name, position, is_enabled, matches, conditions, actions, ends_rules
     FROM rule
     WHERE account_id IS ? AND name = ?`,
    accountId,
    name,
  );
  if (row === undefined) return undefined;
  return { id: row.id, rule: ruleOf(accountId === null ? undefined : selectAddress(db, accountId), row) };
}

/** Ids of accounts with rules, after `id`, at most `limit`. */
export function selectRuleOwnersAfter(db: Connection, id: number, limit: number): AccountId[] {
  return db.column(
    'SELECT DISTINCT account_id FROM rule WHERE account_id > ? ORDER BY account_id LIMIT ?',
    id,
    limit,
  );
}

interface RouteRow {
  readonly id: number;
  readonly name: string;
  readonly position: number;
  readonly is_enabled: number;
  readonly is_open_to_anyone: number;
  readonly target_kind: RouteTarget['kind'];
  readonly target: string | null;
}

interface ForwardRow {
  readonly account_id: AccountId;
  readonly keeps_copy: number;
  readonly is_enabled: number;
}

interface RuleRow {
  readonly id: number;
  readonly name: string;
  readonly position: number;
  readonly is_enabled: number;
  readonly matches: Rule['matches'];
  readonly conditions: string;
  readonly actions: string;
  readonly ends_rules: number;
}

function routeOf(db: Connection, row: RouteRow): Route {
  return {
    name: row.name,
    position: row.position,
    isEnabled: row.is_enabled === 1,
    recipients: selectPatterns(db, row.id, 0),
    senders: selectPatterns(db, row.id, 1),
    isOpenTo: row.is_open_to_anyone === 1 ? 'anyone' : 'submitters',
    target: targetOf(row),
  };
}

function targetOf({ target_kind: kind, target }: RouteRow): RouteTarget {
  switch (kind) {
    case 'local':
      return { kind, address: target ?? '' };
    case 'relay':
      return { kind, relay: target ?? '' };
    case 'drop':
      return { kind, directory: target ?? '' };
    case 'refuse':
      return target === null ? { kind } : { kind, text: target };
  }
}

function forwardOf(db: Connection, row: ForwardRow): Forward {
  return {
    account: selectAddress(db, row.account_id) ?? '',
    targets: selectForwardTargets(db, row.account_id),
    keepsCopy: row.keeps_copy === 1,
    isEnabled: row.is_enabled === 1,
  };
}

function ruleOf(account: string | undefined, row: RuleRow): Rule {
  return {
    name: row.name,
    ...(account === undefined ? {} : { account }),
    position: row.position,
    isEnabled: row.is_enabled === 1,
    matches: row.matches,
    conditions: JSON.parse(row.conditions) as readonly RuleCondition[],
    actions: JSON.parse(row.actions) as readonly RuleAction[],
    endsRules: row.ends_rules === 1,
  };
}

function selectPatterns(db: Connection, routeId: number, isOfSender: 0 | 1): string[] {
  return db.column(
    'SELECT pattern FROM route_pattern WHERE route_id = ? AND is_of_sender = ? ORDER BY position',
    routeId,
    isOfSender,
  );
}

function selectForwardTargets(db: Connection, accountId: AccountId): string[] {
  return db.column('SELECT address FROM forward_target WHERE account_id = ? ORDER BY position', accountId);
}

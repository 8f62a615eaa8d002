/**
 * Jobs that change rules, of one account or of all. Positions count from 1 without gaps within the account, or among those of
 * all; an account's rules go with it. What conditions and actions mean is checked by the accounts room.
 */

import { MailError } from '../../../base/error.ts';
import type { AccountId } from '../../../base/ids.ts';
import type { NewRule, Rule, RuleChanges } from '../../contract/routing.ts';
import type { Connection } from '../connection.ts';
import { type StoredRule, selectRule } from '../routingQueries.ts';
import type { JobContext } from './context.ts';
import { requireAccount } from './directoryAccounts.ts';

/** Which rule: `account` undefined for one of all. */
interface RuleName {
  readonly account: string | undefined;
  readonly name: string;
}

/** Jobs by name. */
export const RULE_JOBS = {
  addRule(db: Connection, rule: NewRule, context: JobContext): Rule {
    const owner = ownerOf(db, rule.account);
    if (selectRule(db, owner, rule.name) !== undefined)
      throw new MailError('conflict', `The rule “${rule.name}”${of(rule.account)} exists already.`);
    const end = countRules(db, owner) + 1;
    const position = Math.min(rule.position ?? end, end);
    moveUpFrom(db, owner, position);
    insertRule(db, owner, { ...rule, position });
    context.publish({ kind: 'directory' });
    return requireRule(db, owner, rule).rule;
  },

  setRule(
    db: Connection,
    { account, name, changes }: RuleName & { readonly changes: RuleChanges },
    context: JobContext,
  ): Rule {
    const owner = ownerOf(db, account);
    const { id, rule } = requireRule(db, owner, { account, name });
    const position = Math.min(changes.position ?? rule.position, countRules(db, owner));
    if (position !== rule.position) {
      moveDownAfter(db, owner, rule.position);
      moveUpFrom(db, owner, position);
    }
    updateRule(db, id, { ...rule, ...changes, position });
    context.publish({ kind: 'directory' });
    return requireRule(db, owner, { account, name }).rule;
  },

  removeRule(db: Connection, { account, name }: RuleName, context: JobContext): void {
    const owner = ownerOf(db, account);
    const { id, rule } = requireRule(db, owner, { account, name });
    deleteRule(db, id);
    moveDownAfter(db, owner, rule.position);
    context.publish({ kind: 'directory' });
  },
} as const;

function ownerOf(db: Connection, account: string | undefined): AccountId | null {
  return account === undefined ? null : requireAccount(db, account).id;
}

function requireRule(
  db: Connection,
  owner: AccountId | null,
  { account, name }: { readonly account?: string | undefined; readonly name: string },
): StoredRule {
  const stored = selectRule(db, owner, name);
  if (stored === undefined) throw new MailError('notFound', `There is no rule “${name}”${of(account)}.`);
  return stored;
}

function of(account: string | undefined): string {
  return account === undefined ? ' for all accounts' : ` of “${account}”`;
}

/** Position to the end of the rules, as they are stored. */
function columnsOf(rule: Omit<Rule, 'name' | 'account'>): (number | string)[] {
  return [
    rule.position,
    rule.isEnabled ? 1 : 0,
    rule.matches,
    JSON.stringify(rule.conditions),
    JSON.stringify(rule.actions),
    rule.endsRules ? 1 : 0,
  ];
}

function countRules(db: Connection, owner: AccountId | null): number {
  return db.value('SELECT count(*) FROM rule WHERE account_id IS ?', owner) ?? 0;
}

function moveUpFrom(db: Connection, owner: AccountId | null, position: number): void {
  db.run('UPDATE rule SET position = position + 1 WHERE account_id IS ? AND position >= ?', owner, position);
}

function moveDownAfter(db: Connection, owner: AccountId | null, position: number): void {
  db.run('UPDATE rule SET position = position - 1 WHERE account_id IS ? AND position > ?', owner, position);
}

function insertRule(db: Connection, owner: AccountId | null, rule: Rule): void {
  db.run(
    `INSERT INTO rule (account_id, name, position, is_enabled, matches, conditions, actions, ends_rules)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    owner,
    rule.name,
    ...columnsOf(rule),
  );
}

function updateRule(db: Connection, id: number, rule: Rule): void {
  db.run(
    `UPDATE rule
     SET position = ?, is_enabled = ?, matches = ?, conditions = ?, actions = ?, ends_rules = ?
     WHERE id = ?`,
    ...columnsOf(rule),
    id,
  );
}

function deleteRule(db: Connection, id: number): void {
  db.run('DELETE FROM rule WHERE id = ?', id);
}

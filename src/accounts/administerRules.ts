/**
 * The administrator's verbs for rules, of one account or for all accounts. What conditions and actions may be is in ruleGiven.ts.
 */

import { MailError } from '../base/error.ts';
import type { Account, Directory } from '../store/contract/directory.ts';
import type { NewRule, Rule, RuleAction, RuleChanges, RuleCondition } from '../store/contract/routing.ts';
import { ownAddressGiven } from './namesGiven.ts';
import { danglingOf, objectNameGiven, positionGiven } from './routingNames.ts';
import { actionsGiven, conditionsGiven } from './ruleGiven.ts';
import { mapInTurns } from './turns.ts';

/** Rules of one account, and rules for all. */
export const RULES_LIMIT = 200;

/** A rule, for showing. */
export interface RuleReport extends Rule {
  /** Addresses of ours that it forwards to and that nobody receives at present. */
  readonly danglingTargets: readonly string[];
}

/** What can be set of a rule; what is absent stays. Conditions and actions replace all. */
export interface RuleSettings {
  readonly position?: number | undefined;
  readonly isEnabled?: boolean | undefined;
  readonly matches?: Rule['matches'] | undefined;
  readonly conditions?: readonly RuleCondition[] | undefined;
  readonly actions?: readonly RuleAction[] | undefined;
  readonly endsRules?: boolean | undefined;
}

/** A rule to add; the last one, enabled, for messages that all conditions fit, unless it says otherwise. */
export interface RuleGiven extends RuleSettings {
  readonly name: string;
  readonly account?: string | undefined;
  readonly actions: readonly RuleAction[];
}

/** Verbs for rules; without an account those for all are meant. */
export interface RuleAdministration {
  /** Errors: `invalid`, `notFound` (the account), `conflict` (the name is taken), `cannot` (actions that contradict), `limit`. */
  add(rule: RuleGiven): Promise<RuleReport>;
  /** Those of an account, or of everybody: first those for all, then account by account. Errors: `notFound` (the account). */
  list(account?: string): Promise<readonly RuleReport[]>;
  /** By name, in any case. Errors: `notFound`. */
  show(account: string | undefined, name: string): Promise<RuleReport>;
  /** Errors: as of `add`, and `notFound`. */
  set(account: string | undefined, name: string, settings: RuleSettings): Promise<RuleReport>;
  /** Errors: `notFound`. */
  remove(account: string | undefined, name: string): Promise<void>;
}

/** The verbs on this directory. */
export function createRuleAdministration({
  directory,
}: {
  readonly directory: Directory;
}): RuleAdministration {
  const report = (rule: Rule) => reportOf(directory, rule);
  return {
    async add(given) {
      const account = await ownerOf(directory, given.account);
      if ((await directory.rules(account?.id)).length >= RULES_LIMIT)
        throw new MailError('limit', `${RULES_LIMIT} rules are there already, and no more can be.`);
      return report(await directory.addRule(await newRule(directory, account, given)));
    },
    async list(given) {
      const account = await ownerOf(directory, given);
      const rules = account === undefined ? await allRules(directory) : await directory.rules(account.id);
      return mapInTurns(rules, report);
    },
    show: async (account, name) => report((await requireRule(directory, account, name)).rule),
    async set(given, givenName, settings) {
      const { account, rule } = await requireRule(directory, given, givenName);
      const changes = await changesOf(directory, account, settings);
      return report(await directory.setRule(rule.account, rule.name, changes));
    },
    async remove(given, givenName) {
      const { rule } = await requireRule(directory, given, givenName);
      await directory.removeRule(rule.account, rule.name);
    },
  };
}

async function ownerOf(directory: Directory, given: string | undefined): Promise<Account | undefined> {
  if (given === undefined) return undefined;
  const address = await ownAddressGiven(directory, given);
  const account = await directory.findAccount(address);
  if (account === undefined) throw new MailError('notFound', `There is no account “${address}”.`);
  return account;
}

async function allRules(directory: Directory): Promise<Rule[]> {
  const rules = [...(await directory.rules())];
  for (const address of await directory.accountsWithRules()) {
    const account = await directory.findAccount(address);
    if (account !== undefined) rules.push(...(await directory.rules(account.id)));
  }
  return rules;
}

async function requireRule(
  directory: Directory,
  given: string | undefined,
  givenName: string,
): Promise<{ readonly account: Account | undefined; readonly rule: Rule }> {
  const account = await ownerOf(directory, given);
  const name = objectNameGiven('rule', givenName);
  const rule = (await directory.rules(account?.id)).find((each) => folded(each.name) === folded(name));
  if (rule !== undefined) return { account, rule };
  const whose = account === undefined ? 'for all accounts' : `of “${account.address}”`;
  throw new MailError('notFound', `There is no rule “${name}” ${whose}.`);
}

/** As the store compares names: without case in ASCII only. */
function folded(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

async function newRule(
  directory: Directory,
  account: Account | undefined,
  given: RuleGiven,
): Promise<NewRule> {
  return {
    name: objectNameGiven('rule', given.name),
    ...(account === undefined ? {} : { account: account.address }),
    ...(given.position === undefined ? {} : { position: positionGiven(given.position) }),
    isEnabled: given.isEnabled ?? true,
    matches: given.matches ?? 'all',
    conditions: conditionsGiven(given.conditions ?? []),
    actions: await actionsGiven(directory, account?.address, given.actions),
    endsRules: given.endsRules ?? false,
  };
}

async function changesOf(
  directory: Directory,
  account: Account | undefined,
  { position, isEnabled, matches, conditions, actions, endsRules }: RuleSettings,
): Promise<RuleChanges> {
  return {
    ...(position === undefined ? {} : { position: positionGiven(position) }),
    ...(isEnabled === undefined ? {} : { isEnabled }),
    ...(matches === undefined ? {} : { matches }),
    ...(conditions === undefined ? {} : { conditions: conditionsGiven(conditions) }),
    ...(actions === undefined ? {} : { actions: await actionsGiven(directory, account?.address, actions) }),
    ...(endsRules === undefined ? {} : { endsRules }),
  };
}

async function reportOf(directory: Directory, rule: Rule): Promise<RuleReport> {
  const targets = rule.actions.flatMap((action) => (action.kind === 'forward' ? [action.address] : []));
  return { ...rule, danglingTargets: await danglingOf(directory, targets) };
}

/**
 * `hauspost rule add|list|show|set|remove`: what becomes of mail that fits conditions. The words of --if and --then: ruleText.ts.
 */

import type { RuleReport } from '../../accounts/administerRules.ts';
import { formatAction, formatCondition, parseAction, parseCondition } from '../ruleText.ts';
import { formatFields, formatTable } from '../table.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { choiceOption, enabledOption, given, manyOption, positionOption, textOption } from './read.ts';

const ACCOUNT = { account: { type: 'string' } } as const;
const ACCOUNT_HELP = {
  account: 'The account whose rule it is; without it the rule is one for all accounts.',
};

const OPTIONS = {
  ...ACCOUNT,
  if: { type: 'string', multiple: true },
  // biome-ignore lint/suspicious/noThenProperty: the name of an option; it is no function, so nobody can await the table
  then: { type: 'string', multiple: true },
  match: { type: 'string' },
  'ends-rules': { type: 'string' },
  position: { type: 'string' },
  enable: { type: 'boolean' },
  disable: { type: 'boolean' },
} as const;

const OPTION_HELP = {
  ...ACCOUNT_HELP,
  if: 'A condition, may be given many times: "subject contains Invoice", "sender is a@b.example", "header X-Spam-Flag is YES", "size over 10MB"; not in front turns the first three round; always stands for none.',
  // biome-ignore lint/suspicious/noThenProperty: the name of an option; it is no function, so nobody can await the table
  then: 'An action, may be given many times: "fileInto Archive/Invoices", "forward a@b.example", "flag \\Seen", delete.',
  match: 'all or any: how many of the conditions have to fit; all for a new rule.',
  'ends-rules': 'yes or no: whether no further rule is asked once this one fits; no for a new rule.',
  position: 'Place in the order, from 1. The last one for a new rule.',
  enable: 'The rule counts.',
  disable: 'The rule is passed over.',
};

/** The verbs about rules. */
export const RULE_VERBS: readonly Verb[] = [
  {
    words: ['rule', 'add'],
    usage: 'NAME',
    summary: 'Adds a rule, for all accounts or for one: what becomes of mail that fits its conditions.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const input = { ...ruleName(invocation), ...settings(invocation) };
      if (!('actions' in input)) throw new UsageError('--then is missing: what the rule does');
      const added = (await invocation.call('rule.add', input)) as RuleReport;
      invocation.answer(added, (rule) => `Added the rule ${rule.name}.\n${showRule(rule)}`);
      return EXIT.ok;
    },
  },
  {
    words: ['rule', 'list'],
    usage: '[ACCOUNT]',
    summary: 'Lists rules in their order: of an account, or all, those for all accounts first.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const input = given('account', invocation.args[0]);
      const rules = (await invocation.call('rule.list', input)) as readonly RuleReport[];
      invocation.answer(rules, (list) => {
        const rows = list.map((rule) => [
          rule.account ?? 'all',
          String(rule.position),
          rule.name,
          rule.isEnabled ? 'enabled' : 'disabled',
          conditionsText(rule),
          actionsText(rule),
        ]);
        return formatTable(['ACCOUNT', '#', 'RULE', 'STATE', 'IF', 'THEN'], rows, 'No rules.');
      });
      return EXIT.ok;
    },
  },
  {
    words: ['rule', 'show'],
    usage: 'NAME',
    summary: 'Shows a rule.',
    options: ACCOUNT,
    optionHelp: ACCOUNT_HELP,
    run: async (invocation) => {
      invocation.answer((await invocation.call('rule.show', ruleName(invocation))) as RuleReport, showRule);
      return EXIT.ok;
    },
  },
  {
    words: ['rule', 'set'],
    usage: 'NAME',
    summary: 'Changes a rule; conditions or actions given replace those it has.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const input = { ...ruleName(invocation), ...settings(invocation) };
      invocation.answer((await invocation.call('rule.set', input)) as RuleReport, showRule);
      return EXIT.ok;
    },
  },
  {
    words: ['rule', 'remove'],
    usage: 'NAME',
    summary: 'Removes a rule.',
    options: ACCOUNT,
    optionHelp: ACCOUNT_HELP,
    run: async (invocation) => {
      await invocation.call('rule.remove', ruleName(invocation));
      invocation.answer({ removed: invocation.args[0] }, ({ removed }) => `Removed the rule ${removed}.\n`);
      return EXIT.ok;
    },
  },
];

function ruleName(invocation: Invocation) {
  return { name: invocation.args[0], ...given('account', textOption(invocation, 'account')) };
}

function settings(invocation: Invocation) {
  const endsRules = choiceOption(invocation, 'ends-rules', ['yes', 'no']);
  return {
    ...given('conditions', conditionsOption(invocation)),
    ...given('actions', manyOption(invocation, 'then')?.map(parseAction)),
    ...given('matches', choiceOption(invocation, 'match', ['all', 'any'])),
    ...given('endsRules', endsRules === undefined ? undefined : endsRules === 'yes'),
    ...given('position', positionOption(invocation)),
    ...given('isEnabled', enabledOption(invocation)),
  };
}

function conditionsOption(invocation: Invocation) {
  const texts = manyOption(invocation, 'if');
  if (texts === undefined || !texts.some((text) => text.trim().toLowerCase() === 'always'))
    return texts?.map(parseCondition);
  if (texts.length > 1) throw new UsageError('--if always means every message, and stands alone');
  return [];
}

function conditionsText({ conditions, matches }: RuleReport): string {
  return conditions.map(formatCondition).join(matches === 'all' ? ' and ' : ' or ') || 'always';
}

function actionsText({ actions, endsRules }: RuleReport): string {
  return [...actions.map(formatAction), ...(endsRules ? ['end'] : [])].join(', ');
}

function showRule(rule: RuleReport): string {
  const { danglingTargets } = rule;
  return formatFields({
    Rule: rule.name,
    Account: rule.account ?? 'all',
    Position: String(rule.position),
    State: rule.isEnabled ? 'enabled' : 'disabled',
    Match: rule.matches,
  }).concat(
    rule.conditions.length === 0 ? 'If:       always\n' : '',
    ...rule.conditions.map((condition) => `If:       ${formatCondition(condition)}\n`),
    ...rule.actions.map((action) => `Then:     ${formatAction(action)}\n`),
    rule.endsRules ? 'Then:     no further rule\n' : '',
    danglingTargets.length === 0
      ? ''
      : `Nobody receives mail for ${danglingTargets.join(', ')} at present.\n`,
  );
}

/**
 * Rules: which of them fit a message, and what they want done with it.
 *
 * In order of position; of two that name a mailbox the later one counts, as in hMailServer; flags add up. Rules only say what
 * is wanted: whether a forward can be made, and whether a copy may go, is decided in deliveries.ts.
 * Invariant: a rule that cannot be evaluated is left out and told; it never loses a message and never keeps the others from it.
 */

import type { Flags, MailboxName } from '../../store/contract/mailboxes.ts';
import type { Rule, RuleAction, RuleCondition } from '../../store/contract/routing.ts';
import type { MessageFacts } from './messageFacts.ts';
import { type FoldedText, folded, matchesText } from './textMatch.ts';

const NO_TEXT = folded('');

/** What rules want done. */
export interface RuleOutcome {
  /** Undefined: the INBOX. */
  readonly mailbox: MailboxName | undefined;
  readonly flags: Flags;
  /** In order, each with the rule that wants it. */
  readonly forwards: readonly { readonly rule: string; readonly address: string }[];
  /** The rule by which no copy is kept. */
  readonly deletedBy: string | undefined;
  /** Rules that fit, in order. */
  readonly fitting: readonly string[];
  /** Rules that could not be evaluated, with the reason. */
  readonly failed: readonly { readonly rule: string; readonly reason: string }[];
  /** No further rule is asked. */
  readonly isEnded: boolean;
}

/** Nothing is wanted. */
export const NO_RULES: RuleOutcome = {
  mailbox: undefined,
  flags: { system: 0, keywords: [] },
  forwards: [],
  deletedBy: undefined,
  fitting: [],
  failed: [],
  isEnded: false,
};

/** Asks the rules in order; disabled ones are passed over. */
export function askRules(rules: readonly Rule[], facts: MessageFacts): RuleOutcome {
  let outcome = NO_RULES;
  for (const rule of rules) {
    if (outcome.isEnded) break;
    if (!rule.isEnabled) continue;
    try {
      if (!fits(rule, facts)) continue;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      outcome = { ...outcome, failed: [...outcome.failed, { rule: rule.name, reason }] };
      continue;
    }
    outcome = rule.actions.reduce((wanted, action) => withAction(wanted, rule.name, action), outcome);
    outcome = { ...outcome, fitting: [...outcome.fitting, rule.name], isEnded: rule.endsRules };
  }
  return outcome;
}

/** Whether all conditions hold, or one of them, as the rule says; a rule without any fits every message. */
function fits({ matches, conditions }: Rule, facts: MessageFacts): boolean {
  if (conditions.length === 0) return true;
  const holds = (condition: RuleCondition) => isTrue(condition, facts);
  return matches === 'all' ? conditions.every(holds) : conditions.some(holds);
}

function isTrue(condition: RuleCondition, facts: MessageFacts): boolean {
  switch (condition.kind) {
    case 'size':
      return condition.comparison === 'over'
        ? facts.octets > condition.octets
        : facts.octets < condition.octets;
    case 'header':
      return isSomeText(condition, facts.textsOf(condition.field));
    case 'subject':
      return isSomeText(
        condition,
        facts.textsOf('subject').length === 0 ? [NO_TEXT] : facts.textsOf('subject'),
      );
    case 'sender':
      return isSomeText(condition, facts.senders());
  }
}

function isSomeText(
  { match, text, isNegated }: Extract<RuleCondition, { text: string }>,
  texts: readonly FoldedText[],
): boolean {
  return texts.some((candidate) => matchesText(match, text, candidate)) !== isNegated;
}

function withAction(outcome: RuleOutcome, rule: string, action: RuleAction): RuleOutcome {
  switch (action.kind) {
    case 'fileInto':
      return { ...outcome, mailbox: action.mailbox };
    case 'forward':
      return { ...outcome, forwards: [...outcome.forwards, { rule, address: action.address }] };
    case 'delete':
      return { ...outcome, deletedBy: rule };
    case 'flag':
      return { ...outcome, flags: mergeFlags(outcome.flags, action.flags) };
  }
}

/** All flags of both; a keyword stands once, whatever its case. */
export function mergeFlags(first: Flags, second: Flags): Flags {
  const known = new Set(first.keywords.map((keyword) => keyword.toLowerCase()));
  const added = second.keywords.filter((keyword) => !known.has(keyword.toLowerCase()));
  return { system: first.system | second.system, keywords: [...first.keywords, ...added] };
}

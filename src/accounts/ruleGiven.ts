/**
 * Conditions and actions of rules as an administrator gives them, checked and in the form that the store keeps.
 *
 * Names of header fields are ftext of RFC 5322 section 3.6.8 in lower case, keywords atoms of RFC 3501 section 9. There are no
 * regular expressions: a stranger's header must not be able to keep one busy.
 */

import { MailError } from '../base/error.ts';
import { ALL_FLAGS, type Flags, type MailboxName } from '../store/contract/mailboxes.ts';
import type { RuleAction, RuleCondition } from '../store/contract/routing.ts';
import { atMost, type DomainFinder } from './namesGiven.ts';
import { anywhereGiven } from './routingNames.ts';

/** Conditions of one rule. */
export const CONDITIONS_LIMIT = 100;
/** Actions of one rule. */
export const ACTIONS_LIMIT = 20;
/** Characters of a text that a condition compares with. */
export const CONDITION_TEXT_LIMIT_CHARS = 500;
/** Characters of a mailbox's name, all levels together. */
export const RULE_MAILBOX_LIMIT_CHARS = 255;
/** Levels of a mailbox's name. */
export const RULE_MAILBOX_DEPTH_LIMIT = 16;
const FIELD_NAME_LIMIT_CHARS = 76;
const KEYWORD_LIMIT_CHARS = 100;

/** Checks conditions. Errors: `invalid`. */
export function conditionsGiven(given: readonly RuleCondition[]): RuleCondition[] {
  return atMost(CONDITIONS_LIMIT, 'conditions', given).map(conditionGiven);
}

/** Checks actions of a rule of `account`, or for all. Errors: `invalid`, `cannot` (they contradict each other). */
export async function actionsGiven(
  directory: DomainFinder,
  account: string | undefined,
  given: readonly RuleAction[],
): Promise<RuleAction[]> {
  if (given.length === 0) throw new MailError('invalid', 'A rule needs one action at least.');
  const actions: RuleAction[] = [];
  for (const action of atMost(ACTIONS_LIMIT, 'actions', given))
    actions.push(await actionGiven(directory, account, action));
  const kinds = actions.map(({ kind }) => kind);
  if (kinds.filter((kind) => kind === 'fileInto').length > 1)
    throw new MailError('cannot', 'A message has one copy in an account: a rule files it into one mailbox.');
  if (kinds.includes('delete') && (kinds.includes('fileInto') || kinds.includes('flag')))
    throw new MailError('cannot', 'A message that is deleted can be neither filed nor flagged.');
  return actions;
}

function conditionGiven(condition: RuleCondition): RuleCondition {
  switch (condition.kind) {
    case 'header':
      return { ...condition, field: fieldGiven(condition.field), text: textGiven(condition.text) };
    case 'subject':
    case 'sender':
      return { ...condition, text: textGiven(condition.text) };
    case 'size':
      if (Number.isSafeInteger(condition.octets) && condition.octets >= 0) return condition;
      throw new MailError('invalid', `A size cannot be ${condition.octets} octets.`);
  }
}

function fieldGiven(text: string): string {
  const field = text.trim().replace(/:$/, '').toLowerCase();
  if (/^[!-9;-~]+$/.test(field) && field.length <= FIELD_NAME_LIMIT_CHARS) return field;
  throw new MailError('invalid', `“${text}” cannot name a header field.`);
}

function textGiven(text: string): string {
  const given = text.normalize('NFC');
  if (given.length <= CONDITION_TEXT_LIMIT_CHARS && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(given)) return given;
  const allowed = `up to ${CONDITION_TEXT_LIMIT_CHARS} characters without control characters`;
  throw new MailError('invalid', `“${text}” cannot be compared with; allowed: ${allowed}.`);
}

async function actionGiven(
  directory: DomainFinder,
  account: string | undefined,
  action: RuleAction,
): Promise<RuleAction> {
  switch (action.kind) {
    case 'fileInto':
      return { kind: 'fileInto', mailbox: mailboxGiven(action.mailbox) };
    case 'forward': {
      const address = await anywhereGiven(directory, action.address);
      if (address === account)
        throw new MailError('cannot', `“${address}” cannot forward to itself: it has the message already.`);
      return { kind: 'forward', address };
    }
    case 'delete':
      return { kind: 'delete' };
    case 'flag':
      return { kind: 'flag', flags: flagsGiven(action.flags) };
  }
}

/** The INBOX is so called in any case (RFC 3501 section 5.1). */
function mailboxGiven(name: MailboxName): MailboxName {
  const parts = name.map((part) => part.normalize('NFC').trim());
  const text = parts.join('/');
  if (parts.length === 0 || parts.includes(''))
    throw new MailError('invalid', `“${text}” cannot name a mailbox: a part of it is empty.`);
  if (parts.length > RULE_MAILBOX_DEPTH_LIMIT || text.length > RULE_MAILBOX_LIMIT_CHARS) {
    const allowed = `${RULE_MAILBOX_DEPTH_LIMIT} levels and ${RULE_MAILBOX_LIMIT_CHARS} characters at most`;
    throw new MailError('invalid', `“${text}” cannot name a mailbox; allowed: ${allowed}.`);
  }
  if (/[\p{C}\p{Zl}\p{Zp}*%]/u.test(text))
    throw new MailError(
      'invalid',
      `“${text}” cannot name a mailbox: it has a wildcard or an invisible character.`,
    );
  const [first = '', ...rest] = parts;
  return first.toUpperCase() === 'INBOX' ? ['INBOX', ...rest] : parts;
}

function flagsGiven({ system, keywords }: Flags): Flags {
  const wrong = keywords.find((keyword) => !isKeyword(keyword));
  if (wrong !== undefined) throw new MailError('invalid', `“${wrong}” cannot be a keyword of a message.`);
  if ((system & ~ALL_FLAGS) !== 0 || (system === 0 && keywords.length === 0))
    throw new MailError(
      'invalid',
      'A flag is named: \\Seen, \\Answered, \\Flagged, \\Deleted, \\Draft or a keyword.',
    );
  return { system, keywords };
}

function isKeyword(text: string): boolean {
  return text.length <= KEYWORD_LIMIT_CHARS && /^[^\x00-\x20\x7f-\u{10ffff}(){%*"\\\]]+$/u.test(text);
}

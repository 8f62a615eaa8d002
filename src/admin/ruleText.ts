/**
 * Conditions and actions of rules as an administrator types and reads them (docs/ROUTING.md).
 *
 *   condition = ["not"] ("subject" / "sender" / "header" FIELD) match TEXT
 *             / "size" ("over" / "under") SIZE
 *   match     = "contains" / "is" / "startsWith" / "endsWith" / "wildcard"
 *   action    = "fileInto" MAILBOX / "forward" ADDRESS / "flag" FLAG / "delete"
 *
 * TEXT is the rest of the line, in double quotes where it begins or ends with a blank or is empty. Words count in any case.
 * What is formatted here parses to the same again. Values are checked by accounts.
 */

import { FLAG, type Flags } from '../store/contract/mailboxes.ts';
import {
  type RuleAction,
  type RuleCondition,
  TEXT_MATCHES,
  type TextCondition,
} from '../store/contract/routing.ts';
import { parseOctets } from './table.ts';
import { UsageError } from './verb.ts';

const SYSTEM_FLAGS: readonly (readonly [name: string, bit: number])[] = [
  ['\\Seen', FLAG.seen],
  ['\\Answered', FLAG.answered],
  ['\\Flagged', FLAG.flagged],
  ['\\Deleted', FLAG.deleted],
  ['\\Draft', FLAG.draft],
];

/** A condition as it was typed. Errors: UsageError. */
export function parseCondition(text: string): RuleCondition {
  const refuse = (found: string, allowed: string) =>
    new UsageError(`--if "${text}": found "${found}"; allowed: ${allowed}`);
  const [first, afterFirst] = takeWord(text);
  const isNegated = same(first, 'not');
  const [kind, rest] = isNegated ? takeWord(afterFirst) : [first, afterFirst];
  if (same(kind, 'subject') || same(kind, 'sender'))
    return { kind: same(kind, 'subject') ? 'subject' : 'sender', ...parseText(rest, isNegated, refuse) };
  if (same(kind, 'header')) {
    const [field, afterField] = takeWord(rest);
    if (field === '') throw refuse('', 'the name of a header field, as in header X-Spam-Flag is YES');
    return { kind: 'header', field, ...parseText(afterField, isNegated, refuse) };
  }
  if (!same(kind, 'size'))
    throw refuse(kind, 'subject, sender, header or size, or not before the first three');
  if (isNegated) throw refuse('not', 'size over or size under, without not');
  return parseSize(rest, refuse);
}

/** An action as it was typed. Errors: UsageError. */
export function parseAction(text: string): RuleAction {
  const [verb, rest] = takeWord(text);
  const refuse = (found: string, allowed: string) =>
    new UsageError(`--then "${text}": found "${found}"; allowed: ${allowed}`);
  if (same(verb, 'delete')) {
    if (rest !== '') throw refuse(rest, 'nothing behind delete');
    return { kind: 'delete' };
  }
  const known = ['fileInto', 'forward', 'flag'].find((word) => same(word, verb));
  if (known === undefined) throw refuse(verb, 'fileInto MAILBOX, forward ADDRESS, flag FLAG or delete');
  if (rest === '') throw refuse('', `a value behind ${known}`);
  if (known === 'fileInto') return { kind: 'fileInto', mailbox: unquoted(rest).split('/') };
  if (known === 'forward') return { kind: 'forward', address: rest };
  return { kind: 'flag', flags: parseFlag(rest, refuse) };
}

/** A condition as `parseCondition` takes it. */
export function formatCondition(condition: RuleCondition): string {
  switch (condition.kind) {
    case 'header':
      return formatText(`header ${condition.field}`, condition);
    case 'subject':
    case 'sender':
      return formatText(condition.kind, condition);
    case 'size':
      return `size ${condition.comparison} ${formatSize(condition.octets)}`;
  }
}

/** An action as `parseAction` takes it; of several flags one for each. */
export function formatAction(action: RuleAction): string {
  switch (action.kind) {
    case 'fileInto':
      return `fileInto ${action.mailbox.join('/')}`;
    case 'forward':
      return `forward ${action.address}`;
    case 'delete':
      return 'delete';
    case 'flag':
      return flagNames(action.flags)
        .map((flag) => `flag ${flag}`)
        .join(', ');
  }
}

type Refuse = (found: string, allowed: string) => UsageError;

function parseText(text: string, isNegated: boolean, refuse: Refuse): TextCondition {
  const [word, rest] = takeWord(text);
  const match = TEXT_MATCHES.find((known) => same(known, word));
  if (match === undefined) throw refuse(word, TEXT_MATCHES.join(', '));
  if (rest === '') throw refuse('', `a text behind ${match}, "" for an empty one`);
  return { match, text: unquoted(rest), isNegated };
}

function parseSize(text: string, refuse: Refuse): RuleCondition {
  const [comparison, rest] = takeWord(text);
  const isOver = same(comparison, 'over');
  if (!isOver && !same(comparison, 'under')) throw refuse(comparison, 'over or under');
  const octets = parseOctets(rest);
  if (octets === undefined) throw refuse(rest, 'a size like 500KB or 10MB');
  return { kind: 'size', comparison: isOver ? 'over' : 'under', octets };
}

function parseFlag(text: string, refuse: Refuse): Flags {
  if (!text.startsWith('\\')) return { system: 0, keywords: [text] };
  const known = SYSTEM_FLAGS.find(([name]) => same(name, text));
  if (known === undefined) {
    const names = SYSTEM_FLAGS.map(([name]) => name).join(', ');
    throw refuse(text, `${names} or a keyword without a backslash`);
  }
  return { system: known[1], keywords: [] };
}

function flagNames({ system, keywords }: Flags): string[] {
  return [...SYSTEM_FLAGS.filter(([, bit]) => (system & bit) !== 0).map(([name]) => name), ...keywords];
}

function formatText(subject: string, { match, text, isNegated }: TextCondition): string {
  const needsQuotes = text === '' || text !== text.trim() || unquoted(text) !== text;
  return `${isNegated ? 'not ' : ''}${subject} ${match} ${needsQuotes ? `"${text}"` : text}`;
}

/** In the largest unit that says it exactly. */
function formatSize(octets: number): string {
  for (const [unit, size] of [
    ['GB', 1024 ** 3],
    ['MB', 1024 ** 2],
    ['KB', 1024],
  ] as const)
    if (octets > 0 && octets % size === 0) return `${octets / size}${unit}`;
  return `${octets}B`;
}

/** The first word, and what is behind it without blanks around. */
function takeWord(text: string): readonly [word: string, rest: string] {
  const trimmed = text.trim();
  const end = trimmed.search(/\s/);
  return end < 0 ? [trimmed, ''] : [trimmed.slice(0, end), trimmed.slice(end).trim()];
}

function unquoted(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

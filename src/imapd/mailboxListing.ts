/**
 * Which mailboxes LIST and LSUB name, and with which attributes.
 *
 * RFC 3501 sections 6.3.8, 6.3.9; RFC 3348 (children); RFC 6154 section 2 (special uses); RFC 5258 section 3 (selection and
 * return options, RECURSIVEMATCH with CHILDINFO). Pure: the store's lists go in, lines come out.
 * Every parent of a mailbox is a mailbox, so \Noselect is only LSUB's: a name that is listed for its subscribed children.
 */

import type { ListArguments } from '../wire/imap/list.ts';
import type { ListedMailbox } from '../wire/imap/listData.ts';
import { compileListPattern } from '../wire/imap/listPattern.ts';
import type { Mailbox, MailboxName } from '../store/contract/mailboxes.ts';
import { mailboxText } from './mailboxName.ts';

/** What an account has. */
export interface MailboxTree {
  readonly mailboxes: readonly Mailbox[];
  readonly subscriptions: readonly MailboxName[];
  readonly delimiter: string;
}

/** A LIST line, and the mailbox that it names when there is one. */
export interface Listing {
  readonly line: ListedMailbox;
  readonly mailbox: Mailbox | undefined;
}

/** LIST's lines, in the order of the store, names without a mailbox last. */
export function listMailboxes(
  tree: MailboxTree,
  args: Omit<ListArguments, 'isExtended'>,
): readonly Listing[] {
  const names = gatherNames(tree);
  const matches = patternsOf(tree, args.reference, args.patterns);
  const isSelected = (name: Name) => isSelectedBy(name, args.selection);
  const below = descendants([...names.values()].filter(isSelected), tree.delimiter, matches);
  if (args.selection.has('RECURSIVEMATCH')) addAncestors(names, below.keys());
  const listings: Listing[] = [];
  for (const name of names.values()) {
    const descendant = args.selection.has('RECURSIVEMATCH') ? below.get(name.text) : undefined;
    const isWanted = isSelected(name) || descendant === 'unmatched';
    if (!isWanted || !matches(name.text)) continue;
    const childInfo = descendant === undefined ? [] : [...args.selection].filter(isCriterion);
    const attributes = attributesOf(name, args);
    const line = { attributes, delimiter: tree.delimiter, name: name.text, childInfo };
    listings.push({ line, mailbox: name.mailbox });
  }
  return listings;
}

/**
 * LSUB's lines: subscribed names that match, whether they exist or not; and where a subscribed name does not match, the nearest
 * name above it that does, as \Noselect (RFC 3501 section 6.3.9: `LSUB "" "%"` with `a/b` subscribed).
 */
export function listSubscribed(
  tree: MailboxTree,
  reference: string,
  pattern: string,
): readonly ListedMailbox[] {
  const matches = patternsOf(tree, reference, [pattern]);
  const subscribed = [...gatherNames(tree).values()].filter((name) => name.isSubscribed);
  const lines = new Map<string, readonly string[]>();
  for (const { text, mailbox } of subscribed) {
    if (matches(text)) lines.set(text, mailbox === undefined ? ['\\Noselect'] : []);
  }
  for (const { text } of subscribed) {
    if (matches(text)) continue;
    const parent = ancestors(text, tree.delimiter).find(matches);
    if (parent !== undefined && !lines.has(parent)) lines.set(parent, ['\\Noselect']);
  }
  return [...lines].map(([name, attributes]) => ({ attributes, delimiter: tree.delimiter, name }));
}

interface Name {
  readonly text: string;
  readonly mailbox: Mailbox | undefined;
  readonly hasChildren: boolean;
  readonly isSubscribed: boolean;
}

/** Mailboxes and subscribed names by their text; those that this delimiter cannot write are left out. */
function gatherNames({ mailboxes, subscriptions, delimiter }: MailboxTree): Map<string, Name> {
  const texts = new Map<string, Mailbox>();
  const parents = new Set<string>();
  for (const mailbox of mailboxes) {
    const text = mailboxText(mailbox.name, delimiter);
    if (text === undefined) continue;
    texts.set(text, mailbox);
    for (const parent of ancestors(text, delimiter)) parents.add(parent);
  }
  const subscribed = new Set<string>();
  for (const name of subscriptions) {
    const text = mailboxText(name, delimiter);
    if (text !== undefined) subscribed.add(text);
  }
  const names = new Map<string, Name>();
  for (const text of new Set([...texts.keys(), ...subscribed])) {
    names.set(text, {
      text,
      mailbox: texts.get(text),
      hasChildren: parents.has(text),
      isSubscribed: subscribed.has(text),
    });
  }
  return names;
}

function patternsOf(
  { delimiter }: MailboxTree,
  reference: string,
  patterns: readonly string[],
): (text: string) => boolean {
  const compiled = patterns.map((pattern) =>
    compileListPattern(reference.normalize('NFC'), pattern.normalize('NFC'), delimiter),
  );
  return (text) => compiled.some((matches) => matches(text));
}

/** RFC 5258 section 3: SUBSCRIBED lists names whether they exist or not, everything else mailboxes. */
function isSelectedBy(name: Name, selection: ListArguments['selection']): boolean {
  if (selection.has('SUBSCRIBED') ? !name.isSubscribed : name.mailbox === undefined) return false;
  return !selection.has('SPECIAL-USE') || name.mailbox?.specialUse !== undefined;
}

/**
 * For each name above one of `selected`: whether all of those below it are listed themselves (`matched`), or one is not
 * (`unmatched`), which is what RECURSIVEMATCH lists the name for (RFC 5258 section 3.3, rule 2B).
 */
function descendants(
  selected: readonly Name[],
  delimiter: string,
  matches: (text: string) => boolean,
): Map<string, 'matched' | 'unmatched'> {
  const below = new Map<string, 'matched' | 'unmatched'>();
  for (const { text } of selected) {
    const isMatched = matches(text);
    for (const parent of ancestors(text, delimiter)) {
      if (!isMatched) below.set(parent, 'unmatched');
      else if (!below.has(parent)) below.set(parent, 'matched');
    }
  }
  return below;
}

/** Names that stand above subscribed ones and are nothing themselves. */
function addAncestors(names: Map<string, Name>, texts: Iterable<string>): void {
  for (const text of texts) {
    if (!names.has(text))
      names.set(text, { text, mailbox: undefined, hasChildren: false, isSubscribed: false });
  }
}

function isCriterion(option: string): boolean {
  return option === 'SUBSCRIBED' || option === 'SPECIAL-USE';
}

function attributesOf(name: Name, { selection, returns }: Omit<ListArguments, 'isExtended'>): string[] {
  const attributes: string[] = [];
  if (name.mailbox === undefined) attributes.push('\\NonExistent');
  attributes.push(name.hasChildren ? '\\HasChildren' : '\\HasNoChildren');
  const tellsSubscribed = selection.has('SUBSCRIBED') || returns.options.has('SUBSCRIBED');
  if (tellsSubscribed && name.isSubscribed) attributes.push('\\Subscribed');
  if (name.mailbox?.specialUse !== undefined) attributes.push(`\\${name.mailbox.specialUse}`);
  return attributes;
}

/** The names above `text`, nearest first. */
function ancestors(text: string, delimiter: string): string[] {
  const above: string[] = [];
  for (let end = text.lastIndexOf(delimiter); end > 0; end = text.lastIndexOf(delimiter, end - 1)) {
    above.push(text.slice(0, end));
  }
  return above;
}

/**
 * Routing objects of the directory: routes, distribution lists, forwards, rules, and how they are read and changed.
 *
 * What they mean is decided by transfer's plan; whether they make sense is checked by the accounts room before they come here.
 * Addresses and domains are normalised as in directory.ts. Routes and global rules are few and may be kept in memory by whoever
 * hears `directory` on the feed; lists, forwards and an account's rules are read by key, some 10 µs each.
 */

import type { AccountId } from '../../base/ids.ts';
import type { Flags, MailboxName } from './mailboxes.ts';

/**
 * Which addresses: `a@example.org` (one), `example.org` (a domain, not what is below it), `*.example.org` (every domain below,
 * not itself), `*` (every address). For senders also `<>`, the null reverse path.
 */
export type AddressPattern = string;

/** Whether the pattern names an address or a domain of two labels at least: what a route that is open to anyone may have. */
export function isNarrowPattern(pattern: AddressPattern): boolean {
  const domain = pattern.slice(pattern.lastIndexOf('@') + 1).replace(/^\*\.?/, '');
  return domain.includes('.');
}

/** Where a route leads. Whether the relay of a name exists is asked when mail is sent, not here. */
export type RouteTarget =
  | { readonly kind: 'local'; readonly address: string }
  | { readonly kind: 'relay'; readonly relay: string }
  | { readonly kind: 'drop'; readonly directory: string }
  /** `text` is for the other side, in its refusal: printable ASCII without line ends. */
  | { readonly kind: 'refuse'; readonly text?: string | undefined };

/** A route: where mail for some recipients (and from some senders) goes instead of where it would go without it. */
export interface Route {
  /** Unique in any case of its ASCII letters. */
  readonly name: string;
  /** From 1, without gaps: the first enabled route that fits counts. */
  readonly position: number;
  readonly isEnabled: boolean;
  /** At least one. */
  readonly recipients: readonly AddressPattern[];
  /** Whom the mail must come from: the reverse path or the address of the account that submits; empty for anyone. */
  readonly senders: readonly AddressPattern[];
  /**
   * Who may use a route to a relay or a drop directory. `anyone` stands only with recipients that name an address or a domain
   * of two labels at least: never `*`, never `*.tld`. Local targets and refusals hold for everybody, whatever stands here.
   */
  readonly isOpenTo: 'submitters' | 'anyone';
  readonly target: RouteTarget;
}

/** A route to add; without a position it becomes the last one. */
export type NewRoute = Omit<Route, 'position'> & { readonly position?: number | undefined };

/** Changes to a route; what is absent stays. A position beyond the last one means the last one. */
export type RouteChanges = Partial<Omit<Route, 'name'>>;

/** Who may post to a distribution list. `submitters`: whoever has logged in, or need not. `addresses`: at least one. */
export type ListPosters =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'members' }
  | { readonly kind: 'submitters' }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] };

/** A distribution list without its members, which may be 10,000. */
export interface DistributionListHead {
  /** In a domain of ours; no account or alias has it. */
  readonly address: string;
  readonly isEnabled: boolean;
  readonly memberCount: number;
  readonly posters: ListPosters;
}

/** A distribution list. */
export interface DistributionList extends DistributionListHead {
  /** In order of address, each once; addresses here or elsewhere. */
  readonly members: readonly string[];
}

/** A list to add. */
export type NewDistributionList = Omit<DistributionList, 'memberCount'>;

/** Changes to a list; what is absent stays. `members` replaces all; the other two add and take away single ones. */
export interface DistributionListChanges {
  readonly isEnabled?: boolean;
  readonly posters?: ListPosters;
  readonly members?: readonly string[];
  readonly addedMembers?: readonly string[];
  readonly removedMembers?: readonly string[];
}

/** Where an account's mail goes on to. One for each account. */
export interface Forward {
  /** The account's address. */
  readonly account: string;
  /** Addresses here or elsewhere, at least one. */
  readonly targets: readonly string[];
  /** Whether the account keeps a copy. */
  readonly keepsCopy: boolean;
  readonly isEnabled: boolean;
}

/** Changes to a forward; what is absent stays. */
export type ForwardChanges = Partial<Omit<Forward, 'account'>>;

/** How a text is compared: without regard to case. `wildcard` compares the whole: * is any text, ? one character. */
export const TEXT_MATCHES = ['contains', 'is', 'startsWith', 'endsWith', 'wildcard'] as const;
export type TextMatch = (typeof TEXT_MATCHES)[number];

/** What a rule asks of a message. */
export type RuleCondition =
  /** Any field of this name (lower case), decoded and unfolded. Negated: no such field, or none that fits. */
  | ({ readonly kind: 'header'; readonly field: string } & TextCondition)
  /** The Subject, decoded and unfolded; none is an empty text. */
  | ({ readonly kind: 'subject' } & TextCondition)
  /** The reverse path or any address in From: one of them has to fit. */
  | ({ readonly kind: 'sender' } & TextCondition)
  /** Of the message as it came, our trace fields not counted. */
  | { readonly kind: 'size'; readonly comparison: 'over' | 'under'; readonly octets: number };

/** A text to compare with. */
export interface TextCondition {
  readonly match: TextMatch;
  readonly text: string;
  readonly isNegated: boolean;
}

/** What a rule does with a message that fits. */
export type RuleAction =
  /** Into this mailbox of the account instead of the INBOX; made if missing. */
  | { readonly kind: 'fileInto'; readonly mailbox: MailboxName }
  /** To this address too, here or elsewhere. */
  | { readonly kind: 'forward'; readonly address: string }
  /** No copy is kept (what is forwarded is forwarded all the same). */
  | { readonly kind: 'delete' }
  /** The copy has these flags from the start. */
  | { readonly kind: 'flag'; readonly flags: Flags };

/** A rule, of one account or (without `account`) of all. */
export interface Rule {
  /** Unique among the rules of the account, or of all, in any case of its ASCII letters. */
  readonly name: string;
  /** The account's address. */
  readonly account?: string | undefined;
  /** From 1, without gaps, among the rules of the account or of all. Global rules come first. */
  readonly position: number;
  readonly isEnabled: boolean;
  /** Whether all conditions have to hold, or one of them. */
  readonly matches: 'all' | 'any';
  /** None: every message. */
  readonly conditions: readonly RuleCondition[];
  /** At least one. */
  readonly actions: readonly RuleAction[];
  /** Whether no further rule (global or of the account) is asked once this one fits. */
  readonly endsRules: boolean;
}

/** A rule to add; without a position it becomes the last one. */
export type NewRule = Omit<Rule, 'position'> & { readonly position?: number | undefined };

/** Changes to a rule; what is absent stays. A position beyond the last one means the last one. */
export type RuleChanges = Partial<Omit<Rule, 'name' | 'account'>>;

/** Routing objects. Errors beside the store's own: `conflict` (name or address taken), `notFound`, `limit` (too many). */
export interface RoutingDirectory {
  /** All of them, in order of position. */
  routes(): Promise<readonly Route[]>;
  addRoute(route: NewRoute): Promise<Route>;
  setRoute(name: string, changes: RouteChanges): Promise<Route>;
  removeRoute(name: string): Promise<void>;

  /** Lists by address, of one domain or of all. */
  lists(domain?: string): Promise<readonly DistributionListHead[]>;
  /** With all members, read in slices. Domain aliases are followed, in all methods of lists. */
  findList(address: string): Promise<DistributionList | undefined>;
  /** Whether `member` stands on the list (as it is, no alias followed); false too when there is no such list. */
  isListMember(address: string, member: string): Promise<boolean>;
  addList(list: NewDistributionList): Promise<DistributionListHead>;
  setList(address: string, changes: DistributionListChanges): Promise<DistributionListHead>;
  removeList(address: string): Promise<void>;

  /** Forwards by account, of one domain or of all. */
  forwards(domain?: string): Promise<readonly Forward[]>;
  forwardOf(accountId: AccountId): Promise<Forward | undefined>;
  /** Errors: `notFound` (the account), `conflict` (it has one). */
  addForward(forward: Forward): Promise<Forward>;
  setForward(account: string, changes: ForwardChanges): Promise<Forward>;
  removeForward(account: string): Promise<void>;

  /** The account's rules, or (without an account) the global ones, in order of position; disabled ones too. */
  rules(accountId?: AccountId): Promise<readonly Rule[]>;
  /** Accounts that have rules, by address. */
  accountsWithRules(): Promise<readonly string[]>;
  addRule(rule: NewRule): Promise<Rule>;
  setRule(account: string | undefined, name: string, changes: RuleChanges): Promise<Rule>;
  removeRule(account: string | undefined, name: string): Promise<void>;
}

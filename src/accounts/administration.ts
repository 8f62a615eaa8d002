/**
 * What the administrator does to domains, accounts, aliases, IP ranges and routing objects: the door of this room for the CLI's verbs and the HTTP API.
 *
 * Input is checked here and refused with sentences that help: MailError `invalid` (a value), `conflict` (a name is taken),
 * `notFound`, `cannot` (it would not work). Results are plain JSON values and never have a hash in them. Every name may come
 * in any spelling; it is stored, and answered, in its one form.
 */

import type { Directory } from '../store/contract/directory.ts';
import type { Mailboxes } from '../store/contract/mailboxes.ts';
import type { Secrets } from '../store/contract/secrets.ts';
import { type AccountAdministration, createAccountAdministration } from './administerAccounts.ts';
import { type AliasAdministration, createAliasAdministration } from './administerAliases.ts';
import { createDomainAdministration, type DomainAdministration } from './administerDomains.ts';
import { createForwardAdministration, type ForwardAdministration } from './administerForwards.ts';
import { createIpRangeAdministration, type IpRangeAdministration } from './administerIpRanges.ts';
import { createListAdministration, type ListAdministration } from './administerLists.ts';
import { createLoginAdministration, type LoginAdministration } from './administerLogins.ts';
import { createRouteAdministration, type RouteAdministration } from './administerRoutes.ts';
import { createRuleAdministration, type RuleAdministration } from './administerRules.ts';
import { createSecretAdministration, type SecretAdministration } from './administerSecrets.ts';
import { createVacationAdministration, type VacationAdministration } from './administerVacations.ts';
import type { NetworkAddresses } from './ipRanges.ts';
import type { PasswordHasher } from './password.ts';
import type { SentToday } from './sendingDay.ts';

/** What the administration is handed. */
export interface AdministrationSurroundings {
  readonly directory: Directory;
  readonly mailboxes: Pick<Mailboxes, 'usage' | 'retained'>;
  readonly secrets: Pick<Secrets, 'find' | 'set' | 'remove'>;
  /** Shared with `createAccounts`, so that one limit on hashing holds for both. */
  readonly passwords: PasswordHasher;
  /** IMAP capabilities that can be hidden from an account's sessions; imapd knows them. */
  readonly imapCapabilities: readonly string[];
  /** POP3 capabilities that accounts can have hidden. */
  readonly pop3Capabilities: readonly string[];
  readonly addresses: NetworkAddresses;
  readonly sentToday: SentToday;
  /** Added to login names without a domain; asked each time, since a reload may change it. */
  defaultDomain(): string | undefined;
}

/** The administrator's verbs: add, list, show, set, remove for each; of logins there is a test. */
export interface Administration {
  readonly domains: DomainAdministration;
  readonly accounts: AccountAdministration;
  readonly aliases: AliasAdministration;
  readonly ipRanges: IpRangeAdministration;
  readonly routes: RouteAdministration;
  readonly lists: ListAdministration;
  readonly forwards: ForwardAdministration;
  readonly rules: RuleAdministration;
  readonly vacations: VacationAdministration;
  readonly logins: LoginAdministration;
  readonly secrets: SecretAdministration;
}

/** Puts the verbs together. */
export function createAdministration(surroundings: AdministrationSurroundings): Administration {
  return {
    domains: createDomainAdministration(surroundings),
    accounts: createAccountAdministration(surroundings),
    aliases: createAliasAdministration(surroundings),
    ipRanges: createIpRangeAdministration(surroundings),
    routes: createRouteAdministration(surroundings),
    lists: createListAdministration(surroundings),
    forwards: createForwardAdministration(surroundings),
    rules: createRuleAdministration(surroundings),
    vacations: createVacationAdministration(surroundings),
    logins: createLoginAdministration(surroundings),
    secrets: createSecretAdministration(surroundings),
  };
}

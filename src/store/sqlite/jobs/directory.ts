/**
 * The directory's jobs: domains, accounts, aliases, IP ranges, routes, distribution lists, forwards, rules. Messages of errors are sentences for the administrator.
 */

import { ACCOUNT_JOBS } from './directoryAccounts.ts';
import { ALIAS_JOBS } from './directoryAliases.ts';
import { DOMAIN_JOBS } from './directoryDomains.ts';
import { FORWARD_JOBS } from './directoryForwards.ts';
import { IP_RANGE_JOBS } from './directoryIpRanges.ts';
import { LIST_JOBS } from './directoryLists.ts';
import { ROUTE_JOBS } from './directoryRoutes.ts';
import { RULE_JOBS } from './directoryRules.ts';
import { VACATION_JOBS } from './directoryVacations.ts';

/** Jobs by name. */
export const DIRECTORY_JOBS = {
  ...DOMAIN_JOBS,
  ...ACCOUNT_JOBS,
  ...ALIAS_JOBS,
  ...IP_RANGE_JOBS,
  ...ROUTE_JOBS,
  ...LIST_JOBS,
  ...FORWARD_JOBS,
  ...RULE_JOBS,
  ...VACATION_JOBS,
} as const;

/**
 * The directory's jobs: domains, accounts, aliases, IP ranges. Messages of errors are sentences for the administrator.
 */

import { ACCOUNT_JOBS } from './directoryAccounts.ts';
import { ALIAS_JOBS } from './directoryAliases.ts';
import { DOMAIN_JOBS } from './directoryDomains.ts';
import { IP_RANGE_JOBS } from './directoryIpRanges.ts';

/** Jobs by name. */
export const DIRECTORY_JOBS = { ...DOMAIN_JOBS, ...ACCOUNT_JOBS, ...ALIAS_JOBS, ...IP_RANGE_JOBS } as const;

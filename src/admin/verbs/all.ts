/**
 * Every verb of the command line, in the order in which help shows them.
 */

import type { Verb } from '../verb.ts';
import { ACCOUNT_VERBS } from './account.ts';
import { ALIAS_VERBS } from './alias.ts';
import { BAN_VERBS } from './ban.ts';
import { configVerbs } from './config.ts';
import { CRAM_MD5_VERBS } from './cramMd5.ts';
import { DOMAIN_VERBS } from './domain.ts';
import { DROP_VERBS } from './drop.ts';
import { FETCHED_VERBS } from './fetched.ts';
import { FORWARD_VERBS } from './forward.ts';
import { LIST_VERBS } from './list.ts';
import { LOGIN_VERBS } from './login.ts';
import { MAINTENANCE_VERBS } from './maintenance.ts';
import { PICKUP_VERBS } from './pickup.ts';
import { type ProcessVerbOptions, processVerbs } from './process.ts';
import { PROFILE_VERBS } from './profile.ts';
import { protocolLogVerbs } from './protocolLog.ts';
import { QUEUE_VERBS } from './queue.ts';
import { RANGE_VERBS } from './range.ts';
import { RELAY_VERBS } from './relay.ts';
import { ROUTE_VERBS } from './route.ts';
import { ROUTE_TEST_VERB } from './routeTest.ts';
import { RULE_VERBS } from './rule.ts';
import { SERVER_VERBS } from './server.ts';
import { TRACE_VERBS } from './trace.ts';
import { VACATION_VERBS } from './vacation.ts';

/** The verbs of a command line whose process is `options`. */
export function allVerbs(options: ProcessVerbOptions): readonly Verb[] {
  return [
    ...processVerbs(options),
    ...SERVER_VERBS,
    ...MAINTENANCE_VERBS,
    ...DOMAIN_VERBS,
    ...ACCOUNT_VERBS,
    ...CRAM_MD5_VERBS,
    ...ALIAS_VERBS,
    ...LIST_VERBS,
    ...FORWARD_VERBS,
    ...VACATION_VERBS,
    ...RULE_VERBS,
    ...ROUTE_VERBS,
    ROUTE_TEST_VERB,
    ...PICKUP_VERBS,
    ...RELAY_VERBS,
    ...DROP_VERBS,
    ...QUEUE_VERBS,
    ...PROFILE_VERBS,
    ...RANGE_VERBS,
    ...BAN_VERBS,
    ...LOGIN_VERBS,
    ...FETCHED_VERBS,
    ...TRACE_VERBS,
    ...protocolLogVerbs(options.load),
    ...configVerbs(options.load),
  ];
}

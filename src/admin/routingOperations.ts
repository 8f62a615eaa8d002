/**
 * Operations about routes, distribution lists, forwards, vacations and rules, with the check of their input (operation.ts).
 *
 * Trust: the caller is an administrator (see controlSocket.ts); shapes are checked here, values in accounts.
 */

import { z } from 'zod';
import { TEXT_MATCHES } from '../store/contract/routing.ts';
import type { Administration } from '../accounts/administration.ts';
import { type Operation, operationsOn } from './operation.ts';
import { type ConfiguredHops, warnOfRoutes } from './routeWarnings.ts';

interface Surroundings extends ConfiguredHops {
  readonly administration: Pick<Administration, 'routes' | 'lists' | 'forwards' | 'rules' | 'vacations'>;
}

const operation = operationsOn<Surroundings>();

const name = z.string().max(1024);
const names = z.array(name).max(10_000);
const isEnabled = z.boolean().optional();
const position = z.number().optional();

const target = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('local'), address: name }),
  z.strictObject({ kind: z.literal('relay'), relay: name }),
  z.strictObject({ kind: z.literal('drop'), directory: name }),
  z.strictObject({ kind: z.literal('refuse'), text: name.optional() }),
]);
const routeSettings = {
  senders: names.optional(),
  isOpenTo: z.enum(['submitters', 'anyone']).optional(),
  position,
  isEnabled,
};

const posters = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['anyone', 'members', 'submitters']) }),
  z.strictObject({ kind: z.literal('addresses'), addresses: names }),
]);
const listSettings = { posters: posters.optional(), isEnabled };

const forwardSettings = { keepsCopy: z.boolean().optional(), isEnabled };

const vacationSettings = {
  isEnabled,
  subject: name.nullish(),
  text: z.string().max(100_000).optional(),
  startsAt: z.int().min(0).nullish(),
  endsAt: z.int().min(0).nullish(),
  daysBetween: z.number().optional(),
};

const text = { match: z.enum(TEXT_MATCHES), text: z.string().max(10_000), isNegated: z.boolean() };
const condition = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('header'), field: name, ...text }),
  z.strictObject({ kind: z.literal('subject'), ...text }),
  z.strictObject({ kind: z.literal('sender'), ...text }),
  z.strictObject({ kind: z.literal('size'), comparison: z.enum(['over', 'under']), octets: z.number() }),
]);
const action = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fileInto'), mailbox: z.array(name).max(100) }),
  z.strictObject({ kind: z.literal('forward'), address: name }),
  z.strictObject({ kind: z.literal('delete') }),
  z.strictObject({
    kind: z.literal('flag'),
    flags: z.strictObject({ system: z.int().min(0), keywords: z.array(name).max(100) }),
  }),
]);
const ruleSettings = {
  position,
  isEnabled,
  matches: z.enum(['all', 'any']).optional(),
  conditions: z.array(condition).max(1000).optional(),
  endsRules: z.boolean().optional(),
};
const actions = z.array(action).max(1000);
const ruleName = { account: name.optional(), name };

/** By name. */
export const ROUTING_OPERATIONS: readonly (readonly [string, Operation<Surroundings>])[] = [
  operation(
    'route.add',
    z.strictObject({ name, recipients: names, target, ...routeSettings }),
    ({ administration }, input) => administration.routes.add(input),
  ),
  operation('route.list', z.strictObject({}), async (surroundings) =>
    warnOfRoutes(await surroundings.administration.routes.list(), surroundings),
  ),
  operation('route.show', z.strictObject({ name }), ({ administration }, input) =>
    administration.routes.show(input.name),
  ),
  operation(
    'route.set',
    z.strictObject({ name, recipients: names.optional(), target: target.optional(), ...routeSettings }),
    ({ administration }, input) => administration.routes.set(input.name, input),
  ),
  operation('route.remove', z.strictObject({ name }), ({ administration }, input) =>
    administration.routes.remove(input.name),
  ),

  operation(
    'list.add',
    z.strictObject({ address: name, members: names, ...listSettings }),
    ({ administration }, input) => administration.lists.add(input),
  ),
  operation('list.list', z.strictObject({ domain: name.optional() }), ({ administration }, input) =>
    administration.lists.list(input.domain),
  ),
  operation('list.show', z.strictObject({ address: name }), ({ administration }, input) =>
    administration.lists.show(input.address),
  ),
  operation(
    'list.set',
    z.strictObject({
      address: name,
      members: names.optional(),
      addedMembers: names.optional(),
      removedMembers: names.optional(),
      ...listSettings,
    }),
    ({ administration }, input) => administration.lists.set(input.address, input),
  ),
  operation('list.remove', z.strictObject({ address: name }), ({ administration }, input) =>
    administration.lists.remove(input.address),
  ),

  operation(
    'forward.add',
    z.strictObject({ account: name, targets: names, ...forwardSettings }),
    ({ administration }, input) => administration.forwards.add(input),
  ),
  operation('forward.list', z.strictObject({ domain: name.optional() }), ({ administration }, input) =>
    administration.forwards.list(input.domain),
  ),
  operation('forward.show', z.strictObject({ account: name }), ({ administration }, input) =>
    administration.forwards.show(input.account),
  ),
  operation(
    'forward.set',
    z.strictObject({ account: name, targets: names.optional(), ...forwardSettings }),
    ({ administration }, input) => administration.forwards.set(input.account, input),
  ),
  operation('forward.remove', z.strictObject({ account: name }), ({ administration }, input) =>
    administration.forwards.remove(input.account),
  ),

  operation(
    'vacation.set',
    z.strictObject({ account: name, ...vacationSettings }),
    ({ administration }, { account, ...settings }) => administration.vacations.set(account, settings),
  ),
  operation('vacation.list', z.strictObject({ domain: name.optional() }), ({ administration }, input) =>
    administration.vacations.list(input.domain),
  ),
  operation('vacation.show', z.strictObject({ account: name }), ({ administration }, input) =>
    administration.vacations.show(input.account),
  ),
  operation('vacation.remove', z.strictObject({ account: name }), ({ administration }, input) =>
    administration.vacations.remove(input.account),
  ),

  operation(
    'rule.add',
    z.strictObject({ ...ruleName, ...ruleSettings, actions }),
    ({ administration }, input) => administration.rules.add(input),
  ),
  operation('rule.list', z.strictObject({ account: name.optional() }), ({ administration }, input) =>
    administration.rules.list(input.account),
  ),
  operation('rule.show', z.strictObject(ruleName), ({ administration }, input) =>
    administration.rules.show(input.account, input.name),
  ),
  operation(
    'rule.set',
    z.strictObject({ ...ruleName, ...ruleSettings, actions: actions.optional() }),
    ({ administration }, input) => administration.rules.set(input.account, input.name, input),
  ),
  operation('rule.remove', z.strictObject(ruleName), ({ administration }, input) =>
    administration.rules.remove(input.account, input.name),
  ),
];

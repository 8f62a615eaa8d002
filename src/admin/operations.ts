/**
 * The operations of the administration by name, with the check of their input: what the CLI calls now and HTTP will call later.
 *
 * Input comes as JSON from another process: each operation has a schema, and what does not fit it is `invalid` with the path
 * and the reason. Operations named `server.` need a running server; the others work on the store alone as well.
 * Trust: the caller is an administrator (see controlSocket.ts); values are still checked here and in accounts.
 */

import { z } from 'zod';
import { MailError } from '../base/error.ts';
import type { AccountId } from '../base/ids.ts';
import type { Store } from '../store/contract/store.ts';
import type { Trace } from '../store/contract/trace.ts';
import type { AccountReport } from '../accounts/administerAccounts.ts';
import type { Administration } from '../accounts/administration.ts';
import { generatePassword } from '../accounts/password.ts';
import type { DirectoryPolicy } from '../transfer/contract.ts';
import type { PlanSurroundings } from '../transfer/plan/surroundings.ts';
import { FETCHED_LIST_LIMIT, listFetched, type RestoreReport, restoreFetched } from './fetchedMessages.ts';
import type { Maintenance } from './maintenance.ts';
import { DROP_OPERATIONS, type DropSurroundings } from './dropOperations.ts';
import { type Operation, operationsOn } from './operation.ts';
import { findTraces, TRACE_WAYS } from './findTraces.ts';
import { switchOn, WATCH_INPUT } from './protocolLog/switching.ts';
import { PICKUP_OPERATIONS, type PickupOperationSurroundings } from './pickupOperations.ts';
import { QUEUE_OPERATIONS } from './queueOperations.ts';
import { ROUTE_TEST_INPUT, testRoute } from './routeTesting.ts';
import { RELAY_OPERATIONS, type RelaySurroundings } from './relayOperations.ts';
import { ROUTING_OPERATIONS } from './routingOperations.ts';
import { routeWarnings } from './routeWarnings.ts';
import type { RunningServer, ServerStatus } from './server.ts';

/** What operations work on. `server` is absent where none runs. */
export interface OperationSurroundings
  extends Omit<RelaySurroundings, 'store'>,
    Pick<DropSurroundings, 'drops'>,
    PickupOperationSurroundings {
  readonly administration: Administration;
  readonly trace: Trace;
  readonly store: Pick<Store, 'directory' | 'mailboxes' | 'contents' | 'queue' | 'secrets'>;
  readonly maintenance: Maintenance;
  /** What decisions about messages are made from, for `route.test`. */
  readonly planning: PlanSurroundings;
  /** What files of each pickup directory may do, as configured. */
  policies(): readonly DirectoryPolicy[];
  readonly server?: RunningServer;
}

/** The answer to adding an account or setting a password. */
export interface PasswordReport {
  readonly account: AccountReport;
  /** Set when the caller gave none; it is not kept anywhere. */
  readonly generatedPassword?: string;
}

/** Runs operations by name. Errors: `invalid` (name or input), and those of the operation. */
export type RunOperation = (operation: string, input: unknown) => Promise<unknown>;

/** The operations on these surroundings. */
export function createOperations(surroundings: OperationSurroundings): RunOperation {
  return async (name, input) => {
    const operation = OPERATIONS.get(name);
    if (operation === undefined) throw new MailError('invalid', `there is no operation "${name}"`);
    return operation(surroundings, input);
  };
}

const operation = operationsOn<OperationSurroundings>();

const name = z.string().max(1024);
const names = z.array(name).max(10_000);
/** A hundred sender patterns are the longest. */
const settings = z.record(name, z.string().max(40_000).nullable());
const nothing = z.strictObject({});
const domainSettings = {
  isEnabled: z.boolean().optional(),
  aliases: names.optional(),
  catchAll: name.nullable().optional(),
  plusSeparator: name.nullable().optional(),
};
const accountSettings = {
  quotaOctets: z.number().nullable().optional(),
  loginNames: names.optional(),
  settings: settings.optional(),
};
const rangeSettings = {
  priority: z.number().optional(),
  protocols: names.optional(),
  needsTls: z.boolean().optional(),
  isTrusted: z.boolean().optional(),
  submission: z.enum(['login', 'trusted']).optional(),
  settings: settings.optional(),
};
const password = z.string().max(4096).optional();
const UID_MAX = 4_294_967_295;

const OPERATIONS: ReadonlyMap<string, Operation<OperationSurroundings>> = new Map([
  operation('domain.add', z.strictObject({ name, ...domainSettings }), ({ administration }, input) =>
    administration.domains.add(input),
  ),
  operation('domain.list', nothing, ({ administration }) => administration.domains.list()),
  operation('domain.show', z.strictObject({ name }), ({ administration }, input) =>
    administration.domains.show(input.name),
  ),
  operation('domain.set', z.strictObject({ name, ...domainSettings }), ({ administration }, input) =>
    administration.domains.set(input.name, input),
  ),
  operation('domain.remove', z.strictObject({ name }), ({ administration }, input) =>
    administration.domains.remove(input.name),
  ),
  operation('account.add', z.strictObject({ address: name, password, ...accountSettings }), addAccount),
  operation('account.list', z.strictObject({ domain: name.optional() }), ({ administration }, input) =>
    administration.accounts.list(input.domain),
  ),
  operation('account.show', z.strictObject({ address: name }), ({ administration }, input) =>
    administration.accounts.show(input.address),
  ),
  operation(
    'account.set',
    z.strictObject({ address: name, isEnabled: z.boolean().optional(), ...accountSettings }),
    async ({ administration }, input) => {
      await administration.accounts.set(input.address, input);
      return administration.accounts.show(input.address);
    },
  ),
  operation('account.passwd', z.strictObject({ address: name, password }), setPassword),
  operation('account.cramMd5.set', z.strictObject({ address: name, password }), setCramMd5),
  operation('account.cramMd5.remove', z.strictObject({ address: name }), ({ administration }, input) =>
    administration.secrets.remove(input.address),
  ),
  operation('account.remove', z.strictObject({ address: name, evenIfFilled: z.boolean() }), removeAccount),
  operation('alias.add', z.strictObject({ address: name, targets: names }), ({ administration }, input) =>
    administration.aliases.add(input),
  ),
  operation('alias.list', z.strictObject({ domain: name.optional() }), ({ administration }, input) =>
    administration.aliases.list(input.domain),
  ),
  operation('alias.show', z.strictObject({ address: name }), ({ administration }, input) =>
    administration.aliases.show(input.address),
  ),
  operation(
    'alias.set',
    z.strictObject({ address: name, targets: names.optional(), isEnabled: z.boolean().optional() }),
    ({ administration }, input) => administration.aliases.set(input.address, input),
  ),
  operation('alias.remove', z.strictObject({ address: name }), ({ administration }, input) =>
    administration.aliases.remove(input.address),
  ),
  operation(
    'range.add',
    z.strictObject({ name, addresses: names, ...rangeSettings }),
    ({ administration }, input) => administration.ipRanges.add(input),
  ),
  operation('range.list', nothing, ({ administration }) => administration.ipRanges.list()),
  operation('range.show', z.strictObject({ name }), ({ administration }, input) =>
    administration.ipRanges.show(input.name),
  ),
  operation(
    'range.set',
    z.strictObject({ name, addresses: names.optional(), ...rangeSettings }),
    ({ administration }, input) => administration.ipRanges.set(input.name, input),
  ),
  operation('range.remove', z.strictObject({ name }), ({ administration }, input) =>
    administration.ipRanges.remove(input.name),
  ),
  operation('range.test', z.strictObject({ address: name }), ({ administration }, input) =>
    administration.ipRanges.find(input.address),
  ),
  ...ROUTING_OPERATIONS,
  ...RELAY_OPERATIONS,
  ...DROP_OPERATIONS,
  ...QUEUE_OPERATIONS,
  ...PICKUP_OPERATIONS,
  operation('route.test', ROUTE_TEST_INPUT, (surroundings, input) =>
    testRoute(surroundings.planning, surroundings.store.directory, surroundings, input),
  ),
  operation('login.test', z.strictObject({ name }), ({ administration }, input) =>
    administration.logins.test(input.name),
  ),
  operation(
    'fetched.list',
    z.strictObject({
      address: name,
      since: z.int().min(0),
      limit: z.int().min(1).max(FETCHED_LIST_LIMIT),
    }),
    async (surroundings, { address, since, limit }) =>
      listFetched(surroundings.store, await accountIdOf(surroundings, address), since, limit),
  ),
  operation(
    'fetched.restore',
    z.strictObject({
      address: name,
      since: z.int().min(0).optional(),
      uids: z.array(z.int().min(1).max(UID_MAX)).max(10_000).optional(),
    }),
    restore,
  ),
  operation(
    'trace',
    z.strictObject({
      subject: name,
      by: z.enum(TRACE_WAYS).optional(),
      limit: z.int().min(1).max(1000),
    }),
    ({ trace }, input) => findTraces(trace, input),
  ),
  operation(
    'maintenance.on',
    z.strictObject({ minutes: z.number().optional(), text: name.optional() }),
    async ({ maintenance }, input) => maintenance.on(input),
  ),
  operation('maintenance.off', nothing, async ({ maintenance }) => ({ wasOn: maintenance.off() })),
  operation('maintenance.status', nothing, async ({ maintenance }) => maintenance.state()),
  operation('server.status', nothing, statusWithRoutes),
  operation('server.ban.list', nothing, async ({ server }) => runningServer(server).bans.list()),
  operation('server.ban.remove', z.strictObject({ addressOrLoginName: name }), async ({ server }, input) =>
    runningServer(server).bans.remove(input.addressOrLoginName),
  ),
  operation('server.ban.clear', nothing, async ({ server }) => runningServer(server).bans.clear()),
  operation('server.reload', nothing, ({ server }) => runningServer(server).reload()),
  operation('server.protocolLog.on', WATCH_INPUT, ({ administration, server }, input) =>
    switchOn(runningServer(server).protocolLog, administration, input),
  ),
  operation(
    'server.protocolLog.off',
    z.strictObject({ id: z.int().optional(), by: name }),
    async ({ server }, { id, by }) => runningServer(server).protocolLog.switchOff(id, by),
  ),
  operation('server.protocolLog.status', nothing, async ({ server }) =>
    runningServer(server).protocolLog.status(),
  ),
  operation(
    'server.protocolLog.follow',
    z.strictObject({ place: z.int().min(0).optional() }),
    ({ server }, { place }) => runningServer(server).protocolLog.follow(place),
  ),
]);

async function addAccount(
  { administration }: OperationSurroundings,
  input: { readonly address: string; readonly password?: string | undefined },
): Promise<PasswordReport> {
  const generatedPassword = input.password === undefined ? generatePassword() : undefined;
  const account = await administration.accounts.add({
    ...input,
    password: input.password ?? generatedPassword ?? '',
  });
  return { account, ...(generatedPassword === undefined ? {} : { generatedPassword }) };
}

async function setPassword(
  { administration }: OperationSurroundings,
  input: { readonly address: string; readonly password?: string | undefined },
): Promise<PasswordReport> {
  const generatedPassword = input.password === undefined ? generatePassword() : undefined;
  const account = await administration.accounts.setPassword(
    input.address,
    input.password ?? generatedPassword ?? '',
  );
  return { account, ...(generatedPassword === undefined ? {} : { generatedPassword }) };
}

/** The answer to giving a secret for CRAM-MD5. */
export interface SecretReport {
  readonly address: string;
  /** Set when the caller gave none. */
  readonly generatedPassword?: string;
}

async function setCramMd5(
  { administration }: OperationSurroundings,
  input: { readonly address: string; readonly password?: string | undefined },
): Promise<SecretReport> {
  const generatedPassword = input.password === undefined ? generatePassword() : undefined;
  const report = await administration.secrets.set(input.address, input.password ?? generatedPassword ?? '');
  return { ...report, ...(generatedPassword === undefined ? {} : { generatedPassword }) };
}

async function removeAccount(
  { administration }: OperationSurroundings,
  { address, evenIfFilled }: { readonly address: string; readonly evenIfFilled: boolean },
): Promise<void> {
  const { messages, retainedMessages } = await administration.accounts.show(address);
  const all = messages + retainedMessages;
  if (all > 0 && !evenIfFilled) {
    throw new MailError(
      'cannot',
      `${address} holds ${all} messages, which would be gone for good; --yes removes it all the same.`,
    );
  }
  await administration.accounts.remove(address);
}

async function restore(
  surroundings: OperationSurroundings,
  input: {
    readonly address: string;
    readonly since?: number | undefined;
    readonly uids?: readonly number[] | undefined;
  },
): Promise<RestoreReport> {
  const accountId = await accountIdOf(surroundings, input.address);
  const { since, uids } = input;
  if (uids !== undefined) return restoreFetched(surroundings.store, accountId, { kind: 'uids', uids });
  if (since === undefined) throw new MailError('invalid', 'Nothing says which messages are meant.');
  return restoreFetched(surroundings.store, accountId, { kind: 'since', since });
}

/** The account of an address in any spelling. Errors: `invalid`, `notFound`. */
async function accountIdOf(
  { administration, store }: OperationSurroundings,
  given: string,
): Promise<AccountId> {
  const { address } = await administration.accounts.show(given);
  const account = await store.directory.findAccount(address);
  if (account === undefined) throw new MailError('notFound', `There is no account “${given}”.`);
  return account.id;
}

async function statusWithRoutes(surroundings: OperationSurroundings): Promise<ServerStatus> {
  const { administration, server } = surroundings;
  const status = await runningServer(server).status();
  const ofRoutes = routeWarnings(await administration.routes.list(), surroundings);
  return { ...status, warnings: [...status.warnings, ...ofRoutes] };
}

function runningServer(server: RunningServer | undefined): RunningServer {
  if (server === undefined) throw new MailError('cannot', 'no server runs on this data directory');
  return server;
}

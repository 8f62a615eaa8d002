/**
 * Operations about relays, with the check of their input (operation.ts): how they stand, a try, hold and release, secrets.
 */

import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { SECOND_MS } from '../base/units.ts';
import type { NextHop } from '../store/contract/queue.ts';
import type { SecretName } from '../store/contract/secrets.ts';
import type { Store } from '../store/contract/store.ts';
import type { RelayCheck } from '../transfer/relay.ts';
import type { RelayConfig } from '../config/relayKeys.ts';
import { operationsOn } from './operation.ts';
import { reportRelays, type RelayReport } from './relayReport.ts';
import { tokenOptions, usesTokens, withToken } from './relayTokens.ts';
import type { Sending } from './sending.ts';

/** A try is ended after so long: several hosts that do not answer take a while each. */
const CHECK_DEADLINE_MS = 100 * SECOND_MS;

/** What these operations work on; `sending` is there where a server runs. */
export interface RelaySurroundings {
  readonly clock: Clock;
  readonly store: Pick<Store, 'queue' | 'secrets'>;
  /** As configured. */
  relays(): readonly RelayConfig[];
  readonly sending?: Sending;
}

/** The answer to setting or removing a secret. */
export interface RelaySecretReport {
  readonly name: string;
  readonly what: 'password' | 'client secret';
  /** Whether there is one now. */
  readonly isSet: boolean;
}

const operation = operationsOn<RelaySurroundings>();
const name = z.string().min(1).max(64);

/** The operations, for the table of operations.ts. */
export const RELAY_OPERATIONS = [
  operation('server.relay.list', z.strictObject({}), ({ sending, store }) =>
    reportRelays(running(sending), store.queue),
  ),
  operation('server.relay.show', z.strictObject({ name }), async ({ sending, store }, input) =>
    find(await reportRelays(running(sending), store.queue), input.name),
  ),
  operation('server.relay.test', z.strictObject({ name }), (surroundings, input) =>
    test(surroundings, input.name),
  ),
  operation(
    'server.relay.try',
    z.strictObject({ name, to: z.string().max(1024), from: z.string().max(1024).optional() }),
    async (surroundings, { name: wanted, from, to }) => {
      const sending = running(surroundings.sending);
      const { user, mailbox } = configured(surroundings, wanted);
      const sender = from ?? [mailbox, user].find((each) => each?.includes('@'));
      if (sender === undefined)
        throw new MailError('invalid', `--from is missing: “${wanted}” has no mailbox that it logs in as.`);
      return sending.tryRelay(wanted, sender, to);
    },
  ),
  operation('server.relay.login', z.strictObject({ name }), (surroundings, input) =>
    beginLogin(surroundings, input.name),
  ),
  operation('server.relay.login.state', z.strictObject({ name }), ({ sending }, input) =>
    running(sending).logins.state(input.name),
  ),
  operation(
    'relay.hold',
    z.strictObject({ name, reason: z.string().max(500).optional() }),
    async (surroundings, input) => {
      const relay = configured(surroundings, input.name);
      await surroundings.store.queue.holdHop(hop(relay.name), {
        by: 'administrator',
        reason: input.reason ?? 'an administrator said so',
        since: surroundings.clock.now(),
      });
    },
  ),
  operation('relay.release', z.strictObject({ name }), async (surroundings, input) => {
    const { store, sending } = surroundings;
    const isHeld = (await store.queue.heldHops()).some(
      ({ nextHop }) => nextHop.kind === 'relay' && nextHop.name === input.name,
    );
    if (!isHeld) configured(surroundings, input.name);
    await store.queue.holdHop(hop(input.name), undefined);
    sending?.relays.tokens(input.name)?.release();
    sending?.outbound.retryHop(hop(input.name));
  }),
  operation(
    'relay.secret.set',
    z.strictObject({ name, secret: z.string().min(1).max(4096) }),
    async (surroundings, input): Promise<RelaySecretReport> => {
      const relay = configured(surroundings, input.name);
      const secretName = secretNameOf(relay);
      await surroundings.store.secrets.set(secretName, input.secret);
      surroundings.sending?.relays.tokens(relay.name)?.release();
      return { name: relay.name, what: whatOf(secretName), isSet: true };
    },
  ),
  operation(
    'relay.secret.remove',
    z.strictObject({ name }),
    async (surroundings, input): Promise<RelaySecretReport> => {
      const relay = configured(surroundings, input.name);
      const secretName = secretNameOf(relay);
      await surroundings.store.secrets.remove(secretName);
      return { name: relay.name, what: whatOf(secretName), isSet: false };
    },
  ),
];

async function test({ sending, clock }: RelaySurroundings, wanted: string): Promise<RelayCheck> {
  const { relays, outbound } = running(sending);
  const problem = relays.problemOf(wanted);
  if (relays.filesOf(wanted) === undefined && problem !== undefined)
    return { isReady: false, steps: [problem] };
  const tokens = relays.tokens(wanted);
  const relay = relays.configured(wanted);
  const abort = new AbortController();
  const deadline = clock.after(CHECK_DEADLINE_MS, () => abort.abort());
  try {
    // What was refused before may have been mended at Microsoft, and the token that is held says nothing of it.
    const answer = await tokens?.renew(abort.signal);
    const check = await outbound.checkHop(hop(wanted), abort.signal);
    if (check === undefined) throw unknownRelay(wanted, relays.all());
    // What waits need not wait until a pause is over that has no reason any more.
    if (check.isReady) outbound.retryHop(hop(wanted));
    return answer === undefined || relay === undefined ? check : withToken(check, relay, answer);
  } finally {
    deadline.clear();
  }
}

async function beginLogin(surroundings: RelaySurroundings, wanted: string) {
  const { relays, logins, outbound } = running(surroundings.sending);
  const relay = configured(surroundings, wanted);
  if (!usesTokens(relay) || relay.grant !== 'deviceCode')
    throw new MailError('cannot', `The relay “${wanted}” needs nobody to log in: grant is not "deviceCode".`);
  const files = relays.filesOf(wanted);
  if (files === undefined)
    throw new MailError('cannot', relays.problemOf(wanted) ?? `The relay “${wanted}” cannot be used.`);
  return logins.begin(tokenOptions(relay, files, surroundings.store.secrets), () => {
    relays.tokens(wanted)?.release();
    outbound.retryHop(hop(wanted));
  });
}

function hop(relay: string): NextHop {
  return { kind: 'relay', name: relay };
}

function running(sending: Sending | undefined): Sending {
  if (sending === undefined) throw new MailError('cannot', 'no server runs on this data directory');
  return sending;
}

function find(reports: readonly RelayReport[], wanted: string): RelayReport {
  const found = reports.find((report) => report.name === wanted);
  if (found === undefined) throw unknownRelay(wanted, reports);
  return found;
}

function configured({ relays }: RelaySurroundings, wanted: string): RelayConfig {
  const found = relays().find((relay) => relay.name === wanted);
  if (found === undefined) throw unknownRelay(wanted, relays());
  return found;
}

function unknownRelay(wanted: string, known: readonly { readonly name: string }[]): MailError {
  const names = known.map((relay) => relay.name).join(', ');
  const others =
    names === '' ? 'none is in the configuration ([[relays]], docs/SENDING.md)' : `there are: ${names}`;
  return new MailError('notFound', `There is no relay “${wanted}”; ${others}.`);
}

/** What a relay proves itself with, and whether it is sealed in the store. Errors: `cannot`. */
function secretNameOf(relay: RelayConfig): SecretName {
  const { name: owner } = relay;
  if (relay.way === 'smtp' && relay.login === 'password') {
    if (relay.passwordFile === undefined) return { purpose: 'relayPassword', owner };
    throw new MailError('cannot', `The relay “${owner}” has its password in a file (passwordFile).`);
  }
  if (!usesTokens(relay) || relay.grant !== 'clientSecret')
    throw new MailError('cannot', `The relay “${owner}” logs in without a password or client secret.`);
  if (relay.clientSecretFile === undefined) return { purpose: 'relaySecret', owner };
  throw new MailError('cannot', `The relay “${owner}” has its client secret in a file (clientSecretFile).`);
}

function whatOf({ purpose }: SecretName): RelaySecretReport['what'] {
  return purpose === 'relayPassword' ? 'password' : 'client secret';
}

/**
 * A relay as an administrator sees it: what is configured, how it stands, what waits for it, and what ends soon.
 */

import type { UnixMs } from '../base/clock.ts';
import type { QueueState } from '../store/contract/queue.ts';
import type { Store } from '../store/contract/store.ts';
import type { HopStanding, HopStatus } from '../outbound/contract.ts';
import type { RelayConfig } from '../config/relayKeys.ts';
import { expiriesOf, type RelayExpiry } from './relayExpiry.ts';
import type { Sending } from './sending.ts';

/** `unusable`: it is in the configuration, and its files cannot be used. */
export type RelayState = HopStanding['kind'] | 'unusable';

/** How a hop stands. Null is what there is not. */
export interface ReportedStanding {
  /** Why it does not run, and what to do. */
  readonly reason: string | null;
  readonly advice: string | null;
  /** Who holds it. */
  readonly heldBy: 'administrator' | 'trouble' | null;
  readonly heldSince: UnixMs | null;
  /** When it goes on by itself, or is tried. */
  readonly nextTryAt: UnixMs | null;
}

/** What `relay list`, `relay show` and `status` tell of a relay. Null is what there is not. */
export interface RelayReport extends ReportedStanding {
  readonly name: string;
  readonly preset: string | null;
  readonly way: RelayConfig['way'] | null;
  /** Hosts, domains, or the endpoint. */
  readonly target: string;
  readonly login: string;
  readonly state: RelayState;
  readonly items: Readonly<Record<QueueState, number>>;
  /** When the oldest item that waits for it was made. */
  readonly oldestAt: UnixMs | null;
  /** Recipients that it has taken today, and how many it may; limit 0 is none. */
  readonly today: { readonly recipients: number; readonly limit: number } | null;
  readonly connections: number;
  readonly messagesPerMinuteLimit: number;
  readonly recipientLimit: number;
  readonly sizeLimitOctets: number;
  /** In this run of the server. */
  readonly lastRelayedAt: UnixMs | null;
  readonly expiries: readonly RelayExpiry[];
  readonly alarms: readonly string[];
}

/** Every relay that is configured, and every one that items wait for without being configured. */
export async function reportRelays(
  { relays, hops }: Pick<Sending, 'relays' | 'hops'>,
  queue: Pick<Store['queue'], 'list'>,
): Promise<readonly RelayReport[]> {
  const statuses = (await hops()).filter(({ nextHop }) => nextHop.kind === 'relay');
  const configured = relays.all();
  const names = [
    ...configured.map(({ name }) => name),
    ...statuses
      .map(({ nextHop }) => nextHop.name)
      .filter((name) => !configured.some((one) => one.name === name)),
  ];
  return Promise.all(
    [...new Set(names)].map(async (name) => {
      const [oldest] = await queue.list({ nextHop: { kind: 'relay', name } }, 1);
      return reportOf(
        name,
        configured.find((relay) => relay.name === name),
        statuses.find(({ nextHop }) => nextHop.name === name),
        relays.problemOf(name),
        relays.filesOf(name),
        oldest?.createdAt,
      );
    }),
  );
}

function reportOf(
  name: string,
  relay: RelayConfig | undefined,
  status: HopStatus | undefined,
  problem: string | undefined,
  files: Parameters<typeof expiriesOf>[1] | undefined,
  oldestAt: UnixMs | undefined,
): RelayReport {
  const isUnusable = relay !== undefined && files === undefined;
  return {
    name,
    preset: relay?.preset ?? null,
    way: relay?.way ?? null,
    target: relay === undefined ? '-' : targetOf(relay),
    login: relay === undefined ? '-' : loginOf(relay),
    ...reportStanding(isUnusable ? undefined : status?.standing, problem),
    state: isUnusable ? 'unusable' : (status?.standing.kind ?? 'missing'),
    items: status?.items ?? { waiting: 0, leased: 0, held: 0 },
    oldestAt: oldestAt ?? null,
    today: status?.today ?? null,
    connections: status?.underWay ?? 0,
    messagesPerMinuteLimit: relay?.messagesPerMinuteLimit ?? 0,
    recipientLimit: relay?.recipientLimit ?? 0,
    sizeLimitOctets: relay?.sizeLimitOctets ?? 0,
    lastRelayedAt: status?.lastRelayedAt ?? null,
    expiries: relay === undefined || files === undefined ? [] : expiriesOf(relay, files),
    alarms: status?.alarms ?? [],
  };
}

/** A standing as it is told; `problem` is why a hop has none. */
export function reportStanding(
  standing: HopStanding | undefined,
  problem: string | undefined,
): ReportedStanding {
  const nothing = { reason: null, advice: null, heldBy: null, heldSince: null, nextTryAt: null };
  switch (standing?.kind) {
    case undefined:
      return { ...nothing, reason: problem ?? null };
    case 'running':
      return nothing;
    case 'paused':
      return {
        ...nothing,
        reason: standing.reason,
        advice: standing.advice ?? null,
        nextTryAt: standing.until,
      };
    case 'held':
      return {
        reason: standing.reason,
        advice: standing.advice ?? null,
        heldBy: standing.by,
        heldSince: standing.since,
        nextTryAt: standing.probeAt ?? null,
      };
    case 'missing':
      return { ...nothing, reason: 'not in the configuration' };
  }
}

function targetOf(relay: RelayConfig): string {
  switch (relay.way) {
    case 'smtp':
      return (relay.hosts ?? []).join(', ');
    case 'direct':
      return `MX of ${(relay.domains ?? []).join(', ')}`;
    case 'graph':
      return `${relay.graphEndpoint}, ${relay.mailbox}`;
  }
}

function loginOf({ way, login, grant, user }: RelayConfig): string {
  if (way === 'graph') return `token, ${grant}`;
  switch (login) {
    case 'none':
      return 'none';
    case 'password':
      return `password, ${user}`;
    case 'xoauth2':
      return `token, ${grant}, ${user}`;
  }
}

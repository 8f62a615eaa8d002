/**
 * The doors of the relay-in listeners, made from the configuration, and the new secrets that a reload brings them.
 */

import type { Clock } from '../base/clock.ts';
import { AddressRanges } from '../net/addressRange.ts';
import { openTrustRoots, type TrustRoots } from '../net/trustRoots.ts';
import { type KeyResolver, systemKeyResolver } from '../exchange/dkimKeys.ts';
import { createDoor, type Door } from '../exchange/door.ts';
import type { DoorStatus } from '../exchange/doorCounters.ts';
import { PUBLISHED_RANGES } from '../exchange/sourceRanges.ts';
import type { ListenerConfig } from '../config/listenerKeys.ts';
import type { Config } from '../config/schema.ts';

/** The doors of a running server. */
export interface ExchangeDoors {
  /** SMTP listeners with what smtpd is handed for their doors; the same where they are not for relay-in. */
  atListeners<Listener extends { readonly name: string }>(
    listeners: readonly Listener[],
  ): (Listener & { readonly door?: Door; readonly trustRoots?: TrustRoots })[];
  statusOf(listenerName: string): DoorStatus | null;
  /** Takes the secrets of a configuration that was loaded again. */
  reload(config: Config): void;
}

/** Makes a door for each relay-in listener. Errors: `invalid` for a file of root certificates that cannot be read. */
export async function openExchangeDoors(
  config: Config,
  clock: Clock,
  keyResolver: KeyResolver = systemKeyResolver(config.exchange.dnsServers),
): Promise<ExchangeDoors> {
  const { exchange } = config;
  const trustRoots = await openTrustRoots(exchange.rootCertificateFile);
  const sources = new AddressRanges([
    ...(exchange.sourceRanges ?? PUBLISHED_RANGES),
    ...exchange.additionalSourceRanges,
  ]);
  const doors = new Map<string, Door>();
  for (const listener of config.listeners.filter(isRelayIn)) {
    const door = createDoor({
      levels: listener.door ?? [],
      isSource: (remoteAddress) => sources.includes(remoteAddress),
      certificateNames: exchange.certificateNames,
      tenantIds: exchange.tenantIds,
      secretHeader: exchange.secretHeader,
      secrets: secretsOf(config),
      dkimDomains: exchange.dkimDomains,
      keyResolver,
      clock,
    });
    doors.set(listener.name, door);
  }
  return {
    atListeners: (listeners) =>
      listeners.map((listener) => {
        const door = doors.get(listener.name);
        return door === undefined ? listener : { ...listener, door, trustRoots };
      }),
    statusOf: (listenerName) => doors.get(listenerName)?.status() ?? null,
    reload(fresh) {
      for (const door of doors.values()) door.setSecrets(secretsOf(fresh));
    },
  };
}

function isRelayIn({ protocol, role }: ListenerConfig): boolean {
  return protocol === 'smtp' && role !== 'submission';
}

function secretsOf({ exchange }: Config): readonly string[] {
  return [exchange.secret, exchange.previousSecret].filter((secret) => secret !== undefined);
}

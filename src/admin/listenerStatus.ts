/**
 * What status tells of open listeners: where they listen, and what the configuration says of them.
 */

import type { Listener } from '../net/listener.ts';
import type { ListenerConfig } from '../config/listenerKeys.ts';
import type { Config } from '../config/schema.ts';
import type { ExchangeDoors } from './exchangeDoors.ts';
import type { ListenerStatus } from './server.ts';

/** The open listeners of one protocol as they are now. */
export function listenerStatus(
  config: Config,
  doors: Pick<ExchangeDoors, 'statusOf'>,
  protocol: ListenerConfig['protocol'],
  listeners: readonly Listener[],
): ListenerStatus[] {
  return listeners.map(({ name, address, port, tls, connections }) => {
    const set = config.listeners.find((listener) => listener.name === name);
    const profile = protocol === 'smtp' ? null : (set?.profile ?? 'default');
    const role = protocol === 'smtp' ? (set?.role ?? 'relayIn') : null;
    const legacyTls = set?.legacyTls === true;
    const exchange = doors.statusOf(name);
    return { name, protocol, role, address, port, tls, profile, legacyTls, connections, exchange };
  });
}

/**
 * What the session rooms' listeners are opened with: the configuration's listeners, each with its certificate, its caps and what IP ranges allow.
 */

import { ConnectionCaps } from '../net/connectionCaps.ts';
import type { CompatibilityLayer } from '../accounts/compatibility.ts';
import type { IpRanges } from '../accounts/ipRanges.ts';
import type { ImapListenerOptions } from '../imapd/options.ts';
import type { Config, ListenerConfig } from '../config/schema.ts';
import type { Certificates } from './certificates.ts';

/** What the listeners of every protocol are made of. */
type CommonListenerOptions = ReturnType<typeof commonOptions>;

/** The listeners of `protocol`. */
export function listenerOptions(
  config: Config,
  protocol: ListenerConfig['protocol'],
  certificates: Certificates,
  ipRanges: IpRanges,
): readonly CommonListenerOptions[] {
  return listenersOf(config, protocol).map((listener) => commonOptions(listener, certificates, ipRanges));
}

/** The IMAP listeners, with what can be set for each of them. */
export function imapListenerOptions(
  config: Config,
  certificates: Certificates,
  ipRanges: IpRanges,
): readonly ImapListenerOptions[] {
  return listenersOf(config, 'imap').map((listener) => ({
    ...commonOptions(listener, certificates, ipRanges),
    compatibility: compatibilityOf(listener),
  }));
}

/** What a listener has set for the sake of its clients. */
export function compatibilityOf(listener: ListenerConfig): CompatibilityLayer {
  const { protocol, profile, greeting, hierarchyDelimiter, literalForm } = listener;
  const hiddenCapabilities = listener.hiddenCapabilities?.map((name) => name.toUpperCase());
  switch (protocol) {
    case 'imap':
      return {
        profile,
        'imap.greeting': greeting,
        'imap.delimiter': hierarchyDelimiter,
        'imap.literals': literalForm,
        'imap.hiddenCapabilities': hiddenCapabilities,
      };
    case 'pop3':
      return { profile, 'pop3.greeting': greeting, 'pop3.hiddenCapabilities': hiddenCapabilities };
    case 'smtp':
      return {};
  }
}

function listenersOf(config: Config, protocol: ListenerConfig['protocol']): readonly ListenerConfig[] {
  return config.listeners.filter((listener) => listener.protocol === protocol);
}

function commonOptions(listener: ListenerConfig, certificates: Certificates, ipRanges: IpRanges) {
  const { name, protocol, address, port, tls, connectionLimit, connectionsPerAddressLimit } = listener;
  return {
    name,
    address,
    port,
    tls,
    tlsContexts: certificates.contextsOf(listener),
    caps: new ConnectionCaps({ total: connectionLimit, perAddress: connectionsPerAddressLimit }),
    barring: (remoteAddress: string) => ipRanges.barring(protocol, remoteAddress),
    needsTls: (remoteAddress: string) => ipRanges.needsTls(remoteAddress),
  };
}

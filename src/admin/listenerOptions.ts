/**
 * What the session rooms' listeners are opened with: the configuration's listeners, each with its certificate, its caps and what IP ranges allow.
 */

import { ConnectionCaps } from '../net/connectionCaps.ts';
import type { CompatibilityLayer } from '../accounts/compatibility.ts';
import type { CompatibilityKeys } from '../accounts/compatibilityKeys.ts';
import type { IpRanges } from '../accounts/ipRanges.ts';
import type { ListenerConfig } from '../config/listenerKeys.ts';
import type { Config } from '../config/schema.ts';
import type { Certificates } from './certificates.ts';

/** What the listeners of every protocol are made of. */
type CommonListenerOptions = ReturnType<typeof commonOptions>;

/** The listeners of `protocol`, with what is set for the sake of their clients. */
export function listenerOptions(
  config: Config,
  protocol: ListenerConfig['protocol'],
  certificates: Certificates,
  ipRanges: IpRanges,
): readonly CommonListenerOptions[] {
  return config.listeners
    .filter((listener) => listener.protocol === protocol)
    .map((listener) => commonOptions(listener, certificates, ipRanges));
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
      return {
        profile,
        'pop3.greeting': greeting,
        'pop3.marksSeen': listener.retrMarksSeen,
        'pop3.sharing': listener.maildropSharing,
        'pop3.hiddenCapabilities': hiddenCapabilities,
      };
    case 'smtp':
      return {};
  }
}

/** What is set for the whole server for the sake of its clients. */
export function serverCompatibility({ imap, pop3 }: Config): CompatibilityKeys {
  return {
    'imap.delimiter': imap.delimiter,
    'imap.literals': imap.literals,
    'pop3.marksSeen': pop3.marksSeen,
    'pop3.sharing': pop3.sharing,
  };
}

/** What an SMTP listener has set. */
function smtpOptions({ role, lenientSyntax: isLenient, bareLineEnds: bareLineFeed }: ListenerConfig) {
  return {
    ...(role === undefined ? {} : { role }),
    ...(isLenient === undefined ? {} : { isLenient }),
    ...(bareLineFeed === undefined ? {} : { bareLineFeed }),
  };
}

function commonOptions(listener: ListenerConfig, certificates: Certificates, ipRanges: IpRanges) {
  const { name, protocol, address, port, tls } = listener;
  return {
    name,
    address,
    port,
    ...smtpOptions(listener),
    tls,
    tlsContexts: certificates.contextsOf(listener),
    caps: new ConnectionCaps({
      total: listener.connectionLimit,
      perAddress: listener.connectionsPerAddressLimit,
      perMinute: listener.connectionsPerMinuteLimit,
      isExempt: (remoteAddress) => ipRanges.rangeOf(remoteAddress)?.isTrusted === true,
    }),
    barring: (remoteAddress: string) => ipRanges.barring(protocol, remoteAddress),
    needsTls: (remoteAddress: string) => ipRanges.needsTls(remoteAddress),
    compatibility: compatibilityOf(listener),
  };
}

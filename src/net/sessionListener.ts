/**
 * What a session room is handed for each of its listeners, whatever it speaks there; a room adds what its protocol needs.
 */

import type { ConnectionCaps } from './connectionCaps.ts';
import type { TlsMode } from './listener.ts';
import type { TlsContexts } from './tlsContext.ts';

/** One listener, as hMailServer's TCP/IP ports are. */
export interface SessionListenerOptions {
  /** Names the listener in the log and in status. */
  readonly name: string;
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly isIpv6Only?: boolean;
  readonly tls: TlsMode;
  readonly tlsContexts: TlsContexts;
  readonly caps: ConnectionCaps;
  /** Names what keeps an address off this listener; undefined lets it in. */
  readonly barring?: (remoteAddress: string) => string | undefined;
  /** Whether an address gets nothing of value before TLS, whatever `tls` says. */
  readonly needsTls?: (remoteAddress: string) => boolean;
}

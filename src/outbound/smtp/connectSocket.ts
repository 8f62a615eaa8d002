/**
 * A TCP connection to a host: its addresses in turn, IPv6 and IPv4 alternating (RFC 8305), under one deadline.
 *
 * The addresses come from the system's resolver, or are handed in (direct delivery asks the DNS itself).
 */

import { connect, type Socket } from 'node:net';

import type { Clock } from '../../base/clock.ts';
import { ADDRESS_DEADLINE_MS, CONNECT_DEADLINE_MS } from './limits.ts';

/** Where to. */
export interface HopAddress {
  /** A name or an IP address. */
  readonly host: string;
  readonly port: number;
  /** IP addresses of the host, instead of what the system says. */
  readonly addresses?: readonly string[] | undefined;
}

/** Connects. Answers the socket, or one sentence on why there is none; never rejects. */
export function connectSocket(
  { host, port, addresses }: HopAddress,
  clock: Clock,
  signal: AbortSignal,
): Promise<Socket | string> {
  if (signal.aborted) return Promise.resolve('we were told to end');
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_DEADLINE_MS,
      ...(addresses === undefined ? {} : { lookup: lookupIn(addresses) }),
    });
    const settle = (answer: Socket | string) => {
      deadline.clear();
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      if (typeof answer === 'string') socket.destroy();
      resolve(answer);
    };
    const onConnect = () => {
      socket.off('error', onError);
      settle(socket);
    };
    const onError = (error: Error) => settle(reasonOf(error, `${host}:${port}`));
    const onAbort = () => settle('we were told to end');
    const deadline = clock.after(CONNECT_DEADLINE_MS, () =>
      settle(`${host}:${port} did not answer in ${CONNECT_DEADLINE_MS} ms`),
    );
    socket.on('connect', onConnect);
    // Stays after a failure: a second error must not reach the process.
    socket.on('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ENOTFOUND: 'is a name that does not exist in the DNS',
  EAI_AGAIN: 'cannot be looked up: the DNS does not answer',
  ETIMEDOUT: 'does not answer',
  ENETUNREACH: 'cannot be reached: there is no way to its network',
  EHOSTUNREACH: 'cannot be reached: there is no way to it',
};

function reasonOf(error: Error & { code?: string }, where: string): string {
  const meaning = MEANINGS[error.code ?? ''];
  return meaning === undefined ? `${where}: ${error.message}` : `${where} ${meaning} (${error.code})`;
}

function lookupIn(addresses: readonly string[]) {
  const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (
    _name: string,
    options: { readonly all?: boolean | undefined },
    done: (
      error: Error | null,
      found: string | { address: string; family: number }[],
      family?: number,
    ) => void,
  ) => {
    if (options.all === true) done(null, all);
    else done(null, all[0]?.address ?? '', all[0]?.family);
  };
}

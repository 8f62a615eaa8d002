/**
 * A session with a host that is ready for mail: connected, greeted, secured as the relay says, logged in.
 *
 * RFC 5321 section 3.1, RFC 3207, RFC 7435 (opportunistic TLS that fails is left out, on a new connection), RFC 4954.
 */

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { meaningOf } from '../../exchange/smtpReplies.ts';
import type { HopTrouble } from '../../transfer/relay.ts';
import type { RelayLogin, RelayTls } from '../contract.ts';
import { connectSocket, type HopAddress } from './connectSocket.ts';
import { HopConnection, type HopConnectionOptions, type OpeningFailure } from './hopConnection.ts';
import { engineTls, tlsOptionsOf, tlsTrouble } from './hopTls.ts';
import { troubleOf } from './judgement.ts';
import { logIn } from './logIn.ts';
import { isSameName } from './mailExchangers.ts';

/** How a relay opens its sessions. */
export interface SessionOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** In EHLO. */
  readonly serverName: string;
  readonly tls: RelayTls;
  readonly login?: RelayLogin | undefined;
}

/** A session, or why there is none. */
export type SessionResult =
  | { readonly kind: 'open'; readonly connection: HopConnection }
  /** `isFinal`: other hosts of the relay would say the same, or must not be asked (a login that was refused). */
  | { readonly kind: 'failed'; readonly trouble: HopTrouble; readonly isFinal: boolean };

/** Opens one. Never rejects; an abort ends it soon. */
export async function openSession(
  address: HopAddress,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<SessionResult> {
  const { mode } = options.tls;
  let opened = await open(address, options, engineTls(mode), signal);
  if (!(opened instanceof HopConnection) && mode === 'opportunistic' && isAboutTls(opened)) {
    options.log.info('outbound.tls.leftOut', { host: address.host, reason: opened.why });
    opened = await open(address, options, 'none', signal);
  }
  if (!(opened instanceof HopConnection))
    return { kind: 'failed', trouble: troubleIn(opened, address.host, mode), isFinal: false };
  const trouble = loopTo(opened, options.serverName) ?? (await loggedIn(opened, options, signal));
  if (trouble === undefined) return { kind: 'open', connection: opened };
  await opened.quit();
  return { kind: 'failed', trouble, isFinal: trouble.kind === 'misconfigured' };
}

/** Mail to a server of our own name would come in again, and again. */
function loopTo({ host, greeting }: HopConnection, serverName: string): HopTrouble | undefined {
  const name = /^220[ -]([^ ]+)/.exec(greeting)?.[1] ?? '';
  if (!isSameName(name, serverName)) return undefined;
  return {
    kind: 'misconfigured',
    reason: `${host} is this server itself, or has its name (${name}): mail would go in a circle`,
    advice: 'Let the relay lead to another server, or give this one a name of its own (server.name)',
  };
}

async function loggedIn(
  connection: HopConnection,
  { login }: SessionOptions,
  signal: AbortSignal,
): Promise<HopTrouble | undefined> {
  if (login === undefined) return undefined;
  const onAbort = () => connection.destroy('we were told to end');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const trouble = await logIn(connection, login, signal);
  signal.removeEventListener('abort', onAbort);
  return trouble;
}

async function open(
  address: HopAddress,
  { clock, serverName, tls }: SessionOptions,
  mode: HopConnectionOptions['tls'],
  signal: AbortSignal,
): Promise<HopConnection | OpeningFailure> {
  const socket = await connectSocket(address, clock, signal);
  if (typeof socket === 'string') return { step: 'connect', why: socket };
  const { host } = address;
  return HopConnection.open(
    { clock, socket, host, serverName, tls: mode, tlsOptions: tlsOptionsOf(tls) },
    signal,
  );
}

function isAboutTls({ step }: OpeningFailure): boolean {
  return step === 'startTls' || step === 'handshake';
}

function troubleIn(failure: OpeningFailure, host: string, mode: RelayTls['mode']): HopTrouble {
  const { step, reply, why } = failure;
  if (step === 'startTls' || step === 'handshake') return tlsTrouble(host, failure);
  if (step === 'connect') return { kind: 'unreachable', reason: why };
  if (reply === undefined || reply.code < 400) return { kind: 'unreachable', reason: `${host}: ${why}` };
  const { code, status, line } = reply;
  const meaning = meaningOf({ stage: step, code, status, text: line });
  const reason = `${host} is not ready: ${line}`;
  // A server that knows HELO alone has no STARTTLS either.
  if (step === 'ehlo' && mode === 'required' && meaning.kind === 'permanent')
    return tlsTrouble(host, { ...failure, step: 'startTls' });
  return troubleOf(meaning, reason) ?? { kind: 'unreachable', reason };
}

/**
 * A login by device code: somebody opens a page on any device and enters a code; the refresh token is kept in the vault.
 *
 * RFC 8628 sections 3.1 to 3.5. The endpoint is asked no more often than it says, five seconds less often after each `slow_down`, and
 * half as often after each failed connection. Microsoft answers `authorization_declined` where the RFC has `access_denied`.
 * Trust: what is shown to a person is one bounded line, and the address is https.
 */

import { asMailError } from '../../base/error.ts';
import { SECOND_MS } from '../../base/units.ts';
import type { TokenAnswer } from '../accessTokens.ts';
import { readAccessToken } from './accessToken.ts';
import { createEndpointTime } from './endpointTime.ts';
import {
  DEVICE_INTERVAL_MINIMUM_MS,
  DEVICE_INTERVAL_MS,
  DEVICE_LIFETIME_LIMIT_MS,
  SLOW_DOWN_MS,
} from './limits.ts';
import {
  DEFAULT_AUTHORITY,
  deviceEndpointOf,
  tokenEndpointOf,
  type TokenOptions,
  type TokenSurroundings,
} from './options.ts';
import { createPostForm, type PostForm } from './postForm.ts';
import {
  type EndpointAnswer,
  type GivenToken,
  isTokenText,
  jsonObject,
  oneLine,
  readTokenAnswer,
} from './tokenAnswer.ts';

/** A login that waits for somebody. */
export interface DeviceLogin {
  readonly kind: 'begun';
  /** What is entered at `verificationUri`. */
  readonly userCode: string;
  readonly verificationUri: string;
  /** The endpoint's own words for both. */
  readonly message: string;
  readonly endsInMs: number;
  /** Waits for it, and keeps what comes of it. Called once. Rejects with the signal's reason when that aborts. */
  finish(signal: AbortSignal): Promise<DeviceLoginEnd>;
}

/** How a login ended. */
export type DeviceLoginEnd =
  /** The refresh token is on disk. */
  { readonly kind: 'loggedIn'; readonly user: string | undefined } | Denial;

type Denial = Exclude<TokenAnswer, { readonly kind: 'token' }>;

/** Asks for a code. Rejects with the signal's reason when that aborts. */
export async function beginDeviceLogin(
  options: TokenOptions,
  surroundings: TokenSurroundings,
  signal: AbortSignal,
): Promise<DeviceLogin | Denial> {
  const post = surroundings.post ?? createPostForm(surroundings.clock, options.certificateAuthorities);
  const form = { client_id: options.clientId, scope: options.scope };
  const beganAt = surroundings.clock.monotonic();
  const answer = await ask(options, surroundings, post, deviceEndpointOf(options), form, signal);
  if ('denial' in answer) return answer.denial;
  const fields = jsonObject(answer.body) ?? {};
  const { device_code: deviceCode, user_code: userCode, verification_uri: uri } = fields;
  if (
    !isTokenText(deviceCode) ||
    typeof userCode !== 'string' ||
    URL.parse(String(uri))?.protocol !== 'https:'
  )
    return { kind: 'unavailable', reason: 'the endpoint’s answer has no device code' };
  const secrets = [deviceCode];
  const lifetimeMs = Math.min(
    seconds(fields.expires_in) ?? DEVICE_LIFETIME_LIMIT_MS,
    DEVICE_LIFETIME_LIMIT_MS,
  );
  const polling = {
    deviceCode,
    endsAt: beganAt + lifetimeMs,
    intervalMs: Math.max(seconds(fields.interval) ?? DEVICE_INTERVAL_MS, DEVICE_INTERVAL_MINIMUM_MS),
  };
  return {
    kind: 'begun',
    userCode: oneLine(userCode, secrets),
    verificationUri: oneLine(uri, secrets),
    message: oneLine(fields.message, secrets),
    endsInMs: lifetimeMs,
    finish: (until) => poll(options, surroundings, post, polling, until),
  };
}

interface Polling {
  readonly deviceCode: string;
  /** Of the monotonic clock. */
  readonly endsAt: number;
  readonly intervalMs: number;
}

const EXPIRED = {
  kind: 'refused',
  reason: 'nobody has entered the code in time',
  advice: 'Begin again, and enter the code within some minutes.',
} as const;

async function poll(
  options: TokenOptions,
  surroundings: TokenSurroundings,
  post: PostForm,
  { deviceCode, endsAt, intervalMs }: Polling,
  signal: AbortSignal,
): Promise<DeviceLoginEnd> {
  const { clock } = surroundings;
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: options.clientId,
    device_code: deviceCode,
  };
  for (let waitMs = intervalMs; ; ) {
    if (clock.monotonic() + waitMs >= endsAt) return EXPIRED;
    await clock.sleep(waitMs, signal);
    const answer = await ask(options, surroundings, post, tokenEndpointOf(options), form, signal);
    const read = 'denial' in answer ? answer.denial : answer.read;
    if (read.kind === 'token') return keep(options, surroundings, read);
    if (read.kind === 'unavailable') waitMs = Math.max(waitMs * 2, read.retryAfterMs ?? 0);
    else if ('error' in read && read.error === 'slow_down') waitMs += SLOW_DOWN_MS;
    else if (!('error' in read) || read.error !== 'authorization_pending')
      return { kind: 'refused', reason: read.reason, advice: read.advice };
  }
}

async function keep(
  { name, tenant, clientId }: TokenOptions,
  { clock, log, vault }: TokenSurroundings,
  { token, refreshToken }: GivenToken,
): Promise<DeviceLoginEnd> {
  if (refreshToken === undefined)
    return {
      kind: 'refused',
      reason: 'no refresh token came, so the login would be good for an hour',
      advice: 'See that the scope has offline_access in it.',
    };
  const user = readAccessToken(token)?.user;
  const now = clock.now();
  try {
    await vault.saveRefreshToken(name, {
      token: refreshToken,
      tenant,
      clientId,
      user,
      loggedInAt: now,
      renewedAt: now,
    });
  } catch (error) {
    return { kind: 'unavailable', reason: `the refresh token cannot be kept: ${asMailError(error).message}` };
  }
  log.info('exchange.login.kept', { relay: name, user });
  return { kind: 'loggedIn', user };
}

/** The answer to a form, as it came and as it is understood. */
async function ask(
  options: TokenOptions,
  { clock, log }: TokenSurroundings,
  post: PostForm,
  url: string,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<
  | { readonly body: string; readonly read: EndpointAnswer }
  | { readonly denial: Denial & { readonly error?: string } }
> {
  const { name: relay, authority = DEFAULT_AUTHORITY, tenant, clientId } = options;
  try {
    const answer = await post(url, form, signal);
    createEndpointTime(clock, log.with({ relay })).learn(answer.date);
    const secrets = [form.device_code ?? ''];
    const read = readTokenAnswer(answer, { relay, authority, tenant, clientId }, secrets, clock.now());
    const isCode =
      url === deviceEndpointOf(options) && answer.status === 200 && jsonObject(answer.body) !== undefined;
    return isCode || read.kind === 'token' ? { body: answer.body, read } : { denial: read };
  } catch (error) {
    signal.throwIfAborted();
    return { denial: { kind: 'unavailable', reason: asMailError(error).message } };
  }
}

function seconds(value: unknown): number | undefined {
  const ms = Number(value) * SECOND_MS;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

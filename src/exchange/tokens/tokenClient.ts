/**
 * The token client: keeps one access token and renews it, however many ask at a time.
 *
 * RFC 6749 sections 4.4, 5 and 6. A token's age is measured by the monotonic clock. It is renewed five minutes before its end while
 * the old one is still handed out, by one request at a time. A refresh token that comes along is on disk before the access token is
 * handed out. After trouble that passes it waits longer each time; after a refusal nothing is asked until what is shown changes, an
 * administrator lets it go, or ten minutes have passed. Logs and answers never have a token or a secret in them.
 */

import { createHash } from 'node:crypto';

import { asMailError } from '../../base/error.ts';
import { SECOND_MS } from '../../base/units.ts';
import type { AccessTokens, TokenAnswer } from '../accessTokens.ts';
import { type Credential, readCredential } from './credential.ts';
import { createEndpointTime, type EndpointTime } from './endpointTime.ts';
import {
  ATTEMPTS,
  FIRST_WAIT_MS,
  LAST_USE_MS,
  PATIENCE_MS,
  REFUSAL_REST_MS,
  REJECTED_MEMORY,
  REJECTION_REST_MS,
  RENEWAL_MS,
  WAIT_LIMIT_MS,
} from './limits.ts';
import { DEFAULT_AUTHORITY, tokenEndpointOf, type TokenOptions, type TokenSurroundings } from './options.ts';
import { createPostForm, type PostForm } from './postForm.ts';
import { type EndpointAnswer, type GivenToken, readTokenAnswer } from './tokenAnswer.ts';
import type { KeptRefreshToken } from './tokenVault.ts';

/** Access tokens of one application, resource and user, and what an administrator sees and does. */
export interface TokenClient extends AccessTokens {
  /** Forgets what was refused, so that the next one to ask makes a request: an administrator has mended something. */
  release(): void;
  /**
   * A new token, even where one is held: what has been mended at Microsoft, or spoilt, shows there alone. Where none comes, the one that is
   * held stays in use. Never rejects but for an abort.
   */
  renew(signal: AbortSignal): Promise<TokenAnswer>;
  status(): TokenStatus;
  /** Ends a request that is under way. Nobody asks any more. */
  close(): void;
}

/** How it stands. */
export interface TokenStatus {
  /** `unasked` until somebody asks. */
  readonly state: 'unasked' | 'good' | 'refused' | 'unavailable';
  /** Until the token ends, where there is one. */
  readonly endsInMs?: number | undefined;
  /** What the last request ended with, where it gave no token. */
  readonly reason?: string | undefined;
  readonly advice?: string | undefined;
  /** How far this server's clock is ahead of the endpoint's. */
  readonly clockAheadMs: number;
}

/** A client that has asked nothing yet. Errors: none; what is wrong with the options is told to whoever asks for a token. */
export function createTokenClient(options: TokenOptions, surroundings: TokenSurroundings): TokenClient {
  return new CachingTokenClient(options, surroundings);
}

/** No token, and why. */
type Denial = Exclude<TokenAnswer, { readonly kind: 'token' }>;

/** All times are of the monotonic clock. */
interface HeldToken {
  readonly token: string;
  readonly endsAt: number;
  /** When it is time for a new one. */
  renewAt: number;
}

/** Nothing is asked until then. `fingerprint`: of what was refused; something else may be asked for at once. */
interface Rest {
  readonly until: number;
  readonly denial: Denial;
  readonly fingerprint?: string | undefined;
}

class CachingTokenClient implements TokenClient {
  readonly #options: TokenOptions;
  readonly #surroundings: TokenSurroundings;
  readonly #post: PostForm;
  readonly #time: EndpointTime;
  readonly #closing = new AbortController();
  readonly #rejected = new Set<string>();
  #held: HeldToken | undefined;
  #rest: Rest | undefined;
  #flight: Promise<TokenAnswer> | undefined;
  /** A refresh token that could not be saved, with what came along. */
  #unsaved: { readonly kept: KeptRefreshToken; readonly given: HeldToken } | undefined;
  #failures = 0;
  #rejectedAt = Number.NEGATIVE_INFINITY;

  constructor(options: TokenOptions, surroundings: TokenSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#post = surroundings.post ?? createPostForm(surroundings.clock, options.certificateAuthorities);
    this.#time = createEndpointTime(surroundings.clock, surroundings.log.with({ relay: options.name }));
  }

  async token(signal: AbortSignal, rejected?: string): Promise<TokenAnswer> {
    signal.throwIfAborted();
    if (rejected !== undefined) this.#reject(rejected);
    const held = this.#usable();
    if (held === undefined) return this.#resting() ?? abortable(this.#renew(), signal);
    if (this.#now >= held.renewAt && this.#resting() === undefined) void this.#renew();
    return { kind: 'token', token: held.token };
  }

  release(): void {
    this.#rest = undefined;
    this.#failures = 0;
    this.#rejectedAt = Number.NEGATIVE_INFINITY;
  }

  async renew(signal: AbortSignal): Promise<TokenAnswer> {
    signal.throwIfAborted();
    this.release();
    return abortable(this.#renew(), signal);
  }

  status(): TokenStatus {
    const held = this.#usable();
    const denial = this.#rest?.denial;
    return {
      state: held === undefined ? (denial?.kind ?? 'unasked') : 'good',
      endsInMs: held === undefined ? undefined : Math.round(held.endsAt - this.#now),
      reason: denial?.reason,
      advice: denial?.kind === 'refused' ? denial.advice : undefined,
      clockAheadMs: Math.round(this.#time.skewMs()),
    };
  }

  close(): void {
    this.#closing.abort(new Error('the token client is closed'));
  }

  get #now(): number {
    return this.#surroundings.clock.monotonic();
  }

  #usable(): HeldToken | undefined {
    return this.#held !== undefined && this.#now < this.#held.endsAt - LAST_USE_MS ? this.#held : undefined;
  }

  /** What is answered without a request, because one was made a moment ago. */
  #resting(): Denial | undefined {
    const rest = this.#rest;
    if (rest === undefined || rest.fingerprint !== undefined || this.#now >= rest.until) return undefined;
    return waiting(rest, this.#now);
  }

  #reject(token: string): void {
    this.#rejected.add(hashOf(token));
    for (const oldest of this.#rejected)
      if (this.#rejected.size > REJECTED_MEMORY) this.#rejected.delete(oldest);
    if (this.#held?.token !== token) return;
    this.#held = undefined;
    if (this.#now - this.#rejectedAt < REJECTION_REST_MS) this.#restAfterRejection();
    this.#rejectedAt = this.#now;
  }

  #restAfterRejection(): void {
    const denial = {
      kind: 'refused' as const,
      reason: 'the server has rejected two new tokens, one after the other',
      advice:
        'See that the application has the permission, that an administrator has consented, and that it may use the mailbox; ' +
        `\`hauspost relay test ${this.#options.name}\` shows what the token says.`,
    };
    this.#rest = { until: this.#now + REJECTION_REST_MS, denial };
  }

  /** One renewal at a time; whoever comes meanwhile gets what it ends with. */
  #renew(): Promise<TokenAnswer> {
    this.#flight ??= this.#fly().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #fly(): Promise<TokenAnswer> {
    try {
      if (this.#unsaved !== undefined) return await this.#save(this.#unsaved);
      const credential = await readCredential(this.#options, this.#surroundings.vault);
      if ('kind' in credential) return this.#deny(credential, undefined);
      const rest = this.#rest;
      if (rest?.fingerprint === credential.fingerprint && this.#now < rest.until)
        return this.#deny(rest.denial, rest);
      return await this.#askPatiently(credential);
    } catch (error) {
      return this.#deny({ kind: 'unavailable', reason: asMailError(error).message }, undefined);
    }
  }

  /** Asks, and comes again where the endpoint is but a moment away. */
  async #askPatiently(credential: Credential): Promise<TokenAnswer> {
    const { clock } = this.#surroundings;
    const patientUntil = this.#now + PATIENCE_MS;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#ask(credential);
      if (answer.kind === 'token') return this.#take(answer, credential.kept);
      if (answer.kind === 'refused') return this.#refuse(answer, credential);
      const waitMs = this.#nextWait(answer.retryAfterMs);
      if (attempt === ATTEMPTS || this.#now + waitMs > patientUntil)
        return this.#deny({ ...answer, retryAfterMs: waitMs }, { until: this.#now + waitMs, denial: answer });
      await clock.sleep(waitMs, this.#closing.signal);
    }
  }

  /** One request; a second one where the first has shown that our clock is off, since an assertion goes by it. */
  async #ask(credential: Credential): Promise<EndpointAnswer> {
    for (let isSecond = false; ; isSecond = true) {
      const { answer, isTimeNews } = await this.#askOnce(credential);
      const goesByTime = this.#options.grant.kind === 'clientCertificate';
      if (answer.kind !== 'refused' || !isTimeNews || !goesByTime || isSecond) return answer;
    }
  }

  async #askOnce(
    credential: Credential,
  ): Promise<{ readonly answer: EndpointAnswer; readonly isTimeNews: boolean }> {
    const { name, tenant, clientId, authority = DEFAULT_AUTHORITY } = this.#options;
    const form = credential.form(this.#time.now());
    try {
      const answer = await this.#post(tokenEndpointOf(this.#options), form, this.#closing.signal);
      const isTimeNews = this.#time.learn(answer.date);
      const secrets = [...credential.secrets, form.client_assertion ?? ''];
      const place = { relay: name, authority, tenant, clientId };
      return { answer: readTokenAnswer(answer, place, secrets, this.#time.now()), isTimeNews };
    } catch (error) {
      return { answer: { kind: 'unavailable', reason: asMailError(error).message }, isTimeNews: false };
    }
  }

  /** Grows with each failure, a fifth more or less, and is never shorter than what the endpoint asks for. */
  #nextWait(retryAfterMs: number | undefined): number {
    const random = this.#surroundings.random ?? Math.random;
    const growing = Math.min(FIRST_WAIT_MS * 2 ** Math.min(this.#failures, 20), WAIT_LIMIT_MS);
    this.#failures += 1;
    return Math.round(Math.max(growing * (0.8 + 0.4 * random()), retryAfterMs ?? 0));
  }

  async #take(given: GivenToken, kept: KeptRefreshToken | undefined): Promise<TokenAnswer> {
    const held = {
      token: given.token,
      endsAt: this.#now + given.lifetimeMs,
      renewAt: this.#now + Math.max(given.lifetimeMs - RENEWAL_MS, given.lifetimeMs / 2),
    };
    if (kept === undefined || given.refreshToken === undefined) return this.#install(held);
    const { clock } = this.#surroundings;
    return this.#save({
      given: held,
      kept: { ...kept, token: given.refreshToken, renewedAt: clock.now() },
    });
  }

  /** The access token is nobody's until the refresh token that came with it is on disk. */
  async #save(unsaved: { readonly kept: KeptRefreshToken; readonly given: HeldToken }): Promise<TokenAnswer> {
    try {
      this.#unsaved = unsaved;
      await this.#surroundings.vault.saveRefreshToken(this.#options.name, unsaved.kept);
      this.#unsaved = undefined;
      return this.#install(unsaved.given);
    } catch (error) {
      const waitMs = this.#nextWait(undefined);
      const reason = `the new refresh token cannot be kept: ${asMailError(error).message}`;
      const denial = { kind: 'unavailable' as const, reason, retryAfterMs: waitMs };
      return this.#deny(denial, { until: this.#now + waitMs, denial });
    }
  }

  #install(held: HeldToken): TokenAnswer {
    if (this.#rejected.has(hashOf(held.token))) {
      this.#restAfterRejection();
      return this.#resting() ?? { kind: 'unavailable', reason: 'the endpoint gives a rejected token again' };
    }
    this.#held = held;
    this.#rest = undefined;
    this.#failures = 0;
    this.#surroundings.log.info('exchange.token.renewed', {
      relay: this.#options.name,
      endsInSeconds: Math.round((held.endsAt - this.#now) / SECOND_MS),
    });
    return { kind: 'token', token: held.token };
  }

  #refuse(
    { reason, advice }: { readonly reason: string; readonly advice: string },
    credential: Credential,
  ): TokenAnswer {
    const denial = { kind: 'refused' as const, reason, advice };
    const until = this.#now + REFUSAL_REST_MS;
    if (this.#held !== undefined) this.#held.renewAt = until;
    return this.#deny(denial, { until, denial, fingerprint: credential.fingerprint });
  }

  #deny(denial: Denial, rest: Rest | undefined): Denial {
    if (denial.reason !== this.#rest?.denial.reason || denial.kind === 'unavailable')
      this.#surroundings.log[denial.kind === 'refused' ? 'error' : 'warn']('exchange.token.denied', {
        relay: this.#options.name,
        ...denial,
      });
    this.#rest = rest ?? { until: this.#now, denial };
    return denial;
  }
}

/** `retryAfterMs` is what is left of the wait. */
function waiting({ until, denial }: Rest, now: number): Denial {
  return denial.kind === 'unavailable' ? { ...denial, retryAfterMs: Math.ceil(until - now) } : denial;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

/** What `promise` ends with, or the signal's reason at once; the promise goes on for the others. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}

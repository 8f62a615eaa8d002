/**
 * What a token endpoint answered: a token, a refusal, or trouble that passes.
 *
 * RFC 6749 sections 5.1 and 5.2. What is done is decided by status and the `error` field; numbers behind AADSTS give hints only.
 * Trust: nothing of the answer is believed but its form. A token is printable ASCII without spaces, so that it cannot break out of
 * a SASL response or a header field; texts are one bounded line without control characters and without anything secret.
 */

import { SECOND_MS } from '../../base/units.ts';
import { LIFETIME_LIMIT_MS, RETRY_AFTER_LIMIT_MS, TOKEN_LIMIT_CHARS, UNSAID_LIFETIME_MS } from './limits.ts';
import type { FormAnswer } from './postForm.ts';
import { meaningOfTokenError, type TokenErrorPlace } from './tokenErrors.ts';

/** An answer as it is understood. */
export type EndpointAnswer = GivenToken | RefusedToken | EndpointTrouble;

/** A token. */
export interface GivenToken {
  readonly kind: 'token';
  readonly token: string;
  readonly lifetimeMs: number;
  /** In place of the one before, where one came. */
  readonly refreshToken: string | undefined;
  /** The login's id token, where one came. */
  readonly idToken: string | undefined;
}

/** No, until somebody changes something. */
export interface RefusedToken {
  readonly kind: 'refused';
  /** The `error` field. */
  readonly error: string;
  readonly reason: string;
  readonly advice: string;
}

/** It cannot say now. */
export interface EndpointTrouble {
  readonly kind: 'unavailable';
  readonly reason: string;
  readonly retryAfterMs?: number | undefined;
}

/** Errors that pass by themselves (RFC 6749 section 4.1.2.1; Microsoft's list adds none). */
const PASSING: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error']);
const TEXT_LIMIT_CHARS = 300;
/** What no text may show: what looks like a token, whoever wrote it there. */
const TOKEN_LIKE = /\beyJ[\w-]{8,}(?:\.[\w-]*)*|[\w~.+/=-]{80,}/g;

/** Reads `answer`. `secrets` are what was sent and must not come back in a text; `now` (calendar) is for a Retry-After that is a date. */
export function readTokenAnswer(
  answer: FormAnswer,
  place: TokenErrorPlace,
  secrets: readonly string[],
  now: number,
): EndpointAnswer {
  const fields = jsonObject(answer.body);
  const retryAfterMs = readRetryAfter(answer.retryAfter, now);
  const trouble = (reason: string): EndpointTrouble => ({ kind: 'unavailable', reason, retryAfterMs });
  if (answer.status === 200)
    return fields === undefined
      ? trouble(strange(answer))
      : (givenToken(fields) ?? trouble('the token endpoint’s answer has no bearer token'));
  const error = oneLine(fields?.error, secrets, 60);
  if (answer.status >= 300 && answer.status < 400)
    return trouble(`the token endpoint redirects (${answer.status}), which is not followed`);
  if (fields === undefined || error === '') return trouble(strange(answer));
  const said = describe(fields, error, secrets);
  if (answer.status === 429 || answer.status >= 500 || PASSING.has(error)) return trouble(said);
  const { reason, advice } = meaningOfTokenError(error, numbers(fields), place);
  return { kind: 'refused', error, reason: `${reason} (${said})`, advice };
}

/** The object that `text` is in JSON; undefined when it is none. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** A Retry-After in seconds or as a date (RFC 9110 section 10.2.3), in milliseconds and bounded; undefined when there is none. */
export function readRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const waitMs = /^\s*\d{1,9}\s*$/.test(text) ? Number(text) * SECOND_MS : Date.parse(text) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), RETRY_AFTER_LIMIT_MS);
}

/** `value` as one bounded line without control characters, secrets and what looks like a token; empty when it is no text. */
export function oneLine(
  value: unknown,
  secrets: readonly string[],
  limit: number = TEXT_LIMIT_CHARS,
): string {
  if (typeof value !== 'string') return '';
  let text = value;
  for (const secret of secrets) for (const form of formsOf(secret)) text = text.replaceAll(form, '…');
  return text
    .replace(TOKEN_LIKE, '…')
    .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, limit);
}

/** Whether `text` can stand in a SASL response and an Authorization field (RFC 6750 section 2.1, more widely: any printable ASCII). */
export function isTokenText(text: unknown): text is string {
  return typeof text === 'string' && text.length <= TOKEN_LIMIT_CHARS && /^[\x21-\x7e]+$/.test(text);
}

function givenToken(fields: Readonly<Record<string, unknown>>): GivenToken | undefined {
  const { access_token: token, token_type: type, refresh_token: refreshToken, id_token: idToken } = fields;
  if (!isTokenText(token) || String(type).toLowerCase() !== 'bearer') return undefined;
  return {
    kind: 'token',
    token,
    lifetimeMs: readLifetime(fields.expires_in),
    refreshToken: isTokenText(refreshToken) ? refreshToken : undefined,
    idToken: isTokenText(idToken) ? idToken : undefined,
  };
}

/** Some endpoints write the seconds as a string. */
function readLifetime(value: unknown): number {
  const ms = Number(typeof value === 'string' && value !== '' ? value : (value ?? Number.NaN)) * SECOND_MS;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, LIFETIME_LIMIT_MS) : UNSAID_LIFETIME_MS;
}

/** `invalid_client, AADSTS7000215: …, correlation id …`: what an administrator quotes to Microsoft. */
function describe(
  fields: Readonly<Record<string, unknown>>,
  error: string,
  secrets: readonly string[],
): string {
  const description = oneLine(String(fields.error_description ?? '').split(/[\r\n]/)[0], secrets);
  const correlation = oneLine(fields.correlation_id, secrets, 40);
  return [error, description, correlation === '' ? '' : `correlation id ${correlation}`]
    .filter((part) => part !== '')
    .join(', ');
}

function numbers(fields: Readonly<Record<string, unknown>>): readonly number[] {
  const listed = Array.isArray(fields.error_codes) ? fields.error_codes.map(Number) : [];
  const named = /AADSTS(\d{4,8})/.exec(String(fields.error_description ?? ''))?.[1];
  return [...listed, ...(named === undefined ? [] : [Number(named)])].filter(Number.isSafeInteger);
}

function strange({ status, contentType }: FormAnswer): string {
  const type = oneLine(contentType, [], 60) || 'no content type';
  return `the token endpoint answers ${status} with ${type}, not in JSON: is a gateway or another server in its place?`;
}

/** A secret as it was sent, and as a form or a quoting text writes it. Very short ones are no secrets. */
function formsOf(secret: string): readonly string[] {
  if (secret.length < 4) return [];
  const encoded = encodeURIComponent(secret);
  return [secret, encoded, encoded.replaceAll('%20', '+'), Buffer.from(secret).toString('base64')];
}

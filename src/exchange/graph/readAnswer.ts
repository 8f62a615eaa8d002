/**
 * An HTTP answer of Graph as a GraphAnswer: its status, its ids, and the error that its body tells of.
 *
 * microsoft-graph-docs-contrib concepts/errors.md: {error: {code, message, innerError}}, innerError nested, and the innermost code that is
 * known counts. Only 202 is acceptance (api/user-sendmail.md).
 * Trust: nothing. A proxy may have written anything; the body is bounded by whoever read it, and its text is made one line.
 */

import type { UnixMs } from '../../base/clock.ts';
import { SECOND_MS } from '../../base/units.ts';
import type { GraphAnswer } from './answer.ts';
import { INNER_ERROR_LIMIT, REPLY_LIMIT_CHARACTERS, RETRY_AFTER_LIMIT_MS } from './limits.ts';
import { GRAPH_REFUSALS, type GraphRefusal, REDIRECTED, refusalOfStatus } from './refusals.ts';

/** An answer as it came. */
export interface HttpAnswer {
  readonly status: number;
  /** By name in lower case; of several fields the first. */
  readonly headers: ReadonlyMap<string, string>;
  /** What was read of it. */
  readonly body: Buffer;
}

/** What an answer says, and what the log tells of it. */
export interface ReadAnswer {
  readonly answer: GraphAnswer;
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  /** Which of Microsoft's servers answered, in its own words; its support asks for it. */
  readonly diagnostic: string | undefined;
}

/** Reads an answer that came at `now`. */
export function readAnswer(http: HttpAnswer, now: UnixMs): ReadAnswer {
  const { status } = http;
  const requestId = printable(http.headers.get('request-id') ?? '') || undefined;
  const diagnostic = printable(http.headers.get('x-ms-ags-diagnostic') ?? '') || undefined;
  const { codes, message } = errorOf(http.body);
  const known = codes.findLast((code) => GRAPH_REFUSALS.has(code));
  const code = known ?? codes.at(-1);
  const reply = replyText(status, code, message, requestId);
  if (status === 202) return { answer: { kind: 'accepted', reply }, code, requestId, diagnostic };
  const retryAfterMs = readRetryAfter(http.headers.get('retry-after'), now);
  const refusal =
    (known === undefined ? undefined : GRAPH_REFUSALS.get(known)) ?? refusalOf(http, retryAfterMs);
  return { answer: answerOf(refusal, reply, retryAfterMs), code, requestId, diagnostic };
}

/** Retry-After as milliseconds from `now`: seconds or a date (RFC 9110 section 10.2.3); undefined for anything else. */
export function readRetryAfter(value: string | undefined, now: UnixMs): number | undefined {
  if (value === undefined) return undefined;
  const waitMs = /^\d{1,9}$/.test(value.trim())
    ? Number(value) * SECOND_MS
    : Math.max(0, Date.parse(value) - now);
  return Number.isNaN(waitMs) ? undefined : Math.min(waitMs, RETRY_AFTER_LIMIT_MS);
}

/** What an answer means whose code is unknown. */
function refusalOf({ status, headers }: HttpAnswer, retryAfterMs: number | undefined): GraphRefusal {
  if (status >= 300 && status < 400) return REDIRECTED;
  // Graph names its request in every answer; a page with 200 and no such name is a proxy's.
  if (status < 300 && !headers.has('request-id')) return { kind: 'unreachable' };
  return refusalOfStatus(status, retryAfterMs !== undefined);
}

function answerOf(refusal: GraphRefusal, reply: string, retryAfterMs: number | undefined): GraphAnswer {
  switch (refusal.kind) {
    case 'permanent': {
      const { status, isUnsuited = false, advice } = refusal;
      return { kind: 'permanent', reply: `${reply} (${advice})`, status, isUnsuited };
    }
    case 'temporary':
      return {
        kind: 'temporary',
        reply,
        status: refusal.status,
        retryAfterMs,
        isLost: false,
        isDoubtful: false,
      };
    case 'throttled':
      return { kind: 'throttled', reason: reply, retryAfterMs };
    case 'quota':
    case 'misconfigured':
      return { kind: refusal.kind, reason: reply, advice: refusal.advice };
    case 'unreachable':
      return { kind: 'unreachable', reason: reply };
  }
}

interface ReadError {
  /** From the outermost to the innermost. */
  readonly codes: readonly string[];
  readonly message: string | undefined;
}

/** The error that a body tells of; nothing where it is none. */
function errorOf(body: Buffer): ReadError {
  let error = property(parseJson(body), 'error');
  const text = property(error, 'message');
  const codes: string[] = [];
  for (let depth = 0; depth < INNER_ERROR_LIMIT && error !== undefined; depth += 1) {
    const code = property(error, 'code');
    if (typeof code === 'string' && code !== '') codes.push(printable(code));
    error = property(error, 'innerError') ?? property(error, 'innererror');
  }
  return { codes, message: typeof text === 'string' ? text : undefined };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function replyText(
  status: number,
  code: string | undefined,
  message: string | undefined,
  requestId: string | undefined,
): string {
  const what = status === 202 ? 'Accepted' : [code, message].filter((text) => text !== undefined).join(': ');
  const id = requestId === undefined ? '' : ` (request-id ${requestId})`;
  return `${status} ${printable(what) || 'without a reason that Graph would give'}${id}`;
}

/** Text as part of one line: bounded, what is not printable shown as `?`. */
function printable(text: string): string {
  return text
    .slice(0, REPLY_LIMIT_CHARACTERS)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .trim();
}

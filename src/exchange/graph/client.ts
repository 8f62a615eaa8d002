/**
 * The client of Microsoft Graph's sendMail: a message in MIME form from one mailbox.
 *
 * microsoft-graph-docs-contrib api/user-sendmail.md: POST /v1.0/users/{id}/sendMail, text/plain, base64; 202 is acceptance. A token that
 * is not taken (401) is renewed once. Each request has an id of ours, which is logged with Graph's: Microsoft asks for both.
 * Used by outbound's relay by Graph. No token, and nothing of a message, is ever logged.
 */

import { randomUUID } from 'node:crypto';

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { AccessTokens, TokenAnswer } from '../accessTokens.ts';
import type { GraphAnswer } from './answer.ts';
import { base64Octets, base64Of } from './base64Stream.ts';
import { type Posted, post } from './post.ts';
import { type ReadAnswer, readAnswer } from './readAnswer.ts';
import type { GraphTurns } from './turns.ts';

/** A mailbox that sends, and how it is reached. */
export interface GraphClientOptions {
  /** `https://graph.microsoft.com` but for national clouds. */
  readonly endpoint: string;
  /** The application's (client) id. */
  readonly application: string;
  /** Its address or id. */
  readonly mailbox: string;
  readonly tokens: AccessTokens;
  /** PEM; instead of Node's roots. */
  readonly certificateAuthorities?: string | undefined;
  readonly turns: GraphTurns;
  readonly clock: Clock;
  readonly log: Log;
}

/** A message to send. */
export interface GraphMessage {
  /** Octets that `open` yields. */
  readonly octets: number;
  /** The message; may be opened twice. */
  open(): AsyncIterable<Buffer>;
}

/** The client. */
export interface GraphClient {
  /** Sends once. Never rejects. `log` has what the log's lines are to tell of the message. */
  sendMail(message: GraphMessage, signal: AbortSignal, log?: Log): Promise<GraphAnswer>;
  /**
   * Sends what cannot become a message, so that Graph refuses its body after it has looked at token, permission and mailbox: that
   * refusal is `accepted`. It needs no other permission than sending does. Never rejects.
   */
  probe(signal: AbortSignal): Promise<GraphAnswer>;
}

const NOBODY_KNOWS = 'connection lost after the whole message had left: Graph may have taken it';
const CERTIFICATE_ADVICE =
  'The certificate of the endpoint is not trusted: check endpoint and clock, and give the relay the authority of a proxy that opens TLS';
const ENDPOINT_ADVICE =
  'The endpoint has to be an https URL: https://graph.microsoft.com but for national clouds';

/** No base64. */
const PROBE = Buffer.from('!');
const PROBE_REFUSAL = 'ErrorMimeContentInvalidBase64String';

/** A client. Nothing is opened before a message is sent. */
export function createGraphClient(options: GraphClientOptions): GraphClient {
  const take = async (body: RequestBody, signal: AbortSignal, log: Log): Promise<GraphAnswer> => {
    const url = sendMailUrl(options);
    if (url === undefined)
      return { kind: 'misconfigured', reason: `no https URL: ${options.endpoint}`, advice: ENDPOINT_ADVICE };
    let endTurn: () => void;
    try {
      endTurn = await options.turns.take(options.application, options.mailbox, signal);
    } catch {
      return { kind: 'aborted' };
    }
    try {
      return await sendWithToken({ ...options, log }, url, body, signal);
    } finally {
      endTurn();
    }
  };
  return {
    sendMail: ({ octets, open }, signal, log = options.log) =>
      take({ octets: base64Octets(octets), open: () => base64Of(open()), isProbe: false }, signal, log),
    probe: (signal) =>
      take(
        {
          octets: PROBE.length,
          open: async function* () {
            yield PROBE;
          },
          isProbe: true,
        },
        signal,
        options.log,
      ),
  };
}

/** What is posted. */
interface RequestBody {
  readonly octets: number;
  open(): AsyncIterable<Buffer>;
  readonly isProbe: boolean;
}

function sendMailUrl({ endpoint, mailbox }: GraphClientOptions): URL | undefined {
  const text = `${endpoint.replace(/\/+$/, '')}/v1.0/users/${encodeURIComponent(mailbox)}/sendMail`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' ? url : undefined;
}

/** Sends with a token, and once more with a new one where that is not taken. */
async function sendWithToken(
  options: GraphClientOptions,
  url: URL,
  body: RequestBody,
  signal: AbortSignal,
): Promise<GraphAnswer> {
  let rejected: string | undefined;
  for (;;) {
    const asked = await tokenOf(options.tokens, signal, rejected);
    if (asked === undefined) return { kind: 'aborted' };
    if (asked.kind !== 'token') return withoutToken(asked);
    const answer = await sendOnce(options, url, asked.token, body, signal);
    if (answer.kind !== 'rejectedToken') return answer;
    if (rejected !== undefined) return answer.answer;
    rejected = asked.token;
  }
}

/** A token, or why there is none; undefined where the caller has aborted. */
async function tokenOf(
  tokens: AccessTokens,
  signal: AbortSignal,
  rejected: string | undefined,
): Promise<TokenAnswer | undefined> {
  try {
    return rejected === undefined ? await tokens.token(signal) : await tokens.token(signal, rejected);
  } catch {
    return undefined;
  }
}

function withoutToken(asked: Exclude<TokenAnswer, { kind: 'token' }>): GraphAnswer {
  const reason = `no access token: ${asked.reason}`;
  if (asked.kind === 'refused') return { kind: 'misconfigured', reason, advice: asked.advice };
  return asked.retryAfterMs === undefined
    ? { kind: 'unreachable', reason }
    : { kind: 'throttled', reason, retryAfterMs: asked.retryAfterMs };
}

type SentOnce = GraphAnswer | { readonly kind: 'rejectedToken'; readonly answer: GraphAnswer };

async function sendOnce(
  options: GraphClientOptions,
  url: URL,
  token: string,
  body: RequestBody,
  signal: AbortSignal,
): Promise<SentOnce> {
  const { clock, certificateAuthorities, log, mailbox } = options;
  const clientRequestId = randomUUID();
  const began = clock.monotonic();
  const posted = await post(
    {
      url,
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'text/plain',
        Accept: 'application/json',
        'client-request-id': clientRequestId,
        'User-Agent': 'Hauspost',
      },
      certificateAuthorities,
      octets: body.octets,
      open: body.open,
      clock,
    },
    signal,
  );
  const fields = { mailbox, clientRequestId, durationMs: Math.round(clock.monotonic() - began) };
  if (posted.kind !== 'answered') {
    const answer = withoutAnswer(posted);
    log.info('exchange.sendMail.lost', { ...fields, outcome: answer.kind, ...reasonOf(posted) });
    return answer;
  }
  const read = readAnswer(posted.http, clock.now());
  logAnswer(log, fields, posted.http.status, read);
  if (posted.http.status === 401) return { kind: 'rejectedToken', answer: read.answer };
  const isProved = body.isProbe && read.code === PROBE_REFUSAL && read.answer.kind === 'permanent';
  return isProved
    ? { kind: 'accepted', reply: 'a body that is no message was refused as such' }
    : read.answer;
}

function logAnswer(log: Log, fields: object, status: number, read: ReadAnswer): void {
  const { answer, code, requestId, diagnostic } = read;
  if (answer.kind === 'accepted') log.info('exchange.sendMail.accept', { ...fields, status, requestId });
  else log.info('exchange.sendMail.refuse', { ...fields, status, code, requestId, diagnostic });
}

function withoutAnswer(posted: Exclude<Posted, { kind: 'answered' }>): GraphAnswer {
  switch (posted.kind) {
    case 'unreachable':
      return { kind: 'unreachable', reason: posted.reason };
    case 'untrusted':
      return { kind: 'misconfigured', reason: posted.reason, advice: CERTIFICATE_ADVICE };
    case 'unreadable':
      return { kind: 'unreadable', error: posted.error };
    case 'lost':
      return lost(posted.reason, posted.isWhole);
    case 'aborted':
      return { kind: 'aborted' };
  }
}

/** A message that left in part is this message's trouble: a proxy that cuts large ones must not stop the small ones. */
function lost(reason: string, isWhole: boolean): GraphAnswer {
  const reply = isWhole
    ? `${NOBODY_KNOWS} (${reason})`
    : `connection lost while the message was sent (${reason})`;
  return { kind: 'temporary', reply, status: '4.4.2', isLost: true, isDoubtful: isWhole };
}

function reasonOf(posted: Exclude<Posted, { kind: 'answered' }>): object {
  return 'reason' in posted ? { reason: posted.reason } : {};
}

/**
 * A form posted by HTTPS: all that asking for tokens needs of HTTP.
 *
 * TLS 1.2 or later with chain and name verified, against Node's roots or those given; one connection for each request; no proxy but
 * by the operating system's routing, whatever the environment says; no redirect is followed, since a form with a secret goes to the
 * endpoint that was configured and nowhere else.
 * Trust: the answer is bounded in size and time, and is read by tokenEndpoint.ts. No text of an error has anything of the form.
 */

import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';

import type { Clock } from '../../base/clock.ts';
import { MailError } from '../../base/error.ts';
import { ANSWER_LIMIT_OCTETS, REQUEST_DEADLINE_MS } from './limits.ts';

/** What came back. */
export interface FormAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  /** The header fields as they came. */
  readonly date: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/**
 * Posts `form` to `url`. Rejects with a one-line message that tells an administrator what went wrong, or with the signal's reason.
 */
export type PostForm = (
  url: string,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<FormAnswer>;

/** Posts by node:https. `certificateAuthorities` (PEM) stand instead of Node's roots. */
export function createPostForm(clock: Clock, certificateAuthorities?: string): PostForm {
  return async (url, form, signal) => {
    signal.throwIfAborted();
    const body = new URLSearchParams(form).toString();
    const { promise, resolve, reject } = Promise.withResolvers<FormAnswer>();
    // An agent of our own takes no proxy from the environment, as the global one may be told to.
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 });
    const asked = request(httpsUrl(url), {
      method: 'POST',
      agent,
      minVersion: 'TLSv1.2',
      // Said, so that NODE_TLS_REJECT_UNAUTHORIZED cannot unsay it.
      rejectUnauthorized: true,
      ...(certificateAuthorities === undefined ? {} : { ca: certificateAuthorities }),
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        'Content-Length': Buffer.byteLength(body),
        Accept: 'application/json',
      },
    });
    const fail = (error: unknown) => {
      reject(error);
      asked.destroy();
    };
    const onAbort = () => fail(signal.reason);
    const deadline = clock.after(REQUEST_DEADLINE_MS, () =>
      fail(new Error(`${hostOf(url)} did not answer within ${REQUEST_DEADLINE_MS / 1000} s`)),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    asked.on('error', (error) => fail(told(url, error)));
    asked.on('response', (answer) => readAnswer(answer).then(resolve, (error) => fail(told(url, error))));
    asked.end(body);
    try {
      return await promise;
    } finally {
      deadline.clear();
      signal.removeEventListener('abort', onAbort);
      agent.destroy();
    }
  };
}

function httpsUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '')
    throw new MailError('invalid', 'the address of a token endpoint begins with https:// and has no login');
  return url;
}

async function readAnswer(answer: IncomingMessage): Promise<FormAnswer> {
  const pieces: Buffer[] = [];
  let octets = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    octets += piece.length;
    if (octets > ANSWER_LIMIT_OCTETS)
      throw new Error(`its answer is longer than ${ANSWER_LIMIT_OCTETS} octets`);
    pieces.push(piece);
  }
  if (!answer.complete) throw new Error('its answer was cut off');
  return {
    status: answer.statusCode ?? 0,
    contentType: answer.headers['content-type'],
    date: answer.headers.date,
    retryAfter: answer.headers['retry-after'],
    body: Buffer.concat(pieces).toString('utf8'),
  };
}

/** The error in words; those of TLS tell what to do, since a gateway that opens TLS is the usual cause. */
function told(url: string, error: unknown): Error {
  const host = hostOf(url);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : 'unknown error';
  if (/CERT|SIGNATURE|ISSUER|ALTNAME|SELF_SIGNED/.test(code))
    return new Error(
      `the certificate of ${host} is not trusted (${code}): does a gateway open TLS on the way?`,
      { cause: error },
    );
  return new Error(`asking ${host} failed: ${code === '' ? message : code}`, { cause: error });
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'the token endpoint';
}

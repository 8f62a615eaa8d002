/**
 * A token server of the tests, over https with a certificate of the tests' own authority: it stands where Microsoft's login server stands.
 *
 * `issuer` decides (tokenIssuer.ts); here are the wire, the faults that a test orders, and introspection (RFC 7662) for Dovecot. Every
 * request is kept, so that a test counts them and knows what must stand in no log.
 */

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { Test } from 'tap';

import type { TokenGrant, TokenOptions } from '../../src/exchange/tokens/options.ts';
import { type Authority, createAuthority } from './authority.ts';
import { type IssuerAnswer, type IssuerOptions, refusal, TokenIssuer } from './tokenIssuer.ts';

/** The directory of the tests, unless one is given. */
export const TEST_TENANT = '11111111-2222-3333-4444-555555555555';

/** What one request is answered with in place of the issuer's answer. */
export type TokenFault =
  /** Busy or broken, in Entra's form. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: string | undefined;
      readonly error?: string | undefined;
    }
  /** A refusal with this `error` and number. */
  | {
      readonly kind: 'refuse';
      readonly error: string;
      readonly code: number;
      readonly text?: string | undefined;
    }
  /** Nothing is ever answered. */
  | { readonly kind: 'silent' }
  /** The connection ends within the body. */
  | { readonly kind: 'cut' }
  /** A body of this many octets. */
  | { readonly kind: 'huge'; readonly octets: number }
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'redirect'; readonly to: string }
  /** 200 with this body. */
  | { readonly kind: 'body'; readonly body: string };

/** A request as it came. */
export interface TokenRequest {
  readonly path: string;
  readonly form: URLSearchParams;
}

/** A token server that runs. */
export interface TokenServer {
  /** `https://localhost:PORT`: the authority of token options. */
  readonly origin: string;
  readonly tenant: string;
  /** PEM of its roots. */
  readonly certificateAuthorities: string;
  readonly issuer: TokenIssuer;
  /** Requests to the token endpoint and the device endpoint, in their order. */
  readonly requests: readonly TokenRequest[];
  /** `http://127.0.0.1:PORT/introspect`: takes `token` by POST, or behind `?token=`. */
  readonly introspection: string;
  /** The next `times` requests to the token endpoint end so. */
  order(fault: TokenFault, times?: number): void;
  /** Forgets what is ordered and not done yet. */
  withdrawOrders(): void;
  /** Answers wait until the returned function is called. */
  hold(): () => void;
  /** How far its clock is ahead of this machine's; its Date and its checks go by it. */
  clockAheadMs: number;
  /** Introspection answers 500 from now on, or no more. */
  isIntrospectionDown: boolean;
  /** All that must stand in no log: secrets, assertions and tokens that passed. */
  secrets(): readonly string[];
}

/** Options of a server. */
export type TokenServerOptions = Partial<IssuerOptions> & { readonly authority?: Authority | undefined };

/** What a client of `server` is told, for the relay `cloud` and the application `clientId`. */
export function tokenOptions(
  { origin, tenant, certificateAuthorities }: TokenServer,
  clientId: string,
  grant: TokenGrant,
): TokenOptions {
  const scope =
    grant.kind === 'user'
      ? 'https://outlook.office.com/SMTP.Send offline_access'
      : 'https://outlook.office365.com/.default';
  return { name: 'cloud', authority: origin, tenant, clientId, scope, grant, certificateAuthorities };
}

/** Opens one on a free port; it is gone when the test ends. */
export async function openTokenServer(t: Test, options: TokenServerOptions = {}): Promise<TokenServer> {
  const authority = options.authority ?? (await createAuthority('Token Test Root'));
  const { pem, keyPem } = await authority.issue({
    commonName: 'localhost',
    names: ['localhost'],
    uses: ['serverAuth'],
  });
  const tenant = options.tenant ?? TEST_TENANT;
  const faults: TokenFault[] = [];
  const requests: TokenRequest[] = [];
  let gate = Promise.resolve();
  const now = () => Date.now() + server.clockAheadMs;
  const issuer = new TokenIssuer({ ...options, tenant }, now);

  const secure = createServer({ cert: pem, key: keyPem }, (request, response) => {
    readForm(request)
      .then(async (form) => {
        requests.push({ path: request.url ?? '', form });
        const isToken = request.url?.endsWith('/token') === true;
        const fault = isToken ? faults.shift() : undefined;
        await gate;
        response.setHeader('Date', new Date(now()).toUTCString());
        if (fault !== undefined) commit(fault, request, response);
        else write(response, answerOf(request.url ?? '', form));
      })
      .catch(() => request.socket.destroy());
  });
  const answerOf = (path: string, form: URLSearchParams): IssuerAnswer => {
    if (path === `/${tenant}/oauth2/v2.0/token`) return issuer.token(form, `${server.origin}${path}`);
    if (path === `/${tenant}/oauth2/v2.0/devicecode`) return issuer.device(form, `${server.origin}/device`);
    return refusal('invalid_request', 90002, `Tenant '${path.split('/')[1]}' not found.`);
  };
  const plain = createHttpServer((request, response) => {
    readForm(request).then((form) => {
      const token =
        form.get('token') ?? new URL(request.url ?? '', 'http://localhost').searchParams.get('token');
      write(
        response,
        server.isIntrospectionDown ? { status: 500, body: {} } : introspect(issuer, token ?? ''),
      );
    });
  });
  const [port, plainPort] = await Promise.all([listen(t, secure), listen(t, plain)]);

  const server: TokenServer = {
    origin: `https://localhost:${port}`,
    tenant,
    certificateAuthorities: authority.pem,
    issuer,
    requests,
    introspection: `http://127.0.0.1:${plainPort}/introspect`,
    order: (fault, times = 1) => faults.push(...Array.from({ length: times }, () => fault)),
    withdrawOrders: () => faults.splice(0),
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    clockAheadMs: 0,
    isIntrospectionDown: false,
    secrets: () => [...requests.flatMap(({ form }) => secretsOf(form)), ...issuer.accessTokens.keys()],
  };
  return server;
}

function introspect(issuer: TokenIssuer, token: string): IssuerAnswer {
  const found = issuer.find(token);
  if (found === undefined) return { status: 200, body: { active: false } };
  const { clientId, user, scope } = found;
  return {
    status: 200,
    body: { active: true, username: user, client_id: clientId, scope, token_type: 'Bearer' },
  };
}

function secretsOf(form: URLSearchParams): readonly string[] {
  return ['client_secret', 'client_assertion', 'refresh_token', 'device_code']
    .map((name) => form.get(name))
    .filter((value) => value !== null);
}

function commit(fault: TokenFault, request: IncomingMessage, response: ServerResponse): void {
  switch (fault.kind) {
    case 'status': {
      if (fault.retryAfter !== undefined) response.setHeader('Retry-After', fault.retryAfter);
      const { body } = refusal(
        fault.error ?? 'temporarily_unavailable',
        90033,
        'A transient error has occurred.',
      );
      write(response, { status: fault.status, body });
      return;
    }
    case 'refuse':
      write(response, refusal(fault.error, fault.code, fault.text ?? 'It was refused.'));
      return;
    case 'silent':
      return;
    case 'cut':
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
      response.write('{"token_type":"Bearer","access_token":"');
      setImmediate(() => request.socket.destroy());
      return;
    case 'huge':
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.on('error', () => {}).end(`{"access_token":"${'a'.repeat(fault.octets)}"}`);
      return;
    case 'html':
      response.writeHead(fault.status, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end('<html><body><h1>Blocked by policy</h1></body></html>');
      return;
    case 'redirect':
      response.writeHead(307, { Location: fault.to }).end();
      return;
    case 'body':
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(fault.body);
  }
}

function write(response: ServerResponse, { status, body }: IssuerAnswer): void {
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.end(JSON.stringify(body));
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return new URLSearchParams(Buffer.concat(pieces).toString());
}

interface Listening {
  listen(port: number, host: string, done: () => void): unknown;
  address(): AddressInfo | string | null;
  close(done: () => void): unknown;
  closeAllConnections(): void;
}

async function listen(t: Test, server: Listening): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

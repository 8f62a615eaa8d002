/**
 * Microsoft Graph's sendMail as a server on 127.0.0.1, by https with a certificate of the test's authority.
 *
 * Written from what Microsoft publishes (microsoft-graph-docs-contrib: api-reference/v1.0/api/user-sendmail.md, concepts/errors.md,
 * throttling.md, throttling-limits.md, outlook-send-mail-from-other-user.md, best-practices-concept.md) and not from our client; the
 * independent client package of Microsoft drives it as well. Who gets a message is read from its header by mailparser, as Graph has no
 * envelope. Faults are queued: each takes the place of one answer.
 */

import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';

import type { Message, Recipient } from '@microsoft/microsoft-graph-types';
import { simpleParser } from 'mailparser';

import { MIB } from '../../src/base/units.ts';
import type { Issued } from './authority.ts';
import { freePort } from './freePort.ts';
import type { Teardown } from './sockets.ts';

/** A mailbox of the tenant. */
export interface GraphMailbox {
  /** Beside its address. */
  readonly id?: string;
  /** Addresses that it may write From with, beside its own. */
  readonly sendAs?: readonly string[];
}

/** What was sent. */
export interface SentMessage {
  readonly mailbox: string;
  readonly mime: Buffer;
  /** Whom Graph sends it to: those of the header, in lower case, each once. */
  readonly recipients: readonly string[];
}

/** What happens in place of an answer, once. */
export type GraphFault =
  /** An error as Graph writes it, or with `body` whatever is wanted. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly code?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** Takes the message before it answers so. */
      readonly isTaken?: boolean;
    }
  /** Reads nothing of the body and answers so. */
  | { readonly kind: 'early'; readonly status: number; readonly code: string }
  /** Ends the connection: on the head, within the body, or with the whole body read. */
  | { readonly kind: 'cut'; readonly at: 'head' | 'body' | 'answer' }
  /** Reads the message and says nothing; or, when the test lets it go on, answers as usual. */
  | { readonly kind: 'silent' | 'held' }
  /** Reads nothing of the body, and says nothing. */
  | { readonly kind: 'deaf' }
  /** Answers with a body that never ends: octets without end, or none at all. */
  | { readonly kind: 'endless' | 'half'; readonly status: number };

/** A request as it came. */
export interface GraphRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** The server. */
export interface GraphServer {
  /** `https://localhost:port`. */
  readonly endpoint: string;
  /** Mailboxes by address in lower case. */
  readonly mailboxes: Map<string, GraphMailbox>;
  /** What tokens are worth; others are unknown. */
  readonly tokens: Map<string, TokenWorth>;
  readonly sent: SentMessage[];
  readonly requests: GraphRequest[];
  readonly faults: GraphFault[];
  /** Happens in place of every answer while it is set, when no fault is queued. */
  always: GraphFault | undefined;
  /** Requests that are being answered now, and the most there were at a time. */
  readonly inFlight: { now: number; most: number };
  /** Resolves when a request is there that is not answered (`silent`, `deaf`, `held`). */
  stuck(): Promise<void>;
  /** Resolves once that is so; looked at whenever a message has been sent. */
  until(isTrue: () => boolean): Promise<void>;
  /** Lets what is `held` go on. */
  goOn(): void;
  /** Takes no more connections, and ends those there are, until it comes back at the same port. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

/** "4 MB" of one request. */
const REQUEST_LIMIT_OCTETS = 4 * MIB;
/** Outlook's requests at a time for each application. */
const CONCURRENT_LIMIT = 4;
const PATH = /^\/v1\.0\/(?:me|users\/([^/]+))\/sendMail$/;
/** One or more lines of base64, the last one padded. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Texts as Microsoft publishes them. */
const SEND_AS_DENIED =
  'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account. Cannot submit message.';
const BAD_BASE64 = 'Invalid base64 string for MIME content.';

/** What a token is worth; undefined when nobody knows it. */
export type TokenWorth = 'valid' | 'expired' | 'without permission' | undefined;

/** Opens a server that closes with the test. `issued` has the name localhost; `worthOf` is asked where `tokens` does not know. */
export async function openGraphServer(
  t: Teardown,
  issued: Issued,
  worthOf: (token: string) => TokenWorth = () => undefined,
): Promise<GraphServer> {
  const arrivals = new EventEmitter();
  const stuck = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const graph: { -readonly [Key in keyof GraphServer]: GraphServer[Key] } = {
    endpoint: '',
    mailboxes: new Map([['adelev@contoso.com', {}]]),
    tokens: new Map([['good', 'valid']]),
    sent: [],
    requests: [],
    faults: [],
    always: undefined,
    inFlight: { now: 0, most: 0 },
    stuck: () => stuck.promise,
    until: async (isTrue) => {
      while (!isTrue()) await once(arrivals, 'sent');
    },
    goOn: held.resolve,
    goAway: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    comeBack: async () => undefined,
  };
  const server = createServer({ cert: issued.pem, key: issued.keyPem }, (request, response) => {
    const exchange = new Exchange(graph, request, response, {
      isStuck: stuck.resolve,
      goesOn: held.promise,
      hasSent: () => arrivals.emit('sent'),
      worthOf: (token) => graph.tokens.get(token) ?? worthOf(token),
    });
    exchange.run().catch(() => request.socket.destroy());
  });
  const listen = async (port: number) => {
    if (server.listening) return;
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  // It may go away and come back, and nobody may have its port meanwhile.
  const port = await freePort();
  await listen(port);
  graph.endpoint = `https://localhost:${port}`;
  graph.comeBack = () => listen(port);
  t.teardown(() => graph.goAway());
  return graph;
}

/** What a request asks the test, and how they wait for each other. */
interface Hooks {
  readonly isStuck: () => void;
  readonly goesOn: Promise<void>;
  readonly hasSent: () => void;
  worthOf(token: string): TokenWorth;
}

/** One request and its answer. */
class Exchange {
  readonly #graph: GraphServer;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #hooks: Hooks;

  constructor(graph: GraphServer, request: IncomingMessage, response: ServerResponse, hooks: Hooks) {
    this.#hooks = hooks;
    this.#graph = graph;
    this.#request = request;
    this.#response = response;
  }

  async run(): Promise<void> {
    const { inFlight, faults } = this.#graph;
    inFlight.now += 1;
    inFlight.most = Math.max(inFlight.most, inFlight.now);
    this.#response.once('close', () => {
      inFlight.now -= 1;
    });
    const isOver = inFlight.now > CONCURRENT_LIMIT;
    const fault = faults.shift() ?? this.#graph.always;
    if (fault !== undefined) return this.#fail(fault);
    const body = await this.#body();
    if (isOver)
      return this.#error(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.', {
        'Retry-After': '1',
      });
    return this.#answer(body);
  }

  async #fail(fault: GraphFault): Promise<void> {
    const { socket } = this.#request;
    if (fault.kind === 'early') return this.#error(fault.status, fault.code, fault.code);
    if (fault.kind === 'deaf') return this.#hooks.isStuck();
    if (fault.kind === 'cut' && fault.at === 'head') return void socket.destroy();
    if (fault.kind === 'cut' && fault.at === 'body') {
      await once(this.#request, 'readable');
      return void socket.destroy();
    }
    const body = await this.#body();
    switch (fault.kind) {
      case 'cut':
        return void socket.destroy();
      case 'silent':
        return this.#hooks.isStuck();
      case 'held':
        this.#hooks.isStuck();
        await this.#hooks.goesOn;
        return this.#answer(body);
      case 'endless':
      case 'half':
        this.#response.writeHead(fault.status, { 'Content-Type': 'application/json' });
        this.#response.flushHeaders();
        return fault.kind === 'half' ? undefined : this.#endless();
      case 'answer':
        if (fault.isTaken === true) await this.#take(body);
        if (fault.body === undefined)
          return this.#error(fault.status, fault.code ?? 'generalException', fault.message, fault.headers);
        this.#response.writeHead(fault.status, { ...fault.headers });
        return void this.#response.end(fault.body);
    }
  }

  async #endless(): Promise<void> {
    const piece = 'x'.repeat(16 * 1024);
    while (!this.#response.destroyed) {
      if (!this.#response.write(piece))
        await Promise.race(['drain', 'close'].map((event) => once(this.#response, event)));
    }
  }

  async #body(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.#request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    this.#graph.requests.push({ path: this.#request.url ?? '', headers: this.#request.headers, body });
    return body;
  }

  async #answer(body: Buffer): Promise<void> {
    const path = PATH.exec(this.#request.url ?? '');
    if (path === null) return this.#error(404, 'ResourceNotFound', 'Resource could not be discovered.');
    if (this.#request.method !== 'POST')
      return this.#error(405, 'ErrorInvalidRequest', 'The OData request is not supported.');
    if (!this.#isLetIn()) return;
    if (body.length > REQUEST_LIMIT_OCTETS)
      return this.#error(413, 'RequestEntityTooLarge', 'The request body is too large.');
    return this.#take(body, () => {
      this.#response.writeHead(202, this.#traceFields());
      this.#response.end();
    });
  }

  /** Whether the token lets in; else that has been answered. */
  #isLetIn(): boolean {
    const [, token] = /^Bearer (\S+)$/.exec(this.#request.headers.authorization ?? '') ?? [];
    const worth = token === undefined ? undefined : this.#hooks.worthOf(token);
    if (worth === 'valid') return true;
    if (worth === 'without permission') {
      this.#error(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
      return false;
    }
    const text =
      token === undefined
        ? 'Access token is empty.'
        : worth === 'expired'
          ? 'Lifetime validation failed, the token is expired.'
          : 'CompactToken parsing failed with error code: 80049217';
    this.#error(401, 'InvalidAuthenticationToken', text, { 'WWW-Authenticate': 'Bearer realm=""' });
    return false;
  }

  /** Sends the message, and says so by `accepted`; or says why not. */
  async #take(body: Buffer, accepted: () => void = () => undefined): Promise<void> {
    const name = decodeURIComponent(
      PATH.exec(this.#request.url ?? '')?.[1] ?? 'adelev@contoso.com',
    ).toLowerCase();
    const found = [...this.#graph.mailboxes].find(([address, { id }]) => address === name || id === name);
    if (found === undefined)
      return this.#error(404, 'ErrorInvalidUser', `The requested user '${name}' is invalid.`);
    const [mailbox, { sendAs = [] }] = found;
    const message = await this.#read(body);
    if (message === undefined) return;
    const { from, recipients, mime } = message;
    if (from !== undefined && from !== mailbox && !sendAs.includes(from))
      return this.#error(403, 'ErrorSendAsDenied', SEND_AS_DENIED);
    if (recipients.length === 0)
      return this.#error(400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.');
    this.#graph.sent.push({ mailbox, mime, recipients });
    accepted();
    this.#hooks.hasSent();
  }

  async #read(
    body: Buffer,
  ): Promise<{ from?: string | undefined; recipients: string[]; mime: Buffer } | undefined> {
    const type = (this.#request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
    if (type === 'application/json') return { ...readJson(body), mime: body };
    if (type !== 'text/plain') {
      this.#error(415, 'UnsupportedMediaType', 'The content type of the request is not supported.');
      return undefined;
    }
    const text = body.toString('latin1').replaceAll(/\r?\n/g, '');
    if (text === '' || !BASE64.test(text)) {
      this.#error(400, 'ErrorMimeContentInvalidBase64String', BAD_BASE64);
      return undefined;
    }
    const mime = Buffer.from(text, 'base64');
    return { ...(await readMime(mime)), mime };
  }

  #error(status: number, code: string, message = code, headers: Readonly<Record<string, string>> = {}): void {
    const trace = this.#traceFields();
    const error = {
      code,
      message,
      innerError: {
        date: '2026-01-15T10:00:00',
        'request-id': trace['request-id'],
        'client-request-id': trace['client-request-id'] ?? trace['request-id'],
      },
    };
    this.#response.writeHead(status, { 'Content-Type': 'application/json', ...trace, ...headers });
    this.#response.end(JSON.stringify({ error }));
  }

  #traceFields(): Record<string, string> {
    const own = this.#request.headers['client-request-id'];
    return {
      'request-id': randomUUID(),
      ...(typeof own === 'string' ? { 'client-request-id': own } : {}),
      'x-ms-ags-diagnostic': '{"ServerInfo":{"DataCenter":"Test","Slice":"E","Ring":"4","ScaleUnit":"001"}}',
    };
  }
}

async function readMime(mime: Buffer): Promise<{ from?: string | undefined; recipients: string[] }> {
  const parsed = await simpleParser(mime);
  const lists = [parsed.to, parsed.cc, parsed.bcc].flatMap((list) => list ?? []);
  const addresses = lists.flatMap(({ value }) => value.flatMap((entry) => entry.group ?? [entry]));
  return {
    from: parsed.from?.value[0]?.address?.toLowerCase(),
    recipients: distinct(addresses.map(({ address }) => address)),
  };
}

function readJson(body: Buffer): { from?: string | undefined; recipients: string[] } {
  const { message } = JSON.parse(body.toString()) as { message: Message };
  const { toRecipients, ccRecipients, bccRecipients, from } = message;
  const lists: readonly Recipient[] = [toRecipients, ccRecipients, bccRecipients].flatMap(
    (list) => list ?? [],
  );
  return {
    from: from?.emailAddress?.address?.toLowerCase(),
    recipients: distinct(lists.map(({ emailAddress }) => emailAddress?.address ?? undefined)),
  };
}

function distinct(addresses: readonly (string | undefined)[]): string[] {
  return [...new Set(addresses.flatMap((address) => (address ? [address.toLowerCase()] : [])))];
}

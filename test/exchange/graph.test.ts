/**
 * The client of Graph's sendMail against the Graph fake; and the fake against Microsoft's published examples and Microsoft's own client
 * package, so that ours does not vouch for it.
 */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Writable } from 'node:stream';
import { setDefaultCACertificates } from 'node:tls';

import { Client, GraphError } from '@microsoft/microsoft-graph-client';
import type { Message } from '@microsoft/microsoft-graph-types';
import fc from 'fast-check';
import t from 'tap';

import { type Clock, systemClock, unixMs } from '../../src/base/clock.ts';
import { createLog, silentLog } from '../../src/base/log.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../src/base/units.ts';
import type { AccessTokens, TokenAnswer } from '../../src/exchange/accessTokens.ts';
import type { GraphAnswer } from '../../src/exchange/graph/answer.ts';
import { base64Octets, base64Of } from '../../src/exchange/graph/base64Stream.ts';
import {
  createGraphClient,
  type GraphClient,
  type GraphClientOptions,
} from '../../src/exchange/graph/client.ts';
import {
  ABORTED_ANSWER_DEADLINE_MS,
  ANSWER_BODY_DEADLINE_MS,
  ANSWER_DEADLINE_MS,
  CONNECT_DEADLINE_MS,
  SEND_DEADLINE_MS,
} from '../../src/exchange/graph/limits.ts';
import { readAnswer, readRetryAfter } from '../../src/exchange/graph/readAnswer.ts';
import { GRAPH_REFUSALS } from '../../src/exchange/graph/refusals.ts';
import { createGraphTurns } from '../../src/exchange/graph/turns.ts';
import { createAuthority } from '../support/authority.ts';
import { createTestClock, TEST_CLOCK_START } from '../support/clock.ts';
import { GRAPH_EXAMPLES } from '../support/graphExamples.ts';
import { type GraphFault, type GraphServer, openGraphServer } from '../support/graphServer.ts';
import type { Teardown } from '../support/sockets.ts';

const AUTHORITY = await createAuthority('Graph of the tests');
const ISSUED = await AUTHORITY.issue({ commonName: 'localhost', names: ['localhost'], uses: ['serverAuth'] });
// The package asks by fetch, which has no place for an authority of its own.
setDefaultCACertificates([AUTHORITY.pem]);

/** The server, and Microsoft's client with this token. */
async function open(t: Teardown, token = 'good'): Promise<{ graph: GraphServer; client: Client }> {
  const graph = await openGraphServer(t, ISSUED);
  const client = Client.init({
    baseUrl: graph.endpoint,
    customHosts: new Set(['localhost']),
    authProvider: (done) => done(null, token),
  });
  return { graph, client };
}

/** The error that Microsoft's client tells of. */
async function errorOf(asked: Promise<unknown>): Promise<GraphError> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GraphError)) throw new Error(`no GraphError: ${error}`);
  return error;
}

t.test(
  "Microsoft's client sends the published MIME example, and the server reads whom it is for",
  async (t) => {
    const { graph, client } = await open(t);
    await client
      .api('/users/AdeleV@contoso.com/sendMail')
      .header('Content-Type', 'text/plain')
      .post(GRAPH_EXAMPLES.mime.request);
    t.strictSame(
      graph.sent.map(({ mailbox, recipients }) => ({ mailbox, recipients })),
      [{ mailbox: 'adelev@contoso.com', recipients: ['alexw@contoso.com'] }],
    );
    t.match(graph.sent[0]?.mime.toString(), /^From: Adele Vance <AdeleV@contoso\.com>\nTo: Alex Wilber/);
    t.match(graph.requests[0]?.headers, { authorization: 'Bearer good', 'content-type': 'text/plain' });
  },
);

t.test('the published JSON example goes to both lists', async (t) => {
  const { graph, client } = await open(t);
  const message: Message = GRAPH_EXAMPLES.json.message;
  await client.api('/me/sendMail').post({ message, saveToSentItems: false });
  t.strictSame(graph.sent[0]?.recipients, ['frannis@contoso.com', 'danas@contoso.com']);
});

t.test("errors have the published shape, and Microsoft's client reads code, message and ids", async (t) => {
  const { graph, client } = await open(t);
  const api = (mailbox = 'adelev@contoso.com') =>
    client.api(`/users/${mailbox}/sendMail`).header('Content-Type', 'text/plain');
  const bad = await errorOf(api().post('bm90IGJhc2U2NA=!'));
  t.match({ ...GRAPH_EXAMPLES.badBase64.error, statusCode: 400 }, pick(bad));
  const mime = 'From: pattif@contoso.com\r\nTo: meganb@contoso.com\r\n\r\nhello\r\n';
  const denied = await errorOf(api().post(Buffer.from(mime).toString('base64')));
  t.match({ ...GRAPH_EXAMPLES.sendAsDenied.error, statusCode: 403 }, pick(denied));
  t.ok(denied.requestId, 'request-id');
  t.match(pick(await errorOf(api('nobody@contoso.com').post('QQ=='))), {
    statusCode: 404,
    code: 'ErrorInvalidUser',
  });
  t.match(pick(await errorOf(client.api('/me/sendMail').header('Content-Type', 'image/png').post('QQ=='))), {
    statusCode: 415,
  });
  t.strictSame(graph.sent, []);
});

t.test('a token that is unknown or without permission is told apart', async (t) => {
  const { graph, client } = await open(t, 'secret');
  const send = () => errorOf(client.api('/me/sendMail').header('Content-Type', 'text/plain').post('QQ=='));
  t.match(pick(await send()), { statusCode: 401, code: 'InvalidAuthenticationToken' });
  graph.tokens.set('secret', 'expired');
  t.match(pick(await send()), { statusCode: 401, message: /expired/ });
  graph.tokens.set('secret', 'without permission');
  t.match(pick(await send()), { statusCode: 403, code: 'ErrorAccessDenied' });
});

t.test("Microsoft's client waits as Retry-After says and sends once more", async (t) => {
  const { graph, client } = await open(t);
  graph.faults.push({
    kind: 'answer',
    status: 429,
    code: 'ApplicationThrottled',
    headers: { 'Retry-After': '0' },
  });
  await client.api('/me/sendMail').header('Content-Type', 'text/plain').post(GRAPH_EXAMPLES.mime.request);
  t.equal(graph.requests.length, 2);
  t.equal(graph.sent.length, 1);
});

// As long as a multiple of three, so that its base64 has no padding.
const MIME = Buffer.from('From: adelev@contoso.com\r\nTo: alexw@contoso.com\r\n\r\nhello!!\r\n');

/** Tokens in their order, the last one for ever; `rejected` has those that were given back. */
function tokensOf(...answers: TokenAnswer[]): AccessTokens & { readonly rejected: string[] } {
  const rejected: string[] = [];
  return {
    rejected,
    token: async (_signal, bad) => {
      if (bad !== undefined) rejected.push(bad);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return answer ?? { kind: 'unavailable', reason: 'none' };
    },
  };
}

const tokenOf = (token: string): TokenAnswer => ({ kind: 'token', token });

/** The server, and our client. */
async function openOurs(
  t: Teardown,
  options: Partial<GraphClientOptions> = {},
): Promise<{ graph: GraphServer; client: GraphClient }> {
  const graph = await openGraphServer(t, ISSUED);
  const client = createGraphClient({
    endpoint: graph.endpoint,
    application: 'app',
    mailbox: 'AdeleV@contoso.com',
    tokens: tokensOf(tokenOf('good')),
    certificateAuthorities: AUTHORITY.pem,
    turns: createGraphTurns(),
    clock: systemClock,
    log: silentLog,
    ...options,
  });
  return { graph, client };
}

async function* pieces(octets: Buffer, size = octets.length): AsyncGenerator<Buffer> {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

function messageOf(octets: Buffer): { octets: number; open: () => AsyncIterable<Buffer> } {
  return { octets: octets.length, open: () => pieces(octets, 64 * 1024) };
}

const NEVER = new AbortController().signal;

t.setTimeout(300_000);

t.test(
  'our client sends a message octet by octet, in pieces of any size, as one line of base64',
  async (t) => {
    const { graph, client } = await openOurs(t);
    const large = Buffer.concat([MIME, Buffer.alloc(1_500_001, 'hello, world\r\n')]);
    for (const mime of [MIME, large]) {
      const answer = await client.sendMail(messageOf(mime), NEVER);
      t.match(answer, { kind: 'accepted', reply: /^202 Accepted \(request-id [0-9a-f-]{36}\)$/ });
      t.ok(graph.sent.at(-1)?.mime.equals(mime), 'the same octets');
    }
    const [request] = graph.requests;
    t.equal(request?.path, '/v1.0/users/AdeleV%40contoso.com/sendMail');
    t.match(request?.headers, {
      'content-type': 'text/plain',
      'content-length': String(base64Octets(MIME.length)),
      'client-request-id': /^[0-9a-f-]{36}$/,
    });
  },
);

t.test('base64 in pieces is base64 of the whole', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 20 })), async (parts) => {
      const whole = Buffer.concat(parts);
      async function* each() {
        for (const part of parts) yield Buffer.from(part);
      }
      const made: Buffer[] = [];
      for await (const piece of base64Of(each())) made.push(piece);
      const text = Buffer.concat(made).toString();
      return text === whole.toString('base64') && text.length === base64Octets(whole.length);
    }),
    { seed: 6, numRuns: 300 },
  );
});

/** Each way in which Graph or the way to it goes wrong, and what our client makes of it. */
const FAULTS: readonly (readonly [name: string, fault: GraphFault, expected: object])[] = [
  [
    'too many requests',
    {
      kind: 'answer',
      status: 429,
      code: 'ApplicationThrottled',
      message: 'Application is over its MailboxConcurrency limit.',
      headers: { 'Retry-After': '7' },
    },
    { kind: 'throttled', retryAfterMs: 7000, reason: /^429 ApplicationThrottled: Application is over/ },
  ],
  ['no room', { kind: 'answer', status: 507 }, { kind: 'misconfigured', advice: /Sent Items/ }],
  [
    'too large',
    { kind: 'answer', status: 413, body: '<html>Too large</html>' },
    { kind: 'permanent', status: '5.3.4', isUnsuited: true },
  ],
  [
    'a quota',
    { kind: 'answer', status: 403, code: 'ErrorExceededMessageLimit' },
    { kind: 'quota', advice: /10,000/ },
  ],
  [
    'a code that nobody knows',
    { kind: 'answer', status: 400, code: 'ErrorOfTomorrow' },
    { kind: 'temporary', status: '4.3.0', isDoubtful: false, reply: /^400 ErrorOfTomorrow/ },
  ],
  ['an inner error', { kind: 'answer', status: 500 }, { kind: 'temporary', status: '4.3.0' }],
  [
    'not now, and when',
    { kind: 'answer', status: 503, headers: { 'Retry-After': '120' } },
    { kind: 'throttled', retryAfterMs: 120_000 },
  ],
  ['not now', { kind: 'answer', status: 503, body: 'Service Unavailable' }, { kind: 'unreachable' }],
  ['a gateway that waited', { kind: 'answer', status: 504 }, { kind: 'temporary', status: '4.4.2' }],
  [
    '200, which is no acceptance',
    { kind: 'answer', status: 200, headers: { 'request-id': 'x' }, body: '' },
    { kind: 'temporary', status: '4.3.0' },
  ],
  [
    'the page of a proxy',
    { kind: 'answer', status: 200, body: '<html>Please log in</html>' },
    { kind: 'unreachable', reason: /^200/ },
  ],
  [
    'a redirect, which is not followed',
    { kind: 'answer', status: 307, headers: { Location: 'https://localhost:1/' }, body: '' },
    { kind: 'misconfigured', advice: /not Graph/ },
  ],
  [
    'an answer before the body',
    { kind: 'early', status: 413, code: 'x' },
    { kind: 'permanent', status: '5.3.4' },
  ],
  [
    'an end on the head',
    { kind: 'cut', at: 'head' },
    { kind: 'temporary', status: '4.4.2', isDoubtful: false },
  ],
  ['an end within the body', { kind: 'cut', at: 'body' }, { kind: 'temporary', isDoubtful: false }],
  [
    'an end in place of the answer',
    { kind: 'cut', at: 'answer' },
    { kind: 'temporary', status: '4.4.2', isDoubtful: true, reply: /may have taken it/ },
  ],
  [
    'a head without end',
    { kind: 'answer', status: 202, headers: { 'x-long': 'x'.repeat(40_000) }, body: '' },
    { kind: 'temporary', isLost: true, isDoubtful: true },
  ],
  [
    'a body without end',
    { kind: 'endless', status: 500 },
    { kind: 'temporary', status: '4.3.0', reply: /^500 without a reason/ },
  ],
];

t.test('whatever goes wrong is told by its class', async (t) => {
  const large = messageOf(Buffer.concat([MIME, Buffer.alloc(8_000_000, 'x')]));
  for (const [name, fault, expected] of FAULTS) {
    const { graph, client } = await openOurs(t);
    graph.faults.push(fault);
    const cutsShort = fault.kind === 'cut' && fault.at !== 'answer';
    const answer = await client.sendMail(cutsShort ? large : messageOf(MIME), NEVER);
    t.match(answer, expected, name);
    t.equal(graph.sent.length, 0, `${name}: nothing was sent`);
  }
});

t.test('a From that is not allowed fails with what Microsoft says and what to do', async (t) => {
  const { graph, client } = await openOurs(t);
  const foreign = Buffer.from('From: pattif@contoso.com\r\nTo: meganb@contoso.com\r\n\r\nhello\r\n');
  const answer = await client.sendMail(messageOf(foreign), NEVER);
  t.match(answer, {
    kind: 'permanent',
    status: '5.7.1',
    reply: /^403 ErrorSendAsDenied: The user account.*SendAs/,
  });
  graph.mailboxes.set('adelev@contoso.com', { sendAs: ['pattif@contoso.com'] });
  t.match(await client.sendMail(messageOf(foreign), NEVER), { kind: 'accepted' });
});

t.test('a token that is not taken is renewed once, and the message sent with the new one', async (t) => {
  const tokens = tokensOf(tokenOf('old'), tokenOf('good'));
  const { graph, client } = await openOurs(t, { tokens });
  graph.tokens.set('old', 'expired');
  t.match(await client.sendMail(messageOf(MIME), NEVER), { kind: 'accepted' });
  t.strictSame(tokens.rejected, ['old']);
  t.equal(graph.sent.length, 1);
});

t.test('a second token that is not taken, and a token that there is not, are told', async (t) => {
  const refused: TokenAnswer = { kind: 'refused', reason: 'invalid_client', advice: 'a new secret' };
  const table: readonly (readonly [tokens: TokenAnswer, expected: object, requests: number])[] = [
    [tokenOf('bad'), { kind: 'misconfigured', reason: /^401 InvalidAuth/, advice: /access token/ }, 2],
    [refused, { kind: 'misconfigured', reason: /invalid_client/, advice: 'a new secret' }, 0],
    [{ kind: 'unavailable', reason: 'no DNS' }, { kind: 'unreachable', reason: /no DNS/ }, 0],
    [{ kind: 'unavailable', reason: 'busy', retryAfterMs: 9 }, { kind: 'throttled', retryAfterMs: 9 }, 0],
    [tokenOf('a\nb'), { kind: 'unreachable' }, 0],
  ];
  for (const [answer, expected, requests] of table) {
    const { graph, client } = await openOurs(t, { tokens: tokensOf(answer) });
    t.match(await client.sendMail(messageOf(MIME), NEVER), expected);
    t.equal(graph.requests.length, requests);
  }
});

t.test('who is not Graph, or cannot prove it, hears nothing', async (t) => {
  const other = await createAuthority('Somebody else');
  const wrongName = await AUTHORITY.issue({ commonName: 'graph.example', names: ['graph.example'] });
  const table = [
    { certificateAuthorities: other.pem, expected: { kind: 'misconfigured', advice: /certificate/ } },
    { endpoint: 'http://localhost:1', expected: { kind: 'misconfigured', advice: /https/ } },
    { endpoint: 'https://localhost:1', expected: { kind: 'unreachable', reason: /ECONNREFUSED/ } },
  ];
  for (const { expected, ...options } of table) {
    const { graph, client } = await openOurs(t, options);
    t.match(await client.sendMail(messageOf(MIME), NEVER), expected);
    t.equal(graph.requests.length, 0);
  }
  const graph = await openGraphServer(t, wrongName);
  const { client } = await openOurs(t, { endpoint: graph.endpoint });
  t.match(await client.sendMail(messageOf(MIME), NEVER), { kind: 'misconfigured', reason: /ALTNAME/ });
});

t.test('each stage has its deadline', async (t) => {
  const large = Buffer.alloc(8_000_000, 'x');
  const mute = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.teardown(() => mute.close());
  const muteEndpoint = `https://localhost:${(mute.address() as AddressInfo).port}`;
  type Row = readonly [fault: GraphFault | undefined, octets: Buffer, deadlineMs: number, expected: object];
  const table: readonly Row[] = [
    [undefined, MIME, CONNECT_DEADLINE_MS, { kind: 'unreachable', reason: /no connection within 30 s/ }],
    [{ kind: 'deaf' }, large, SEND_DEADLINE_MS, { kind: 'temporary', isDoubtful: false }],
    [{ kind: 'silent' }, MIME, ANSWER_DEADLINE_MS, { kind: 'temporary', isDoubtful: true }],
    [{ kind: 'half', status: 500 }, MIME, ANSWER_BODY_DEADLINE_MS, { kind: 'temporary', reply: /^500/ }],
  ];
  for (const [fault, octets, deadlineMs, expected] of table) {
    const clock = createTestClock();
    const set: number[] = [];
    const after: Clock['after'] = (delayMs, run) => {
      set.push(delayMs);
      return clock.after(delayMs, run);
    };
    const endpoint = fault === undefined ? { endpoint: muteEndpoint } : {};
    const { graph, client } = await openOurs(t, { clock: { ...clock, after }, ...endpoint });
    if (fault !== undefined) graph.faults.push(fault);
    let answer: GraphAnswer | undefined;
    client.sendMail(messageOf(octets), NEVER).then((given) => {
      answer = given;
    });
    while (answer === undefined) {
      if (set.at(-1) === deadlineMs) clock.advance(deadlineMs);
      await new Promise(setImmediate);
    }
    t.match(answer, expected);
    t.equal(clock.pendingTimers, 0);
  }
});

t.test('an abort ends it: nothing was sent, or nobody knows', async (t) => {
  const large = messageOf(Buffer.alloc(8_000_000, 'x'));
  const table: readonly (readonly [fault: GraphFault, message: typeof large, expected: object])[] = [
    [{ kind: 'deaf' }, large, { kind: 'aborted' }],
    [{ kind: 'silent' }, messageOf(MIME), { kind: 'temporary', isDoubtful: true }],
  ];
  for (const [fault, message, expected] of table) {
    const clock = createTestClock();
    const { graph, client } = await openOurs(t, { clock });
    const abort = new AbortController();
    graph.faults.push(fault);
    const answer = client.sendMail(message, abort.signal);
    await graph.stuck();
    abort.abort();
    clock.advance(ABORTED_ANSWER_DEADLINE_MS);
    t.match(await answer, expected);
    t.equal(clock.pendingTimers, 0);
  }
  const { graph, client } = await openOurs(t);
  t.match(await client.sendMail(messageOf(MIME), AbortSignal.abort()), { kind: 'aborted' });
  t.equal(graph.requests.length, 0);
});

t.test('a message that cannot be read, or is not as long as was told, is never sent', async (t) => {
  type Source = (graph: GraphServer) => AsyncIterable<Buffer>;
  /** Yields more, or fails, when Graph has had time to take what came before. */
  const late = (then: () => Buffer): Source =>
    async function* (graph) {
      yield MIME;
      for (let turn = 0; turn < 50 && graph.sent.length === 0; turn += 1) await new Promise(setImmediate);
      yield then();
    };
  const damaged = () => {
    throw new Error('damaged');
  };
  const table: readonly (readonly [octets: number, source: Source, error: RegExp])[] = [
    [MIME.length, late(damaged), /damaged/],
    [MIME.length, late(() => Buffer.from('abc')), /octets that were told/],
    [MIME.length + 3, () => pieces(MIME), /octets that were told/],
    [MIME.length - 3, () => pieces(MIME, 3), /octets that were told/],
  ];
  for (const [octets, source, error] of table) {
    const { graph, client } = await openOurs(t);
    const message = { octets, open: () => source(graph) };
    t.match(await client.sendMail(message, NEVER), { kind: 'unreadable', error: { message: error } });
    t.strictSame(graph.sent, []);
  }
});

t.test('two requests at a time in a mailbox, four of an application, whatever the relays', async (t) => {
  const turns = createGraphTurns();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const take = async (application: string, mailbox: string, name: string, signal = NEVER) => {
    ends.set(name, await turns.take(application, mailbox, signal));
    begun.push(name);
  };
  const settle = () => new Promise(setImmediate);
  const abort = new AbortController();
  const waits = [
    take('app', 'A@example.com', 'a1'),
    take('app', 'a@example.com', 'a2'),
    take('app', 'a@example.com', 'a3'),
    take('app', 'b@example.com', 'b1'),
    take('app', 'c@example.com', 'c1'),
    take('app', 'd@example.com', 'd1'),
    take('other', 'a@example.com', 'other'),
  ];
  const gone = t.rejects(take('app', 'a@example.com', 'gone', abort.signal), /gone away/);
  await settle();
  t.strictSame(begun, ['a1', 'a2', 'b1', 'c1', 'other'], 'a3 waits for its mailbox, d1 for the application');
  abort.abort(new Error('gone away'));
  await gone;
  ends.get('b1')?.();
  await settle();
  t.strictSame(begun.slice(5), ['d1'], 'whose mailbox is full is passed');
  ends.get('a1')?.();
  await Promise.all(waits);
  t.strictSame(begun.slice(6), ['a3']);
});

t.test('eight messages at a time never make Graph say that they are too many', async (t) => {
  const turns = createGraphTurns();
  const { graph, client } = await openOurs(t, { turns });
  graph.mailboxes.set('b@contoso.com', { sendAs: ['adelev@contoso.com'] }).set('c@contoso.com', {
    sendAs: ['adelev@contoso.com'],
  });
  const clientOf = (mailbox: string) =>
    createGraphClient({
      endpoint: graph.endpoint,
      application: 'app',
      mailbox,
      tokens: tokensOf(tokenOf('good')),
      certificateAuthorities: AUTHORITY.pem,
      turns,
      clock: systemClock,
      log: silentLog,
    });
  const clients = [client, clientOf('b@contoso.com'), clientOf('c@contoso.com')];
  const answers = clients.flatMap((each) => [1, 2, 3].map(() => each.sendMail(messageOf(MIME), NEVER)));
  for (const answer of await Promise.all(answers)) t.match(answer, { kind: 'accepted' });
  t.ok(graph.inFlight.most <= 4, `${graph.inFlight.most} at a time`);
});

t.test('the log has both ids, and no token, whatever happens', async (t) => {
  let lines = '';
  const log = createLog(
    new Writable({
      write: (chunk, _encoding, done) => {
        lines += chunk;
        done();
      },
    }),
    'debug',
  );
  const { graph, client } = await openOurs(t, { log, tokens: tokensOf(tokenOf('sesame-opens')) });
  graph.tokens.set('sesame-opens', 'valid');
  await client.sendMail(messageOf(MIME), NEVER, log.with({ trace: 'T1' }));
  for (const [, fault] of FAULTS) {
    graph.faults.push(fault);
    await client.sendMail(messageOf(MIME), NEVER);
  }
  const [first = ''] = lines.split('\n');
  t.match(JSON.parse(first), {
    event: 'exchange.sendMail.accept',
    trace: 'T1',
    status: 202,
    requestId: /^[0-9a-f-]{36}$/,
    clientRequestId: graph.requests[0]?.headers['client-request-id'],
  });
  t.equal(lines.trim().split('\n').length, 1 + FAULTS.length);
  t.match(lines, /"code":"ApplicationThrottled","requestId":"[^"]+","diagnostic":"\{.*DataCenter/);
  t.notMatch(lines, /sesame|Bearer|hello/);
});

t.test('every code of the table is found, the innermost one first, and what it says is one line', (t) => {
  const read = (body: unknown, status = 400) =>
    readAnswer(
      { status, headers: new Map([['request-id', 'R']]), body: Buffer.from(JSON.stringify(body)) },
      TEST_CLOCK_START,
    );
  for (const [code, { kind }] of GRAPH_REFUSALS)
    t.equal(read({ error: { code, message: 'm' } }).answer.kind, kind, code);
  const inner = {
    code: 'BadRequest',
    innerError: { code: 'ErrorQuotaExceeded', innererror: { code: 'New' } },
  };
  t.match(read({ error: inner }).answer, { kind: 'misconfigured', reason: /^400 ErrorQuotaExceeded/ });
  for (const [name, example] of Object.entries({
    bad: GRAPH_EXAMPLES.badBase64,
    denied: GRAPH_EXAMPLES.sendAsDenied,
  }))
    t.match(read(example).answer, { kind: 'permanent', isUnsuited: true }, name);
  const odd = [
    null,
    'x',
    [],
    { error: null },
    { error: 'x' },
    { error: { code: 7, message: {} } },
    { error: [] },
  ];
  for (const body of odd) t.match(read(body).answer, { kind: 'temporary' }, JSON.stringify(body));
  let nested: object = { code: 'ErrorQuotaExceeded' };
  for (let depth = 0; depth < 1000; depth += 1) nested = { innerError: nested };
  t.match(read({ error: nested }).answer, { kind: 'temporary' }, 'beyond the limit nothing is looked for');
  const long = read({ error: { code: 'ErrorSendAsDenied', message: `a\r\nb\u202e${'x'.repeat(9999)}` } });
  const text = long.answer.kind === 'permanent' ? long.answer.reply : '';
  t.match(text, /^400 ErrorSendAsDenied: a\?\?b\?x+ \(request-id R\)/);
  t.ok(text.length < 800, 'bounded');
  t.end();
});

t.test('whatever answers, it is read, and in one line', async () => {
  const headers = fc.dictionary(
    fc.constantFrom('request-id', 'retry-after', 'x-ms-ags-diagnostic'),
    fc.string(),
  );
  const body = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(`{"error":${text}}`)),
  );
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), headers, body, (status, fields, octets) => {
      const http = { status, headers: new Map(Object.entries(fields)), body: Buffer.from(octets) };
      const { answer } = readAnswer(http, TEST_CLOCK_START);
      const text = 'reply' in answer ? answer.reply : 'reason' in answer ? answer.reason : '';
      return text !== '' && !/[^\x20-\x7e]/.test(text) && (answer.kind === 'accepted') === (status === 202);
    }),
    { seed: 6, numRuns: 500 },
  );
});

t.test('Retry-After is seconds or a date, at most a day, or nothing', (t) => {
  const now = unixMs(Date.UTC(2026, 0, 15, 10, 0, 0));
  const table: readonly (readonly [value: string | undefined, expectedMs: number | undefined])[] = [
    [undefined, undefined],
    ['0', 0],
    ['30', 30 * SECOND_MS],
    ['999999999', DAY_MS],
    ['Thu, 15 Jan 2026 11:00:00 GMT', HOUR_MS],
    ['Thu, 15 Jan 2026 09:00:00 GMT', 0],
    ['Fri, 15 Jan 2038 09:00:00 GMT', DAY_MS],
    ['-1', 0],
    ['soon', undefined],
    ['', undefined],
  ];
  for (const [value, expectedMs] of table) t.equal(readRetryAfter(value, now), expectedMs, String(value));
  t.end();
});

function pick({ statusCode, code, message }: GraphError): object {
  return { statusCode, code, message };
}

/**
 * The relay by Graph: what it carries and to whom exactly, what goes to its fallback or is held, and what becomes of each answer.
 *
 * Who gets a message is what mailparser reads in the header that Graph got; our own reading of it proves nothing.
 */

import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import t from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/base/units.ts';
import { parseMessageHeader } from '../../src/wire/mime/messageHeader.ts';
import { plainAddresses } from '../../src/wire/mime/plainAddresses.ts';
import { octetString } from '../../src/wire/mime/structure.ts';
import { createGraphTurns } from '../../src/exchange/graph/turns.ts';
import type { RecipientOutcome, Relay, RelayedMessage, RelayResult } from '../../src/transfer/relay.ts';
import type { GraphRelayOptions } from '../../src/outbound/contract.ts';
import { createRelay } from '../../src/outbound/createRelay.ts';
import { createGraphRelay } from '../../src/outbound/graph/graphRelay.ts';
import { headerSuitability } from '../../src/outbound/graph/suitability.ts';
import { createAuthority } from '../support/authority.ts';
import { type GraphFault, type GraphServer, openGraphServer } from '../support/graphServer.ts';
import { openScriptedHop } from '../support/scriptedHop.ts';
import type { Teardown } from '../support/sockets.ts';
import { type PeerBehaviour, relayContract } from './relayContract.ts';
import { messageOf } from './relayedMessages.ts';
import { openRigHouse, SendingRig } from './sendingRig.ts';

const AUTHORITY = await createAuthority('Graph of the tests');
const ISSUED = await AUTHORITY.issue({ commonName: 'localhost', names: ['localhost'], uses: ['serverAuth'] });
const NEVER = new AbortController().signal;

t.setTimeout(300_000);
const LIMITS = {
  connections: 2,
  messagesPerMinute: 30,
  recipientsPerDay: 10_000,
  recipientsPerMessage: 500,
  sizeLimitOctets: 100_000,
};
const FROM = 'Received: by mail.example.com; Thu, 15 Jan 2026 10:00:00 +0000\r\nFrom: adelev@contoso.com\r\n';

interface Site {
  readonly graph: GraphServer;
  readonly relay: Relay;
}

async function open(t: Teardown, fallback?: Relay, options: Partial<GraphRelayOptions> = {}): Promise<Site> {
  const graph = await openGraphServer(t, ISSUED);
  const relay = createGraphRelay(graphOptions(graph, options), {
    clock: systemClock,
    log: silentLog,
    turns: createGraphTurns(),
    fallback,
  });
  t.teardown(() => relay.close());
  return { graph, relay };
}

function graphOptions({ endpoint }: GraphServer, options: Partial<GraphRelayOptions>): GraphRelayOptions {
  return {
    kind: 'graph',
    name: 'cloud',
    application: 'app',
    mailbox: 'adelev@contoso.com',
    endpoint,
    tokens: { token: async () => ({ kind: 'token', token: 'good' }) },
    certificateAuthorities: AUTHORITY.pem,
    limits: LIMITS,
    ...options,
  };
}

/** A next hop that answers so, and keeps what it got. */
function nextHop(result: RelayResult | undefined = undefined): Relay & { readonly got: RelayedMessage[] } {
  const got: RelayedMessage[] = [];
  return {
    name: 'smarthost',
    got,
    relay: async (message) => {
      got.push(message);
      const relayed = { kind: 'relayed', reply: '250 ok', server: 'mx', tellsSender: true } as const;
      return result ?? { outcomes: message.recipients.map(() => relayed) };
    },
    check: async () => ({ isReady: true, steps: ['connected'] }),
    close: async () => undefined,
  };
}

function addressesOf(message: RelayedMessage | undefined): readonly string[] | undefined {
  return message?.recipients.map(({ address }) => address);
}

/** How Graph does what the contract asks of a peer. `refusesSome` is left out: it answers for all recipients at once. */
const BEHAVIOURS: Readonly<Partial<Record<PeerBehaviour, GraphFault>>> = {
  defers: { kind: 'answer', status: 500, code: 'ErrorInternalServerError' },
  refuses: { kind: 'answer', status: 400, code: 'ErrorInvalidRecipients' },
  throttles: { kind: 'answer', status: 429, code: 'ApplicationThrottled' },
  isMisconfigured: { kind: 'answer', status: 403, code: 'ErrorAccessDenied' },
  cutsInTheMiddle: { kind: 'cut', at: 'body' },
  cutsAtTheEnd: { kind: 'cut', at: 'answer' },
};

relayContract(t, 'Graph', async (t) => {
  const limits = { ...LIMITS, sizeLimitOctets: 2_000_000 };
  const { graph, relay } = await open(t, undefined, { limits });
  graph.mailboxes.set('adelev@contoso.com', { sendAs: ['sender@example.com'] });
  return {
    relay,
    can: new Set(Object.keys(BEHAVIOURS) as PeerBehaviour[]),
    behave: async (behaviour) => {
      if (behaviour === 'isAway') return graph.goAway();
      await graph.comeBack();
      graph.always = BEHAVIOURS[behaviour];
    },
    received: () => graph.sent.map(({ recipients, mime }) => ({ recipients, octets: mime })),
    largestOctets: limits.sizeLimitOctets,
    changesHeader: true,
  };
});

t.test('a message whose header names exactly its recipients goes by Graph, octet by octet', async (t) => {
  const { graph, relay } = await open(t);
  const mime = `${FROM}To: "Doe, John" <john@example.org>,\r\n\tMARY@Example.ORG (home)\r\nCc: =?utf-8?q?J=C3=B6rg?= <j.d@example.net>\r\n\r\nhello\r\n`;
  const result = await relay.relay(
    messageOf(mime, ['j.d@example.net', 'john@example.org', 'mary@example.org'], { pieceOctets: 7 }),
    NEVER,
  );
  t.equal(result.outcomes.length, 3);
  for (const outcome of result.outcomes)
    t.match(outcome, {
      kind: 'relayed',
      reply: /^202 Accepted \(request-id [0-9a-f-]{36}\)$/,
      server: graph.endpoint.slice('https://'.length),
      tellsSender: false,
    });
  t.equal(result.trouble, undefined);
  t.equal(graph.sent[0]?.mime.toString(), mime);
  t.strictSame(graph.sent[0]?.recipients.toSorted(), [
    'j.d@example.net',
    'john@example.org',
    'mary@example.org',
  ]);
});

t.test('who is not named goes into one Bcc field of ours in place of all others', async (t) => {
  const { graph, relay } = await open(t);
  const head = `${FROM}To: undisclosed-recipients:;\r\n`;
  const rest = 'Subject: x\r\n\r\nBcc: not a field\r\n';
  const mime = `${head}Bcc: somebody@else.example,\r\n another@else.example\r\nbcc: broken <\r\n${rest}`;
  const envelope = ['a@example.org', 'b@example.org'];
  const { outcomes } = await relay.relay(messageOf(mime, envelope), NEVER);
  t.match(outcomes, [{ kind: 'relayed' }, { kind: 'relayed' }]);
  t.equal(graph.sent[0]?.mime.toString(), `Bcc: a@example.org,\r\n b@example.org\r\n${head}${rest}`);
  t.strictSame(graph.sent[0]?.recipients, envelope);
  const many = Array.from({ length: 500 }, (_, index) => `${'r'.repeat(60)}${index}@example.org`);
  await relay.relay(messageOf(`${FROM}\r\nhello`, many), NEVER);
  t.strictSame(graph.sent[1]?.recipients, many);
});

/** Messages that Graph cannot carry: the header behind From, recipients, and what becomes of them without a fallback. */
const UNSUITED: readonly (readonly [
  name: string,
  header: string,
  recipients: readonly string[],
  expected: object,
  others?: Partial<RelayedMessage>,
])[] = [
  [
    'a recipient of To who is not of this transaction',
    'To: a@example.org, b@example.org\r\n',
    ['a@example.org'],
    { kind: 'held', reason: /its header names b@example\.org/ },
  ],
  [
    'a recipient of Cc who is not',
    'To: a@example.org\r\nCC: B@Example.org\r\n',
    ['a@example.org'],
    { kind: 'held' },
  ],
  [
    'two people who differ in case, one of whom is settled',
    'To: Jo@example.org, jo@example.org\r\n',
    ['jo@example.org'],
    { kind: 'held', reason: /jo@example\.org/ },
  ],
  [
    'a list, whose members are the recipients',
    'To: list@example.org\r\n',
    ['a@example.org'],
    { kind: 'held' },
  ],
  [
    'two To fields',
    'To: a@example.org\r\nTo: a@example.org\r\n',
    ['a@example.org'],
    { kind: 'held', reason: /more than one to/ },
  ],
  ['a group with members', 'To: us: a@example.org;\r\n', ['a@example.org'], { kind: 'held' }],
  [
    'semicolons',
    'To: a@example.org; b@example.org\r\n',
    ['a@example.org', 'b@example.org'],
    { kind: 'held' },
  ],
  ['a route', 'To: <@relay.example:a@example.org>\r\n', ['a@example.org'], { kind: 'held' }],
  ['an address in a comment', 'To: a@example.org (b@example.org)\r\n', ['a@example.org'], { kind: 'held' }],
  ['an address in a name', 'To: b@example.org <a@example.org>\r\n', ['a@example.org'], { kind: 'held' }],
  ['brackets in brackets', 'To: <<a@example.org>>\r\n', ['a@example.org'], { kind: 'held' }],
  ['a quote that never closes', 'To: "a <a@example.org>\r\n', ['a@example.org'], { kind: 'held' }],
  [
    'an encoded word for an address',
    'To: =?utf-8?q?a=40example.org?=\r\n',
    ['a@example.org'],
    { kind: 'held' },
  ],
  ['octets that are no UTF-8', 'To: J\xf6rg <a@example.org>\r\n', ['a@example.org'], { kind: 'held' }],
  [
    'a fold of blanks alone',
    'To: a@example.org,\r\n \r\n b@example.org\r\n',
    ['a@example.org', 'b@example.org'],
    { kind: 'held' },
  ],
  [
    'a CR that hides a field',
    'Subject: x\rCc: b@example.org\r\n',
    ['a@example.org'],
    { kind: 'held', reason: /broken/ },
  ],
  [
    'a line that is no field',
    'no field\r\nTo: a@example.org\r\n',
    ['a@example.org'],
    { kind: 'held', reason: /broken/ },
  ],
  [
    'a space before the colon',
    'To : a@example.org\r\n',
    ['a@example.org'],
    { kind: 'held', reason: /broken/ },
  ],
  [
    'a message that was resent',
    'To: a@example.org\r\nResent-To: b@example.org\r\n',
    ['b@example.org'],
    { kind: 'held', reason: /resent/ },
  ],
  [
    'a header without end',
    `X: ${'x\r\n '.repeat(20_000)}`,
    ['a@example.org'],
    { kind: 'held', reason: /too long/ },
  ],
  [
    'a report',
    'To: a@example.org\r\n',
    ['a@example.org'],
    { kind: 'held', reason: /no sender/ },
    { reversePath: '' },
  ],
  ['a quoted local part', 'To: "a b"@example.org\r\n', ['"a b"@example.org'], { kind: 'held' }],
  ['an address literal', 'To: a@[192.0.2.1]\r\n', ['a@[192.0.2.1]'], { kind: 'held' }],
  [
    'SMTPUTF8',
    'To: a@example.org\r\n',
    ['a@example.org', 'j\u00f6rg@example.org'],
    { kind: 'failed', status: '5.6.7' },
    { isSmtpUtf8: true },
  ],
  [
    'more octets than the limit',
    `To: a@example.org\r\n\r\n${'x'.repeat(100_000)}`,
    ['a@example.org'],
    { kind: 'failed', status: '5.3.4' },
  ],
];

t.test('what Graph cannot carry is held or fails without a fallback, and goes there with one', async (t) => {
  const alone = await open(t);
  const hop = nextHop();
  const both = await open(t, hop);
  for (const [name, header, recipients, expected, others] of UNSUITED) {
    const octets = Buffer.from(`${FROM}${header}\r\nhello\r\n`, 'latin1');
    const message = messageOf(octets, recipients, others);
    const { outcomes, trouble } = await alone.relay.relay(message, NEVER);
    t.equal(outcomes.length, recipients.length, name);
    for (const outcome of outcomes) t.match(outcome, expected, name);
    t.equal(trouble, undefined, name);
    const passed = await both.relay.relay(message, NEVER);
    t.match(
      passed.outcomes[0],
      { kind: 'relayed', reply: /^250 ok \(by smarthost, since/, tellsSender: true },
      name,
    );
    t.strictSame(addressesOf(hop.got.at(-1)), recipients, name);
  }
  t.equal(hop.got.length, UNSUITED.length);
  t.equal(alone.graph.requests.length + both.graph.requests.length, 0, 'Graph was asked for none of them');
});

t.test('an address that is none fails alone, and is written nowhere', async (t) => {
  const { graph, relay } = await open(t);
  const mime = `${FROM}To: undisclosed-recipients:;\r\n\r\nhello\r\n`;
  const bad = ['x@example.org\r\nCc: y@example.org', 'a@b@example.org', ''];
  const { outcomes } = await relay.relay(messageOf(mime, [...bad, 'a@example.org']), NEVER);
  t.strictSame(
    outcomes.map(({ kind }) => kind),
    ['failed', 'failed', 'failed', 'relayed'],
  );
  t.strictSame(graph.sent[0]?.recipients, ['a@example.org']);
  t.match((await relay.relay(messageOf(mime, bad), NEVER)).outcomes[0], { kind: 'failed', status: '5.1.3' });
  t.equal(graph.requests.length, 1);
});

t.test('a retry for some never reaches those who have been settled', async (t) => {
  const hop = nextHop();
  const { graph, relay } = await open(t, hop);
  const mime = `${FROM}To: a@example.org\r\nCc: b@example.org\r\n\r\nhello\r\n`;
  await relay.relay(messageOf(mime, ['b@example.org', 'hidden@example.org']), NEVER);
  t.strictSame(graph.sent, [], 'a was settled before');
  t.strictSame(addressesOf(hop.got[0]), ['b@example.org', 'hidden@example.org']);
});

/** Pieces of which odd fields are made. */
const PIECES = fc.constantFrom(
  ...[
    'a@x.example',
    'B@x.example',
    'c.d@y.example',
    '<a@x.example>',
    '"q, r" ',
    'Jo ',
    '=?utf-8?q?=C3=B6?= ',
  ],
  ...[', ', ',', ';', ':', ' (home) ', '(', ')', '<', '>', '"', '\\', '@', '\r\n ', '\u00f6', 'us:', ':;'],
);
const FIELDS = fc.array(
  fc.tuple(fc.constantFrom('To', 'Cc', 'Bcc', 'Resent-To', 'X', 'cc'), fc.array(PIECES, { maxLength: 6 })),
  { maxLength: 4 },
);
const ENVELOPE = fc.uniqueArray(
  fc.constantFrom('a@x.example', 'b@x.example', 'c.d@y.example', 'z@z.example'),
  {
    minLength: 1,
  },
);

t.test(
  'whatever the header, Graph is never given one by which others would get it, or somebody not',
  async (t) => {
    let suited = 0;
    await fc.assert(
      fc.asyncProperty(FIELDS, ENVELOPE, async (fields, envelope) => {
        const text = `${FROM}${fields.map(([name, pieces]) => `${name}: ${pieces.join('')}\r\n`).join('')}\r\n`;
        const octets = Buffer.from(text);
        const decided = headerSuitability(parseMessageHeader(octets, true), messageOf(octets, envelope));
        if (decided.kind === 'unsuited') return true;
        suited += 1;
        const parsed = await simpleParser(decided.header);
        const lists = [parsed.to, parsed.cc, parsed.bcc].flatMap((list) => list ?? []);
        const read = lists.flatMap(({ value }) => value.flatMap((entry) => entry.group ?? [entry]));
        const got = new Set(read.flatMap(({ address }) => (address ? [address.toLowerCase()] : [])));
        return got.size === envelope.length && envelope.every((address) => got.has(address));
      }),
      { seed: 12, numRuns: 1500 },
    );
    t.ok(suited > 100, `${suited} of them were for Graph`);
  },
);

t.test('a field that all read alike is read, with what real clients write', (t) => {
  const table: readonly (readonly [value: string, expected: readonly string[] | undefined])[] = [
    ['', []],
    ['a@b.example', ['a@b.example']],
    ['A.b+c@B.example, <d@e.example>', ['A.b+c@B.example', 'd@e.example']],
    ['"Doe, J. \\"x\\" @home" <j@b.example>', ['j@b.example']],
    ['John Q. Public <j@b.example>,, M\xc3\xbcller <m@b.example>,', ['j@b.example', 'm@b.example']],
    ['=?utf-8?B?w7Y=?= =?utf-8?Q?=2C?= <a@b.example>', ['a@b.example']],
    ['root@host_1.example (Cron Daemon)', ['root@host_1.example']],
    ['undisclosed-recipients:;', []],
    ['Undisclosed recipients: ;, a@b.example', ['a@b.example']],
    ['a@b.example c@d.example', undefined],
    ['a@b.example <c@d.example>', undefined],
    ['a@b..example', undefined],
    ['a..b@c.example', undefined],
    ['a@b.example.', undefined],
    ['@b.example', undefined],
    ['a@', undefined],
    ['nobody', undefined],
    ['<a@b.example', undefined],
    [':;', undefined],
    ['mailto:a@b.example', undefined],
    ['=?utf-8?q?a?=@b.example', undefined],
    ['j\xc3\xb6rg@b.example', undefined],
    [Array.from({ length: 1001 }, (_, index) => `a${index}@b.example`).join(), undefined],
  ];
  for (const [value, expected] of table) {
    const read = plainAddresses(octetString(value));
    t.strictSame(read.kind === 'addresses' ? read.addresses : undefined, expected, value.slice(0, 60));
  }
  t.end();
});

const MIME = `${FROM}To: a@example.org\r\n\r\nhello\r\n`;

/** What Graph answers, and what becomes of the recipient and of the hop. */
const ANSWERS: readonly (readonly [name: string, fault: GraphFault, outcome: object, trouble?: object])[] = [
  [
    'throttled',
    { kind: 'answer', status: 429, code: 'ApplicationThrottled', headers: { 'Retry-After': '1' } },
    { kind: 'untried' },
    { kind: 'throttled', reason: /^429 ApplicationThrottled/, retryAfterMs: 1000 },
  ],
  [
    'the day used up',
    { kind: 'answer', status: 429, code: 'ErrorExceededMessageLimit' },
    { kind: 'untried' },
    { kind: 'quota', advice: /10,000/ },
  ],
  [
    'no permission',
    { kind: 'answer', status: 403, code: 'ErrorAccessDenied' },
    { kind: 'untried' },
    { kind: 'misconfigured', advice: /Application Mail\.Send/ },
  ],
  ['not ready', { kind: 'answer', status: 503 }, { kind: 'untried' }, { kind: 'unreachable' }],
  ['a fault of Graph', { kind: 'answer', status: 500 }, { kind: 'deferred', status: '4.3.0' }],
  [
    'no answer to a whole message',
    { kind: 'cut', at: 'answer' },
    { kind: 'deferred', status: '4.4.2', reply: /may have taken it/ },
    { kind: 'unreachable' },
  ],
  [
    'a recipient that is none',
    { kind: 'answer', status: 400, code: 'ErrorInvalidRecipients' },
    { kind: 'failed', status: '5.1.3' },
  ],
  [
    'a sender that is not allowed',
    { kind: 'answer', status: 403, code: 'ErrorSendAsDenied' },
    { kind: 'failed', status: '5.7.1', reply: /SendAs/ },
  ],
  ['too large after all', { kind: 'answer', status: 413 }, { kind: 'failed', status: '5.3.4' }],
];

t.test('what Graph answers is an outcome of all recipients, or trouble of the hop', async (t) => {
  for (const [name, fault, outcome, trouble] of ANSWERS) {
    const { graph, relay } = await open(t);
    graph.faults.push(fault);
    const result = await relay.relay(messageOf(MIME, ['a@example.org', 'b@example.org']), NEVER);
    t.match(result.outcomes, [outcome, outcome], name);
    if (trouble === undefined) t.equal(result.trouble, undefined, name);
    else t.match(result.trouble, trouble, name);
  }
});

t.test(
  'what Graph refuses for good and another way may take goes to the fallback; its trouble does not',
  async (t) => {
    for (const [name, fault, outcome] of ANSWERS) {
      const hop = nextHop();
      const { graph, relay } = await open(t, hop);
      graph.faults.push(fault);
      const result = await relay.relay(messageOf(MIME, ['a@example.org']), NEVER);
      const isPassed = 'kind' in outcome && outcome.kind === 'failed';
      t.equal(hop.got.length, isPassed ? 1 : 0, name);
      t.match(result.outcomes[0], isPassed ? { kind: 'relayed', server: 'mx' } : outcome, name);
    }
  },
);

t.test("the fallback's trouble defers its messages and does not stop Graph", async (t) => {
  const untried: RecipientOutcome = { kind: 'untried' };
  const reason = 'no';
  const table: readonly (readonly [result: RelayResult, expected: object])[] = [
    [{ outcomes: [untried] }, { kind: 'untried' }],
    [
      { outcomes: [untried], trouble: { kind: 'unreachable', reason } },
      { kind: 'deferred', status: '4.4.1', retryAfterMs: undefined, reply: /^no \(by smarthost, since/ },
    ],
    [
      { outcomes: [untried], trouble: { kind: 'throttled', reason, retryAfterMs: 5 } },
      { kind: 'deferred', status: '4.3.2', retryAfterMs: 5 },
    ],
    [
      { outcomes: [untried], trouble: { kind: 'quota', reason, advice: 'wait' } },
      { kind: 'deferred', status: '4.3.2', retryAfterMs: HOUR_MS },
    ],
    [
      { outcomes: [untried], trouble: { kind: 'misconfigured', reason, advice: 'a new password' } },
      { kind: 'deferred', status: '4.3.5', retryAfterMs: 15 * MINUTE_MS, reply: /^no \(a new password\)/ },
    ],
    [{ outcomes: [{ kind: 'held', reason }] }, { kind: 'held', reason: /^no \(by smarthost/ }],
    [
      { outcomes: [{ kind: 'failed', reply: '550 no', status: '5.1.1' }] },
      { kind: 'failed', reply: /^550 no \(by/, status: '5.1.1' },
    ],
  ];
  for (const [result, expected] of table) {
    const { relay } = await open(t, nextHop(result));
    const given = await relay.relay(messageOf(MIME, ['b@example.org']), NEVER);
    t.match(given.outcomes, [expected]);
    t.equal(given.trouble, undefined);
  }
});

t.test(
  'an abort leaves untried whom nothing was sent for, and waits a little for an answer that is due',
  async (t) => {
    const { graph, relay } = await open(t);
    t.match(await relay.relay(messageOf(MIME, ['a@example.org']), AbortSignal.abort()), {
      outcomes: [{ kind: 'untried' }],
      trouble: undefined,
    });
    t.equal(graph.requests.length, 0);
    const abort = new AbortController();
    graph.faults.push({ kind: 'held' });
    const due = relay.relay(messageOf(MIME, ['a@example.org']), abort.signal);
    await graph.stuck();
    abort.abort();
    graph.goOn();
    t.match(await due, { outcomes: [{ kind: 'relayed' }] });
  },
);

t.test('of a message that Graph does not read no more is read than fits on the way', async (t) => {
  const { graph, relay } = await open(t, undefined, { limits: { ...LIMITS, sizeLimitOctets: 0 } });
  const piece = Buffer.alloc(256 * 1024, 'x\r\n');
  let read = 0;
  const head = Buffer.from(MIME);
  const message: RelayedMessage = {
    ...messageOf(MIME, ['a@example.org']),
    octets: head.length + 200 * piece.length,
    open: async function* () {
      yield head;
      for (let index = 0; index < 200; index += 1) {
        read += piece.length;
        yield piece;
      }
    },
  };
  const abort = new AbortController();
  graph.faults.push({ kind: 'deaf' });
  const ended = relay.relay(message, abort.signal);
  await graph.stuck();
  // The server may be there before the message is asked for more than its header.
  for (let before = -1; read === 0 || before < read; ) {
    before = read;
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  }
  abort.abort();
  t.match(await ended, { outcomes: [{ kind: 'untried' }], trouble: undefined });
  t.ok(read > 0 && read < 100 * piece.length, `${read} octets of 50 MiB`);
});

t.test(
  'the room sends by Graph, again to all whom it deferred, and by SMTP what Graph cannot carry',
  async (t) => {
    const graph = await openGraphServer(t, ISSUED);
    const hop = await openScriptedHop(t);
    const surroundings = { clock: systemClock, log: silentLog, serverName: 'hauspost.example.com' };
    const graphTurns = createGraphTurns();
    const tls = { mode: 'none', minimumVersion: 'TLSv1.2' } as const;
    const fallback = {
      kind: 'smtp',
      name: 'hop',
      hosts: [{ host: '127.0.0.1', port: hop.port }],
      tls,
      limits: LIMITS,
    } as const;
    const draws = [0.1, 0.9];
    const rig = await SendingRig.open(t, await openRigHouse(t), {
      random: () => draws.shift() ?? 0.5,
      createRelay: () => createRelay(graphOptions(graph, { fallback }), { ...surroundings, graphTurns }),
    });
    graph.faults.push({ kind: 'answer', status: 500 });
    const to = ['a@example.org', 'b@example.org'];
    const octets = Buffer.from(`${FROM}To: a@example.org\r\nCc: b@example.org\r\n\r\nhello\r\n`);
    const trace = await rig.queue({ to, octets });
    await until(() => rig.results.length === 2);
    t.match(await rig.items(), [{ attempts: 1, lastReply: /^500 generalException/ }, { attempts: 1 }]);
    const report = await rig.queue({ to: ['c@example.org'], octets, reversePath: '' });
    await until(() => rig.results.length === 3);
    await rig.pass(2 * MINUTE_MS);
    await until(() => rig.results.length === 5);
    t.strictSame(
      graph.sent.map(({ recipients }) => recipients),
      [to],
    );
    t.strictSame(
      hop.messages.map(({ rcpts }) => rcpts),
      [['RCPT TO:<c@example.org>']],
    );
    t.strictSame(await rig.told(trace), ['deferred', 'deferred', 'relayed', 'relayed']);
    const told = await rig.store.trace.find(report);
    t.match(told?.events.at(-1)?.fields, { reply: /by hop, since it cannot go by Graph: it has no sender/ });
    t.strictSame(await rig.items(), []);
  },
);

/** Until it is so; the network has its turns meanwhile. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

t.test('a content that cannot be read is no trouble of the hop', async (t) => {
  const { graph, relay } = await open(t);
  const damaged = { ...messageOf(MIME, ['a@example.org']), open: () => failing(0) };
  const late = { ...messageOf(MIME, ['a@example.org']), open: () => failing(MIME.length) };
  async function* failing(octets: number): AsyncGenerator<Buffer> {
    if (octets > 0) yield Buffer.from(MIME);
    throw new Error('damaged');
  }
  for (const message of [damaged, late]) {
    const result = await relay.relay({ ...message, octets: MIME.length + 10 }, NEVER);
    t.match(result.outcomes, [{ kind: 'deferred', status: '4.3.0', reply: /damaged/ }]);
    t.equal(result.trouble, undefined);
  }
  t.strictSame(graph.sent, []);
});

t.test('a check shows what stands in the way, and never sends', async (t) => {
  const { graph, relay } = await open(t, nextHop());
  const check = () => relay.check(NEVER);
  t.match(await check(), { isReady: true, steps: [/would read a message/, 'Fallback smarthost: connected'] });
  graph.tokens.set('good', 'without permission');
  t.match(await check(), {
    isReady: false,
    steps: [/^403 ErrorAccessDenied/, /Application Mail\.Send/, /^Fallback/],
    trouble: { kind: 'misconfigured' },
  });
  graph.tokens.delete('good');
  t.match(await check(), { isReady: false, trouble: { kind: 'misconfigured', advice: /access token/ } });
  graph.tokens.set('good', 'valid');
  graph.mailboxes.clear();
  t.match(await check(), { isReady: false, trouble: { kind: 'misconfigured', advice: /no mailbox/ } });
  const alone = await open(t);
  t.match(await alone.relay.check(NEVER), { isReady: true, steps: [/would read/, /no fallback/] });
  t.strictSame([...graph.sent, ...alone.graph.sent], []);
});

/** The relay by SMTP against a hop that follows a script: its contract, what goes on the wire, and each way of misbehaving. */

import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

import t from 'tap';

import type { RelayedMessage } from '../../src/transfer/relay.ts';
import { systemClock } from '../../src/base/clock.ts';
import { connectSocket } from '../../src/outbound/smtp/connectSocket.ts';
import {
  ABORTED_FINAL_DEADLINE_MS,
  ADDRESS_DEADLINE_MS,
  BLOCK_DEADLINE_MS,
  CONNECT_DEADLINE_MS,
  COMMAND_DEADLINE_MS,
  DATA_DEADLINE_MS,
  FINAL_DEADLINE_MS,
  HEADER_LOOK_LIMIT_OCTETS,
  GREETING_DEADLINE_MS,
  MAIL_DEADLINE_MS,
  PROVEN_MS,
  RCPT_DEADLINE_MS,
  REPLY_LIMIT_OCTETS,
  TRANSACTIONS_PER_MESSAGE,
} from '../../src/outbound/smtp/limits.ts';
import { createTestClock } from '../support/clock.ts';
import type { Teardown } from '../support/sockets.ts';
import { HOP_KEYWORDS, type HopScript, openScriptedHop } from '../support/scriptedHop.ts';
import { relayContract, type PeerBehaviour } from './relayContract.ts';
import { messageOf } from './relayedMessages.ts';
import { inShort, NEVER, NO_LIMITS, openRelay, SERVER_NAME } from './smtpHop.ts';

t.setTimeout(300_000);

const TEXT = 'Subject: a\r\n\r\nbody\r\n';
const BOTH = ['a@example.org', 'b@example.org'];

/** Answers one verb in its own way. */
function at(verb: string, step: ReturnType<NonNullable<HopScript['answer']>>): HopScript {
  return { answer: (moment) => (moment.verb === verb ? step : undefined) };
}

const BEHAVIOURS: Readonly<Record<Exclude<PeerBehaviour, 'isAway'>, HopScript>> = {
  takes: {},
  defers: at('message', '451 4.3.0 Local error'),
  refuses: at('message', '550 5.7.1 Refused'),
  refusesSome: {
    answer: ({ line }) => (line.startsWith('RCPT TO:<refused') ? '550 5.1.1 Unknown' : undefined),
  },
  throttles: at('MAIL', '432 4.3.2 Concurrent connections limit exceeded'),
  isMisconfigured: at('MAIL', '530 5.7.57 Client not authenticated to send mail'),
  cutsInTheMiddle: { cutsDataAfter: 100_000 },
  cutsAtTheEnd: at('message', { cut: true }),
};

relayContract(t, 'a smarthost by SMTP', async (t) => {
  const hop = await openScriptedHop(t);
  return {
    relay: openRelay(t, hop),
    can: new Set(Object.keys(BEHAVIOURS) as PeerBehaviour[]),
    behave: (behaviour) => (behaviour === 'isAway' ? hop.goAway() : hop.comeBack(BEHAVIOURS[behaviour])),
    received: () =>
      hop.messages.map(({ rcpts, octets }) => ({
        recipients: rcpts.map((line) => /<(.*)>/.exec(line)?.[1] ?? ''),
        octets,
      })),
    largestOctets: 200_000_000,
  };
});

t.test('a hop that takes no reports fails the report, and goes on with other mail', async (t) => {
  for (const reply of ['550 5.7.64 TenantAttribution; Relay Access Denied', '550 5.7.54 Unable to relay']) {
    const hop = await openScriptedHop(t, at('RCPT', reply));
    const relay = openRelay(t, hop);
    const report = await relay.relay(
      messageOf(TEXT, [{ address: 'a@example.org' }], { reversePath: '' }),
      NEVER,
    );
    t.match(report.outcomes, [{ kind: 'failed', reply }]);
    t.equal(report.trouble, undefined);
    const other = await relay.relay(messageOf(TEXT, [{ address: 'a@example.org' }]), NEVER);
    t.equal(other.trouble?.kind, 'misconfigured', reply);
  }
});

t.test('what goes on the wire is what was meant, and nothing else', async (t) => {
  const hop = await openScriptedHop(t);
  const relay = openRelay(t, hop);
  const message = messageOf(
    TEXT,
    [
      { address: 'a@example.org', notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;first+2Blast@example.net' },
      { address: '"b @ b"@example.org', notify: ['NEVER'] },
      { address: 'c@[192.0.2.1]' },
    ],
    { reversePath: '', ret: 'HDRS', envid: 'order+2B7' },
  );
  const { outcomes } = await relay.relay(message, NEVER);
  t.same(hop.lines, [
    `EHLO ${SERVER_NAME}`,
    'MAIL FROM:<> SIZE=20 RET=HDRS ENVID=order+2B7',
    'RCPT TO:<a@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first+2Blast@example.net',
    'RCPT TO:<"b @ b"@example.org> NOTIFY=NEVER',
    'RCPT TO:<c@[192.0.2.1]>',
    'DATA',
  ]);
  t.match(
    outcomes.map((outcome) => outcome.kind === 'relayed' && outcome.tellsSender),
    [true, true, true],
  );
  hop.script = { keywords: ['8BITMIME'] };
  hop.lines.length = 0;
  await relay.close();
  const other = openRelay(t, hop);
  const { outcomes: without } = await other.relay(message, NEVER);
  t.same(hop.lines.slice(2), [
    'MAIL FROM:<>',
    'RCPT TO:<a@example.org>',
    'RCPT TO:<"b @ b"@example.org>',
    'RCPT TO:<c@[192.0.2.1]>',
    'DATA',
  ]);
  t.match(
    without.map((outcome) => outcome.kind === 'relayed' && outcome.tellsSender),
    [false, false, false],
    'a hop without DSN leaves it to us to say that it was relayed',
  );
});

t.test('lines end with CRLF and dots are stuffed, wherever the pieces are cut', async (t) => {
  const hop = await openScriptedHop(t);
  const relay = openRelay(t, hop);
  const rows: readonly (readonly [sent: string, received: string])[] = [
    ['.\r\n..\r\n...\r\n', '.\r\n..\r\n...\r\n'],
    ['bare\n.\nlf\n', 'bare\r\n.\r\nlf\r\n'],
    ['bare\r.\rcr\r', 'bare\r\n.\r\ncr\r\n'],
    ['a\n.\r\nb\r.\r\nc\r\n.\nMAIL FROM:<x@y>\r\n', 'a\r\n.\r\nb\r\n.\r\nc\r\n.\r\nMAIL FROM:<x@y>\r\n'],
    ['no end', 'no end\r\n'],
    ['', ''],
    ['8-bit \xff\x00\xe9\r\n', '8-bit \xff\x00\xe9\r\n'],
  ];
  for (const [sent, received] of rows)
    for (const pieceOctets of [1, 2, 3, 1000]) {
      hop.messages.length = 0;
      await relay.relay(messageOf(Buffer.from(sent, 'latin1'), undefined, { pieceOctets }), NEVER);
      t.equal(hop.messages.length, 1, 'one message');
      t.equal(hop.messages[0]?.octets.toString('latin1'), received, JSON.stringify([sent, pieceOctets]));
      t.notMatch(hop.messages[0]?.wire.toString('latin1'), /[^\r]\n|\r(?!\n)/, 'no bare line end');
    }
});

/** What must not reach a next hop; each alone, and in company of an honest one. */
const HOSTILE: readonly string[] = [
  'a@example.org> NOTIFY=NEVER',
  'a@example.org>\r\nRCPT TO:<evil@example.net',
  'a@example.org\nRCPT TO:<evil@example.net>',
  'a@example.org\r',
  'a\0@example.org',
  'a@example.org\0@example.net',
  'a@b@example.org',
  'a@evil x',
  ' a@example.org',
  'a@example.org ',
  '<a@example.org>',
  '<>',
  '',
  'a',
  'a@',
  '@example.org',
  '@relay.example.net:a@example.org',
  '@one,@two:a@example.org',
  'group: a@example.org, b@example.org;',
  'a@example.org, evil@example.net',
  'a@example.org;evil@example.net',
  'Name <a@example.org>',
  'a(comment)@example.org',
  'a@example.org(comment)',
  '"a@example.org',
  '"a"b@example.org',
  '"a>b"@example.org',
  '"a\r\nb"@example.org',
  '"a\tb"@example.org',
  'a b@example.org',
  'a\\ b@example.org',
  'a@exa mple.org',
  'a@example..org',
  'a@.example.org',
  'a@[192.0.2.1',
  'a@[192.0.2.1]x',
  `${'a'.repeat(1000)}@example.org`,
  `a@${'b'.repeat(64)}.example.org`,
  `a@${'b.'.repeat(250)}org`,
  'a@ex\u00e4mple.org',
  '\u0430@example.org',
  'a\u200b@example.org',
  'a\u202egro@example.org',
  'a@example.org\u2028RCPT',
  'a@example\uff0eorg',
  '\ud800@example.org',
];

t.test('a hostile address is not sent, alone or among others', async (t) => {
  const hop = await openScriptedHop(t);
  const relay = openRelay(t, hop);
  for (const address of HOSTILE) {
    hop.lines.length = 0;
    const alone = await relay.relay(messageOf(TEXT, [address]), NEVER);
    t.equal(inShort(alone), 'failed 5.1.3', named(address));
    t.same(hop.lines, [], 'nobody was asked');
    const among = await relay.relay(messageOf(TEXT, ['a@example.org', address]), NEVER);
    t.equal(inShort(among), 'relayed, failed 5.1.3');
    t.same(
      hop.lines.filter((line) => /^(RCPT|MAIL|DATA)/.test(line)).map((line) => line.replace(/ SIZE=.*/, '')),
      ['MAIL FROM:<sender@example.com>', 'RCPT TO:<a@example.org>', 'DATA'],
    );
    const from = await relay.relay(messageOf(TEXT, ['a@example.org'], { reversePath: address }), NEVER);
    if (address !== '') t.equal(inShort(from), 'failed 5.1.7');
  }
});

t.test('an odd but valid address goes out exactly as it is', async (t) => {
  const hop = await openScriptedHop(t);
  const relay = openRelay(t, hop);
  const valid = [
    '"a@evil x"@example.org',
    '"a,b;c"@example.org',
    'a%b@example.org',
    'a!b@example.org',
    '"\\"q\\\\"@example.org',
  ];
  const utf8 = ['\u0430@example.org', 'a@ex\u00e4mple.org', 'a@example\uff0eorg'];
  t.match(inShort(await relay.relay(messageOf(TEXT, valid), NEVER)), /^(relayed(, )?){5}$/);
  t.match(
    inShort(await relay.relay(messageOf(TEXT, utf8, { isSmtpUtf8: true }), NEVER)),
    /^(relayed(, )?){3}$/,
  );
  t.same(
    hop.lines.filter((line) => line.startsWith('RCPT')),
    [...valid, ...utf8].map((address) => `RCPT TO:<${address}>`),
  );
  t.match(hop.lines.filter((line) => line.startsWith('MAIL'))[1], / BODY=8BITMIME SMTPUTF8$/);
});

t.test('a parameter of RFC 3461 that is no xtext stays behind, and the message goes', async (t) => {
  const hop = await openScriptedHop(t);
  const relay = openRelay(t, hop);
  for (const trick of [
    'a b',
    'a\r\nRCPT TO:<evil@example.net>',
    'a+2b',
    'a=b',
    'a+',
    'x'.repeat(600),
    '\u00e4',
    '',
  ]) {
    hop.lines.length = 0;
    const message = messageOf(TEXT, [{ orcpt: `rfc822;${trick}` }], { envid: trick });
    const { outcomes } = await relay.relay(message, NEVER);
    t.match(outcomes, [{ kind: 'relayed', tellsSender: false }], named(trick));
    t.notMatch(hop.lines.join('\n'), /ORCPT|ENVID|evil/);
  }
});

t.test(
  'SMTPUTF8 is asked for where it is needed, and a hop without it gets no message that needs it',
  async (t) => {
    const header = `Subject: \u00e4\r\n\r\nbody\r\n`;
    const body = `Subject: a\r\n\r\n\u00e4\r\n`;
    const plain = HOP_KEYWORDS.filter((keyword) => keyword !== 'SMTPUTF8');
    const rows: readonly (readonly [
      RelayedMessage,
      keywords: readonly string[],
      result: string,
      mail?: RegExp,
    ])[] = [
      [
        messageOf(header, undefined, { isSmtpUtf8: true }),
        HOP_KEYWORDS,
        'relayed',
        / BODY=8BITMIME SMTPUTF8$/,
      ],
      [messageOf(header, undefined, { isSmtpUtf8: true }), plain, 'failed 5.6.7'],
      [messageOf(TEXT, undefined, { isSmtpUtf8: true }), HOP_KEYWORDS, 'relayed', /SIZE=20$/],
      [messageOf(TEXT, undefined, { isSmtpUtf8: true }), plain, 'relayed', /SIZE=20$/],
      [
        messageOf(TEXT, undefined, { isSmtpUtf8: true, reversePath: '\u00e4@example.org' }),
        plain,
        'failed 5.6.7',
      ],
      [
        messageOf(TEXT, ['\u00e4@example.org', 'b@example.org'], { isSmtpUtf8: true }),
        plain,
        'failed 5.6.7, relayed',
      ],
      // A header without end counts as if it had some.
      [longHeader(HEADER_LOOK_LIMIT_OCTETS - PIECE_OCTETS), plain, 'relayed', /SIZE=\d+$/],
      [longHeader(HEADER_LOOK_LIMIT_OCTETS + 2 * PIECE_OCTETS), plain, 'failed 5.6.7'],
      // What was never said to be SMTPUTF8 goes as it came (RFC 5322 has no such message, and everybody sends them).
      [messageOf(header), plain, 'relayed', / BODY=8BITMIME$/],
      [messageOf(body), plain, 'relayed', / BODY=8BITMIME$/],
      [messageOf(body), ['SIZE'], 'relayed', /SIZE=18$/],
      [messageOf(TEXT), plain, 'relayed', /SIZE=20$/],
      [messageOf(TEXT), ['SIZE 20'], 'relayed', /SIZE=20$/],
      [messageOf(TEXT, BOTH), ['SIZE 19'], 'failed 5.3.4, failed 5.3.4'],
    ];
    for (const [message, keywords, result, mail] of rows) {
      const hop = await openScriptedHop(t, { keywords });
      const name = `${named(message.reversePath)} ${message.isSmtpUtf8} ${keywords.length} ${result}`;
      t.equal(inShort(await openRelay(t, hop).relay(message, NEVER)), result, name);
      const line = hop.lines.find((each) => each.startsWith('MAIL'));
      if (mail === undefined) t.ok(line === undefined || result.includes('relayed'), name);
      else t.match(line, mail, name);
    }
  },
);

const PIECE_OCTETS = 64 * 1024;

/** A message with so many octets of ASCII in its header, in small pieces. */
function longHeader(octets: number): RelayedMessage {
  const line = `X-Long: ${'x'.repeat(54)}\r\n`;
  const header = line.repeat(octets / line.length + 1).slice(0, octets - 2);
  const message = `${header}\r\n\r\n${'body\r\n'.repeat(100)}`;
  return messageOf(message, undefined, { isSmtpUtf8: true, pieceOctets: PIECE_OCTETS });
}

type Row = readonly [what: string, script: HopScript, result: string, reason?: RegExp];

/** What a hop answers, cuts or says beside the matter, and what comes of it for two recipients. */
const MISBEHAVIOUR: readonly Row[] = [
  ['greets 554', at('greeting', '554 5.3.2 No service'), 'untried, untried, (unreachable)', /554/],
  ['greets 421', at('greeting', '421 4.3.2 Busy'), 'untried, untried, (throttled)', /421 4.3.2 Busy/],
  [
    'greets with a barred address',
    at('greeting', '550 5.7.606 Access denied, banned sending IP'),
    'untried, untried, (misconfigured)',
  ],
  ['closes before the greeting', at('greeting', { cut: true }), 'untried, untried, (unreachable)'],
  ['greets with no reply', at('greeting', 'hello'), 'untried, untried, (unreachable)'],
  [
    'greets with a reply too long',
    at('greeting', { raw: `220-${'x'.repeat(REPLY_LIMIT_OCTETS)}` }),
    'untried, untried, (unreachable)',
    /size/,
  ],
  [
    'greets with lines without end',
    at('greeting', { raw: '220-x\r\n'.repeat(REPLY_LIMIT_OCTETS / 4) }),
    'untried, untried, (unreachable)',
    /size/,
  ],
  [
    'refuses EHLO and HELO',
    { answer: ({ verb }) => (/^(EHLO|HELO)$/.test(verb) ? '550 5.7.506 Bad HELO' : undefined) },
    'untried, untried, (misconfigured)',
    /Bad HELO/,
  ],
  ['knows HELO alone', at('EHLO', '502 5.5.1 What?'), 'relayed, relayed'],
  ['cuts at EHLO', at('EHLO', { cut: true }), 'untried, untried, (unreachable)'],
  [
    'is ourselves',
    at('greeting', `220 ${SERVER_NAME.toUpperCase()} ESMTP`),
    'untried, untried, (misconfigured)',
    /circle/,
  ],
  ['defers MAIL', at('MAIL', '451 4.3.0 Later'), 'deferred 4.3.0, deferred 4.3.0'],
  ['refuses MAIL', at('MAIL', '550 5.7.1 Not you'), 'failed 5.7.1, failed 5.7.1'],
  ['closes at MAIL', at('MAIL', '421 4.4.2 Bye'), 'untried, untried, (throttled)'],
  ['cuts at MAIL', at('MAIL', { cut: true }), 'untried, untried, (unreachable)'],
  [
    'asks for a login',
    at('MAIL', '530 5.7.57 Client not authenticated'),
    'untried, untried, (misconfigured)',
  ],
  [
    'bars the sender',
    at('MAIL', '550 5.1.8 Bad outbound sender'),
    'untried, untried, (misconfigured)',
    /outbound/,
  ],
  ['answers MAIL with another class', at('MAIL', '354 Go'), 'deferred 4.5.0, deferred 4.5.0'],
  ['answers MAIL without a code', at('MAIL', 'ok then'), 'deferred 4.5.0, deferred 4.5.0'],
  ['defers RCPT', at('RCPT', '450 4.2.1 Greylisted'), 'deferred 4.2.1, deferred 4.2.1'],
  ['refuses RCPT', at('RCPT', '550 5.1.1 Unknown'), 'failed 5.1.1, failed 5.1.1'],
  ['refuses RCPT without a status', at('RCPT', '553 No'), 'failed 5.0.0, failed 5.0.0'],
  ['refuses RCPT with the status of another class', at('RCPT', '550 4.1.1 No'), 'failed 5.0.0, failed 5.0.0'],
  [
    'refuses one and takes one',
    { answer: ({ line }) => (line.includes('<a@') && line.startsWith('RCPT') ? '550 5.1.1 No' : undefined) },
    'failed 5.1.1, relayed',
  ],
  ['has no connector', at('RCPT', '550 5.7.64 TenantAttribution'), 'untried, untried, (misconfigured)'],
  [
    'has no connector for one',
    { answer: ({ line }) => (line.startsWith('RCPT TO:<a@') ? '550 5.7.54 Unable to relay' : undefined) },
    'deferred 4.7.1, relayed',
  ],
  [
    'throttles at the second RCPT',
    { answer: ({ line }) => (line.startsWith('RCPT TO:<b@') ? '451 4.7.500 Server busy' : undefined) },
    'relayed, untried, (throttled)',
  ],
  [
    'closes at the second RCPT',
    {
      answer: ({ line }) =>
        line.startsWith('RCPT TO:<b@') ? { cut: true, after: '421 4.7.0 Bye' } : undefined,
    },
    'untried, untried, (throttled)',
  ],
  ['cuts at RCPT', at('RCPT', { cut: true }), 'untried, untried, (unreachable)'],
  [
    'takes DATA although all were refused',
    { answer: ({ verb }) => (verb === 'RCPT' ? '550 5.1.1 No' : verb === 'DATA' ? '354 Go' : undefined) },
    'failed 5.1.1, failed 5.1.1',
  ],
  ['defers DATA', at('DATA', '451 4.3.0 Later'), 'deferred 4.3.0, deferred 4.3.0'],
  ['refuses DATA', at('DATA', '554 5.7.1 No'), 'failed 5.7.1, failed 5.7.1'],
  ['answers DATA with 250', at('DATA', '250 Ok'), 'deferred 4.5.0, deferred 4.5.0'],
  ['cuts at DATA', at('DATA', { cut: true }), 'untried, untried, (unreachable)'],
  ['defers the message', at('message', '452 4.3.1 Disk full'), 'deferred 4.3.1, deferred 4.3.1'],
  ['refuses the message', at('message', '552 5.3.4 Too large'), 'failed 5.3.4, failed 5.3.4'],
  ['refuses to send as another', at('message', '554 5.2.252 SendAsDenied'), 'failed 5.2.252, failed 5.2.252'],
  [
    'has had enough for a day',
    at('message', '554 5.2.0 STOREDRV; SubmissionQuotaExceeded'),
    'untried, untried, (quota)',
  ],
  [
    'has a full Sent Items',
    at('message', '554 5.2.2 mailbox full'),
    'untried, untried, (misconfigured)',
    /5\.2\.2/,
  ],
  [
    'refuses direct send',
    at('message', '550 5.7.68 TenantInboundAttribution; Direct Send not allowed'),
    'untried, untried, (misconfigured)',
  ],
  [
    'throttles the message',
    at('message', '432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded'),
    'untried, untried, (throttled)',
  ],
  [
    'closes with the answer to the message',
    at('message', { cut: true, after: '421 4.3.0 Bye' }),
    'untried, untried, (throttled)',
  ],
  ['cuts after the lone dot', at('message', { cut: true }), 'deferred 4.4.2, deferred 4.4.2'],
  [
    'has an unfinished answer to the message',
    at('message', { cut: true, after: '250-2.0.0 Ok' }),
    'deferred 4.4.2, deferred 4.4.2',
  ],
  [
    'answers more than it was asked',
    at(
      'MAIL',
      '250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n250 2.0.0 All is well\r\n250 And more',
    ),
    'deferred 4.5.0, deferred 4.5.0',
  ],
];

t.test('each way of misbehaving comes to what it means, with PIPELINING and without', async (t) => {
  for (const [what, script, result, reason] of MISBEHAVIOUR)
    for (const keywords of [HOP_KEYWORDS, []]) {
      const hop = await openScriptedHop(t, { ...script, keywords });
      const relay = openRelay(t, hop);
      const found = await relay.relay(messageOf(TEXT, BOTH), NEVER);
      t.equal(inShort(found), result, `a hop that ${what} (${keywords.length} keywords)`);
      if (reason !== undefined) t.match(found.trouble?.reason, reason, what);
      await relay.close();
      await hop.goAway();
    }
});

t.test('every wait for a hop that says nothing has its end', async (t) => {
  const silent = { silence: true } as const;
  const rows: readonly (readonly [verb: string, limitMs: number, result: string])[] = [
    ['greeting', GREETING_DEADLINE_MS, 'untried, (unreachable)'],
    ['EHLO', COMMAND_DEADLINE_MS, 'untried, (unreachable)'],
    ['MAIL', MAIL_DEADLINE_MS, 'untried, (unreachable)'],
    ['RCPT', RCPT_DEADLINE_MS, 'untried, (unreachable)'],
    ['DATA', DATA_DEADLINE_MS, 'untried, (unreachable)'],
    ['message', FINAL_DEADLINE_MS, 'deferred 4.4.2'],
  ];
  for (const [verb, limitMs, result] of rows) {
    let isAsked = false;
    const clock = createTestClock();
    const hop = await openScriptedHop(t, {
      keywords: [],
      answer: (moment) => {
        isAsked ||= moment.verb === verb;
        return moment.verb === verb ? silent : undefined;
      },
    });
    const relay = openRelay(t, hop, {}, clock);
    let isOver = false;
    const relayed = relay.relay(messageOf(TEXT), NEVER).finally(() => {
      isOver = true;
    });
    await hop.until(() => isAsked);
    // The other end learns of the connection before we do.
    while (clock.pendingTimers === 0) await turn();
    await turn();
    clock.advance(limitMs - 1);
    await turn();
    t.equal(isOver, false, `${verb} is waited for`);
    clock.advance(1);
    const found = await relayed;
    t.equal(inShort(found), result, verb);
    await relay.close();
    t.equal(clock.pendingTimers, 0, 'no timer is left');
  }
});

t.test('a hop that dribbles a reply has no more time than one that is silent', async (t) => {
  const clock = createTestClock();
  const hop = await openScriptedHop(t, at('MAIL', { raw: '250-a\r\n' }));
  const relay = openRelay(t, hop, {}, clock);
  const relayed = relay.relay(messageOf(TEXT), NEVER);
  await hop.until(() => hop.lines.includes('DATA'));
  for (let left = 10; left > 0; left -= 1) {
    hop.say('250-more\r\n');
    await turn();
    clock.advance(MAIL_DEADLINE_MS / 10);
  }
  t.equal(inShort(await relayed), 'untried, (unreachable)');
});

t.test('a host that does not answer is given up', async (t) => {
  const clock = createTestClock();
  const port = await openFullListener(t);
  const relay = openRelay(t, { port }, {}, clock);
  const relayed = relay.relay(messageOf(TEXT), NEVER);
  while (clock.pendingTimers === 0) await turn();
  clock.advance(CONNECT_DEADLINE_MS);
  t.match(await relayed, { trouble: { kind: 'unreachable', reason: /did not answer in 30000 ms/ } });
  const second = createServer().listen(port, '127.0.0.2');
  await once(second, 'listening');
  t.teardown(() => second.close());
  const addresses = ['127.0.0.1', '127.0.0.2'];
  const begunMs = systemClock.monotonic();
  const socket = await connectSocket({ host: 'hop.example', port, addresses }, systemClock, NEVER);
  t.ok(socket instanceof Socket && socket.remoteAddress === '127.0.0.2', 'but for its next address');
  // A timer may run some milliseconds early: it counts from the beginning of its turn.
  t.ok(systemClock.monotonic() - begunMs > ADDRESS_DEADLINE_MS / 2, 'after a while');
  if (socket instanceof Socket) socket.destroy();
});

t.test('a hop that takes no data is cut off, and no more of the message is read than it takes', async (t) => {
  const clock = createTestClock();
  const hop = await openScriptedHop(t, { isDeafToData: true });
  const relay = openRelay(t, hop, {}, clock);
  let pieces = 0;
  const piece = Buffer.from(`${'x'.repeat(76)}\r\n`.repeat(3200));
  const message: RelayedMessage = {
    ...messageOf(''),
    octets: 600 * piece.length,
    open: async function* () {
      for (; pieces < 600; pieces += 1) yield piece;
    },
  };
  const relayed = relay.relay(message, NEVER);
  await hop.until(() => hop.lines.includes('DATA'));
  for (let before = -1; pieces === 0 || before !== pieces; ) {
    before = pieces;
    for (let left = 20; left > 0; left -= 1) await turn();
  }
  t.ok(pieces < 60, `${pieces} of 600 pieces were read`);
  clock.advance(BLOCK_DEADLINE_MS);
  t.equal(inShort(await relayed), 'deferred 4.4.2, (unreachable)');
  t.same(hop.messages, []);
});

t.test('a hop that answers in the middle of the data is believed, but for a yes', async (t) => {
  for (const [reply, result] of [
    ['552 5.3.4 Too large', 'failed 5.3.4'],
    ['451 4.3.0 Later', 'deferred 4.3.0'],
    ['250 2.0.0 Ok', 'deferred 4.5.0'],
  ] as const) {
    const hop = await openScriptedHop(t, { interruptsData: { after: 1000, reply } });
    const large = messageOf(`${'x'.repeat(76)}\r\n`.repeat(200_000));
    t.equal(inShort(await openRelay(t, hop).relay(large, NEVER)), result);
    t.same(hop.messages, []);
  }
});

t.test('an abort after the lone dot waits for the answer, for a while', async (t) => {
  for (const answers of [true, false]) {
    const clock = createTestClock();
    const hop = await openScriptedHop(t, at('message', { silence: true }));
    const relay = openRelay(t, hop, {}, clock);
    const abort = new AbortController();
    const relayed = relay.relay(messageOf(TEXT), abort.signal);
    await hop.until(() => hop.messages.length === 1);
    await turn();
    abort.abort();
    clock.advance(ABORTED_FINAL_DEADLINE_MS - 1);
    await turn();
    if (answers) hop.say('250 2.0.0 Ok\r\n');
    else clock.advance(1);
    t.equal(inShort(await relayed), answers ? 'relayed' : 'deferred 4.4.2');
  }
});

t.test('an abort at any moment before it ends the attempt at once', async (t) => {
  const login = { kind: 'password', user: 'app', password: async () => 'secret' } as const;
  for (const verb of ['greeting', 'EHLO', 'AUTH', 'MAIL', 'DATA']) {
    const abort = new AbortController();
    const hop = await openScriptedHop(t, {
      keywords: [...HOP_KEYWORDS, 'AUTH PLAIN'],
      answer: (moment) => {
        if (moment.verb === verb) setImmediate(() => abort.abort());
        if (moment.verb === verb) return { silence: true };
        return moment.verb === 'AUTH' ? '235 2.7.0 Ok' : undefined;
      },
    });
    const relay = openRelay(t, hop, { login }, createTestClock());
    t.equal(inShort(await relay.relay(messageOf(TEXT), abort.signal)), 'untried', verb);
    await hop.until(() => hop.sessions.open === 0);
  }
});

t.test('a message larger than the relay takes fails, and nobody is asked', async (t) => {
  const hop = await openScriptedHop(t);
  const relay = openRelay(t, hop, { limits: { ...NO_LIMITS, sizeLimitOctets: TEXT.length } });
  t.equal(inShort(await relay.relay(messageOf(`${TEXT}x`), NEVER)), 'failed 5.3.4');
  t.equal(hop.sessions.opened, 0);
  t.equal(inShort(await relay.relay(messageOf(TEXT), NEVER)), 'relayed');
});

t.test(
  'an answer that depends on the sender holds up no others, as long as the relay carries mail',
  async (t) => {
    const clock = createTestClock();
    const hop = await openScriptedHop(t, {
      answer: ({ line }) =>
        /^MAIL FROM:<foreign/.test(line) ? '550 5.7.64 TenantAttribution; Relay Access Denied' : undefined,
    });
    const relay = openRelay(t, hop, {}, clock);
    const foreign = messageOf(TEXT, BOTH, { reversePath: 'foreign@example.net' });
    t.equal(inShort(await relay.relay(foreign, NEVER)), 'untried, untried, (misconfigured)');
    t.equal(inShort(await relay.relay(messageOf(TEXT), NEVER)), 'relayed');
    const { outcomes, trouble } = await relay.relay(foreign, NEVER);
    t.match(outcomes, [
      { kind: 'deferred', status: '4.7.1', reply: /Get-InboundConnector/ },
      { kind: 'deferred' },
    ]);
    t.equal(trouble, undefined);
    clock.advance(PROVEN_MS);
    t.equal(inShort(await relay.relay(foreign, NEVER)), 'untried, untried, (misconfigured)');
  },
);

t.test('a hop that takes few recipients at a time is offered the others at once', async (t) => {
  let taken = 0;
  const hop = await openScriptedHop(t, {
    answer: ({ verb }) => {
      if (verb === 'MAIL') taken = 0;
      if (verb === 'RCPT') taken += 1;
      return verb === 'RCPT' && taken > 2 ? '452 4.5.3 Too many recipients' : undefined;
    },
  });
  const relay = openRelay(t, hop);
  const recipients = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.org`);
  t.match(inShort(await relay.relay(messageOf(TEXT, recipients), NEVER)), /^(relayed(, )?){5}$/);
  t.same(
    hop.messages.map(({ rcpts }) => rcpts.length),
    [2, 2, 1],
  );
  t.equal(hop.sessions.opened, 1);
  hop.script = at('RCPT', '452 4.5.3 Too many recipients');
  t.equal(inShort(await relay.relay(messageOf(TEXT), NEVER)), 'deferred 4.5.3');
  const many = Array.from(
    { length: 2 * TRANSACTIONS_PER_MESSAGE + 3 },
    (_, index) => `r${index}@example.org`,
  );
  hop.script = {
    answer: ({ verb }) => {
      if (verb === 'MAIL') taken = 0;
      if (verb === 'RCPT') taken += 1;
      return verb === 'RCPT' && taken > 1 ? '452 4.5.3 Too many recipients' : undefined;
    },
  };
  const { outcomes } = await relay.relay(messageOf(TEXT, many), NEVER);
  t.equal(outcomes.filter(({ kind }) => kind === 'relayed').length, TRANSACTIONS_PER_MESSAGE);
  t.equal(outcomes.filter(({ kind }) => kind === 'untried').length, many.length - TRANSACTIONS_PER_MESSAGE);
});

/** Some turns of the event loop, in which sockets are heard. */
async function turn(): Promise<void> {
  for (let left = 10; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A port whose system queue is full, so that nobody hears of a new connection. */
async function openFullListener(t: Teardown): Promise<number> {
  const script = `const { createServer } = require('node:net');
    const { parentPort, workerData } = require('node:worker_threads');
    const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(workerData), 0, 0);
      process.exit();
    });`;
  const shared = new SharedArrayBuffer(4);
  const worker = new Worker(script, { eval: true, workerData: shared });
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = [1, 2].map(() => connect(port, '127.0.0.1'));
  await Promise.all(fillers.map((socket) => once(socket, 'connect')));
  t.teardown(async () => {
    for (const socket of fillers) socket.on('error', () => {}).destroy();
    Atomics.store(new Int32Array(shared), 0, 1);
    Atomics.notify(new Int32Array(shared), 0);
    await worker.terminate();
  });
  return port;
}

/** For a test's name: tap takes no line separators there. */
function named(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

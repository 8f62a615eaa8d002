/** What replies of Exchange Online mean, row by row as Microsoft and others publish them, and what other servers' do not. */

import { readFileSync } from 'node:fs';
import t from 'tap';

import { meaningOf } from '../../src/exchange/smtpReplies.ts';
import { MEANINGS, type SmtpStage } from '../../src/exchange/smtpReplyMeanings.ts';
import { readReply } from '../../src/wire/smtp/readReply.ts';

type Row = readonly [reply: string, stage: SmtpStage, kind: string, advice?: RegExp];

/** Submission with a login. */
const SUBMISSION: readonly Row[] = [
  [
    '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled',
    'auth',
    'misconfigured',
    /Set-CASMailbox -Identity MAILBOX -SmtpClientAuthenticationDisabled \$false/,
  ],
  [
    '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.',
    'auth',
    'misconfigured',
    /Set-CASMailbox/,
  ],
  [
    '535 5.7.139 Authentication unsuccessful,  BASIC   authentication\tis disabled.',
    'auth',
    'misconfigured',
    /exchange-xoauth2/,
  ],
  [
    '550 5.7.30 Basic authentication is not supported for Client Submission.',
    'auth',
    'misconfigured',
    /exchange-xoauth2/,
  ],
  ['550 5.7.30 No longer', 'mail', 'misconfigured', /retired/],
  [
    '535 5.7.139 Authentication unsuccessful, user is locked by your organization`s security defaults policy.',
    'auth',
    'misconfigured',
    /Conditional Access/,
  ],
  [
    '535 5.7.3 Authentication unsuccessful [AM0PR02CA0123.eurprd02.prod.outlook.com]',
    'auth',
    'misconfigured',
    /Add-MailboxPermission/,
  ],
  [
    '530 5.7.57 Client not authenticated to send mail. [FR0P281CA0012]',
    'mail',
    'misconfigured',
    /give this relay one/,
  ],
  [
    '550 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM',
    'mail',
    'misconfigured',
  ],
  ['530 Authentication required', 'mail', 'misconfigured', /login/],
  [
    '550 5.7.60 SMTP; Client does not have permissions to send as this sender',
    'message',
    'permanent',
    /Add-RecipientPermission SENDER -AccessRights SendAs/,
  ],
  [
    '554 5.2.252 SendAsDenied; app@example.com not allowed to send as boss@example.com; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception',
    'message',
    'permanent',
    /SendAs/,
  ],
  [
    '432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information.',
    'auth',
    'throttled',
    /connectionLimit of this relay to 2/,
  ],
  ['432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded', 'message', 'throttled'],
  ['554 5.2.1 STOREDRV; Sender Thread   Limit exceeded', 'message', 'throttled'],
  [
    '554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message',
    'message',
    'quota',
    /10,000/,
  ],
  [
    '550 5.2.0 The message can`t be submitted because the sender`s SUBMISSION\r\n quota was exceeded',
    'message',
    'quota',
  ],
  ['554 5.2.2 mailbox full; STOREDRV.Submission', 'message', 'restricted', /Sent Items/],
  ['550 5.1.8 Access denied, bad outbound sender', 'mail', 'restricted', /Restricted entities/],
  ['550 5.1.8 Bad Outbound Sender AS(42004)', 'message', 'restricted'],
  ...['5.7.501', '5.7.502', '5.7.503', '5.7.511'].map(
    (status): Row => [
      `550 ${status} Access denied, banned sender`,
      'message',
      'restricted',
      /Restricted entities/,
    ],
  ),
  ...['5.7.705', '5.7.708'].map(
    (status): Row => [
      `550 ${status} Access denied, tenant has exceeded threshold`,
      'message',
      'restricted',
      /tenant/,
    ],
  ),
  [
    '550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains',
    'mail',
    'restricted',
    /domain/,
  ],
  ['421 4.7.0 Temporary server error. Please try again later.', 'mail', 'throttled'],
  ['451 4.3.2 System not accepting network messages', 'mail', 'throttled', /takes no more/],
  ['421 4.4.2 Connection dropped due to TimedOut', 'data', 'throttled'],
  ['451 4.7.0 Temporary server error. Please try again later. PRX5', 'message', 'temporary'],
  ['451 4.4.62 Mail sent to the wrong region', 'rcpt', 'temporary'],
];

/** A connector, or direct send. */
const CONNECTOR: readonly Row[] = [
  [
    '550 5.7.64 TenantAttribution; Relay Access Denied [DB5EUR03FT054]',
    'rcpt',
    'misconfigured',
    /Get-InboundConnector/,
  ],
  ['550 Relay   access denied', 'rcpt', 'misconfigured'],
  [
    '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain',
    'rcpt',
    'misconfigured',
    /accepted domain/,
  ],
  ['451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)', 'rcpt', 'throttled', /SPF/],
  ['451 4.7.651 The mail server has been temporarily rate limited', 'mail', 'throttled'],
  ['451 4.7.699 Server busy', 'mail', 'throttled'],
  ['451 4.7.700 beyond the range', 'mail', 'temporary'],
  ['450 4.7.1 Greylisted', 'rcpt', 'temporary'],
  ['550 5.7.606 Access denied, banned sending IP [192.0.2.1]', 'mail', 'restricted', /sender\.office\.com/],
  ['550 5.7.649 Access denied, banned sending IP', 'rcpt', 'restricted'],
  ['550 5.7.506 Access Denied, Bad HELO', 'mail', 'misconfigured', /server\.name/],
  [
    '550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant',
    'message',
    'permanent',
    /From/,
  ],
  [
    '550 5.7.25 Access denied, the sending IPv6 address must have a reverse DNS record',
    'mail',
    'misconfigured',
    /PTR/,
  ],
  [
    '550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources',
    'message',
    'misconfigured',
    /RejectDirectSend \$false/,
  ],
  ['550 5.7.68 Refused', 'rcpt', 'misconfigured', /New-InboundConnector/],
];

/** What says nothing about a relay, whoever answers it. */
const OTHERS: readonly Row[] = [
  ['550 5.1.1 <a@example.org>: Recipient address rejected: User unknown', 'rcpt', 'permanent'],
  ['550 5.1.10 RESOLVER.ADR.RecipientNotFound', 'rcpt', 'permanent'],
  ['550 5.4.1 Recipient address rejected: Access denied', 'rcpt', 'permanent'],
  ['552 5.2.2 <a@example.org>: Mailbox full', 'rcpt', 'permanent'],
  ['554 5.2.2 mailbox full', 'rcpt', 'permanent'],
  ['550 5.1.8 Sender address rejected: Domain not found', 'mail', 'permanent'],
  ['552 5.3.4 Message size exceeds fixed limit', 'mail', 'permanent'],
  ['450 4.2.0 <a@example.org>: Greylisted', 'rcpt', 'temporary'],
  ['452 4.3.1 Insufficient system storage', 'message', 'temporary'],
  ['554', 'message', 'permanent'],
  ['535 Nope', 'auth', 'misconfigured', /user, password or token/],
  ['454 4.7.0 Temporary authentication failure', 'auth', 'temporary'],
];

for (const [what, rows] of Object.entries({ submission: SUBMISSION, connectors: CONNECTOR, others: OTHERS }))
  t.test(`replies of ${what} mean what the table says`, async (t) => {
    for (const [text, stage, kind, advice] of rows) {
      for (const written of [text, text.toUpperCase(), text.replaceAll(' ', '  ').replace('  ', ' ')]) {
        const { code, status, line } = readReply(written);
        const meaning = meaningOf({ stage, code, status, text: line });
        t.equal(meaning.kind, kind, written);
        if (advice !== undefined) t.match(meaning.advice, advice, written);
      }
    }
  });

t.test('every row of the table is reached, has a source, and tells what to do', async (t) => {
  const all = [...SUBMISSION, ...CONNECTOR, ...OTHERS];
  const reached = all.map(([text, stage]) => {
    const { code, status, line } = readReply(text);
    return meaningOf({ stage, code, status, text: line }).advice;
  });
  for (const { advice, source } of MEANINGS) {
    t.ok(reached.includes(advice), advice);
    t.match(advice, /\w.{20,}/);
    t.match(source, /\w.{10,}/);
  }
});

t.test('a reply is read whatever lines it comes in', async (t) => {
  t.same(readReply('550-5.1.1 One\r\n550-5.1.1 two\r\n550 5.1.1 three'), {
    code: 550,
    status: '5.1.1',
    texts: ['One', 'two', 'three'],
    line: '550 5.1.1 One two three',
  });
  t.equal(readReply('550 4.1.1 The class is another').status, undefined);
  t.same(readReply('hello\x1b[2J'), { code: 0, status: undefined, texts: ['hello [2J'], line: 'hello [2J' });
  t.equal(readReply(`550 ${'x'.repeat(5000)}`).line.length, 1000);
  t.same(readReply('250'), { code: 250, status: undefined, texts: [''], line: '250' });
});

t.test(
  'the troubleshooting table of docs/SENDING.md has what the rows know, and advises the same',
  async (t) => {
    const page = readFileSync(new URL('../../docs/SENDING.md', import.meta.url), 'utf8');
    const lines =
      page.split('\n| what is seen | why | what helps |\n')[1]?.split('\n\n')[0]?.split('\n') ?? [];
    const quoted = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
    const told = new Set<string>();
    for (const line of lines) {
      const [seen, , helps] = line.split(' | ');
      for (const text of quoted(seen)) {
        const status = /[245]\.\d+\.\d+/.exec(text)?.[0];
        if (status === undefined) continue;
        told.add(status);
        const code = Number(/^\d{3}/.exec(text)?.[0] ?? 550);
        const { advice } = meaningOf({ stage: code === 535 ? 'auth' : 'message', code, text });
        t.ok(advice, `${text} has a row`);
        for (const word of quoted(helps).filter((each) => /^[A-Z]\w+-\w+|^connectionLimit/.test(each)))
          t.match(advice, word.split(' ')[0], `${text}: ${word}`);
      }
    }
    t.ok(told.size > 20, `${told.size} replies`);
    for (const { kind, statuses = [] } of MEANINGS) {
      if (kind === 'permanent' || kind === 'throttled') continue;
      for (const range of statuses)
        for (const status of endsOf(range)) t.ok(told.has(status), `${status} is in the table`);
    }
  },
);

/** `5.7.3`, or both ends of `5.7.501-503`. */
function endsOf(range: string): readonly string[] {
  const [first = '', last] = range.split('-');
  return last === undefined ? [first] : [first, `${first.slice(0, first.lastIndexOf('.') + 1)}${last}`];
}

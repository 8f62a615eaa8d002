/** Delivery status notifications as octets, read back by the house's own MIME walker, by mailparser and by Python. */

import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import t from 'tap';
import { formatDeliveryReport } from '../../src/wire/dsn/deliveryReport.ts';
import type { DeliveryReport } from '../../src/wire/dsn/report.ts';
import {
  mayReturnWhole,
  RETURNED_HEADER_LIMIT_OCTETS,
  RETURNED_MESSAGE_LIMIT_OCTETS,
  returnedHeader,
} from '../../src/wire/dsn/returnedPart.ts';
import { STATUS_TOPICS, topicOf } from '../../src/wire/dsn/statusTopic.ts';
import { ENGLISH } from '../../src/wire/dsn/texts/english.ts';
import { GERMAN } from '../../src/wire/dsn/texts/german.ts';
import { decodeEncodedWords } from '../../src/wire/mime/encodedWord.ts';
import { parseMessageHeader } from '../../src/wire/mime/messageHeader.ts';
import { encodeQuotedPrintable } from '../../src/wire/mime/quotedPrintable.ts';
import { createTransferDecoder } from '../../src/wire/mime/transferEncoding.ts';
import { formatUnstructured } from '../../src/wire/mime/unstructuredField.ts';
import { walkMessage } from '../../src/wire/mime/walker.ts';

const HEADER = Buffer.from('Subject: caf\xe9\r\nX: --report-ABC\r\n\r\n', 'latin1');

const REPORT: DeliveryReport = {
  reportingServer: 'mail.example.com',
  from: 'postmaster@app.example',
  to: 'sender@app.example',
  date: 'Mon, 23 Nov 2026 12:00:00 +0000',
  arrivedAt: 'Mon, 23 Nov 2026 11:59:59 +0000',
  id: 'ABC',
  messageTrace: '01M8G9F5JSGC9PR52XTQ',
  recipients: [
    {
      address: 'full@app.example',
      action: 'failed',
      status: '5.2.2',
      reply: '552 5.2.2 Mailbox full',
      server: 'mx.example.net',
      lastAttemptAt: 'Mon, 23 Nov 2026 12:00:00 +0000',
    },
    {
      address: 'müller@app.example',
      action: 'failed',
      status: '5.1.1',
      reply: 'No such recipient here: Müller',
      originalRecipient: 'rfc822;mueller@app.example',
    },
  ],
  audience: { kind: 'sender' },
  languages: 'both',
  envelopeId: 'QQ1',
  messageId: 'alarm.17@device.example',
  subject: 'Störung an Pumpe 17',
  returned: returnedHeader(HEADER),
  isSmtpUtf8: false,
};

t.test('a report has a text, a status for each recipient, and the header that it is about', async (t) => {
  const octets = formatDeliveryReport(REPORT);
  const text = octets.toString('latin1');
  for (const line of [
    'Original-Envelope-Id: QQ1',
    'Reporting-MTA: dns; mail.example.com',
    'Arrival-Date: Mon, 23 Nov 2026 11:59:59 +0000',
    'Final-Recipient: rfc822; full@app.example',
    'Action: failed',
    'Status: 5.2.2',
    'Remote-MTA: dns; mx.example.net',
    'Diagnostic-Code: smtp; 552 5.2.2 Mailbox full',
    'Last-Attempt-Date: Mon, 23 Nov 2026 12:00:00 +0000',
    'Original-Recipient: rfc822; mueller@app.example',
    'Final-Recipient: utf-8; m\\x{FC}ller@app.example',
    'Diagnostic-Code: x-hauspost; No such recipient here: M?ller',
    'Auto-Submitted: auto-replied',
    'In-Reply-To: <alarm.17@device.example>',
  ])
    t.ok(text.includes(`\r\n${line}\r\n`), line);
  t.notMatch(text, /[^\r]\n|\r[^\n]/);
  t.notMatch(text, /[^\0-\x7f]/, 'it passes servers that take seven bits only');
  t.match(walkMessage(octets).structure, {
    subtype: 'report',
    parts: [{ subtype: 'plain' }, { subtype: 'delivery-status' }, { subtype: 'rfc822-headers' }],
  });
  const parsed = await simpleParser(octets);
  t.match(parsed.headers.get('content-type'), {
    value: 'multipart/report',
    params: { 'report-type': 'delivery-status' },
  });
  t.equal(parsed.subject, 'Undeliverable / Unzustellbar: Störung an Pumpe 17');
  t.match(
    parsed.text,
    /could not be delivered to:\n\n {2}full@app\.example\n {4}The recipient’s mailbox is full/,
  );
  t.match(
    parsed.text,
    /konnte nicht zugestellt werden an:\n\n {2}full@app\.example\n {4}Das Postfach des Empfängers ist voll/,
  );
});

t.test('one language stands alone; a delay says until when it is tried', async (t) => {
  const until = 'Wed, 25 Nov 2026 12:00:00 +0000';
  const recipients = [
    { address: 'a@b.example', action: 'delayed', status: '4.4.1', reply: 'no answer', willRetryUntil: until },
  ] as const;
  const german = await simpleParser(formatDeliveryReport({ ...REPORT, languages: 'de', recipients }));
  t.equal(german.subject, 'Verzögert: Störung an Pumpe 17');
  t.match(
    german.text,
    /noch nicht zugestellt an:\n\n {2}a@b\.example\n {4}Das Mailsystem des Empfängers antwortet nicht\.\n {4}Aufgegeben wird am Wed, 25 Nov 2026/,
  );
  t.notMatch(german.text, /Your message/);
  const english = formatDeliveryReport({ ...REPORT, languages: 'en', subject: undefined, recipients });
  t.match(english.toString(), /Subject: Delayed\r\n/);
  t.match(
    english.toString(),
    /Action: delayed\r\nStatus: 4\.4\.1\r\n[^\0]*Will-Retry-Until: Wed, 25 Nov 2026 12:00:00 \+0000\r\n/,
  );
});

t.test('whoever is told in place of the sender learns why', async (t) => {
  const forwarder = formatDeliveryReport({
    ...REPORT,
    audience: { kind: 'forwarder', address: 'me@app.example' },
  });
  t.match(
    (await simpleParser(forwarder)).text,
    /The message could not[^\0]*because me@app\.example forwards/,
  );
  const postmaster = formatDeliveryReport({ ...REPORT, audience: { kind: 'postmaster', sender: '' } });
  t.match((await simpleParser(postmaster)).text, /was\s+sent\s+by\s+a\s+mail\s+server/);
});

t.test('a report that may be SMTPUTF8 has its addresses and headers as they are', (t) => {
  const returned = returnedHeader(Buffer.from('Subject: Störung\r\n\r\n'));
  const octets = formatDeliveryReport({ ...REPORT, to: 'jürgen@app.example', returned, isSmtpUtf8: true });
  const text = octets.toString();
  t.match(text, /\r\nTo: <jürgen@app\.example>\r\n/);
  t.match(text, /Content-Type: message\/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n/);
  t.match(text, /Final-Recipient: utf-8; müller@app\.example\r\n/);
  t.match(
    text,
    /Content-Type: message\/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: Störung/,
  );
  const plain = formatDeliveryReport({ ...REPORT, returned }).toString();
  t.match(
    plain,
    /Content-Type: message\/global-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSubject: St=C3=B6rung/,
  );
  t.end();
});

t.test('Python`s email package reads the same', (t) => {
  const message = Buffer.from('From: a@b.example\r\nSubject: whole\r\n\r\nbody\r\n');
  const whole: DeliveryReport = { ...REPORT, returned: { kind: 'message', octets: message } };
  const script = `
import email, email.policy, json, sys, base64
def told(line):
    report = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
    text, status, third = report.iter_parts()
    groups = [[[k, str(v)] for k, v in group.items()] for group in status.get_payload()]
    back = third.get_payload(decode=True) or third.get_payload()[0].as_bytes()
    return dict(type=report.get_content_type(), kind=report.get_param('report-type'), subject=report['subject'],
        to=report['to'].addresses[0].addr_spec, defects=len(report.defects) + len(text.defects),
        text=text.get_content(), groups=groups, types=[p.get_content_type() for p in (text, status, third)],
        back=back.decode('latin-1'), charset=text.get_content_charset())
print(json.dumps([told(line) for line in sys.stdin]))
`;
  const input = [REPORT, whole].map((each) => formatDeliveryReport(each).toString('base64')).join('\n');
  const { stdout, stderr } = spawnSync('python3', ['-c', script], { input, encoding: 'utf8' });
  t.equal(stderr, '');
  const [header, returned] = JSON.parse(stdout);
  t.match(header, {
    type: 'multipart/report',
    kind: 'delivery-status',
    subject: 'Undeliverable / Unzustellbar: Störung an Pumpe 17',
    to: 'sender@app.example',
    defects: 0,
    charset: 'utf-8',
    types: ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
  });
  t.match(header.text, /Das Postfach des Empfängers ist voll/);
  t.match(header.back, /^Subject: caf\xe9\r?\nX: --report-ABC/, 'the header comes back octet for octet');
  t.equal(header.groups.length, 3);
  t.strictSame(
    header.groups[1].map(([name]: [string]) => name),
    ['Final-Recipient', 'Action', 'Status', 'Remote-MTA', 'Diagnostic-Code', 'Last-Attempt-Date'],
  );
  t.equal(returned.types[2], 'message/rfc822');
  t.match(returned.back, /Subject: whole\r?\n\r?\nbody/);
  t.end();
});

/** Everything in a report that strangers write. */
const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        'a',
        ' ',
        'ü',
        '--report-ABC',
        '=?utf-8?B?',
        '\0',
        '\u2028',
        '\ud800',
      ),
    )
    .map((parts) => parts.join('')),
);

t.test('nothing that a stranger wrote becomes a field, a line or a part of its own', async (t) => {
  const fields = (octets: Buffer) =>
    parseMessageHeader(octets.subarray(0, octets.indexOf('\r\n\r\n') + 4), true).fields.map(
      ({ name }) => name,
    );
  const usual = fields(formatDeliveryReport({ ...REPORT, messageId: undefined }));
  const strangers = fc.record({
    to: odd,
    envelopeId: odd,
    address: odd,
    reply: odd,
    server: odd,
    originalRecipient: odd,
    subject: odd,
    messageId: odd.filter((id) => !/^[!-;=?-~]{1,250}$/.test(id)),
    header: odd,
    isSmtpUtf8: fc.boolean(),
  });
  fc.assert(
    fc.property(strangers, ({ address, reply, server, originalRecipient, header, ...others }) => {
      const recipient = {
        address,
        reply,
        server,
        originalRecipient,
        action: 'failed',
        status: '5.1.1',
      } as const;
      const octets = formatDeliveryReport({
        ...REPORT,
        ...others,
        recipients: [recipient],
        returned: returnedHeader(Buffer.from(header)),
      });
      const text = octets.toString('latin1');
      const status =
        /\r\n\r\n(?:Original-Envelope-Id: .*\r\n)Reporting-MTA: .*\r\nArrival-Date: .*\r\n\r\nOriginal-Recipient: .*\r\nFinal-Recipient: .*\r\nAction: failed\r\nStatus: 5\.1\.1\r\nRemote-MTA: .*\r\n(?:Diagnostic-Code: .*\r\n)?\r\n--/;
      const { parts } = walkMessage(octets).structure as unknown as { parts: readonly unknown[] };
      return (
        fields(octets).join() === usual.join() &&
        parts.length === 3 &&
        status.test(text) &&
        !/\0|[^\r]\n|\r[^\n]/.test(text) &&
        (others.isSmtpUtf8 || !/[^\0-\x7f]/.test(text.replace(/^To: .*/m, '')))
      );
    }),
    { numRuns: 400 },
  );
  t.pass('400 runs');
});

t.test('of a long header whole fields come back, and the report says that it was cut', async (t) => {
  const header = Buffer.from(`A: 1\r\nB: ${'x'.repeat(900)}\r\n ${'y'.repeat(900)}\r\n`.repeat(60));
  const returned = returnedHeader(header);
  t.equal(returned.kind === 'header' && returned.isWhole, false);
  t.ok(returned.octets.length <= RETURNED_HEADER_LIMIT_OCTETS);
  t.match(returned.octets.toString().slice(-5), /[1y]\r\n$/);
  const { text } = await simpleParser(formatDeliveryReport({ ...REPORT, returned }));
  t.match(text, /only its first fields are attached/);
  t.equal(returnedHeader(HEADER).kind === 'header', true);
  t.equal(mayReturnWhole(Buffer.from('a\r\n\r\nb\r\n')), true);
  for (const message of [
    'a\n',
    'a\rb\r\n',
    'a\0\r\n',
    `${'x'.repeat(999)}\r\n`,
    'a\r\n'.repeat(RETURNED_MESSAGE_LIMIT_OCTETS),
  ])
    t.equal(mayReturnWhole(Buffer.from(message)), false);
});

t.test('people read of fifty recipients, programs of all', (t) => {
  const recipients = Array.from({ length: 53 }, (_, number) => ({
    address: `r${number}@app.example`,
    action: 'failed' as const,
    status: '5.1.1',
    reply: '',
  }));
  const text = formatDeliveryReport({ ...REPORT, languages: 'en', recipients }).toString('latin1');
  t.equal(text.match(/^Final-Recipient: /gm)?.length, 53);
  const [explanation = ''] = text.split('message/delivery-status');
  t.match(explanation, 'r49@app.example');
  t.notMatch(explanation, 'r50@app.example');
  t.match(explanation, /and 3 more/);
  t.end();
});

t.test('a boundary that is in the message is not used', async (t) => {
  const octets = Buffer.from('A: 1\r\n\r\n--report-ABC--\r\n');
  const report = formatDeliveryReport({ ...REPORT, returned: { kind: 'message', octets } });
  t.match(walkMessage(report).structure, { parts: [{}, {}, { subtype: 'rfc822' }] });
  t.match(report.toString('latin1'), /boundary="report-ABC-1"/);
});

t.test('both languages have sentences for every status that a report knows', (t) => {
  for (const topic of STATUS_TOPICS) {
    for (const { reasons } of [ENGLISH, GERMAN]) {
      t.match(reasons[topic].why, /^\p{Lu}.*\.$/u, topic);
      t.match(reasons[topic].advice, /^\p{Lu}.*\.$/u, topic);
    }
    t.not(ENGLISH.reasons[topic].why, GERMAN.reasons[topic].why);
  }
  for (const [status, topic] of [
    ['5.2.2', '2.2'],
    ['4.2.2', '2.2'],
    ['5.1.1', '1.1'],
    ['5.1.10', '5.1.10'],
    ['5.4.1', '5.4.1'],
    ['4.4.1', '4.1'],
    ['4.4.7', '4.7'],
    ['5.7.1', '7.1'],
    ['5.7.620', '7.606'],
    ['5.7.650', '7'],
    ['5.7.134', '7.133'],
    ['5.9.9', ''],
    ['nonsense', ''],
  ] as const)
    t.equal(topicOf(status), topic, status);
  t.end();
});

t.test('quoted-printable and encoded words come back as they were, in lines of ASCII', (t) => {
  const pieces = fc.array(
    fc.constantFrom('\r\n', '\n', ' ', '\t', '=', 'ü', 'x'.repeat(30), '.', '=?a?b?c?='),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(pieces, (some) => {
      const octets = Buffer.from(some.join(''));
      const encoded = encodeQuotedPrintable(octets);
      const decoder = createTransferDecoder('quoted-printable');
      const decoded = Buffer.concat([decoder.push(Buffer.from(encoded)), decoder.end()]);
      return decoded.equals(octets) && encoded.split('\r\n').every((line) => /^[\t -~]{0,76}$/.test(line));
    }),
  );
  fc.assert(
    fc.property(pieces, (some) => {
      const text = some.join('');
      const field = formatUnstructured('Subject', text);
      const lines = field.slice(0, -2).split('\r\n');
      const decoded = decodeEncodedWords(Buffer.from(field.slice('Subject:'.length)));
      const plain = (one: string) => one.replace(/\s+/g, ' ').trim();
      return (
        plain(decoded) === plain(text) &&
        lines.every((line, index) => /^[ -~]+$/.test(line) && (index === 0 || line.startsWith(' ')))
      );
    }),
  );
  t.end();
});

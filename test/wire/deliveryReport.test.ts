/** Delivery status notifications as octets, read back by the house's own MIME walker and by mailparser. */

import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import t from 'tap';
import { type DeliveryReport, formatDeliveryReport } from '../../src/wire/dsn/deliveryReport.ts';
import { walkMessage } from '../../src/wire/mime/walker.ts';

const REPORT: DeliveryReport = {
  reportingServer: 'mail.example.com',
  from: 'postmaster@app.example',
  to: 'sender@app.example',
  date: 'Mon, 23 Nov 2026 12:00:00 +0000',
  arrivedAt: 'Mon, 23 Nov 2026 11:59:59 +0000',
  id: 'ABC',
  recipients: [
    {
      address: 'full@app.example',
      action: 'failed',
      status: '5.2.2',
      explanation: 'The mailbox is over its quota',
    },
    {
      address: 'müller@app.example',
      action: 'failed',
      status: '5.1.1',
      explanation: 'No such recipient here',
      originalRecipient: 'rfc822;mueller@app.example',
    },
  ],
  envelopeId: 'QQ1',
  header: Buffer.from('Subject: caf\xe9\r\nX: --report-ABC\r\n\r\n', 'latin1'),
};

t.test('a report has a text, a status for each recipient, and the header that it is about', async (t) => {
  const octets = formatDeliveryReport(REPORT);
  const text = octets.toString();
  for (const line of [
    'Reporting-MTA: dns; mail.example.com',
    'Original-Envelope-Id: QQ1',
    'Final-Recipient: rfc822; full@app.example',
    'Action: failed',
    'Status: 5.2.2',
    'Original-Recipient: rfc822; mueller@app.example',
    'Final-Recipient: utf-8; m\\x{FC}ller@app.example',
    'Auto-Submitted: auto-replied',
  ])
    t.ok(text.includes(`\r\n${line}\r\n`), line);
  t.notMatch(text, /[^\r]\n|\r[^\n]/);
  t.match(walkMessage(octets).structure, {
    subtype: 'report',
    parts: [{ subtype: 'plain' }, { subtype: 'delivery-status' }, { subtype: 'rfc822-headers' }],
  });
  const parsed = await simpleParser(octets);
  t.match(parsed.headers.get('content-type'), {
    value: 'multipart/report',
    params: { 'report-type': 'delivery-status' },
  });
  t.match(parsed.text, /full@app.example>: The mailbox is over its quota/);
  t.ok(octets.includes(Buffer.from('caf\xe9', 'latin1')), 'the header comes back octet for octet');
});

t.test('nothing that a stranger wrote becomes a line of its own', async (t) => {
  const recipient = {
    address: 'a',
    action: 'failed',
    status: '5.1.1',
    explanation: 'x',
    originalRecipient: 'x;y',
  } as const;
  const plain = formatDeliveryReport({
    ...REPORT,
    envelopeId: 'x',
    recipients: [recipient],
    header: Buffer.from(''),
  });
  const usual = plain.toString().split('\r\n').length;
  const odd = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(odd, odd, odd, (address, envelopeId, originalRecipient) => {
      const lines = formatDeliveryReport({
        ...REPORT,
        to: address,
        envelopeId,
        recipients: [{ ...recipient, address, originalRecipient }],
        header: Buffer.from(''),
      })
        .toString()
        .split('\r\n');
      return lines.length === usual && !lines.some((line) => /[\r\n\0]/.test(line));
    }),
    { numRuns: 500 },
  );
  t.pass('500 runs');
});

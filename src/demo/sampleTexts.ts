/**
 * The demo's sample mail as data: what an invoice inbox, a ticket system and a scanner of a German company really get.
 * Listed as a table file: longer than code should be, and nothing but data. Called by samples.ts.
 */

import type MailComposer from 'nodemailer/lib/mail-composer';

/** What MailComposer takes. */
export type MailOptions = NonNullable<ConstructorParameters<typeof MailComposer>[0]>;
/** One of its attachments. */
export type Attachment = NonNullable<MailOptions['attachments']>[number];

/** Size of the large attachment, in octets. */
export const LARGE_ATTACHMENT_OCTETS = 20 * 1024 * 1024;

/** A sample: who it is for (names of demo accounts), and the message as MailComposer takes it. */
export interface SampleText {
  readonly title: string;
  readonly to: readonly string[];
  readonly mail: MailOptions;
}

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const PDF = [
  '%PDF-1.4',
  '1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj',
  '2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj',
  '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj',
  'trailer<</Root 1 0 R>>',
  '%%EOF',
].join('\n');

const INVITATION = [
  'BEGIN:VCALENDAR',
  'METHOD:REQUEST',
  'PRODID:Microsoft Exchange Server 2010',
  'VERSION:2.0',
  'BEGIN:VEVENT',
  'UID:040000008200E00074C5B7101A82E008000000005B0A4C',
  'SUMMARY:Übergabe des neuen Lagersystems',
  'DTSTART:20261201T090000Z',
  'DTEND:20261201T100000Z',
  'DTSTAMP:20261123T080000Z',
  'ORGANIZER;CN=Jörg Weiß:mailto:joerg.weiss@example.com',
  'ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION:mailto:tickets@app.example.com',
  'LOCATION:Besprechungsraum Köln',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n');

/** A TNEF stream (MS-OXTNEF): signature, key, and the attribute that holds the TNEF version 1.0. */
const WINMAIL = Buffer.from(
  '789f3e22' + '0100' + '01' + '06900800' + '04000000' + '00000100' + '0100',
  'hex',
);

/** A delivery report (RFC 3464), whole: the composer makes no multipart/report. */
const DELIVERY_REPORT = [
  'From: Microsoft Outlook <postmaster@example.com>',
  'To: tickets@app.example.com',
  'Subject: Unzustellbar: Bestellung 4711',
  'Message-ID: <dsn-4711@FR2P281MB0001.DEUP281.PROD.OUTLOOK.COM>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=delivery-status; boundary="report"',
  '',
  '--report',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  'Ihre Nachricht an gibt-es-nicht@example.net konnte nicht zugestellt werden: Empfänger unbekannt.',
  '--report',
  'Content-Type: message/delivery-status',
  '',
  'Reporting-MTA: dns;FR2P281MB0001.DEUP281.PROD.OUTLOOK.COM',
  '',
  'Final-Recipient: rfc822;gibt-es-nicht@example.net',
  'Action: failed',
  'Status: 5.1.1',
  'Diagnostic-Code: smtp;550 5.1.1 <gibt-es-nicht@example.net>: User unknown',
  '',
  '--report',
  'Content-Type: text/rfc822-headers',
  '',
  'From: tickets@app.example.com',
  'To: gibt-es-nicht@example.net',
  'Subject: Bestellung 4711',
  '',
  '--report--',
  '',
].join('\r\n');

const attachment = (filename: string, content: string | Buffer, contentType: string): Attachment => ({
  filename,
  content,
  contentType,
});

/** The samples, in the order in which they are handed over. */
export const SAMPLE_TEXTS: readonly SampleText[] = [
  {
    title: 'plain text with umlauts',
    to: ['tickets'],
    mail: {
      from: 'Jürgen Müller <juergen.mueller@example.com>',
      subject: 'Störung: Drucker im 3. Stock',
      text: 'Guten Tag,\n\nseit heute früh druckt das Gerät im 3. Stock nur noch weiße Seiten.\n\nMit freundlichen Grüßen\nJürgen Müller\n',
    },
  },
  {
    title: 'HTML with a text alternative',
    to: ['tickets'],
    mail: {
      from: 'Anna Schäfer <anna.schaefer@example.com>',
      subject: 'Zugang für neue Kollegin',
      text: 'Bitte einen Zugang für Frau Groß anlegen.',
      html: '<html><body><p>Bitte einen <b>Zugang</b> für Frau Groß anlegen.</p></body></html>',
    },
  },
  {
    title: 'an invoice as PDF',
    to: ['invoices'],
    mail: {
      from: 'Buchhaltung Nordwind GmbH <rechnung@example.net>',
      subject: 'Rechnung 2026-11-0815',
      text: 'Anbei unsere Rechnung.',
      attachments: [attachment('Rechnung 2026-11-0815.pdf', PDF, 'application/pdf')],
    },
  },
  {
    title: 'an attachment with umlauts in its name',
    to: ['invoices'],
    mail: {
      from: 'Bäckerei Öttinger <info@example.org>',
      subject: 'Lieferschein für Großbestellung',
      text: 'Siehe Anhang.',
      attachments: [
        attachment(
          'Lieferschein Brötchen & Süßes.txt',
          'Brötchen;400\r\nSüßes;12\r\n',
          'text/plain; charset=utf-8',
        ),
      ],
    },
  },
  {
    title: 'HTML with an image inside',
    to: ['invoices', 'tickets'],
    mail: {
      from: 'Newsletter <news@example.net>',
      subject: 'Neue Preise ab Januar',
      html: '<p>Neue Preise <img src="cid:logo@example.net" alt="Logo"></p>',
      attachments: [{ filename: 'logo.png', content: PIXEL, encoding: 'base64', cid: 'logo@example.net' }],
    },
  },
  {
    title: 'a calendar invitation',
    to: ['tickets'],
    mail: {
      from: 'Jörg Weiß <joerg.weiss@example.com>',
      subject: 'Übergabe des neuen Lagersystems',
      text: 'Bitte zusagen.',
      icalEvent: { method: 'REQUEST', content: INVITATION },
    },
  },
  {
    title: 'a winmail.dat from Outlook',
    to: ['tickets'],
    mail: {
      from: 'Vertrieb <vertrieb@example.com>',
      subject: 'AW: Angebot',
      text: 'Siehe winmail.dat',
      attachments: [attachment('winmail.dat', WINMAIL, 'application/ms-tnef')],
    },
  },
  {
    title: 'a delivery report',
    to: ['tickets'],
    mail: { raw: DELIVERY_REPORT, envelope: { from: '', to: 'tickets@app.example.com' } },
  },
  {
    title: 'a scan',
    to: ['scans'],
    mail: {
      from: 'scanner-3og@example.com',
      subject: 'Scan von MFP-3OG',
      text: 'Gerätename: MFP-3OG',
      attachments: [
        attachment('SCN_0001.pdf', PDF, 'application/pdf'),
        attachment('SCN_0002.pdf', PDF, 'application/pdf'),
      ],
    },
  },
  {
    title: 'a forwarded message',
    to: ['tickets'],
    mail: {
      from: 'Zentrale <info@example.com>',
      subject: 'WG: Reklamation',
      text: 'Bitte übernehmen.',
      attachments: [
        attachment(
          'Reklamation.eml',
          'From: kunde@example.org\r\nTo: info@example.com\r\nSubject: Reklamation\r\n\r\nDie Ware kam beschädigt an.\r\n',
          'message/rfc822',
        ),
      ],
    },
  },
  {
    title: 'a reply in a thread',
    to: ['tickets'],
    mail: {
      from: 'Jürgen Müller <juergen.mueller@example.com>',
      subject: 'AW: Störung: Drucker im 3. Stock',
      inReplyTo: '<ticket-4711@app.example.com>',
      references: '<ticket-4711@app.example.com>',
      text: 'Läuft wieder, danke!\n\n> .\n.\n',
    },
  },
  {
    title: 'a 20 MB attachment',
    to: ['scans'],
    mail: {
      from: 'Planungsbüro <plan@example.net>',
      subject: 'Baupläne',
      text: 'Die Pläne im Anhang.',
      attachments: [
        attachment('Pläne.zip', Buffer.alloc(LARGE_ATTACHMENT_OCTETS, 'Hauspost'), 'application/zip'),
      ],
    },
  },
];

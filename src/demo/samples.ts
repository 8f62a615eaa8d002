/**
 * Builds the demo's messages as Exchange Online hands them over: MIME by nodemailer's composer, with the trace, ARC and
 * X-MS-Exchange fields in front that mail from Microsoft 365 carries (facts of a real message of 2026, values invented).
 */

import MailComposer from 'nodemailer/lib/mail-composer';
import type { UnixMs } from '../base/clock.ts';
import { SAMPLE_TEXTS } from './sampleTexts.ts';

/** A message ready to be handed over. */
export interface Sample {
  readonly title: string;
  /** Reverse path; empty for the null path. */
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly raw: Buffer;
}

/** The samples for `domain`, dated backwards from `now`, one minute apart. */
export async function buildSamples(domain: string, now: UnixMs): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [index, text] of SAMPLE_TEXTS.entries()) {
    const date = new Date(now - (SAMPLE_TEXTS.length - index) * 60_000);
    const recipients = text.to.map((name) => `${name}@${domain}`);
    const node = new MailComposer({
      ...text.mail,
      to: recipients,
      date,
      messageId: `<FR2P281MB${String(index).padStart(4, '0')}.${date.getTime()}@FR2P281MB0001.DEUP281.PROD.OUTLOOK.COM>`,
    }).compile();
    const { from } = node.getEnvelope();
    const body = await node.build();
    samples.push({
      title: text.title,
      sender: typeof from === 'string' ? from : '',
      recipients,
      raw: Buffer.concat([Buffer.from(exchangeFields(date, index)), body]),
    });
  }
  return samples;
}

function exchangeFields(date: Date, index: number): string {
  const id = `f3a1c0de-0000-4000-8000-${String(index).padStart(12, '0')}`;
  const tenant = '5e1f7a11-0000-4000-8000-0123456789ab';
  return [
    'Received: from FR2P281MB0001.DEUP281.PROD.OUTLOOK.COM (2603:10a6:d10:1::1) by',
    ' FR3P281MB0002.DEUP281.PROD.OUTLOOK.COM (2603:10a6:d10:2::2) with Microsoft SMTP Server',
    ' (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.9300.12;',
    ` ${date.toUTCString().replace('GMT', '+0000')}`,
    'ARC-Authentication-Results: i=1; mx.microsoft.com 1; spf=pass; dmarc=pass; dkim=pass; arc=none',
    `X-MS-Exchange-CrossTenant-Network-Message-Id: ${id}`,
    `X-MS-Office365-Filtering-Correlation-Id: ${id}`,
    `X-MS-Exchange-CrossTenant-Id: ${tenant}`,
    `X-LD-Processed: ${tenant},ExtAddr`,
    'X-MS-Exchange-CrossTenant-AuthAs: Internal',
    'X-Forefront-Antispam-Report: CIP:255.255.255.255;CTRY:;LANG:de;SCL:1;SRV:;IPV:NLI;SFV:NSPM;DIR:OUT;SFP:1102;',
    'X-OriginatorOrg: example.com',
    '',
  ].join('\r\n');
}

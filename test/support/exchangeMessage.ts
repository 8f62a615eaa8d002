/**
 * A message as Exchange Online hands it over: some 14 kB of header, with the fields by which its tenant shows, signed by DKIM.
 *
 * Names, order and sizes are those of messages of 2026; values are made up. The signature is nodemailer's, over the fields that
 * Exchange Online signs; what stands above it is added in transport, and unsigned.
 */

import { createHash } from 'node:crypto';

import { type SigningKey, signByNodemailer } from './dkimSigner.ts';

const SIGNED_NAMES = 'From:Date:Subject:Message-ID:Content-Type:MIME-Version:X-MS-Exchange-SenderADCheck';

/** A tenant of Exchange Online. */
export interface Tenant {
  readonly id: string;
  /** Its initial domain, contoso.onmicrosoft.com. */
  readonly domain: string;
  readonly key: SigningKey;
}

/** What a message is made from. */
export interface ExchangeMessage {
  readonly tenant: Tenant;
  /** Its number makes ids and Subject. */
  readonly number: number;
  readonly recipient: string;
  readonly body: string;
  /** The field that a mail flow rule sets. */
  readonly ruleField?: readonly [name: string, value: string] | undefined;
  /** Whether it is signed, which it is unless this is false. */
  readonly isSigned?: boolean;
  /** Fields more on top, whole lines. */
  readonly added?: readonly string[];
  /** Fields that this message lacks (lower case). */
  readonly absent?: readonly string[];
}

/** Makes the octets of a message. */
export async function makeExchangeMessage(message: ExchangeMessage): Promise<Buffer> {
  const { tenant, number, recipient, body, ruleField, added = [], absent = [] } = message;
  const id = `${String(number).padStart(8, '0')}-5c5c-4b4b-8a8a-0123456789ab`;
  const content = Buffer.from(
    `${[
      'From: "Sales, Contoso" <sales@contoso.example>',
      `To: Application <${recipient}>`,
      `Subject: Order ${number}`,
      'Thread-Topic: Order',
      `Thread-Index: ${blob(`thread${number}`, 40)}`,
      'Date: Thu, 15 Jan 2026 10:00:00 +0000',
      `Message-ID: <VI1PR04MB${number}@VI1PR04MB7777.eurprd04.prod.outlook.com>`,
      'Accept-Language: de-DE, en-US',
      'Content-Language: en-US',
      'X-MS-Has-Attach:',
      'X-MS-TNEF-Correlator:',
      'X-MS-Exchange-SenderADCheck: 1',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset="utf-8"',
      'Content-Transfer-Encoding: 8bit',
    ].join('\r\n')}\r\n\r\n${body}`,
  );
  const signed =
    message.isSigned === false ? content : await signByNodemailer(content, tenant.key, SIGNED_NAMES);
  const transport = [
    ...added,
    ...(ruleField === undefined ? [] : [`${ruleField[0]}: ${ruleField[1]}`]),
    ...transportFields(tenant, id),
  ].filter((field) => !absent.includes(field.slice(0, field.indexOf(':')).toLowerCase()));
  return Buffer.concat([Buffer.from(`${transport.join('\r\n')}\r\n`), signed]);
}

function transportFields({ id: tenantId, domain }: Tenant, id: string): string[] {
  const hop = (from: string, by: string) =>
    `Received: from ${from} (2603:10a6:803:4e::12)\r\n by ${by} (2603:10a6:20b:7::18) with Microsoft SMTP Server (version=TLS1_2,\r\n cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.9520.5; Thu, 15 Jan\r\n 2026 10:00:01 +0000`;
  return [
    `ARC-Seal: i=1; a=rsa-sha256; s=arcselector10001; d=microsoft.com; cv=none;\r\n b=${folded(blob('seal', 344))}`,
    `ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=microsoft.com;\r\n s=arcselector10001;\r\n h=From:Date:Subject:Message-ID:Content-Type:MIME-Version:X-MS-Exchange-AntiSpam-MessageData-ChunkCount;\r\n bh=${blob('body', 44)};\r\n b=${folded(blob('ams', 344))}`,
    `ARC-Authentication-Results: i=1; mx.microsoft.com 1; spf=pass\r\n smtp.mailfrom=contoso.example; dmarc=pass action=none\r\n header.from=contoso.example; dkim=pass header.d=contoso.example; arc=none`,
    hop('VI1PR04MB7777.eurprd04.prod.outlook.com', 'AS8PR04MB8888.eurprd04.prod.outlook.com'),
    hop('VI1PR04MB7777.eurprd04.prod.outlook.com', 'VI1PR04MB7777.eurprd04.prod.outlook.com'),
    'X-MS-PublicTrafficType: Email',
    'X-MS-TrafficTypeDiagnostic: VI1PR04MB7777:EE_|AS8PR04MB8888:EE_',
    `X-MS-Office365-Filtering-Correlation-Id: ${id}`,
    `X-LD-Processed: ${tenantId},ExtAddr`,
    'X-MS-Exchange-AntiSpam-Relay: 0',
    'X-Microsoft-Antispam: BCL:0;ARA:13230040|1800799024|366016|376014|38070700021;',
    `X-Microsoft-Antispam-Message-Info: ${folded(blob('info', 6800))}`,
    `X-Forefront-Antispam-Report: CIP:255.255.255.255;CTRY:;LANG:en;SCL:1;SRV:;IPV:NLI;\r\n SFV:NSPM;H:VI1PR04MB7777.eurprd04.prod.outlook.com;PTR:;CAT:NONE;SFS:(13230040)(1800799024);\r\n DIR:OUT;SFP:1102;`,
    'X-MS-Exchange-AntiSpam-MessageData-ChunkCount: 1',
    `X-MS-Exchange-AntiSpam-MessageData-0: ${folded(blob('data', 3400))}`,
    `X-OriginatorOrg: ${domain}`,
    `X-MS-Exchange-CrossTenant-Network-Message-Id: ${id}`,
    'X-MS-Exchange-CrossTenant-AuthSource: VI1PR04MB7777.eurprd04.prod.outlook.com',
    'X-MS-Exchange-CrossTenant-AuthAs: Internal',
    'X-MS-Exchange-CrossTenant-OriginalArrivalTime: 15 Jan 2026 10:00:01.0000 (UTC)',
    'X-MS-Exchange-CrossTenant-FromEntityHeader: Hosted',
    `X-MS-Exchange-CrossTenant-Id: ${tenantId}`,
    'X-MS-Exchange-CrossTenant-MailboxType: HOSTED',
    `X-MS-Exchange-CrossTenant-UserPrincipalName: ${blob('upn', 88)}`,
    'X-MS-Exchange-Transport-CrossTenantHeadersStamped: AS8PR04MB8888',
    'X-MS-Exchange-Inbox-Rules-Loop: sales@contoso.example',
    'X-MS-Exchange-Transport-Rules-Loop: 1',
  ];
}

/** `length` characters of base64 that are the same each time. */
function blob(seed: string, length: number): string {
  let text = '';
  for (let count = 0; text.length < length; count += 1)
    text += createHash('sha512').update(`${seed}${count}`).digest('base64').replaceAll('=', '');
  return text.slice(0, length);
}

function folded(text: string): string {
  return (text.match(/.{1,76}/g) ?? []).join('\r\n ');
}

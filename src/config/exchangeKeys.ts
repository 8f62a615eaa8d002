/**
 * The section `exchange` of the schema (schema.ts): how Exchange Online is known on listeners that have a `door`, and the checks
 * that belong to it (docs/EXCHANGE-DOOR.md). Names of levels are those of src/exchange.
 */

import { z } from 'zod';
import type { DoorLevel } from '../exchange/doorCounters.ts';
import type { ListenerConfig } from './listenerKeys.ts';

const path = z.string().min(1).max(4096);
const range = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: 'an address, or a block such as 192.0.2.0/24',
});
const domain = z
  .string()
  .max(253)
  .regex(
    /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$/,
    'a domain like contoso.onmicrosoft.com',
  );
const secret = z
  .string()
  .regex(/^[\x21-\x7e]{16,200}$/, '16 to 200 characters of ASCII without blanks')
  .optional();

/** Its keys. */
export const exchange = z.strictObject({
  sourceRanges: z
    .array(range)
    .max(1000)
    .optional()
    .describe(
      'Addresses that Exchange Online sends from, for the level `ip`; the six ranges that Microsoft publishes when absent.',
    ),
  additionalSourceRanges: z
    .array(range)
    .max(1000)
    .default([])
    .describe('Addresses that the level `ip` lets in beside them: a gateway of ours, a range that is new.'),
  certificateNames: z
    .array(domain)
    .min(1)
    .max(20)
    .default(['mail.protection.outlook.com'])
    .describe('Names of which the client certificate has to have one, for the level `tls`.'),
  rootCertificateFile: path
    .optional()
    .describe(
      'PEM file of root certificates that are trusted beside those that come with the server, for the level `tls`.',
    ),
  tenantIds: z
    .array(z.string().regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'a tenant id (GUID)'))
    .max(100)
    .default([])
    .describe('Ids of our Microsoft 365 tenants, for the level `tenant`.'),
  secretHeader: z
    .string()
    .regex(/^[Xx]-[A-Za-z0-9-]{1,70}$/, 'the name of a header field that begins with X-')
    .optional()
    .describe(
      'Header field that a mail flow rule of the tenant sets, for the level `secret`; taken out of every message that comes to a relay-in listener.',
    ),
  secret: secret.describe('The value of that field.'),
  secretFile: path.optional().describe('File whose first line is exchange.secret; instead of it.'),
  previousSecret: secret.describe('A value that is taken as well, while one takes the place of another.'),
  previousSecretFile: path
    .optional()
    .describe('File whose first line is exchange.previousSecret; instead of it.'),
  dkimDomains: z
    .array(domain)
    .max(100)
    .default([])
    .describe(
      'Domains whose DKIM signature proves our tenant, for the level `dkim`: contoso.onmicrosoft.com, and own ones that nobody else signs for.',
    ),
  dnsServers: z
    .array(
      z
        .string()
        .regex(
          /^(\d+\.){3}\d+(:\d+)?$|^[0-9a-fA-F:.]+$|^\[[0-9a-fA-F:.]+\](:\d+)?$/,
          'an address, with a port or without',
        ),
    )
    .max(10)
    .default([])
    .describe('Name servers that DKIM keys are asked of; those of the system when empty.'),
});

/** The section with its defaults. */
export type ExchangeConfig = z.infer<typeof exchange>;

/** What is wrong with the door of a listener: key and text. */
export function doorProblems(
  listener: ListenerConfig,
  exchange: ExchangeConfig,
): [key: string, text: string][] {
  const { door = [], role, tls } = listener;
  if (door.length === 0) return [];
  const problems: [string, string][] = [];
  const need = (level: DoorLevel, isThere: boolean, text: string) => {
    if (door.includes(level) && !isThere) problems.push(['door', `asks for "${level}", which needs ${text}`]);
  };
  if (role === 'submission')
    problems.push(['door', 'is for mail from Exchange Online; this listener is for submission']);
  need('tls', tls !== 'none', 'TLS on the listener');
  need('tenant', exchange.tenantIds.length > 0, 'exchange.tenantIds');
  need('secret', exchange.secretHeader !== undefined, 'exchange.secretHeader');
  need('secret', exchange.secret !== undefined, 'exchange.secret or exchange.secretFile');
  need('dkim', exchange.dkimDomains.length > 0, 'exchange.dkimDomains');
  return problems;
}

/** What works, and an administrator should know: a listener that takes mail from everywhere without asking whose it is. */
export function doorWarnings({ name, protocol, role, address, door = [] }: ListenerConfig): string[] {
  const isRelayIn = protocol === 'smtp' && role !== 'submission';
  if (!isRelayIn || door.length > 0 || /^127\.|^::1$/.test(address)) return [];
  return [
    `listener ${name} takes mail for our domains from everybody who reaches it: say with door what proves that it comes from Exchange Online (docs/EXCHANGE-DOOR.md)`,
  ];
}

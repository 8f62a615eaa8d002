/**
 * The tables `[[relays]]` of the schema (schema.ts): the next hops that routes name, docs/SENDING.md.
 *
 * A preset stands below what is written here (relayOverlay.ts). Keys that not every way or login has are optional; relayProblems.ts
 * refuses them elsewhere. No key holds a secret: secrets stand in files, or sealed in the store (`hauspost relay secret`).
 */

import { z } from 'zod';
import { GIB, KIB } from '../base/units.ts';
import { hostName } from './hostName.ts';
import { TLS_VERSIONS } from './listenerKeys.ts';

/** The ready presets; a test holds that none of src/exchange/relayPresets.ts is missing. */
export const RELAY_PRESET_NAMES = [
  'exchange-connector',
  'exchange-smtp-auth',
  'exchange-xoauth2',
  'exchange-graph',
  'exchange-hve',
  'azure-communication-services',
] as const;

const path = z.string().min(1).max(4096);
const user = z
  .string()
  .min(1)
  .max(320)
  .regex(/^[^\p{Cc}]+$/u, 'a text without control characters');
const url = z
  .string()
  .max(500)
  .regex(/^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, 'an address that begins with https://');

/** One relay. */
export const relay = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}$/,
      'lower-case letters, digits, dots, hyphens and underscores, a letter or digit first',
    )
    .describe('Names the relay in routes (relay:NAME), in logs and in environment variables; unique.'),
  preset: z
    .enum(RELAY_PRESET_NAMES)
    .optional()
    .describe('Ready values for a way into Microsoft 365 (docs/SENDING.md); each other key goes before it.'),
  way: z
    .enum(['smtp', 'graph', 'direct'])
    .default('smtp')
    .describe(
      'smtp: one smarthost or several. graph: Microsoft Graph. direct: the mail exchangers (MX) of the recipients’ domains, for the domains that are named.',
    ),
  tenantDomain: hostName
    .optional()
    .describe(
      'Domain of the tenant, of which the preset exchange-connector makes the host: contoso.com is contoso-com.mail.protection.outlook.com.',
    ),
  hosts: z
    .array(
      z
        .string()
        .max(260)
        .regex(
          /^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/,
          'hosts like smtp.example.com:587',
        ),
    )
    .min(1)
    .max(16)
    .optional()
    .describe(
      'Smarthosts in order of preference, each with its port (25 unless given, 465 with tls = "implicit"); the next one is tried when one cannot be reached.',
    ),
  domains: z
    .array(hostName)
    .min(1)
    .max(1000)
    .optional()
    .describe('Recipients’ domains that way = "direct" delivers to; mail for others is held.'),
  tls: z
    .enum(['implicit', 'required', 'opportunistic', 'none'])
    .default('required')
    .describe(
      'required: STARTTLS, and a certificate that is right. implicit: the same from the first octet. opportunistic: STARTTLS where it is offered, and any certificate. none: no TLS.',
    ),
  tlsAuthorityFile: path
    .optional()
    .describe('PEM certificates that have to stand behind the host’s, in place of the public authorities.'),
  tlsServerName: hostName.optional().describe('Name that the host’s certificate has, where it is another.'),
  tlsMinimumVersion: z.enum(TLS_VERSIONS).default('TLSv1.2').describe('Lowest TLS version taken.'),
  certificateFile: path
    .optional()
    .describe('PEM certificate chain that is shown to a host which asks for one (a client certificate).'),
  keyFile: path.optional().describe('PEM private key of that certificate.'),
  passphraseFile: path.optional().describe('File whose first line is the passphrase of that key.'),
  login: z
    .enum(['none', 'password', 'xoauth2'])
    .default('none')
    .describe('How we log in at the smarthost; xoauth2 takes an access token of tenant and clientId.'),
  user: user.optional().describe('Name to log in with; with xoauth2 the address of the mailbox.'),
  passwordFile: path
    .optional()
    .describe('File whose first line is the password; sealed by `hauspost relay secret NAME` when absent.'),
  loginMechanism: z
    .enum(['PLAIN', 'LOGIN'])
    .optional()
    .describe(
      'SASL mechanism of a login with a password; PLAIN where it is offered, else LOGIN, when absent.',
    ),
  tenant: z
    .string()
    .max(253)
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'a tenant id (GUID) or a domain of the tenant')
    .optional()
    .describe('Id (GUID) or a domain of the Microsoft 365 tenant that gives access tokens.'),
  clientId: z
    .string()
    .regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'the id (GUID) of an application')
    .optional()
    .describe('Application (client) id of the app registration in Entra.'),
  grant: z
    .enum(['clientSecret', 'certificate', 'deviceCode'])
    .default('clientSecret')
    .describe(
      'What proves the application: a clientSecret, a certificate, or a person who signs in once (deviceCode, `hauspost relay login NAME`).',
    ),
  clientSecretFile: path
    .optional()
    .describe(
      'File whose first line is the client secret; sealed by `hauspost relay secret NAME` when absent.',
    ),
  applicationCertificateFile: path
    .optional()
    .describe('PEM certificate that was uploaded to the app registration, for grant = "certificate".'),
  applicationKeyFile: path.optional().describe('PEM private key of that certificate.'),
  applicationKeyPassphraseFile: path
    .optional()
    .describe('File whose first line is the passphrase of applicationKeyFile, where that is encrypted.'),
  secretExpires: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'a date like 2027-05-31')
    .optional()
    .describe('Date on which the client secret ends, as Entra shows it; status warns from 30 days before.'),
  tokenScope: z
    .string()
    .max(1000)
    .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, 'scopes with single spaces between')
    .optional()
    .describe('Scopes that tokens are asked for; those of way and grant when absent. For national clouds.'),
  authorityUrl: url
    .default('https://login.microsoftonline.com')
    .describe('Where access tokens are asked for; national clouds have others.'),
  authorityCertificateFile: path
    .optional()
    .describe(
      'PEM certificates that have to stand behind authorityUrl and graphEndpoint, in place of the public authorities.',
    ),
  mailbox: user
    .optional()
    .describe('Address or id of the mailbox that way = "graph" sends from, and whose Sent Items fill.'),
  graphEndpoint: url
    .default('https://graph.microsoft.com')
    .describe('Where Graph is; national clouds have others.'),
  fallback: z
    .string()
    .max(64)
    .optional()
    .describe('Name of the smarthost relay that takes what Graph cannot carry; held when absent.'),
  connectionLimit: z
    .int()
    .min(1)
    .max(100)
    .default(5)
    .describe('Connections, or requests of Graph, at one time.'),
  messagesPerMinuteLimit: z
    .int()
    .min(0)
    .max(100_000)
    .default(0)
    .describe('Messages within a minute; what is more waits. 0 for no limit.'),
  recipientsPerDayLimit: z
    .int()
    .min(0)
    .max(100_000_000)
    .default(0)
    .describe(
      'Recipients in a day of the server’s zone; what is more waits for the next day. 0 for no limit.',
    ),
  recipientLimit: z
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .describe('Recipients of one transaction; a message with more goes in several.'),
  sizeLimitOctets: z
    .int()
    .min(0)
    .max(GIB)
    .default(0)
    .refine(
      (octets) => octets === 0 || octets >= KIB,
      'allowed: 0, or a whole number from 1024 to 1073741824',
    )
    .describe(
      'Largest message that goes this way; a larger one fails, or takes the fallback. 0 for no limit.',
    ),
});

/** One relay, complete. */
export type RelayConfig = z.infer<typeof relay>;

/** The keys of a relay that name files, for paths. */
export const RELAY_FILE_KEYS = [
  'tlsAuthorityFile',
  'certificateFile',
  'keyFile',
  'passphraseFile',
  'passwordFile',
  'clientSecretFile',
  'applicationCertificateFile',
  'applicationKeyFile',
  'applicationKeyPassphraseFile',
  'authorityCertificateFile',
] as const satisfies readonly (keyof RelayConfig)[];

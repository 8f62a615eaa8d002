/**
 * The tables `[[listeners]]` of the schema (schema.ts), in a file of their own for their length.
 *
 * Keys that not every protocol has, or not every role of SMTP, are optional here; load.ts refuses them elsewhere.
 */

import { z } from 'zod';
import type { ProfileName } from '../accounts/profiles.ts';
import type { DoorLevel } from '../exchange/doorCounters.ts';

/** What a listener speaks. */
export const PROTOCOLS = ['smtp', 'pop3', 'imap'] as const;

/** TLS versions that may be named as a bound. */
export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** How a listener uses TLS, in hMailServer's four ways. */
export const TLS_MODES = ['none', 'starttls', 'required', 'implicit'] as const;

/** What a relay-in listener may ask for; a test holds that none is missing. */
export const DOOR_LEVEL_NAMES = [
  'ip',
  'tls',
  'tenant',
  'secret',
  'dkim',
] as const satisfies readonly DoorLevel[];

/** Whose mail an SMTP listener takes: of anybody for our domains, or of clients that log in or are trusted. */
export const ROLES = ['relayIn', 'submission'] as const;

/** The ready profiles; a test holds that none is missing. */
export const PROFILES = ['default', 'hmailserver', 'exchange'] as const satisfies readonly ProfileName[];

const path = z.string().min(1).max(4096);

/** One listener. */
export const listener = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,31}$/, 'lower-case letters and digits, a letter first')
    .describe('Names the listener in logs, in status and in environment variables; unique.'),
  protocol: z.enum(PROTOCOLS).describe('What is spoken: smtp takes mail in, pop3 and imap serve it.'),
  address: z
    .union([z.ipv4(), z.ipv6()])
    .default('127.0.0.1')
    .describe('The IPv4 or IPv6 address to listen on; 0.0.0.0 for all of IPv4, :: for all addresses.'),
  port: z.int().min(0).max(65535).describe('The TCP port; 0 lets the system choose one.'),
  tls: z
    .enum(TLS_MODES)
    .default('starttls')
    .describe(
      'none: no TLS. starttls: TLS offered, not demanded. required: nothing of value before STARTTLS. implicit: TLS from the first octet.',
    ),
  role: z
    .enum(ROLES)
    .optional()
    .describe(
      'What this SMTP listener is for. relayIn: takes mail for our own domains from anybody, such as Exchange Online. submission: takes mail from our applications and devices, which log in or stand in a trusted IP range (docs/SUBMISSION.md). relayIn when absent.',
    ),
  lenientSyntax: z
    .boolean()
    .optional()
    .describe(
      'Takes what old clients of this SMTP listener write: MAIL FROM: <a> with a blank, no angle brackets, HELO before AUTH, any name or none behind HELO; false when absent.',
    ),
  bareLineEnds: z
    .enum(['keep', 'refuse'])
    .optional()
    .describe('As smtp.bareLineFeed, for this SMTP listener; that one when absent.'),
  certificateFile: path
    .optional()
    .describe('PEM certificate chain of this listener; tls.certificateFile when absent.'),
  keyFile: path.optional().describe('PEM private key of this listener; tls.keyFile when absent.'),
  door: z
    .array(z.enum(DOOR_LEVEL_NAMES))
    .max(DOOR_LEVEL_NAMES.length)
    .optional()
    .describe(
      'What has to prove on this relay-in listener that mail comes from our Exchange Online, all of these together: ip, tls, tenant, secret, dkim (docs/EXCHANGE-DOOR.md). Nothing when absent.',
    ),
  tlsMaximumVersion: z
    .enum(TLS_VERSIONS)
    .optional()
    .describe(
      'Highest TLS version of this listener; tls.maximumVersion when absent. TLSv1.2 sends no session tickets.',
    ),
  legacyTls: z
    .boolean()
    .default(false)
    .describe(
      'Takes TLS 1.0 and 1.1, RSA key exchange and CBC ciphers too, which can be broken: for old programs and devices that know nothing else, on a listener of their own.',
    ),
  connectionLimit: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe(
      'Connections at one time; a newcomer gets the place of a slow one of the address that holds most without a login or an accepted message, or is told to come again later.',
    ),
  connectionsPerAddressLimit: z
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .describe(
      'Connections at one time from one remote address, an IPv6 /64 counting as one (a whole site may stand behind one); trusted IP ranges may have more.',
    ),
  connectionsPerMinuteLimit: z
    .int()
    .min(10)
    .max(1_000_000)
    .default(6000)
    .describe(
      'New connections of one remote address within a minute, for trusted IP ranges any number; an application that opens one for each mail makes some hundred.',
    ),
  profile: z
    .enum(PROFILES)
    .optional()
    .describe(
      'What clients of this POP3 or IMAP listener are used to (docs/PROFILES.md); its other keys, and what is set for an account, go before it.',
    ),
  greeting: z
    .string()
    .min(1)
    .max(400)
    .regex(/^[\x20-\x7e]+$/, 'a line of ASCII')
    .optional()
    .describe(
      'Text of the greeting behind OK on this POP3 or IMAP listener, which is all of it then; the profile’s, or server.name, when absent.',
    ),
  literalForm: z
    .enum(['plus', 'minus'])
    .optional()
    .describe('Literals that clients of this IMAP listener may send; imap.literals when absent.'),
  maildropSharing: z
    .enum(['shared', 'exclusive'])
    .optional()
    .describe(
      'Whether sessions of this POP3 listener may have one maildrop at the same time; pop3.sharing when absent.',
    ),
  retrMarksSeen: z
    .boolean()
    .optional()
    .describe('Whether RETR on this POP3 listener marks a message as \\Seen; pop3.marksSeen when absent.'),
  hierarchyDelimiter: z
    .enum(['/', '.'])
    .optional()
    .describe('Hierarchy delimiter of mailbox names on this IMAP listener; imap.delimiter when absent.'),
  hiddenCapabilities: z
    .array(z.string())
    .max(100)
    .optional()
    .describe(
      'Capabilities that clients of this POP3 or IMAP listener are not told of, though they work: for clients that break on one.',
    ),
});

/** One listener, as hMailServer's TCP/IP ports are. */
export type ListenerConfig = z.infer<typeof listener>;

/** The listeners without a configuration file: loopback only, ports that need no rights. */
export const DEFAULT_LISTENERS: readonly z.input<typeof listener>[] = [
  { name: 'smtp', protocol: 'smtp', port: 2525, tls: 'starttls' },
  { name: 'submission', protocol: 'smtp', role: 'submission', port: 2587, tls: 'starttls' },
  { name: 'submissions', protocol: 'smtp', role: 'submission', port: 2465, tls: 'implicit' },
  { name: 'pop3', protocol: 'pop3', port: 1110, tls: 'starttls' },
  { name: 'pop3s', protocol: 'pop3', port: 1995, tls: 'implicit' },
  { name: 'imap', protocol: 'imap', port: 1143, tls: 'starttls' },
  { name: 'imaps', protocol: 'imap', port: 1993, tls: 'implicit' },
];

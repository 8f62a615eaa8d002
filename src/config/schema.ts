/**
 * The configuration schema: every key with its type, range, default and one sentence.
 *
 * The only place where keys are defined (those of listeners and POP3 in files beside it); `config print`, `config schema`, docs/CONFIGURATION.md and the environment names
 * are made from it, and a test holds the documentation against it. Keys are `room.noun` with the unit in the name.
 */

import { z } from 'zod';
import { GIB, KIB, MIB } from '../base/units.ts';
import { drop } from './dropKeys.ts';
import { exchange } from './exchangeKeys.ts';
import { forwarding } from './forwardingKeys.ts';
import { hostName } from './hostName.ts';
import { DEFAULT_LISTENERS, listener, TLS_VERSIONS } from './listenerKeys.ts';
import { pickup } from './pickupKeys.ts';
import { pop3 } from './pop3Keys.ts';
import { protocolLog } from './protocolLogKeys.ts';
import { queue } from './queueKeys.ts';
import { relay } from './relayKeys.ts';
import { reports } from './reportKeys.ts';
import { transfer } from './transferKeys.ts';
import { submission } from './submissionKeys.ts';

const path = z.string().min(1).max(4096);

const server = z.strictObject({
  name: hostName
    .optional()
    .describe('Host name in greetings and Received fields; the name of the machine when absent.'),
  dataDirectory: path
    .default('.')
    .describe('Where the store, the lock and the control socket live; relative to the configuration file.'),
  defaultDomain: hostName.optional().describe('Domain that is added to a login name without one.'),
  postmaster: z
    .email()
    .optional()
    .describe(
      'Local address that takes mail for <postmaster> and for postmaster@ of domains that have none.',
    ),
  shutdownDeadlineSeconds: z
    .int()
    .min(1)
    .max(600)
    .default(15)
    .describe('How long sessions may take to end when the server stops.'),
});

const log = z.strictObject({
  level: z
    .enum(['silent', 'error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('How much is logged; each level includes those before it.'),
});

const tls = z.strictObject({
  certificateFile: path
    .optional()
    .describe(
      'PEM certificate chain of all listeners; a self-signed certificate is made at first start when absent.',
    ),
  keyFile: path.optional().describe('PEM private key of that certificate.'),
  followFiles: z
    .boolean()
    .default(true)
    .describe(
      'Whether certificate files that have changed are read again by themselves within a minute; else at `hauspost reload` or SIGHUP alone.',
    ),
  passphrase: z.string().max(1024).optional().describe('Passphrase of the private key.'),
  passphraseFile: path.optional().describe('File whose first line is tls.passphrase; instead of it.'),
  minimumVersion: z.enum(TLS_VERSIONS).default('TLSv1.2').describe('Lowest TLS version taken.'),
  maximumVersion: z
    .enum(TLS_VERSIONS)
    .default('TLSv1.3')
    .describe(
      'Highest TLS version taken; TLSv1.2 helps when Exchange Online breaks off right after STARTTLS.',
    ),
});

const store = z.strictObject({
  freeReserveOctets: z
    .int()
    .min(0)
    .max(1024 * GIB)
    .default(256 * MIB)
    .describe(
      'Free disk space below which nothing is stored any more until there is room again; SMTP asks for twice the message beside it, as declared by SIZE or else smtp.sizeLimitOctets (452).',
    ),
  traceRetentionDays: z
    .int()
    .min(1)
    .max(3650)
    .default(30)
    .describe('How long the trace of a message is kept.'),
  mailboxesPerAccountLimit: z
    .int()
    .min(100)
    .max(100_000)
    .default(10_000)
    .describe('Mailboxes (folders) of one account; one more is NO [LIMIT].'),
});

const smtp = z.strictObject({
  sizeLimitOctets: z
    .int()
    .min(64 * KIB)
    .max(GIB)
    .default(157_286_400)
    .describe('Largest message taken in; the default is what Exchange Online sends at most.'),
  recipientLimit: z
    .int()
    .min(100)
    .max(10_000)
    .default(1000)
    .describe('Recipients of one message (RFC 5321 section 4.5.3.1.8 asks for 100 at least).'),
  earlyTalkers: z
    .enum(['tolerate', 'refuse'])
    .default('tolerate')
    .describe('A client that speaks before the greeting: refuse answers 554, which keeps some junk away.'),
  bareLineFeed: z
    .enum(['keep', 'refuse'])
    .default('keep')
    .describe(
      'A line feed or carriage return alone in a message: keep stores it as it came, refuse answers 550 5.6.0. Neither ends the data.',
    ),
  chunking: z
    .enum(['offer', 'hide'])
    .default('offer')
    .describe(
      'CHUNKING (BDAT). Hidden, Exchange Online bounces messages that have a line feed alone instead of sending them.',
    ),
});

const imap = z.strictObject({
  delimiter: z
    .enum(['/', '.'])
    .default('/')
    .describe('Hierarchy delimiter in mailbox names; hMailServer used the dot.'),
  idleTimeoutSeconds: z
    .int()
    .min(1800)
    .max(86_400)
    .default(1800)
    .describe('Silence after which a session is closed (RFC 3501 section 5.4: 30 minutes at least).'),
  sessionsPerAccountLimit: z
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe(
      'Sessions of one account at one time; one more is NO [LIMIT] at login. Accounts can have their own.',
    ),
  appendLimitOctets: z
    .int()
    .min(64 * KIB)
    .max(GIB)
    .default(157_286_400)
    .describe('Largest message that APPEND takes; a larger one is NO [TOOBIG] before it is sent.'),
  lineLimitOctets: z
    .int()
    .min(8000)
    .max(MIB)
    .default(64 * KIB)
    .describe(
      'Octets of all lines of one command after login, BAD [TOOBIG] beyond (RFC 2683 section 3.2.1.5: 8000 at least).',
    ),
  literalLimitOctets: z
    .int()
    .min(4096)
    .max(16 * MIB)
    .default(64 * KIB)
    .describe('Octets of all literals of one command after login, but for messages; BAD [TOOBIG] beyond.'),
  badCommandLimit: z
    .int()
    .min(5)
    .max(1000)
    .default(20)
    .describe('Commands in a row that are not understood, before the session is ended with BYE.'),
  compression: z
    .boolean()
    .default(false)
    .describe(
      'Whether clients may compress a session after login (COMPRESS=DEFLATE): worth its memory, 170 KiB a session, on slow lines only.',
    ),
  literals: z
    .enum(['plus', 'minus'])
    .default('plus')
    .describe(
      'Literals that clients may send without waiting: plus takes any length (LITERAL+), minus up to 4096 octets (LITERAL-), so that a message too large is refused before it is sent.',
    ),
});

const search = z.strictObject({
  index: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'Whether an index of texts (hauspost-search.db, about two thirds of the size of all text) makes IMAP SEARCH quick; off deletes it, and every search reads every message.',
    ),
  indexedTextLimitCharacters: z
    .int()
    .min(64 * KIB)
    .max(16 * MIB)
    .default(2 * MIB)
    .describe('Characters of a message above which its text is not indexed but read at each search.'),
});

const login = z.strictObject({
  delayLimitSeconds: z
    .int()
    .min(0)
    .max(30)
    .default(15)
    .describe(
      'Longest wait of a login after failures: from the fourth on 1 second, then twice as long each time; 0 for no waits.',
    ),
  banAfterFailures: z
    .int()
    .min(0)
    .max(1000)
    .default(10)
    .describe(
      'Failed logins of one name from one address within login.failureWindowMinutes that ban this name from this address; 0 for no such bans.',
    ),
  banAddressAfterNames: z
    .int()
    .min(0)
    .max(1000)
    .default(20)
    .describe(
      'Names that failed within login.failureWindowMinutes from an address where nobody has logged in well for 24 hours, which ban it as a whole; 0 for never.',
    ),
  failureWindowMinutes: z
    .int()
    .min(1)
    .max(1440)
    .default(30)
    .describe('How long failed logins are counted, from the first one on.'),
  banMinutes: z.int().min(1).max(10_080).default(60).describe('How long a ban lasts.'),
});

/** The whole file. A section that is absent has its defaults; an unknown key is an error. */
export const configSchema = z.strictObject({
  server: server.prefault({}).describe('The machine and its directory.'),
  log: log.prefault({}).describe('The log: JSON lines on standard output.'),
  tls: tls.prefault({}).describe('Certificate and TLS versions of all listeners.'),
  store: store.prefault({}).describe('The message store.'),
  login: login.prefault({}).describe('Failed logins: waits and bans.'),
  smtp: smtp.prefault({}).describe('Taking mail in.'),
  transfer: transfer.prefault({}).describe('What becomes of mail that was taken in.'),
  exchange: exchange
    .prefault({})
    .describe('How mail from Exchange Online is known on listeners that have a door.'),
  submission: submission
    .prefault({})
    .describe('Limits of accounts and devices that submit mail (docs/SUBMISSION.md).'),
  queue: queue
    .prefault({})
    .describe('Mail that waits for a next hop: retries, reports of delay, the end (docs/QUEUE.md).'),
  forwarding: forwarding.prefault({}).describe('Mail that accounts send on (docs/REPORTS.md).'),
  reports: reports.prefault({}).describe('Reports to senders about their mail (docs/REPORTS.md).'),
  pop3: pop3.prefault({}).describe('Serving mail by POP3.'),
  search: search.prefault({}).describe('Searching for texts in messages.'),
  imap: imap.prefault({}).describe('Serving mail by IMAP.'),
  protocolLog: protocolLog
    .prefault({})
    .describe('The protocol log, which `hauspost protocol-log on` switches on for a time.'),
  listeners: z
    .array(listener)
    .min(1)
    .max(64)
    .prefault(() => [...DEFAULT_LISTENERS])
    .describe('Where the server listens, one [[listeners]] table each.'),
  relays: z
    .array(relay)
    .max(64)
    .default([])
    .describe('The next hops that routes name, one [[relays]] table each (docs/SENDING.md).'),
  pickups: z
    .array(pickup)
    .max(64)
    .default([])
    .describe(
      'Directories that applications write messages into, one [[pickups]] table each (docs/PICKUP.md).',
    ),
  drops: z
    .array(drop)
    .max(64)
    .default([])
    .describe('The directories that routes name, one [[drops]] table each (docs/DROP.md).'),
});

/** A complete configuration: every default filled in. */
export type Config = z.infer<typeof configSchema>;

/** Keys whose new value takes effect at a reload; all others need a restart. */
export const RELOADABLE_KEYS: readonly string[] = [
  'log.level',
  'server.defaultDomain',
  'server.postmaster',
  'tls.certificateFile',
  'tls.keyFile',
  'tls.passphrase',
  'tls.passphraseFile',
  'tls.followFiles',
  'tls.minimumVersion',
  'tls.maximumVersion',
  'login.delayLimitSeconds',
  'login.banAfterFailures',
  'login.banAddressAfterNames',
  'login.failureWindowMinutes',
  'login.banMinutes',
  'exchange.secret',
  'exchange.previousSecret',
  ...Object.keys(queue.shape).map((name) => `queue.${name}`),
  ...Object.keys(relay.shape).map((name) => `relays[].${name}`),
  ...Object.keys(pickup.shape).map((name) => `pickups[].${name}`),
  ...Object.keys(drop.shape).map((name) => `drops[].${name}`),
];

/** Keys whose value is masked wherever it is shown. Each has a twin with `File` behind it that names a file with the value. */
export const SECRET_KEYS: readonly string[] = [
  'tls.passphrase',
  'exchange.secret',
  'exchange.previousSecret',
];

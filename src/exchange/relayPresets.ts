/**
 * The ready presets of relays: for each way into Microsoft 365 the hosts, ports, TLS, login and limits that Microsoft documents.
 *
 * A preset stands below what the configuration says: every value can be overridden (`[[relays]]`, config/relayKeys.ts). Values are
 * keyed as that table's keys are. Each preset says where its figures come from; Microsoft changes them without notice, and an
 * administrator may have had some of them raised.
 */

import { MIB } from '../base/units.ts';

/** One preset. */
export interface RelayPreset {
  /** One sentence for an administrator. */
  readonly summary: string;
  /** Where the figures come from, for whoever checks them again. */
  readonly sources: readonly string[];
  /** Ending of the host that is made of the tenant's domain, its dots as hyphens: `contoso-com` and this. */
  readonly tenantHostEnding?: string;
  /** Keys of `[[relays]]` and their values. */
  readonly values: Readonly<Record<string, string | number | readonly string[]>>;
}

/** What a mailbox may submit: learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements, Set-Mailbox RecipientLimits. */
const MAILBOX_LIMITS = {
  /** Three are taken; one is left to whoever else uses the mailbox, and to a connection that has not quite ended. */
  connectionLimit: 2,
  messagesPerMinuteLimit: 30,
  recipientsPerDayLimit: 10_000,
  recipientLimit: 500,
} as const;

/** SIZE that Exchange Online announces; a mailbox may be set lower, and then its server refuses (5.3.4). */
const EXCHANGE_SIZE_OCTETS = 157_286_400;

const SUBMISSION_SOURCES = [
  'learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements (3 connections, 30 messages a minute, 10,000 recipients a day)',
  'ExchangePowerShell Set-Mailbox -RecipientLimits (500)',
];

/** Every preset by name. */
export const RELAY_PRESETS: Readonly<Record<string, RelayPreset>> = {
  'exchange-connector': {
    summary:
      'Exchange Online by an inbound connector of the tenant, which knows us by our address or by our certificate; no login, no mailbox, no limit by the minute.',
    sources: [
      'ExchangePowerShell New-InboundConnector',
      'learn.microsoft.com/exchange/mail-flow-best-practices/use-connectors-to-configure-mail-flow (host of the tenant, port 25)',
    ],
    tenantHostEnding: '.mail.protection.outlook.com',
    values: {
      way: 'smtp',
      tls: 'required',
      login: 'none',
      connectionLimit: 5,
      recipientLimit: 500,
      sizeLimitOctets: EXCHANGE_SIZE_OCTETS,
    },
  },
  'exchange-smtp-auth': {
    summary:
      'Exchange Online by SMTP AUTH with the password of a mailbox, which Microsoft switches off by default at the end of 2026.',
    sources: [...SUBMISSION_SOURCES, 'techcommunity.microsoft.com 4114750 and its successors (the end)'],
    values: {
      way: 'smtp',
      hosts: ['smtp.office365.com:587'],
      tls: 'required',
      login: 'password',
      ...MAILBOX_LIMITS,
      sizeLimitOctets: EXCHANGE_SIZE_OCTETS,
    },
  },
  'exchange-xoauth2': {
    summary: 'Exchange Online by SMTP AUTH with an access token (XOAUTH2) in place of a password.',
    sources: [
      ...SUBMISSION_SOURCES,
      'learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth',
    ],
    values: {
      way: 'smtp',
      hosts: ['smtp.office365.com:587'],
      tls: 'required',
      login: 'xoauth2',
      ...MAILBOX_LIMITS,
      sizeLimitOctets: EXCHANGE_SIZE_OCTETS,
    },
  },
  'exchange-graph': {
    summary:
      'Exchange Online by Microsoft Graph (sendMail) over https, for small mail from one mailbox; larger mail takes the fallback.',
    sources: [
      'microsoft-graph-docs user-sendmail.md (4 MB of a request; users have seen 2,240 kB of MIME fail: microsoft-graph-docs 13979)',
      'microsoft-graph-docs throttling-limits.md (4 requests at a time)',
      ...SUBMISSION_SOURCES,
    ],
    values: {
      way: 'graph',
      graphEndpoint: 'https://graph.microsoft.com',
      ...MAILBOX_LIMITS,
      sizeLimitOctets: 2 * MIB,
    },
  },
  'exchange-hve': {
    summary:
      'High Volume Email of Microsoft 365 with the password of an HVE account, for recipients inside the tenant alone.',
    sources: [
      'learn.microsoft.com/exchange/mail-flow-best-practices/high-volume-mails-m365 (host, port, internal recipients only)',
      'ExchangePowerShell New-MailUser -HVEAccount',
      'none for 2 connections, 50 recipients of a message and 10 MiB: recalled from the preview, not looked up; hold them against the page above',
    ],
    values: {
      way: 'smtp',
      hosts: ['smtp.hve.mx.microsoft:587'],
      tls: 'required',
      login: 'password',
      connectionLimit: 2,
      // No published figure stands behind these limits, nor do we know of one by the minute: on the safe side as far as we remember.
      recipientLimit: 50,
      sizeLimitOctets: 10 * MIB,
    },
  },
  'azure-communication-services': {
    summary:
      'Azure Communication Services Email with a SmtpUsername and the secret of an Entra application, for mail to anybody, paid by the message.',
    sources: [
      'azure-docs communication-services/concepts/service-limits.md (30 messages a minute, 100 an hour, 50 recipients, 10 MB; raised on request)',
      'learn.microsoft.com/azure/communication-services/quickstarts/email/send-email-smtp/smtp-authentication',
    ],
    values: {
      way: 'smtp',
      hosts: ['smtp.azurecomm.net:587'],
      tls: 'required',
      login: 'password',
      connectionLimit: 2,
      messagesPerMinuteLimit: 30,
      recipientLimit: 50,
      sizeLimitOctets: 10 * MIB,
    },
  },
};

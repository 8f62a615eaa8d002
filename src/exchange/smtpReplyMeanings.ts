/**
 * The replies of Exchange Online that mean something of their own, as a table: the first row that fits counts.
 *
 * `source` says where the text is published or was reported. Rows that an on-premises or foreign server could answer too ask for
 * Microsoft's words beside the status, so that another server's full mailbox never holds a relay. Read by smtpReplies.ts.
 */

/** What was asked when the reply came; `message` is the answer to the end of the data. */
export type SmtpStage = 'greeting' | 'ehlo' | 'startTls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'message';

/** A row: what is given must fit, one of each list. */
export interface MeaningRow {
  readonly codes?: readonly number[];
  readonly stages?: readonly SmtpStage[];
  /** `5.7.3`, or a range of details: `4.7.500-699`. */
  readonly statuses?: readonly string[];
  /** Lower case, single blanks: one of them stands in the text. */
  readonly words?: readonly string[];
  readonly kind: 'permanent' | 'temporary' | 'throttled' | 'quota' | 'misconfigured' | 'restricted';
  /** Whether another sender or recipient may get another answer: then one message says little about the relay. */
  readonly dependsOnEnvelope?: true;
  /** What the administrator is to do. */
  readonly advice: string;
  readonly source: string;
}

const SUPPORT =
  'Microsoft support article on printers, scanners and line-of-business applications that send through Microsoft 365';
const NDR = 'Microsoft: email non-delivery reports in Exchange Online';
const SUBMISSION = 'Microsoft: improvements of SMTP AUTH client submission';

const RESTRICTED =
  'Microsoft bars this sender: find out what was sent (a leaked password?), then unblock it at Restricted entities in the Defender portal';

/** In the order in which they are tried. */
export const MEANINGS: readonly MeaningRow[] = [
  {
    words: ['smtpclientauthentication is disabled'],
    kind: 'misconfigured',
    advice:
      'SMTP AUTH is switched off, which holds for OAuth too. Switch it on for the mailbox: Set-CASMailbox -Identity MAILBOX ' +
      '-SmtpClientAuthenticationDisabled $false (or for all: Set-TransportConfig -SmtpClientAuthenticationDisabled $false)',
    source: SUPPORT,
  },
  {
    words: ['basic authentication is disabled', 'basic authentication is not supported'],
    kind: 'misconfigured',
    advice:
      'Microsoft takes no password here any more: log in by OAuth (preset exchange-xoauth2). Until it is retired for good, a policy may ' +
      'allow it: New-AuthenticationPolicy -Name "Allow SMTP basic" -AllowBasicAuthSmtp, Set-User MAILBOX -AuthenticationPolicy "Allow SMTP basic"',
    source: SUPPORT,
  },
  {
    statuses: ['5.7.30'],
    kind: 'misconfigured',
    advice: 'Microsoft has retired passwords for sending: log in by OAuth (preset exchange-xoauth2)',
    source:
      'Microsoft Exchange team blog: Exchange Online to retire Basic auth for Client Submission (4114750)',
  },
  {
    statuses: ['5.7.139'],
    kind: 'misconfigured',
    advice:
      'A rule of the tenant keeps this login out: security defaults or Conditional Access. Exclude the mailbox there, or log in by OAuth as ' +
      'an application (preset exchange-xoauth2)',
    source: SUPPORT,
  },
  {
    codes: [535],
    statuses: ['5.7.3'],
    kind: 'misconfigured',
    advice:
      'The login failed. With a password: it is wrong, or MFA or Conditional Access is in the way. With OAuth: the application needs ' +
      'SMTP.SendAsApp with consent, New-ServicePrincipal with the object id of the enterprise application, and Add-MailboxPermission ' +
      '-Identity MAILBOX -User ENTERPRISE_OBJECTID -AccessRights FullAccess',
    source: SUPPORT,
  },
  {
    statuses: ['5.7.57'],
    kind: 'misconfigured',
    advice:
      'The server wants a login before mail: give this relay one, or use the port and name of a connector',
    source: SUPPORT,
  },
  {
    codes: [530],
    stages: ['mail', 'rcpt', 'data', 'message'],
    kind: 'misconfigured',
    advice:
      'The server wants TLS or a login before mail: set tls of this relay to required, and give it a login',
    source: 'RFC 3207 section 4 and RFC 4954 section 6',
  },
  {
    words: ['sendasdenied', 'not allowed to send as', 'no permission to send as'],
    kind: 'permanent',
    advice:
      'The login may not send as the From address: Add-RecipientPermission SENDER -AccessRights SendAs -Trustee LOGIN (or the ' +
      'ENTERPRISE_OBJECTID of the application)',
    source: SUPPORT,
  },
  {
    statuses: ['5.7.60', '5.2.252'],
    kind: 'permanent',
    advice:
      'The login may not send as the From address: Add-RecipientPermission SENDER -AccessRights SendAs -Trustee LOGIN (or the ' +
      'ENTERPRISE_OBJECTID of the application)',
    source: SUPPORT,
  },
  {
    words: ['submissionquotaexceeded', 'submission quota was exceeded', 'submission quota exceeded'],
    kind: 'quota',
    advice:
      'The mailbox has sent to 10,000 recipients in a day: wait until Microsoft counts anew, or send by a connector or High Volume Email',
    source: SUBMISSION,
  },
  {
    codes: [432],
    kind: 'throttled',
    advice:
      'Exchange Online takes three connections of a mailbox at a time: set connectionLimit of this relay to 2',
    source: SUBMISSION,
  },
  {
    words: [
      'concurrent connections limit exceeded',
      'sender thread limit exceeded',
      'concurrent connection limit',
    ],
    kind: 'throttled',
    advice:
      'Exchange Online takes three connections of a mailbox at a time: set connectionLimit of this relay to 2',
    source: SUBMISSION,
  },
  {
    codes: [421, 432, 451, 452, 454],
    statuses: ['4.3.2'],
    kind: 'throttled',
    advice:
      'The server takes no more at the moment: a lower connectionLimit or messagesPerMinuteLimit of this relay may help',
    source: SUBMISSION,
  },
  {
    codes: [554],
    stages: ['data', 'message'],
    statuses: ['5.2.2'],
    words: ['mailbox full', 'sent items', 'storedrv'],
    kind: 'restricted',
    advice:
      'The mailbox that sends is full, since Exchange Online keeps each message in its Sent Items: empty it, or give it a retention policy',
    source: 'nodemailer issues 1484 and 1715',
  },
  {
    statuses: ['5.1.8'],
    words: ['outbound sender'],
    kind: 'restricted',
    advice: RESTRICTED,
    source: NDR,
  },
  { statuses: ['5.7.501-503', '5.7.511'], kind: 'restricted', advice: RESTRICTED, source: NDR },
  {
    statuses: ['5.7.705', '5.7.708'],
    kind: 'restricted',
    advice:
      'Microsoft bars the whole tenant or its address (spam, a trial, too much at once): look at Restricted entities and the service health, ' +
      'and open a support case',
    source: NDR,
  },
  {
    statuses: ['5.7.750'],
    kind: 'restricted',
    advice:
      'Too much was sent from domains that are not accepted domains of the tenant: add the sender domains to it (New-MgDomain)',
    source: NDR,
  },
  {
    statuses: ['5.7.606-649'],
    kind: 'restricted',
    advice:
      'Microsoft bars the public address of this server: have it taken off at https://sender.office.com',
    source: NDR,
  },
  {
    words: ['tenantinboundattribution', 'direct send not allowed'],
    kind: 'misconfigured',
    dependsOnEnvelope: true,
    advice:
      'The tenant refuses direct send: make a connector for the public address of this server (New-InboundConnector -Name "From App Relay" ' +
      '-ConnectorType OnPremises -SenderDomains * -SenderIPAddresses PUBLIC.IP -Enabled $true), or allow it: ' +
      'Set-OrganizationConfig -RejectDirectSend $false',
    source: 'Microsoft: Introducing more control over Direct Send (MC1093237)',
  },
  {
    statuses: ['5.7.68'],
    kind: 'misconfigured',
    dependsOnEnvelope: true,
    advice:
      'The tenant refuses direct send: make a connector for the public address of this server (New-InboundConnector -ConnectorType ' +
      'OnPremises), or allow it: Set-OrganizationConfig -RejectDirectSend $false',
    source: 'Microsoft: Introducing more control over Direct Send (MC1093237)',
  },
  {
    words: ['tenantattribution', 'unable to relay', 'relay access denied'],
    kind: 'misconfigured',
    dependsOnEnvelope: true,
    advice:
      'No connector fits: the public address of this server or its client certificate must be the one of an inbound connector of type ' +
      'OnPremises (Get-InboundConnector), and the sender domain or the domain of the certificate an accepted domain',
    source: 'Microsoft: updated requirements for SMTP relay through Exchange Online',
  },
  {
    statuses: ['5.7.64', '5.7.54'],
    kind: 'misconfigured',
    dependsOnEnvelope: true,
    advice:
      'No connector fits: the public address of this server or its client certificate must be the one of an inbound connector of type ' +
      'OnPremises (Get-InboundConnector), and the sender domain or the domain of the certificate an accepted domain',
    source: 'Microsoft: updated requirements for SMTP relay through Exchange Online',
  },
  {
    statuses: ['5.7.506'],
    kind: 'misconfigured',
    advice:
      'Microsoft does not take the name that this server gives in EHLO: set server.name to its public name, with an address and a PTR record',
    source: NDR,
  },
  {
    statuses: ['5.7.25'],
    kind: 'misconfigured',
    advice:
      'Microsoft wants a PTR record for the IPv6 address of this server: add one, or let the relay connect by IPv4',
    source: NDR,
  },
  {
    statuses: ['5.7.512'],
    kind: 'permanent',
    advice: 'The From field of the message is no valid address: mend the application that wrote it',
    source: NDR,
  },
  {
    statuses: ['4.7.500-699'],
    kind: 'throttled',
    advice:
      'Microsoft slows down an address that it does not know yet: a connector for it, SPF and a PTR record help, and so does time',
    source: NDR,
  },
  {
    codes: [421],
    kind: 'throttled',
    advice: 'The server closes its connections: it is busy, or takes fewer at a time than this relay opens',
    source: 'RFC 5321 section 4.2.3, and Microsoft: email non-delivery reports in Exchange Online',
  },
];

/**
 * What is answered to mail that a level of the door keeps out, for the administrator of Exchange who reads it in the report that
 * Exchange sends: what is wanted, what was seen, what to do. No secret, no path, no key of the configuration.
 *
 * RFC 3207 section 4 (530 without TLS), RFC 7372 (5.7.20: no DKIM signature that passes), RFC 3463 (x.7.5, x.4.3).
 * Permanent where the message will not be taken however often it comes; temporary where time, or somebody at this server, can
 * mend it. docs/EXCHANGE-DOOR.md explains each, and a test holds it against this file.
 */

import { MailError } from '../base/error.ts';
import type { ClientCertificate } from './doorVisitor.ts';
import type { DkimVerdict } from './dkimVerification.ts';
import type { Standing, TenantField } from './tenantSignals.ts';

/** The address is none of Exchange Online's. */
export function foreignAddress(remoteAddress: string): MailError {
  return refusal(
    'policyRefused',
    `Mail is taken here only from the published addresses of Exchange Online; this came from ${remoteAddress}. ` +
      'Exchange administrator: make the recipient domain an accepted domain of type InternalRelay, which keeps its mail out of ' +
      'the relay pool; if the address is new at Microsoft, have it added on this server',
  );
}

/** There is no TLS. */
export function noTls(): MailError {
  return refusal(
    'tlsRequired',
    'Must issue a STARTTLS command first: mail is taken here only over TLS, and this session has none. ' +
      'Exchange administrator: set TlsSettings of the outbound connector to EncryptionOnly or more, and see that no firewall hides STARTTLS',
  );
}

/** The client's certificate does not show Exchange Online. Not called with one that does. */
export function badCertificate(certificate: ClientCertificate, names: readonly string[]): MailError {
  const wanted = `Mail is taken here only with the TLS client certificate of Exchange Online (${names.join(', ')})`;
  const todo =
    'Exchange administrator: let the connector reach this server directly, past every gateway or firewall that opens TLS';
  switch (certificate.kind) {
    case 'absent':
      return refusal('policyRefused', `${wanted}; none was presented. ${todo}`);
    case 'otherName':
      return refusal('policyRefused', `${wanted}; the one presented is of ${certificate.subject}. ${todo}`);
    default:
      return refusal(
        'certificateUnproved',
        `${wanted}; the one presented cannot be checked: ${certificate.kind === 'unproved' ? certificate.why : 'unknown'}. ` +
          'The administrator of this server may have to add a root certificate; the message will be tried again',
      );
  }
}

/** No field proves that the message comes from our tenant. */
export function foreignTenant(crossTenantId: TenantField, ldProcessed: TenantField): MailError {
  const seen = [
    `X-MS-Exchange-CrossTenant-Id ${tenantText(crossTenantId)}`,
    `X-LD-Processed ${tenantText(ldProcessed)}`,
  ].join(', ');
  return refusal(
    'policyRefused',
    `Mail is taken here only from one Microsoft 365 tenant, which its header must name exactly once; seen: ${seen}. ` +
      'Exchange administrator: send it through the outbound connector of that tenant to a mail contact there',
  );
}

/** The field that our tenant's mail flow rule sets is not as it should be. */
export function wrongSecret(standing: Standing): MailError {
  const seen = { absent: 'none', other: 'one with another value', repeated: 'more than one', valid: 'one' }[
    standing
  ];
  return refusal(
    'policyRefused',
    `Mail is taken here only with the header field that a mail flow rule of its tenant sets; seen: ${seen}. ` +
      'Exchange administrator: see that the rule is enabled and applies to this recipient, that no rule before it stops ' +
      'processing, and that it sets the value agreed on; a change takes up to an hour to work everywhere',
  );
}

/** No DKIM signature of our tenant passes, or nobody knows. Not called where one passes. */
export function noSignature(verdict: DkimVerdict, domains: readonly string[]): MailError {
  const wanted = `Mail is taken here only with a DKIM signature of ${domains.join(' or ')} that passes`;
  if (verdict.kind === 'unknown')
    return refusal('dnsUnavailable', `${wanted}; ${verdict.why}. The message will be tried again`);
  const seen =
    verdict.kind === 'failed'
      ? verdict.why
      : verdict.kind === 'absent' && verdict.others.length > 0
        ? `seen: only of ${verdict.others.join(', ')}`
        : 'seen: no signature';
  return refusal(
    'signatureRequired',
    `${wanted}; ${seen}. Exchange administrator: enable DKIM for the domain, publish both selector records, ` +
      'and let nothing behind Exchange change the message',
  );
}

/** The header is longer than what is looked at, so nobody can say how often a field stands in it. */
export function headerTooLong(): MailError {
  return refusal(
    'policyRefused',
    'The header of this message is too long to be checked for the fields that its tenant sets. ' +
      'Exchange administrator: find out what adds so many fields to it',
  );
}

function refusal(code: RefusalCode, publicText: string): MailError {
  return new MailError(code, undefined, { publicText });
}

type RefusalCode =
  | 'policyRefused'
  | 'tlsRequired'
  | 'certificateUnproved'
  | 'signatureRequired'
  | 'dnsUnavailable';

function tenantText({ standing, tenantId }: TenantField): string {
  switch (standing) {
    case 'absent':
      return 'absent';
    case 'repeated':
      return 'more than once';
    case 'valid':
      return 'as wanted';
    case 'other':
      return tenantId === undefined ? 'without a tenant id' : `of ${tenantId}`;
  }
}

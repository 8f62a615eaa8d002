/**
 * TLS to a next hop: what a relay's settings are for Node, and what a failure means, said so that an administrator knows what to do.
 *
 * RFC 3207, RFC 8314 (implicit), RFC 7435 (opportunistic: nothing is verified, since a certificate that nobody checks is still better
 * than none), RFC 9525 (the name in the certificate).
 */

import type { ConnectionOptions } from 'node:tls';

import type { HopTrouble } from '../../transfer/relay.ts';
import type { RelayTls } from '../contract.ts';
import type { HopConnectionOptions, OpeningFailure } from './hopConnection.ts';

/** How a session to a host is secured. */
export function engineTls(mode: RelayTls['mode']): HopConnectionOptions['tls'] {
  switch (mode) {
    case 'implicit':
      return 'implicit';
    case 'required':
      return 'startTls';
    case 'opportunistic':
      return 'ifOffered';
    case 'none':
      return 'none';
  }
}

/** The options of Node's TLS. */
export function tlsOptionsOf(tls: RelayTls): ConnectionOptions {
  const { certificateAuthorities, serverName, clientCertificate } = tls;
  return {
    rejectUnauthorized: isVerified(tls),
    minVersion: tls.minimumVersion,
    ...(certificateAuthorities === undefined ? {} : { ca: certificateAuthorities }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(clientCertificate === undefined
      ? {}
      : {
          cert: clientCertificate.certificate,
          key: clientCertificate.key,
          ...(clientCertificate.passphrase === undefined ? {} : { passphrase: clientCertificate.passphrase }),
        }),
  };
}

/** Whether chain and name are verified. */
export function isVerified({ mode }: RelayTls): boolean {
  return mode === 'implicit' || mode === 'required';
}

/** What a failed start of TLS means for the relay. */
export function tlsTrouble(host: string, { step, reply, code = '', why }: OpeningFailure): HopTrouble {
  if (step === 'startTls') {
    if (reply === undefined) return { kind: 'unreachable', reason: `${host}: ${why}` };
    // RFC 3207 section 4: 454 is TLS that is not available now.
    if (reply.code < 500)
      return { kind: 'unreachable', reason: `${host} cannot begin TLS now: ${reply.line}` };
    return {
      kind: 'misconfigured',
      reason: `${host} offers no STARTTLS, and this relay sends nothing without TLS: ${reply.line}`,
      advice:
        'Check host and port. A firewall or virus scanner that looks into SMTP may hide STARTTLS: let this server connect past it',
    };
  }
  for (const [pattern, what, advice] of CERTIFICATE_FAULTS)
    if (pattern.test(code)) return { kind: 'misconfigured', reason: `${host}: ${what} (${why})`, advice };
  return { kind: 'unreachable', reason: `${host}: the TLS handshake failed: ${why}` };
}

const CHAIN_ADVICE =
  'Give the authority that issued it in tlsAuthorityFile of this relay, or have the server send its whole chain';

/** Node's and OpenSSL's names of what is wrong. */
const CERTIFICATE_FAULTS: readonly (readonly [code: RegExp, what: string, advice: string])[] = [
  [
    /ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|IP_ADDRESS_MISMATCH/,
    'its certificate is for another name',
    'Use the name that is in the certificate as host, or say it in tlsServerName of this relay',
  ],
  [
    /CERT_HAS_EXPIRED/,
    'its certificate, or one in its chain, has expired',
    'Have the certificate of the server renewed; check the clock of this machine',
  ],
  [/CERT_NOT_YET_VALID/, 'its certificate is not valid yet', 'Check the clock of this machine'],
  [/CERT_REVOKED/, 'its certificate is revoked', 'Have the certificate of the server replaced'],
  [
    /SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY|CERT_UNTRUSTED|CERT_CHAIN_TOO_LONG|INVALID_CA|CERT_SIGNATURE_FAILURE|INVALID_PURPOSE/,
    'its certificate is from no authority that this relay trusts',
    CHAIN_ADVICE,
  ],
  [
    /ALERT_(CERTIFICATE_REQUIRED|UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_)/,
    'it does not take the client certificate of this relay, or wants one',
    'Give this relay a client certificate (certificateFile, keyFile) that the server knows',
  ],
  [
    /UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|VERSION_TOO_LOW/,
    'it speaks only TLS versions older than this relay takes',
    'Have the server updated, or lower tlsMinimumVersion of this relay',
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_TOO_SMALL/,
    'it answers the TLS handshake with something else than TLS',
    'A port with STARTTLS (25, 587) needs tls = "required", one with TLS from the first octet (465) needs "implicit"',
  ],
];

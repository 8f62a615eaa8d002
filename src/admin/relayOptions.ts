/**
 * A relay of the configuration as the outbound room is handed it: its files read and checked, its secrets to be asked for.
 *
 * Called by relays.ts at start, at a reload and when a file has changed. Secrets are read at each login, so that a new one needs no
 * reload; certificates and keys here, since what is wrong with them should be told when they are changed and not when mail fails.
 */

import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

import { type UnixMs, unixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { CERTIFICATE_FILE_LIMIT_BYTES } from '../net/tlsContext.ts';
import type { AccessTokens } from '../exchange/accessTokens.ts';
import type {
  RelayLimits,
  RelayLogin,
  RelayOptions,
  RelayTls,
  SmtpRelayOptions,
} from '../outbound/contract.ts';
import type { RelayConfig } from '../config/relayKeys.ts';

/** The texts of a relay's files. */
export interface RelayFiles {
  readonly tlsAuthorities?: string | undefined;
  readonly authorityCertificates?: string | undefined;
  readonly clientCertificate?: RelayTls['clientCertificate'];
  /** When the client certificate ends. */
  readonly clientCertificateEndsAt?: UnixMs | undefined;
  /** When the certificate ends that proves the application. */
  readonly applicationCertificateEndsAt?: UnixMs | undefined;
}

/** How a relay comes by its secrets. */
export interface RelayAccess {
  password(): Promise<string | undefined>;
  /** Made only where it is needed. */
  tokens(): AccessTokens;
}

/** Reads the files that a relay names. Errors: `invalid`, naming the relay's key and the file. */
export async function readRelayFiles(relay: RelayConfig): Promise<RelayFiles> {
  const tlsAuthorities = await authorities(relay, 'tlsAuthorityFile');
  const authorityCertificates = await authorities(relay, 'authorityCertificateFile');
  const clientCertificate = await clientCertificateOf(relay);
  return {
    tlsAuthorities,
    authorityCertificates,
    clientCertificate,
    clientCertificateEndsAt:
      clientCertificate === undefined ? undefined : endOf(clientCertificate.certificate),
    applicationCertificateEndsAt: await applicationCertificateEnd(relay),
  };
}

/** The options of a relay. `fallback` is for Graph. */
export function relayOptions(
  relay: RelayConfig,
  files: RelayFiles,
  access: RelayAccess,
  fallback?: SmtpRelayOptions,
): RelayOptions {
  const { name, way } = relay;
  const limits = limitsOf(relay);
  const tls = tlsOf(relay, files);
  switch (way) {
    case 'smtp':
      return {
        kind: 'smtp',
        name,
        hosts: hostsOf(relay),
        tls,
        login: loginOf(relay, access),
        limits,
      };
    case 'direct':
      return { kind: 'direct', name, domains: lowerCase(relay.domains ?? []), port: 25, tls, limits };
    case 'graph':
      return {
        kind: 'graph',
        name,
        application: relay.clientId ?? '',
        mailbox: relay.mailbox ?? '',
        endpoint: relay.graphEndpoint,
        tokens: access.tokens(),
        certificateAuthorities: files.authorityCertificates,
        limits,
        fallback,
      };
  }
}

/** Its limits, as outbound counts them. */
export function limitsOf(relay: RelayConfig): RelayLimits {
  return {
    connections: relay.connectionLimit,
    messagesPerMinute: relay.messagesPerMinuteLimit,
    recipientsPerDay: relay.recipientsPerDayLimit,
    recipientsPerMessage: relay.recipientLimit,
    sizeLimitOctets: relay.sizeLimitOctets,
  };
}

/** The first line of a file; undefined where it cannot be read or is empty, which whoever asks for it tells. */
export async function firstLine(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const line = text.replace(/^\uFEFF/, '').split(/\r?\n/)[0] ?? '';
  return line === '' ? undefined : line;
}

/** `smtp.example.com:587`, `192.0.2.1`, `[2001:db8::1]:25`. */
function hostsOf({ hosts = [], tls }: RelayConfig): { readonly host: string; readonly port: number }[] {
  const usualPort = tls === 'implicit' ? 465 : 25;
  return hosts.map((text) => {
    const [, literal, name = '', port = usualPort] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
    return { host: literal ?? name, port: Number(port) };
  });
}

function tlsOf(relay: RelayConfig, files: RelayFiles): RelayTls {
  return {
    mode: relay.tls,
    certificateAuthorities: files.tlsAuthorities,
    serverName: relay.tlsServerName,
    minimumVersion: relay.tlsMinimumVersion,
    clientCertificate: files.clientCertificate,
  };
}

function loginOf(relay: RelayConfig, access: RelayAccess): RelayLogin | undefined {
  const { user = '', login, loginMechanism } = relay;
  switch (login) {
    case 'none':
      return undefined;
    case 'password':
      return { kind: 'password', user, password: access.password, mechanism: loginMechanism };
    case 'xoauth2':
      return { kind: 'xoauth2', user, tokens: access.tokens() };
  }
}

async function clientCertificateOf(relay: RelayConfig): Promise<RelayTls['clientCertificate']> {
  const { certificateFile, keyFile, passphraseFile } = relay;
  if (certificateFile === undefined || keyFile === undefined) return undefined;
  const certificate = await textOf(relay, 'certificateFile');
  const key = await textOf(relay, 'keyFile');
  const passphrase = passphraseFile === undefined ? undefined : await firstLine(passphraseFile);
  check(relay, `certificateFile and keyFile (${certificateFile}, ${keyFile})`, () =>
    createSecureContext({ cert: certificate, key, ...(passphrase === undefined ? {} : { passphrase }) }),
  );
  return { certificate, key, passphrase };
}

async function applicationCertificateEnd(relay: RelayConfig): Promise<UnixMs | undefined> {
  if (relay.applicationCertificateFile === undefined) return undefined;
  const pem = await textOf(relay, 'applicationCertificateFile');
  return check(relay, `applicationCertificateFile (${relay.applicationCertificateFile})`, () => endOf(pem));
}

/** All certificates of the file, each of which must be one: a file of something else would trust nobody, and nobody would know why. */
async function authorities(
  relay: RelayConfig,
  key: 'tlsAuthorityFile' | 'authorityCertificateFile',
): Promise<string | undefined> {
  if (relay[key] === undefined) return undefined;
  const pem = await textOf(relay, key);
  check(relay, `${key} (${relay[key]})`, () => {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (blocks.length === 0) throw new Error('there is no PEM certificate in it');
    for (const block of blocks) new X509Certificate(block);
  });
  return pem;
}

async function textOf(
  relay: RelayConfig,
  key:
    | 'tlsAuthorityFile'
    | 'authorityCertificateFile'
    | 'certificateFile'
    | 'keyFile'
    | 'applicationCertificateFile',
): Promise<string> {
  const file = relay[key] ?? '';
  try {
    const { size } = await stat(file);
    if (size > CERTIFICATE_FILE_LIMIT_BYTES) throw new Error('is larger than any certificate');
    return await readFile(file, 'utf8');
  } catch (error) {
    throw faulty(relay, `${key} (${file})`, error);
  }
}

function check<Result>(relay: RelayConfig, what: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw faulty(relay, what, error);
  }
}

function faulty({ name }: RelayConfig, what: string, error: unknown): MailError {
  const reason = error instanceof Error ? error.message : String(error);
  return new MailError('invalid', `relay ${name}: ${what} cannot be used: ${reason}`);
}

function endOf(pem: string): UnixMs {
  return unixMs(new X509Certificate(pem).validToDate);
}

function lowerCase(domains: readonly string[]): string[] {
  return domains.map((domain) => domain.toLowerCase());
}

/**
 * The certificate of a listener and what it allows in TLS: loaded from files, reloaded while the server runs.
 *
 * A reload that fails leaves the old context in use and says why, because a certificate half copied must not take the mail
 * down. A connection keeps the context that it began with. TLS 1.2 is the floor (RFC 8996); the legacy profile goes below it
 * for clients that cannot (facts: .NET 4.5, Java 7, Delphi with OpenSSL 1.0, scanners) and belongs on a listener of its own.
 * main makes one TlsContexts for each certificate and profile; listeners ask current(), smtpd hands tlsOptions() to smtp-server.
 */

import { constants, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls';

import { type UnixMs, unixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { MIB } from '../base/units.ts';

/** Where certificate and key stand. A PEM certificate file holds the leaf first, then its chain. */
export type CertificateSource =
  | {
      readonly kind: 'pem';
      readonly certificateFile: string;
      readonly keyFile: string;
      readonly passphrase?: string | undefined;
    }
  | { readonly kind: 'pfx'; readonly pfxFile: string; readonly passphrase?: string | undefined };

/** What is allowed in TLS. Absent bounds and ciphers are those of the `modern` profile. */
export interface TlsProfile {
  readonly minVersion?: SecureVersion | undefined;
  readonly maxVersion?: SecureVersion | undefined;
  /** An OpenSSL cipher list. */
  readonly ciphers?: string | undefined;
  /**
   * Whether sessions can be resumed by tickets. Without them each handshake is a whole one, which shows a client's whole chain. TLS
   * 1.2 sends none then; in TLS 1.3 Node cannot keep OpenSSL from sending some, but they resume nothing.
   */
  readonly hasTickets?: boolean | undefined;
}

/**
 * The named profiles. `legacy` takes TLS 1.0 with RSA key exchange and AES-CBC-SHA1; OpenSSL 3 speaks TLS 1.0 and signs with
 * SHA-1 at security level 0 only. It is never a default.
 */
export const TLS_PROFILES = {
  modern: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
  legacy: { minVersion: 'TLSv1', maxVersion: 'TLSv1.3', ciphers: 'DEFAULT@SECLEVEL=0' },
} as const satisfies Record<string, TlsProfile>;

/** A certificate file larger than this is another file. */
export const CERTIFICATE_FILE_LIMIT_BYTES = MIB;

/** What a certificate says, for status pages and the alarm before it expires. */
export interface CertificateSummary {
  readonly subject: string;
  readonly issuer: string;
  /** As Node prints them: `DNS:mail.example.com, IP Address:127.0.0.1`; empty when there are none. */
  readonly alternativeNames: string;
  readonly validFrom: UnixMs;
  readonly validTo: UnixMs;
  /** SHA-256 in hexadecimal with colons, as clients show it. */
  readonly fingerprint: string;
}

/** One certificate under one profile, reloadable. */
export class TlsContexts {
  #source: CertificateSource;
  #profile: TlsProfile;
  readonly #reloaded = new Set<() => void>();
  #loaded: LoadedContext;
  #reloads = 0;

  /** Loads the files. Rejects with MailError('invalid') whose message names the file and what is wrong with it. */
  static async open(
    source: CertificateSource,
    profile: TlsProfile = TLS_PROFILES.modern,
  ): Promise<TlsContexts> {
    return new TlsContexts(source, profile, await load(source, profile));
  }

  private constructor(source: CertificateSource, profile: TlsProfile, loaded: LoadedContext) {
    this.#source = source;
    this.#profile = profile;
    this.#loaded = loaded;
  }

  /** The context for a handshake that begins now. */
  current(): SecureContext {
    return this.#loaded.context;
  }

  /** The same as options, contents of the files included, for whoever makes contexts itself (smtp-server). */
  tlsOptions(): SecureContextOptions {
    return this.#loaded.options;
  }

  /** What the certificate in use says. */
  get certificate(): CertificateSummary {
    return this.#loaded.certificate;
  }

  /**
   * Loads the files again, or others from now on. Rejects as open() does, and then the old context stays. Of several at a time the
   * one that began last counts, whichever ends last.
   */
  async reload(source: CertificateSource = this.#source, profile: TlsProfile = this.#profile): Promise<void> {
    this.#source = source;
    this.#profile = profile;
    this.#reloads += 1;
    const turn = this.#reloads;
    const loaded = await load(source, profile);
    if (turn !== this.#reloads) return;
    this.#loaded = loaded;
    for (const listener of this.#reloaded) listener();
  }

  /** Calls `listener` after each successful reload; the answer ends that. */
  onReload(listener: () => void): () => void {
    this.#reloaded.add(listener);
    return () => this.#reloaded.delete(listener);
  }
}

interface LoadedContext {
  readonly context: SecureContext;
  readonly options: SecureContextOptions;
  readonly certificate: CertificateSummary;
}

async function load(source: CertificateSource, profile: TlsProfile): Promise<LoadedContext> {
  const { hasTickets = true, ...allowed } = profile;
  const options: SecureContextOptions = {
    ...TLS_PROFILES.modern,
    ...withoutAbsent(allowed),
    ...(await readSource(source)),
    honorCipherOrder: true,
    ...(hasTickets ? {} : { secureOptions: constants.SSL_OP_NO_TICKET }),
  };
  try {
    const context = createSecureContext(options);
    return { context, options, certificate: summaryOf(context) };
  } catch (error) {
    throw new MailError('invalid', `${namesOf(source)}: ${explain(error, source)}`, { cause: error });
  }
}

async function readSource(source: CertificateSource): Promise<SecureContextOptions> {
  const passphrase = source.passphrase === undefined ? {} : { passphrase: source.passphrase };
  if (source.kind === 'pfx') return { pfx: await read(source.pfxFile), ...passphrase };
  return { cert: await read(source.certificateFile), key: await read(source.keyFile), ...passphrase };
}

async function read(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > CERTIFICATE_FILE_LIMIT_BYTES) throw new Error('is too large for a certificate or key');
    if (size === 0) throw new Error('is empty');
    return await readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MailError('invalid', `certificate file ${path}: ${reason}`, { cause: error });
  }
}

/** The leaf certificate in `context`. Node has no documented way to it that covers PFX; a test holds this one. */
function summaryOf(context: SecureContext): CertificateSummary {
  const der: Buffer | null = context.context.getCertificate();
  if (der === null) throw new Error('there is no certificate in it');
  const certificate = new X509Certificate(der);
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    alternativeNames: certificate.subjectAltName ?? '',
    validFrom: unixMs(certificate.validFromDate),
    validTo: unixMs(certificate.validToDate),
    fingerprint: certificate.fingerprint256,
  };
}

/** What OpenSSL's reason means for whoever made the files. */
function explain(error: unknown, source: CertificateSource): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  if (code.endsWith('KEY_VALUES_MISMATCH')) return 'the key does not belong to the certificate';
  if (code.endsWith('BAD_DECRYPT') || message === 'mac verify failure' || isGarbled(error))
    return 'the passphrase is wrong or missing';
  if (code.endsWith('NO_CIPHER_MATCH')) return 'the cipher list names no cipher that OpenSSL knows';
  if (source.kind === 'pfx' && code === 'ERR_CRYPTO_UNSUPPORTED_OPERATION') {
    return 'the PFX is encrypted in a way of the past (RC2 or 3DES): export it again with AES256-SHA256';
  }
  if (source.kind === 'pfx' && message === 'not enough data') return 'this is not a PFX file';
  if (code.endsWith('NO_START_LINE')) return 'the certificate is not PEM (-----BEGIN CERTIFICATE-----)';
  if (code === 'ERR_OSSL_UNSUPPORTED') return 'the key is not PEM (-----BEGIN PRIVATE KEY-----)';
  return message;
}

/** One wrong passphrase in 256 leaves the padding right by chance: then what was decrypted is no key. */
function isGarbled(error: unknown): boolean {
  const stack: unknown =
    error instanceof Error && 'opensslErrorStack' in error ? error.opensslErrorStack : [];
  return Array.isArray(stack) && stack.some((line) => String(line).includes('PKCS12 routines::decode error'));
}

function namesOf(source: CertificateSource): string {
  return source.kind === 'pfx'
    ? `PFX file ${source.pfxFile}`
    : `certificate ${source.certificateFile} with key ${source.keyFile}`;
}

function withoutAbsent(profile: TlsProfile): TlsProfile {
  return Object.fromEntries(Object.entries(profile).filter(([, value]) => value !== undefined));
}

/**
 * One listener's certificate: its files, what TLS allows with it, and its reload.
 */

import { asMailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { stampOf } from '../net/fileStamp.ts';
import { type CertificateSource, TLS_PROFILES, TlsContexts, type TlsProfile } from '../net/tlsContext.ts';
import type { ListenerConfig } from '../config/listenerKeys.ts';
import type { Config } from '../config/schema.ts';

/** The two files of a certificate. */
export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** A listener's certificate. */
export interface ListenerCertificate {
  readonly listener: ListenerConfig;
  readonly contexts: TlsContexts;
  files: CertificateFiles;
  /** Of its files as they were before they were read. */
  stamp: string;
  problem: string | undefined;
}

/** What a listener names, else what all are to have, else what the server has made for itself. */
export function filesOf(
  listener: ListenerConfig,
  tls: Config['tls'],
  selfSigned: CertificateFiles | undefined,
): CertificateFiles {
  const certificateFile = tls.certificateFile ?? selfSigned?.certificateFile ?? '';
  const keyFile = tls.certificateFile === undefined ? selfSigned?.keyFile : tls.keyFile;
  return {
    certificateFile: listener.certificateFile ?? certificateFile,
    keyFile: listener.keyFile ?? keyFile ?? '',
  };
}

/** Reads a listener's certificate for the first time. Errors: `invalid`, naming the file. */
export async function openOne(
  listener: ListenerConfig,
  tls: Config['tls'],
  selfSigned: CertificateFiles | undefined,
): Promise<ListenerCertificate> {
  const files = filesOf(listener, tls, selfSigned);
  const stamp = await stampOf(Object.values(files));
  const contexts = await TlsContexts.open(sourceOf(files, tls), profileOf(tls, listener));
  return { listener, contexts, files, stamp, problem: undefined };
}

function sourceOf(files: CertificateFiles, { passphrase }: Config['tls']): CertificateSource {
  return { kind: 'pem', ...files, passphrase };
}

/** Answers the files of those that have another certificate now. */
export async function reloadAll(
  opened: readonly ListenerCertificate[],
  log: Log,
  filesFor: (listener: ListenerConfig) => CertificateFiles,
  tls: Config['tls'],
): Promise<readonly string[]> {
  const renewed = new Set<string>();
  for (const one of opened) {
    one.files = filesFor(one.listener);
    if (await reloadOne(one, log, tls)) renewed.add(one.files.certificateFile);
  }
  return [...renewed];
}

/** Answers whether it is another certificate now. Never rejects. */
export async function reloadOne(
  opened: ListenerCertificate,
  log: Log,
  tls?: Config['tls'],
): Promise<boolean> {
  const { contexts, files, listener } = opened;
  const { fingerprint } = contexts.certificate;
  const about = { listener: listener.name, file: files.certificateFile };
  // Stamped before it is read: what changes meanwhile is noticed at the next look.
  opened.stamp = await stampOf(Object.values(files));
  try {
    if (tls === undefined) await contexts.reload();
    else await contexts.reload(sourceOf(files, tls), profileOf(tls, listener));
  } catch (error) {
    opened.problem = asMailError(error).message;
    log.error('admin.certificate.refused', { ...about, problem: opened.problem });
    return false;
  }
  opened.problem = undefined;
  const { subject, validTo } = contexts.certificate;
  if (contexts.certificate.fingerprint === fingerprint) return false;
  log.info('admin.certificate.renewed', { ...about, subject, validTo: new Date(validTo).toISOString() });
  return true;
}

/**
 * The legacy profile goes below tls.minimumVersion, on the listeners that ask for it and nowhere else. A listener that is held to
 * TLS 1.2 has no session tickets, since those are what Exchange Online broke off for; one that asks for client certificates has
 * none either, because OpenSSL ends the handshake of a client that resumes a session there.
 */
function profileOf(tls: Config['tls'], listener: ListenerConfig): TlsProfile {
  const maxVersion = listener.tlsMaximumVersion ?? tls.maximumVersion;
  const hasTickets = maxVersion !== 'TLSv1.2' && listener.door?.includes('tls') !== true;
  const lowest = listener.legacyTls ? TLS_PROFILES.legacy : { minVersion: tls.minimumVersion };
  return { ...lowest, maxVersion, hasTickets };
}

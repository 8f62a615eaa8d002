/**
 * The certificates of all listeners: those that the configuration names, or one that the server makes for itself.
 */

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { ensureSelfSigned } from '../net/selfSigned.ts';
import { TLS_PROFILES, TlsContexts, type TlsProfile } from '../net/tlsContext.ts';
import { serverName } from '../config/load.ts';
import type { ListenerConfig } from '../config/listenerKeys.ts';
import type { Config } from '../config/schema.ts';

/** Certificates by the pair of files and what TLS allows with it; listeners with the same share one. */
export interface Certificates {
  contextsOf(listener: ListenerConfig): TlsContexts;
  reload(): Promise<void>;
  /** The certificate that this server made for itself, when no other is configured. */
  readonly selfSignedFile: string | undefined;
}

/** Opens every certificate that the configuration names. Errors: `invalid`, naming the file. */
export async function openCertificates(config: Config, clock: Clock, log: Log): Promise<Certificates> {
  const { passphrase } = config.tls;
  const opened = new Map<string, TlsContexts>();
  const open = async (certificateFile: string, keyFile: string, profile: TlsProfile) => {
    const key = [certificateFile, keyFile, profile.minVersion].join('\n');
    const contexts =
      opened.get(key) ??
      (await TlsContexts.open({ kind: 'pem', certificateFile, keyFile, passphrase }, profile));
    opened.set(key, contexts);
    return contexts;
  };
  const selfSigned =
    config.tls.certificateFile === undefined ? await makeCertificate(config, clock, log) : undefined;
  const usual = selfSigned ?? {
    certificateFile: config.tls.certificateFile ?? '',
    keyFile: config.tls.keyFile ?? '',
  };
  const byListener = new Map<string, TlsContexts>();
  for (const listener of config.listeners) {
    const { certificateFile = usual.certificateFile, keyFile = usual.keyFile } = listener;
    byListener.set(listener.name, await open(certificateFile, keyFile, profileOf(config, listener)));
  }
  return {
    contextsOf: ({ name }) => {
      const contexts = byListener.get(name);
      if (contexts === undefined) throw new MailError('internal', `listener ${name} has no certificate`);
      return contexts;
    },
    reload: async () => {
      for (const contexts of opened.values()) await contexts.reload();
    },
    selfSignedFile: selfSigned?.certificateFile,
  };
}

/** The legacy profile goes below tls.minimumVersion, on the listeners that ask for it and nowhere else. */
function profileOf({ tls }: Config, { legacyTls }: ListenerConfig): TlsProfile {
  const { minimumVersion: minVersion, maximumVersion: maxVersion } = tls;
  return legacyTls ? { ...TLS_PROFILES.legacy, maxVersion } : { minVersion, maxVersion };
}

async function makeCertificate(config: Config, clock: Clock, log: Log) {
  const made = await ensureSelfSigned({
    directory: config.server.dataDirectory,
    hostName: serverName(config),
    clock,
  });
  if (made.kind === 'made')
    log.info('admin.certificate.made', { file: made.certificateFile, because: made.because });
  return made;
}

/**
 * The certificates of all listeners: those that the configuration names, or one that the server makes for itself; read again
 * at a reload, and by themselves once their files have changed.
 *
 * Each stands for itself: one that cannot be read stays as it was, with the reason in log and status, and the others are
 * renewed. A pair of files that is replaced one after the other fails between the two, and is read when both are there.
 */

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { DAY_MS, MINUTE_MS } from '../base/units.ts';
import { stampOf } from '../net/fileStamp.ts';
import { ensureSelfSigned, type SelfSigned } from '../net/selfSigned.ts';
import type { TlsContexts } from '../net/tlsContext.ts';
import { serverName } from '../config/load.ts';
import type { ListenerConfig } from '../config/listenerKeys.ts';
import type { Config } from '../config/schema.ts';
import {
  type CertificateStatus,
  EXPIRY_WARNING_MS,
  isoDate,
  statusOf,
  warningsOf,
} from './certificateStatus.ts';
import { filesOf, type ListenerCertificate, openOne, reloadAll, reloadOne } from './listenerCertificate.ts';

/** How often files are looked at. Whoever renews a certificate does so days before the old one ends. */
export const CERTIFICATE_LOOK_PERIOD_MS = MINUTE_MS;
/** How often the log says that a certificate ends. */
export const EXPIRY_LOG_PERIOD_MS = DAY_MS;

/** What became of the certificates at a reload. */
export interface CertificateReload {
  /** Files with another certificate than before. */
  readonly renewed: readonly string[];
  /** One sentence for each that stays as it was because its files cannot be used. */
  readonly problems: readonly string[];
}

/** A certificate for each listener. */
export interface Certificates {
  contextsOf(listener: ListenerConfig): TlsContexts;
  /**
   * Reads all files again, those that `tls` of a new configuration names where one is given; what listeners have of their own
   * is as it was at the start. Never rejects.
   */
  reload(tls?: Config['tls']): Promise<CertificateReload>;
  status(): readonly CertificateStatus[];
  /** One sentence for each certificate that has ended, ends soon, or could not be renewed. */
  warnings(): readonly string[];
  /** The certificate that this server made for itself, when no other is configured. */
  readonly selfSignedFile: string | undefined;
  /** Resolves when no look at the files is under way. */
  settled(): Promise<void>;
  /** Looks at no file any more. */
  close(): Promise<void>;
}

/** Opens every certificate that the configuration names. Errors: `invalid`, naming the file. */
export async function openCertificates(config: Config, clock: Clock, log: Log): Promise<Certificates> {
  let settings = config.tls;
  let selfSigned = await makeIfNeeded(config, clock, log);
  const all = new Map<string, ListenerCertificate>();
  for (const listener of config.listeners)
    all.set(listener.name, await openOne(listener, settings, selfSigned));
  const opened = [...all.values()];
  const watch = watchFiles(opened, { clock, log, isFollowing: () => settings.followFiles });
  return {
    contextsOf: ({ name }) => {
      const found = all.get(name);
      if (found === undefined) throw new MailError('internal', `listener ${name} has no certificate`);
      return found.contexts;
    },
    reload: async (tls = settings) => {
      settings = tls;
      selfSigned = await makeIfNeeded({ ...config, tls }, clock, log).catch(() => selfSigned);
      const renewed = await reloadAll(opened, log, (listener) => filesOf(listener, tls, selfSigned), tls);
      return { renewed, problems: [...new Set(opened.flatMap(({ problem }) => problem ?? []))] };
    },
    status: () => statusOf(opened),
    warnings: () => statusOf(opened).flatMap((certificate) => warningsOf(certificate, clock.now())),
    selfSignedFile: selfSigned?.certificateFile,
    settled: watch.settled,
    close: watch.close,
  };
}

/** Looks at the files and at the ends of their certificates from time to time. */
function watchFiles(
  opened: readonly ListenerCertificate[],
  {
    clock,
    log,
    isFollowing,
  }: { readonly clock: Clock; readonly log: Log; readonly isFollowing: () => boolean },
): Pick<Certificates, 'settled' | 'close'> {
  let warnedMs = Number.NEGATIVE_INFINITY;
  const warn = () => {
    if (clock.monotonic() - warnedMs < EXPIRY_LOG_PERIOD_MS) return;
    warnedMs = clock.monotonic();
    for (const { file, validTo } of statusOf(opened))
      if (validTo - clock.now() < EXPIRY_WARNING_MS)
        log.warn('admin.certificate.expiring', { file, validTo: isoDate(validTo) });
  };
  const look = async () => {
    warn();
    if (!isFollowing()) return;
    for (const one of opened) {
      const stamp = await stampOf(Object.values(one.files));
      if (stamp !== one.stamp) await reloadOne(one, log);
    }
  };
  let looking: Promise<void> = Promise.resolve();
  warn();
  const timer = clock.every(CERTIFICATE_LOOK_PERIOD_MS, () => {
    looking = looking.then(look);
  });
  return {
    settled: () => looking,
    close: async () => {
      timer.clear();
      await looking;
    },
  };
}

/** Undefined where the configuration names one. */
async function makeIfNeeded(config: Config, clock: Clock, log: Log): Promise<SelfSigned | undefined> {
  if (config.tls.certificateFile !== undefined) return undefined;
  const made = await ensureSelfSigned({
    directory: config.server.dataDirectory,
    hostName: serverName(config),
    clock,
  });
  if (made.kind === 'made')
    log.info('admin.certificate.made', { file: made.certificateFile, because: made.because });
  return made;
}

/**
 * The appliance in this process: opens the rooms in order, hands each its options, Clock, Log and neighbours, and closes them in
 * reverse. commandLine.ts loads it for `serve` and `demo` alone, so that no other verb waits for everything that a server is made of.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

import { systemClock } from './base/clock.ts';
import { asMailError, MailError } from './base/error.ts';
import { createLog, type Log } from './base/log.ts';
import { SECOND_MS } from './base/units.ts';
import type { Store } from './store/contract/store.ts';
import { openStore } from './store/sqlite/open.ts';
import { RELAY_PRESETS } from './exchange/relayPresets.ts';
import { type Accounts, createAccounts } from './accounts/accounts.ts';
import { type Administration, createAdministration } from './accounts/administration.ts';
import { type IpRanges, openIpRanges } from './accounts/ipRanges.ts';
import { createPasswordHasher, generatePassword } from './accounts/password.ts';
import { createRetentionPolicy } from './accounts/retention.ts';
import { createSentToday } from './accounts/sendingDay.ts';
import { openSearch, type Search } from './search/search.ts';
import type { Transfer } from './transfer/contract.ts';
import { createPlanning, createTransfer } from './transfer/transfer.ts';
import { ACCOUNT_CAPABILITIES, LISTENER_CAPABILITIES } from './imapd/capabilities.ts';
import { openImapd } from './imapd/imapd.ts';
import { CAPABILITIES as POP3_CAPABILITIES } from './pop3d/capabilities.ts';
import { openPop3d } from './pop3d/pop3d.ts';
import { openSmtpd } from './smtpd/smtpd.ts';
import { type FaultyConfig, type LoadedConfig, loadConfig, serverName } from './config/load.ts';
import { formatProblem } from './config/problems.ts';
import type { Config } from './config/schema.ts';
import { accountsOptions } from './admin/accountsOptions.ts';
import { type Certificates, openCertificates } from './admin/certificates.ts';
import { controlSocketPath, openControlServer } from './admin/controlSocket.ts';
import { type ExchangeDoors, openExchangeDoors } from './admin/exchangeDoors.ts';
import { listenerOptions } from './admin/listenerOptions.ts';
import { listenerStatus } from './admin/listenerStatus.ts';
import { type Maintenance, openMaintenance } from './admin/maintenance.ts';
import { networkAddresses } from './admin/networkAddresses.ts';
import { nextSteps } from './admin/nextSteps.ts';
import { createOperations } from './admin/operations.ts';
import { openProtocolLog } from './admin/protocolLog/openProtocolLog.ts';
import type { ProtocolLog } from './admin/protocolLog/protocolLog.ts';
import { createRunningServer } from './admin/runningServer.ts';
import { openPickups } from './admin/pickups.ts';
import { openSenderRewriting } from './admin/senderRewriting.ts';
import { openSending } from './admin/sending.ts';
import type { ListenerStatus, RunningServer } from './admin/server.ts';
import { EXIT } from './admin/verb.ts';
import { searchOptions, storeOptions } from './admin/storeOptions.ts';
import { transferOptions } from './admin/transferOptions.ts';
import { USUAL_FILE, VERSION } from './installation.ts';

/** A running appliance: all rooms that serve, and their end. */
interface Appliance {
  readonly administration: Administration;
  readonly listeners: readonly ListenerStatus[];
  readonly certificateFile: string | undefined;
  readonly server: RunningServer;
  close(): Promise<void>;
}

/** How long the process may take to end when everything is closed. */
const END_DEADLINE_MS = 5 * SECOND_MS;

/** What happens when the process is told to stop: the newest first. */
type Closer = () => Promise<void>;

/** `hauspost serve`: runs the server until the process is told to stop, or its store has died. */
export async function serve(loaded: LoadedConfig, reload: () => LoadedConfig | FaultyConfig): Promise<0 | 1> {
  const log = createLog(process.stdout, loaded.config.log.level);
  for (const warning of loaded.warnings) log.warn('main.config.warning', { warning });
  const stop = stopSignal(log);
  let reloadAppliance = async (): Promise<unknown> => log.warn('main.config.early');
  process.on('SIGHUP', () => {
    reloadAppliance().catch((error: unknown) => log.error('main.config.reload', { error }));
  });
  const death = Promise.withResolvers<'storeDied'>();
  const appliance = await openAppliance(loaded, reload, log, () => death.resolve('storeDied'));
  reloadAppliance = () => appliance.server.reload();
  log.info('main.server.ready', {
    version: VERSION,
    process: process.pid,
    dataDirectory: loaded.config.server.dataDirectory,
    file: loaded.file ?? null,
    listeners: appliance.listeners.map(({ connections, exchange, ...listener }) => listener),
  });
  await sayWhatNext(appliance, loaded);
  // A server whose store takes nothing any more ends, so that its service manager starts it anew.
  const reason = await Promise.race([stop, death.promise]);
  log.info('main.server.stopping', { reason });
  await appliance.close();
  log.info('main.server.stopped');
  endAtTheLatest(log);
  return reason === 'storeDied' ? EXIT.failed : EXIT.ok;
}

/**
 * Node waits for its threads at the end, by itself and in `process.exit`, and a share that hangs keeps those that asked it. All is closed
 * by now: nothing is lost.
 */
function endAtTheLatest(log: Log): void {
  systemClock.after(END_DEADLINE_MS, () => {
    log.warn('main.server.killed', { why: 'a file system does not answer' });
    process.kill(process.pid, 'SIGKILL');
  });
}

/** Resolves with the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(log: Log): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (isStopping) {
        log.warn('main.server.forced', { signal });
        process.exit(EXIT.failed);
      }
      isStopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

async function sayWhatNext({ administration, listeners }: Appliance, loaded: LoadedConfig): Promise<void> {
  if ((await administration.accounts.list()).length > 0) return;
  const usualFile = loaded.file === undefined ? USUAL_FILE : undefined;
  process.stderr.write(
    nextSteps({ version: VERSION, directory: loaded.config.server.dataDirectory, listeners, usualFile }),
  );
}

/** `hauspost demo`: shows the whole appliance with a store of its own. */
export async function demo(): Promise<0 | 1> {
  const { runDemo } = await import('./demo/demo.ts');
  const directory = mkdtempSync(join(tmpdir(), 'hauspost-demo-'));
  const log = createLog(process.stderr, 'warn');
  const stop = stopSignal(log);
  try {
    const loaded = loadConfig({
      file: undefined,
      defaultDirectory: directory,
      environment: {},
      imapCapabilities: LISTENER_CAPABILITIES,
      pop3Capabilities: POP3_CAPABILITIES,
      relayPresets: RELAY_PRESETS,
    });
    if (loaded.kind === 'faulty')
      throw new MailError('internal', loaded.problems.map(formatProblem).join('\n'));
    const appliance = await openOnFreePorts(loaded, log);
    try {
      await runDemo({ appliance: demoAppliance(appliance), clock: systemClock, out: process.stdout });
      await stop;
    } finally {
      await appliance.close();
    }
    return EXIT.ok;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** On the default ports, or, where one of them is taken, on ports that the system chooses. */
async function openOnFreePorts(loaded: LoadedConfig, log: Log): Promise<Appliance> {
  try {
    return await openAppliance(loaded, () => loaded, log);
  } catch (error) {
    if (asMailError(error).code !== 'cannot') throw error;
    const listeners = loaded.config.listeners.map((listener) => ({ ...listener, port: 0 }));
    return openAppliance({ ...loaded, config: { ...loaded.config, listeners } }, () => loaded, log);
  }
}

function demoAppliance({ administration, listeners, certificateFile }: Appliance) {
  const endpoint = (name: string) => {
    const listener = listeners.find((candidate) => candidate.name === name);
    return { host: listener?.address ?? '127.0.0.1', port: listener?.port ?? 0 };
  };
  return {
    endpoints: {
      smtp: endpoint('smtp'),
      pop3: endpoint('pop3'),
      pop3s: endpoint('pop3s'),
      imap: endpoint('imap'),
      imaps: endpoint('imaps'),
    },
    certificate: readFileSync(certificateFile ?? '', 'utf8'),
    addDomain: async (name: string) => {
      await administration.domains.add({ name });
    },
    addAccount: async (address: string) => {
      const password = generatePassword();
      await administration.accounts.add({ address, password });
      return password;
    },
  };
}

/** Opens every room; closes what was opened when one of them can't be. */
async function openAppliance(
  loaded: LoadedConfig,
  reload: () => LoadedConfig | FaultyConfig,
  log: Log,
  onStoreDeath: () => void = () => {},
): Promise<Appliance> {
  const closers: Closer[] = [];
  try {
    return await openRooms(loaded, reload, log, closers, onStoreDeath);
  } catch (error) {
    await closeAll(closers, log);
    throw error;
  }
}

async function openRooms(
  loaded: LoadedConfig,
  reload: () => LoadedConfig | FaultyConfig,
  log: Log,
  closers: Closer[],
  onStoreDeath: () => void,
): Promise<Appliance> {
  const { config } = loaded;
  const clock = systemClock;
  const directory = config.server.dataDirectory;
  const store = await openStore({ ...storeOptions(config, clock, log), onDeath: onStoreDeath });
  const search = openSearch({ ...searchOptions(config), feed: store.feed, clock, log });
  const defaultDomain = () => accounts.defaultDomain();
  const protocolLog = openProtocolLog({ config, clock, log, directory: store.directory, defaultDomain });
  closers.unshift(async () => {
    await protocolLog.close();
    await search.close();
    await store.close();
  });
  const passwords = createPasswordHasher({ clock });
  const { mailboxes, secrets, trace } = store;
  const common = { directory: store.directory, mailboxes, secrets, passwords, addresses: networkAddresses };
  const ipRanges = await openIpRanges({ ...common, feed: store.feed, log });
  const options = accountsOptions(config);
  const accounts = createAccounts({ ...common, clock, log, ipRanges, options });
  const administration = createAdministration({
    ...common,
    imapCapabilities: ACCOUNT_CAPABILITIES,
    pop3Capabilities: POP3_CAPABILITIES,
    sentToday: createSentToday(store.deliveries, clock),
    defaultDomain: accounts.defaultDomain,
  });
  const certificates = await openCertificates(config, clock, log);
  closers.unshift(() => certificates.close());
  const maintenance = openMaintenance({ directory, clock, log });
  closers.unshift(async () => maintenance.close());
  const doors = await openExchangeDoors(config, clock);
  const named = { serverName: serverName(config), clock, log };
  const senderRewriting = await openSenderRewriting(config, secrets, clock);
  const door = { ...transferOptions(config), onceOnly: config.transfer, submission: config.submission };
  const transfer = createTransfer({ ...named, ...door, store, accounts, senderRewriting });
  const sending = await openSending(config, { ...named, store, transfer, random: Math.random });
  closers.unshift(() => sending.close(config.server.shutdownDeadlineSeconds * SECOND_MS));
  const pickups = await openPickups(config, { transfer, maintenance, clock, log });
  closers.unshift(() => pickups.close(config.server.shutdownDeadlineSeconds * SECOND_MS));
  const core = { store, search, accounts, ipRanges, certificates, protocolLog, maintenance, doors, transfer };
  const allListeners = await openSessionRooms(config, log, closers, core);
  const rooms = { ...core, sending, pickups, listeners: allListeners };
  const server = createRunningServer({
    config,
    warnings: loaded.warnings,
    version: VERSION,
    processId: process.pid,
    clock,
    log,
    reload,
    rooms,
  });
  const planning = createPlanning({ store, accounts, log, senderRewriting, ...transferOptions(config) });
  const sent = { sending, relays: () => sending.relays.all(), drops: () => sending.drops.all() };
  const known = { administration, trace, store, maintenance, planning, server, clock };
  const operations = createOperations({ ...known, ...sent, pickups, policies: pickups.policies });
  const control = await openControlServer({
    path: controlSocketPath(directory),
    clock,
    log,
    run: ({ operation, input }) => operations(operation, input),
  });
  closers.unshift(() => control.close());
  return {
    administration,
    listeners: allListeners(),
    certificateFile: certificates.selfSignedFile,
    server,
    close: () => closeAll(closers, log),
  };
}

/** Opens the rooms that talk to clients; answers a look at their listeners. */
async function openSessionRooms(
  config: Config,
  log: Log,
  closers: Closer[],
  core: {
    readonly store: Store;
    readonly search: Search;
    readonly accounts: Accounts;
    readonly ipRanges: IpRanges;
    readonly certificates: Certificates;
    readonly protocolLog: ProtocolLog;
    readonly maintenance: Maintenance;
    readonly doors: ExchangeDoors;
    readonly transfer: Transfer;
  },
): Promise<() => readonly ListenerStatus[]> {
  const { store, search, accounts, ipRanges, certificates, protocolLog, maintenance, doors, transfer } = core;
  const deadlineMs = config.server.shutdownDeadlineSeconds * SECOND_MS;
  const tap = protocolLog.openTap;
  const common = { serverName: serverName(config), clock: systemClock, log, tap };
  const pop3d = await openPop3d({
    ...common,
    ...config.pop3,
    listeners: listenerOptions(config, 'pop3', certificates, ipRanges),
    idleTimeoutMs: config.pop3.idleTimeoutSeconds * SECOND_MS,
    retention: createRetentionPolicy(config.pop3),
    accounts,
    mailboxes: store.mailboxes,
    contents: store.contents,
    trace: store.trace,
  });
  closers.unshift(() => pop3d.close(deadlineMs));
  const imapd = await openImapd({
    ...common,
    listeners: listenerOptions(config, 'imap', certificates, ipRanges),
    store,
    search,
    accounts,
    delimiter: config.imap.delimiter,
    sessionsPerAccountLimit: config.imap.sessionsPerAccountLimit,
    idleTimeoutMs: config.imap.idleTimeoutSeconds * SECOND_MS,
    appendLimitOctets: config.imap.appendLimitOctets,
    lineLimitOctets: config.imap.lineLimitOctets,
    literalLimitOctets: config.imap.literalLimitOctets,
    badCommandLimit: config.imap.badCommandLimit,
    literals: config.imap.literals,
    compression: config.imap.compression,
  });
  closers.unshift(() => imapd.close(deadlineMs));
  const smtpd = await openSmtpd({
    ...common,
    ...config.smtp,
    maintenance: () => maintenance.state()?.text,
    listeners: doors.atListeners(listenerOptions(config, 'smtp', certificates, ipRanges)),
    transfer,
    accounts,
    ipRanges,
  });
  closers.unshift(() => smtpd.close(deadlineMs));
  return () => [
    ...listenerStatus(config, doors, 'smtp', smtpd.listeners),
    ...listenerStatus(config, doors, 'pop3', pop3d.listeners),
    ...listenerStatus(config, doors, 'imap', imapd.listeners),
  ];
}

/** Closes what is open, sessions first and all at once, the store with its search last; an error in one does not keep the others open. */
async function closeAll(closers: readonly Closer[], log: Log): Promise<void> {
  const store = closers.at(-1);
  await Promise.all(
    closers
      .slice(0, -1)
      .map((close) => close().catch((error: unknown) => log.error('main.room.close', { error }))),
  );
  await store?.().catch((error: unknown) => log.error('main.room.close', { error }));
}

/**
 * What a running server tells about itself and can be asked to do; main.ts implements it.
 */

import type { UnixMs } from '../base/clock.ts';
import type { StoreHealth } from '../store/contract/store.ts';
import type { DoorStatus } from '../exchange/doorCounters.ts';
import type { LoginBans } from '../accounts/loginBans.ts';
import type { ProfileName } from '../accounts/profiles.ts';
import type { CertificateStatus } from './certificateStatus.ts';
import type { DropReport } from './dropReport.ts';
import type { MaintenanceState } from './maintenance.ts';
import type { ProtocolLog } from './protocolLog/protocolLog.ts';
import type { PickupReport } from './pickupReport.ts';
import type { RelayReport } from './relayReport.ts';
import type { Watch } from './protocolLog/watches.ts';

/** A listener as status shows it. */
export interface ListenerStatus {
  readonly name: string;
  readonly protocol: 'smtp' | 'pop3' | 'imap';
  readonly address: string;
  readonly port: number;
  /** What it is for where it speaks SMTP, else null. */
  readonly role: 'relayIn' | 'submission' | null;
  readonly tls: 'none' | 'starttls' | 'required' | 'implicit';
  /** What its clients are used to; null where it speaks SMTP. */
  readonly profile: ProfileName | null;
  /** Whether it takes TLS 1.0 and 1.1. */
  readonly legacyTls: boolean;
  /** Connections that are open now. */
  readonly connections: number;
  /** How mail from Exchange Online has come; null where it does not (docs/EXCHANGE-DOOR.md). */
  readonly exchange: DoorStatus | null;
}

/** The answer to `hauspost status`. */
export interface ServerStatus {
  readonly version: string;
  readonly name: string;
  readonly processId: number;
  readonly startedAt: UnixMs;
  readonly dataDirectory: string;
  readonly listeners: readonly ListenerStatus[];
  /** What the configuration is warned about, as at the start, and what ends soon. */
  readonly warnings: readonly string[];
  readonly certificates: readonly CertificateStatus[];
  /** While no mail is taken in because an administrator said so; else null. */
  readonly maintenance: MaintenanceState | null;
  readonly store: StoreHealth;
  /** What POP3 has deleted and is retained, of all accounts. */
  readonly retained: { readonly messages: number; readonly octets: number };
  /** Bans that hold now (`hauspost ban list`). */
  readonly bans: number;
  /** Where mail goes that leaves (`hauspost relay list`). */
  readonly relays: readonly RelayReport[];
  /** Directories that mail is written into (`hauspost drop list`). */
  readonly drops: readonly DropReport[];
  /** Directories that files are picked up from (`hauspost pickup status`). */
  readonly pickups: readonly PickupReport[];
  /** Watches of the protocol log that are on. */
  readonly protocolLog: readonly Watch[];
}

/** What a reload did. With problems nothing but what `changed` and `renewed` name has changed. */
export interface ReloadOutcome {
  /** Files of certificates that are in use now in place of others. */
  readonly renewed: readonly string[];
  readonly changed: readonly string[];
  readonly needRestart: readonly string[];
  readonly problems: readonly string[];
}

/** The running server as admin sees it. */
export interface RunningServer {
  readonly protocolLog: ProtocolLog;
  status(): Promise<ServerStatus>;
  readonly bans: LoginBans;
  reload(): Promise<ReloadOutcome>;
}

/**
 * What planning is handed: narrow views of the directory and of the accounts room, and whether mail may be relayed at all.
 */

import type { Log } from '../../base/log.ts';
import type { Directory } from '../../store/contract/directory.ts';
import type { DistributionListHead, Route, RoutingDirectory, Rule } from '../../store/contract/routing.ts';
import type { Accounts } from '../../accounts/accounts.ts';
import type { SenderRewriting } from './senderRewriting.ts';

/** What is few and asked for each message, kept in memory (routingTables.ts). */
export interface RoutingTables {
  /** In order of position. */
  readonly routes: readonly Route[];
  /** In order of position. */
  readonly globalRules: readonly Rule[];
  readonly lists: readonly DistributionListHead[];
}

/** What planning is handed. */
export interface PlanSurroundings {
  readonly directory: Pick<Directory, 'resolve' | 'findDomain' | 'domains'>;
  readonly routing: Pick<RoutingDirectory, 'findList' | 'isListMember' | 'forwardOf' | 'rules'>;
  readonly accounts: Pick<Accounts, 'defaultDomain' | 'postmaster' | 'isOverQuota' | 'resolveRecipient'>;
  readonly log: Log;
  /** As they are now. */
  tables(): Promise<RoutingTables>;
  /** Whether routes to relays and drop directories are in force. */
  isRelaying(): boolean;
  /** Gives what is forwarded a sender of ours; undefined where senders stay as they are. */
  readonly senderRewriting?: SenderRewriting | undefined;
}

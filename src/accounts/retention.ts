/**
 * How long messages stay that an account's POP3 clients have fetched or deleted: what is set for the account, else what the
 * server has. The one place where the two meet; the store's expiry and POP3's sessions both ask here.
 */

import type { RetentionDays, RetentionPolicy } from '../store/contract/retention.ts';
import { readAccountSettings } from './accountSettings.ts';

/** Nothing is retained, nothing goes by itself: what a server has unless set. */
export const NO_RETENTION: RetentionDays = { retentionDays: 0, deleteAfterFetchDays: 0 };

/** The policy of a server with these settings. */
export function createRetentionPolicy(server: RetentionDays): RetentionPolicy {
  return (texts) => {
    const own = readAccountSettings(texts);
    return {
      retentionDays: own['pop3.retentionDays'] ?? server.retentionDays,
      deleteAfterFetchDays: own['pop3.deleteAfterFetchDays'] ?? server.deleteAfterFetchDays,
    };
  };
}

/**
 * The end of messages that have had their days: retained ones are expunged, fetched ones retained or expunged.
 *
 * Goes through the accounts in slices and asks of each what holds for it now, so that a changed setting counts at the next
 * look. Every slice of messages is a job of its own between those of mail. What was done is on disk: a start after a crash
 * goes on where it stopped. An account that fails holds up no other.
 */

import type { Clock, UnixMs } from '../../base/clock.ts';
import type { AccountId, MailboxId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import { yieldTurn } from '../../base/pacer.ts';
import { DAY_MS } from '../../base/units.ts';
import type { RetentionDays, RetentionPolicy } from '../contract/retention.ts';
import type { Connection } from './connection.ts';
import { selectSettings } from './directoryQueries.ts';
import { EXPIRY_PERIOD_MS, EXPIRY_SLICE_ACCOUNTS, EXPIRY_SLICE_ENTRIES } from './limits.ts';
import { readMailbox, readMailboxName } from './mailboxReads.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer/client.ts';

/** What the expiry works with. */
export interface ExpiryOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly reader: Reader;
  readonly writer: Pick<Writer, 'run'>;
  readonly policy: RetentionPolicy;
  /** Whether the store is being closed: it stops after the job that runs. */
  isEnding(): boolean;
}

interface AccountHead {
  readonly id: AccountId;
  readonly address: string;
}

/** The expiry of a store. */
export class Expiry {
  readonly #options: ExpiryOptions;
  #lookedAt: number | undefined;

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** Looks at all accounts when it is time, or when it `mustLook`. */
  async run(mustLook: boolean): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (!mustLook && this.#lookedAt !== undefined && now - this.#lookedAt < EXPIRY_PERIOD_MS) return;
    this.#lookedAt = now;
    let after = 0;
    while (!this.#options.isEnding()) {
      const behind = after;
      const accounts = this.#options.reader.read((db) => readAccountsAfter(db, behind));
      for (const account of accounts) await this.#lookAt(account);
      if (accounts.length < EXPIRY_SLICE_ACCOUNTS) return;
      after = accounts.at(-1)?.id ?? behind;
      await yieldTurn();
    }
  }

  async #lookAt(account: AccountHead): Promise<void> {
    const { reader, policy, log } = this.#options;
    try {
      const days = policy(reader.read((db) => selectSettings(db, account.id)));
      if (days.deleteAfterFetchDays > 0) await this.#endFetched(account, days);
      if (days.retentionDays > 0) await this.#endRetained(account, days.retentionDays);
    } catch (error) {
      log.warn('store.retention.failed', { account: account.address, error });
    }
  }

  async #endFetched({ id, address }: AccountHead, days: RetentionDays): Promise<void> {
    const { reader, writer, log } = this.#options;
    const inbox = reader.read((db) => readMailbox(db, id, ['INBOX']));
    const upTo = this.#daysAgo(days.deleteAfterFetchDays);
    if (inbox === undefined || !reader.read((db) => hasFetched(db, inbox.id, upTo))) return;
    const isRetained = days.retentionDays > 0;
    const reason = { account: address, daysAfterFetch: days.deleteAfterFetchDays };
    const fields = isRetained ? reason : { ...reason, mailbox: 'INBOX' };
    const messages = await this.#inSlices(() =>
      writer.run('expireFetched', { mailboxId: inbox.id, upTo, fields, isRetained }),
    );
    log.info('store.fetched.expired', { ...reason, isRetained, messages });
  }

  async #endRetained({ id, address }: AccountHead, days: number): Promise<void> {
    const { reader, writer, log } = this.#options;
    const upTo = this.#daysAgo(days);
    for (const mailboxId of reader.read((db) => readRetaining(db, id))) {
      if (!reader.read((db) => hasRetained(db, mailboxId, upTo))) continue;
      const mailbox = reader.read((db) => readMailboxName(db, mailboxId)).join('/');
      const fields = { account: address, mailbox, daysRetained: days };
      const messages = await this.#inSlices(() => writer.run('expireRetained', { mailboxId, upTo, fields }));
      log.info('store.retained.expired', { ...fields, messages });
    }
  }

  async #inSlices(slice: () => Promise<number>): Promise<number> {
    let total = 0;
    while (!this.#options.isEnding()) {
      const count = await slice();
      total += count;
      if (count < EXPIRY_SLICE_ENTRIES) break;
      await yieldTurn();
    }
    return total;
  }

  #daysAgo(days: number): UnixMs {
    return (this.#options.clock.now() - days * DAY_MS) as UnixMs;
  }
}

function readAccountsAfter(db: Connection, id: number): AccountHead[] {
  return db.all(
    `SELECT account.id AS id, local_part || '@' || domain.name AS address
     FROM account JOIN domain ON domain.id = account.domain_id
     WHERE account.id > ? ORDER BY account.id LIMIT ?`,
    id,
    EXPIRY_SLICE_ACCOUNTS,
  );
}

/** Mailboxes of an account with retained entries: one, unless it was renamed and another one made. */
function readRetaining(db: Connection, accountId: AccountId): MailboxId[] {
  return db.column('SELECT id FROM mailbox WHERE account_id = ? AND retained > 0', accountId);
}

function hasRetained(db: Connection, mailboxId: MailboxId, upTo: UnixMs): boolean {
  const found = db.value(
    'SELECT 1 FROM entry WHERE mailbox_id = ? AND retained_at IS NOT NULL AND retained_at <= ? LIMIT 1',
    mailboxId,
    upTo,
  );
  return found !== undefined;
}

function hasFetched(db: Connection, mailboxId: MailboxId, upTo: UnixMs): boolean {
  const found = db.value(
    'SELECT 1 FROM entry WHERE mailbox_id = ? AND fetched_at IS NOT NULL AND fetched_at <= ? LIMIT 1',
    mailboxId,
    upTo,
  );
  return found !== undefined;
}

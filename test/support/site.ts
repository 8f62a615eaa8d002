/**
 * The real store with the real accounts in a directory of the test, for tests of session rooms inside this process.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { newTraceId } from '../../src/base/ids.ts';
import { TlsContexts } from '../../src/net/tlsContext.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { DeliveryOutcome } from '../../src/store/contract/deliveries.ts';
import type { Store } from '../../src/store/contract/store.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { type Accounts, type AccountsOptions, createAccounts } from '../../src/accounts/accounts.ts';
import { type Administration, createAdministration } from '../../src/accounts/administration.ts';
import { type IpRanges, openIpRanges } from '../../src/accounts/ipRanges.ts';
import { createSentToday } from '../../src/accounts/sendingDay.ts';
import { openSearch, type Search } from '../../src/search/search.ts';
import { ACCOUNT_CAPABILITIES } from '../../src/imapd/capabilities.ts';
import { CAPABILITIES as POP3_CAPABILITIES } from '../../src/pop3d/capabilities.ts';
import { networkAddresses } from '../../src/admin/networkAddresses.ts';
import { createPasswordHasher } from '../../src/accounts/password.ts';
import { madeCertificate } from './madeCertificate.ts';

/** Octets and passes of a hash that costs next to nothing. */
const TEST_COST = { memoryKib: 8, passes: 1, parallelism: 1 };

/** An open store with accounts and a certificate. */
export interface RoomSite {
  readonly directory: string;
  readonly clock: Clock;
  readonly store: Store;
  readonly accounts: Accounts;
  readonly ipRanges: IpRanges;
  readonly search: Search;
  readonly administration: Administration;
  readonly tlsContexts: TlsContexts;
  /** Adds `address` with its domain; the password is `secret`. */
  addAccount(address: string, quotaOctets?: number): Promise<Account>;
  /** Delivers `octets` to accounts, as transfer does. */
  deliver(octets: Buffer | string, ...accounts: readonly Account[]): Promise<DeliveryOutcome>;
  /** The messages in an account's INBOX, oldest first. */
  inbox(account: Account, afterUid?: number): Promise<Buffer[]>;
  /** Closes the store before the test ends. */
  close(): Promise<void>;
}

/**
 * Opens a site, in a directory of its own unless it is to be opened again, and closes it when the test ends. Logins wait by
 * `loginClock`, whatever the clock of the rooms is.
 */
export async function openRoomSite(
  t: Test,
  clock: Clock = systemClock,
  directory = mkdtempSync(join(tmpdir(), 'hauspost-rooms-')),
  accountsOptions: AccountsOptions = {},
  log = silentLog,
  loginClock: Clock = systemClock,
): Promise<RoomSite> {
  const store = await openStore({ directory, clock: systemClock, log: silentLog });
  const search = openSearch({
    reserveOctets: 0,
    directory,
    feed: store.feed,
    clock: systemClock,
    log: silentLog,
  });
  const ipRanges = await openIpRanges({
    directory: store.directory,
    feed: store.feed,
    addresses: networkAddresses,
    log,
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    ipRanges.close();
    closed ??= search.close().then(() => store.close());
    return closed;
  };
  t.teardown(async () => {
    await close();
    rmSync(directory, { recursive: true, force: true });
  });
  const passwords = createPasswordHasher({ clock: systemClock, cost: TEST_COST });
  const surroundings = {
    directory: store.directory,
    mailboxes: store.mailboxes,
    secrets: store.secrets,
    passwords,
    clock: systemClock,
  };
  const administration = createAdministration({
    ...surroundings,
    imapCapabilities: ACCOUNT_CAPABILITIES,
    pop3Capabilities: POP3_CAPABILITIES,
    addresses: networkAddresses,
    sentToday: createSentToday(store.deliveries, clock),
    defaultDomain: () => undefined,
  });

  return {
    directory,
    clock,
    store,
    search,
    ipRanges,
    accounts: createAccounts({
      ...surroundings,
      clock: loginClock,
      addresses: networkAddresses,
      ipRanges,
      log,
      options: accountsOptions,
    }),
    administration,
    tlsContexts: await TlsContexts.open({ kind: 'pem', ...(await madeCertificate()) }),
    async addAccount(address, quotaOctets) {
      const name = address.slice(address.indexOf('@') + 1);
      if ((await store.directory.findDomain(name)) === undefined) await administration.domains.add({ name });
      await administration.accounts.add({ address, password: 'secret', quotaOctets });
      const account = await store.directory.findAccount(address);
      if (account === undefined) throw new Error('the account is missing');
      return account;
    },
    close,
    deliver: (octets, ...accounts) => deliver(store, Buffer.from(octets), accounts),
    inbox: (account, afterUid) => readInbox(store, account, afterUid),
  };
}

async function deliver(store: Store, octets: Buffer, accounts: readonly Account[]): Promise<DeliveryOutcome> {
  const draft = store.contents.begin();
  await draft.write(octets);
  return store.deliveries.deliver({
    traceId: newTraceId(systemClock.now()),
    draft,
    returnPathOctets: 0,
    acceptedAt: systemClock.now(),
    zoneMinutes: 0,
    reversePath: 'sender@example.org',
    recipients: accounts.map(({ address }) => address),
    copies: accounts.map(({ id, address }) => ({ accountId: id, recipient: address })),
    events: [],
  });
}

async function readInbox(store: Store, account: Account, afterUid = 0): Promise<Buffer[]> {
  const inbox = await store.mailboxes.find(account.id, ['INBOX']);
  const messages: Buffer[] = [];
  if (inbox === undefined) return messages;
  for await (const slice of store.mailboxes.entries(inbox.id, { first: afterUid + 1, last: 2 ** 32 - 1 })) {
    for (const { contentId } of slice) {
      const content = await store.contents.open(contentId);
      messages.push(await buffer(content.read(0, content.octets)));
    }
  }
  return messages;
}

/**
 * The one door, a queue behind a route to a relay, and settling: for tests of what senders are told.
 */

import type { Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { MIB } from '../../src/base/units.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { QueueItem } from '../../src/store/contract/queue.ts';
import type { Envelope, Submitter, Transfer, TransferOptions } from '../../src/transfer/contract.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import {
  createSettling,
  type ItemReport,
  type ItemResult,
  type Settling,
  type SettlingOptions,
} from '../../src/outbound/settling.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { openRoomSite, type RoomSite } from '../support/site.ts';

/** An open site: `sender@app.example` and `me@app.example`, and a route of everything else to the relay m365. */
export interface SettlingSite {
  readonly site: RoomSite;
  readonly sender: Account;
  readonly me: Account;
  readonly clock: TestClock;
  readonly transfer: Transfer;
  readonly settling: Settling;
  /** Hands a message over, as somebody who logged in unless said, and answers its items. */
  queue(envelope: Envelope, submitter?: Submitter, message?: Buffer | string): Promise<QueueItem[]>;
  /** All items. */
  items(): Promise<QueueItem[]>;
  /** What a message's trace tells of its items behind their making: kind, recipient and reason. */
  events(item: QueueItem): Promise<string[]>;
  /** What is in an account's INBOX. */
  inbox(account: Account): Promise<string[]>;
}

/** Opens a site; it closes with the test. `between` may stand in for parts of what settling is handed. */
export async function openSettlingSite(
  t: Test,
  options: Partial<TransferOptions> = {},
  between: (options: SettlingOptions) => SettlingOptions = (same) => same,
): Promise<SettlingSite> {
  const site = await openRoomSite(t);
  const { store, accounts, administration } = site;
  const sender = await site.addAccount('sender@app.example');
  const me = await site.addAccount('me@app.example');
  await administration.routes.add({
    name: 'smarthost',
    recipients: ['*'],
    target: { kind: 'relay', relay: 'm365' },
  });
  // The store sweeps traces that are old by the system's clock.
  const clock = createTestClock(systemClock.now());
  const common = { serverName: 'mail.example.com', clock, log: silentLog, store };
  const transfer = createTransfer({
    ...common,
    accounts,
    sizeLimitOctets: 4 * MIB,
    isRelaying: () => true,
    ...options,
  });
  const items = async () => [...(await store.queue.list({}, 1000))];
  return {
    site,
    sender,
    me,
    clock,
    transfer,
    settling: createSettling(between({ ...common, transfer, reports: options.reports })),
    items,
    async queue(envelope, submitter = { kind: 'account', account: sender }, message = MESSAGE) {
      const acceptance = await transfer.accept(envelope, once(message), {
        kind: 'smtp',
        listener: 'submission',
        remoteAddress: '192.0.2.7',
        heloName: 'device',
        isExtended: true,
        tls: undefined,
        role: submitter.kind === 'anyone' ? 'relayIn' : 'submission',
        submitter,
      });
      if (acceptance.kind === 'refused') throw acceptance.error;
      return (await items()).filter(({ traceId }) => traceId === acceptance.traceId);
    },
    async events({ traceId }) {
      const events = (await store.trace.find(traceId))?.events ?? [];
      const told = events.filter(({ kind }) => QUEUE_EVENTS.has(kind));
      return told.map(({ kind, fields: { recipient, reason } }) =>
        [kind, recipient, reason].filter((each) => each !== undefined).join(' '),
      );
    },
    inbox: async (account) => (await site.inbox(account)).map((octets) => octets.toString('latin1')),
  };
}

const QUEUE_EVENTS = new Set(['failed', 'relayed', 'delayed', 'reported', 'dsnDue']);

/** A message of somebody. */
export const MESSAGE =
  'From: sender@app.example\r\nSubject: to be told\r\nMessage-ID: <1@app.example>\r\n\r\nbody\r\n';

/** An item that the next hop has refused for good. */
export function failed(item: QueueItem, report: Partial<ItemReport> = {}): ItemResult {
  const event = { at: item.createdAt, kind: 'failed', fields: { recipient: item.recipient } } as const;
  return {
    item: { ...item, attempts: item.attempts + 1 },
    settlement: { id: item.id, kind: 'done', event },
    report: {
      action: 'failed',
      status: '5.1.1',
      reply: '550 5.1.1 unknown',
      server: 'mx.example',
      ...report,
    },
  };
}

/** An item that has left. */
export function relayed(item: QueueItem): ItemResult {
  const event = { at: item.createdAt, kind: 'relayed', fields: { recipient: item.recipient } } as const;
  return {
    item,
    settlement: { id: item.id, kind: 'done', event },
    report: { action: 'relayed', status: '2.0.0', reply: '250 2.0.0 ok', server: 'mx.example' },
  };
}

async function* once(message: Buffer | string): AsyncGenerator<Buffer> {
  yield typeof message === 'string' ? Buffer.from(message, 'latin1') : message;
}

/**
 * The one door with accounts behind it, for tests of what submission does: messages go in as a submitter's, and what was stored
 * comes out again, octet for octet.
 */

import type { Test } from 'tap';

import { type Log, silentLog } from '../../src/base/log.ts';
import { MIB } from '../../src/base/units.ts';
import type { Account } from '../../src/store/contract/directory.ts';
import type { MessageTrace, Trace } from '../../src/store/contract/trace.ts';
import type {
  Acceptance,
  Envelope,
  Submitter,
  Transfer,
  TransferOptions,
} from '../../src/transfer/contract.ts';
import { createTransfer } from '../../src/transfer/transfer.ts';
import { entriesOf } from '../store/contract/house.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { openRoomSite, type RoomSite } from '../support/site.ts';

/** An open site. */
export interface SubmissionSite {
  readonly site: RoomSite;
  readonly transfer: Transfer;
  readonly clock: TestClock;
  /** Events of the log with their fields. */
  readonly logged: readonly (readonly [event: string, fields: Readonly<Record<string, unknown>>])[];
  /** What was noted for the trace of refused messages. */
  readonly refusals: readonly Parameters<Trace['noteRefusal']>[0][];
  /** Submits a message. */
  submit(submitter: Submitter, envelope: Envelope, message: Buffer | string): Promise<Acceptance>;
  /** The newest message in an account's INBOX, without our trace fields. */
  newest(account: Account): Promise<Buffer>;
  /** The trace of an acceptance. */
  traceOf(acceptance: Acceptance): Promise<MessageTrace | undefined>;
}

/** Opens the door, and a site unless one is given; they close with the test. */
export async function openSubmissionSite(
  t: Test,
  options: Partial<TransferOptions> = {},
  given?: RoomSite,
): Promise<SubmissionSite> {
  const site = given ?? (await openRoomSite(t));
  const { store, accounts } = site;
  const clock = createTestClock();
  const logged: [string, Readonly<Record<string, unknown>>][] = [];
  const note = (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
    void logged.push([event, fields]);
  const refusals: Parameters<Trace['noteRefusal']>[0][] = [];
  const trace: Trace = { ...store.trace, noteRefusal: (refusal) => void refusals.push(refusal) };
  const log: Log = { ...silentLog, info: note, warn: note, error: note };
  const serverName = 'mail.example.com';
  const sizeLimitOctets = 4 * MIB;
  const transfer = createTransfer({
    store: { ...store, trace },
    accounts,
    serverName,
    sizeLimitOctets,
    clock,
    log,
    ...options,
  });
  return {
    site,
    transfer,
    clock,
    logged,
    refusals,
    submit: (submitter, envelope, message) =>
      transfer.accept(envelope, once(message), {
        kind: 'smtp',
        listener: 'submission',
        remoteAddress: '192.0.2.7',
        heloName: 'device',
        isExtended: true,
        tls: undefined,
        role: 'submission',
        submitter,
      }),
    async newest(account) {
      const inbox = await store.mailboxes.find(account.id, ['INBOX']);
      const entry = inbox && (await entriesOf(store, inbox.id)).at(-1);
      if (entry === undefined) throw new Error('nothing is there');
      const content = await store.contents.open(entry.contentId);
      const pieces: Buffer[] = [];
      for await (const piece of content.read(0, content.octets)) pieces.push(piece);
      return withoutTraceFields(Buffer.concat(pieces));
    },
    traceOf: ({ traceId }) => store.trace.find(traceId),
  };
}

async function* once(message: Buffer | string): AsyncGenerator<Buffer> {
  yield typeof message === 'string' ? Buffer.from(message, 'latin1') : message;
}

/** Behind Return-Path and Received, whose last line is the folded date. */
function withoutTraceFields(octets: Buffer): Buffer {
  const fields = /^Return-Path: <[^\r]*>\r\nReceived: [^;]*;\r\n [^\r]*\r\n/.exec(octets.toString('latin1'));
  if (fields === null) throw new Error(`no trace fields: ${octets.subarray(0, 200)}`);
  return octets.subarray(fields[0].length);
}

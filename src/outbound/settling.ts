/**
 * What became of items after an attempt, or by the clock: settles them, and tells their sender where he is to be told.
 *
 * RFC 3461 section 5.2 (who is told what), RFC 3464. One report for each message and kind of outcome; it comes in by the one door and
 * settles its items by the same commit, so that a crash leaves either both or neither: then the items are tried, fail and are told
 * of again. What nobody is told of is settled first, since a recipient who has the message must not be tried again.
 * Where the store has trouble, settling rejects and is to be asked again with the same results (sureSettling.ts): what was settled
 * before is passed over then. When the door refuses a report for another reason, its items are settled without it and the trace says
 * `dsnDue`.
 */

import { buffer } from 'node:stream/consumers';

import type { Clock, UnixMs } from '../base/clock.ts';
import { asMailError, MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import {
  mayReturnWhole,
  RETURNED_HEADER_LIMIT_OCTETS,
  RETURNED_MESSAGE_LIMIT_OCTETS,
  type Returned,
  returnedHeader,
} from '../wire/dsn/returnedPart.ts';
import { decodeXtext } from '../wire/smtp/xtext.ts';
import type { QueueItem } from '../store/contract/queue.ts';
import type { HopUse, QueueSettlement } from '../store/contract/queueWork.ts';
import type { Store } from '../store/contract/store.ts';
import type { MessageNames, TraceEvent } from '../store/contract/trace.ts';
import type { ReportSettings, Transfer } from '../transfer/contract.ts';
import { namesOf } from '../transfer/messageNames.ts';
import { readHeader } from '../transfer/readHeader.ts';
import { isWanted } from '../transfer/report/notify.ts';
import {
  createReporter,
  reportedEvent,
  type Reporter,
  type ToldRecipient,
} from '../transfer/report/reporter.ts';

/** What became of one item. */
export interface ItemResult {
  readonly item: QueueItem;
  readonly settlement: QueueSettlement;
  /** What there is to tell its sender, if he wants to know. */
  readonly report?: ItemReport | undefined;
}

/** What there is to tell about an item. */
export interface ItemReport {
  /** `relayed` only where the next hop does not tell of success itself. */
  readonly action: 'failed' | 'delayed' | 'relayed';
  /** RFC 3463. */
  readonly status: string;
  /** What the next hop answered, beginning with its code, or our own reason: one line. */
  readonly reply: string;
  /** The next hop, where it answered: a host name or address literal. */
  readonly server?: string | undefined;
  /** When the item is given up; for `delayed`. */
  readonly willRetryUntil?: UnixMs | undefined;
}

/** Settles items. */
export interface Settling {
  /**
   * Results of one attempt, or of items that aged; `use` is counted for the hop. Errors: the store's; asked again with the same
   * objects, it goes on where it was.
   */
  settle(results: readonly ItemResult[], use?: HopUse): Promise<void>;
}

/** What settling is handed. */
export interface SettlingOptions {
  readonly store: Pick<Store, 'contents' | 'directory' | 'queue'>;
  readonly transfer: Pick<Transfer, 'accept'>;
  /** Names us in reports. */
  readonly serverName: string;
  readonly reports?: ReportSettings | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Settling by this store and door. */
export function createSettling(options: SettlingOptions): Settling {
  const { store, transfer } = options;
  const reporter = createReporter({ ...options, accept: transfer.accept });
  const done = new WeakSet<ItemResult | HopUse>();
  return {
    async settle(results, use) {
      const open = results.filter((result) => !done.has(result));
      const told = open.filter(isToBeTold);
      const others = open.filter((result) => !isToBeTold(result));
      let uncounted = use === undefined || done.has(use) ? undefined : use;
      const settled = (some: readonly ItemResult[]) => {
        for (const one of [...some, ...(uncounted === undefined ? [] : [uncounted])]) done.add(one);
        uncounted = undefined;
      };
      if (others.length > 0 || (told.length === 0 && uncounted !== undefined)) {
        await store.queue.settle(
          others.map(({ settlement }) => settlement),
          uncounted,
        );
        settled(others);
      }
      for (const group of groupsOf(told)) {
        await settleWithReport(options, reporter, group, uncounted);
        settled(group);
      }
    },
  };
}

/** A result that is to be told. */
type ToldResult = ItemResult & { readonly report: ItemReport };

/** Results of one message that one report tells of. */
type ToldGroup = readonly [ToldResult, ...ToldResult[]];

function isToBeTold(result: ItemResult): result is ToldResult {
  const { item, report } = result;
  return report !== undefined && isWanted(report.action, item.notify);
}

function groupsOf(results: readonly ToldResult[]): readonly ToldGroup[] {
  const groups = new Map<string, [ToldResult, ...ToldResult[]]>();
  for (const result of results) {
    const { traceId, reversePath, isSubmitted, forwardedFor, envid, ret } = result.item;
    const { action } = result.report;
    const key = JSON.stringify([traceId, action, reversePath, isSubmitted, forwardedFor, envid, ret]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [result]);
    else group.push(result);
  }
  return [...groups.values()];
}

async function settleWithReport(
  options: SettlingOptions,
  reporter: Reporter,
  group: ToldGroup,
  use: HopUse | undefined,
): Promise<void> {
  const { store, clock } = options;
  const [{ item, report }] = group;
  const { traceId, reversePath, forwardedFor, createdAt, envid } = item;
  const message = {
    traceId,
    reversePath,
    isSubmitted: item.isSubmitted === true,
    forwardedFor,
    arrivedAt: createdAt,
    envelopeId: envid === undefined ? undefined : decodeXtext(envid),
    ...(await readMessage(options, item, report.action)),
  };
  const at = clock.now();
  const telling = await reporter.tell(
    message,
    group.map((result) => toldRecipient(result, at)),
    (atDoor) => ({
      settlements: group.map(({ item, settlement }) => ({
        ...settlement,
        told: reportedEvent(at, item.recipient, atDoor),
      })),
      use,
    }),
  );
  if (telling.kind === 'told') return;
  if (telling.isTemporary && report.action === 'failed')
    throw new MailError('storeUnavailable', `the report about ${traceId} was not taken: ${telling.reason}`);
  await store.queue.settle(
    group.map((result) => ({ ...result.settlement, ...untold(result, at, telling.reason) })),
    use,
  );
}

function toldRecipient({ item, report }: ToldResult, at: UnixMs): ToldRecipient {
  const { recipient, orcpt, attempts } = item;
  const { willRetryUntil, ...told } = report;
  return {
    ...told,
    address: recipient,
    originalRecipient: orcpt === undefined ? undefined : (decodeXtext(orcpt) ?? orcpt),
    ...(report.action === 'delayed' ? { willRetryUntil } : {}),
    ...(attempts > 0 && report.action !== 'delayed' ? { lastAttemptAt: at } : {}),
  };
}

/** A failure of which nobody hears has to stand somewhere. */
function untold({ item, report }: ToldResult, at: UnixMs, reason: string): { readonly told?: TraceEvent } {
  if (report.action !== 'failed') return {};
  return { told: { at, kind: 'dsnDue', fields: { recipient: item.recipient, reason } } };
}

/** What the message is called, and what of it comes back: all of it only where a failure is told and RET asks for it. */
async function readMessage(
  { store, log }: SettlingOptions,
  { contentId, traceId, ret }: QueueItem,
  action: ItemReport['action'],
): Promise<{ readonly names: MessageNames; readonly returned: Returned }> {
  try {
    const content = await store.contents.open(contentId);
    const start = content.returnPathOctets;
    const blocks = content.read(start, content.octets)[Symbol.asyncIterator]();
    const { header, octets } = await readHeader(blocks, RETURNED_HEADER_LIMIT_OCTETS);
    await blocks.return?.();
    const names = namesOf(header);
    const isSmall = content.octets - start <= RETURNED_MESSAGE_LIMIT_OCTETS;
    if (ret === 'FULL' && action === 'failed' && isSmall) {
      const message = await buffer(content.read(start, content.octets));
      if (mayReturnWhole(message)) return { names, returned: { kind: 'message', octets: message } };
    }
    return { names, returned: returnedHeader(octets, header.isWhole) };
  } catch (error) {
    // Whoever wrote it is told even so.
    log.error('outbound.report.unread', { trace: traceId, error: asMailError(error) });
    return { names: {}, returned: { kind: 'header', octets: Buffer.alloc(0), isWhole: false } };
  }
}

/**
 * `hauspost relay test NAME --to ADDRESS`: a small real message goes by the one door and the queue to one relay, and what became of it
 * is answered: as soon as its first attempt has ended, or its relay does not run.
 */

import type { Clock, UnixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import { newTraceId } from '../base/ids.ts';
import { SECOND_MS } from '../base/units.ts';
import type { Store } from '../store/contract/store.ts';
import type { MessageTrace, TraceEventKind } from '../store/contract/trace.ts';
import { parseAddress } from '../accounts/address.ts';
import type { Transfer } from '../transfer/contract.ts';
import { inOnePiece, ownOrigin } from '../transfer/ownMessage.ts';
import { formatDate } from '../transfer/traceFields.ts';
import type { HopStanding, HopStatus } from '../outbound/contract.ts';

/** What is not decided by then waits on: several hosts that do not answer take a while each. */
export const TRIAL_DEADLINE_MS = 100 * SECOND_MS;

/** What a trial needs. */
export interface TrialSurroundings {
  readonly store: Pick<Store, 'feed' | 'trace'>;
  readonly transfer: Pick<Transfer, 'accept'>;
  readonly serverName: string;
  readonly clock: Clock;
  hops(): Promise<readonly HopStatus[]>;
}

/** What became of the message; `waits`: it is in the queue, and leaves when its relay goes on. */
export interface RelayTrial {
  readonly outcome: 'relayed' | 'failed' | 'waits';
  readonly trace: MessageTrace;
  /** How the relay stands. */
  readonly standing: HopStanding;
}

/** Sends a message by `relay`. Errors: `invalid` (an address), what the door refuses it with, the store's. */
export async function tryRelay(
  surroundings: TrialSurroundings,
  relay: string,
  from: string,
  to: string,
): Promise<RelayTrial> {
  for (const [option, address] of Object.entries({ from, to }))
    if (parseAddress(address).kind !== 'address')
      throw new MailError('invalid', `--${option}: found "${address}"; allowed: an address`);
  const { clock, store, transfer, serverName } = surroundings;
  const traceId = newTraceId(clock.now());
  let hurry = () => {};
  const unsubscribe = store.feed.subscribe(({ kind }) => {
    if (kind === 'queue') hurry();
  });
  let isOver = false;
  const deadline = clock.after(TRIAL_DEADLINE_MS, () => {
    isOver = true;
    hurry();
  });
  try {
    const envelope = { traceId, reversePath: from, recipients: [to], relay };
    const octets = trialMessage({ relay, from, to, serverName, id: traceId, at: clock.now() });
    const accepted = await transfer.accept(envelope, inOnePiece(octets), ownOrigin(serverName));
    if (accepted.kind === 'refused') throw accepted.error;
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        hurry = resolve;
      });
      const trial = await look(surroundings, relay, traceId);
      if (trial !== undefined && (isOver || isDecided(trial))) return trial;
      if (isOver) throw new MailError('deadlineExceeded', `nothing is known of ${traceId} yet`);
      await changed;
    }
  } finally {
    unsubscribe();
    deadline.clear();
  }
}

async function look(
  { store, hops }: TrialSurroundings,
  relay: string,
  traceId: MessageTrace['traceId'],
): Promise<RelayTrial | undefined> {
  const trace = await store.trace.find(traceId);
  const hop = (await hops()).find(({ nextHop }) => nextHop.kind === 'relay' && nextHop.name === relay);
  if (trace === undefined || hop === undefined) return undefined;
  const has = (kind: TraceEventKind) => trace.events.some((event) => event.kind === kind);
  const outcome = has('relayed') ? 'relayed' : has('failed') ? 'failed' : 'waits';
  return { outcome, trace, standing: hop.standing };
}

/** An attempt has ended, or none is made now. */
function isDecided({ outcome, trace, standing }: RelayTrial): boolean {
  const isPutOff = trace.events.some(({ kind }) => kind === 'deferred' || kind === 'held');
  return outcome !== 'waits' || isPutOff || standing.kind !== 'running';
}

interface TrialMessage {
  readonly relay: string;
  readonly from: string;
  readonly to: string;
  readonly serverName: string;
  readonly id: string;
  readonly at: UnixMs;
}

/** RFC 3834 section 5: nothing answers it. */
function trialMessage({ relay, from, to, serverName, id, at }: TrialMessage): Buffer {
  return Buffer.from(
    [
      `From: <${from}>`,
      `To: <${to}>`,
      `Subject: Hauspost tries the relay ${relay}`,
      `Date: ${formatDate(at, -new Date(at).getTimezoneOffset())}`,
      `Message-ID: <${id}@${serverName}>`,
      'Auto-Submitted: auto-generated',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      '',
      `An administrator of ${serverName} has sent this by \`hauspost relay test\`. It needs no answer.`,
      '',
    ].join('\r\n'),
  );
}
